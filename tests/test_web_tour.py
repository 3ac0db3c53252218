"""The tour in a real browser: one story, held back by nothing, and left at any time."""

from __future__ import annotations

import pytest

from isosoma.serve.app import Settings
from isosoma.serve.demo import demo, keeper_of
from tests.browser import (
    AXE,
    assert_accessible,
    hosted,
    needs_chromium,
    needs_page,
    new_page,
    until,
    until_alive,
)

PLAY = 600.0  # [s] for 128 members, three options and six minutes, beside other work
STOPS = 11
SPEED = 3  # times: who bleeds for minutes need not hold up a test

pytestmark = [needs_chromium, needs_page]


@pytest.fixture(scope="module")
def address():
    made = demo(1)  # the same hidden patient each time: what is told of chances is held exactly
    told = Settings(made.recording, speed=SPEED, keeper=keeper_of(made), demo=made)
    with hosted(told) as at:
        yield at


@pytest.fixture
def page(browser, address):
    made = new_page(browser)
    made.set_default_timeout(1000.0 * PLAY)  # beside other work a click may wait for a picture
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


def does(page, said):
    """Do what the stop offers, and wait until the tour says how it ended."""
    page.click("#tour-do")
    until(page, f"/{said}/.test(document.querySelector('#tour-said').innerText)", PLAY)


def answer(page):
    """Return the chances, and the rest of the answer, as text."""
    assert page.inner_text(".fault") == ""
    return page.inner_text(".results")


def seen(page, selector):
    """Whether an element's head stands in the window, where nobody has to look for it."""
    return page.evaluate(
        "(s) => { const at = document.querySelector(s).getBoundingClientRect().top;"
        " return at >= 0 && at < innerHeight / 2; }", selector
    )  # fmt: skip


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


@pytest.mark.parametrize("stop", ["What the sensors say", "Measured, and worked out", "come"])
def test_the_tour_never_covers_what_it_tells_of(page, stop):
    to(page, stop)
    apart = """() => {
      const of = (s) => document.querySelector(s).getBoundingClientRect();
      const [a, b] = [of('#tour'), of('.toured')];
      return a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top; }"""
    assert page.evaluate(apart)


def test_the_second_fails_and_moving_one_coronary_makes_it_safe(page):
    to(page, "Three ways")
    does(page, "Which one fails")
    names = "[...document.querySelectorAll('.options .name')].map((e) => e.value).join(' | ')"
    said = "surgical valve | transcatheter valve | transcatheter valve, coronary stented"
    until(page, f"{names} === {said!r}")
    if AXE.is_file():
        assert_accessible(page, "#tour")
    to(page, "One of them fails here")
    does(page, "Chance of .coronary obstructed")
    low = answer(page)
    row = next(line for line in low.splitlines() if line.startswith("coronary obstructed"))
    surgical, bare, stented = (float(cell.split()[0]) for cell in row.split("\t")[1:])
    assert bare > 80.0
    assert surgical == stented == 0.0
    assert f"; transcatheter valve {row.split(chr(9))[2].split()[0]} %" in page.inner_text(
        "#tour-said"
    )
    assert seen(page, ".results .chances")
    assert "Against transcatheter valve: the left coronary leaves " in low
    assert "Hypothetical" not in page.text_content(".results")
    to(page, "Move one coronary")
    does(page, "is met by none")
    high = answer(page)
    assert not any(line.startswith("coronary obstructed\t") for line in high.splitlines())
    assert "coronary obstructed" in next(
        x for x in high.splitlines() if x.startswith("Met by none")
    )
    assert "Against transcatheter" not in high
    assert "Hypothetical: left coronary height 14 mm" in page.text_content(".results")


def test_a_sensor_a_patient_and_the_truth(page):
    to(page, "Sensor?")
    does(page, "^The page says .sensor.")
    assert "the transducer may lie" in page.inner_text("#findings .sensor")
    to(page, "Or patient?")
    does(page, "^The page says .patient.")
    assert page.locator("#findings .sensor").count() == 0, "a bleed is no transducer's"
    to(page, "Unseal")
    page.click("#tour-do")
    until(page, "document.querySelectorAll('#truth tr').length === 20")
    assert "The text is the one that was sealed" in page.inner_text("#demo-said")
    assert "Left coronary height" in page.inner_text("#truth")
    assert page.locator("#demo.toured").count() == 1
