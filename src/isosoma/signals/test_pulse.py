from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.signals.pulse import pleth_beats, pressure_beats
from isosoma.signals.synthetic import Plan, synthesise

MMHG = 133.322


@pytest.mark.parametrize("hz", [125.0, 250.0, 500.0])
def test_pressure_features_of_a_known_wave(hz: float) -> None:
    made = synthesise(60.0, hz, 1, Plan(variability=0.3))
    r = np.round(made.r * hz).astype(np.int64)
    got = pressure_beats(made.pressure, r, hz)
    assert len(got.beat) >= len(r) - 3
    assert np.median(got.transit) == pytest.approx(0.16, abs=0.015)
    assert np.median(got.systolic) / MMHG == pytest.approx(76 + 46 * 0.93, abs=6)
    assert (got.diastolic < got.mean).all()
    assert (got.mean < got.systolic).all()
    np.testing.assert_allclose(got.pulse_pressure, got.systolic - got.diastolic)
    assert (got.steepest > 0).all()
    assert (got.area > 0).all()


def test_units_scale_and_shift_as_they_must() -> None:
    made = synthesise(30.0, 250.0, 1)
    r = np.round(made.r * 250).astype(np.int64)
    one, two = (
        pressure_beats(made.pressure, r, 250.0),
        pressure_beats(2 * made.pressure + 500, r, 250.0),
    )
    np.testing.assert_allclose(two.systolic, 2 * one.systolic + 500)
    np.testing.assert_allclose(two.steepest, 2 * one.steepest, rtol=1e-9)
    np.testing.assert_allclose(two.foot, one.foot)


def test_pleth_arrives_after_r_and_a_gap_has_no_beat() -> None:
    made = synthesise(60.0, 250.0, 2)
    x = made.plethysmogram.copy()
    x[20 * 250 : 25 * 250] = np.nan
    r = np.round(made.r * 250).astype(np.int64)
    got = pleth_beats(x, r, 250.0)
    assert np.median(got.transit) == pytest.approx(0.22, abs=0.04)
    assert (got.peak > got.foot).all()
    assert not ((r[got.beat] > 20 * 250) & (r[got.beat] < 24.5 * 250)).any()
    assert len(got.beat) > 50


def test_no_pulse_gives_no_rows() -> None:
    r = np.arange(100, 2000, 200)
    assert len(pressure_beats(np.full(2500, 5000.0), r, 250.0).beat) == 0
    assert len(pleth_beats(np.full(2500, np.nan), r, 250.0).beat) == 0
    assert len(pressure_beats(np.zeros(2500), r[:0], 250.0).beat) == 0


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(RangeError):
        pressure_beats(np.zeros(100), np.array([50, 20]), 250.0)
    with pytest.raises(RangeError):
        pleth_beats(np.zeros(100), np.array([20, 50]), 5.0)
