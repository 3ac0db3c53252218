"""A small closed loop against its closed form, and graphs that are none."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.polynomial import polyval

from isosoma.core.errors import ModelError
from isosoma.physics.activation import _FITS, ATRIAL, VENTRICULAR, double_hill, fitted, hill_lines
from isosoma.physics.elementary import exp_moderate, exp_of_sixteenths, log_moderate
from isosoma.physics.elements.compliance import vein
from isosoma.physics.elements.tube import tube
from isosoma.physics.elements.valve import orifice_flow, valve
from isosoma.physics.ensemble import run
from isosoma.physics.inline import expand
from isosoma.physics.network import (
    Edge,
    Graph,
    Node,
    check_graph,
    prepare,
    stage,
    states_of,
    with_edge,
    without,
)
from isosoma.physics.program import Program, Stage

NODES = (
    Node("a", "elastic", {"C": "C_a", "V_u": 0.0}),
    Node("b", "elastic", {"C": "C_b", "V_u": 0.0}),
)
PIPE = Edge("pipe", "inertance", "a", "b", {"R": "R", "L": "L"})
LOOP = Graph("two_vessels", NODES, (PIPE,))


def program(graph: Graph = LOOP) -> Program:
    lines, prepared = prepare(graph)
    rows = (*states_of(graph), *prepared, "C_a", "C_b", "R", "L")
    return Program(graph.name, rows, (Stage("prepare", 0, lines), stage(graph)))


def values(members: int = 1, **given: float) -> dict[str, np.ndarray]:
    base = {"C_a": 1e-8, "C_b": 2e-8, "R": 1e7, "L": 1e6, "V_a": 1e-4, "V_b": 1e-4} | given
    zero = dict.fromkeys(program().rows, 0.0)
    return {k: np.full(members, v) for k, v in (zero | base).items()}


def exact(t: float) -> float:
    """Flow of the series RLC circuit from rest, underdamped."""
    v = {k: float(x[0]) for k, x in values().items()}
    stiffness = 1 / v["C_a"] + 1 / v["C_b"]
    decay = v["R"] / (2 * v["L"])
    omega = np.sqrt(stiffness / v["L"] - decay**2)
    drive = v["V_a"] / v["C_a"] - v["V_b"] / v["C_b"]
    return drive / (v["L"] * omega) * np.exp(-decay * t) * np.sin(omega * t)


def error_at(h: float) -> float:
    moved, _ = run(program(), 0, round(0.02 / h), h, values())
    return abs(float(moved["q_pipe"][0]) - exact(0.02))


def test_the_step_is_of_first_order():
    coarse, fine, finest = (error_at(h) for h in (4e-4, 2e-4, 1e-4))
    assert 1.6 < coarse / fine < 2.4
    assert 1.6 < fine / finest < 2.4


def test_volume_is_conserved_and_pressures_meet():
    moved, _ = run(program(), 0, 20_000, 1e-3, values())
    total = moved["V_a"] + moved["V_b"]
    assert abs(total[0] - 2e-4) < 1e-10 * 2e-4
    assert moved["V_a"][0] / 1e-8 == pytest.approx(moved["V_b"][0] / 2e-8, rel=1e-9)


def test_members_cuts_and_threads_change_no_bit():
    many = values(37)
    many["V_a"] = np.linspace(1e-5, 2e-4, 37)
    whole, _ = run(program(), 0, 500, 1e-3, many)
    first, _ = run(program(), 0, 137, 1e-3, many, threads=1)
    second, _ = run(program(), 137, 500, 1e-3, first)
    alone, _ = run(program(), 0, 500, 1e-3, {k: v[5:6] for k, v in many.items()})
    for name in whole:
        assert np.array_equal(whole[name], second[name])
        assert whole[name][5] == alone[name][0]


def test_a_broken_member_is_alone():
    many = values(20)
    many["R"][3] = np.nan
    moved, _ = run(program(), 0, 50, 1e-3, many)
    assert np.flatnonzero(~np.isfinite(moved["V_a"])).tolist() == [3]


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (replace(LOOP, edges=(replace(PIPE, down="c"),)), "ends at 'c'"),
        (replace(LOOP, edges=(replace(PIPE, down="a"),)), "to itself"),
        (replace(LOOP, nodes=(*NODES, replace(NODES[0], name="c"))), "volume is closed"),
        (replace(LOOP, nodes=(*NODES, NODES[0])), "are called 'a'"),
        (replace(LOOP, edges=(replace(PIPE, bind={"R": "R"}),)), "leaves L unbound"),
        (replace(LOOP, edges=(replace(PIPE, kind="hose"),)), "no edge"),
    ],
)
def test_what_is_no_graph_says_so(graph, said):
    with pytest.raises(ModelError, match=said):
        check_graph(graph)


def test_an_edit_leaves_the_graph_it_came_from():
    second = replace(PIPE, name="second")
    wider = with_edge(LOOP, second)
    assert len(LOOP.edges) == 1
    assert without(wider, "second") == LOOP
    with pytest.raises(ModelError, match="has no 'third'"):
        without(wider, "third")


def settled(area: float, dp: float) -> float:
    q = 0.0
    for _ in range(4000):
        q = orifice_flow(dp, q, area, 1060 * 0.01 / 1e-3, 2 * 1060.0, 2e-6, 5e5)
    return q


@given(st.floats(5e-6, 5e-4), st.floats(100.0, 2e4) | st.floats(-2e4, -100.0))
def test_a_settled_orifice_flows_by_torricelli(area, dp):
    expected = np.sign(dp) * area * np.sqrt(2 * abs(dp) / 1060)
    assert settled(area, dp) == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_a_shut_valve_is_shut():
    rates = (-3e-4 / 16, 4e-4 / 16)
    flow, zeta = valve(-1e4, 0.0, 1e-9, 4e-4, 0.0, *rates, 1.06e4, 2 * 1060.0, 2e-6, 5e5)
    assert abs(flow) < 1e-11
    assert zeta <= 1e-9


@given(st.floats(-1e5, 1e5), st.floats(-1e-3, 1e-3))
def test_a_tube_slows_what_opposes_it(dp, q):
    flow = tube(dp, q, 1e8, 1e12, 1e6)
    assert (flow > 0) == (1e6 * q + dp > 0) or flow == 0


def test_a_vein_is_smooth_where_it_collapses_and_steep_below():
    shape = (0.0, 1e6, 1e-3, 2e3)
    slope = [(vein(1e-3 + e, *shape) - vein(1e-3, *shape)) / e for e in (1e-9, -1e-9)]
    assert slope[0] == pytest.approx(slope[1], rel=1e-6)
    assert vein(0.0, *shape) < 4 * vein(0.5e-3, *shape)


@given(st.floats(-16, 8))
def test_exp_is_exp(x):
    assert exp_moderate(x) == pytest.approx(np.exp(x), rel=2e-2, abs=5e-5)
    if -2.5 < x < 2.5:
        assert exp_moderate(x) == pytest.approx(np.exp(x), rel=1e-5)


@given(st.floats(1, 16))
def test_log_is_log(x):
    assert log_moderate(x) == pytest.approx(np.log(x), abs=5e-6)


@pytest.mark.parametrize("shape", [VENTRICULAR, ATRIAL])
def test_the_fitted_activation_is_the_double_hill(shape):
    s = np.linspace(0.0, 1.5, 301)
    space = {"np": np, "max": np.maximum, "min": np.minimum, "s": s}
    for line in hill_lines(shape, "e", "s"):
        exec(line, space)
    assert np.abs(space["e"] - double_hill(s, shape)).max() < 2e-4


@pytest.mark.parametrize("shape", [VENTRICULAR, ATRIAL])
def test_the_coefficients_written_down_are_those_of_the_fit(shape):
    s, x = np.linspace(0.0, 1.5, 301), np.linspace(-1.0, 1.0, 301)
    curves = [
        (s * polyval(s, fit.above) / polyval(s, fit.below), polyval(x, fit.fall))
        for fit in (_FITS[shape], fitted(shape))
    ]
    np.testing.assert_allclose(curves[0], curves[1], atol=1e-9)


@given(st.floats(-1e4, 1e4), st.floats(-1e-3, 1e-3))
def test_a_function_written_out_is_the_function(dp, q):
    takes = (dp, q, 3e-4, 1.06e4, 1060.0, 2e-6, 5e5)
    names = ("dp", "q", "area", "mass", "rho", "shut", "per")
    space: dict[str, object] = {"np": np, **dict(zip(names, takes, strict=True))}
    for line in expand(orifice_flow, names, ["flow"], count()):
        exec(line, space)
    assert space["flow"] == orifice_flow(*takes)


@given(st.floats(-40, 0))
def test_what_is_left_of_a_decay_is_exp(x):
    assert exp_of_sixteenths(x / 16) == pytest.approx(np.exp(max(x, -16.0)), abs=4e-6)
