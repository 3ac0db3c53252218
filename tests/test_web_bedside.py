"""The bedside in a real browser: heart and numbers of the twin, views, acts, the seal."""

from __future__ import annotations

import gzip
import json
import re
import time

import pytest

from tests.browser import (
    AXE,
    IWER,
    STATIC,
    TWIN,
    assert_accessible,
    needs_axe,
    needs_chromium,
    needs_iwer,
    needs_page,
    new_page,
    served,
    until,
    until_alive,
)

VIEWS = ("bedside", "rehearse", "hood", "patient")
MOST, FIRST = 400_000, 60_000  # [byte] gzipped: of everything, and of what the first view waits for

QUEST = """
  window.told = [];
  const device = new IWER.XRDevice(IWER.metaQuest3);
  device.installRuntime({ forceInstall: true });
  device.stereoEnabled = true;
  const ask = navigator.xr.requestSession.bind(navigator.xr);
  navigator.xr.requestSession = async (...asked) => {
    const session = await ask(...asked);
    session.addEventListener("inputsourceschange", (e) => told.push(...e.added));
    return session;
  };
"""
OVERFULL = """['#view-bedside', '.numbers', '.centre', '.traces'].filter((s) => {
  const e = document.querySelector(s);
  return e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1; })"""

pytestmark = [needs_chromium, needs_page]


@pytest.fixture(scope="module")
def address():
    with served() as (_, at):
        yield at


@pytest.fixture
def page(browser, address):
    made = new_page(browser)
    made.goto(address)
    until_alive(made)
    yield made
    made.close()
    assert made.faults == []


def test_simulated_numbers_have_interval_unit_and_age_and_the_heart_beats(page):
    tile = "document.querySelector('#twin-numbers .sim').innerText"
    until(page, f"/CO\\s*L\\/min\\s+[\\d.]+\\s+[\\d.]+–[\\d.]+\\s+not measured/.test({tile})")
    assert page.locator("#twin-numbers .sim").count() == 6
    assert "90 % interval" in page.inner_text(".twin-head")
    assert page.inner_text("#axis-delay") == "0.6 s"
    until(page, "document.querySelectorAll('#forecasts figure').length === 4")
    stage = page.locator("#stage")
    before = stage.screenshot()
    page.wait_for_timeout(400)
    assert stage.screenshot() != before
    page.keyboard.press("c")
    assert page.inner_text("#h-colour-said") == "pressure"
    page.keyboard.press("v")
    assert page.inner_text("#h-view-said") == "four-chamber"
    page.keyboard.press("x")
    assert page.get_attribute("#h-cut", "aria-pressed") == "true"


