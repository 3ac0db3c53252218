from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.meshing import from_mask, largest, smoothed
from isosoma.imaging.surface import enclosed, euler, is_closed


def oblique(shape=(50, 60, 40), spacing=(1e-3, 0.8e-3, 1.5e-3)) -> Grid:
    turn, _ = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    affine[:3, 3] = [0.05, -0.1, 1.2]
    return Grid(shape, affine)


def distances(grid: Grid, centre) -> np.ndarray:
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    return grid.to_space(index) - centre


def ball(grid: Grid, radius: float) -> tuple[np.ndarray, np.ndarray]:
    centre = grid.to_space((np.array(grid.shape) - 1) / 2)
    return np.linalg.norm(distances(grid, centre), axis=-1) < radius, centre


def test_a_ball_on_an_oblique_grid_keeps_place_and_volume():
    grid = oblique()
    mask, centre = ball(grid, 0.018)
    raw = from_mask(mask, grid)
    smooth = smoothed(raw)
    truth = 4 / 3 * np.pi * 0.018**3
    for surface in (raw, smooth):
        assert is_closed(surface)
        assert euler(surface) == 2
        assert enclosed(surface).volume == pytest.approx(truth, rel=0.02)
        assert surface.points.mean(axis=0) == pytest.approx(centre, abs=2e-4)
    reach = [np.linalg.norm(s.points - centre, axis=1).std() for s in (raw, smooth)]
    assert reach[1] < 0.8 * reach[0]


def test_what_touches_the_edge_is_closed_and_crumbs_and_cavities_are_left_out():
    grid = Grid((20, 20, 20), np.diag([1e-3, 1e-3, -1e-3, 1]))
    mask = np.zeros(grid.shape, bool)
    mask[:12, :12, :12] = True
    mask[5, 5, 5] = False
    mask[16:18, 16:18, 16:18] = True
    surface = from_mask(mask, grid)
    assert is_closed(surface)
    assert euler(surface) == 2
    assert enclosed(surface).volume == pytest.approx(12**3 * 1e-9, rel=0.06)  # edges get round
    assert largest(mask).sum() == 12**3 - 1


def test_a_tunnel_of_noise_is_closed_and_a_true_one_stays():
    grid = Grid((40, 40, 20), np.diag([1e-3, 1e-3, 1e-3, 1]))
    around = np.hypot(*(np.indices(grid.shape)[:2] - 19.5))
    height = np.abs(np.indices(grid.shape)[2] - 9.5)
    ring = (around > 6) & (around < 14) & (height < 5)
    assert euler(from_mask(ring, grid)) == 0
    plate = (around < 14) & (height < 3)
    plate[19:21, 19:21] = False
    assert euler(from_mask(plate, grid)) == 2


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.zeros((9, 9, 9), bool), "empty"),
        (np.ones((9, 9, 8), bool), r"its grid \(9, 9, 9\)"),
        (np.indices((9, 9, 9)).sum(axis=0) < 2, "4 voxels"),
    ],
)
def test_what_has_no_surface_is_refused(mask, says):
    with pytest.raises(RangeError, match=says):
        from_mask(mask, Grid((9, 9, 9), np.diag([1e-3, 1e-3, 1e-3, 1])))
