"""Masks of meshes against solids of known volume."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.study import Grid
from isosoma.imaging.meshing import from_mask
from isosoma.imaging.raster import filled, rasterised


def test_a_pixel_is_in_where_its_centre_is():
    square = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5]])
    mask = filled([square], (6, 5))
    assert np.argwhere(mask).tolist() == [[i, j] for i in (1, 2, 3) for j in (1, 2)]


def test_a_loop_within_a_loop_is_a_hole():
    outer = np.array([[0.5, 0.5], [8.5, 0.5], [8.5, 8.5], [0.5, 8.5]])
    mask = filled([outer, outer / 2 + 2], (10, 10))
    assert mask.sum() == 64 - 16
    assert not mask[4, 4]


def test_what_lies_outside_of_the_picture_is_cut_off():
    square = np.array([[-5.0, -5.0], [2.5, -5.0], [2.5, 20.0], [-5.0, 20.0]])
    assert filled([square], (4, 4)).sum(axis=1).tolist() == [4, 4, 4, 0]


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.4, 1.4, 4.0)])
def test_a_ball_keeps_its_volume_and_place(spacing):
    fine = Grid((60, 60, 60), np.diag([1e-3, 1e-3, 1e-3, 1.0]))
    at = np.linalg.norm(np.moveaxis(np.indices(fine.shape), 0, -1) - 29.5, axis=-1)
    ball = from_mask(at < 20, fine)
    affine = np.diag([*(1e-3 * np.array(spacing)), 1.0])
    affine[:3, 3] = 3e-4
    shape = tuple(int(60 / s) for s in spacing)
    grid = Grid(shape, affine)
    mask = rasterised(ball.points, ball.triangles, grid)
    assert mask.sum() * grid.voxel == pytest.approx(4 / 3 * np.pi * 8e-6, rel=0.03)
    middle = grid.to_space(np.argwhere(mask).mean(axis=0))
    assert middle == pytest.approx([29.5e-3] * 3, abs=5e-4)
