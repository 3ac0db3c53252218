"""A walking stick that opens into a chamber and touches a bright vein, followed from a click."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.aorta_find import (
    auto_seed,
    chain_of_discs,
    find_aorta,
    find_lumen,
    levels_around,
    round_discs,
)
from isosoma.imaging.lumens import Blood

_GRID = Grid((64, 40, 80), np.diag([1.5e-3, 1.5e-3, 1.5e-3, 1.0]))
_BLOOD = Blood(450.0, 50.0)
_R, _ARCH = 10e-3, 26e-3  # [m] of the lumen and of the arch
_MIDDLE = np.array([48e-3, 30e-3, 80e-3])  # of the arch's half circle


def _scene() -> tuple[np.ndarray, np.ndarray]:
    """Return an image, and the stick alone: a chamber below its left limb, a vein beside it."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in _GRID.shape], indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(_GRID.to_space(index) - _MIDDLE, -1, 0)
    over = np.hypot(np.hypot(x, z) - _ARCH, y)
    apart = np.where(z > 0, over, np.minimum(np.hypot(x + _ARCH, y), np.hypot(x - _ARCH, y)))
    chamber = np.sqrt((x + _ARCH) ** 2 + y**2 + (z + 60e-3) ** 2) < 22e-3
    stick = (apart < _R) & ((x > 0) | (z > -42e-3))
    vein = np.hypot(x + _ARCH, y - 16e-3) < 6e-3
    image = np.where(stick | chamber, 450.0, np.where(vein, 1400.0, 50.0))
    noise = 15 * np.random.default_rng(1).standard_normal(image.shape)
    return gaussian_filter(image, 0.6) + noise, stick


def test_a_click_is_followed_over_the_arch_and_not_into_the_chamber() -> None:
    image, stick = _scene()
    click = _MIDDLE + np.array([-_ARCH + 2e-3, 1e-3, -10e-3])
    found, track = find_aorta(image, _GRID, click, _BLOOD)
    mask = found.mask("aorta")
    assert (mask & stick).sum() / mask.sum() > 0.93
    assert (mask & stick).sum() / stick.sum() > 0.85
    # The half circle, and the limbs down to the chamber and to the image's end.
    assert track.length == pytest.approx(np.pi * _ARCH + 40e-3 + 75e-3, abs=14e-3)
    diameters = [s.diameter for s in track.sections]
    assert np.median(diameters) == pytest.approx(2 * _R, abs=0.5e-3)
    assert "the image ends" in track.ended
    assert len(found.problems) == 1
    assert "opens" in found.problems[0]


def test_the_seed_finds_itself_one_slice_at_a_time() -> None:
    image, stick = _scene()
    seed = auto_seed(image, _GRID, _BLOOD.half)
    assert stick[tuple(np.rint(_GRID.to_index(seed)).astype(int))]
    found, _ = find_aorta(image, _GRID, None, _BLOOD)
    assert found.quality > 0.9
    with pytest.raises(RangeError, match="three slices"):
        chain_of_discs(round_discs(iter(np.zeros((5, 9, 9))), 1.0, (1e-3, 1e-3)), (1e-3, 1e-3))
    turned = Grid(_GRID.shape, _GRID.affine[[0, 2, 1, 3]])
    with pytest.raises(RangeError, match="not axial"):
        auto_seed(image, turned, _BLOOD.half)


def test_a_tree_takes_all_that_hangs_together_and_tells_its_levels() -> None:
    image, stick = _scene()
    click = _MIDDLE + np.array([_ARCH, 0, -30e-3])
    levels = levels_around(image, _GRID, click)
    assert levels.lumen == pytest.approx(450, abs=25)
    assert levels.tissue == pytest.approx(50, abs=25)
    found = find_lumen(image, _GRID, click, levels)
    assert (found.mask("aorta") & stick).sum() / stick.sum() > 0.98
    assert found.volume("aorta") > 1.5 * stick.sum() * _GRID.voxel  # the chamber, too


def test_clicks_beside_the_vessel_end_in_a_sentence() -> None:
    image, _ = _scene()
    with pytest.raises(RangeError, match="no brighter"):
        levels_around(image, _GRID, _MIDDLE + np.array([0, -25e-3, -40e-3]))
    with pytest.raises(RangeError, match="outside the image"):
        levels_around(image, _GRID, [9.0, 0, 0])
    with pytest.raises(RangeError, match="outside of what is bright"):
        find_lumen(image, _GRID, _MIDDLE + np.array([0, -25e-3, -40e-3]), _BLOOD)
