from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.signals import scoring
from isosoma.signals.monitor import Tick, monitor_start, monitor_tick
from isosoma.signals.rhythm import RHYTHMS
from isosoma.signals.synthetic import Episode, Plan, synthesise


def _run(ecg, hz, chunk, pulse=None, **more):
    ecg = np.atleast_2d(ecg) if ecg.ndim < 3 else ecg
    state = monitor_start(len(ecg), hz, **more)
    n, out = ecg.shape[-1], []
    for i in range(0, n, chunk):
        part = None if pulse is None else pulse[:, i : i + chunk]
        out.append(monitor_tick(state, ecg[..., i : i + chunk], part))
    return state, out


def _gather(parts: list[Tick]):
    beats = [np.concatenate(c) for c in zip(*(p.beats for p in parts), strict=True)]
    rows = np.stack([*beats, np.concatenate([p.rhythm for p in parts])])
    rows = rows[:, np.argsort(rows[0], kind="stable")]
    events = np.stack([np.concatenate(c) for c in zip(*(p.events for p in parts), strict=True)])
    return rows, events


def _alarms(state, parts):
    _, e = _gather(parts)
    return [(state.rules[int(r)].name, t) for _, r, t, up in e.T if up]


@pytest.mark.parametrize("hz", [128.0, 250.0, 360.0])
def test_any_chunking_gives_the_same_bits(hz: float) -> None:
    episodes = (Episode("af", 20.0, 30.0), Episode("lost", 32.0, 35.0), Episode("vf", 45.0, 55.0))
    plan = Plan(ventricular=0.1, supraventricular=0.1, noise=40e-6, episodes=episodes)
    made = [synthesise(70.0, hz, seed, plan) for seed in (1, 2)]
    ecg = np.stack([[one.ecg, np.roll(one.ecg, 3)] for one in made])
    pulse = np.stack([one.plethysmogram for one in made])
    whole = _gather(_run(ecg, hz, ecg.shape[2], pulse, leads=2)[1])
    assert whole[0].shape[1] > 100
    for chunk in (1, 7, 36, 360):
        got = _gather(_run(ecg, hz, chunk, pulse, leads=2)[1])
        np.testing.assert_array_equal(got[0], whole[0])
        np.testing.assert_array_equal(got[1], whole[1])


@pytest.mark.parametrize("hz", [128.0, 250.0, 500.0, 1000.0])
def test_beats_of_known_truth_are_found_at_every_rate(hz: float) -> None:
    made = synthesise(60.0, hz, 3, Plan(ventricular=0.08, noise=25e-6))
    _, parts = _run(made.ecg, hz, int(hz))
    rows, _ = _gather(parts)
    found = rows[1].astype(np.int64)
    truth = np.round(made.r * hz).astype(np.int64)
    counted = scoring.score(truth, found, int(0.03 * hz))
    assert scoring.f1(counted) > 0.98
    assert np.quantile((rows[2] - rows[1]) / hz, 0.95) < 0.35
    pair = scoring.match(truth, np.sort(found), int(0.1 * hz))
    kinds = np.array(list("NSV"))[rows[3].astype(int)][np.argsort(found)]
    hit = pair >= 0
    hit[:16] = False  # before the templates are known
    assert (kinds[pair[hit]][made.kinds[hit] == "V"] == "V").mean() > 0.8
    assert (kinds[pair[hit]][made.kinds[hit] == "N"] == "V").mean() < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_asystole_is_raised_within_ten_seconds_and_ends(seed: int) -> None:
    made = synthesise(70.0, 250.0, seed, Plan(episodes=(Episode("asystole", 30.0, 50.0),)))
    state, parts = _run(made.ecg, 250.0, 250)
    first = [t for n, t in _alarms(state, parts) if n == "asystole"]
    assert len(first) == 1
    assert 33.0 <= first[0] <= 40.0
    assert not state.events.raised.any()
    assert RHYTHMS[state.rhythm.code[0]] == "sinus"


def test_an_exact_flat_line_is_asystole_and_a_technical_alarm() -> None:
    made = synthesise(60.0, 250.0, 5, Plan(episodes=(Episode("flat", 30.0, 60.0),)))
    state, parts = _run(made.ecg, 250.0, 250)
    names = [n for n, _ in _alarms(state, parts)]
    assert "asystole" in names
    assert "unchanging signal" in names


def test_a_lead_off_is_no_asystole() -> None:
    made = synthesise(60.0, 250.0, 5, Plan(episodes=(Episode("lost", 30.0, 45.0),)))
    state, parts = _run(made.ecg, 250.0, 250)
    assert [n for n, _ in _alarms(state, parts)] == ["no signal"]


@pytest.mark.parametrize("proof", ["pulse", "lead"])
def test_evidence_of_a_beating_heart_forbids_asystole(proof: str) -> None:
    made = synthesise(60.0, 250.0, 6)
    ecg = made.ecg.copy()
    rng = np.random.default_rng(0)
    ecg[30 * 250 :] = 5e-6 * rng.standard_normal(len(ecg) - 30 * 250)
    if proof == "pulse":
        state, parts = _run(ecg, 250.0, 250, made.plethysmogram[None])
    else:
        both = np.stack([ecg, made.ecg])[None]
        state, parts = _run(both, 250.0, 250, leads=2)
    assert "asystole" not in [n for n, _ in _alarms(state, parts)]
    state, parts = _run(ecg, 250.0, 250)
    assert "asystole" in [n for n, _ in _alarms(state, parts)]


