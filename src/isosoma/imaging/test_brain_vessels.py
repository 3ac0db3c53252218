from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.brain_vessels import brain_vessels
from isosoma.imaging.segmentation import dice

GRID = Grid((50, 50, 50), np.diag([1e-3, 1e-3, 1e-3, 1]))


def test_a_curved_tube_of_known_place_is_found():
    x, y, z = np.indices(GRID.shape)
    tube = np.hypot(y - 25 - 6 * np.sin(x / 9), z - 25) < 1.8
    image = np.where(tube, 200, 100) + np.random.default_rng(8).normal(0, 6, GRID.shape)
    brain = np.zeros(GRID.shape, bool)
    brain[4:46, 4:46, 4:46] = True
    made = brain_vessels(image.astype(np.float32), GRID, brain)
    seen = np.zeros(GRID.shape, bool)
    seen[10:40, 10:40, 10:40] = True
    assert dice(made.mask("vessel") & seen, tube & seen) > 0.7
    assert made.probability[tube & seen].mean() > 5 * made.probability[~tube & seen].mean()


def test_a_mask_of_nothing_is_refused():
    with pytest.raises(RangeError, match="no inside"):
        brain_vessels(np.zeros(GRID.shape, np.float32), GRID, np.zeros(GRID.shape, bool))
