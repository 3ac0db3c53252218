"""The tour in a real browser: one story, held back by nothing, and left at any time."""

from __future__ import annotations

import pytest

from tests.browser import (
    AXE,
    assert_accessible,
    needs_chromium,
    needs_page,
    new_page,
    served,
    until,
    until_alive,
)

PLAY = 600.0  # [s] for 128 members, three options and six minutes, beside other work
STOPS = 11

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
    made.keyboard.press("t")
    yield made
    made.close()
    assert made.faults == []


def to(page, title):
    """Go on until a stop of this title."""
    for _ in range(STOPS):
        if title in page.inner_text("#tour-title"):
            return
        page.click("#tour-next")
    raise AssertionError(f"no stop is called {title!r}")


def rehearsed(page):
    """Play what stands there, and give the chances and the rest of the answer as text."""
    page.click("#r-rehearse")
    until(page, "document.querySelector('#r-rehearse').disabled")
    until(page, "!document.querySelector('#r-rehearse').disabled", PLAY)
    assert page.inner_text(".fault") == ""
    return page.inner_text(".results")


def test_every_stop_marks_what_it_tells_of_and_each_key_leaves(page):
    seal = page.inner_text("#tour-words code")
    assert len(seal) == 64
    for stop in range(1, STOPS + 1):
        assert page.inner_text("#tour-title").startswith(f"{stop} of {STOPS}")
        until(page, "document.querySelectorAll('.toured').length <= 1")
        page.click("#tour-next")
    assert not page.is_visible("#tour")
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.click("#tour-skip")):
        page.keyboard.press("t")
        assert page.inner_text("#tour-title").startswith("1 of")
        leave()
        assert not page.is_visible("#tour")
        assert page.locator(".toured").count() == 0


def test_the_second_fails_and_moving_one_coronary_makes_it_safe(page):
    to(page, "Three ways")
    until(page, "document.querySelector('#r-rehearse') && document.querySelector('#acts-known')")
    page.click("#tour-do")
    names = "[...document.querySelectorAll('.options .name')].map((e) => e.value).join(' | ')"
    said = "surgical valve | transcatheter valve | transcatheter valve, coronary stented"
    until(page, f"{names} === {said!r}")
    if AXE.is_file():
        assert_accessible(page, "#tour")
    low = rehearsed(page)
    row = next(line for line in low.splitlines() if line.startswith("coronary obstructed"))
    surgical, bare, stented = (float(cell.split()[0]) for cell in row.split("\t")[1:])
    assert bare > 80.0
    assert surgical == stented == 0.0
    assert "Against transcatheter valve: the left coronary leaves " in low
    assert "Hypothetical" not in page.text_content(".results")
    to(page, "Move one coronary")
    page.click("#tour-do")
    until(
        page,
        "/What if: left coronary/.test(document.querySelector('#tour-said').innerText)",
    )
    until(page, "!document.querySelector('.results .chances')")
    high = rehearsed(page)
    assert not any(line.startswith("coronary obstructed\t") for line in high.splitlines())
    assert "coronary obstructed" in next(
        x for x in high.splitlines() if x.startswith("Met by none")
    )
    assert "Against transcatheter" not in high
    assert "Hypothetical: left coronary height 14 mm" in page.text_content(".results")


def test_a_sensor_a_patient_and_the_truth(page):
    to(page, "Sensor?")
    page.click("#tour-do")
    said = "document.querySelector('#tour-said').innerText"
    until(page, f"/^Done to the sensor: lower the transducer/.test({said})")
    to(page, "Or patient?")
    page.click("#tour-do")
    until(page, f"/sensor: level the transducer. Done to the patient: bleed/.test({said})")
    to(page, "Unseal")
    page.click("#tour-do")
    until(page, "document.querySelectorAll('#truth tr').length === 20")
    assert "The text is the one that was sealed" in page.inner_text("#demo-said")
    assert "Left coronary height" in page.inner_text("#truth")
