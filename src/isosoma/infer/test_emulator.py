"""The polynomial against numpy, its hull against chi², and what it refuses to learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import polynomial
from scipy.stats import chi2

from isosoma.core.errors import ModelError
from isosoma.infer.emulator import CONFIDENCE, emulate, emulate_rows, monomials, predictor, train


def runs(count=400, inputs=2, seed=0):
    x = np.random.default_rng(seed).standard_normal((count, inputs))
    return x, np.exp(np.column_stack([0.3 * x[:, 0], 0.1 * x[:, 0] ** 2 - 0.2 * x[:, 1]]))


@given(st.integers(1, 6), st.integers(0, 4))
def test_every_monomial_is_there_once(inputs, degree):
    parent, factor = monomials(inputs, degree)
    assert len(parent) == math.comb(inputs + degree, degree)
    words = [()]
    for p, f in zip(parent[1:], factor[1:], strict=True):
        words.append(tuple(sorted((*words[p], int(f)))))
    assert len(set(words)) == len(words)
    assert max(map(len, words)) == degree


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 150), st.integers(0, 1000))
def test_rows_are_the_exponential_of_the_polynomial(members, seed):
    """Blocks of 64 members and any remainder, against numpy's own evaluation."""
    c = np.random.default_rng(seed).normal(0.0, 0.2, (3, 3))
    c[np.add.outer(range(3), range(3)) > 2] = 0.0
    x, _ = runs()
    y = np.exp(polynomial.polyval2d(x[:, 0], x[:, 1], c))[:, None]
    e = train(x, y, 2)
    z = np.random.default_rng(seed + 1).standard_normal((2, members))
    out, outside = np.empty((1, members)), np.zeros(members, np.bool_)
    count = emulate_rows(
        z, e.parent, e.factor, e.coefficients, e.centre, e.whiten, e.limit, out, outside
    )
    np.testing.assert_allclose(out[0], np.exp(polynomial.polyval2d(z[0], z[1], c)), rtol=1e-9)
    assert count == outside.sum()


def test_the_hull_holds_the_share_it_says():
    x, y = runs(20000, 3)
    e = train(x, y, 1)
    assert e.limit == pytest.approx(chi2.ppf(CONFIDENCE, 3))
    fresh, _ = runs(20000, 3, seed=5)
    assert emulate(e, fresh, np.zeros(0)).outside.mean() == pytest.approx(1 - CONFIDENCE, abs=6e-4)
    lost = fresh[:2].copy()
    lost[0, 1] = np.nan
    assert emulate(e, lost, np.zeros(0)).outside.tolist() == [True, False]


def test_the_error_is_that_of_runs_left_out():
    x, y = runs()
    noisy = y * np.exp(0.05 * np.random.default_rng(2).standard_normal(y.shape))
    e = train(x, noisy)
    left = np.arange(len(x)) % 5 == 0
    miss = emulate(e, x, np.zeros(0)).outputs[left] - noisy[left]
    inside = np.isfinite(miss).all(axis=1)
    assert np.all(np.abs(miss[inside]).max(axis=0) <= e.worst + 1e-12)
    assert np.all((e.error > 0.02) & (e.error < 0.15))


def test_context_stands_behind_the_coordinates():
    x, y = runs()
    e = train(x, y, 2)
    whole = emulate(e, np.array([[0.4, -0.3]]), np.zeros(0)).outputs
    np.testing.assert_array_equal(emulate(e, np.array([[0.4]]), np.array([-0.3])).outputs, whole)
    with pytest.raises(ModelError, match="2 inputs"):
        emulate(e, np.zeros((1, 2)), np.zeros(1))


def test_physics_is_asked_for_the_refused_alone():
    x, y = runs()
    asked = []

    def physics(theta, context):
        asked.append(len(theta))
        return np.full((len(theta), 2), 5.0)

    predict = predictor(train(x, y), physics)
    assert np.isfinite(predict(np.zeros((3, 2)), np.zeros(0))).all()
    assert asked == []
    out = predict(np.array([[0.0, 0.0], [40.0, 0.0]]), np.zeros(0))
    assert asked == [1]
    np.testing.assert_array_equal(out[1], 5.0)
    alone = predictor(train(x, y))(np.array([[0.0, 0.0], [40.0, 0.0]]), np.zeros(0))
    assert np.isnan(alone[1]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_one_bad_run_is_refused(bad):
    x, y = runs()
    y[17, 1] = bad
    with pytest.raises(ModelError, match="not positive"):
        train(x, y)
