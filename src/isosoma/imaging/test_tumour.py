from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.segmentation import dice
from isosoma.imaging.tumour import crossing, segment_tumour

GRID = Grid((60, 60, 60), np.diag([1e-3, 1e-3, 1e-3, 1]))
CENTRE = np.array([30, 30, 30])


def phantom(seed=1, enhancement=150.0, gap=0.0):
    """A round brain with a tumour of known shells: necrosis 5, enhancing 9, oedema 14 mm.

    The rim is open over `gap` [voxel] about its first axis; what is there is oedema.
    """
    r = np.linalg.norm(np.moveaxis(np.indices(GRID.shape), 0, -1) - CENTRE, axis=-1)
    brain = r < 27
    truth = np.select([r < 5, r < 9, r < 14], [1, 3, 2], 0)
    x, y, z = np.moveaxis(np.moveaxis(np.indices(GRID.shape), 0, -1) - CENTRE, -1, 0)
    truth[(truth == 3) & (np.hypot(y, z) < gap / 2) & (x > 0)] = 2
    rng = np.random.default_rng(seed)

    def noisy(x):
        return np.where(brain, x + rng.normal(0, 8, GRID.shape), 0).astype(np.float32)

    t1 = noisy(np.choose(truth, [200, 150, 160, 160]))
    t1c = noisy(np.choose(truth, [200, 150, 165, 160 + enhancement]))
    flair = noisy(np.choose(truth, [100, 160, 150, 155]))
    return t1, t1c, flair, brain, truth


def test_shells_of_known_truth_come_back():
    t1, t1c, flair, brain, truth = phantom()
    made = segment_tumour(t1, t1c, flair, brain, GRID, GRID.to_space(CENTRE))
    for name, label in (("necrosis", 1), ("oedema", 2), ("enhancing", 3)):
        assert dice(made.segmentation.mask(name), truth == label) > 0.85, name
        low, high = made.spread[name]
        assert low <= made.segmentation.volume(name) * 1.05
        assert high >= made.segmentation.volume(name) * 0.95
    assert made.segmentation.quality == 1


def test_necrosis_in_a_rim_that_is_open_on_one_side_is_no_oedema():
    t1, t1c, flair, brain, truth = phantom(gap=6.0)
    made = segment_tumour(t1, t1c, flair, brain, GRID, GRID.to_space(CENTRE))
    assert made.segmentation.mask("necrosis")[truth == 1].mean() > 0.9
    assert dice(made.segmentation.mask("enhancing"), truth == 3) > 0.85


def test_two_populations_are_parted_where_their_densities_cross_however_few_the_second():
    rng = np.random.default_rng(3)
    for second in (4000, 400):
        values = np.concatenate([rng.normal(0.1, 0.05, 8000), rng.normal(0.5, 0.1, second)])
        at = np.linspace(0.1, 0.5, 4001)
        low = 8000 / 0.05 * np.exp(-0.5 * ((at - 0.1) / 0.05) ** 2)
        high = second / 0.1 * np.exp(-0.5 * ((at - 0.5) / 0.1) ** 2)
        assert crossing(values) == pytest.approx(at[np.argmax(high >= low)], abs=0.01)


def test_a_tumour_that_does_not_enhance_says_so():
    t1, t1c, flair, brain, _ = phantom(enhancement=5)
    made = segment_tumour(t1, t1c, flair, brain, GRID, GRID.to_space(CENTRE))
    assert made.segmentation.quality < 1
    assert made.segmentation.problems


def test_a_click_beside_the_tumour_is_refused():
    t1, t1c, flair, brain, _ = phantom()
    with pytest.raises(RangeError, match="FLAIR at the click"):
        segment_tumour(t1, t1c, flair, brain, GRID, GRID.to_space([30, 30, 52]))
    with pytest.raises(RangeError, match="outside the brain"):
        segment_tumour(t1, t1c, flair, brain, GRID, [0, 0, 0])
