from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.thickness import wall_thickness


def straight(shape, h) -> Grid:
    return Grid(shape, np.diag([*np.broadcast_to(h, 3), 1.0]))


def centred(grid: Grid) -> np.ndarray:
    """Coordinates [m] from the grid's middle, shape (3, i, j, k)."""
    spacing = grid.spacing.reshape(3, 1, 1, 1)
    return (np.indices(grid.shape) - (np.array(grid.shape).reshape(3, 1, 1, 1) - 1) / 2) * spacing


def errors(thickness: np.ndarray, truth: float, h: float) -> tuple[float, float]:
    """Mean and greatest error in voxels."""
    error = (thickness[np.isfinite(thickness)] - truth) / h
    return float(error.mean()), float(np.abs(error).max())


@pytest.mark.parametrize("h", [1e-3, 0.5e-3])
def test_a_ring(h):
    side = int(0.064 / h)
    grid = straight((side, side, 3), h)
    radius = np.hypot(*centred(grid)[:2])
    found = wall_thickness((radius >= 0.02) & (radius < 0.03), radius < 0.02, grid)
    bias, most = errors(found, 0.01, h)
    assert abs(bias) < 0.1
    assert most < 0.6


def test_a_shell():
    grid = straight((66, 66, 66), 1e-3)
    radius = np.linalg.norm(centred(grid), axis=0)
    found = wall_thickness((radius >= 0.02) & (radius < 0.03), radius < 0.02, grid)
    bias, most = errors(found, 0.01, 1e-3)
    assert abs(bias) < 0.05
    assert most < 0.6


def test_a_tilted_slab_of_long_voxels():
    grid = straight((60, 60, 24), [1e-3, 1e-3, 2e-3])
    normal = np.array([2.0, 1.0, 1.0]) / np.sqrt(6)
    depth = np.tensordot(normal, centred(grid), 1)
    found = wall_thickness(np.abs(depth) < 4e-3, depth <= -4e-3, grid)
    middle = found[15:-15, 15:-15, 8:-8]  # a tilted wall does not go on straight over the edge
    bias, most = errors(middle, 8e-3, 1e-3)
    assert abs(bias) < 0.2
    assert most < 0.6


def test_a_wall_of_one_voxel_and_a_piece_with_one_side():
    grid = straight((7, 3, 3), 1e-3)
    wall, inside = np.zeros((2, *grid.shape), bool)
    wall[3], inside[:3] = True, True
    found = wall_thickness(wall, inside, grid)
    assert found[3] == pytest.approx(np.full((3, 3), 1e-3))
    assert np.isnan(found[~wall]).all()
    assert np.isnan(wall_thickness(wall, ~wall, grid)).all()
    assert np.isnan(wall_thickness(~inside & inside, inside, grid)).all()


def test_what_is_no_wall_is_refused():
    grid = straight((4, 4, 4), 1e-3)
    full = np.ones(grid.shape, bool)
    with pytest.raises(RangeError, match="wall and inside at once"):
        wall_thickness(full, full, grid)
    with pytest.raises(RangeError, match=r"the grid \(4, 4, 4\)"):
        wall_thickness(full[1:], full[1:], grid)
    skew = grid.affine.copy()
    skew[0, 1] = 1e-4
    with pytest.raises(RangeError, match="perpendicular"):
        wall_thickness(full, ~full, Grid(grid.shape, skew))
