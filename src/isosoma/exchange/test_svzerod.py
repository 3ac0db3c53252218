"""Networks that are none, told so; and small ones against their closed form."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, InputError, LimitError, RangeError
from isosoma.exchange.svzerod import network_of, read_document, simulate
from isosoma.exchange.svzerod_activation import ACTIVATIONS, interpolated, sampled
from isosoma.exchange.svzerod_document import Series
from isosoma.exchange.svzerod_graph import time_constants


def vessel(name: str, number: int, values: dict[str, float], **ends: str) -> dict[str, Any]:
    return {
        "vessel_name": name, "vessel_id": number, "zero_d_element_type": "BloodVessel",
        "zero_d_element_values": values, "boundary_conditions": ends,
    }  # fmt: skip


def boundary(name: str, kind: str, **values: object) -> dict[str, Any]:
    return {"bc_name": name, "bc_type": kind, "bc_values": values}


def fork() -> dict[str, Any]:
    """One vessel with compliance and inertance that parts into two."""
    return {
        "simulation_parameters": {
            "number_of_cardiac_cycles": 3, "number_of_time_pts_per_cardiac_cycle": 11,
            "steady_initial": False,
        },
        "boundary_conditions": [
            boundary("IN", "FLOW", Q=[6.0, 6.0], t=[0.0, 1.0]),
            boundary("A", "RESISTANCE", R=10.0, Pd=2.0),
            boundary("B", "RCR", Rp=5.0, Rd=15.0, C=1e-3, Pd=2.0),
        ],
        "vessels": [
            vessel("trunk", 0, {"R_poiseuille": 1.0, "C": 1e-3, "L": 0.01}, inlet="IN"),
            vessel("left", 1, {"R_poiseuille": 2.0, "C": 1e-3}, outlet="A"),
            vessel("right", 2, {"R_poiseuille": 4.0}, outlet="B"),
        ],
        "junctions": [
            {"junction_name": "J", "junction_type": "NORMAL_JUNCTION",
             "inlet_vessels": [0], "outlet_vessels": [1, 2]},
        ],
    }  # fmt: skip


def chamber(**more: object) -> dict[str, Any]:
    """A chamber between two valves, filled from a source and emptied into a resistance."""
    return {
        "simulation_parameters": {"number_of_cardiac_cycles": 2,
                                  "number_of_time_pts_per_cardiac_cycle": 11},
        "boundary_conditions": [
            boundary("IN", "PRESSURE", P=[5.0, 5.0], t=[0.0, 1.0]),
            boundary("OUT", "RESISTANCE", R=1.0, Pd=60.0),
        ],
        "chambers": [{
            "name": "LV", "type": "LinearElastanceChamber",
            "values": {"Emax": 2.0, "Epass": 0.05, "Vrest": 5.0},
            "activation_function": {"type": "half_cosine", "t_active": 0.1, "t_twitch": 0.4},
        } | more],
        "valves": [
            {"name": "MV", "type": "PiecewiseValve",
             "params": {"Rmin": 0.01, "Rmax": 1e4, "upstream_block": "IN",
                        "downstream_block": "LV"}},
            {"name": "AV", "type": "PiecewiseValve",
             "params": {"Rmin": 0.01, "Rmax": 1e4, "upstream_block": "LV",
                        "downstream_block": "OUT"}},
        ],
    }  # fmt: skip


def read(tree: object) -> Any:
    return network_of(read_document(json.dumps(tree).encode()))


def edited(tree: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return the tree with the value at `path` replaced; removed where it is `...`."""
    out = copy.deepcopy(tree)
    steps: list[Any] = [int(k) if k.isdigit() else k for k in path.split(".")]
    *way, last = steps
    at: Any = out
    for key in way:
        at = at[key]
    if value is ...:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return out


