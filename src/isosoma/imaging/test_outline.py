"""Planes cut spheres in circles of known size, boxes in squares, two bodies in two loops."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.study import Grid
from isosoma.imaging.meshing import from_mask
from isosoma.imaging.outline import outlines, plane_loops


def length_and_area(loop):
    after = np.roll(loop, -1, axis=0)
    length = np.linalg.norm(after - loop, axis=1).sum()
    return length, 0.5 * abs(np.sum(loop[:, 0] * after[:, 1] - loop[:, 1] * after[:, 0]))


BOX = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], float)
SIDES = np.array([
    [0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4],
    [2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5],
])  # fmt: skip


@pytest.mark.parametrize("level", [0.25, 0.5, 1.0])
def test_a_box_is_cut_in_its_square_also_through_its_corners(level):
    (loop,) = plane_loops(BOX, SIDES, level)
    assert length_and_area(loop) == (pytest.approx(4), pytest.approx(1))
    assert np.allclose(loop[:, 2], level)


def test_beside_a_box_nothing_is_cut():
    assert plane_loops(BOX, SIDES, -0.1) == []
    assert plane_loops(BOX, SIDES, 1.1) == []


def test_two_bodies_are_two_loops():
    both = np.concatenate([BOX, BOX + np.array([3, 0, 0])])
    loops = plane_loops(both, np.concatenate([SIDES, SIDES + 8]), 0.4)
    assert sorted(round(float(loop[:, 0].min()), 6) for loop in loops) == [0, 3]


def test_a_sphere_in_a_turned_grid_has_the_circle_of_its_height():
    grid = Grid((40, 40, 40), np.diag([2e-3, 2e-3, 2e-3, 1]))
    at = np.moveaxis(np.indices(grid.shape), 0, -1) - 19.5
    ball = from_mask(np.linalg.norm(at, axis=-1) < 15, grid)
    turn = np.array([[0, -1, 0], [0.6, 0, -0.8], [0.8, 0, 0.6]], float).T
    affine = np.eye(4)
    affine[:3, :3] = turn * [1e-3, 1e-3, 5e-3]
    affine[:3, 3] = grid.to_space([19.5] * 3) - affine[:3, :3] @ [40, 40, 2]
    (loop,) = outlines(ball.points, ball.triangles, Grid((80, 80, 5), affine), 3)
    _, area = length_and_area(loop)  # [mm2]: 5 mm off the middle of a ball of 30 mm
    assert area == pytest.approx(np.pi * (30**2 - 5**2), rel=0.03)
    middle = (loop.min(axis=0) + loop.max(axis=0)) / 2
    assert np.allclose(middle, [40, 40], atol=0.6)
