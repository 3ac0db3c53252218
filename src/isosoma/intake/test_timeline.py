"""Folding a log: conflicts named, beats over gaps and joints, nothing of another patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.observation import Observation, Waveform
from isosoma.intake import beats_of, take, timeline
from isosoma.intake.identity import key_of
from isosoma.intake.taking import ordered
from isosoma.record import open_log
from isosoma.signals.synthetic import synthesise

S = 10**9
NOW = 1_771_830_000_000_000_000
FIRST = NOW - 3600 * S
MADE = synthesise(40.0, 250.0, seed=8)
COUNTS = np.round(MADE.ecg.ravel() / 5e-6).astype(np.int16)
NUMBER = Observation("p", "heart_rate", FIRST, NOW, 1.2, 0.1, device="m", seq=4)


def blocks(seconds, leave=()):
    n = round(seconds * 250)
    return [
        Waveform("p", "ecg", FIRST + round(a / 250 * S), NOW, 250.0, COUNTS[a : a + n], 5e-6, seq=i)
        for i, a in enumerate(range(0, COUNTS.size, n))
        if i not in leave
    ]


@pytest.fixture
def log(tmp_path):
    with open_log(tmp_path / "log") as opened:
        yield opened


def test_a_conflict_names_both_and_another_instant_is_none(log):
    other, later = replace(NUMBER, value=1.21), replace(NUMBER, at=FIRST + 60 * S)
    take(log, [NUMBER, other, later], patient="p", now=NOW)
    known = timeline(log, "p")
    assert [v.weight for v in known.verdicts] == [0.3, 0.3, 1.0]
    assert "same running number" in known.verdicts[0].reason


def test_content_orders_equal_places():
    pair = [NUMBER, replace(NUMBER, value=1.1)]
    assert ordered(pair) == ordered(reversed(pair))


@pytest.mark.parametrize("seconds", [0.4, 1.0, 7.0])
def test_beats_are_the_same_for_any_cut_into_blocks(log, seconds):
    take(log, blocks(40.0), patient="p", now=NOW)
    take(log, [replace(b, subject="q") for b in blocks(seconds)], patient="q", now=NOW)
    whole, cut = beats_of(timeline(log, "p")), beats_of(timeline(log, "q"))
    assert [(b.at, b.kind) for b in cut] == [(b.at, b.kind) for b in whole]
    found = np.array([(b.at - FIRST) / S for b in whole])
    assert max(np.abs(found - r).min() for r in MADE.r[3:-2]) < 0.05


def test_beats_after_a_gap_stand_where_they_were(log):
    take(log, blocks(1.0, leave=range(15, 22)), patient="p", now=NOW)
    found = np.array([(b.at - FIRST) / S for b in beats_of(timeline(log, "p"))])
    assert not ((found > 15.1) & (found < 22)).any()
    late = MADE.r[(MADE.r > 27) & (MADE.r < 39)]
    assert max(np.abs(found - r).min() for r in late) < 0.05


def test_patients_are_apart_and_a_stranger_has_nothing(log):
    take(log, [NUMBER], patient="p", now=NOW)
    take(log, [replace(NUMBER, subject="q", value=1.4)], patient="q", now=NOW)
    (only,) = timeline(log, "p").readings
    assert key_of(only) == key_of(NUMBER)
    assert timeline(log, "nobody").readings == ()
