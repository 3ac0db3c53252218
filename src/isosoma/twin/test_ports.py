"""Coupling by ports: conservation, order, splitting, closed form, and what cannot be linked."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.core.model import IntendedUse, Model, Outcome, Parameter, Port, Source
from isosoma.core.prior import LogNormal
from isosoma.twin.ports import Coupled, Link

_HERE = Source("chosen for this test")


@dataclass(frozen=True)
class Vessel:
    """Blood under P = V / C, filled by a rate."""

    step: float = 0.25
    name: str = "tests.vessel"
    version: str = "1"
    parameters: tuple[Parameter, ...] = (
        Parameter("compliance", "m3/Pa", LogNormal(5e-7, 0.1), _HERE),
    )
    states: tuple[Port, ...] = (Port("volume", "m3"),)
    inputs: tuple[Port, ...] = (Port("infusion", "m3/s"),)
    outputs: tuple[Port, ...] = (Port("pressure", "Pa"),)
    intended_use: IntendedUse = field(
        default=IntendedUse("How full is it?", "tests only", "a patient", "medium", "low")
    )
    cases: tuple[str, ...] = ()

    def start(self, theta):
        return {"volume": np.full(len(theta["compliance"]), 5e-3)}

    def advance(self, tick0, tick1, state, theta, inputs):
        volume = np.array(state["volume"])
        for _ in range(tick0, tick1):
            volume = volume + self.step * inputs["infusion"]
        failed = ~np.isfinite(volume)
        moved, pressure = {"water": volume - state["volume"]}, volume / theta["compliance"]
        return Outcome({"volume": volume}, {"pressure": pressure}, failed, moved)

    def conserved(self, state, theta):
        return {"water": np.asarray(state["volume"])}


@dataclass(frozen=True)
class Kidney:
    """Urine = conductance times pressure, kept in a bladder."""

    step: float = 0.5
    name: str = "tests.kidney"
    version: str = "1"
    parameters: tuple[Parameter, ...] = (
        Parameter("conductance", "m3/(Pa.s)", LogNormal(1e-9, 0.1), _HERE),
    )
    states: tuple[Port, ...] = (Port("urine", "m3"),)
    inputs: tuple[Port, ...] = (Port("pressure", "Pa", rest=1e4),)
    outputs: tuple[Port, ...] = (Port("urine_flow", "m3/s"),)
    intended_use: IntendedUse = field(
        default=IntendedUse("How much urine?", "tests only", "a patient", "low", "high")
    )
    cases: tuple[str, ...] = ()

    def start(self, theta):
        return {"urine": np.zeros(len(theta["conductance"]))}

    def advance(self, tick0, tick1, state, theta, inputs):
        flow = theta["conductance"] * inputs["pressure"]
        urine = np.array(state["urine"])
        for _ in range(tick0, tick1):
            urine = urine + self.step * flow
        moved = {"water": urine - state["urine"]}
        return Outcome({"urine": urine}, {"urine_flow": flow}, ~np.isfinite(urine), moved)

    def conserved(self, state, theta):
        return {"water": np.asarray(state["urine"])}


LINKS = (
    Link("kidney.pressure", "vessel.pressure", "mean"),
    Link("vessel.infusion", "kidney.water", "integral", -1.0),
)
THETA = {"vessel.compliance": np.array([5e-7, 4e-7]), "kidney.conductance": np.array([1e-9, 3e-9])}
NOTHING = {"vessel.infusion": np.zeros(2)}


def pair(links=LINKS, step=2.0, **organs):
    return Coupled(organs or {"vessel": Vessel(), "kidney": Kidney()}, links, step)


def run(model, ticks, inputs=NOTHING, state=None, since=0):
    begun = model.start(THETA) if state is None else state
    return model.advance(since, ticks, begun, THETA, inputs)


def test_a_coupling_is_a_model_with_the_ports_of_its_organs():
    model = pair()
    assert isinstance(model, Model)
    assert [p.name for p in model.inputs] == ["vessel.infusion"]
    assert {p.name: p.unit for p in model.states}[LINKS[1].key] == "m3"
    assert [p.name for p in model.parameters] == ["kidney.conductance", "vessel.compliance"]
    out = run(model, 3)
    assert out.outputs.keys() == {p.name for p in model.outputs}
    assert out.state.keys() == {p.name for p in model.states}
    use = model.intended_use
    assert (use.influence, use.consequence) == ("low", "high")


@given(st.integers(0, 300), st.floats(-1e-6, 1e-6))
@settings(max_examples=30, deadline=None)
def test_water_is_conserved_at_every_boundary(ticks, rate):
    model = pair()
    before = model.conserved(model.start(THETA), THETA)["water"]
    out = run(model, ticks, {"vessel.infusion": np.full(2, rate)})
    after = model.conserved(out.state, THETA)["water"]
    given_ = ticks * model.step * rate
    np.testing.assert_allclose(after - before, given_, rtol=0.0, atol=1e-12 * before.max())
    np.testing.assert_allclose(
        out.exchanged["water"], after - before, rtol=0.0, atol=1e-12 * before.max()
    )


def test_what_the_kidney_took_is_gone_from_the_vessel_one_step_later():
    model = pair()
    first, second = run(model, 1), run(model, 2)
    took = np.array([1e-9, 3e-9]) * 1e4 * 2.0
    np.testing.assert_array_equal(first.state["vessel.volume"], 5e-3)
    np.testing.assert_allclose(first.state["kidney.urine"], took, rtol=1e-12)
    np.testing.assert_allclose(second.state["vessel.volume"], 5e-3 - took, rtol=1e-12)


def test_it_converges_to_the_closed_form_with_the_macro_step():
    """dV/dt = -V g / C: the error falls with the step."""
    seconds, exact = 128.0, 5e-3 * np.exp(-128.0 * THETA["kidney.conductance"] / np.array(
        [5e-7, 4e-7]))  # fmt: skip
    errors = []
    for step in (8.0, 4.0, 2.0):
        out = run(pair(step=step), round(seconds / step))
        errors.append(np.abs(out.state["vessel.volume"] + out.state[LINKS[1].key] - exact).max())
    assert errors[2] < 0.6 * errors[1] < 0.4 * errors[0]


def test_the_order_of_organs_and_links_leaves_no_trace():
    organs = {"vessel": Vessel(), "kidney": Kidney(), "other": Kidney()}
    links = (*LINKS, Link("other.pressure", "vessel.pressure", "held"),
             Link("vessel.infusion", "other.water", "integral", -1.0))  # fmt: skip
    theta = THETA | {"other.conductance": np.array([2e-9, 7e-10])}
    seen = set()
    for order in permutations(organs):
        for written in (links, links[::-1]):
            model = Coupled({n: organs[n] for n in order}, written, 2.0)
            out = model.advance(0, 50, model.start(theta), theta, NOTHING)
            rows = sorted(out.state.items())
            seen.add(b"".join(k.encode() + np.asarray(v).tobytes() for k, v in rows))
    assert len(seen) == 1


@given(st.integers(0, 40))
@settings(max_examples=15, deadline=None)
def test_cutting_a_run_changes_no_bit(cut):
    model = pair()
    whole, first = run(model, 40), run(model, cut)
    second = run(model, 40, state=first.state, since=cut)
    for name, value in whole.state.items():
        np.testing.assert_array_equal(second.state[name], value)


def test_a_failed_member_leaves_the_other_alone():
    model, whole = pair(), run(pair(), 9)
    theta = THETA | {"kidney.conductance": np.array([np.nan, 3e-9])}
    out = model.advance(0, 9, model.start(theta), theta, NOTHING)
    assert out.failed.tolist() == [True, False]
    for name, value in whole.state.items():
        assert out.state[name][1] == value[1]


def test_a_mean_is_over_time_and_a_held_value_is_the_last():
    rising = {"vessel.infusion": np.full(2, 1e-5)}
    told = {}
    for kind in ("mean", "held"):
        model = pair((Link("kidney.pressure", "vessel.pressure", kind),))
        told[kind] = run(model, 1, rising).state["told.vessel.pressure>kidney.pressure"][0]
    rate = 1e-5 / 5e-7
    assert told["held"] == pytest.approx(1e4 + rate * 2.0)
    assert told["mean"] == pytest.approx(1e4 + rate * 1.25)  # of samples at .5, 1, 1.5 and 2 s


@pytest.mark.parametrize(
    ("links", "step", "says"),
    [
        ((), 0.75, "no whole number of steps"),
        ((Link("kidney.pressure", "heart.pressure"),), 2.0, "no port heart.pressure"),
        ((Link("kidney.colour", "vessel.pressure"),), 2.0, "no port kidney.colour"),
        ((Link("vessel.infusion", "vessel.pressure"),), 2.0, "is in Pa"),
        ((LINKS[0], Link("kidney.pressure", "vessel.pressure", "held")), 2.0, "two links hold"),
    ],
)
def test_what_cannot_be_linked_says_so(links, step, says):
    with pytest.raises(ModelError, match=says):
        pair(links, step)


def test_a_quantity_that_is_not_exchanged_says_so():
    model = pair((Link("vessel.infusion", "kidney.sodium", "integral", -1.0),))
    with pytest.raises(ModelError, match="exchanged of sodium"):
        run(model, 1, NOTHING | {"kidney.pressure": np.full(2, 1e4)})
