"""The live page in a real browser: beats advance, numbers are near the truth, silence is said."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

READERS = Path(__file__).resolve().parents[1] / "src" / "isosoma" / "exchange" / "__init__.py"
CHROMIUM = Path("/usr/bin/chromium")
STATIC = Path(__file__).resolve().parents[1] / "src" / "isosoma" / "serve" / "static"
AXE = Path(__file__).resolve().parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's chromium is not installed"),
    pytest.mark.skipif(not (STATIC / "index.html").is_file(), reason="the page is not built"),
]


def serve(*arguments):
    command = [sys.executable, "-m", "isosoma", "run", "--no-browser", "--port", "0", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    said = server.stdout.readline()
    found = re.search(r"http://\S+", said)
    assert found, f"the server said {said!r}"
    return server, found[0]


def until(page, condition, seconds=60.0):
    """Wait for a condition; the page's own policy forbids Playwright's `wait_for_function`."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never became true: {condition[:120]}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def server():
    running, address = serve("--speed", "4")
    yield running, address
    running.kill()
    running.wait()
    running.stdout.close()


@pytest.fixture
def page(browser, server):
    made = browser.new_page(viewport={"width": 1280, "height": 720})
    faults = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda m: m.type == "error" and faults.append(m.text))
    made.goto(server[1])
    until(made, "/\\d/.test(document.querySelector('#hr').textContent)")
    made.faults = faults
    yield made
    made.close()


def test_beats_advance_and_the_rate_is_the_truth(page):
    until(page, "document.querySelector('#quality').textContent.startsWith('Good')")
    assert 45 <= float(page.inner_text("#hr")) <= 110  # hidden: the patient is another each time
    assert re.fullmatch(r"90 % interval \d+–\d+", page.inner_text("#hr-range"))
    assert re.fullmatch(r"last beat [\d.]+ s ago", page.inner_text("#hr-age"))
    assert page.inner_text("#rhythm") not in ("–", "Learning")
    assert float(page.inner_text("#delay")) < 1.0
    assert page.inner_text("#kind") == "SIMULATED"
    picture = "document.querySelector('.strip.lead canvas').toDataURL()"
    before = page.evaluate(picture)
    until(page, f"{picture} !== {before!r}")
    assert page.faults == []


def test_silence_is_said_and_the_last_state_stays(page, server):
    running, _ = server
    running.kill()
    running.wait()
    page.wait_for_selector("#stale:not([hidden])", timeout=20_000)
    assert "last state" in page.inner_text("#stale")
    assert re.search(r"\d", page.inner_text("#hr"))
    first = page.inner_text("#hr-age")
    until(page, f"document.querySelector('#hr-age').textContent !== {first!r}")
    assert page.inner_text("#link") == "connection lost"
    assert "no data for" in page.inner_text(".strip.lead .data")


def test_every_act_has_a_key(page):
    page.keyboard.press("g")
    assert page.inner_text("#gain") == "20 mm/mV"
    page.keyboard.press("s")
    assert page.inner_text("#speed") == "50 mm/s"
    page.keyboard.press("Space")
    assert page.get_attribute("#b-freeze", "aria-pressed") == "true"
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.id") == "events"


def assert_accessible(page):
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (1920, 1080)])
def test_the_page_is_accessible_and_fits(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wide = page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")
    assert wide[0] <= size[0]
    assert wide[1] <= size[1]
    assert_accessible(page)
    page.keyboard.press("?")
    assert_accessible(page)


def boxes(page):
    """Where every part of the page lies; a reader's eye must find it there again."""
    return page.evaluate(
        "[...document.querySelectorAll('main > section, .tile, .strip, footer')]"
        ".filter((e) => e.offsetParent).map((e) => e.className + JSON.stringify("
        "e.getBoundingClientRect()).replace(/\\.\\d+/g, ''))"
    )


def test_nothing_moves_when_an_alarm_comes_and_the_server_goes(browser, shared_data, tmp_path):
    import lzma
    import shutil

    source = shared_data / "signals" / "mitdb"
    shutil.copy(source / "207.hea", tmp_path)
    (tmp_path / "207.dat").write_bytes(lzma.decompress((source / "207.dat.xz").read_bytes()))
    running, address = serve("--record", str(tmp_path / "207"), "--speed", "8")
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address)
        until(page, "document.querySelector('#quality').textContent.startsWith('Good')")
        assert page.inner_text("#alarms") == "No alarm holds"
        calm = boxes(page)
        until(page, "!!document.querySelector('#alarms .chip.high')")  # VT and VF from 0:41 on
        assert re.search(r"\*\*\*\s+Ventricular", page.inner_text("#alarms"))
        colour = "getComputedStyle(document.querySelector('.chip.high')).backgroundColor"
        assert page.evaluate(colour) == "rgb(255, 107, 107)"
        running.kill()
        page.wait_for_selector("#stale:not([hidden])", timeout=20_000)
        assert boxes(page) == calm
        assert "Ventricular" in page.inner_text("#alarms")
        if AXE.is_file():
            assert_accessible(page)
        page.close()
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def test_reduced_motion_is_heeded(browser, server):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(server[1])
    page.evaluate(
        "document.querySelector('#alarms').innerHTML = '<p class=\"chip high\"><b>***</b></p>'"
    )
    moving = "getComputedStyle(document.querySelector('.chip b')).animationName"
    assert page.evaluate(moving) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) == "flash"
    page.close()


def test_the_page_comes_back_by_itself(page, server):
    """Another server on the same port: the page goes on, and its alarms are not those of before."""
    running, address = server
    running.kill()
    running.wait()
    page.wait_for_selector("#stale:not([hidden])", timeout=20_000)
    again, _ = serve("--speed", "4", "--port", address.rstrip("/").rpartition(":")[2])
    try:
        until(page, "document.querySelector('#stale').hidden")
        until(page, "/^0:0\\d of/.test(document.querySelector('#position').textContent)")
        until(page, "document.querySelector('#link').textContent.startsWith('live')")
    finally:
        again.kill()
        again.wait()
        again.stdout.close()


@pytest.mark.skipif(not READERS.is_file(), reason="exchange is not there yet")
def test_a_real_record_is_shown_as_a_replay(browser, shared_data):
    running, address = serve("--record", str(shared_data / "signals" / "mitdb" / "100"))
    try:
        page = browser.new_page()
        page.goto(address)
        until(page, "/\\d/.test(document.querySelector('#hr').textContent)")
        assert page.inner_text("#kind") == "REPLAY"
        assert page.inner_text("#p-name") == "Record 100"
        assert 65 <= float(page.inner_text("#hr")) <= 85
    finally:
        running.kill()
        running.wait()
        running.stdout.close()
