"""A dissected tube, a whole one, and one whose lumens are alike."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.lumens import Blood, blood_levels, lumens

_GRID = Grid((40, 40, 40), np.diag([1.5e-3, 1.5e-3, 1.5e-3, 1.0]))
_BLOOD = Blood(450.0, 50.0)


def _tube(false: float, flap: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, the tube's mask and its false part; the flap is 1.5 mm of tissue."""
    x, y, _ = np.meshgrid(*[np.arange(40)] * 3, indexing="ij")
    aorta = np.hypot(x - 20, y - 20) < 12
    part = aorta & (x > 22)
    values = np.where(aorta, 450.0, 50.0)
    values[part] = false
    if flap:
        values[aorta & (x == 22)] = 60.0
    return values + 20 * np.random.default_rng(1).standard_normal(values.shape), aorta, part


def test_a_dim_lumen_behind_a_flap_is_the_false_one() -> None:
    values, aorta, part = _tube(220.0)
    found = lumens(values, _GRID, aorta, _BLOOD)
    assert found.apart > 5
    assert 2 * (found.false & part).sum() / (found.false.sum() + part.sum()) > 0.93
    assert found.false_volume == pytest.approx(part.sum() * _GRID.voxel, rel=0.15)
    assert not (found.true & found.false).any()


def test_one_lumen_is_not_split() -> None:
    values, aorta, _ = _tube(450.0, flap=False)
    found = lumens(values, _GRID, aorta, _BLOOD)
    assert found.said.startswith("one lumen")
    assert found.true_volume == pytest.approx(aorta.sum() * _GRID.voxel)


def test_lumens_that_are_nearly_alike_are_called_ambiguous() -> None:
    values, aorta, _ = _tube(405.0, flap=False)
    found = lumens(values, _GRID, aorta, _BLOOD)
    assert "ambiguous" in found.said
    assert not found.false.any()


def test_levels_come_from_the_image_and_need_contrast() -> None:
    values, _, _ = _tube(450.0)
    found = blood_levels(values)
    assert found.lumen == pytest.approx(450, abs=10)
    assert found.tissue == pytest.approx(50, abs=10)
    with pytest.raises(RangeError, match="no contrast"):
        blood_levels(50 + 20 * np.random.default_rng(2).standard_normal((30, 30, 30)))
    with pytest.raises(RangeError, match="mask is empty"):
        lumens(values, _GRID, np.zeros(_GRID.shape, bool), _BLOOD)
