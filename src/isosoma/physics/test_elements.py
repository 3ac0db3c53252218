"""Elements of imported networks against the equations they print."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.physics.elements.diode import diode
from isosoma.physics.elements.smooth_valve import shut_share, smooth_valve
from isosoma.physics.elements.source import source
from isosoma.physics.elements.stenosis import STENOSIS
from isosoma.physics.ensemble import run
from isosoma.physics.network import Edge, Graph, Node, prepare, stage, states_of
from isosoma.physics.program import Delay, Program, Stage

PRESSURES = st.floats(-1e4, 1e4)


@given(PRESSURES, st.floats(-10, 10), st.floats(0, 50))
def test_a_diode_obeys_its_equation(dp, before, mass):
    q = diode(dp, before, 2.0, 3e3, 0.5, mass)
    r = 2.0 if q > 0.0 else 3e3
    assert mass * (q - before) + (r + 0.5) * q == pytest.approx(dp, rel=1e-9, abs=1e-6)


@given(st.floats(-1e4, -1e-3), st.floats(0.0, 1.0))
def test_a_diode_without_leak_shuts_when_its_flow_has_ended(dp, q):
    flow = diode(dp, q, 2.0, np.inf, 0.0, 10.0)
    assert flow == (pytest.approx((10.0 * q + dp) / 12.0) if 10.0 * q + dp > 0.0 else 0.0)


@given(st.floats(-30, 30))
def test_the_share_of_being_shut_is_a_tanh(y):
    assert shut_share(y) == pytest.approx(0.5 * (1.0 - np.tanh(y)), abs=1e-5)


def bisected(dp: float, opened: float, shut: float, k: float, r: float) -> float:
    """Flow of a smooth valve in series with a resistance."""
    low, high = min(dp, 0.0), max(dp, 0.0)
    for _ in range(60):
        x = 0.5 * (low + high)
        own = opened + (shut - opened) * 0.5 * (1.0 - np.tanh(k * x))
        low, high = (low, x) if x / own > (dp - x) / r else (x, high)
    return (dp - x) / r


@pytest.mark.parametrize(("opened", "shut", "k", "r"), [(100, 1e5, 100, 100), (0.005, 1e3, 1e4, 6)])
def test_a_smooth_valve_settles_where_its_drops_add_up(opened, shut, k, r):
    """Over a slow sine, the flow is that at which the drops in series make the whole."""
    x, knee = 0.0, 0.5 * np.log(shut / opened) / k
    for i in range(4000):
        dp = 2.5 * np.sin(2 * np.pi * i / 2000)
        q, x = smooth_valve(dp, 0.0, x, opened, shut - opened, k, knee, r, 0.0, 0.0)
        assert abs(q - bisected(dp, opened, shut, k, r)) < 0.01 * 2.5 / (r + opened)


@given(PRESSURES, st.floats(-5, 5), st.floats(0, 20))
def test_a_stenosis_obeys_its_equation(dp, before, mass):
    q = STENOSIS.step(dp, before, 3.0, 7.0, mass)
    residual = mass * (q - before) + 3.0 * q + 7.0 * q * abs(q) - dp
    assert abs(residual) < 1e-7 * (abs(dp) + mass * abs(before) + 1.0)


def test_a_source_is_what_it_is_given():
    assert source(0.0, 13.0) == 13.0
    assert source(2.0, 13.0) == 15.0


def test_a_ring_that_feeds_itself_is_a_table_of_a_period():
    """Imported waveforms lie in delays whose source is what they give."""
    nodes = (Node("wall", "source", {"P": "P"}), Node("bag", "elastic", {"C": 1.0, "V_u": 0.0}))
    graph = Graph("table", nodes, (Edge("way", "resistance", "wall", "bag", {"R": "R"}),))
    lines, prepared = prepare(graph)
    rows = (*states_of(graph), *prepared, "P", "R", "period", "p_wall")
    delays = (Delay("P", "P", "period", "network"), Delay("p_wall", "seen", "period", "network"))
    program = Program("table", rows, (Stage("prepare", 0, lines), stage(graph)), delays)
    values = {row: np.zeros(1) for row in rows} | {"R": np.ones(1), "period": np.array([0.008])}
    table = np.arange(8.0)[None, :]
    moved, (kept, seen) = run(program, 0, 24, 1e-3, values, (table, np.zeros((1, 8))))
    assert np.array_equal(kept, table)
    assert np.array_equal(seen, table)
    expected = 0.0
    for i in range(24):
        expected += 1e-3 * (i % 8 - expected)
    assert moved["V_bag"][0] == pytest.approx(expected, rel=1e-12)
