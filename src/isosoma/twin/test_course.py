"""Courses: frames, order of acts, pieces and wholes, members that fail, topology that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.core.intervention import Change, Coding, Intervention
from isosoma.core.model import Bundle, IntendedUse, Model, Outcome, Parameter, Port, Source
from isosoma.core.prior import Fixed
from isosoma.twin.course import Running, beginning, follow, frames, settled

CODE = Coding("", "", "")
_USE = IntendedUse("?", "tests", "people", "low", "low")


@dataclass(frozen=True)
class Tank:
    """Water in tanks: dV/dt = inflow - V / lag, all members alike; a negative inflow fails."""

    step: float = 0.01
    tanks: int = 1
    name: str = "test.tank"
    version: str = "1"
    cases: tuple[str, ...] = ()
    intended_use: IntendedUse = _USE
    outputs: tuple[Port, ...] = (Port("volume", "m3"),)
    inputs: tuple[Port, ...] = (Port("inflow", "m3/s", rest=0.0),)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter("lag", "s", Fixed(5.0), Source("a test")),)

    @property
    def states(self) -> tuple[Port, ...]:
        return tuple(Port(f"V{i}", "m3") for i in range(self.tanks))

    def start(self, theta: Bundle) -> Bundle:
        return {f"V{i}": np.ones(len(theta["lag"])) for i in range(self.tanks)}

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        now = {k: np.array(v, np.float64) for k, v in state.items()}
        for _ in range(tick0, tick1):
            share = inputs["inflow"] / self.tanks
            now = {k: v + self.step * (share - v / theta["lag"]) for k, v in now.items()}
        failed = np.asarray(inputs["inflow"]) < 0.0
        total = sum(now.values(), np.zeros(len(failed)))
        return Outcome(now, {"volume": total}, failed, advice=("It leaks",) * bool(failed.any()))

    def conserved(self, state: Bundle, theta: Bundle) -> Mapping[str, np.ndarray]:
        return {}

    def rewired(self, edit: str) -> Tank:
        if not edit.startswith("tanks"):
            raise ModelError(f"{edit!r} is no rewiring of tanks")
        return replace(self, tanks=int(edit.removeprefix("tanks")))

    def transfer(self, new: Model, state: Bundle) -> Bundle:
        assert isinstance(new, Tank)
        whole = sum(state.values(), np.zeros(1))
        return {f"V{i}": whole / new.tanks for i in range(new.tanks)}


def act(name="inflow", value=1.0, at=0.0, lasts=None, target="input", action="set", edit=""):
    change = Change(target, name, action, value, edit)
    return Intervention(f"{name} at {at}", CODE, at, "r", (change,), lasts)


def begun(members=1, **inputs) -> Running:
    return beginning(Tank(), {"lag": np.full(members, 5.0)}, inputs)


def same(a: Running, b: Running):
    assert a.tick == b.tick
    assert set(a.state) == set(b.state)
    for name in a.state:
        assert np.array_equal(a.state[name], b.state[name])


def test_frames_stand_at_whole_multiples_and_at_the_end():
    course = follow(begun(), (), 2.5, every=1.0)
    assert course.times.tolist() == [1.0, 2.0, 2.5]
    assert course.output("volume").shape == (3, 1)
    assert course.output("volume")[0, 0] == pytest.approx(np.exp(-1 / 5), rel=2e-3)


def test_states_are_kept_where_they_are_asked_for():
    kept, plain = (follow(begun(), ACTS, 2.0, states=s) for s in (True, False))
    assert all(not f.state for f in plain.frames)
    same(replace(kept.end, state=kept.frames[-1].state), plain.end)


def test_a_rehearsal_begins_at_time_zero_whatever_went_before():
    run = settled(begun(), 7.0)
    assert (run.time, run.tick, run.origin) == (0.0, 700, 700)
    course = follow(run, (act(at=1.0, lasts=1.0),), 3.0)
    assert course.times.tolist() == [1.0, 2.0, 3.0]
    assert course.output("volume")[1, 0] > course.output("volume")[0, 0] * np.exp(-0.2) + 0.5


ACTS = (
    act(value=2.0, at=0.333, lasts=1.1),
    act(value=0.5, at=0.5, action="add"),
    act("lag", 3.0, at=1.25, target="parameter"),
    act("tanks3", at=1.5, target="topology", edit="tanks3"),
    Intervention("slowly", CODE, 0.7, "r", (Change("input", "inflow", "add", 1.0),), None, 1.6),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 120), min_size=1, max_size=6), st.sampled_from((0.05, 0.3, 1.0)))
def test_in_pieces_or_whole_the_same_bits(pieces, every):
    """Cuts between, at and beside acts change nothing, and neither does how often it is seen."""
    whole = follow(begun(2), ACTS, 0.01 * sum(pieces), every)
    run, seen = begun(2), {}
    for piece in pieces:
        part = follow(run, ACTS, 0.01 * piece, every)
        seen |= {f.time: f for f in part.frames}
        run = part.end
    same(whole.end, run)
    for frame in whole.frames:
        assert np.array_equal(frame.outputs["volume"], seen[frame.time].outputs["volume"])


@settings(deadline=None)
@given(st.integers(0, len(ACTS) - 1))
def test_undoing_is_leaving_out(index):
    kept = ACTS[:index] + ACTS[index + 1 :]
    same(follow(begun(), kept, 3.0).end, follow(begun(), tuple(reversed(kept)), 3.0).end)
    whole, without = (follow(begun(), a, 3.0).output("volume")[-1] for a in (ACTS, kept))
    assert whole != without or index == 3  # more tanks hold the same water


def test_members_are_lanes():
    together = beginning(Tank(), {"lag": np.array([2.0, 5.0, 9.0])}, {"inflow": 0.1})
    alone = beginning(Tank(), {"lag": np.array([5.0])}, {"inflow": 0.1})
    a, b = follow(together, ACTS, 2.0), follow(alone, ACTS, 2.0)
    assert np.array_equal(a.output("volume")[:, 1], b.output("volume")[:, 0])


def test_a_member_that_fails_is_a_value_and_stays_failed():
    run = begun(2, inflow=np.array([0.0, -1.0]))
    course = follow(run, (act(value=1.0, at=1.0),), 3.0)
    assert course.end.failed.tolist() == [False, True]
    assert np.all(np.isnan(course.output("volume")[:, 1]))
    assert np.all(np.isfinite(course.output("volume")[:, 0]))
    assert course.end.advice == ("It leaks",)


def test_topology_changes_at_its_tick_and_keeps_the_water():
    edit = act("tanks4", at=1.0, target="topology", edit="tanks4")
    before, after = follow(begun(), (edit,), 1.02, every=0.01, states=True).frames[-3:-1]
    assert (set(before.state), set(after.state)) == ({"V0"}, {"V0", "V1", "V2", "V3"})
    lost = 1.0 - 0.01 / 5.0
    assert after.outputs["volume"][0] == pytest.approx(before.outputs["volume"][0] * lost)


def test_two_edits_of_one_tick_apply_in_the_order_given():
    first = act("tanks2", at=0.5, target="topology", edit="tanks2")
    second = act("tanks3", at=0.5, target="topology", edit="tanks3")
    model = follow(begun(), (first, second), 1.0).end.model
    assert isinstance(model, Tank)
    assert model.tanks == 3


def test_a_course_that_is_not_asked_to_go_on_does_not_work():
    seen = frames(begun(), (act("nothing"),), 1e6)
    with pytest.raises(ModelError, match="nothing"):
        next(seen)
    steady = frames(begun(), (), 1e6)
    assert next(steady)[0].time == 1.0


@pytest.mark.parametrize(
    ("seconds", "every"), [(-1.0, 1.0), (np.nan, 1.0), (1.0, 0.0), (1.0, 1e-4)]
)
def test_times_that_are_none(seconds, every):
    with pytest.raises(ModelError):
        follow(begun(), (), seconds, every)


def test_an_act_that_does_not_fit_says_which():
    with pytest.raises(ModelError, match="no rewiring of tanks"):
        follow(begun(), (act("x", target="topology", edit="x"),), 1.0)
    with pytest.raises(ModelError, match="does not have"):
        follow(begun(), (act("pressure"),), 1.0)


def test_nothing_of_the_beginning_is_changed():
    run = begun()
    kept = {k: np.array(v) for k, v in run.state.items()}
    follow(run, ACTS, 2.0)
    assert all(np.array_equal(run.state[k], kept[k]) for k in kept)
    assert run.tick == 0
