"""Interventions that end, come about gradually, or ride on others; and their way through JSON."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, ModelError
from isosoma.core.intervention import (
    RAMP_STEP,
    Change,
    Coding,
    Intervention,
    apply,
    from_json,
    moments,
    to_json,
    undo,
)

CODE = Coding("", "", "an act")
ZERO = {"rate": np.zeros(2)}


def act(action, value, at=0.0, lasts=None, over=0.0, name="rate"):
    return Intervention("act", CODE, at, "r", (Change("input", name, action, value),), lasts, over)


def rate(acts, at):
    return float(apply(acts, "input", ZERO, at)["rate"][0])


def test_a_change_holds_from_its_start_until_just_before_its_end():
    acts = (act("add", 3.0, at=10.0, lasts=5.0),)
    assert [rate(acts, t) for t in (9.99, 10.0, 14.99, 15.0)] == [0.0, 3.0, 3.0, 0.0]
    assert moments(acts) == (10.0, 15.0)


def test_two_for_a_while_leave_exactly_nothing_behind():
    acts = (act("add", 0.1, 0.0, 10.0), act("add", 0.2, 5.0, 10.0))
    assert rate(acts, 20.0) == 0.0


def test_a_bolus_rides_on_the_infusion_begun_meanwhile():
    acts = (act("add", 5.0, at=0.0, lasts=10.0), act("set", 1.0, at=4.0))
    assert [rate(acts, t) for t in (3.0, 4.0, 10.0)] == [5.0, 6.0, 1.0]


def test_a_set_for_a_while_gives_back_what_was_set_before():
    acts = (act("set", 1.0, 0.0), act("set", 9.0, 5.0, lasts=5.0))
    assert [rate(acts, t) for t in (4.0, 5.0, 10.0)] == [1.0, 9.0, 1.0]


def test_without_a_time_only_what_stays_counts():
    acts = (act("set", 1.0), act("add", 5.0, lasts=1e6), act("add", 2.0, over=100.0))
    assert float(apply(acts, "input", ZERO)["rate"][0]) == 3.0


def test_before_the_first_act_nothing_is_changed():
    assert rate((act("set", 1.0, at=0.0), act("add", 1.0, at=0.0, lasts=9.0)), -math.inf) == 0.0


@settings(deadline=None)
@given(
    st.floats(0.0, 1e4, allow_nan=False),
    st.floats(0.5, 300.0),
    st.floats(-1e3, 1e3, allow_nan=False),
)
def test_a_ramp_grows_step_by_step_to_the_whole(at, over, value):
    ramp = (act("add", value, at=at, over=over),)
    seen = [rate(ramp, t) for t in moments(ramp)]
    assert len(seen) == math.ceil(over / RAMP_STEP)
    assert seen[-1] == value
    assert np.all(np.diff(np.abs(seen)) >= 0.0)
    assert abs(seen[0]) == pytest.approx(abs(value) / len(seen))


def test_a_ramp_to_a_value_starts_from_what_is():
    acts = (act("set", 8.0), act("set", 0.0, at=10.0, over=4.0))
    assert [rate(acts, t) for t in (9.0, 10.0, 11.0, 12.0, 13.0)] == [8.0, 6.0, 4.0, 2.0, 0.0]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            act,
            st.sampled_from(("set", "scale", "add")),
            st.floats(-1e9, 1e9),
            st.floats(0.0, 1e6),
            st.none() | st.floats(0.0, 1e6),
            st.floats(0.0, 1e3),
        ),
        max_size=5,
    )
)
def test_a_rehearsal_comes_back_from_json_as_it_went(acts):
    assert from_json(to_json(acts)) == tuple(acts)


def test_undo_is_leaving_out():
    acts = (act("set", 1.0), act("add", 5.0, lasts=10.0))
    assert rate(undo(acts, 0), 5.0) == 5.0
    assert rate(undo(acts), 5.0) == 1.0


@pytest.mark.parametrize(
    ("at", "lasts", "over"),
    [(math.nan, None, 0.0), (0.0, math.inf, 0.0), (0.0, -1.0, 0.0), (0.0, None, -1.0),
     (0.0, None, math.nan), (math.inf, None, 0.0)],
)  # fmt: skip
def test_times_that_are_none(at, lasts, over):
    with pytest.raises(ModelError, match="times of act"):
        act("set", 1.0, at, lasts, over)


def test_a_file_with_a_backward_time_names_the_act():
    text = to_json([act("set", 1.0)]).replace('"lasts": null', '"lasts": -3')
    with pytest.raises(FormatError, match="act 0"):
        from_json(text)
