from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from isosoma.core.errors import ModelError
from isosoma.infer import elementary, etkf, rtps
from isosoma.infer.censoring import equivalent
from isosoma.infer.esmda import calibrate, equal_passes, geometric_passes, significance_taper
from isosoma.infer.jacobi import eigen
from isosoma.infer.philox import block, normals


def exact(rng, mean, covariance, members):
    """Members whose sample mean and covariance are exactly those given."""
    raw = rng.standard_normal((members, len(mean)))
    raw -= raw.mean(axis=0)
    raw = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return mean + raw @ np.linalg.cholesky(covariance).T


def spd(rng, n):
    a = rng.standard_normal((n, n))
    return a @ a.T + 0.3 * np.eye(n)


@pytest.mark.parametrize("p", [1, 3, 7])
def test_etkf_is_the_kalman_filter_where_that_is_exact(p):
    rng = np.random.default_rng(p)
    n, N = 5, 40
    mean, P, H = rng.standard_normal(n), spd(rng, n), rng.standard_normal((p, n))
    R, y = rng.uniform(0.2, 3.0, p), rng.standard_normal(p) * 3
    Z = exact(rng, mean, P, N)
    out = etkf.update(Z, Z @ H.T, y, R)
    K = P @ H.T @ np.linalg.inv(H @ P @ H.T + np.diag(R))
    np.testing.assert_allclose(out.mean(axis=0), mean + K @ (y - H @ mean), atol=1e-10)
    np.testing.assert_allclose(np.cov(out.T), (np.eye(n) - K @ H) @ P, atol=1e-10)


def test_etkf_leaves_alone_what_is_not_correlated_and_what_it_was_given():
    rng = np.random.default_rng(0)
    Z = exact(rng, np.zeros(2), np.eye(2), 30)
    before = Z.copy()
    out = etkf.update(Z, Z[:, :1], np.array([1.0]), np.array([0.5]))
    np.testing.assert_array_equal(Z, before)
    np.testing.assert_allclose(out[:, 1], Z[:, 1], atol=1e-12)


def test_relaxation_in_passing_is_the_published_one():
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((50, 3))
    y, R = np.array([0.7, -1.0]), np.array([0.4, 0.1])
    plain, relaxed = (etkf.update(Z, Z[:, :2], y, R, a) for a in (0.0, 0.3))
    np.testing.assert_allclose(relaxed, rtps.relax(plain, Z, 0.3), atol=1e-12)
    np.testing.assert_allclose(rtps.relax(plain, Z, 1.0).std(axis=0), Z.std(axis=0), atol=1e-12)


