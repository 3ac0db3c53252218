"""Mean and systolic of a wave of known truth, what no heart makes, and alarms that know age."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import ModelError, RangeError
from isosoma.core.units import to_si
from isosoma.signals.events import MEASURES, RULES, events_start, events_tick, individual, rules_for
from isosoma.signals.monitor import monitor_start, monitor_tick
from isosoma.signals.pressure import wave_pressures
from isosoma.signals.pressure_limits import limit_at, pressure_limits
from isosoma.signals.synthetic import Plan, synthesise

MMHG, HZ = to_si(1.0, "mm[Hg]"), 250.0


def line(seconds, seed=1, mean=92.0, swing=1.0, **plan):
    """ECG [V] and pressure [Pa] of a patient with a mean pressure [mmHg]."""
    made = synthesise(seconds, HZ, seed, Plan(**plan))
    p = made.pressure
    return made.ecg, mean * MMHG + swing * (p - p.mean())


def alarms(ecg, pressure, rules=RULES):
    """Return (name, instant, begins) of every change."""
    state = monitor_start(1, HZ, rules)
    e = monitor_tick(state, ecg[None], pressure[None], "arterial_pressure").events
    return [(state.rules[k].name, float(t), bool(up))
            for k, t, up in zip(e.rule, e.at, e.raised, strict=True)]  # fmt: skip


def begun(ecg, pressure, rules=RULES):
    return [name for name, _, up in alarms(ecg, pressure, rules) if up]


@pytest.mark.parametrize("rate", [0.7, 1.2, 2.0, 3.2])
@pytest.mark.parametrize("mean", [25.0, 65.0, 150.0])
def test_pressures_of_a_known_wave(rate, mean):
    """A pulse of a given shape at any rate and level."""
    t = np.arange(0, 5.0, 1 / 62.5)
    phase = (t * rate) % 1.0
    wave = np.where(phase < 0.15, phase / 0.15, np.exp(-2.5 * (phase - 0.15)))
    x = (mean + 40.0 * wave) * MMHG
    whole = x[: round(np.floor(5.0 * rate) / rate * 62.5)]
    got, top = wave_pressures(x, 62.5)
    assert got == pytest.approx(whole.mean(), abs=3.0 * MMHG)
    assert top == pytest.approx((mean + 40.0) * MMHG, abs=3.0 * MMHG)


def test_what_no_heart_makes_has_no_pressure():
    t = np.arange(0, 5.0, 1 / 62.5)
    _, usual = line(20.0)
    beats = usual[2500:3750:4]
    flush = beats.copy()
    flush[100:220] = 280.0 * MMHG
    ringing = beats + 150.0 * MMHG * np.sin(2 * np.pi * 9.0 * t[: len(beats)])
    for wave in (np.full(312, 80.0 * MMHG), flush, ringing, 40.0 * beats, 80.0 * MMHG * t):
        assert np.isnan(wave_pressures(wave, 62.5)).all()
    assert np.isfinite(wave_pressures(beats, 62.5)).all()


@pytest.mark.parametrize(
    ("mean", "told"),
    [
        (92.0, []),
        (58.0, ["low arterial pressure"]),
        (38.0, ["very low arterial pressure"]),
        (132.0, ["high arterial pressure"]),
    ],
)
def test_one_alarm_says_what_is_wrong(mean, told):
    """A systolic that is low or high with its mean says nothing more."""
    assert begun(*line(90.0, mean=mean)) == told


def test_a_narrow_or_wide_pulse_is_told_by_its_systolic():
    assert begun(*line(90.0, mean=75.0, swing=0.35)) == ["low systolic pressure"]
    assert begun(*line(90.0, mean=112.0, swing=3.8)) == ["high systolic pressure"]


@pytest.mark.parametrize("seed", range(4))
def test_a_fall_is_told_in_time_and_ends_when_it_is_over(seed):
    ecg, pressure = line(240.0, seed=seed)
    t = np.arange(len(pressure)) / HZ
    pressure = pressure - 37.0 * MMHG * np.interp(t, [60, 90, 150, 160], [0, 1, 1, 0])
    said = alarms(ecg, pressure)
    assert [(n, up) for n, _, up in said] == [
        ("low arterial pressure", True),
        ("low arterial pressure", False),
    ]
    crossed = 60.0 + 30.0 * 27.0 / 37.0
    assert crossed + 14.0 <= said[0][1] <= crossed + 22.0
    assert 165.0 <= said[1][1] <= 180.0


def test_a_pressure_that_sways_about_its_limit_is_one_alarm():
    ecg, pressure = line(300.0, mean=64.0, swing=1.8)
    pressure = pressure + 2.0 * MMHG * np.sin(2 * np.pi * np.arange(len(pressure)) / HZ / 25.0)
    assert alarms(ecg, pressure)[0][0] == "low arterial pressure"
    assert len(alarms(ecg, pressure)) == 1


@pytest.mark.parametrize("what", ["flush", "zero", "lost", "spikes"])
def test_what_is_done_to_a_line_raises_no_pressure_alarm(what):
    ecg, pressure = line(180.0)
    at = slice(60 * 250, 75 * 250)
    rng = np.random.default_rng(1)
    if what == "spikes":
        for i in rng.integers(50 * 250, 120 * 250, 25):
            pressure[i : i + 60] += rng.choice([-1, 1]) * 90.0 * MMHG
    else:
        pressure[at] = {"flush": 290.0 * MMHG, "zero": 0.0, "lost": np.nan}[what]
    told = begun(ecg, pressure)
    assert not [n for n in told if "arterial pressure" in n and n != "no arterial pressure"]
    assert not [n for n in told if "systolic" in n]
    assert ("no arterial pressure" in told) == (what == "lost")
    assert ("no pulse" in told) == (what in ("flush", "zero")), "a lost line is not a lost pulse"


def test_a_moved_transducer_is_not_silenced():
    """It may be the sensor, as the finding says; the alarm says what the line reads."""
    ecg, pressure = line(120.0, mean=75.0)
    pressure[40 * 250 :] -= 15.4 * MMHG  # raised by 20 cm
    assert begun(ecg, pressure) == ["low arterial pressure"]


def test_irregular_beats_do_not_hide_a_low_pressure():
    made = line(120.0, mean=52.0, ventricular=0.2, supraventricular=0.2)
    assert "low arterial pressure" in begun(*made)


def test_a_newborns_usual_pressure_is_none_of_its_alarms():
    made = line(90.0, mean=45.0, swing=0.8, rate=2.2)
    newborn = rules_for(pressure_limits(0.02))
    assert begun(*made, newborn) == []
    assert begun(*made) == ["very low arterial pressure"]
    assert begun(*line(90.0, mean=30.0, swing=0.5, rate=2.2), newborn) == ["low arterial pressure"]


def test_limits_grow_with_age_and_follow_what_is_usual_within_a_quarter():
    ages = [0.0, 0.5, 1.0, 5.0, 10.0, 18.0, 60.0]
    for name in ("low_mean", "high_mean", "low_systolic", "high_systolic"):
        assert (np.diff([limit_at(name, a) for a in ages]) >= 0.0).all()
    for age in ages:
        one = pressure_limits(age)
        assert one.very_low_mean < one.low_mean < one.high_mean < one.high_systolic
        assert one.low_mean < one.low_systolic < one.high_systolic
    assert pressure_limits() == pressure_limits(40.0)
    usual = pressure_limits(60.0, 100.0 * MMHG)
    assert usual.low_mean == pytest.approx(75.0 * MMHG)
    assert pressure_limits(60.0, 300.0 * MMHG).low_mean == pytest.approx(1.25 * 65.0 * MMHG)
    assert pressure_limits(60.0, 10.0 * MMHG).low_mean == pytest.approx(0.75 * 65.0 * MMHG)
    with pytest.raises(RangeError, match="is no age"):
        pressure_limits(-1.0)


def test_each_patient_of_a_fleet_has_limits_of_its_own():
    state = events_start(2, rules_for(pressure_limits()))
    individual(state, 1, rules_for(pressure_limits(0.02)))
    values = np.full((2, len(MEASURES)), np.nan)
    values[:, MEASURES.index("mean_pressure")] = 46.5 * MMHG
    told = [events_tick(state, values, float(t)) for t in range(20)]
    assert [(p, RULES[k].name) for e in told for p, k in zip(e.patient, e.rule, strict=True)] == [
        (0, "low arterial pressure")
    ]
    with pytest.raises(ModelError, match="other rules"):
        individual(state, 0, RULES[:3])
