from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.study import Grid, Volume
from isosoma.imaging.brain_tissue import _checks, brain_tissue

NAMES = ("Unknown", "Thalamus", "Caudate", "Putamen", "Pallidum")
GRID = Grid((40, 20, 20), np.diag([1e-3, 1e-3, 1e-3, 1]))


def labels(right=8):
    """Four nuclei as pairs of boxes; `right` is the length of the right ones."""
    made = np.zeros(GRID.shape, np.uint8)
    for n in range(1, 5):
        made[8:16, 4 * n : 4 * n + 3, 5:15] = n
        made[24 : 24 + right, 4 * n : 4 * n + 3, 5:15] = n
    return made


def test_a_balanced_brain_passes():
    assert _checks(labels(), NAMES, GRID) == (1.0, ())


def test_lost_nuclei_speak_of_turned_axes():
    made = labels()
    made[made == 1] = 0
    quality, problems = _checks(made, NAMES, GRID)
    assert quality == 0
    assert "no Thalamus" in problems[0]


def test_halves_of_different_size_are_told():
    quality, problems = _checks(labels(right=4), NAMES, GRID)
    assert quality == pytest.approx(0.5)
    assert len(problems) == 4


def test_what_is_no_head_gets_no_trust():
    grid = Grid((30, 30, 30), np.diag([2e-3, 2e-3, 2e-3, 1]))
    r = np.linalg.norm(np.moveaxis(np.indices(grid.shape), 0, -1) - 15, axis=-1)
    image = np.where(r < 11, 100, 0).astype(np.float32)[..., None]
    made = brain_tissue(Volume(grid, image, modality="MR"))
    assert made.labels.shape == grid.shape
    assert made.quality == 0
    assert made.made_by.startswith("brain_tissue 1, model18cls")