def test_a_fork_parts_flow_by_resistance():
    """Steady: 6 into branches of 12 and 24 to the same pressure gives 4 and 2."""
    series = simulate(read(fork())).series
    assert series["left|flow_in"][-1] == pytest.approx(4.0, rel=1e-6)
    assert series["right|flow_out"][-1] == pytest.approx(2.0, rel=1e-6)
    assert series["left|pressure_out"][-1] == pytest.approx(42.0, rel=1e-6)
    assert series["right|pressure_in"][-1] == pytest.approx(50.0, rel=1e-6)
    assert series["trunk|pressure_in"][-1] == pytest.approx(56.0, rel=1e-6)
    assert series["trunk|flow_in"] == pytest.approx(6.0)


def test_a_steady_start_is_where_the_means_lead():
    tree = edited(fork(), "simulation_parameters.steady_initial", value=True)
    series = simulate(read(tree)).series
    assert series["left|flow_in"][0] == pytest.approx(4.0, rel=1e-6)
    assert np.ptp(series["trunk|pressure_out"]) < 1e-6


@pytest.mark.parametrize(
    ("path", "value", "kind", "said"),
    [
        ("vessels.0.vessel_name", ..., FormatError, "'vessel_name' is missing"),
        ("vessels.0.vessel_name", 7, FormatError, "is a text"),
        ("vessels.0.zero_d_element_values.C", "0.1", FormatError, "is a number"),
        ("vessels.0.zero_d_element_values.C", None, FormatError, "is a number"),
        ("vessels.0.zero_d_element_values.C", -1.0, RangeError, "'C' is -1"),
        ("vessels.0.zero_d_element_values.R_poiseuille", [1, 2], FormatError, "2 values at 0"),
        ("vessels.0.zero_d_element_type", "Hose", InputError, "'Hose' is not covered"),
        ("vessels.1.vessel_name", "trunk", InputError, "two parts are called 'trunk'"),
        ("vessels.1.vessel_id", 0, InputError, "stands twice"),
        ("vessels.0.boundary_conditions.inlet", "OUTER", InputError, "'OUTER', which is not"),
        ("vessels.0.boundary_conditions.inlet", ..., InputError, "meets nothing"),
        ("vessels.1.boundary_conditions.outlet", ..., InputError, "meets nothing"),
        ("vessels.1.boundary_conditions.outlet", "B", InputError, "both meet one end"),
        ("vessels", {}, FormatError, "is a list"),
        ("vessels.0", 3, FormatError, "an object is wanted"),
        ("junctions", [], InputError, "meets nothing"),
        ("junctions.0.inlet_vessels", [9], InputError, "no vessel 9"),
        ("junctions.0.inlet_vessels", [], InputError, "nothing is joined"),
        ("junctions.0.junction_type", "resistive_junction", InputError, "not covered"),
        ("boundary_conditions.0.bc_values.t", [0.0], FormatError, "2 values at 1 times"),
        ("boundary_conditions.0.bc_values.t", [1.0, 0.0], RangeError, "do not rise"),
        ("boundary_conditions.0.bc_values.Q", ..., FormatError, "'Q' is missing"),
        ("boundary_conditions.1.bc_values.R", -3, RangeError, "'R' is -3"),
        ("boundary_conditions.1.bc_type", "IMPEDANCE", InputError, "not covered"),
        ("boundary_conditions.2.bc_type", "ClosedLoopRCR", InputError, "no heart"),
        ("boundary_conditions.3", boundary("Z", "FLOW", Q=1.0), InputError, "no block uses it"),
        ("simulation_parameters", ..., FormatError, "'simulation_parameters' is missing"),
        ("simulation_parameters.number_of_cardiac_cycles", 0, RangeError, "whole number"),
        ("simulation_parameters.number_of_cardiac_cycles", 1.5, RangeError, "whole number"),
        ("simulation_parameters.number_of_cardiac_cycles", True, FormatError, "is a number"),
        ("simulation_parameters.cardiac_period", 2.0, InputError, "a cycle of 1 s"),
        ("simulation_parameters.cardiac_period", -1.0, InputError, "above 0"),
        ("simulation_parameters.steady_initial", "no", FormatError, "true or false"),
        ("initial_condition", {"pressure:J:left": "x"}, FormatError, "is a number"),
        ("closed_loop_blocks", [{"closed_loop_type": "Pump"}], InputError, "'Pump'"),
        ("vessels.1.zero_d_element_values.C", 0.0, InputError, "without compliance|no compliance"),
    ],
)  # fmt: skip
def test_what_is_no_network_says_so(path, value, kind, said):
    tree = edited(fork(), path, value)
    if path.endswith("C") and value == 0.0:  # two forks without compliance touch
        tree["boundary_conditions"][1]["bc_values"]["R"] = 0.0
        tree["vessels"][1]["zero_d_element_values"]["stenosis_coefficient"] = 1.0
    with pytest.raises(kind, match=said) as caught:
        read(tree)
    assert str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"", FormatError, "no JSON"),
        (b"[1]", FormatError, "an object is wanted"),
        (b"\xff\xfe", FormatError, "not UTF-8"),
        (b'{"a": NaN}', RangeError, "NaN is no number"),
        (b'{"a": -Infinity}', RangeError, "no number"),
        (b'{"a": 1, "a": 2}', FormatError, "'a' stands twice"),
        (
            b'{"simulation_parameters": {"number_of_cardiac_cycles": 1e999}}',
            RangeError,
            "not finite",
        ),
        (b"[" * 100_000, LimitError, "nested too deep"),
        (b" " * ((16 << 20) + 1), LimitError, "over 16 MiB"),
    ],
    ids=["empty", "list", "utf-16", "nan", "infinity", "twice", "1e999", "deep", "long"],
)
def test_what_is_no_document_says_so(body, kind, said):
    with pytest.raises(kind, match=said):
        read_document(body)


