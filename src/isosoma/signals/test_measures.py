"""COSEn, fibrillation, pulsatility, quality indices and scoring: against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.signals.cosen import AF_ABOVE, cosen
from isosoma.signals.fibrillation import fibrillation
from isosoma.signals.pulsatile import pulsatile
from isosoma.signals.quality_indices import beats_by_energy, bsqi, ksqi, tsqi
from isosoma.signals.scoring import Score, drop, f1, match, roc_area, score
from isosoma.signals.synthetic import Plan, synthesise


def _plain_cosen(rr: np.ndarray) -> float:
    """The same from the printed definition, without bins."""
    n = len(rr) - 1
    for k in range(28):
        r = round(0.030 + 0.010 * k, 3)
        a = b = 0
        for i in range(n):
            for j in range(i + 1, n):
                if abs(rr[i] - rr[j]) < r:
                    b += 1
                    a += abs(rr[i + 1] - rr[j + 1]) < r
        if a >= 5 or k == 27:
            return math.log(b / a) + math.log(2 * r) - math.log(rr.mean())
    raise AssertionError


@pytest.mark.parametrize("seed", range(6))
def test_cosen_is_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rr = np.clip(0.8 + 0.05 * (seed + 1) * rng.standard_normal(64), 0.3, 2.0)
    assert cosen(rr) == pytest.approx(_plain_cosen(rr), abs=1e-9)


def test_cosen_tells_fibrillation_from_breathing() -> None:
    rng = np.random.default_rng(1)
    assert cosen(np.clip(0.7 + 0.18 * rng.standard_normal(64), 0.3, 2.0)) > AF_ABOVE
    assert cosen(0.8 + 0.05 * np.sin(np.arange(64)) + 0.005 * rng.standard_normal(64)) < AF_ABOVE
    assert math.isnan(cosen(np.full(64, 3.5)))
    assert math.isnan(cosen(np.full(5, 0.8)))


@pytest.mark.parametrize("hz", [3.0, 4.0, 6.0])
def test_a_sine_fibrillates_and_a_rhythm_does_not(hz: float) -> None:
    t = np.arange(240) / 60.0
    assert fibrillation(np.sin(2 * np.pi * hz * t), 60.0) < 0.2
    made = synthesise(10.0, 250.0, 1)
    slow = made.ecg[1000:2000].reshape(-1, 4).mean(axis=1)
    assert fibrillation(slow - slow.mean(), 62.5) == 1.0
    assert fibrillation(np.zeros(240), 60.0) == 1.0


@given(st.integers(0, 50))
def test_noise_is_no_fibrillation(seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(240)
    assert fibrillation(x, 60.0) == 1.0


@given(st.integers(0, 50))
def test_pulses_are_pulsatile_and_noise_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = synthesise(12.0, 250.0, seed, Plan(rate=float(rng.uniform(0.9, 2.2))))
    x = made.plethysmogram[5 * 250 : 10 * 250].reshape(-1, 5).mean(axis=1)
    assert pulsatile(x, 50.0)
    assert not pulsatile(rng.standard_normal(250), 50.0)
    assert not pulsatile(np.cumsum(rng.standard_normal(250)) * 0.0, 50.0)


def test_quality_indices_fall_with_noise() -> None:
    made = synthesise(10.0, 250.0, 2)
    good, bad = made.ecg, made.ecg + 6e-4 * np.random.default_rng(0).standard_normal(2500)
    truth = np.round(made.r * 250).astype(np.int64)
    found = beats_by_energy(good, 250.0)
    assert bsqi(truth, found, 250.0) > 0.9
    assert ksqi(good) > 5.0 > ksqi(bad)
    assert tsqi(good, truth, 250.0) > 0.95
    assert tsqi(bad, beats_by_energy(bad, 250.0), 250.0) < 0.7
    assert bsqi(truth, beats_by_energy(bad, 250.0), 250.0) < bsqi(truth, found, 250.0)
    assert ksqi(np.ones(100)) == 0.0
    assert bsqi(truth[:0], truth[:0], 250.0) == 0.0
    assert len(beats_by_energy(np.zeros(2500), 250.0)) == 0


def test_scoring_walks_as_the_rule_says() -> None:
    beats, found = np.array([100, 200, 300]), np.array([60, 104, 260, 302, 500])
    assert match(beats, found, 50).tolist() == [1, -1, 3]
    counted = score(beats, found, 50)
    assert counted == Score(2, 3, 5)
    assert f1(counted) == pytest.approx(4 / 8)
    assert score(beats, found, 50, [(250, 600)]) == Score(1, 2, 2)
    assert drop(beats, [(200, 200)]).tolist() == [True, False, True]
    assert f1(Score(0, 0, 0)) == 1.0
    assert counted + counted == Score(4, 6, 10)


@given(st.lists(st.integers(0, 5000), unique=True), st.lists(st.integers(0, 5000), unique=True))
def test_matches_are_one_to_one_and_within_reach(a: list[int], b: list[int]) -> None:
    beats, found = np.sort(np.array(a, np.int64)), np.sort(np.array(b, np.int64))
    pair = match(beats, found, 54)
    used = pair[pair >= 0]
    assert len(set(used.tolist())) == len(used)
    assert (np.abs(found[used] - beats[pair >= 0]) <= 54).all()


def test_roc_area_counts_ties_half() -> None:
    assert roc_area(np.array([1.0, 2.0]), np.array([0.0, 1.0])) == pytest.approx(3.5 / 4)
