"""Random numbers, the transform filter, the smoother, the gate and scores against their oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.infer import esmda, etkf, scores
from isosoma.infer.elementary import exp, log, normal_cdf, normal_quantile
from isosoma.infer.gate import Gate, factor, step_streak, surprised_together
from isosoma.infer.informed import informed
from isosoma.infer.rtps import relax
from isosoma.infer.walk import tau_of


def exact(rng, N, n):
    """Members (N, n) with sample mean 0 and sample covariance 1, up to rounding."""
    raw = rng.standard_normal((N, n))
    raw -= raw.mean(axis=0)
    q, _ = np.linalg.qr(raw)
    return q * math.sqrt(N - 1)


@settings(deadline=None)
@given(st.floats(-700.0, 700.0))
def test_exp_agrees_with_the_library(x):
    assert exp(x) == pytest.approx(math.exp(x), rel=4e-16)


@settings(deadline=None)
@given(st.floats(1e-300, 1e300))
def test_log_agrees_with_the_library(x):
    assert log(x) == pytest.approx(math.log(x), rel=4e-16, abs=4e-16)


@settings(deadline=None)
@given(st.floats(1e-12, 1.0 - 1e-12))
def test_quantile_inverts_the_distribution(u):
    assert normal_cdf(normal_quantile(u)) == pytest.approx(u, rel=1e-12)


def test_transform_filter_is_the_kalman_filter_where_all_is_linear():
    rng = np.random.default_rng(1)
    N, n, p = 40, 5, 3
    Z = exact(rng, N, n) @ rng.standard_normal((n, n)) + rng.standard_normal(n)
    H, R = rng.standard_normal((p, n)), np.array([0.3, 1.0, 2.0])
    y = rng.standard_normal(p)
    before = Z.copy()
    P, m = np.cov(Z.T), Z.mean(axis=0)
    K = P @ H.T @ np.linalg.inv(H @ P @ H.T + np.diag(R))
    out = etkf.update(Z, Z @ H.T, y, R)
    assert out.mean(axis=0) == pytest.approx(m + K @ (y - H @ m), abs=1e-10)
    assert np.cov(out.T) == pytest.approx(P - K @ H @ P, abs=1e-10)
    assert np.array_equal(Z, before)


def test_update_refuses_what_does_not_fit():
    Z, Y = np.zeros((4, 2)), np.zeros((4, 1))
    with pytest.raises(ModelError, match="do not fit"):
        etkf.update(Z, Y, np.zeros(2), np.ones(2))
    with pytest.raises(ModelError, match="finite"):
        etkf.update(Z, Y, np.array([np.nan]), np.ones(1))
    with pytest.raises(ModelError, match="positive"):
        etkf.update(Z, Y, np.zeros(1), np.zeros(1))


def test_relaxation_in_passing_is_relaxation_by_itself():
    rng = np.random.default_rng(2)
    Z = rng.standard_normal((30, 3))
    y, R = np.array([0.5]), np.array([0.2])
    plain = etkf.update(Z, Z[:, :1], y, R)
    together = etkf.update(Z, Z[:, :1], y, R, relax=0.3)
    assert together == pytest.approx(relax(plain, Z, 0.3), abs=1e-12)


def lorenz(x):
    """Lorenz 1996, 40 variables on the last axis, F = 8: one Runge-Kutta step of .05."""

    def slope(v):
        return (np.roll(v, -1, -1) - np.roll(v, 2, -1)) * np.roll(v, 1, -1) - v + 8.0

    k1 = slope(x)
    k2 = slope(x + 0.025 * k1)
    k3 = slope(x + 0.025 * k2)
    return x + 0.05 / 6.0 * (k1 + 2 * k2 + 2 * k3 + slope(x + 0.05 * k3))


def test_lorenz_96_is_tracked_as_published():
    rng = np.random.default_rng(0)
    truth = 8.0 + 0.01 * rng.standard_normal(40)
    for _ in range(1000):
        truth = lorenz(truth)
    Z = truth + rng.standard_normal((24, 40))
    errors = []
    for t in range(1500):
        truth, Z = lorenz(truth), lorenz(Z)
        Z = Z.mean(axis=0) + 1.02 * (Z - Z.mean(axis=0))
        Z = etkf.update(Z, Z, truth + rng.standard_normal(40), np.ones(40))
        if t >= 500:
            errors.append(np.sqrt(np.mean((Z.mean(axis=0) - truth) ** 2)))
    assert 0.17 < np.mean(errors) < 0.20


def test_smoother_meets_the_linear_posterior():
    rng = np.random.default_rng(3)
    Z = rng.standard_normal((20_000, 3))
    H, y, R = rng.standard_normal((2, 3)), np.array([1.0, -0.5]), np.array([1.0, 1.0])
    K = H.T @ np.linalg.inv(H @ H.T + np.diag(R))
    done = esmda.calibrate(Z, lambda z: z @ H.T, y, R, 7)
    assert done.z.mean(axis=0) == pytest.approx(K @ y, abs=0.05)
    assert np.cov(done.z.T) == pytest.approx(np.eye(3) - K @ H, abs=0.1)


@settings(deadline=None)
@given(st.integers(1, 12), st.floats(1.1, 4.0))
def test_passes_add_up_to_one(count, ratio):
    for alphas in (esmda.equal_passes(count), esmda.geometric_passes(count, ratio)):
        assert math.fsum(1.0 / a for a in alphas) == pytest.approx(1.0)


def test_gate_accepts_softens_rejects_and_suspects():
    gate = Gate()
    assert factor(2.5, gate) == 1.0
    assert factor(-3.0, gate) == pytest.approx(1.44)
    assert factor(4.1, gate) == math.inf
    assert factor(4.1, gate, believed=True) < math.inf
    streak = 0
    for nu in (-5.0, -6.0, -5.0):
        streak = step_streak(streak, nu, gate)
    assert streak == -3
    assert step_streak(streak, 5.0, gate) == 1
    assert step_streak(streak, 1.0, gate) == 0
    found = [("map", "cuff", -5.0), ("map", "line", -6.0), ("hr", "ecg", 5.0), ("hr", "ppg", -5.0)]
    assert surprised_together(found, gate) == {"map"}


def test_crps_is_the_mean_distance_less_half_the_spread():
    rng = np.random.default_rng(4)
    x = rng.standard_normal(50)
    direct = np.abs(x - 0.3).mean() - 0.5 * np.abs(x[:, None] - x[None, :]).mean()
    assert float(scores.crps(x[None, :], np.array([0.3]))[0]) == pytest.approx(direct)


def test_what_the_data_did_not_inform_is_said():
    z = np.random.default_rng(5).standard_normal((4000, 2)) * np.array([0.5, 0.97])
    tight, loose = informed(("resistance", "contractility"), z)
    assert tight.by_data
    assert not loose.by_data
    assert loose.sentence == "contractility: not informed by your data"


def test_a_walk_has_the_noise_it_was_asked_for():
    tau = tau_of(0.08, 1200.0)
    assert math.sqrt(1.0 - math.exp(-1200.0 / tau) ** 2) == pytest.approx(0.08)
