"""Bad input in a real browser: a connection drops, a name is markup."""

from __future__ import annotations

import pytest

from isosoma.serve.app import Settings
from isosoma.serve.synthetic import simulate
from tests.browser import hosted, needs_chromium, needs_page, new_page, until

pytestmark = [needs_chromium, needs_page]

MARKUP = "<img src=x onerror=hacked=1>"


@pytest.fixture
def address():
    who = {"name": MARKUP, "id": MARKUP, "born": MARKUP, "allergies": MARKUP, "composite": MARKUP}
    with hosted(Settings(simulate(60.0), banner=who)) as at:
        yield at


@pytest.fixture
def page(browser, address):
    made = new_page(browser)
    made.goto(address)
    until(made, "/\\d/.test(document.querySelector('#hr').textContent)")
    yield made
    made.close()
    assert made.faults == []


def test_markup_in_a_name_is_text_in_every_view(page, address):
    for view in ("bedside", "rehearse", "hood", "patient"):
        page.goto(f"{address}#{view}")
        assert page.inner_text("#p-name") == MARKUP
        assert page.inner_text("#p-id") == MARKUP
        assert MARKUP in page.inner_text("#composite"), "a composite is called one in every view"
        assert page.inner_text("#kind") == "COMPOSITE"
    assert page.evaluate("typeof hacked") == "undefined"
    assert page.locator("img").count() == 0


def test_a_dropped_line_is_taken_up_where_it_broke(browser, address):
    """Every block has a number: what came while the line was down is sent when it is back."""
    page = new_page(browser)
    page.add_init_script("""
        const Plain = WebSocket; window.sockets = []; window.heard = [];
        window.WebSocket = class extends Plain {
          constructor(at) {
            super(at); sockets.push(this);
            this.addEventListener("message", (e) => e.data.split("\\n").forEach((line) => {
              const m = JSON.parse(line); if (m.type === "block") heard.push(m.seq); }));
          }
        };""")
    page.goto(address)
    until(page, "heard.length > 40")
    page.evaluate("sockets[0].close()")
    until(page, "sockets.length === 2 && heard.length > 120")
    came = page.evaluate("heard")
    assert came == list(range(came[0], came[0] + len(came)))
    assert "lost" not in page.inner_text("#link")
    assert page.faults == []
    page.close()
