"""Elements against what is known of them in closed form, and kinetics and transport likewise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.physics.compartments import effect_site, emax, peripheral, plasma
from isosoma.physics.elementary import wave
from isosoma.physics.elements.catalogue import KINDS
from isosoma.physics.elements.chamber import atrium, ventricle
from isosoma.physics.elements.compliance import elastic, vein
from isosoma.physics.elements.inertance import inertance
from isosoma.physics.elements.resistance import conductance
from isosoma.physics.elements.source import source
from isosoma.physics.elements.tube import tube
from isosoma.physics.elements.valve import valve
from isosoma.physics.network import Edge, Graph, Node
from isosoma.physics.transport import carry

MMHG = 133.322
C, R, L = 1.0e-8, 1.0e8, 5.0e5  # an artery: m3/Pa, Pa s/m3, Pa s2/m3


def order(error: Callable[[float], float], coarse: float) -> float:
    """Order of convergence, from a step and its half."""
    return math.log2(error(coarse) / error(coarse / 2.0))


# --- vessels --------------------------------------------------------------------------------------


def emptied(h: float, t: float = 0.5) -> float:
    """Volume [m3] of a vessel that empties through a resistance, after `t` [s]."""
    v = 1e-4
    for _ in range(round(t / h)):
        v -= h * conductance(elastic(v, 0.0, 1.0 / C, 0.0), 1.0 / R)
    return v


def test_a_vessel_empties_through_a_resistance_exponentially():
    exact = 1e-4 * math.exp(-0.5 / (R * C))
    assert emptied(1e-4) == pytest.approx(exact, rel=1e-3)
    assert 0.95 < order(lambda h: abs(emptied(h) - exact), 2e-3) < 1.05


def rung(h: float, resistance: float, t: float = 0.6) -> tuple[float, float]:
    """Flow [m3/s] and volume [m3] of an elastic vessel on an inertance, released from 1e-5 m3."""
    kept, push = L / (L + h * resistance), h / (L + h * resistance)
    v, q = 1e-5, 0.0
    for _ in range(round(t / h)):
        q = inertance(elastic(v, 0.0, 1.0 / C, 0.0), q, kept, push)
        v -= h * q
    return q, v


def test_an_inertance_rings_with_the_period_and_decay_of_the_circuit():
    damping = 2.0e6
    omega = math.sqrt(1.0 / (L * C) - (damping / (2.0 * L)) ** 2)
    t = 0.6
    exact = 1e-5 / (C * L * omega) * math.exp(-damping * t / (2.0 * L)) * math.sin(omega * t)
    assert rung(1e-5, damping)[0] == pytest.approx(exact, rel=1e-3)
    assert 0.9 < order(lambda h: abs(rung(h, damping)[0] - exact), 1e-3) < 1.1


@pytest.mark.parametrize("h", [1e-4, 1e-3, 5e-3])
def test_without_loss_the_energy_neither_grows_nor_fades(h):
    """Symplectic: bounded for every step below 2 sqrt(L C), over a thousand swings."""
    q, v = rung(h, 0.0, t=400.0 if h > 1e-4 else 40.0)
    energy = 0.5 * L * q * q + 0.5 * v * v / C
    assert energy == pytest.approx(0.5 * 1e-10 / C, rel=2.0 * h / math.sqrt(L * C))


@given(st.floats(-2e4, 2e4).filter(lambda x: abs(x) > 10.0))
def test_a_settled_tube_obeys_its_quadratic(dp):
    r, k, q = 2e8, 5e11, 0.0
    for _ in range(3000):
        q = tube(dp, q, r, k, 1e7)
    assert r * q + k * q * abs(q) == pytest.approx(dp, rel=1e-6)


# --- chambers -------------------------------------------------------------------------------------

LV = (1.9 * MMHG / 1e-6, 10e-6, 1.15 * MMHG, 2.1e4 / 8)  # E, V0, P0, k / 8


def test_a_ventricle_is_its_wall_at_rest_and_its_elastance_in_systole():
    e, v0, p0, eighth = LV
    for v in (40e-6, 80e-6, 120e-6):
        rest = p0 * (math.exp(8 * eighth * (v - v0)) - 1.0)
        assert ventricle(v, 0.0, 0.0, *LV) == pytest.approx(rest, rel=1e-4, abs=1.0)
        assert ventricle(v, 1.0, 0.0, *LV) == pytest.approx(e * (v - v0), rel=1e-9)


@given(st.floats(1e-6, 5e-4), st.floats(1e-6, 5e-4), st.floats(0, 1))
def test_a_fuller_chamber_presses_harder(one, other, e):
    low, high = sorted((one, other))
    assert ventricle(low, e, 0.0, *LV) <= ventricle(high, e, 0.0, *LV) + 1e-9
    assert atrium(low, e, 0.0, 2e7, 4e7, 1e-5) <= atrium(high, e, 0.0, 2e7, 4e7, 1e-5)


@given(st.floats(2e-5, 4e-4), st.floats(0, 1), st.floats(0, 1))
def test_a_contraction_never_softens_a_wall(v, one, other):
    """Not even in a heart too weak to exceed its wall at rest."""
    low, high = sorted((one, other))
    weak = (0.02 * LV[0], *LV[1:])
    assert ventricle(v, low, 0.0, *weak) <= ventricle(v, high, 0.0, *weak) + 1e-9


@given(st.floats(1e-5, 3e-4), st.floats(0, 1), st.floats(-1e4, 1e4))
def test_what_is_outside_of_a_wall_adds_to_its_pressure(v, e, outside):
    vessel = (1e8, 1e-4)
    walls: list[tuple[Callable[..., float], tuple[float, ...], tuple[float, ...]]] = [
        (ventricle, (v, e), LV), (atrium, (v, e), (2e7, 4e7, 1e-5)), (elastic, (v,), vessel),
        (vein, (v,), (*vessel, 1e4)), (source, (), (v,)),
    ]  # fmt: skip
    for step, before, takes in walls:
        alone = step(*before, 0.0, *takes)
        assert step(*before, outside, *takes) == pytest.approx(alone + outside, rel=1e-9, abs=1e-6)


# --- valves ---------------------------------------------------------------------------------------

RHO, LENGTH, SHUT = 1060.0, 0.015, 2e-6


def through(
    dp: float, seconds: float, h: float, zeta: float, leak: float = 0.0
) -> tuple[float, float]:
    q, rate = 0.0, 0.012 * 10.0 / 16
    for _ in range(round(seconds / h)):
        q, zeta = valve(
            dp, q, zeta, 3.4e-4, leak, -rate * h, rate * h, RHO * LENGTH / h, 2.0 * RHO, SHUT,
            1 / SHUT,
        )  # fmt: skip
    return q, zeta


@pytest.mark.parametrize("h", [1e-4, 1e-3])
def test_an_opening_is_exact_whatever_the_step(h):
    _, zeta = through(300.0, 0.05, h, 0.0)
    assert zeta == pytest.approx(1.0 - math.exp(-0.12 * 300.0 * 0.05), rel=1e-5)


@pytest.mark.parametrize("h", [1e-4, 1e-3])
def test_a_closing_is_exact_whatever_the_step(h):
    _, zeta = through(-300.0, 0.05, h, 1.0)
    assert zeta == pytest.approx(math.exp(-0.12 * 300.0 * 0.05), rel=1e-5)


@given(st.floats(500.0, 1.5e4))
def test_an_open_valve_flows_by_bernoulli(dp):
    flow, _ = through(dp, 2.0, 1e-3, 1.0)
    assert flow == pytest.approx(3.4e-4 * math.sqrt(2.0 * dp / RHO), rel=1e-3)


@given(st.floats(500.0, 1.5e4), st.floats(5e-6, 5e-5))
def test_a_leak_flows_back_by_bernoulli(dp, area):
    flow, _ = through(-dp, 2.0, 1e-3, 1.0, leak=area)
    assert flow == pytest.approx(-area * math.sqrt(2.0 * dp / RHO), rel=2e-3)


@given(st.floats(-1e5, 1e5), st.floats(-2e-3, 2e-3), st.floats(0, 1), st.floats(0, 1e-4))
def test_no_pressure_makes_a_valve_diverge(dp, q, zeta, leak):
    """One step never leaves the range of its drive: no chatter at any pressure."""
    flow, opened = valve(dp, q, zeta, 3.4e-4, leak, -6e-6, 6e-6, RHO * LENGTH / 1e-3, 2.0 * RHO,
                         SHUT, 1 / SHUT)  # fmt: skip
    assert 0.0 <= opened <= 1.0
    most = max(abs(q), (3.4e-4 + leak) * math.sqrt(2.0 * abs(dp) / RHO)) + 1e-9
    assert abs(flow) <= most * 1.001


def test_every_kind_names_what_its_step_takes():
    """A symbol that nothing reads, or a step that takes what nothing gives, is a slip."""
    for kind in KINDS.values():
        symbols = {s.name for s in kind.symbols}
        assert set(kind.takes) <= symbols | set(kind.prepared), kind.name
        read = " ".join([*kind.takes, *kind.prepared.values()])
        assert [s for s in symbols if s not in read] == [], kind.name


# --- kinetics -------------------------------------------------------------------------------------

K10, K12, K21 = 2e-3, 3e-3, 1e-3  # 1/s


def dosed(dt: float, t: float = 600.0) -> float:
    """Central amount after a bolus of 1 kg, two compartments."""
    a1, a2 = 1.0, 0.0
    for _ in range(round(t / dt)):
        a1 = plasma(a1, a2, 0.0, 0.0, K10, K12, K21, 0.0, 0.0, dt)
        a2 = peripheral(a2, a1, K12, K21, dt)
    return a1


def test_a_bolus_falls_as_two_exponentials():
    total = K10 + K12 + K21
    root = math.sqrt(total * total - 4.0 * K10 * K21)
    fast, slow = 0.5 * (total + root), 0.5 * (total - root)
    exact = sum(
        (K21 - own) / (other - own) * math.exp(-own * 600.0)
        for own, other in ((fast, slow), (slow, fast))
    )
    assert dosed(0.5) == pytest.approx(exact, rel=1e-3)
    assert 0.9 < order(lambda dt: abs(dosed(dt) - exact), 8.0) < 1.1


@given(st.floats(0.1, 1e4))
def test_an_infusion_ends_at_rate_over_clearance_whatever_the_step(dt):
    a1 = a2 = a3 = ce = 0.0
    for _ in range(3000):
        a1 = plasma(a1, a2, a3, 1e-6, K10, K12, K21, 1e-3, 5e-4, dt)
        a2 = peripheral(a2, a1, K12, K21, dt)
        a3 = peripheral(a3, a1, 1e-3, 5e-4, dt)
        ce = effect_site(ce, a1, 4e-3, dt)
    if dt > 10.0:  # else 3,000 steps are no steady state
        assert a1 == pytest.approx(1e-6 / K10, rel=1e-3)
        assert ce == pytest.approx(a1, rel=1e-3)
    assert 0.0 <= ce <= 1e-6 / K10 * 1.001


def test_half_the_effect_comes_at_half_the_concentration():
    assert emax(2.0, 2.0) == 0.5
    assert emax(0.0, 2.0) == 0.0


# --- what blood carries ---------------------------------------------------------------------------


def tanks(n: int) -> Graph:
    """Vessels in a ring."""
    nodes = tuple(Node(f"n{i}", "elastic", {"C": 1.0, "V_u": 0.0}) for i in range(n))
    edges = tuple(
        Edge(f"e{i}", "resistance", f"n{i}", f"n{(i + 1) % n}", {"R": 1.0}) for i in range(n)
    )
    return Graph("ring", nodes, edges)


def moved(graph: Graph, rows: dict[str, float], steps: int) -> dict[str, float]:
    space: dict[str, object] = {**rows, "max": max, "min": min}
    code = compile("\n".join(map(str, carry(graph, "S", "dt"))), "carry", "exec")
    for _ in range(steps):
        exec(code, space)
    return {n.name: float(str(space[f"S_{n.name}"])) for n in graph.nodes}


def ring_rows(n: int, q: float, dt: float) -> dict[str, float]:
    rows = {f"V_n{i}": 1.0 for i in range(n)} | {f"q_e{i}": q for i in range(n)}
    return rows | {f"S_n{i}": 0.0 for i in range(n)} | {"dt": dt}


def test_a_plug_passes_tanks_in_series_as_erlang_says():
    """A long ring, filled at its first tank: the next ones rise as t^k exp(-t) / k!."""
    n, t, dt = 12, 3.0, 0.01
    found = moved(tanks(n), ring_rows(n, 1.0, dt) | {"S_n0": 1.0}, round(t / dt))
    for k in range(5):
        exact = t**k * math.exp(-t) / math.factorial(k)
        assert found[f"n{k}"] == pytest.approx(exact, abs=4e-3)


@given(
    st.lists(st.floats(-5, 5), min_size=4, max_size=4),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.floats(1e-3, 100),
)
def test_a_mixture_lies_between_what_it_is_mixed_of(flows, content, dt):
    """For any flows, reversed ones too, and any step."""
    rows = ring_rows(4, 0.0, dt)
    rows |= {f"q_e{i}": q for i, q in enumerate(flows)}
    rows |= {f"S_n{i}": s for i, s in enumerate(content)}
    found = moved(tanks(4), rows, 20)
    assert min(content) - 1e-12 <= min(found.values())
    assert max(found.values()) <= max(content) + 1e-12


@pytest.mark.parametrize("dt", [0.05, 0.5, 2.0])
def test_a_steady_ring_ends_well_mixed_and_loses_nothing(dt):
    """An implicit mixture of equal tanks keeps its content, whatever the step."""
    found = moved(tanks(3), ring_rows(3, 1.0, dt) | {"S_n1": 3.0}, 1000)
    assert list(found.values()) == pytest.approx([1.0, 1.0, 1.0], rel=1e-9)


@given(st.floats(0, 1))
def test_the_breath_is_a_wave_of_one_period(phase):
    assert abs(wave(phase)) <= 1.0
    assert wave(phase) == pytest.approx(math.sin(2 * math.pi * phase), abs=0.06)
    assert np.isclose(wave(0.0), wave(1.0))
