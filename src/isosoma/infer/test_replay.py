"""Counter-based randomness against numpy, and the same belief whatever order readings come in."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.observation import Observation
from isosoma.infer.belief import Reading, Settings, digest, start
from isosoma.infer.philox import block, normals
from isosoma.infer.replay import absorb, begin, thinned
from isosoma.infer.walk import Walk

WORD = st.integers(0, 2**64 - 1)
HOW = Settings(("systolic_pressure", "oxygen_saturation"), (Walk(1e5), Walk(1e6)), members=32)
ORIGIN = start(HOW, 3, 0)
MINUTE = 60_000_000_000


def predict(theta, context):
    return np.column_stack([120.0 + 20.0 * theta[:, 0], 97.0 + theta[:, 1]])


def reading(seq, minute, value):
    at = minute * MINUTE
    o = Observation("", "systolic_pressure", at, at, value, 6.0, device="cuff", seq=seq)
    return Reading(o)


SERIES = [reading(k, 1 + 2 * k, 120.0 + 7.0 * (k % 3)) for k in range(10)]
ONCE = absorb(begin(ORIGIN), SERIES, predict, HOW)


@settings(deadline=None)
@given(WORD, WORD, st.integers(0, 2**64 - 2), WORD, WORD, WORD)
def test_philox_is_numpys(k0, k1, c0, c1, c2, c3):
    key, counter = np.array([k0, k1], np.uint64), np.array([c0, c1, c2, c3], np.uint64)
    oracle = np.random.Philox(key=key, counter=counter)
    words = [np.uint64(w) for w in (k0, k1, c0 + 1, c1, c2, c3)]  # numpy counts before it draws
    assert list(block(*words)) == oracle.random_raw(4).tolist()


def test_a_normal_depends_on_its_address_alone():
    many, few = normals((1, 2), 3, 500, 7), normals((1, 2), 3, 100, 5)
    assert np.array_equal(many[:100, :5], few)
    assert not np.array_equal(few, normals((1, 2), 4, 100, 5))
    z = normals((1, 2), 3, 100_000, 1)
    assert abs(z.mean()) < 0.015
    assert abs(z.std() - 1.0) < 0.01


@settings(deadline=None, max_examples=25)
@given(st.permutations(SERIES), st.lists(st.sampled_from(SERIES), max_size=3), st.integers(0, 13))
def test_order_repeats_and_delay_change_no_bit(order, again, cut):
    arrived = [*order, *again]
    line = absorb(begin(ORIGIN), arrived[:cut], predict, HOW)
    line = absorb(line, arrived[cut:], predict, HOW)
    assert digest(line.checkpoints[-1][0]) == digest(ONCE.checkpoints[-1][0])
    assert len(line.repeats) == len(again)


def test_another_value_is_another_belief():
    other = absorb(begin(ORIGIN), [*SERIES[:-1], reading(9, 19, 99.0)], predict, HOW)
    assert digest(other.checkpoints[-1][0]) != digest(ONCE.checkpoints[-1][0])


def test_readings_draw_the_belief_towards_them():
    before, after = predict(ORIGIN.z, ()), predict(ONCE.checkpoints[-1][0].z, ())
    assert after[:, 0].std() < 0.7 * before[:, 0].std()
    assert abs(after[:, 0].mean() - 127.0) < abs(before[:, 0].mean() - 127.0)


@settings(deadline=None, max_examples=25)
@given(st.permutations(SERIES), st.integers(0, 13), st.integers(0, 8), st.integers(1, 6))
def test_letting_go_of_old_checkpoints_changes_no_bit(order, cut, dense, every):
    span = 60 * 10**9
    line = thinned(absorb(begin(ORIGIN), order[:cut], predict, HOW), dense * span, every * span)
    line = absorb(line, order[cut:], predict, HOW)
    assert digest(line.belief) == digest(ONCE.belief)
    assert [r.at for r in line.reports] == [r.at for r in ONCE.reports]
    assert [len(r.decisions) for r in line.reports] == [len(r.decisions) for r in ONCE.reports]


def test_of_what_is_old_few_checkpoints_stay_and_every_decision():
    ats = [b.at for b, _ in ONCE.checkpoints]
    few = thinned(ONCE, 0, ats[-1] - ats[0] + 1)
    assert len(few.checkpoints) <= 3
    assert few.belief is ONCE.belief
    assert [r.at for r in few.reports] == ats
    assert sum(r.outputs.size for r in few.old) == 0
    again = thinned(few, 0, ats[-1] - ats[0] + 1)
    assert len(again.checkpoints) == len(few.checkpoints)
    assert thinned(ONCE, ats[-1], 1).checkpoints == ONCE.checkpoints
    assert thinned(begin(ORIGIN), 0, 1).checkpoints == ()
