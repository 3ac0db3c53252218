"""What a twin learns from an arterial line, and what it waits for or leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.quality import Finding
from isosoma.serve.arterial_line import Line, heard, means_of

T0, SECOND = 1_790_000_000 * 10**9, 10**9
NUMBERS = {"systolic_pressure": 120.0, "diastolic_pressure": 75.0, "mean_arterial_pressure": 92.0}
MAP = "mean_arterial_pressure"
FAULT = Finding("levelling", "level it", 2.0, device="arterial line", since=T0)


def read(i, offset=0.0, scale=1.0):
    """Numbers of a line at its reading `i`, one each 5 s [mmHg]."""
    at = T0 + 5 * i * SECOND
    return [
        Observation("p", name, at, at, to_si(scale * v + offset, "mm[Hg]"), 133.3,
                    device="arterial line", channel="ABP", origin="test")
        for name, v in NUMBERS.items()
    ]  # fmt: skip


def lessons(readings, faults=lambda _: ()):
    """Return (reading, mean pressure [mmHg]) of every lesson."""
    line, out = Line(), []
    for i, each in enumerate(readings):
        line, said = heard(line, each, faults(i))
        out += [(i, o.value / to_si(1.0, "mm[Hg]")) for o in said if o.variable == MAP]
    return out


def test_a_quiet_line_teaches_its_mean_twice_a_minute():
    said = lessons(read(i, offset=(-1.0) ** i) for i in range(30))
    assert [i for i, _ in said] == [0, 6, 12, 18, 24]
    assert [v for _, v in said[1:]] == pytest.approx([92.0] * 4, abs=0.4)


def test_a_mean_says_how_many_readings_it_is_of_and_is_no_surer_than_a_breath():
    said = means_of([o for i in range(7) for o in read(i)])
    assert {o.variable for o in said} == set(NUMBERS)
    assert said[-1].origin == "test:mean of 6"
    assert said[-1].at == T0 + 30 * SECOND
    assert said[-1].sigma > to_si(2.0, "mm[Hg]")


def test_a_collapse_is_taught_at_once():
    """Pressure and pulse fall together: no transducer does that."""
    said = lessons([read(i) for i in range(10)] + [read(i, scale=0.5) for i in range(10, 12)])
    assert (10, pytest.approx(46.0)) in said


def test_a_step_that_may_be_the_transducer_is_waited_for_and_never_learnt_once_found():
    steps = [read(i) for i in range(10)] + [read(i, offset=15.4) for i in range(10, 40)]
    steps += [read(i) for i in range(40, 60)]
    said = lessons(steps, lambda i: (FAULT,) if 14 <= i < 42 else ())
    assert max(v for _, v in said) < 93.0
    assert any(i >= 46 for i, _ in said)
    assert not [i for i, _ in said if 10 <= i < 42]


def test_a_step_that_stays_unexplained_is_learnt_after_a_minute():
    said = lessons([read(i) for i in range(10)] + [read(i, offset=15.4) for i in range(10, 40)])
    assert said[-1][1] == pytest.approx(107.4)
    assert min(i for i, v in said if v > 100.0) >= 14


def test_what_stands_still_is_no_lesson_and_a_cuff_is_no_line():
    assert means_of([o for i in range(20) for o in read(i, offset=7.0, scale=0.0)]) == []
    cuffs = [replace(o, device="cuff", channel="") for i in range(20) for o in read(i)]
    assert means_of(cuffs) == []
