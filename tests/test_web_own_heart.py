"""The patient's own ventricles on the page, out of a real cine, beside another person's real ECG.

The folder is served as a person would: pictures, patient.toml, an ECG from elsewhere. One server,
and one building of the heart, for all tests here.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import (
    assert_accessible,
    needs_axe,
    needs_chromium,
    needs_page,
    new_page,
    served,
    until,
)

DATA = Path(__file__).parents[2] / "shared" / "data"
CINE = DATA / "imaging" / "cmr_bivme" / "dicoms_patient1.tar.xz"
ECG = DATA / "signals" / "mitdb" / "100.hea"
BUILT = 900.0
"""Longest that finding the heart and folding the twin may take beside other tests [s]."""

pytestmark = [
    needs_page,
    needs_chromium,
    pytest.mark.skipif(
        not (CINE.is_file() and ECG.is_file()), reason="no real cine or ECG is here"
    ),
]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder = tmp_path_factory.mktemp("ward") / "bed-2"
    (folder / "images").mkdir(parents=True)
    with tarfile.open(CINE) as packed:
        packed.extractall(folder / "images", filter="data")
    (folder / "patient.toml").write_text(
        'id = "ward-3-bed-2"\nsex = "m"\nage = "40 a"\nweight = "75 kg"\nheight = "177 cm"\n'
        '[[measured]]\nat = 2024-07-04T10:00:00Z\nsystolic_pressure = "126 mm[Hg]"\n'
        'diastolic_pressure = "79 mm[Hg]"\n',
        "utf-8",
    )
    with served("--patient", str(folder), "--record", str(ECG.with_suffix(""))) as (_, address):
        yield address


@pytest.fixture(scope="module")
def page(browser: Any, ward: str) -> Generator[Any]:
    made = new_page(browser)
    made.goto(ward)
    until(made, "document.body.dataset.twin === 'live'", BUILT)
    until(made, "document.querySelector('.heart-pictured') !== null", 120)
    yield made
    made.close()


def test_the_ventricles_are_said_to_be_from_images_and_the_rest_to_be_drawn(page):
    said = page.inner_text(".heart-pictured")
    assert "Ventricles from images of 2024-07-04" in said
    assert "the rest is drawn" in said
    assert "atria, vessels and valves are drawn" in page.get_attribute(".heart-pictured", "title")
    assert page.faults == []


def test_pictures_of_one_and_an_ecg_of_another_are_a_composite_on_every_view(page, ward):
    for view in ("bedside", "rehearse", "hood", "patient", "images"):
        page.goto(f"{ward}#{view}")
        until(page, f"document.body.dataset.view === '{view}'")
        until(page, "!document.querySelector('#composite').hidden")
        said = page.inner_text("#composite")
        assert "record 100" in said
        assert "another patient id" in said
    page.goto(f"{ward}#bedside")


def test_the_mesh_is_one_small_file_and_the_page_draws_it_in_few_calls(page):
    size = page.evaluate(
        "fetch('./heart.glb').then((a) => a.arrayBuffer()).then((b) => b.byteLength)"
    )
    assert 1e5 < size < 1e6


def test_the_heart_beats_and_its_cut_shows_something_else(page):
    page.goto(page.url.split("#")[0] + "#bedside")
    until(page, "document.querySelector('.heart-pictured') !== null", 300)

    def picture() -> bytes:
        return page.locator("#heart").screenshot()

    first = picture()
    for _ in range(20):
        page.wait_for_timeout(150)
        if picture() != first:
            break
    else:
        pytest.fail("the heart stands still")
    page.keyboard.press("x")
    page.wait_for_timeout(1500)
    assert page.get_attribute("#h-cut", "aria-pressed") == "true"
    assert page.faults == []


def test_the_futures_of_a_rehearsal_are_of_the_own_ventricles(page):
    asked = {
        "question": "Watch or fill?", "for": "1 min",
        "option": [{"name": "watch"}, {"name": "fluid", "do": ["fluid 250 mL in 30 s at 10 s"]}],
    }  # fmt: skip
    told = """async ([path, content]) => (await fetch(`./rehearsals${path}`, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify(content) })).text()"""
    id_ = json.loads(page.evaluate(told, ["", {"rehearsal": asked}]))["id"]
    assert "event: answer" in page.evaluate(told, [f"/{id_}/play", {"members": 16}])
    page.evaluate("(id) => sessionStorage.setItem('rehearsal', id)", id_)
    page.goto(page.url.split("#")[0] + "#rehearse")
    page.reload()
    said = "[...document.querySelectorAll('.future figcaption')].map((f) => f.textContent)"
    until(page, f"{said}.length === 2", 120)
    until(page, f"{said}.every((t) => t.includes('Ventricles from images of 2024-07-04'))", 120)
    assert page.faults == []
    page.goto(page.url.split("#")[0] + "#bedside")
    until(page, "document.querySelector('.heart-pictured') !== null", 300)


@needs_axe
def test_the_bedside_with_an_own_heart_is_accessible(page):
    assert_accessible(page)