@needs_axe
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (1024, 768), (800, 600)])
def test_every_view_has_a_key_fits_and_is_accessible(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for number, view in enumerate(VIEWS, 1):
        page.keyboard.press(str(number))
        until(page, f"document.body.dataset.view === '{view}'")
        assert page.locator("main:visible").count() == 1
        if view == "rehearse":  # a room of its own, with its own tests
            continue
        wide, high = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert page.locator(".notice").inner_text() == "For research, not for clinical use"
        assert page.locator("#kind").inner_text() == "SIMULATED"
        if view == "bedside":
            assert page.evaluate(OVERFULL) == []
        assert wide <= size[0], view
        assert high <= size[1], view
        assert_accessible(page)


def test_the_hood_says_what_the_data_cannot_tell(page):
    page.keyboard.press("3")
    until(page, "document.querySelectorAll('#beliefs tr').length === 14")
    assert "not informed" in page.inner_text("#beliefs")
    assert page.locator("#beliefs svg").count() == 14
    page.keyboard.press("4")
    until(page, "document.querySelectorAll('#person .twin').length === 3")
    assert page.locator("#patient-stage canvas").count() == 1


def test_acts_are_done_and_the_seal_holds(page):
    page.keyboard.press("d")
    page.get_by_role("button", name="level the transducer").click()
    until(page, "/^Done to the sensor/.test(document.querySelector('#demo-said').textContent)")
    page.keyboard.press("u")
    until(page, "document.querySelectorAll('#truth tr').length === 20")
    assert "The text is the one that was sealed" in page.inner_text("#demo-said")
    if AXE.is_file():
        assert_accessible(page)
    page.keyboard.press("Escape")
    assert not page.is_visible("#demo")


def test_who_wants_little_motion_gets_a_still_heart(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address)
    assert page.get_attribute("#h-still", "aria-pressed") == "true"
    page.close()


def test_a_small_screen_shares_one_place_between_heart_and_loop(page):
    page.set_viewport_size({"width": 800, "height": 600})
    assert page.is_visible("#stage")
    page.keyboard.press("m")
    assert page.is_visible("#loop")
    assert page.is_visible("section.events")
    assert not page.is_visible("#stage")
    page.click("#b-more")
    assert page.is_visible("#stage")


def test_the_heart_can_be_gone_back_over(page):
    until(page, "document.querySelector('#rhythm').textContent === 'Sinus rhythm'")
    held = "/^held \\d/.test(document.querySelector('#h-held').textContent)"
    for _ in range(60):  # there is nothing to go back to before the first beat has been shown
        page.keyboard.press(",")
        if page.evaluate(held):
            break
        time.sleep(1.0)
    until(page, held)
    page.locator("#h-held").click(force=True)  # its words count on
    assert not page.is_visible("#h-held")


@needs_iwer
def test_a_headset_shows_the_live_heart_and_gives_it_back(browser, address):
    page = new_page(browser, 800, 600)
    page.add_init_script(path=str(IWER))
    page.add_init_script(QUEST)
    page.goto(address)
    until(page, "!document.querySelector('#h-headset').hidden", TWIN)
    assert page.evaluate("isSecureContext")
    page.click("#h-headset")
    until(page, "document.querySelector('#h-headset').getAttribute('aria-pressed') === 'true'")
    until(page, "told.length > 1")
    page.keyboard.press("i")
    until(page, "document.querySelector('#h-headset').getAttribute('aria-pressed') === 'false'")
    assert page.locator(".heart-label").count() > 0
    page.close()
    assert page.faults == []


def test_a_server_that_begins_again_loses_nothing(browser, shared_data):
    """The page says how old its data are, comes back, and marks what nobody has."""
    record = str(shared_data / "signals" / "mitdb" / "100")
    with served("--record", record) as (running, address):
        page = new_page(browser)
        page.goto(address)
        until(page, "/\\d/.test(document.querySelector('#hr').textContent)")
        page.evaluate("document.querySelector('#events').prepend(document.createElement('li'))")
        running.kill()
        running.wait()
        until(page, "/^Stale for \\d+ s/.test(document.querySelector('#stale').textContent)")
        rate, place = page.inner_text("#hr"), page.inner_text("#position")
        until(page, "/[3-9] s: the last/.test(document.querySelector('#stale').textContent)")
        assert (page.inner_text("#hr"), page.inner_text("#position")) == (rate, place)
        assert "no data for" in page.inner_text(".strip.lead .data")
    with served("--record", record, "--port", address.rstrip("/").rpartition(":")[2]):
        until(page, "document.querySelector('#stale').hidden")
        said = "document.querySelector('.strip.lead canvas').getAttribute('aria-label')"
        until(page, f"/, without data for [\\d.]+ s$/.test({said})")
        told = page.locator("#events li").all_inner_texts()
        assert re.search(r"No data for [\d.]+ s: the server began again", told[0])
        assert len(told) == 2, "what was told before is there still"
        until(page, f"!/without/.test({said})")  # the pen has gone over it
        assert page.faults == []
        page.close()


def mixed(socket):
    """Stand between page and server, and say that the ECG is another person's."""
    server = socket.connect_to_server()

    def told(message):
        lines = [json.loads(line) for line in message.split("\n")]
        for said in lines:
            if said["type"] == "hello":
                said["patient"]["composite"] = "composite: the ECG is record 208, of someone else"
        socket.send("\n".join(json.dumps(said) for said in lines))

    server.on_message(told)


@needs_axe
def test_a_composite_of_several_people_says_so_in_every_view(browser, address):
    page = new_page(browser, 800, 600)
    page.route_web_socket("**/live", mixed)
    page.goto(address)
    until(page, "document.body.dataset.kind === 'composite'")
    for view in VIEWS:
        page.evaluate("(view) => { location.hash = view; }", view)
        until(page, f"document.body.dataset.view === '{view}'")
        said = page.locator("#composite").inner_text()
        assert said.upper().startswith("COMPOSITE")
        assert "record 208, of someone else. Never read it as one person." in said
        assert page.is_visible(".notice")
    assert_accessible(page, ".banner")
    page.close()


def test_the_page_is_light():
    parts = [p for p in STATIC.rglob("*") if p.suffix in {".js", ".css", ".html"}]
    sizes = {p.name: len(gzip.compress(p.read_bytes())) for p in parts}
    assert sum(sizes.values()) <= MOST
    assert sizes["main.js"] + sizes["index.html"] + sizes["style.css"] <= FIRST