def test_etkf_tracks_lorenz_96():
    def slope(x):
        return (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + 8.0

    def step(x, h=0.05):
        a = slope(x)
        b = slope(x + 0.5 * h * a)
        c = slope(x + 0.5 * h * b)
        return x + h / 6.0 * (a + 2 * b + 2 * c + slope(x + h * c))

    rng = np.random.default_rng(3)
    truth = 8.0 + 0.01 * rng.standard_normal(40)
    for _ in range(500):
        truth = step(truth)
    Z = truth + rng.standard_normal((24, 40))
    errors = []
    for k in range(1200):
        truth, Z = step(truth), step(Z)
        Z = Z.mean(axis=0) + 1.02 * (Z - Z.mean(axis=0))
        Z = etkf.update(Z, Z, truth + rng.standard_normal(40), np.ones(40))
        if k >= 400:
            errors.append(np.sqrt(np.mean((Z.mean(axis=0) - truth) ** 2)))
    assert 0.17 <= np.mean(errors) <= 0.20


@pytest.mark.parametrize(
    ("Z", "Y", "y", "R", "says"),
    [
        (np.zeros((4, 2)), np.zeros((5, 1)), np.zeros(1), np.ones(1), "do not fit"),
        (np.zeros((4, 2)), np.full((4, 1), np.nan), np.zeros(1), np.ones(1), "finite"),
        (np.zeros((4, 2)), np.zeros((4, 1)), np.zeros(1), np.zeros(1), "positive"),
    ],
)
def test_etkf_refuses_what_it_cannot_use(Z, Y, y, R, says):
    with pytest.raises(ModelError, match=says):
        etkf.update(Z, Y, y, R)


def test_failed_members_become_neighbours_and_most_may_not_fail():
    rows, outputs = np.arange(8.0)[None].copy(), np.ones((2, 8))
    outputs[1, [2, 5]] = np.nan
    assert etkf.replace_failed(rows, outputs) == 2
    assert np.isfinite(outputs).all()
    assert not {2.0, 5.0} & set(rows[0])
    with pytest.raises(ModelError, match="5 of 8"):
        etkf.replace_failed(rows, np.where(np.arange(8) < 5, np.nan, outputs))


@given(st.integers(1, 8), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_jacobi_agrees_with_lapack(p, seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((p, p))
    C = a @ a.T * 10.0 ** rng.uniform(-6, 6)
    D, V = C.copy(), np.empty((p, p))
    eigen(D, V)
    np.testing.assert_allclose(V @ np.diag(np.diag(D)) @ V.T, C, atol=1e-13 * np.abs(C).max() * p)
    np.testing.assert_allclose(V.T @ V, np.eye(p), atol=1e-13)


def test_esmda_gives_the_gaussian_posterior():
    rng = np.random.default_rng(5)
    n, p = 3, 4
    H, R = rng.standard_normal((p, n)), rng.uniform(0.5, 2.0, p)
    y = H @ rng.standard_normal(n) + rng.standard_normal(p) * np.sqrt(R)
    Z = np.ascontiguousarray(normals((5, 0), 0, 20000, n))
    K = H.T @ np.linalg.inv(H @ H.T + np.diag(R))
    for passes in (equal_passes(4), geometric_passes(4)):
        done = calibrate(Z, lambda z: z @ H.T, y, R, 5, passes)
        np.testing.assert_allclose(done.z.mean(axis=0), K @ y, atol=0.05)
        np.testing.assert_allclose(np.cov(done.z.T), np.eye(n) - K @ H, atol=0.1)
        assert done.misfit[-1] < done.misfit[0]
        assert done.failed == 0


def test_esmda_taper_protects_what_no_datum_concerns():
    """An unknown that touches nothing keeps its spread; without a taper chance narrows it."""
    Z = np.ascontiguousarray(normals((7, 0), 0, 60, 12))
    y, R = np.zeros(20), np.full(20, 0.05)

    def predict(z):
        return np.repeat(z[:, :1], 20, axis=1) + 0.02 * np.arange(20)

    off, on = (calibrate(Z, predict, y, R, 7, taper=t) for t in (None, significance_taper))
    lost = [1 - d.z[:, 1:].std(axis=0).mean() / Z[:, 1:].std(axis=0).mean() for d in (off, on)]
    assert lost[1] < 0.5 * lost[0]
    assert on.z[:, 0].std() < 0.3
    taper = significance_taper(Z, predict(Z))
    assert taper.min() >= 0.0
    assert taper[0].min() > 0.99


@pytest.mark.parametrize("passes", [(), (2.0,), (4.0, 4.0), (-1.0, 0.5)])
def test_esmda_counts_every_datum_once(passes):
    with pytest.raises(ModelError, match="add up to one"):
        calibrate(np.zeros((4, 1)), lambda z: z, np.zeros(1), np.ones(1), 0, passes)


@given(st.integers(1, 12), st.floats(1.0, 5.0))
def test_passes_add_up_to_one(count, ratio):
    assert math.fsum(1 / a for a in geometric_passes(count, ratio)) == pytest.approx(1.0)
    assert math.fsum(1 / a for a in equal_passes(count)) == pytest.approx(1.0)


word = st.integers(0, 2**64 - 2)


@given(st.tuples(word, word), st.tuples(word, word, word, word))
@settings(max_examples=200, deadline=None)
def test_philox_is_the_published_generator(key, counter):
    """numpy adds one to the counter before its first block."""
    u = np.uint64
    ours = block(u(key[0]), u(key[1]), u(counter[0] + 1), *(u(c) for c in counter[1:]))
    theirs = np.random.Philox(
        counter=np.array(counter, dtype=u), key=np.array(key, dtype=u)
    ).random_raw(4)
    assert [int(x) for x in ours] == [int(x) for x in theirs]


def test_normals_are_normal_and_depend_on_their_place_alone():
    z = normals((11, 1), 7, 20000, 5)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(z.T) - np.eye(5)).max() < 0.03
    np.testing.assert_array_equal(normals((11, 1), 7, 100, 3), z[:100, :3])
    assert not np.any(normals((11, 2), 7, 100, 3) == z[:100, :3])
    assert not np.any(normals((11, 1), 8, 100, 3) == z[:100, :3])


def test_elementary_functions_agree_with_scipy():
    x = np.linspace(-700, 700, 4001)
    np.testing.assert_allclose([elementary.exp(v) for v in x], np.exp(x), rtol=4e-16)
    np.testing.assert_allclose([elementary.log(v) for v in np.exp(x)], x, rtol=1e-13, atol=1e-13)
    p = np.concatenate([10.0 ** np.linspace(-300, -1, 500), np.linspace(0.01, 0.99, 99)])
    ours = [elementary.normal_quantile(v) for v in p]
    np.testing.assert_allclose(ours, special.ndtri(p), rtol=2e-14, atol=1e-15)
    x = np.linspace(-30, 30, 1201)
    np.testing.assert_allclose([elementary.normal_cdf(v) for v in x], special.ndtr(x), rtol=1e-11)
    hazard = np.exp(stats.norm.logpdf(x) - stats.norm.logsf(x))
    np.testing.assert_allclose([elementary.hazard(v) for v in x], hazard, rtol=1e-11)


@pytest.mark.parametrize(
    ("function", "x", "gives"),
    [("exp", 1e4, np.inf), ("exp", -1e4, 0.0), ("exp", np.nan, np.nan), ("log", 0.0, -np.inf),
     ("log", -1.0, np.nan), ("log", np.inf, np.inf)],
)  # fmt: skip
def test_elementary_functions_at_their_edges(function, x, gives):
    np.testing.assert_equal(float(getattr(elementary, function)(x)), gives)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("limit", [-2.0, 0.0, 1.5])
def test_a_limit_teaches_the_moments_of_the_truncated_normal(side, limit):
    """Kalman update with the pseudo reading against integration over all allowed readings."""
    mean, s2, R = 0.3, 1.7, 0.6
    y, noise = equivalent(limit, side, mean, s2, R)
    gain = s2 / (s2 + noise)
    x = np.linspace(mean - 12, mean + 12, 200001)
    reach = side * (x - limit) / np.sqrt(R)
    density = stats.norm.pdf(x, mean, np.sqrt(s2)) * special.ndtr(reach)
    density /= density.sum()
    first = np.sum(x * density)
    assert mean + gain * (y - mean) == pytest.approx(first, abs=1e-6)
    assert (1 - gain) * s2 == pytest.approx(np.sum((x - first) ** 2 * density), abs=1e-6)


def test_an_expected_limit_teaches_nothing():
    assert equivalent(40.0, 1, 100.0, 4.0, 4.0)[1] == np.inf
    assert equivalent(400.0, -1, 100.0, 4.0, 4.0)[1] == np.inf
