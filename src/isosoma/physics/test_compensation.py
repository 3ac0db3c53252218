"""A sum in single precision loses nothing that a double would keep, wherever it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.physics.compensation import compensated, joined, low, parted
from isosoma.physics.ensemble import LANES, run
from isosoma.physics.program import Program, Stage

# Flow that wanders between two places, a thousandth of a thousandth of them at a time.
LINES = ("q = 0.999 * q + 1e-4 * a", "a = a - h * q", "b = b + h * q")
PROGRAM = Program("flow", ("a", "b", "q"), (Stage("flow", 1, LINES),), (), ("a", "b"))


def places(members: int) -> dict[str, np.ndarray]:
    a = np.linspace(1.0 / 3.0, 3.0, members)
    return {"a": a, "b": np.full(members, 5.1), "q": np.zeros(members)}


def test_what_leaves_one_place_comes_to_the_next():
    given_ = places(50)
    moved, _ = run(PROGRAM, 0, 100_000, 1e-3, given_, precision="single")
    double, _ = run(PROGRAM, 0, 100_000, 1e-3, given_)
    whole = given_["a"] + given_["b"]
    assert np.abs(moved["a"] + moved["b"] - whole).max() < 1e-9 * whole.min()
    np.testing.assert_allclose(moved["b"], double["b"], rtol=3e-6)


@settings(max_examples=20)
@given(st.integers(1, 2 * LANES + 1), st.integers(0, 300), st.sampled_from([1, 2, None]))
def test_no_member_count_cut_or_thread_moves_a_bit_in_single(members, cut, threads):
    many = places(members)
    whole, _ = run(PROGRAM, 0, 300, 1e-3, many, threads=1, precision="single")
    first, _ = run(PROGRAM, 0, cut, 1e-3, many, threads=threads, precision="single")
    second, _ = run(PROGRAM, cut, 300, 1e-3, first, threads=threads, precision="single")
    alone = {k: v[-1:] for k, v in many.items()}
    last, _ = run(PROGRAM, 0, 300, 1e-3, alone, precision="single")
    for name in whole:
        assert np.array_equal(whole[name], second[name]), name
        assert whole[name][-1] == last[name][0]


@given(st.floats(-1e6, 1e6), st.floats(-1.0, 1.0))
def test_a_pair_is_its_sum_again(hi, share):
    near = np.float64(np.float32(hi))
    left = np.float64(np.float32(share * np.spacing(np.float32(hi)) / 2))
    pair = {"a": np.array([near]), low("a"): np.array([left])}
    pair |= {"b": np.zeros(1), low("b"): np.zeros(1), "q": np.zeros(1)}
    again = parted(PROGRAM, joined(PROGRAM, pair))
    assert {k: float(v[0]) for k, v in again.items()} == {k: float(v[0]) for k, v in pair.items()}


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_sum_that_was_changed_from_outside_is_taken_anew(now, was):
    """A state that was edited, or came from double precision, keeps its own value."""
    values = {"a": np.array([now]), low("a"): np.array([was]), "b": np.zeros(1), "q": np.zeros(1)}
    pair = parted(PROGRAM, values)
    assert pair["a"][0] + pair[low("a")][0] == pytest.approx(now, rel=1e-14, abs=1e-60)


def test_what_is_no_sum_is_said():
    for lines in (("a = b + h",), ("a = b - a",), ("a = 2.0",)):
        with pytest.raises(ModelError, match="is no sum"):
            compensated(Program("p", ("a", "b"), (Stage("s", 1, lines),), (), ("a",)))


def test_a_sum_that_is_no_row_is_said():
    with pytest.raises(ModelError, match="sum 'c' is no row"):
        run(Program("p", ("a",), (Stage("s", 1, ("a = a",)),), (), ("c",)), 0, 1, 1.0,
            {"a": np.zeros(1)})  # fmt: skip
