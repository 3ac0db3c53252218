"""The live page in a real browser: beats advance, numbers are near the truth, silence is said."""

from __future__ import annotations

import re

import pytest

from tests.browser import (
    AXE,
    ROOT,
    assert_accessible,
    needs_axe,
    needs_chromium,
    needs_page,
    new_page,
    served,
    until,
)

READERS = ROOT / "src" / "isosoma" / "exchange" / "__init__.py"

pytestmark = [needs_chromium, needs_page]


@pytest.fixture
def server():
    with served("--speed", "4") as running:
        yield running


@pytest.fixture
def page(browser, server):
    made = new_page(browser)
    made.goto(server[1])
    until(made, "/\\d/.test(document.querySelector('#hr').textContent)")
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
    assert page.faults + page.complaints == []


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


@needs_axe
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
    with served("--record", str(tmp_path / "207"), "--speed", "8") as (running, address):
        page = new_page(browser)
        page.goto(address)
        until(page, "document.querySelector('#quality').textContent.startsWith('Good')")
        assert page.inner_text("#alarms") == "No alarm holds"
        calm = boxes(page)
        said = "document.querySelector('#alarms').innerText"
        until(page, f"/[*]{{3}}\\s+Ventricular/.test({said})")  # VT and VF from 0:41 on
        colour = "getComputedStyle(document.querySelector('.chip.high')).backgroundColor"
        assert page.evaluate(colour) == "rgb(255, 107, 107)"
        running.kill()
        page.wait_for_selector("#stale:not([hidden])", timeout=20_000)
        assert boxes(page) == calm
        assert "Ventricular" in page.inner_text("#alarms")
        if AXE.is_file():
            assert_accessible(page)
        page.close()


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
    with served("--speed", "4", "--port", address.rstrip("/").rpartition(":")[2]):
        until(page, "document.querySelector('#stale').hidden")
        until(page, "/^0:0\\d of/.test(document.querySelector('#position').textContent)")
        until(page, "document.querySelector('#link').textContent.startsWith('live')")


@pytest.mark.skipif(not READERS.is_file(), reason="exchange is not there yet")
def test_a_real_record_is_shown_as_a_replay(browser, shared_data):
    record = str(shared_data / "signals" / "mitdb" / "100")
    with served("--record", record) as (_, address):
        page = new_page(browser)
        page.goto(address)
        until(page, "/\\d/.test(document.querySelector('#hr').textContent)")
        assert page.inner_text("#kind") == "REPLAY"
        assert page.inner_text("#p-name") == "Record 100"
        assert 65 <= float(page.inner_text("#hr")) <= 85
        page.close()