def test_a_number_beyond_floats_is_refused():
    body = json.dumps(fork()).replace("0.01", "1e999").encode()
    with pytest.raises(RangeError, match="'L' is not finite"):
        read_document(body)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("chambers.0.type", "ChamberSphere", "'ChamberSphere' is not covered"),
        ("chambers.0.activation_function.type", "square", "'square' is not covered"),
        ("chambers.0.activation_function.t_twitch", 0.0, "'t_twitch' is 0"),
        ("chambers.0.activation_function.t_twitch", ..., "'t_twitch' is missing"),
        ("chambers.0.activation_function", ..., "'activation_function' is missing"),
        ("chambers.0.values.Emax", ..., "'Emax' is missing"),
        ("chambers.0.values.Emax", [1, 2], "times"),
        ("valves.0.params.upstream_block", "nobody", "'nobody', which is not there"),
        ("valves.0.params.downstream_block", ..., "'downstream_block' is missing"),
        ("valves.0.params.Rmax", 0.0, "'Rmax' is 0"),
        ("valves.0.params.Rmin", -1.0, "'Rmin' is -1"),
        ("valves.1", ..., "OUT: no block uses it"),
        ("valves", [], "IN: no block uses it"),
    ],
)
def test_what_is_no_chamber_says_so(path, value, said):
    tree = edited(chamber(), path, value)
    with pytest.raises(InputError, match=said):
        read(tree)


def test_valves_in_a_row_are_refused():
    tree = chamber()
    tree["valves"][1]["params"]["downstream_block"] = "second"
    tree["valves"].append({"name": "second", "type": "PiecewiseValve", "params": {
        "Rmin": 0.01, "Rmax": 1e4, "upstream_block": "AV", "downstream_block": "OUT"}})  # fmt: skip
    with pytest.raises(InputError, match="follow each other"):
        read(tree)


def test_two_volumes_at_one_pressure_are_refused():
    tree = chamber()
    tree["vessels"] = [vessel("bag", 0, {"C": 1.0}, outlet="OUT")]
    tree["valves"] = tree["valves"][:1]
    tree["junctions"] = [{"junction_name": "J", "junction_type": "internal_junction",
                          "inlet_blocks": ["LV"], "outlet_blocks": ["bag"]}]  # fmt: skip
    with pytest.raises(InputError, match="shares one pressure"):
        read(tree)


