"""The live monitor on recorded patients: figures that must not fall."""

from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from isosoma.exchange.annotations import BEAT_SYMBOLS, read_annotations
from isosoma.exchange.wfdb import read_record
from isosoma.signals import scoring
from isosoma.signals.cosen import AF_ABOVE, cosen
from isosoma.signals.monitor import monitor_start, monitor_tick
from isosoma.signals.pulse import pleth_beats, pressure_beats


def _volts(path: Path) -> np.ndarray:
    return np.array(
        [(s.samples - float(s.baseline)) / s.gain * 1e-3 for s in read_record(path).signals]
    )


def _run(ecg: np.ndarray, hz: float, pulse: np.ndarray | None = None, chunk: int = 0):
    state = monitor_start(1, hz, leads=len(ecg))
    n = ecg.shape[1]
    parts = [
        monitor_tick(
            state, ecg[None, :, i : i + (chunk or n)], None if pulse is None else pulse[None]
        )
        for i in range(0, n, chunk or n)
    ]
    raised = [
        (state.rules[int(r)].name, float(t))
        for p in parts
        for r, t, up in zip(p.events.rule, p.events.at, p.events.raised, strict=True)
        if up
    ]
    return np.concatenate([p.beats.r for p in parts]), raised, parts


@pytest.mark.parametrize(
    ("name", "least"), [("100", 0.999), ("108", 0.96), ("203", 0.985), ("208", 0.99)]
)
def test_beats_of_recorded_patients(shared_data: Path, name: str, least: float) -> None:
    ecg = _volts(shared_data / "signals" / "mitdb" / f"{name}.hea")[:1]
    marks = read_annotations(shared_data / "signals" / "mitdb" / f"{name}.atr")
    beats = marks.sample[np.isin(marks.symbol, list(BEAT_SYMBOLS))]
    found, _, parts = _run(ecg, 360.0)
    assert scoring.f1(scoring.score(beats, found, 54)) >= least
    assert scoring.f1(scoring.score(beats, found, 27)) >= least - 0.005
    late = (parts[0].beats.decided - parts[0].beats.r) / 360.0
    assert np.quantile(late, 0.95) <= 0.35
    assert (late > 0).all()


@pytest.mark.parametrize("hz", [128, 250, 500, 1000])
def test_a_recorded_patient_at_other_rates(shared_data: Path, hz: int) -> None:
    ecg = _volts(shared_data / "signals" / "mitdb" / "100.hea")[0]
    marks = read_annotations(shared_data / "signals" / "mitdb" / "100.atr")
    beats = marks.sample[np.isin(marks.symbol, list(BEAT_SYMBOLS))]
    share = gcd(hz, 360)
    found, _, _ = _run(resample_poly(ecg, hz // share, 360 // share)[None], float(hz))
    at = np.round(found * 360.0 / hz).astype(np.int64)
    assert scoring.f1(scoring.score(beats, at, 54)) >= 0.998
    assert scoring.f1(scoring.score(beats, at, 27)) >= 0.995


def test_chunks_of_a_recorded_patient_change_nothing(shared_data: Path) -> None:
    ecg = _volts(shared_data / "signals" / "mitdb" / "207.hea")[:, : 100 * 360]
    whole = _run(ecg, 360.0)
    for chunk in (7, 36, 360, 1111):
        other = _run(ecg, 360.0, chunk=chunk)
        np.testing.assert_array_equal(whole[0], other[0])
        assert whole[1] == other[1]


def test_recorded_fibrillation_is_raised_within_ten_seconds(shared_data: Path) -> None:
    ecg = _volts(shared_data / "signals" / "mitdb" / "207.hea")
    marks = read_annotations(shared_data / "signals" / "mitdb" / "207.atr")
    onsets = marks.sample[np.array(marks.symbol) == "["] / 360.0
    _, raised, _ = _run(ecg, 360.0)
    at = np.array([t for n, t in raised if n == "ventricular fibrillation"])
    assert len(onsets) == 6
    for onset in onsets:
        assert ((at >= onset) & (at <= onset + 10)).any()


@pytest.mark.parametrize("name", ["a103l", "v102s"])
@pytest.mark.parametrize("leads", [1, 2])
def test_recorded_false_alarms_stay_silent(shared_data: Path, name: str, leads: int) -> None:
    rows = _volts(shared_data / "signals" / "icu_waveforms" / f"{name}.hea")
    _, raised, _ = _run(rows[:leads], 250.0, rows[2])
    kinds = {"asystole", "ventricular tachycardia", "ventricular fibrillation", "pause"}
    assert not kinds & {n for n, _ in raised}
    if leads == 2:  # the second lead proves that the first counts T waves
        assert raised == []


def test_healthy_days_are_not_fibrillation(shared_data: Path) -> None:
    for name in ("nsr001", "nsr004", "nsr009"):
        marks = read_annotations(shared_data / "signals" / "af_rr" / f"{name}.ecg")
        rr = np.diff(marks.sample[np.array(marks.symbol) == "N"][:20000]) / 128.0
        values = np.array([cosen(rr[i : i + 64]) for i in range(0, len(rr) - 63, 64)])
        values = values[np.isfinite(values)]
        assert (values < AF_ABOVE).mean() > 0.9


def test_pressure_of_a_recorded_patient_follows_every_beat(shared_data: Path) -> None:
    record = read_record(shared_data / "signals" / "icu_waveforms" / "03700181.hea")
    ecg, pressure = record.signals[0], record.signals[1]
    x = (ecg.samples - float(ecg.baseline)) / ecg.gain * 1e-3
    found, _, _ = _run(x[None], ecg.hz)
    p = (pressure.samples - float(pressure.baseline)) / pressure.gain
    r = np.unique(np.round(found * pressure.hz / ecg.hz).astype(np.int64))
    got = pressure_beats(p, r, pressure.hz)
    assert len(got.beat) > 0.75 * len(
        r
    )  # the ECG is noisy: three programs found 1117 to 1195 beats
    assert 0.05 < np.median(got.transit) < 0.45
    # a long pause lets the pressure run down below the trough it began from: 1 of 969 beats
    assert (got.mean > got.diastolic).mean() > 0.995


def test_plethysmogram_of_a_recorded_patient(shared_data: Path) -> None:
    rows = _volts(shared_data / "signals" / "icu_waveforms" / "a103l.hea")
    found, _, _ = _run(rows[:1, : 120 * 250], 250.0)
    got = pleth_beats(rows[2, : 120 * 250], np.unique(found), 250.0)
    assert len(got.beat) > 0.5 * len(found)
