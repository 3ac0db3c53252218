"""A planted cause comes first; shares sum to one; nothing measured is told, not guessed."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation
from isosoma.organs.circulation.body import Person
from isosoma.scenario.ensemble import begun, drawn, part, standing
from isosoma.scenario.explanation import CAUSES, Readings, aligned, explain, perturbation
from isosoma.scenario.prediction import OUTPUTS, Prediction
from isosoma.scenario.watching import Watching, watch
from isosoma.twin.course import follow

SIGMAS = dict.fromkeys(OUTPUTS, 266.0) | {
    "central_venous_pressure": 133.0,
    "heart_rate": 0.03,
    "oxygen_saturation": 0.01,
}


@pytest.fixture(scope="module")
def run():
    return standing(begun(drawn(Person(), 4), ()), ())[0]


def readings(run, acts):
    course = follow(part(run, 0, 1), acts, 150.0, 5.0)
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
