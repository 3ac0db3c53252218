"""The annulus and the lumens of a real dissected aorta against its published report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isosoma.core.study import Grid
from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.annulus import annulus, chances
from isosoma.imaging.lumens import blood_levels, lumens
from isosoma.imaging.segmentation import dice

Case = tuple[np.ndarray, Grid, Path]


@pytest.fixture
def case(shared_data: Path) -> Case:
    models = shared_data / "imaging/cta_totalseg/aorta_report/test_result/models"
    picture = read_nifti(models / "ct_cropped.nii.gz")
    return picture.values[..., 0], picture.grid, models


def _mask(models: Path, name: str) -> np.ndarray:
    return read_nifti(models / f"{name}.nii.gz").values[..., 0] > 0


def test_the_annulus_lies_within_eight_percent_of_its_report(case: Case) -> None:
    image, grid, models = case
    landmark = _mask(models, "annulus_proper")
    found = annulus(landmark, grid, image, blood_levels(image), members=60)
    assert found.by_image
    assert found.section.area == pytest.approx(490e-6, rel=0.08)
    assert found.section.widest == pytest.approx(27e-3, abs=2e-3)
    assert found.section.across == pytest.approx(23e-3, abs=2e-3)
    sizes = {"23": (338e-6, 430e-6), "26": (430e-6, 546e-6), "29": (540e-6, 683e-6)}
    found_chances = chances(found.areas, sizes)
    assert max(found_chances, key=lambda k: found_chances[k]) == "26"


def test_the_lumens_of_a_dissection_are_told_apart(case: Case) -> None:
    image, grid, models = case
    true, false = _mask(models, "aorta_true_lumen"), _mask(models, "aorta_false_lumen")
    found = lumens(image, grid, true | false, blood_levels(image))
    assert found.said.startswith("two lumens")
    assert dice(found.true, true) > 0.92
    assert dice(found.false, false) > 0.92
