from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from isosoma.core.study import Grid
from isosoma.imaging.register import rigid
from isosoma.imaging.resample import resampled


def test_a_known_turn_and_shift_come_back_over_another_contrast():
    rng = np.random.default_rng(2)
    grid = Grid((48, 48, 48), np.diag([3e-3, 3e-3, 3e-3, 1]))
    image = gaussian_filter(rng.normal(size=grid.shape), 3)
    image = ((image - image.min()) / np.ptp(image)).astype(np.float32)
    true = np.eye(4)
    true[:3, :3] = Rotation.from_rotvec([0.1, -0.07, 0.12]).as_matrix()
    true[:3, 3] = [0.004, -0.006, 0.003]
    other = Grid(grid.shape, true @ grid.affine)  # the same voxels, elsewhere
    moving = resampled((1 - image) ** 2, other, grid)
    mask = np.zeros(grid.shape, bool)
    mask[10:38, 10:38, 10:38] = True
    corners = grid.to_space(np.argwhere(mask)[[0, -1]])
    start = grid.to_space(np.argwhere(mask)).mean(axis=0)
    found = rigid(image, grid, moving, grid, mask, start)
    miss = corners @ (found - true)[:3, :3].T + (found - true)[:3, 3]
    assert np.linalg.norm(miss, axis=1) == pytest.approx(0, abs=1e-3)
