"""Programs that mean nothing are refused; delays, threads and the kept kernels do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.physics.assembly import source_of
from isosoma.physics.cache import CACHE
from isosoma.physics.ensemble import LANES, ring_depths, run
from isosoma.physics.kernel import compiled
from isosoma.physics.program import Call, Delay, Program, Stage, check, reads_and_writes

# A counter, and what it was `wait` seconds ago; the slow stage runs every fourth tick.
STAGES = (
    Stage("count", 1, ("x = x + rate",)),
    Stage("slow", 4, ("seen = late",)),
)
DELAYED = Program("delayed", ("x", "rate", "late", "seen", "wait"), STAGES,
                  (Delay("x", "late", "wait", "slow"),))  # fmt: skip


def started(members: int, wait: float = 0.12) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    rows = {n: np.zeros(members) for n in DELAYED.rows}
    rows["rate"] = 1.0 + np.arange(members)
    rows["wait"][:] = wait
    depth = ring_depths(DELAYED, rows, 1e-2)[0]
    return rows, [np.zeros((members, depth))]


def test_a_delay_gives_what_was_that_long_ago():
    rows, rings = started(3)
    moved, _ = run(DELAYED, 0, 41, 1e-2, rows, rings)
    # The slow stage ran at tick 40, after 41 counts; 0.12 s before, at tick 28, there were 29.
    assert moved["seen"].tolist() == [29.0, 58.0, 87.0]


@settings(max_examples=20)
@given(st.integers(1, 2 * LANES + 1), st.integers(0, 60), st.sampled_from([1, 2, None]))
def test_no_member_count_cut_or_thread_moves_a_bit(members, cut, threads):
    rows, rings = started(members)
    whole, ring = run(DELAYED, 0, 60, 1e-2, rows, rings, threads=1)
    first, kept = run(DELAYED, 0, cut, 1e-2, rows, rings, threads=threads)
    second, turned = run(DELAYED, cut, 60, 1e-2, first, kept, threads=threads)
    for name in whole:
        assert np.array_equal(whole[name], second[name]), name
    assert np.array_equal(ring[0], turned[0])


def test_nothing_given_is_changed():
    rows, rings = started(5)
    run(DELAYED, 0, 50, 1e-2, rows, rings)
    assert not rows["x"].any()
    assert not rings[0].any()


def test_members_with_different_delays_are_told_apart():
    rows, rings = started(2)
    rows["wait"][1] = 0.5
    with pytest.raises(ModelError, match="wait is one for all members"):
        run(DELAYED, 0, 5, 1e-2, rows, rings)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (Program("p", ("a", "a"), ()), "row 'a' stands twice"),
        (Program("p", ("a",), (Stage("s", 1, ("a = b",)),)), "reads 'b', which nothing gives"),
        (Program("p", ("a",), (Stage("s", -1, ("a = a",)),)), "runs every -1 ticks"),
        (Program("p", ("a",), (), (Delay("a", "b", "c", "s"),)), "no row 'c'"),
        (Program("p", ("a",), (Stage("s", 1, ("a == 1",)),)), "no plain assignment"),
        (Program("p", ("a",), (Stage("s", 1, ("a = 1\nb = 2",)),)), "no plain assignment"),
    ],
)
def test_a_program_that_means_nothing_says_so(program, said):
    with pytest.raises(ModelError, match=said):
        check(program)
    with pytest.raises(ModelError, match=said):
        compiled(program, 1)


def double(x: float) -> float:
    """Return twice x."""
    return 2.0 * x


def test_reads_are_of_what_stood_before_and_each_name_is_said_once():
    lines = ("t = a + b * h", Call(double, ("t", "c + a"), ("d",)), "b = t + d")
    assert reads_and_writes(lines) == (["a", "b", "c"], ["t", "d", "b"])
    assert reads_and_writes(lines, ("a",)) == (["b", "c"], ["t", "d", "b"])


def test_the_text_of_a_kernel_depends_on_the_program_and_lanes_alone():
    again = Program(DELAYED.name, DELAYED.rows, DELAYED.stages, DELAYED.delays)
    assert source_of(DELAYED, 4) == source_of(again, 4)
    assert source_of(DELAYED, 4) != source_of(DELAYED, 8)


def test_a_kernel_is_kept_in_the_folder_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE, str(tmp_path))
    small = Program("kept", ("x",), (Stage("count", 1, ("x = x + h",)),))
    moved, _ = run(small, 0, 4, 0.25, {"x": np.zeros(1)})
    assert moved["x"].tolist() == [1.0]
    assert [p.name.startswith("isosoma_kernel_kept_1_") for p in tmp_path.rglob("*.o")] == [True]
    assert not list(tmp_path.rglob("*.tmp"))
