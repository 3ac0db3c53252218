from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.signals.events import (
    MEASURES,
    RULES,
    Rule,
    acknowledge,
    episodes,
    events_start,
    events_tick,
)

FEVER = Rule("fever", "value", 38.0, 37.5, delay=3.0, clear_delay=2.0)


def test_delay_and_hysteresis() -> None:
    t = np.arange(20.0)
    x = np.array(
        [37, 39, 39, 37, 39, 39, 39, 39, 37.8, 37.8, 37, 37.8, 37, 37, 37, 37, 39, 39, 39, 39.0]
    )
    assert episodes(FEVER, t, x) == [(7.0, 14.0), (19.0, math.inf)]


def test_below_works_as_above() -> None:
    cold = Rule("cold", "value", -38.0, -37.5, above=False, delay=3.0, clear_delay=2.0)
    t = np.arange(9.0)
    x = np.array([37, 39, 39, 39, 39, 37, 37, 37, 37.0])
    assert episodes(cold, t, -x) == episodes(FEVER, t, x) == [(4.0, 7.0)]


def test_unknown_values_neither_begin_nor_end() -> None:
    t = np.arange(8.0)
    x = np.array([39, 39, np.nan, np.nan, 39, np.nan, np.nan, np.nan])
    assert episodes(FEVER, t, x) == [(4.0, math.inf)]


def test_a_latched_rule_waits_for_a_person() -> None:
    rule = Rule("lost", "value", 1.0, 0.5, latched=True)
    state = events_start(2, (rule,), ("value",))
    events_tick(state, np.array([[2.0], [0.0]]), 0.0)
    assert events_tick(state, np.zeros((2, 1)), 1.0).raised.size == 0
    acknowledge(state, 0, 0)
    ended = events_tick(state, np.zeros((2, 1)), 2.0)
    assert ended.patient.tolist() == [0]
    assert ended.raised.tolist() == [False]


def test_evidence_against_forbids_the_beginning_only() -> None:
    rule = Rule("asystole", "silence", 4.0, 2.0, unless="pulsatile")
    state = events_start(1, (rule,), ("silence", "pulsatile"))
    assert events_tick(state, np.array([[9.0, 1.0]]), 0.0).raised.size == 0
    assert events_tick(state, np.array([[9.0, 0.0]]), 1.0).raised.tolist() == [True]
    assert events_tick(state, np.array([[9.0, 1.0]]), 2.0).raised.size == 0


@given(
    st.lists(st.floats(36, 40), min_size=1, max_size=40),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(37.0, 38.0),
)
def test_episodes_alternate_and_respect_the_delay(
    x: list[float], delay: float, back: float, clear: float
) -> None:
    rule = Rule("r", "value", 38.0, clear, delay=delay, clear_delay=back)
    t = np.arange(float(len(x)))
    last = -math.inf
    for a, b in episodes(rule, t, np.array(x)):
        assert last < a < b
        assert all(v > 38.0 for v, at in zip(x, t, strict=True) if a - delay <= at <= a)
        if b < math.inf:
            assert all(v < clear for v, at in zip(x, t, strict=True) if b - back <= at <= b)
        last = b


def test_every_rule_looks_at_a_measure_that_is_offered() -> None:
    state = events_start(3)
    assert state.raised.shape == (3, len(RULES))
    assert len(MEASURES) == len(set(MEASURES))
    assert {r.name for r in RULES if r.red_flag} >= {
        "asystole",
        "ventricular fibrillation",
        "no pulse",
    }


@pytest.mark.parametrize(
    "rule",
    [Rule("a", "nothing", 1, 0), Rule("b", "value", 1, 2), Rule("c", "value", 2, 1, above=False)],
)
def test_a_rule_that_cannot_work_is_refused(rule: Rule) -> None:
    with pytest.raises(ModelError):
        events_start(1, (rule,), ("value",))


def test_a_rule_within_another_does_not_begin_while_that_one_says_it():
    grave = Rule("grave", "value", 40.0, 39.0)
    fever = Rule("fever", "value", 38.0, 37.5, delay=2.0, within=("grave",))
    state = events_start(1, (grave, fever), ("value",))
    said = [
        [(int(k), bool(up)) for k, up in zip(e.rule, e.raised, strict=True)]
        for e in (
            events_tick(state, np.array([[v]]), t)
            for t, v in enumerate([41, 41, 41, 38.5, 38.5, 38.5, 41.0])
        )
    ]
    assert said == [[(0, True)], [], [], [(0, False)], [], [(1, True)], [(0, True)]]
    with pytest.raises(ModelError, match="stand above"):
        events_start(1, (fever, grave), ("value",))