def test_a_network_too_stiff_for_a_step_names_what_is_stiff():
    tree = edited(fork(), "vessels.1.zero_d_element_values.R_poiseuille", 1e-7)
    with pytest.raises(LimitError, match=r"left.* steps a cycle"):
        simulate(read(tree))


def test_names_of_any_script_are_kept_apart():
    tree = json.loads(json.dumps(fork()).replace("trunk", "Stämme é").replace("left", "Stämme è"))
    names = [n.name for n in read(tree).graph.nodes]
    assert len(set(names)) == len(names)
    assert all(n.isidentifier() and n.isascii() for n in names)


def test_a_misspelt_key_is_told():
    tree = edited(fork(), "vessels.0.zero_d_element_values.R_poisseuille", 3.0)
    tree["initial_condition"] = {"Vc:nobody": 1.0}
    first, second = read(tree).notes
    assert "trunk: 'R_poisseuille' is nothing of a BloodVessel" in first
    assert "'Vc:nobody' names nothing" in second
    assert read(fork()).notes == read(chamber()).notes == ()


def test_a_run_beyond_memory_or_patience_is_refused():
    tree = edited(fork(), "simulation_parameters.number_of_cardiac_cycles", 10_000)
    tree["simulation_parameters"]["number_of_time_pts_per_cardiac_cycle"] = 50_001
    tree["simulation_parameters"]["output_all_cycles"] = True
    with pytest.raises(LimitError, match=r"10000 cycles of .* are too much"):
        simulate(read(tree))


def test_a_chamber_without_any_elastance_is_no_crash():
    tree = edited(chamber(), "chambers.0.values", {"Emax": 0.0, "Epass": 0.0, "Vrest": 5.0})
    network = read(tree)
    assert time_constants(network.built, network.places) == {}


WELL = {
    "t_active": 0.2, "t_twitch": 0.3, "contract_start": 0.1, "relax_start": 0.3,
    "contract_duration": 0.2, "relax_duration": 0.3, "t_shift": 0.1, "tau_1": 0.2, "tau_2": 0.35,
    "m1": 1.3, "m2": 20.0, "Tsa": 0.4, "tpwave": 9.0,
}  # fmt: skip


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_an_activation_rises_from_nothing_to_one_and_repeats(kind):
    t = np.linspace(0.0, 0.8, 4001)
    e = sampled(kind, WELL, t, 0.8, "LV")
    assert e.min() == pytest.approx(0.0, abs=2e-3)
    assert e.max() == pytest.approx(1.0, abs=2e-3)
    assert sampled(kind, WELL, t + 0.8, 0.8, "LV") == pytest.approx(e, abs=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8), st.floats(0, 1), st.integers(-3, 3))
def test_a_table_repeats_and_stays_between_its_values(values, t, cycles):
    series = Series(tuple(float(i) / (len(values) - 1) for i in range(len(values))), tuple(values))
    at = interpolated(series, np.array([t, t + cycles]))
    assert min(values) - 1e-9 <= at[0] <= max(values) + 1e-9
    if 1e-6 < t < 1.0 - 1e-6:
        assert at[1] == pytest.approx(at[0], abs=1e-6 * max(1.0, np.ptp(values) * len(values)))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=8), x, max_size=3),
    max_leaves=6,
)  # fmt: skip
PLACES = [
    "simulation_parameters", "boundary_conditions", "vessels", "junctions", "chambers", "valves",
    "vessels.0", "vessels.0.zero_d_element_values", "vessels.0.boundary_conditions",
    "boundary_conditions.0.bc_values", "boundary_conditions.0.bc_values.Q", "junctions.0",
    "junctions.0.inlet_vessels", "initial_condition", "closed_loop_blocks",
]  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(PLACES), JUNK)
def test_junk_anywhere_is_a_sentence_and_no_crash(place, junk):
    body = json.dumps(edited(fork(), place, junk), allow_nan=True).encode()
    try:
        network_of(read_document(body))
    except InputError as error:
        assert str(error)  # noqa: PT017 (junk may happen to be harmless)
