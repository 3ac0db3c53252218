"""The circulation under random people, treatment, rewiring and company: what always holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle, Outcome
from isosoma.core.units import to_si
from isosoma.organs.circulation.anatomy import REWIRINGS, adult
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.rows import program_of
from isosoma.physics.ensemble import LANES
from isosoma.physics.network import Edge, Node, check_graph, with_edge
from isosoma.physics.program import check

MODEL = Circulation()
MOST = {
    "bleeding_rate": to_si(500, "mL/min"),
    "infusion_rate": to_si(500, "mL/min"),
    "transfusion_rate": to_si(200, "mL/min"),
    "thoracic_mean": to_si(12, "mm[Hg]"),
    "alveolar_ventilation": to_si(15, "L/min"),
    "inspired_oxygen": 1.0,
    "pacing_rate": 3.0,
    "fibrillation": 1.0,
    "pericardial_fluid": to_si(300, "mL"),
    "cardioplegia": 1.0,
    "lifted_heart": 1.0,
    "propofol_rate": to_si(20, "mg/min"),
    "norepinephrine_rate": to_si(30, "ug/min"),
    "epinephrine_rate": to_si(10, "ug/min"),
}
"""What a patient may be given or suffer here, at most [SI]; none at rest or at random."""
seeds = st.integers(0, 2**32 - 1)


def people(seed: int, members: int, spread: float = 1.0) -> Bundle:
    """Return parameters drawn from the priors, within three of their widths."""
    rng = np.random.default_rng(seed)
    z = np.clip(spread * rng.standard_normal((len(MODEL.parameters), members)), -3.0, 3.0)
    return {p.name: p.prior.real(z[i]) for i, p in enumerate(MODEL.parameters)}


def resting(members: int, model: Circulation = MODEL) -> Bundle:
    return {p.name: np.full(members, p.rest) for p in model.inputs}


def treated(seed: int, members: int) -> Bundle:
    """Return inputs, half of each at rest and the rest anywhere up to the most."""
    rng = np.random.default_rng([seed, 1])
    out = dict(resting(members))
    for name, most in MOST.items():
        on = rng.random(members) < 0.5
        out[name] = np.where(on, rng.uniform(0.0, most, members), out[name])
    return out


def advanced(theta: Bundle, inputs: Bundle, ticks: int, threads: int | None = None) -> Outcome:
    model = replace(MODEL, threads=threads)
    return model.advance(0, ticks, model.start(theta), theta, inputs)


def picked(bundle: Bundle, which: np.ndarray) -> dict[str, np.ndarray]:
    return {k: np.asarray(v)[which] for k, v in bundle.items()}


def same(a: Bundle, b: Bundle) -> None:
    assert a.keys() == b.keys()
    differing = [n for n in a if not np.array_equal(a[n], b[n], equal_nan=True)]
    assert differing == []


# --- any person, any treatment --------------------------------------------------------------------


@settings(max_examples=25)
@given(seeds, st.sampled_from([0.5, 1.0, 3.0]))
def test_nobody_inside_the_priors_fails_at_rest(seed, spread):
    theta = people(seed, LANES, spread)
    out = advanced(theta, resting(LANES), 20_000)
    assert not out.failed.any()
    assert out.advice == ()
    for name, value in {**out.state, **out.outputs}.items():
        assert np.isfinite(value).all(), name
        assert not name.startswith("V_") or (value > 0.0).all(), name


@settings(max_examples=40)
@given(seeds, st.integers(1_000, 60_000))
def test_whatever_is_done_blood_is_kept_and_numbers_are_numbers(seed, ticks):
    """Bleeding, fluids, drugs, pacing, fibrillation, tamponade and arrest, all at once."""
    theta, inputs = people(seed, LANES), treated(seed, LANES)
    out = advanced(theta, inputs, ticks)
    well = ~out.failed
    before = MODEL.conserved(MODEL.start(theta), theta)["blood"]
    after = MODEL.conserved(out.state, theta)["blood"]
    drift = np.abs(after - before - out.exchanged["blood"])[well]
    assert (drift <= 1e-10 * after[well]).all()
    for name, value in {**out.state, **out.outputs}.items():
        assert np.isfinite(value[well]).all(), name
    for name in ("oxygen_saturation", "mixed_venous_saturation"):
        assert (out.outputs[name][well] >= 0.0).all()
        assert (out.outputs[name][well] <= 1.0).all()
    for valve in ("mitral", "aortic", "tricuspid", "pulmonary"):
        opened = out.state[f"zeta_{valve}"][well]
        assert ((opened >= 0.0) & (opened <= 1.0)).all()


@settings(max_examples=25)
@given(seeds, st.floats(0.05, 0.35))
def test_a_bleed_takes_what_it_says_and_never_empties_a_compartment(seed, share):
    theta, inputs = people(seed, LANES), dict(resting(LANES))
    inputs["bleeding_rate"] = share * theta["blood_volume"] / 60.0
    out = advanced(theta, inputs, 60_000)
    assert not out.failed.any()
    lost = -out.exchanged["blood"] / theta["blood_volume"]
    assert (lost <= share * 1.001).all()
    assert (lost > 0.9 * share).all() or share > 0.25
    assert all((v > 0.0).all() for n, v in out.state.items() if n.startswith("V_"))


# --- company --------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(seeds, st.integers(2, 2 * LANES + 3), st.integers(0, 3_000), st.sampled_from([1, 2, None]))
def test_no_thread_cut_order_or_company_moves_a_bit(seed, members, cut, threads):
    theta, inputs = people(seed, members), treated(seed, members)
    whole = advanced(theta, inputs, 3_000, threads=1)
    model = replace(MODEL, threads=threads)
    first = model.advance(0, cut, model.start(theta), theta, inputs)
    second = model.advance(cut, 3_000, first.state, theta, inputs)
    same(second.state, whole.state)
    order = np.random.default_rng(seed).permutation(members)
    shuffled = advanced(picked(theta, order), picked(inputs, order), 3_000, threads)
    same(shuffled.state, picked(whole.state, order))
    same(shuffled.outputs, picked(whole.outputs, order))


def test_a_person_is_the_same_in_every_lane_and_tile():
    """37 copies: three tiles, the last one not full, and the kernel of a single member."""
    members = 2 * LANES + 5
    one, given_ = people(3, 1), treated(3, 1)
    copies = {k: np.repeat(v, members) for k, v in one.items()}
    out = advanced(copies, {k: np.repeat(v, members) for k, v in given_.items()}, 5_000)
    alone = advanced(one, given_, 5_000)
    for name, value in out.state.items():
        assert (value == value[:1]).all(), name
        assert np.array_equal(value[:1], alone.state[name]), name


@settings(max_examples=15)
@given(seeds, st.integers(0, 2 * LANES - 1), st.sampled_from([np.nan, np.inf, 0.0]))
def test_a_failing_member_is_named_and_leaves_the_others_alone(seed, sick, value):
    theta = people(seed, 2 * LANES)
    well = np.arange(2 * LANES) != sick
    whole = advanced(theta, resting(2 * LANES), 2_000)
    broken = {k: v.copy() for k, v in theta.items()}
    broken["venous_compliance"][sick] = value
    out = advanced(broken, resting(2 * LANES), 2_000)
    assert np.flatnonzero(out.failed).tolist() == [sick]
    assert "diverged" in out.advice[0]
    same(picked(out.state, well), picked(whole.state, well))
    same(picked(out.outputs, well), picked(whole.outputs, well))


def test_numbers_on_their_way_to_infinity_have_failed_before_they_arrive():
    theta = people(1, 2, 0.0)
    state = {k: np.array(v) for k, v in MODEL.start(theta).items()}
    state["V_sa"][1] = 1e40
    out = MODEL.advance(0, 1, state, theta, resting(2))
    assert np.isfinite(out.state["V_sa"]).all()
    assert out.failed.tolist() == [False, True]


# --- rewiring -------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(REWIRINGS)), min_size=1, max_size=4))
def test_any_rewiring_gives_a_whole_model_or_a_sentence(names):
    graph, refused = adult(), ""
    for name in names:
        try:
            graph = REWIRINGS[name](graph)
        except ModelError as error:
            refused = str(error)
            break
    if refused:
        assert len(refused.split()) > 4
        return
    check(program_of(graph))
    model = Circulation(graph=graph)
    theta = {p.name: np.ravel(p.prior.real(np.zeros(1))) for p in model.parameters}
    state = model.start(theta)
    assert all(np.isfinite(v).all() for v in state.values())
    assert state.keys() == {p.name for p in model.states}
    blood = sum(float(v[0]) for n, v in state.items() if n.startswith("V_") and n != "V_ti")
    assert blood == pytest.approx(float(theta["blood_volume"][0]), rel=1e-12)


@pytest.mark.parametrize("names", [("vsd",), ("fontan",)])
def test_a_rewired_circulation_keeps_its_blood(names):
    graph = adult()
    for name in names:
        graph = REWIRINGS[name](graph)
    model = Circulation(graph=graph)
    theta = {p.name: np.ravel(p.prior.real(np.zeros(1))) for p in model.parameters}
    begun = model.start(theta)
    out = model.advance(0, 30_000, begun, theta, resting(1, model))
    assert not out.failed[0]
    before, after = (float(model.conserved(s, theta)["blood"][0]) for s in (begun, out.state))
    assert abs(after - before - float(out.exchanged["blood"][0])) < 1e-10 * after
    assert all(float(v[0]) > 0.0 for n, v in out.state.items() if n.startswith("V_"))


def _dangling() -> None:
    with_edge(adult(), Edge("lost", "resistance", "sa", "spleen", {"R": 1e8}))


def _closed() -> None:
    graph = adult()
    pouch = Node("pouch", "elastic", {"C": 1e-8, "V_u": 0.0})
    check_graph(replace(graph, nodes=(*graph.nodes, pouch)))


def _unbound() -> None:
    with_edge(adult(), Edge("gap", "orifice", "la", "ra", {"A": 1e-4}))


def _two_units() -> None:
    twisted = with_edge(adult(), Edge("odd", "resistance", "sa", "vu", {"R": "aortic_compliance"}))
    _ = Circulation(graph=twisted).parameters


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_dangling, "edge lost ends at 'spleen'"),
        (_closed, "nothing leads to pouch"),
        (_unbound, "gap of circulation leaves .* unbound"),
        (_two_units, "aortic_compliance is bound in"),
    ],
)
def test_what_is_no_circulation_says_so(edit, said):
    with pytest.raises(ModelError, match=said):
        edit()


# --- what does not fit ----------------------------------------------------------------------------


def test_a_missing_parameter_is_named():
    theta = dict(people(0, 2))
    state = MODEL.start(theta)
    del theta["lv_stiffness"]
    with pytest.raises(ModelError, match="needs lv_stiffness"):
        MODEL.advance(0, 1, state, theta, resting(2))


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 1), ()])
@pytest.mark.parametrize("where", ["theta", "inputs", "state"])
def test_a_wrong_shape_is_named(shape, where):
    theta = people(0, 2)
    bundles = {"theta": dict(theta), "inputs": dict(resting(2)), "state": dict(MODEL.start(theta))}
    name = {"theta": "lv_elastance", "inputs": "bleeding_rate", "state": "V_lv"}[where]
    bundles[where][name] = np.full(shape, 1e-4)
    with pytest.raises(ModelError, match=f"{name} has the shape"):
        MODEL.advance(0, 1, bundles["state"], bundles["theta"], bundles["inputs"])


def test_a_state_of_another_step_is_refused():
    """Its rings of delayed firing are of another depth: a kernel would read past their end."""
    theta = people(0, 2)
    fine = replace(MODEL, step=5e-4)
    with pytest.raises(ModelError, match="a state of another step"):
        fine.advance(0, 1, MODEL.start(theta), theta, resting(2))
