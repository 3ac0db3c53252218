"""Rewiring while blood flows: what is conserved, what stays, what begins anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.core.model import Rewirable
from isosoma.organs.circulation.anatomy import REWIRINGS, adult
from isosoma.organs.circulation.body import Person, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.physics.network import Edge, Graph, Node, check_graph

THETA = {k: np.array([v, v]) for k, v in theta_of(Person()).items()}
OPENED = ("vsd", "asd", "pda", "bt_shunt", "sano", "glenn", "fontan")


def model_of(*edits):
    model = Circulation()
    for edit in edits:
        model = model.rewired(edit)
    return model


def disturbed(model, seed):
    """A state as it might be amid a run: every number moved, saturations inside 0 to 1."""
    rng = np.random.default_rng(seed)
    state = dict(model.start(THETA))
    for name, value in state.items():
        state[name] = np.asarray(value) * rng.uniform(0.5, 1.5, np.shape(value))
        if name.startswith("S_"):
            state[name] = np.clip(state[name], 0.05, 1.0)
    return state


def oxygen(model, state):
    nodes = [n.name for n in model.graph.nodes if n.name != "ti"]
    return sum(np.asarray(state[f"V_{n}"]) * np.asarray(state[f"S_{n}"]) for n in nodes)


@settings(deadline=None)
@given(st.sampled_from(OPENED), st.integers(0, 2**32 - 1))
def test_no_blood_and_no_oxygen_is_lost(edit, seed):
    old = model_of()
    new = old.rewired(edit)
    state = disturbed(old, seed)
    moved = old.transfer(new, state)
    before, after = (m.conserved(s, THETA)["blood"] for m, s in ((old, state), (new, moved)))
    np.testing.assert_allclose(after, before, rtol=1e-12)
    np.testing.assert_allclose(oxygen(new, moved), oxygen(old, state), rtol=1e-12)


@pytest.mark.parametrize("edit", OPENED)
def test_the_moved_state_is_the_new_models_own(edit):
    old = model_of()
    new = old.rewired(edit)
    moved = old.transfer(new, old.start(THETA))
    assert {p.name for p in new.states} == set(moved)
    assert all(np.all(np.isfinite(v)) for v in moved.values())


def test_tones_drugs_and_delays_go_with_the_person():
    old = model_of()
    new = old.rewired("fontan")
    state = disturbed(old, 3)
    moved = old.transfer(new, state)
    for name in ("tone_heart", "propofol_ce", "phi", "haemoglobin_mass", "ring_heart", "V_ti"):
        assert np.array_equal(moved[name], state[name])


def test_nothing_given_is_changed_in_place():
    old = model_of()
    state = disturbed(old, 4)
    kept = {k: np.array(v) for k, v in state.items()}
    moved = old.transfer(old.rewired("fontan"), state)
    for value in moved.values():
        value[...] = -1.0
    assert all(np.array_equal(kept[k], state[k]) for k in kept)


def test_opening_and_closing_is_coming_back():
    old = model_of()
    state = disturbed(old, 5)
    opened = old.rewired("vsd")
    back = opened.transfer(opened.rewired("close_vsd"), old.transfer(opened, state))
    assert set(back) == set(state)
    assert all(np.array_equal(back[k], state[k]) for k in state)


def test_a_ventricle_taken_out_raises_no_volume_by_more_than_its_share():
    old = model_of()
    state = dict(old.start(THETA))
    moved = old.transfer(old.rewired("fontan"), state)
    gone = state["V_ra"] + state["V_rv"]
    whole = sum(moved[k] for k in moved if k.startswith("V_") and k != "V_ti")
    for name in ("V_pa", "V_ao", "V_vl"):
        assert np.all(moved[name] / state[name] <= 1.0 + 1.2 * gone / whole)
        assert np.all(moved[name] > state[name])


def test_a_new_vessel_begins_empty_and_mixed():
    graph = adult()
    node = Node("bag", "elastic", {"C": "aortic_compliance", "V_u": 0.0})
    edge = Edge("line", "resistance", "vl", "bag", {"R": "venous_resistance"})
    wider = check_graph(Graph(graph.name, (*graph.nodes, node), (*graph.edges, edge), graph.inflow))
    old, new = Circulation(), Circulation(graph=wider)
    moved = old.transfer(new, disturbed(old, 6))
    assert np.all(moved["V_bag"] == 0.0)
    assert np.all((moved["S_bag"] > 0.05) & (moved["S_bag"] < 1.0))


def test_a_valve_begins_shut_and_not_in_denormals():
    old = model_of()
    graph = adult()
    bind = next(e.bind for e in graph.edges if e.name == "aortic")
    edge = Edge("second", "valve", "lv", "ao", bind)
    wider = check_graph(Graph(graph.name, graph.nodes, (*graph.edges, edge), graph.inflow))
    moved = old.transfer(Circulation(graph=wider), old.start(THETA))
    assert np.all(moved["zeta_second"] == 1e-9)
    assert np.all(moved["q_second"] == 0.0)


def test_every_rewiring_has_a_name_the_model_knows():
    model = Circulation()
    assert isinstance(model, Rewirable)
    assert set(OPENED) <= set(REWIRINGS)
    with pytest.raises(ModelError, match="There are asd"):
        model.rewired("norwood")
    with pytest.raises(ModelError, match="no 'vsd'"):
        model.rewired("close_vsd")
    with pytest.raises(ModelError, match="called 'vsd'"):
        model.rewired("vsd").rewired("vsd")
