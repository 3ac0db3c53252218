"""A planted cause comes first; shares sum to one; nothing measured is told, not guessed."""

from __future__ import annotations

import pytest

from isosoma.core.errors import RangeError
from isosoma.organs.circulation.body import Person
from isosoma.scenario.ensemble import begun, drawn, part, standing
from isosoma.scenario.explanation import CAUSES, Readings, explain, perturbation
from isosoma.scenario.prediction import OUTPUTS
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


def test_what_cannot_be_explained_is_refused(run):
    with pytest.raises(RangeError, match="nothing was measured"):
        explain(run, (), Person(), readings(run, ()), 1000.0)
    with pytest.raises(RangeError, match="no cause"):
        perturbation("fate", 1.0, 0.0, Person())
