"""A planted cause comes first; shares sum to one; nothing measured is told, not guessed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation
from isosoma.organs.circulation.body import Person
from isosoma.scenario.ensemble import begun, drawn, part, standing
from isosoma.scenario.explanation import (
    CAUSES,
    Explanation,
    Readings,
    _kept,  # pyright: ignore[reportPrivateUsage]
    _ranks,  # pyright: ignore[reportPrivateUsage]
    aligned,
    explain,
    parting,
    perturbation,
)
from isosoma.scenario.prediction import OUTPUTS, Prediction
from isosoma.scenario.watching import Watching, watch
from isosoma.twin.course import follow

MAP, CVP = "mean_arterial_pressure", "central_venous_pressure"
SIGMAS = dict.fromkeys(OUTPUTS, 266.0) | {
    "central_venous_pressure": 133.0,
    "heart_rate": 0.03,
    "oxygen_saturation": 0.01,
}


@pytest.fixture(scope="module")
def run():
    return standing(begun(drawn(Person(), 4), ()), ())[0]


def readings(run, acts, seconds=150.0):
    course = follow(part(run, 0, 1), acts, seconds, 5.0)
    return Readings(course.times, {n: course.output(n)[:, 0] for n in OUTPUTS}, SIGMAS)


@pytest.mark.parametrize(("cause", "severity"), [("bleeding", 8.0), ("vasoplegia", 0.5)])
def test_the_planted_cause_comes_first(run, cause, severity):
    seen = readings(run, (perturbation(cause, severity, 60.0, Person()),))
    told = explain(run, (), Person(), seen, 75.0)
    assert told[0].cause == cause
    assert {e.cause for e in told} == set(CAUSES)
    assert sum(e.share for e in told) == pytest.approx(1.0)
    assert told[0].text.startswith(cause)
    assert [e.rank for e in told] == sorted(e.rank for e in told)


def test_a_bleed_that_is_over_is_a_bleed_all_the_same(run):
    act = replace(perturbation("bleeding", 12.0, 60.0, Person()), lasts=110.0)
    told = explain(run, (), Person(), readings(run, (act,), 300.0), 75.0)
    assert told[0].cause == "bleeding"
    assert told[0].severity == "20 mL/kg, over"


def test_a_member_that_died_of_a_cause_stays_as_it_was_last():
    """Else what kills members explains nothing, and a patient who dies of it has another cause."""
    lost, mad = np.array([9e3, 4e3, np.nan, np.nan]), np.array([9e3, 4e3, 1e9, np.nan])
    never = np.full(4, np.nan)
    kept = _kept(MAP, np.column_stack([lost, mad, never, 9e3 + np.zeros(4)]))
    assert kept[:, 0].tolist() == kept[:, 1].tolist() == [9e3, 4e3, 4e3, 4e3]
    assert np.isnan(kept[:, 2]).all(), "one that never lived explains nothing"
    assert (kept[:, 3] == 9e3).all()


def test_bleeding_and_tamponade_share_a_rank_up_to_twenty_to_one_without_a_venous_pressure():
    shares = {"tamponade": 0.88, "vasoplegia": 0.06, "bleeding": 0.05, "sensor": 0.01}
    assert list(_ranks(shares, False).items()) == [
        ("tamponade", 1), ("bleeding", 1), ("vasoplegia", 2), ("sensor", 4),
    ]  # fmt: skip
    assert list(_ranks(shares, True).items()) == [
        ("tamponade", 1), ("vasoplegia", 2), ("bleeding", 2), ("sensor", 4),
    ]  # fmt: skip
    assert _ranks({"bleeding": 0.97, "tamponade": 0.03}, False) == {"bleeding": 1, "tamponade": 2}
    assert _ranks({"bleeding": 0.8, "vasoplegia": 0.2}, False) == {"bleeding": 1, "vasoplegia": 2}
    assert _ranks({"a": 0.5, "b": 0.3, "c": 0.11, "d": 0.09}, False) == (
        {"a": 1, "b": 1, "c": 3, "d": 3}
    )


@pytest.mark.parametrize(
    ("first", "measured", "said"),
    [
        (("bleeding", "tamponade"), (MAP,), "a central venous pressure or an echo tells bleeding"),
        (("bleeding", "tamponade"), (MAP, CVP), "an echo tells bleeding and tamponade apart"),
        (("tamponade", "pump failure"), (MAP,), "an echo tells tamponade and pump failure apart"),
        (("sensor", "vasoplegia"), (MAP,), "a second sensor tells sensor and vasoplegia apart"),
        (("bleeding", "vasoplegia", "sensor"), (MAP, CVP),
         "an echo and a second sensor tell bleeding, vasoplegia and sensor apart"),
        (("bleeding",), (MAP,), ""), (("sensor",), (MAP,), ""), ((), (MAP,), ""),
    ],
)  # fmt: skip
def test_which_measurement_would_part_what_shares_the_first_rank_is_said(first, measured, said):
    ranked = [Explanation(c, 1, 0.3, "", "") for c in first]
    told = parting([*ranked, Explanation("other", 9, 0.0, "", "")], measured)
    assert told.startswith(said) if said else told == ""


def test_causes_that_the_readings_do_not_tell_apart_share_a_rank(run):
    told = explain(run, (), Person(), readings(run, ()), 140.0)
    tied = [e for e in told if e.rank == 1]
    assert len(tied) > 1
    assert tied[-1].share > tied[0].share / 3.0
    assert all(e.share <= tied[0].share / 3.0 for e in told if e.rank > 1)


def test_one_channel_that_jumps_alone_is_a_sensor(run):
    seen = readings(run, ())
    name = "mean_arterial_pressure"
    seen.values[name][seen.times >= 75.0] -= 4000.0
    told = explain(run, (), Person(), seen, 75.0)
    assert (told[0].cause, told[0].severity) == ("sensor", "mean arterial pressure")
    assert told[0].share > 0.9


def test_a_device_whose_channels_jump_together_is_a_sensor(run):
    seen = readings(run, ())
    for name in ("mean_arterial_pressure", "systolic_pressure", "diastolic_pressure"):
        seen.values[name][seen.times >= 75.0] += 2000.0
    told = explain(run, (), Person(), seen, 75.0)
    assert (told[0].cause, told[0].severity) == ("sensor", "arterial line")
    assert told[0].share > 0.9


def test_readings_are_aligned_and_held_for_as_long_as_they_are_of_now():
    said = Prediction("a", "wait", 0, np.array([0.0, 600.0]),
                      {n: np.ones((2, 20)) for n in OUTPUTS}, "e")  # fmt: skip
    state = Watching(said)
    for t in range(2, 120, 2):
        state, _ = watch(state, Observation("p", "mean_arterial_pressure", t * 10**9, 0, t, 266.0))
        if t % 30 == 0:
            state, _ = watch(state, Observation("p", "heart_rate", t * 10**9, 0, t, 0.02))
    state, _ = watch(state, Observation("p", "oxygen_saturation", 10**10, 0, 0.97, 0.01))
    found = aligned(state, 110.0)
    assert set(found.values) == {"mean_arterial_pressure", "heart_rate"}
    assert found.times[0] == 30.0  # before it no rate was known
    assert found.times[-1] == 110.0
    assert found.values["mean_arterial_pressure"][-1] == 110.0
    assert found.values["heart_rate"][-1] == 90.0
    assert found.sigmas == {"mean_arterial_pressure": 266.0, "heart_rate": 0.02}
    with pytest.raises(RangeError, match="too little"):
        aligned(Watching(said), 110.0)


def test_what_cannot_be_explained_is_refused(run):
    with pytest.raises(RangeError, match="nothing was measured"):
        explain(run, (), Person(), readings(run, ()), 1000.0)
    with pytest.raises(RangeError, match="no cause"):
        perturbation("fate", 1.0, 0.0, Person())
