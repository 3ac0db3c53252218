"""The patient's pictures in a real browser: contours at their phase, one cursor in all, keys."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.study import Grid, Volume
from isosoma.serve.app import Settings
from isosoma.serve.pictures import Pictures
from isosoma.serve.synthetic import simulate
from isosoma.serve.test_pictures import PHASES, heart
from tests.browser import (
    assert_accessible,
    hosted,
    needs_axe,
    needs_chromium,
    needs_page,
    new_page,
    until,
)

pytestmark = [needs_chromium, needs_page]

AXIAL = np.diag([1e-3, 1e-3, 6e-3, 1])
UPRIGHT = np.array([[1e-3, 0, 0, 0], [0, 0, 1e-3, 0.029], [0, -1e-3, 0, 0.058], [0, 0, 0, 1]])
WIDTH = """() => {
  const canvas = document.querySelector('.images .large canvas'), pen = canvas?.getContext('2d');
  if (!pen || !canvas.width) return 0;
  const { width, height } = canvas, row = pen.getImageData(0, height >> 1, width, 1).data;
  const red = [];
  for (let x = 0; x < width; x++) {
    if (row[4 * x] > 200 && row[4 * x + 1] < 160 && row[4 * x + 2] < 160) red.push(x);
  }
  return red.length ? red[red.length - 1] - red[0] : 0;
}"""
GREY = """() => {
  const canvas = document.querySelector('.images .large canvas'), pen = canvas.getContext('2d');
  const { data } = pen.getImageData((canvas.width >> 1) - 20, (canvas.height >> 1) + 20, 40, 40);
  return data.filter((_, n) => n % 4 === 0).reduce((a, b) => a + b, 0) / (data.length / 4);
}"""
SAID = "(n) => document.querySelectorAll('.images figcaption')[n].textContent"
VALUE = "(name) => [...document.querySelectorAll('.images .tools label')]\
.find((l) => l.textContent.startsWith(name)).querySelector('output').textContent"


def volumes() -> tuple[Volume, ...]:
    rng = np.random.default_rng(5)
    flat = rng.uniform(90, 110, (60, 60, 10, 4)).astype(np.float32)
    short = Volume(
        Grid((60, 60, 10), AXIAL), flat, "1", "MR", PHASES, np.full(10, 0.8), "short axis"
    )
    one = Volume(
        Grid((60, 60, 1), UPRIGHT), flat[:, :, :1], "1", "MR", PHASES, np.full(1, 0.8), "long axis"
    )
    return short, one


@pytest.fixture
def page(browser):
    shown = Pictures(volumes(), heart())
    with hosted(Settings(simulate(60.0), pictures=shown)) as address:
        made = new_page(
            browser, reduced_motion="reduce"
        )  # pictures stand still until they are played
        made.goto(f"{address}#images")
        until(made, f"({WIDTH})() > 0", 30.0)
        yield made
        assert made.faults == []
        assert made.complaints == []
        made.close()


def test_the_contour_shrinks_with_the_heart_from_phase_to_phase(page):
    canvas = page.locator(".images .large canvas")
    page.evaluate("(f) => document.querySelector('.images .large canvas').focus()")
    assert page.evaluate(VALUE, "Phase") == "0 % of the beat"
    wide = page.evaluate(WIDTH)
    canvas.press("ArrowRight")
    canvas.press("ArrowRight")
    assert page.evaluate(VALUE, "Phase") == "50 % of the beat"
    # Slice 6 lies 1 mm off the middle: radii 25 and 15 mm, less the line's own width.
    assert page.evaluate(WIDTH) / wide == pytest.approx(15 / 25, abs=0.03)
    canvas.press("ArrowLeft")
    assert page.evaluate(VALUE, "Phase") == "25 % of the beat"


def test_slices_are_turned_by_keys_and_wheel_and_stop_at_the_last(page):
    canvas = page.locator(".images .large canvas")
    assert page.evaluate(SAID, 0) == "short axis, slice 6 of 10"
    canvas.press("ArrowDown")
    until(page, f"({SAID})(0) === 'short axis, slice 7 of 10'")
    for _ in range(6):
        canvas.press("ArrowDown")
    until(page, f"({SAID})(0) === 'short axis, slice 10 of 10'")
    canvas.hover()
    page.mouse.wheel(0, -100)
    until(page, f"({SAID})(0) === 'short axis, slice 9 of 10'")


def test_a_place_marked_in_one_picture_turns_the_other_to_its_slice(page):
    box = page.locator(".images .beside canvas").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # The outer wall is 66 mm wide and the picture 1.7 times that: a fifth of it down is 22 mm.
    page.mouse.click(middle[0], middle[1] + 0.2 * min(box["width"], box["height"]))
    until(page, f"({SAID})(0) === 'short axis, slice 2 of 10'", 20.0)


def test_the_window_makes_the_same_pixel_lighter_or_darker(page):
    def move(name: str, key: str) -> None:
        slider = page.get_by_role("slider", name=name)
        for _ in range(60):
            slider.press(key)

    grey = page.evaluate(GREY)
    move("Level", "ArrowLeft")
    lighter = page.evaluate(GREY)
    page.get_by_role("button", name="Usual window").click()
    assert page.evaluate(GREY) == pytest.approx(grey, abs=1)
    move("Level", "ArrowRight")
    assert page.evaluate(GREY) + 5 < grey < lighter - 5


def test_figures_stand_with_interval_doubt_and_what_made_them(page):
    said = page.locator(".images .figures").inner_text()
    assert "± 15 mL" in said
    assert "A doubt" in said
    assert "Research only" in said


@needs_axe
@pytest.mark.parametrize("size", [(1280, 720), (800, 600)])
def test_pictures_are_accessible_and_nothing_runs_over_the_edge(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_pictures_there_is_no_way_to_them_and_their_room_says_why(browser):
    with hosted(Settings(simulate(60.0))) as address:
        made = new_page(browser)
        made.goto(address)
        link = made.locator('nav a[href="#images"]')
        assert link.is_hidden()
        made.keyboard.press("5")
        until(made, "document.querySelector('#view-images').textContent.includes('no pictures')")
        made.close()
