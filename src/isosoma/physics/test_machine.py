"""Machine code computes what Python computes, bit by bit, for one member and for many."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.physics.assembly import PIECE
from isosoma.physics.cache import CACHE
from isosoma.physics.ensemble import LANES, run
from isosoma.physics.kernel import compiled
from isosoma.physics.program import Program, Stage

LINES = (
    "s = a * b / (1.0 + abs(a))",
    "low = min(a, b, c)",
    "high = max(a * 2, b - c)",
    "beyond = a >= b",
    "root = np.sqrt(abs(s)) if beyond else -c",
    "kept = 1 / 3 + root if beyond else +low",
    "flat = -2.0 if c != 0.5 else 3 - 1.5",
    "told = beyond",
    "again = b if told else c",
    "round = a * np.pi",
)
GIVES = ("s", "low", "high", "root", "kept", "flat", "told", "again", "round")
PROGRAM = Program("lines", ("a", "b", "c", *GIVES), (Stage("all", 1, LINES),))
FINITE = st.floats(-1e6, 1e6)
NEAR = st.floats(-1e6, 1e6, width=32)


def in_python(
    a: float | np.float32, b: float | np.float32, c: float | np.float32
) -> dict[str, float]:
    space = {"a": a, "b": b, "c": c, "np": np}
    for line in LINES:
        exec(line, space)
    return {name: float(space[name]) for name in GIVES}


@settings(max_examples=60)
@given(st.lists(st.tuples(FINITE, FINITE, FINITE), min_size=1, max_size=LANES + 3))
def test_a_kernel_computes_what_python_does(members):
    columns = np.array(members).T
    rows = dict(zip("abc", columns, strict=True)) | {n: np.zeros(len(members)) for n in GIVES}
    moved, _ = run(PROGRAM, 0, 1, 1.0, rows)
    for i, member in enumerate(members):
        for name, value in in_python(*member).items():
            assert moved[name][i].tobytes() == np.float64(value).tobytes(), (name, member)


@settings(max_examples=60)
@given(st.lists(st.tuples(NEAR, NEAR, NEAR), min_size=1, max_size=2 * LANES + 3))
def test_a_kernel_in_single_precision_computes_what_numpy_does(members):
    columns = np.array(members).T
    rows = dict(zip("abc", columns, strict=True)) | {n: np.zeros(len(members)) for n in GIVES}
    moved, _ = run(PROGRAM, 0, 1, 1.0, rows, precision="single")
    for i, member in enumerate(members):
        for name, value in in_python(*map(np.float32, member)).items():
            assert moved[name][i] == np.float32(value), (name, member)


@settings(max_examples=60)
@given(FINITE, FINITE, FINITE)
def test_a_product_within_a_sum_is_rounded_once(a, b, c):
    lines = ("w = a * b + c", "x = a * b - c", "y = c - a * b", "z = c + a * b")
    program = Program("fused", ("a", "b", "c", *"wxyz"), (Stage("all", 1, lines),))
    rows = {n: np.full(4, v) for n, v in zip("abc", (a, b, c), strict=True)}
    moved, _ = run(program, 0, 1, 1.0, rows | {n: np.zeros(4) for n in "wxyz"})
    product, c_ = Fraction(a) * Fraction(b), Fraction(c)
    exact = {"w": product + c_, "x": product - c_, "y": c_ - product, "z": c_ + product}
    assert {n: moved[n][0] for n in exact} == {n: float(v) for n, v in exact.items()}


def test_a_local_of_an_early_piece_reaches_a_late_one():
    chain = [f"t{i + 1} = t{i} * 1.5 + a" for i in range(3 * PIECE)]
    lines = ("t0 = a", *chain, f"out = t0 + t{len(chain)}")
    program = Program("long", ("a", "out"), (Stage("all", 1, lines),))
    moved, _ = run(program, 0, 1, 1.0, {"a": np.full(5, 0.1), "out": np.zeros(5)})
    t = 0.1
    for _ in chain:
        t = t * 1.5 + 0.1
    assert moved["out"] == pytest.approx(np.full(5, 0.1 + t), rel=1e-12)


@pytest.mark.parametrize(
    "line",
    [
        "x = a ** 0.5",
        "x = a ** 17",
        "x = math.sin(a)",
        "x = [a]",
        "x = a and b",
        "x = 'a'",
        "x = max(a)",
    ],
)
def test_what_no_kernel_can_compute_is_said(line):
    with pytest.raises(ModelError, match=r"kernel|nothing gives"):
        compiled(Program("p", ("a", "b", "x", "math"), (Stage("s", 1, (line,)),)), 1)


def test_a_broken_file_is_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE, str(tmp_path))
    program = Program("broken", ("x",), (Stage("count", 1, ("x = x + h",)),))
    for damage in (None, b"", b"no code at all, and longer than a digest is"):
        compiled.cache_clear()
        if damage is not None:
            next(tmp_path.rglob("*.o")).write_bytes(damage)
        moved, _ = run(program, 0, 4, 0.25, {"x": np.zeros(1)})
        assert moved["x"].tolist() == [1.0]


@pytest.mark.parametrize("power", [1, 2, 3, 4, 7, 16])
def test_a_whole_power_is_near_to_pythons(power):
    program = Program("power", ("a", "x"), (Stage("s", 1, (f"x = a ** {power}",)),))
    a = np.array([-1.7, 0.3, 2.5])
    moved, _ = run(program, 0, 1, 1.0, {"a": a, "x": np.zeros(3)})
    assert moved["x"] == pytest.approx(a**power, rel=1e-14)
