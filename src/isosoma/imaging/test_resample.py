from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.resample import head_grid, resampled
from isosoma.imaging.segmentation import Segmentation, dice


def head(spacing, turn=0.3):
    """A bright ball of 80 mm radius at (10, -20, 30) mm on an oblique grid."""
    c, s = np.cos(turn), np.sin(turn)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * np.array(spacing) * 1e-3
    shape = tuple(int(200 / n) for n in spacing)
    affine[:3, 3] = np.array([0.01, -0.02, 0.03]) - affine[:3, :3] @ (np.array(shape) / 2)
    grid = Grid(shape, affine)
    at = grid.to_space(np.moveaxis(np.indices(shape), 0, -1))
    ball = np.linalg.norm(at - [0.01, -0.02, 0.03], axis=-1) < 0.08
    return grid, ball


@pytest.mark.parametrize("spacing", [(2, 2, 2), (2, 2, 5)])
def test_a_head_goes_to_the_fine_grid_and_back(spacing):
    grid, ball = head(spacing)
    image = ball.astype(np.float32) * 100
    fine = head_grid(image, grid)
    assert fine.spacing == pytest.approx([1e-3] * 3)
    assert np.sign(fine.affine[:3, :3]).tolist() == [[-1, 0, 0], [0, 0, 1], [0, -1, 0]]
    there = resampled(image, grid, fine) > 50
    assert there.sum() * fine.voxel == pytest.approx(ball.sum() * grid.voxel, rel=0.03)
    back = resampled(there.astype(np.float32), fine, grid) > 0.5
    assert dice(back, ball) > 0.97


def test_an_empty_image_has_no_head():
    grid, ball = head((5, 5, 5))
    with pytest.raises(RangeError, match="same everywhere"):
        head_grid(np.zeros(ball.shape, np.float32), grid)


def test_a_segmentation_knows_its_names():
    grid, ball = head((5, 5, 5))
    made = Segmentation(grid, ball.astype(np.uint8), ("", "ball"),
                        np.ones(ball.shape, np.float32), 1.0, (), "test")  # fmt: skip
    assert made.volume("ball") == pytest.approx(4 / 3 * np.pi * 0.08**3, rel=0.02)
    with pytest.raises(RangeError, match="Choose one of ball"):
        made.mask("cube")
