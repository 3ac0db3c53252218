"""Row operations of the filter, gate, noise, what is informed, and the reference plant."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.infer import etkf
from isosoma.infer import reference_plant as plant
from isosoma.infer.gate import Gate, factor, step_streak
from isosoma.infer.informed import UNINFORMED, informed
from isosoma.infer.noise import HIGH, LOW, Channel, learn, variance
from isosoma.infer.scores import coverage, crps, interval_score, rank
from isosoma.infer.twin_experiment import Experiment, reference_emulator, run, score, settings

NU = st.floats(-8.0, 8.0)


def test_centre_and_dot_are_those_of_numpy():
    a = np.random.default_rng(0).standard_normal(101) + 5.0
    d = np.empty_like(a)
    assert etkf.centre(a, d) == pytest.approx(a.mean())
    np.testing.assert_allclose(d, a - a.mean(), atol=1e-13)
    assert etkf.dot(a, d) == pytest.approx(a @ d)


def test_a_transform_found_once_moves_any_row():
    """Rows that played no part in `transform` are analysed as if they had been in the state."""
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((40, 4))
    y, R = np.array([0.4]), np.array([0.3])
    U, shift, shrink = np.empty((1, 40)), np.empty(1), np.empty(1)
    nis = etkf.transform(np.ascontiguousarray(Z[:, :1].T), y, R, U, shift, shrink)
    assert nis == pytest.approx(
        (0.4 - Z[:, 0].mean()) ** 2 / (Z[:, 0].var(ddof=1) + 0.3), rel=1e-12
    )
    np.testing.assert_allclose(U @ U.T, [[1.0]], atol=1e-12)
    rows, moved = Z.T.copy(), np.empty((4, 3))
    etkf.apply(rows, U, shift, shrink, 0.0, moved)
    np.testing.assert_allclose(rows.T, etkf.update(Z, Z[:, :1], y, R), atol=1e-12)
    np.testing.assert_allclose(moved[:, 1], Z.var(axis=0, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(moved[:, 2], rows.var(axis=1, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(moved[:, 0], rows.mean(axis=1) - Z.mean(axis=0), atol=1e-12)


@given(NU, st.booleans())
def test_the_gate_never_makes_a_reading_better_and_grows_with_surprise(nu, believed):
    gate = Gate()
    times = factor(nu, gate, believed)
    assert times >= 1.0
    assert (times == math.inf) == (abs(nu) > gate.hard and not believed)
    assert factor(nu + math.copysign(0.1, nu), gate, believed) >= times


@given(st.lists(NU, max_size=12))
def test_a_streak_counts_surprises_of_one_sign(nus):
    streak, gate = 0, Gate()
    for nu in nus:
        streak = step_streak(streak, nu, gate)
    tail = 0
    for nu in reversed(nus):
        if abs(nu) <= gate.hard or (tail and (nu > 0) != (nus[-1] > 0)):
            break
        tail += 1
    assert abs(streak) == tail
    assert streak * (nus[-1] if nus else 0.0) >= 0.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.floats(0.1, 100.0))
def test_learned_noise_stays_between_its_bounds(residuals, expected):
    channel = Channel()
    for r in residuals:
        channel = learn(channel, r, 0.5 * r, expected)
    assert LOW <= channel.scale <= HIGH
    assert channel.count == len(residuals)
    assert variance(2.0, 1.0, channel, False) == 5.0


def test_a_ratio_is_that_of_the_prior_and_is_said_in_words():
    z = np.random.default_rng(3).standard_normal((5000, 3)) * [0.3, 1.0, 1.8]
    a, b, c = informed(("Rs", "Emax", "Ca"), z, (1.0, 1.0, 2.0))
    assert a.by_data
    assert "30 %" in a.sentence
    assert b.ratio > UNINFORMED
    assert not b.by_data
    assert c.ratio == pytest.approx(0.9, abs=0.03)


def test_scores_at_hand_sized_examples():
    assert crps(np.array([1.0, 3.0]), np.array(2.0)) == pytest.approx(0.5)
    assert rank(np.array([1.0, 2.0, 5.0]), np.array(2.0)) == 1
    outside = interval_score(np.array(0.0), np.array(1.0), np.array(3.0))
    assert outside == pytest.approx(1.0 + 20.0 * 2.0)
    assert coverage(np.ones((3, 4), np.bool_)).share == 1.0
    with pytest.raises(ModelError, match="no interval"):
        coverage(np.zeros((0, 3), np.bool_))


def test_the_plant_keeps_its_blood_and_follows_its_parameters():
    out = np.empty(5)
    volumes = plant.start(plant.MEAN)
    plant.advance(volumes, plant.MEAN, 72.0, 20, out)
    assert volumes.sum() == pytest.approx(np.exp(plant.MEAN[3]))
    np.testing.assert_allclose(out, plant.baseline())
    assert len(plant.OUTPUTS) == len(plant.SD) == 5
    raised = plant.members(np.array([[1.0, 0, 0, 0, 0], [0, 0, 0, -1.0, 0]]), np.full(2, 72.0))
    assert raised[0, 2] > out[2] > raised[1, 2]
    assert raised[0, 3] < out[3]


def test_an_experiment_is_reproduced_by_its_seed_and_changed_by_another():
    emulator = reference_emulator(2, 512)
    how = settings(emulator, members=32)
    a, b, c = (run(Experiment(2, 14, seed=s), emulator, how) for s in (0, 0, 1))
    np.testing.assert_array_equal(a.outputs, b.outputs)
    assert not np.array_equal(a.truth, c.truth)
    row = score(a)
    assert len(row.coverage) == len(row.ratio) == 5
    assert row.sbp_rmse > 0.0
    assert math.isnan(row.caught)
