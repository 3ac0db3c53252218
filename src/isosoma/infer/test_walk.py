"""The walk: any interval at once or in steps, never wider than the prior, a function of its key."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.infer.philox import STREAMS, fill_normals, normals
from isosoma.infer.walk import Walk, open_rows, opening, tau_of, walk_rows

TABLE = np.array([[3600.0, 0.0, 1.0], [600.0, 2.0, 0.5], [math.inf, 0.0, 1.0]])
KEY = np.array([7, STREAMS["walk"]], np.uint64)


def walked(rows, dt, step=0, table=TABLE):
    out = rows.copy()
    walk_rows(out, table, dt, KEY, step, np.empty_like(out))
    return out


def test_moments_are_those_of_the_ornstein_uhlenbeck_process():
    rows = np.full((3, 20000), 4.0)
    out = walked(rows, 1800.0)
    for j, (tau, mean, sd) in enumerate(TABLE[:2]):
        phi = math.exp(-1800.0 / tau)
        assert out[j].mean() == pytest.approx(mean + phi * (4.0 - mean), abs=0.02)
        assert out[j].std() == pytest.approx(sd * math.sqrt(1 - phi**2), rel=0.02)
    np.testing.assert_array_equal(out[2], rows[2])  # tau infinite: a constant


def test_no_time_moves_nothing_and_a_long_one_gives_the_prior():
    rows = np.full((2, 20000), 9.0)
    np.testing.assert_array_equal(walked(rows, 0.0, table=TABLE[:2]), rows)
    late = walked(rows, 1e7, table=TABLE[:2])
    np.testing.assert_allclose(late.mean(axis=1), [0.0, 2.0], atol=0.03)
    np.testing.assert_allclose(late.std(axis=1), [1.0, 0.5], rtol=0.03)


def test_noise_is_a_function_of_patient_stream_and_step():
    rows = np.zeros((3, 50))
    np.testing.assert_array_equal(walked(rows, 60.0, 3), walked(rows, 60.0, 3))
    assert not np.any(walked(rows, 60.0, 3)[:2] == walked(rows, 60.0, 4)[:2])
    filled = np.empty((3, 50))
    fill_normals(KEY[0], KEY[1], np.uint64(3), filled)
    np.testing.assert_array_equal(filled.T, normals((7, STREAMS["walk"]), 3, 50, 3))


@given(st.floats(0.01, 0.99), st.floats(1.0, 1e6))
def test_tau_of_is_the_inverse_of_a_step(noise, dt):
    assert math.sqrt(-math.expm1(-2.0 * dt / tau_of(noise, dt))) == pytest.approx(noise, rel=1e-9)


@given(st.floats(0.0, 1e6), st.floats(1.0, 30.0))
def test_opening_is_what_a_faster_walk_would_have_added(seconds, boost):
    extra = opening(TABLE, np.full(3, seconds), boost)
    own = -np.expm1(-2.0 * seconds / TABLE[:, 0])
    np.testing.assert_allclose(extra, (boost - 1.0) * own, rtol=1e-9, atol=1e-12)
    assert extra[2] == 0.0


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 100.0), st.floats(0.05, 3.0))
def test_opening_adds_its_variance_but_never_beyond_the_prior(extra, width):
    rows = width * normals((1, 0), 0, 4000, 1).T.copy()
    before, table = rows.var(ddof=1), np.array([[3600.0, 0.0, 1.0]])
    open_rows(rows, table, np.array([extra]), KEY, 1, np.empty_like(rows))
    expected = before + min(extra, max(1.0 - before, 0.0))
    assert rows.var(ddof=1) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("wrong", [(0.0, 0.0, 1.0), (1.0, math.nan, 1.0), (1.0, 0.0, -1.0)])
def test_a_walk_that_is_none_is_refused(wrong):
    with pytest.raises(ModelError, match="is none"):
        Walk(*wrong)
