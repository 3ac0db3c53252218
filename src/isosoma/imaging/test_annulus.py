"""Rings of known area, tilted and shifted against coarse voxels, as masks and as images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import ellipe

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.annulus import annulus, annulus_of_hinges, chances, nearest_plane
from isosoma.imaging.lumens import Blood

_N = 28
_GRID = Grid((_N, _N, _N), np.diag([1.5e-3, 1.5e-3, 1.5e-3, 1.0]))
_FINE = Grid((60, 60, 60), np.diag([0.7e-3, 0.7e-3, 0.7e-3, 1.0]))
_BLOOD = Blood(450.0, 60.0)


def _axes(rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((3, 3)))[0]


def _places(grid: Grid, axes: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return u, v, w [m] of every voxel, shape (3, i, j, k)."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    return np.moveaxis((grid.to_space(index) - middle) @ axes.T, -1, 0)


def _disk(rng: np.random.Generator, a: float, b: float, thick: float) -> np.ndarray:
    middle = _GRID.to_space(np.full(3, _N / 2) + rng.uniform(-0.5, 0.5, 3))
    u, v, w = _places(_GRID, _axes(rng), middle)
    return ((u / a) ** 2 + (v / b) ** 2 < 1) & (np.abs(w) < thick / 2)


@pytest.mark.parametrize("thick", [3.0e-3, 4.5e-3])
def test_tilted_ellipses_of_coarse_voxels_give_their_area_without_bias(thick: float) -> None:
    rng = np.random.default_rng(3)
    errors: list[float] = []
    for _ in range(14):
        a, b = rng.uniform(11e-3, 15e-3), rng.uniform(9e-3, 11e-3)
        found = annulus(_disk(rng, a, b, thick), _GRID, members=1)
        errors.append(found.section.area / (np.pi * a * b) - 1)
        assert found.problems == ()
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < 0.02


def test_a_landmark_of_one_layer_is_told_to_be_low() -> None:
    found = annulus(_disk(np.random.default_rng(1), 13e-3, 11e-3, 1.5e-3), _GRID, members=1)
    assert "voxels thick" in found.problems[0]


def _pipe(rng: np.random.Generator, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of an elliptic tube, fat on one side, and a landmark that is too small."""
    axes, middle = _axes(rng), _FINE.to_space(np.full(3, 30.0) + rng.uniform(-0.5, 0.5, 3))
    u, v, w = _places(_FINE, axes, middle)
    inside = (u / a) ** 2 + (v / b) ** 2 < 1
    image = gaussian_filter(np.where(inside, 450.0, np.where(u > 0, 60.0, -60.0)), 1.0)
    image += 15 * rng.standard_normal(image.shape)
    small = ((u / a) ** 2 + (v / b) ** 2 < 0.85**2) & (np.abs(w) < 1.6e-3)
    return image, small


def test_an_image_corrects_a_landmark_and_its_sigma_holds_the_truth() -> None:
    rng = np.random.default_rng(5)
    errors: list[float] = []
    for _ in range(4):
        a, b = rng.uniform(12e-3, 14e-3), rng.uniform(10e-3, 11.5e-3)
        image, small = _pipe(rng, a, b)
        found = annulus(small, _FINE, image, _BLOOD, members=30)
        assert found.by_image
        assert found.seen > 0.95
        errors.append(found.section.area / (np.pi * a * b) - 1)
        assert abs(found.section.area - np.pi * a * b) < 3 * found.area_sigma
        assert found.section.widest == pytest.approx(2 * a, abs=0.6e-3)
        around = 4 * a * ellipe(1 - (b / a) ** 2)
        assert found.section.perimeter == pytest.approx(around, rel=0.01)
        assert found.eccentricity == pytest.approx(1 - b / a, abs=0.04)
    assert abs(np.mean(errors)) < 0.02


def test_an_image_without_edges_leaves_the_landmark() -> None:
    landmark = _disk(np.random.default_rng(2), 13e-3, 11e-3, 4e-3)
    found = annulus(landmark, _GRID, np.full(_GRID.shape, 450.0), _BLOOD, members=4)
    assert not found.by_image
    assert "too little of the rim" in found.problems[0]


def test_hinge_points_alone_size_the_ring() -> None:
    rng = np.random.default_rng(8)
    u, v, _ = _places(_FINE, np.eye(3), _FINE.to_space(np.full(3, 29.5)))
    image = np.where(np.hypot(u, v) < 11e-3, 450.0, 40.0) + 10 * rng.standard_normal(u.shape)
    angle = np.deg2rad([0, 120, 240])
    rim = 10.5e-3 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    found = annulus_of_hinges(rim + _FINE.to_space([29.5] * 3), image, _FINE, _BLOOD, members=10)
    assert found.section.area == pytest.approx(np.pi * 11e-3**2, rel=0.02)
    assert found.section.perimeter_diameter == pytest.approx(22e-3, rel=0.01)
    with pytest.raises(RangeError, match="no plane"):
        nearest_plane(rim[:2])
    with pytest.raises(RangeError, match="on a line"):
        nearest_plane([[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    with pytest.raises(RangeError, match="edge on"):
        annulus_of_hinges(rim + 0.02, np.full(_FINE.shape, 50.0), _FINE, _BLOOD)


def test_bad_landmarks_end_in_a_sentence() -> None:
    with pytest.raises(RangeError, match="landmark is empty"):
        annulus(np.zeros(_GRID.shape, bool), _GRID)
    with pytest.raises(RangeError, match="its grid"):
        annulus(np.zeros((2, 2, 2), bool), _GRID)


def test_chances_of_sizes_are_shares_of_the_samples() -> None:
    areas = np.array([420e-6, 440e-6, 460e-6, 560e-6])
    sizes = {"23": (338e-6, 430e-6), "26": (430e-6, 546e-6), "29": (540e-6, 683e-6)}
    assert chances(areas, sizes) == {"23": 0.25, "26": 0.5, "29": 0.25}
