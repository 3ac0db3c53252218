"""A stored ECG tells its rate once a minute, and nothing while it is noise."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.observation import Waveform
from isosoma.intake.ecg_rate import rates_of
from isosoma.signals.synthetic import synthesise

HZ = 250.0
START = 1_780_000_000_000_000_000


def block(volts: np.ndarray, first: int = 0, **more: str) -> Waveform:
    counts = np.clip(np.round(volts * 1e6), -32768, 32767).astype(np.int16)
    at = START + round(first / HZ * 1e9)
    return Waveform("p", "ecg", at, at, HZ, counts, 1e-6, device="monitor", **more)


@pytest.fixture(scope="module")
def made():
    return synthesise(185.0, HZ, 3)


def test_each_whole_minute_tells_the_rate_of_its_beats(made) -> None:
    rates = rates_of([block(made.ecg, channel="II")])
    assert [round((r.at - START) * 1e-9) for r in rates] == [60, 120, 180]
    for i, rate in enumerate(rates):
        inside = made.r[(made.r >= 60 * i) & (made.r < 60 * (i + 1))]
        assert rate.value == pytest.approx(1.0 / np.diff(inside).mean(), rel=0.005)
        assert 0.0 < rate.sigma < 0.05
        assert "isosoma.signals" in rate.origin


def test_blocks_of_a_lead_are_one_ecg_and_other_leads_add_none(made) -> None:
    whole = rates_of([block(made.ecg, channel="II")])
    parts = [block(made.ecg[i : i + 2500], i, channel="II") for i in range(0, len(made.ecg), 2500)]
    other = block(made.ecg[::-1].copy(), channel="V5")
    cut = rates_of([parts[0], other, *parts[:0:-1]])
    assert [(r.at, r.value, r.sigma) for r in cut] == [(r.at, r.value, r.sigma) for r in whole]


def test_a_record_without_a_date_tells_no_rate(made) -> None:
    assert rates_of([block(made.ecg, origin="wfdb:100?relative_time")]) == []


def test_noise_and_silence_tell_no_rate() -> None:
    noise = np.random.default_rng(1).normal(0.0, 3e-3, int(70 * HZ))
    assert rates_of([block(noise)]) == []
    assert rates_of([block(np.zeros(int(70 * HZ)))]) == []
