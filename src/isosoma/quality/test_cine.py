"""Each verdict on a cine begins where its limit says, and names what it saw."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.quality.cine import beats, gaps, proportion, reach, wall_volume


def test_slices_of_ten_millimetres_are_as_they_should_be_and_wider_ones_are_told_and_widen():
    assert gaps(0.010) is None
    told, said = gaps(0.0177), gaps(0.027)
    assert told is not None
    assert said is not None
    assert "17.7 mm apart" in told.reason
    assert told.sigma_factor == 1.0, "the method's own interval is of such stacks"
    assert said.sigma_factor == pytest.approx(1.5)
    assert not said.withheld


@pytest.mark.parametrize(
    ("share", "doubt", "lost"), [(0.05, False, False), (0.2, True, False), (0.7, True, True)]
)
def test_what_lies_beyond_the_slices(share, doubt, lost):
    said = reach(share)
    assert (said is not None) == doubt
    assert said is None or said.withheld == lost


def test_unlike_beats_are_told_with_both_lengths():
    assert beats(np.array([0.776, 0.863])) is None
    assert beats(np.array([0.8])) is None
    said = beats(np.array([0.6, 0.8, 1.0]))
    assert said is not None
    assert "600 to 1000 ms" in said.reason
    assert said.sigma_factor == pytest.approx(2.5)


def test_muscle_does_not_come_and_go():
    assert wall_volume(np.array([100.0, 105.0, 98.0])) is None
    said = wall_volume(np.array([100.0, 120.0]))
    assert said is not None
    assert said.value == pytest.approx(20 / 110)


@pytest.mark.parametrize(
    ("left", "right", "which"), [(143e-6, 37e-6, "right"), (20e-6, 150e-6, "left")]
)
def test_a_ventricle_out_of_proportion_is_withheld_with_a_differential(left, right, which):
    assert proportion(150e-6, 170e-6) is None
    said = proportion(left, right)
    assert said is not None
    assert said.withheld
    assert said.reason.startswith(f"the {which} ventricle")
    assert any("hypoplastic" in d for d in said.differential)
