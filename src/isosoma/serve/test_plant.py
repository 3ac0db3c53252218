"""Signals of the hidden patient: in step with each other, without a seam, moved with the sensor."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.quality.levelling import PER_CM
from isosoma.serve.hidden import hidden, history, resting, started
from isosoma.serve.plant import AHEAD, HZ, PIECE, Sensors, advanced, signals_of, stilled
from isosoma.serve.synthetic import MMHG
from isosoma.signals import beats

TRUTH = hidden(5)
RUN = started(TRUTH)


def lived(seconds, ring=60.0, acts=(), lowered=lambda _: 0.0):
    signals, run = signals_of(ring, np.random.default_rng(1)), RUN
    for i in range(round(seconds * HZ / PIECE)):
        run = advanced(run, acts, signals, Sensors(lowered(i * PIECE / HZ)))
    return signals, run


@pytest.fixture(scope="module")
def half_a_minute():
    return lived(30.0)


def whole(signals):
    """The samples that may be shown."""
    n = signals.made - int(AHEAD * HZ)
    return signals.ecg[:n], signals.line[:n], signals.pulse[:n]


def test_the_rate_of_the_ecg_is_that_of_the_circulation(half_a_minute):
    signals, _ = half_a_minute
    ecg, _, _ = whole(signals)
    state = beats.start(1, HZ)
    r = beats.tick(state, ecg[None]).r
    rate = HZ / np.median(np.diff(r))
    assert rate == pytest.approx(resting(RUN)["heart_rate"], rel=0.02)


def test_pressure_rises_after_each_r_and_the_pulse_after_the_pressure(half_a_minute):
    ecg, line, pulse = whole(half_a_minute[0])
    r = beats.tick(beats.start(1, HZ), ecg[None]).r
    for at in r[3:-2]:
        beat = slice(int(at), int(at) + 150)
        steepest = np.diff(line[beat]).argmax() / HZ
        assert 0.04 < steepest < 0.3, "after the pre-ejection period, late behind a narrow valve"
        assert pulse[beat].argmax() > line[beat].argmax()
    assert line.min() > 30 * MMHG
    assert 0.2 < pulse.max() < 3.0


def test_there_is_a_p_wave_before_an_r_that_was_not_known_yet(half_a_minute):
    ecg, _, _ = whole(half_a_minute[0])
    r = beats.tick(beats.start(1, HZ), ecg[None]).r[3:-2]
    around = np.mean([ecg[int(at) - 60 : int(at) - 20] for at in r], axis=0)
    assert around.max() - around[0] > 0.08e-3


def test_rings_go_round_without_a_seam():
    short, _ = lived(14.0, ring=10.0)
    long, _ = lived(14.0, ring=60.0)
    where = np.arange(int(9.5 * HZ), int(13.5 * HZ))
    assert np.array_equal(short.ecg[where % len(short.ecg)], long.ecg[where])
    assert np.array_equal(short.line[where % len(short.line)], long.line[where])


def test_a_lowered_transducer_reads_higher_and_the_patient_is_the_same():
    level, _ = lived(8.0)
    low, run = lived(8.0, lowered=lambda t: 20.0 if t >= 4.0 else 0.0)
    n = int(4.0 * HZ)
    assert np.array_equal(level.line[:n], low.line[:n])
    assert low.line[n : 2 * n] - level.line[n : 2 * n] == pytest.approx(20.0 * PER_CM)
    assert np.array_equal(low.pulse[: 2 * n], level.pulse[: 2 * n])
    assert run.failed[0] == np.False_


def test_bleeding_lowers_the_pressure():
    acts = interventions(read_acts(["bleed 1500 mL in 20 s"]), TRUTH.person)
    bled, _ = lived(40.0, acts=acts)
    well, _ = lived(40.0)
    last = slice(int(35 * HZ), int(40 * HZ))
    assert bled.line[last].mean() < well.line[last].mean() - 8 * MMHG


def test_a_patient_who_has_died_is_silent_and_time_goes_on():
    signals, _ = lived(4.0)
    for _ in range(60):
        stilled(signals, Sensors())
    assert signals.made == 100 * PIECE
    last = slice(signals.made - 500, signals.made)
    assert np.abs(signals.ecg[last]).max() < 0.15e-3
    assert signals.line[last].mean() == pytest.approx(7.0 * MMHG, rel=0.05)


def test_the_past_was_read_of_the_truth_with_noise():
    now = 10**18
    past = history(RUN, now, np.random.default_rng(2))
    assert {o.device for o in past} == {"oximeter", "ecg", "cuff", "echo"}
    assert max(o.at for o in past) < now
    truth = resting(RUN)
    for name in ("mean_arterial_pressure", "heart_rate"):
        read = np.array([o.value for o in past if o.variable == name])
        sigma = next(o.sigma for o in past if o.variable == name)
        assert abs(read.mean() - truth[name]) < 4.0 * sigma / np.sqrt(len(read))
        assert read.std() > 0.0


def test_the_same_seed_is_the_same_truth_and_no_seed_another():
    assert hidden(5) == TRUTH
    assert hidden(6).seal != TRUTH.seal
    assert hidden().seal != hidden().seal
