"""Sections and centrelines against shapes whose area, bend and angle are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import ellipe, expit

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.centreline import branch_angle, inscribed, path, refined, tree, wall_distance
from isosoma.imaging.section import axes_of, cut

_TILTED = axes_of([0.5, 0.3, 0.8])


def _grid(shape: tuple[int, int, int], spacing: float = 1e-3) -> Grid:
    """Return a grid turned against the axes, its middle at (10, -20, 30) mm."""
    affine = np.eye(4)
    affine[:3, :3] = axes_of([0.1, -0.2, 1.0]).T * spacing
    affine[:3, 3] = np.array([10, -20, 30]) * 1e-3 - affine[:3, :3] @ (np.array(shape) / 2)
    return Grid(shape, affine)


def _places(grid: Grid) -> np.ndarray:
    """Return voxel centres relative to the grid's middle, RAS [m]."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    return grid.to_space(index) - grid.to_space(np.array(grid.shape) / 2)


def _soft(inside: np.ndarray) -> np.ndarray:
    return gaussian_filter(inside.astype(np.float32), 0.8)


def _segment(p: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the distance of places from the segment between the middle and `end` [m]."""
    t = np.clip(p @ end / (end @ end), 0, 1)
    return np.linalg.norm(p - t[..., None] * end, axis=-1)


@pytest.mark.parametrize("spacing", [0.7e-3, 1.5e-3])
def test_a_tilted_elliptic_tube_gives_its_area_perimeter_and_calipers(spacing: float) -> None:
    n = int(0.06 / spacing)
    grid = _grid((n, n, n), spacing)
    u, v, _ = np.moveaxis(_places(grid) @ _TILTED.T, -1, 0)
    a, b = 13.5e-3, 11.0e-3
    values = _soft((u / a) ** 2 + (v / b) ** 2 < 1)
    section = cut(values, grid, grid.to_space(np.array(grid.shape) / 2), _TILTED[2], 0.5)
    assert section.area == pytest.approx(np.pi * a * b, rel=0.015)
    assert section.perimeter == pytest.approx(4 * a * ellipe(1 - (b / a) ** 2), rel=0.01)
    assert section.widest == pytest.approx(2 * a, abs=0.3e-3)
    assert section.across == pytest.approx(2 * b, abs=0.3e-3)


def test_a_plane_cuts_an_area_far_finer_than_voxels() -> None:
    """Radii a fifth of a voxel apart: counting voxels would not tell the areas from each other."""
    grid = _grid((40, 40, 40))
    u, v, _ = np.moveaxis(_places(grid) @ _TILTED.T, -1, 0)
    for radius in np.arange(6.0e-3, 7.0e-3, 0.2e-3):
        share = np.clip((radius - np.hypot(u, v)) / 1e-3 + 0.5, 0, 1)
        section = cut(share, grid, grid.to_space([20.2, 19.9, 20.3]), _TILTED[2], 0.5)
        assert section.area == pytest.approx(np.pi * radius**2, rel=0.01)


def test_a_tilted_plane_through_a_cylinder_cuts_an_ellipse() -> None:
    grid = _grid((60, 60, 60))
    u, v, _ = np.moveaxis(_places(grid) @ _TILTED.T, -1, 0)
    values = _soft(np.hypot(u, v) < 10e-3)
    normal = _TILTED.T @ [np.sin(0.7), 0, np.cos(0.7)]
    section = cut(values, grid, grid.to_space([30, 30, 30]), normal, 0.5)
    assert section.area == pytest.approx(np.pi * 1e-4 / np.cos(0.7), rel=0.02)


def test_a_torus_gives_its_bend_and_radius() -> None:
    grid = _grid((90, 90, 90))
    x, y, z = np.moveaxis(_places(grid) @ _TILTED.T, -1, 0)
    ring = (np.hypot(x, y) - 30e-3) ** 2 + z**2 < (8e-3) ** 2
    half = ring & (y > 0)
    middle = grid.to_space([45, 45, 45])
    seeds = [middle + s * 30e-3 * _TILTED[0] + 2e-3 * _TILTED[1] for s in (1, -1)]
    line = refined(path(wall_distance(half, grid), grid, seeds), _soft(half), grid)
    inner = slice(15, -15)
    assert np.median(line.curvature[inner]) == pytest.approx(1 / 30e-3, rel=0.05)
    assert np.nanmedian(line.radius[inner]) == pytest.approx(8e-3, abs=0.2e-3)
    assert line.length == pytest.approx(np.pi * 30e-3 - 4e-3, rel=0.05)


@pytest.mark.parametrize("angle", [0.6, 1.1])
def test_a_bifurcation_gives_its_branches_and_angle(angle: float) -> None:
    grid = _grid((90, 90, 90))
    p = _places(grid)
    up = _TILTED[2]
    ends = [-40e-3 * up, 38e-3 * (np.cos(angle) * up + np.sin(angle) * _TILTED[0]), 40e-3 * up]
    radii = (5e-3, 3.5e-3, 5e-3)
    near = [_segment(p, end) < r for end, r in zip(ends, radii, strict=True)]
    mask = np.logical_or.reduce(near)
    middle = grid.to_space([45, 45, 45])
    branches = tree(wall_distance(mask, grid), grid, middle + ends[0])
    assert len(branches) == 2
    assert branches[1].parent == 0
    assert branch_angle(branches, 1) == pytest.approx(angle, abs=np.radians(5))
    joint = branches[0].points[branches[1].joint]
    assert np.linalg.norm(joint - middle) < 12e-3


def test_what_has_no_lumen_or_no_way_is_refused() -> None:
    grid = _grid((30, 30, 30))
    two = np.zeros(grid.shape, bool)
    two[5:10, 5:10, 5:10] = two[20:25, 20:25, 20:25] = True
    seeds = grid.to_space([[7, 7, 7], [22, 22, 22]])
    with pytest.raises(RangeError, match="no way"):
        path(wall_distance(two, grid), grid, seeds)
    with pytest.raises(RangeError, match="outside the lumen"):
        path(wall_distance(two, grid), grid, seeds + 0.1)
    with pytest.raises(RangeError, match="empty"):
        path(wall_distance(np.zeros_like(two), grid), grid, seeds)
    with pytest.raises(RangeError, match="no closed lumen"):
        cut(two.astype(float), grid, grid.to_space([15, 15, 15]), [1, 0, 0], 0.5, 2e-3)


def test_inscribed_spheres_are_finer_than_voxels() -> None:
    grid = _grid((40, 40, 40), 1.5e-3)
    u, v, _ = np.moveaxis(_places(grid) @ _TILTED.T, -1, 0)
    values = expit((7.3e-3 - np.hypot(u, v)) / 0.5e-3)  # as a scanner blurs, not a mask of voxels
    middle = grid.to_space(np.array(grid.shape) / 2)
    line = path(
        wall_distance(values > 0.5, grid), grid, middle + np.outer([-0.02, 0.02], _TILTED[2])
    )
    ball = inscribed(line, values, grid, 0.5)
    assert np.abs(ball.radius[5:-5] - 7.3e-3).mean() < 0.2e-3
    off = (ball.points - middle) @ _TILTED[:2].T
    assert np.linalg.norm(off[5:-5], axis=1).max() < 0.5e-3
    with pytest.raises(RangeError, match="do not cross"):
        inscribed(line, values, grid, 3.0)
