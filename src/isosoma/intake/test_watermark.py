"""How late is late: each signal by its own lag, and 48 h as the horizon of all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isosoma.core.observation import Observation
from isosoma.intake import Session, take
from isosoma.intake.watermark import HORIZON, lag_of, lateness
from isosoma.record import open_log

S = 10**9
NOW = 1_771_830_000_000_000_000


def reading(variable, at, device="m"):
    return Observation("p", variable, at, NOW, 1.2, 0.1, device=device)


@pytest.mark.parametrize(
    ("variable", "lag"),
    [("ecg", 2), ("heart_rate", 30), ("interstitial_glucose", 900), ("body_weight", 48 * 3600)],
)
def test_a_reading_is_late_just_behind_its_signals_lag(variable, lag):
    assert lag_of(variable) == lag * S
    at = reading(variable, NOW)
    assert lateness(at, None) == lateness(at, NOW - S) == "on_time"
    assert lateness(at, NOW + lag * S) == "on_time"
    behind = "beyond" if lag * S == HORIZON else "late"
    assert lateness(at, NOW + lag * S + 1) == behind
    assert lateness(at, NOW + HORIZON + 1) == "beyond"


def test_late_and_beyond_are_counted_by_channel_and_recorded(tmp_path):
    session = Session("p")
    with open_log(tmp_path / "log") as log:

        def came(*readings):
            done = take(log, readings, patient="p", now=NOW, session=session)
            return done.accepted, done.late, done.beyond

        newest = reading("heart_rate", NOW)
        assert came(newest) == (1, 0, 0)
        assert came(replace(newest, at=NOW - 30 * S)) == (1, 0, 0)
        assert came(replace(newest, at=NOW - 31 * S)) == (1, 1, 0)
        assert came(replace(newest, at=NOW - HORIZON - 1)) == (1, 0, 1)
        assert came(reading("heart_rate", NOW - HORIZON, device="other")) == (1, 0, 0)
        # an old reading does not set the mark back
        assert came(replace(newest, at=NOW - 32 * S)) == (1, 1, 0)
        told = [e.payload for e in log.entries("p", ["verdicts"])]
    assert sum(b'"late":{"0":"late"}' in t for t in told) == 2
    assert sum(b'"late":{"0":"beyond"}' in t for t in told) == 1
