"""The cumulative sum: silent while corrections are white, loud when they keep one sign."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.infer.drift import Drift, accumulate, drifting, halved, quiet

STEP = st.floats(-5.0, 5.0)


def moved(*steps):
    """Corrections of so many standard deviations, each with half of the variance lost."""
    return np.array([(s * np.sqrt(0.5), 1.0, 0.5) for s in steps])


def test_corrections_of_one_sign_add_up_and_the_time_since_their_onset():
    how, state = Drift(slack=0.5, limit=3.5), quiet(2)
    for _ in range(3):
        state = accumulate(state, moved(2.0, -0.4), 60.0, how)
    np.testing.assert_allclose(state[0], [4.5, 0.0, 180.0, 0.0])
    np.testing.assert_allclose(state[1], 0.0)
    assert drifting(state, how) == ((0, 180.0),)


def test_downward_counts_alike_and_its_onset_is_its_own():
    how, state = Drift(), accumulate(quiet(1), moved(1.0), 60.0, Drift())
    for _ in range(3):
        state = accumulate(state, moved(-2.0), 30.0, how)
    assert drifting(state, how) == ((0, 90.0),)
    assert state[0, 0] == 0.0


def test_what_an_analysis_did_not_touch_says_nothing():
    state = accumulate(quiet(1), moved(2.0), 60.0, Drift())
    untouched = np.array([[9.0, 1.0, 1.0]])
    np.testing.assert_array_equal(accumulate(state, untouched, 60.0, Drift()), state)


@given(st.lists(STEP, min_size=1, max_size=20))
def test_sums_never_go_below_zero_and_follow_page(steps):
    how, state, up, down = Drift(), quiet(1), 0.0, 0.0
    for s in steps:
        state = accumulate(state, moved(s), 1.0, how)
        up, down = max(up + s - how.slack, 0.0), max(down - s - how.slack, 0.0)
    np.testing.assert_allclose(state[0, :2], [up, down], atol=1e-9)
    assert (state[0, 2] > 0.0) == (state[0, 0] > 0.0)


def test_white_corrections_seldom_reach_the_limit():
    rng, how = np.random.default_rng(0), Drift()
    state, alarms = quiet(1), 0
    for _ in range(4000):
        state = accumulate(state, moved(rng.standard_normal()), 1.0, how)
        alarms += len(drifting(state, how))
        state = halved(state, how)
    assert 0 < alarms < 160


def test_after_the_walk_was_opened_half_of_the_limit_is_left():
    state = quiet(2)
    state[:, 0] = [5.0, 2.0]
    np.testing.assert_allclose(halved(state, Drift(limit=3.0))[:, 0], [1.5, 2.0])
    assert state[0, 0] == 5.0


@pytest.mark.parametrize("wrong", [{"slack": -1.0}, {"limit": 0.0}, {"boost": 0.5}])
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ModelError, match="cannot work"):
        Drift(**wrong)
