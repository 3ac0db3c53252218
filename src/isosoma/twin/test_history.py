"""A twin over time: what it believed then is what a fold until then believes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.twin.forecasting import expected
from isosoma.twin.history import as_of, instants, over, seen_of
from isosoma.twin.test_fold import MINUTE, RATE, T0, folded, reading, vitals

HOUR = 60 * MINUTE


@pytest.fixture(scope="module")
def twin():
    return folded(*vitals(8), until=T0 + 3 * HOUR)


def test_a_twin_as_it_stood_is_the_fold_until_then(twin):
    for at in (T0 + 75 * MINUTE, T0 + 80 * MINUTE, T0 + 3 * HOUR):
        then = folded(*vitals(8), until=at)
        stood = as_of(twin, at)
        assert stood.digest == then.digest
        assert stood.newest() == then.newest()


def test_looking_back_gives_what_was_expected_then_and_tells_how_far_it_is(twin):
    told, at = [], [T0, T0 + 100 * MINUTE, T0 + 3 * HOUR, T0 + 4 * HOUR]
    looks = list(over(twin, at, told.append))
    assert ([k.at for k in looks], told) == (at, [1, 2, 3, 4])
    np.testing.assert_array_equal(looks[-1].members, expected(twin, at[-1]).members)
    then = folded(*vitals(8), until=at[1])
    np.testing.assert_array_equal(looks[1].members, expected(then, at[1]).members)


def test_instants_reach_the_newest_reading_and_the_horizon(twin):
    now, horizon = T0 + 3 * HOUR, 600.0
    at = instants(twin, now, horizon)
    newest = T0 + 105 * MINUTE
    assert at == sorted(set(at))
    assert at[0] == newest - 600 * 10**9
    assert at[-1] == now + 600 * 10**9
    assert {now, newest, newest - 1} <= set(at), "a step of belief is no slope"
    assert instants(twin, now, 86_400.0)[0] == T0, "nothing is looked at before the first reading"
    assert instants(folded(until=now), now, horizon)[0] == now


def test_a_reading_that_taught_nothing_is_marked(twin):
    wild = replace(reading(RATE, 120.0, "/min", 2.0, T0 + 80 * MINUTE), device="loose")
    seen = seen_of(folded(*vitals(8), wild))
    assert wild in [s.observation for s in seen if not s.taken]
    assert [s.observation.at for s in seen] == sorted(s.observation.at for s in seen)
    assert all(s.taken for s in seen_of(twin))
