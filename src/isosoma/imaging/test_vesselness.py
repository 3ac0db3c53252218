from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.vesselness import _eigenvalues, frangi


def scene(spacing):
    """A tube along x, a plate and a ball of radius or half thickness 1.5 mm, and their places."""
    grid = Grid((40, 60, 24), np.diag([*(np.array(spacing) * 1e-3), 1.0]))
    x, y, z = np.moveaxis(grid.to_space(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0) * 1e3
    middle = z.max() / 2
    y = y / y.max() * 60
    tube = np.hypot(y - 12, z - middle) < 1.5
    plate = np.abs(y - 30) < 1.5
    ball = np.sqrt((x - x.max() / 2) ** 2 + (y - 48) ** 2 + (z - middle) ** 2) < 1.5
    return grid, tube, plate, ball


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1, 1, 1.5)])
def test_tubes_stand_out_from_plates_and_balls(spacing):
    grid, tube, plate, ball = scene(spacing)
    noise = np.random.default_rng(5).normal(0, 3, grid.shape)
    image = np.where(tube | plate | ball, 100.0, 0.0) + noise
    found = frangi(image.astype(np.float32), grid)
    inner = np.zeros(grid.shape, bool)
    inner[8:-8, :, 8:-8] = True
    assert np.median(found[tube & inner]) > 3 * np.median(found[plate & inner])
    one = frangi(image.astype(np.float32), grid, scales=(1.2e-3,))
    centre = tuple(np.argwhere(ball).mean(axis=0).round().astype(int))
    assert one[centre] < 0.3  # RB = 1 in a ball's middle: exp(-2), were its voxels round
    assert np.quantile(found[~(tube | plate | ball) & inner], 0.9) < 0.2 * np.median(found[tube])


def test_dark_tubes_are_no_vessels():
    grid, tube, _, _ = scene((1, 1, 1))
    assert frangi(np.where(tube, -100, 0).astype(np.float32), grid)[tube].max() < 0.05


def test_eigenvalues_are_those_of_the_matrix():
    for seed in range(20):
        m = np.random.default_rng(seed).normal(size=(3, 3))
        m = m + m.T
        found = _eigenvalues(np.array([m[0, 0], m[1, 1], m[2, 2], m[0, 1], m[0, 2], m[1, 2]]))
        assert np.sort(found) == pytest.approx(np.linalg.eigvalsh(m), abs=1e-9)
    assert _eigenvalues(np.array([2.0, 2, 2, 0, 0, 0])) == (2, 2, 2)


def test_a_grid_too_coarse_for_every_scale_is_refused():
    grid = Grid((4, 4, 4), np.diag([0.01, 0.01, 0.01, 1]))
    with pytest.raises(RangeError, match="hold no tube"):
        frangi(np.zeros((4, 4, 4), np.float32), grid)
