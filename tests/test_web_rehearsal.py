"""The rehearsal room in a real browser: three futures, undo, refusals in sentences, a signature."""

from __future__ import annotations

import socket
import threading
from functools import partial

import pytest
import uvicorn

from isosoma.serve.app import STATIC, Settings, make_app
from isosoma.serve.synthetic import simulate
from tests.browser import assert_accessible, needs_axe, needs_chromium, new_page
from tests.browser import until as wait_until

until = partial(wait_until, seconds=120.0)  # three futures take longer than a page
FAULT = "document.querySelector('.rehearsal > .fault').textContent"
IDLE = "document.querySelector('.rehearsal progress').hidden"

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not (STATIC / "rehearse" / "room.js").is_file(), reason="the page is not built"
    ),
]


@pytest.fixture(scope="module")
def address():
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(
        make_app(Settings(simulate(60.0))), log_level="warning", ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    ))  # fmt: skip
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/#rehearse"
    server.should_exit = True
    thread.join(10.0)


@pytest.fixture
def page(browser, address):
    made = new_page(browser)
    made.goto(address)
    until(made, "document.querySelectorAll('.rehearsal .option').length === 3")
    until(made, "document.querySelectorAll('#acts-known option').length > 20")
    yield made
    made.close()
    assert made.faults == []


def played(page):
    page.get_by_label("time of act 1").first.fill("10 s")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    until(page, f"document.querySelectorAll('.course').length === 12 && {IDLE} || {FAULT}")
    assert page.evaluate(FAULT) == ""


def test_three_futures_are_played_scrubbed_and_signed(page):
    played(page)
    assert "computed" in page.inner_text(".state")
    assert page.locator(".played").inner_text().startswith("Simulated: 128 members")
    assert page.locator(".ranking tbody tr").count() == 3
    assert "Expected regret" in page.inner_text(".ranking")
    assert "noise" in page.inner_text(".differences")
    scrub = page.get_by_label("time in all futures")
    before = scrub.get_attribute("aria-valuetext") or "600 s"
    scrub.focus()
    page.keyboard.press("Home")
    assert scrub.get_attribute("aria-valuetext") != before

    page.click("#r-reject")
    page.fill("dialog [name=name]", "A")
    page.click("dialog button.main")
    until(page, "document.querySelector('dialog.asked .fault').textContent.includes('reason')")
    page.keyboard.press("Escape")
    assert "computed" in page.inner_text(".state"), "a refusal changes nothing"

    page.click("#r-sign")
    page.fill("dialog [name=name]", "<b>A</b>")
    page.fill("dialog [name=qualification]", "test")
    page.click("dialog button.main")
    until(page, "document.querySelector('.state').textContent.includes('signed by <b>A</b>, test')")
    assert page.locator("#r-sign").is_disabled()
    assert page.locator(".state b").count() == 0, "markup in a name is text"


def test_an_edit_is_undone_and_made_again_by_keys(page):
    add = page.get_by_label("act to add to watch")
    add.fill("bleed 300 mL in 5 min at 30 s")
    add.press("Enter")
    acts = "[...document.querySelectorAll('.option')][0].querySelectorAll('.step').length"
    assert page.evaluate(acts) == 1
    page.keyboard.press("Control+z")
    assert page.evaluate(acts) == 0
    page.keyboard.press("Control+y")
    assert page.evaluate(acts) == 1
    assert page.get_by_label("time of act 1").first.input_value() == "30 s"


def test_an_edited_field_leaves_the_focus_where_it_goes(page):
    page.get_by_label("time of act 1").first.fill("10 s")
    page.get_by_label("act to add to watch").click()
    page.keyboard.type("bleed 300 mL")
    page.keyboard.press("Enter")
    acts = page.locator(".option .words")
    assert [acts.nth(i).input_value() for i in range(acts.count())][:2] == [
        "bleed 300 mL", "fluid 500 mL in 10 min",
    ]  # fmt: skip
    assert page.get_by_label("time of act 1").nth(1).input_value() == "10 s"
    page.get_by_label("remove act 1 of option 1").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "act to add to watch"


def test_an_unknown_act_is_told_in_a_sentence(page):
    words = page.get_by_label("act 1, with its dose").first
    words.fill("flood 500 mL")
    page.keyboard.press("Tab")
    page.click("#r-rehearse")
    until(page, f"{FAULT}.includes('no act that is known')")
    assert "option 'fluid'" in page.evaluate(FAULT)


def test_a_dose_is_never_invented(page):
    add = page.get_by_label("act to add to watch")
    add.fill("bleed")
    add.press("Enter")
    assert page.get_by_label("act 1, with its dose").first.input_value().startswith("bleed ? mL")


@needs_axe
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768)])
def test_the_room_is_accessible_and_fits(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    played(page)
    assert_accessible(page, "#view-rehearse")
    room = "document.querySelector('#view-rehearse')"
    assert page.evaluate(f"{room}.scrollWidth <= {room}.clientWidth")
