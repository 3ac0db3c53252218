"""The bar over every view in a real browser: how much holds now, and each of it to read whole."""

from __future__ import annotations

import re

import pytest

from isosoma.serve.app import Settings
from isosoma.serve.live_messages import Finding, TwinMessage
from isosoma.serve.synthetic import simulate
from isosoma.signals.pressure_limits import PressureLimits
from tests.browser import (
    assert_accessible,
    hosted,
    needs_axe,
    needs_chromium,
    needs_page,
    new_page,
    until,
    waiting,
)

pytestmark = [needs_chromium, needs_page]
AT = 1_790_000_000.0  # [s]
TOLD = (
    "sensor: the arterial line reads 15 mmHg above the cuff: its transducer lies about 20 cm too "
    "low; the twin learns nothing from the line meanwhile"
)
LINE = Finding("sensor", TOLD, AT)
OXIMETER = Finding("sensor", "sensor: the pulse oximeter has a poor signal", AT)
FITS = (
    "patient: has changed; it would fit that systemic vascular resistance fell from 1340 to 912 "
    "dyn·s/cm⁵, or stressed blood volume fell from 1.52 to 1.21 L: look for the cause"
)
CHANGED = Finding("patient", FITS, AT)
WORDS = "document.querySelector('.finding:not(.beyond) span')"


@pytest.fixture(scope="module")
def page(browser):
    """A page whose twin says what the test says, over a patient whose ECG can be taken off."""
    with waiting(browser) as page:
        page.told = lambda *findings, why="": page.keeper.put("twin", TwinMessage(
            "live", "in step", 1.0, AT, findings=list(findings), withheld=why))  # fmt: skip
        yield page


def test_nothing_to_read_has_no_button(page):
    page.told()
    until(page, "document.body.dataset.twin === 'live'")
    assert page.is_hidden("#b-now")
    page.keyboard.press("a")
    assert page.is_hidden("#now")


@needs_axe
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (800, 600)])
def test_four_findings_at_once_are_counted_and_read_whole(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.told()
    until(page, "document.querySelector('#b-now').hidden")
    calm = page.evaluate("JSON.stringify(document.querySelector('main').getBoundingClientRect())")
    page.told(LINE, OXIMETER, CHANGED, why="no belief explains what is read since 03:10")
    until(page, "document.querySelector('#now-more').textContent === '+3 more'")
    assert page.locator("#findings .finding").first.inner_text().startswith("Patient")
    assert "no belief explains what is read" in page.evaluate(f"{WORDS}.textContent")
    assert page.evaluate(f"{WORDS}.scrollHeight <= {WORDS}.clientHeight + 1"), "the first is whole"
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.id") == "now-list"
    rows = page.locator("#now-list .finding").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["Patient", "Patient", "Sensor", "Sensor"]
    assert "stressed blood volume fell from 1.52 to 1.21 L: look for the cause" in rows[1]
    cut = "(e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1"
    assert page.evaluate(f"[...document.querySelectorAll('#now, #now-list p')].filter({cut})") == []
    assert_accessible(page)
    assert calm == page.evaluate(
        "JSON.stringify(document.querySelector('main').getBoundingClientRect())"
    ), "nothing moves"
    page.keyboard.press("Escape")
    assert page.is_hidden("#now")
    assert page.evaluate("document.activeElement.id") == "b-now"


def test_an_alarm_stands_before_findings_and_the_list_is_renewed_while_it_is_read(page):
    page.set_viewport_size({"width": 800, "height": 600})
    page.told(LINE, CHANGED)
    until(page, "document.querySelectorAll('#findings .finding').length === 2")
    page.click("#b-now")
    page.patient.act("take the ecg off")
    until(page, "document.querySelectorAll('#now-list .chip').length > 0")
    kinds = page.locator("#now-list p").evaluate_all("all => all.map((p) => p.className)")
    assert re.fullmatch(r"chip \w+", kinds[0])
    assert kinds[-2:] == ["finding patient", "finding sensor"]
    assert re.search(r"[1-9] alarms?, 2 findings$", page.get_attribute("#b-now", "title"))
    assert page.is_visible("#now"), "what is read stays open"
    page.click("#now-close")
    page.patient.act("put the ecg on")
    assert page.faults + page.complaints == []


@needs_axe
def test_a_pressure_that_alarms_is_whole_in_the_bar_and_red_in_its_tile(browser):
    """A patient whose usual pressure is far below the limits that are set here."""
    mmhg = 133.322
    limits = PressureLimits(150 * mmhg, 160 * mmhg, 300 * mmhg, 170 * mmhg, 400 * mmhg)
    with hosted(Settings(simulate(60.0), limits=limits)) as address:
        page = new_page(browser, 800, 600)
        page.goto(address)
        until(page, "document.querySelector('#abp-tile').dataset.priority === 'high'")
        words = "document.querySelector('#alarms .chip span')"
        said = page.evaluate(f"{words}.textContent")
        assert re.fullmatch(r"Very low arterial pressure: mean \d+ mmHg, below 150", said)
        assert page.evaluate(f"{words}.scrollWidth <= {words}.clientWidth"), "no word is cut"
        colour = "getComputedStyle(document.querySelector('#abp-tile')).backgroundColor"
        assert page.evaluate(colour) == "rgb(255, 107, 107)"
        assert_accessible(page)
        page.close()