@pytest.mark.parametrize("seed", range(4))
def test_fibrillation_is_raised_within_ten_seconds(seed: int) -> None:
    made = synthesise(60.0, 250.0, seed, Plan(episodes=(Episode("vf", 30.0, 60.0),)))
    state, parts = _run(made.ecg, 250.0, 250)
    at = [t for n, t in _alarms(state, parts) if n == "ventricular fibrillation"]
    assert at
    assert 31.0 < at[0] <= 40.0


def test_ventricular_tachycardia_is_raised() -> None:
    made = synthesise(60.0, 250.0, 2, Plan(episodes=(Episode("vt", 30.0, 45.0),)))
    state, parts = _run(made.ecg, 250.0, 250)
    at = [t for n, t in _alarms(state, parts) if n == "ventricular tachycardia"]
    assert at
    assert 31.0 < at[0] <= 40.0


def test_atrial_fibrillation_is_told_from_sinus() -> None:
    plans = [Plan(episodes=(Episode("af", 0.0, 150.0),)), Plan()]
    made = np.stack([synthesise(150.0, 250.0, 9, plan).ecg for plan in plans])
    state, _ = _run(made, 250.0, 250)
    assert [RHYTHMS[c] for c in state.rhythm.code] == ["atrial fibrillation", "sinus"]


def test_a_healthy_patient_raises_nothing() -> None:
    for seed in range(6):
        made = synthesise(120.0, 250.0, seed, Plan(noise=40e-6, wander=200e-6))
        state, parts = _run(made.ecg, 250.0, 250, made.plethysmogram[None])
        assert _alarms(state, parts) == []


def test_each_patient_is_alone() -> None:
    plans = [Plan(), Plan(episodes=(Episode("lost", 5.0, 20.0),)), Plan(rate=2.0)]
    ecg = np.stack([synthesise(40.0, 250.0, i, p).ecg for i, p in enumerate(plans)])
    together = _gather(_run(ecg, 250.0, 250)[1])[0]
    for i, one in enumerate(ecg):
        alone = _gather(_run(one, 250.0, 250)[1])[0]
        np.testing.assert_array_equal(together[1:, together[0] == i], alone[1:])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_leave_no_trace(bad: float) -> None:
    made = synthesise(60.0, 250.0, 4)
    ecg = made.ecg.copy()
    ecg[20 * 250 + 10] = bad
    ecg[40 * 250 : 43 * 250] = bad
    rows, _ = _gather(_run(ecg, 250.0, 250)[1])
    assert np.isfinite(rows).all()
    truth = np.round(made.r * 250).astype(np.int64)
    outside = (truth < 39.5 * 250) | (truth > 45.5 * 250)
    pair = scoring.match(truth, np.sort(rows[1].astype(np.int64)), 10)
    assert (pair[outside] >= 0).all()


def test_wrong_shapes_are_refused() -> None:
    state = monitor_start(2, 250.0)
    with pytest.raises(RangeError):
        monitor_tick(state, np.zeros((3, 10)))
    with pytest.raises(RangeError):
        monitor_tick(state, np.zeros((2, 2, 10)))
    with pytest.raises(RangeError):
        monitor_tick(state, np.zeros((2, 10)), np.zeros((2, 9)))
    with pytest.raises(RangeError):
        monitor_start(1, 20.0)
    assert state.seen == 0


def _counted_twice() -> np.ndarray:
    """Two leads at 96/min: the first has a spike like a QRS 250 ms after each R."""
    made = synthesise(90.0, 250.0, 12, Plan(rate=1.6, variability=0.3))
    first = made.ecg.copy()
    for r in np.round(made.r * 250).astype(int):
        first[r + 60 : r + 66] += 1e-3
    return np.stack([first, made.ecg])[None]


def test_a_lead_that_counts_twice_raises_no_tachycardia_beside_an_even_one() -> None:
    both = _counted_twice()
    state, parts = _run(both, 250.0, 250, leads=2)
    assert "extreme tachycardia" not in [n for n, _ in _alarms(state, parts)]
    state, parts = _run(both[:, 0], 250.0, 250)
    assert "extreme tachycardia" in [n for n, _ in _alarms(state, parts)]


def test_a_true_tachycardia_is_raised_whatever_the_other_lead_misses() -> None:
    made = synthesise(40.0, 250.0, 13, Plan(rate=2.8, variability=0.2))
    half = made.ecg.copy()
    for r in np.round(made.r[::2] * 250).astype(int):
        half[max(r - 20, 0) : r + 20] = half[max(r - 20, 0)]
    state, parts = _run(np.stack([made.ecg, half])[None], 250.0, 250, leads=2)
    assert "extreme tachycardia" in [n for n, _ in _alarms(state, parts)]
