"""Waveforms: rails, gaps and dead lines are caught; asystole and fibrillation are patients."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.observation import WITHHOLD_BELOW, Waveform
from isosoma.quality import judge, judge_many, start
from isosoma.quality.ecg import (
    beat_agreement,
    indices,
    kurtosis,
    smoothed,
    template_agreement,
    weight_of,
)
from isosoma.quality.waveform import dead, saturated

S = 1_000_000_000
HZ = 250.0
LSB = 5e-6
MMHG = 133.322387415


def wave(counts, at=0.0, variable="ecg", scale=LSB, **more):
    x = np.clip(np.asarray(counts), -32768, 32767).astype(np.int16)
    return Waveform("p", variable, round(at * S), round((at + 10) * S), HZ, x, scale, **more)


def sinus(seed=0, seconds=10.0, rate=1.2, noise=1.0):
    g = np.random.default_rng(seed)
    t = np.arange(int(seconds * HZ)) / HZ
    p = ((t * rate + g.uniform()) % 1) / rate
    shape = (
        20 * np.exp(-(((p - 0.10) / 0.03) ** 2))
        + 200 * np.exp(-(((p - 0.27) / 0.012) ** 2))
        - 40 * np.exp(-(((p - 0.30) / 0.010) ** 2))
        + 45 * np.exp(-(((p - 0.52) / 0.06) ** 2))
    )
    return shape + 15 * np.sin(0.3 * 2 * np.pi * t) + g.normal(0, noise, t.size)


def weight(counts, **more):
    return judge(start(), wave(counts, **more))[1].weight


@pytest.mark.parametrize("seed", range(5))
def test_sinus_rhythm_is_good(seed):
    assert weight(sinus(seed)) == 1.0
    assert weight(sinus(seed, rate=2.6)) > 0.6  # a newborn's


def test_a_converter_that_overflows_is_seen():
    large = 150 * sinus()
    over = (large + 8000 + 2**15) % 2**16 - 2**15
    assert np.abs(np.diff(over)).max() > 50_000
    verdict = judge(start(), wave(over))[1]
    assert "overflowed" in verdict.reason
    assert verdict.weight <= 0.2
    assert "overflowed" not in judge(start(), wave(large))[1].reason


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_asystole_is_never_withheld(noise):
    g = np.random.default_rng(1)
    t = np.arange(2500) / HZ
    line = 12 * np.sin(0.25 * 2 * np.pi * t) + g.normal(0, noise, t.size)
    _, v = judge(start(), wave(line))
    assert v.weight >= WITHHOLD_BELOW
    assert "asystole" in v.reason


def test_fibrillation_is_doubted_and_not_called_impossible():
    g = np.random.default_rng(2)
    t = np.arange(2500) / HZ
    f = 5 + 0.5 * np.sin(0.4 * t)
    vf = 80 * np.sin(2 * np.pi * f * t + g.normal(0, 0.05, t.size).cumsum())
    assert 0 < weight(vf) < 1


def test_dead_line_and_rail():
    dead = np.zeros(2500)
    assert weight(dead) == 0.0
    part = sinus()
    part[1000:1200] = 3
    assert weight(part) == pytest.approx(0.3)
    assert weight(np.clip(sinus() * 3, -300, 300)) < WITHHOLD_BELOW


def test_noise_and_gaps():
    g = np.random.default_rng(3)
    assert weight(g.normal(0, 150, 2500)) < WITHHOLD_BELOW
    assert weight(sinus(), missing=((0, 500),)) == pytest.approx(0.8)
    assert weight(sinus(), missing=((0, 2500),)) == 0.0


def test_flush_of_an_arterial_line_and_pressure_without_pulse():
    t = np.arange(2500) / HZ
    abp = 90 + 20 * np.sin(2 * np.pi * 1.2 * t)
    flush = abp.copy()
    flush[500:700] = 290 + 0.2 * np.sin(np.arange(200))
    line = {"variable": "arterial_pressure", "scale": 0.1 * MMHG}
    g = np.random.default_rng(0)
    assert weight(10 * abp, **line) == 1.0
    assert weight(10 * flush, **line) < WITHHOLD_BELOW
    assert weight(550 + g.normal(0, 2, 2500), **line) == 1.0  # bypass, MAP 55


def test_live_blocks_remember_ten_seconds_and_long_blocks_are_cut():
    x = sinus(4, 30)
    state = start()
    verdicts = []
    for i in range(0, x.size, 125):
        state, v = judge(state, wave(x[i : i + 125], at=i / HZ))
        verdicts.append(v.weight)
    assert min(verdicts) == 1.0
    g = np.random.default_rng(5)
    for i in range(20):
        state, v = judge(state, wave(g.normal(0, 150, 125), at=30 + i / 2))
    assert v.weight < WITHHOLD_BELOW
    assert weight(x) == 1.0
    _, [v] = judge_many(start(), [wave(np.concatenate((x, g.normal(0, 150, 2500))))])
    assert v.weight == 1.0
    assert "1 of 4 windows" in v.reason


def test_indices_have_their_textbook_values():
    g = np.random.default_rng(0)
    assert kurtosis(g.normal(size=200_000)) == pytest.approx(3, abs=0.05)
    a = np.array([100, 300, 500])
    assert beat_agreement(a, a + 10, HZ) == 1.0
    assert beat_agreement(a, np.array([100, 900]), HZ) == pytest.approx(1 / 4)
    assert beat_agreement(a, np.zeros(0, np.int64), HZ) == 0.0
    x = sinus(0, noise=0.0) - 15 * np.sin(0.3 * 2 * np.pi * np.arange(2500) / HZ)
    assert template_agreement(x, np.round(np.arange(1, 11) * HZ / 1.2).astype(np.int64), HZ) > 0.95
    assert weight_of(indices(sinus(), HZ)) == 1.0


def lines(shortest):
    counts = st.integers(-32768, 32767)
    return st.lists(counts, min_size=shortest, max_size=60).map(lambda x: np.array(x, np.int16))


@settings(deadline=None)  # the first call compiles
@given(lines(1), st.integers(1, 80))
def test_moving_average_is_the_convolution_it_stands_for(x, width):
    own = min(width, x.size)
    volts = x.astype(np.float64)
    plain = np.convolve(volts, np.full(own, 1 / own), mode="same")
    np.testing.assert_allclose(smoothed(volts, width), plain, atol=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 12)), min_size=1, max_size=8))
def test_a_rail_is_a_long_extreme_entered_or_left_by_a_step(runs):
    """Against the definition, run by run; neighbours of one value are one run."""
    merged = [[v, 0] for i, (v, _) in enumerate(runs) if not i or runs[i - 1][0] != v]
    at = -1
    for i, (v, n) in enumerate(runs):
        at += not i or runs[i - 1][0] != v
        merged[at][1] += n
    x = np.concatenate([np.full(n, 10 * v, np.int16) for v, n in merged])
    values = [10 * v for v, _ in merged]
    step = max(3.0, 0.05 * (max(values) - min(values)))
    jumps = [abs(b - a) for a, b in pairwise(values)]
    long = [i for i, (v, n) in enumerate(merged) if n >= 5 and 10 * v in (min(values), max(values))]
    near = [jumps[j] for i in long for j in (i - 1, i) if 0 <= j < len(jumps)]
    expected = x.size >= 8 and bool(near) and max(near) >= step
    assert (saturated(x) is not None) == expected


@settings(deadline=None)
@given(lines(20), st.integers(1, 40), st.integers(0, 19))
def test_a_still_line_is_told_by_its_longest_run(x, length, at):
    still = np.concatenate((x[:at], np.full(length, 7, np.int16), x[at:]))
    longest = max(len(list(group)) for _, group in groupby(still.tolist()))
    found = dead(still, 40.0)
    assert (found is not None) == (longest > 20)
    whole = longest >= min(80, still.size)
    assert found is None or found.weight == (0.0 if whole else 0.3)
