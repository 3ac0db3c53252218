"""One delivery: what is refused, what is counted, what is remembered."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import FormatError, IdentityError, LimitError, RangeError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.intake import Session, Summary, refusal, submit, take, timeline
from isosoma.record import open_log

S = 10**9
NOW = 1_771_830_000_000_000_000
NUMBER = Observation("p", "heart_rate", NOW - S, NOW, 1.2, 0.1, device="m", seq=0)
SIGNAL = Waveform("p", "ecg", NOW - S, NOW, 250.0, np.arange(250, dtype=np.int16), 1e-6, seq=0)


@pytest.fixture
def log(tmp_path):
    with open_log(tmp_path / "log") as opened:
        yield opened


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"hz": float("nan")}, RangeError),
        ({"hz": 0.0}, RangeError),
        ({"scale": float("inf")}, RangeError),
        ({"samples": np.zeros(9)}, FormatError),
        ({"samples": np.zeros((3, 3), np.int16)}, FormatError),
        ({"hz": 0.1}, TimeError),  # it would end in 41 minutes
        ({"start": NOW + 301 * S}, TimeError),
        ({"subject": "q"}, IdentityError),
    ],
)
def test_a_signal_that_cannot_be_refuses_its_delivery(log, changed, error):
    before = log.checkpoint()
    with pytest.raises(error, match=r"number 2\)"):
        take(log, [NUMBER, replace(SIGNAL, **changed)], patient="p", now=NOW)
    assert log.checkpoint() == before


def test_five_minutes_ahead_are_a_clock_and_a_nanosecond_more_is_not(log):
    ahead = replace(NUMBER, at=NOW + refusal.FUTURE)
    assert take(log, [ahead], patient="p", now=NOW).accepted == 1
    with pytest.raises(TimeError, match="Set the device's clock"):
        take(log, [replace(ahead, at=ahead.at + 1)], patient="p", now=NOW)


def test_too_many_are_refused(log, monkeypatch):
    monkeypatch.setattr(refusal, "MOST", 3)
    with pytest.raises(LimitError, match="Cut it into parts"):
        take(log, [replace(NUMBER, seq=i) for i in range(4)], patient="p", now=NOW)


def test_nothing_delivered_is_nothing_done(log):
    before = log.checkpoint()
    assert submit(log, [], patient="p", now=NOW).result(10) == Summary()
    assert log.checkpoint() == before


def test_a_session_of_another_patient_is_refused(log):
    with pytest.raises(IdentityError):
        take(log, [NUMBER], patient="p", now=NOW, session=Session("q"))


def test_counts_and_verdicts_by_place(log):
    zero = replace(NUMBER, at=NOW, value=-1.0, seq=1)  # impossible: withheld, and yet kept
    done = take(log, [SIGNAL, zero, NUMBER, NUMBER], patient="p", now=NOW)
    assert (done.accepted, done.duplicates, done.samples, done.withheld) == (3, 1, 250, 1)
    (entry,) = log.entries("p", ["verdicts"])
    told = json.loads(entry.payload)
    assert told["count"] == 3
    assert told["verdicts"]["1"][0] == 0.0  # observations first: NUMBER, then zero
    assert len(timeline(log, "p").readings) == 3


def test_summaries_add_field_by_field():
    assert Summary(1, 2, samples=3) + Summary(4, late=1, companions=2) == Summary(
        5, 2, 1, samples=3, companions=2
    )
