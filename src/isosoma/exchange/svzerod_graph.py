"""A reduced circuit as a graph of `physics` elements, its numbers, and its program.

What changes over the cycle (activations, given pressures and flows) lies in rings of one period
that are read at every tick and written back; what is to be shown is kept in rings of one period.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import InputError
from isosoma.exchange.svzerod_activation import elastance, interpolated, sampled
from isosoma.exchange.svzerod_chains import Chain, Places
from isosoma.exchange.svzerod_circuit import Circuit, Point, Store
from isosoma.exchange.svzerod_document import Series
from isosoma.physics.network import Edge, Graph, Node, prepare, stage, states_of
from isosoma.physics.program import Delay, Line, Program, Stage

__all__ = ["Built", "built", "time_constants"]

Floats = npt.NDArray[np.float64]
Table = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Built:
    """A graph with what runs it.

    Attributes
    ----------
    nodes, edges : names in the graph of points and of chains.
    values : numbers by row; tables: functions of time [s] by row.
    boundary : rows of `tables` that a steady start replaces by their means.
    program : of the graph; its delays are the tables, then what is kept.
    """

    graph: Graph
    nodes: Mapping[Point, str]
    edges: Mapping[str, str]
    values: Mapping[str, float]
    tables: Mapping[str, Table]
    boundary: frozenset[str]
    program: Program


@dataclass(slots=True)
class _Draft:
    """What `built` gathers while it goes over places and chains."""

    period: float
    places: Places
    name_of: dict[Point, str] = field(default_factory=dict[Point, str])
    edge_of: dict[str, str] = field(default_factory=dict[str, str])
    nodes: list[Node] = field(default_factory=list[Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    inflow: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    values: dict[str, float] = field(default_factory=dict[str, float])
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    boundary: set[str] = field(default_factory=set[str])
    before: list[Line] = field(default_factory=list[Line])
    stiff: dict[Point, str] = field(default_factory=dict[Point, str])


def built(circuit: Circuit, places: Places, period: float) -> Built:
    """Return the graph of a reduced circuit with cycles of `period` [s]."""
    draft = _Draft(period, places)
    for point, store in places.stores.items():
        _store(draft, point, store)
    for point, table in places.pressures.items():
        row = _boundary(draft, f"P_{_named(draft, point)}", table)
        draft.nodes.append(Node(draft.name_of[point], "source", {"P": row}))
    for point in places.stars:
        draft.nodes.append(Node(_named(draft, point), "source", {"P": 0.0}))
    for chain in places.chains:
        _chain(draft, chain)
    _given_flows(draft)
    for name in circuit.spilled:
        _spill(draft, name)
    return _finished(draft)


def _spill(draft: _Draft, name: str) -> None:
    """Let out of a lung what enters it, beside what its pressures let through."""
    edge = next(e for e in draft.edges if e.name == draft.edge_of[name])
    enters = [f"+ q_{e.name}" for e in draft.edges if e.down == edge.up]
    enters += [f"- q_{e.name}" for e in draft.edges if e.up == edge.up]
    draft.inflow.setdefault(edge.down, []).append(f"({' '.join(enters)})")


def _finished(draft: _Draft) -> Built:
    inflow = {n: " + ".join(terms) for n, terms in draft.inflow.items()}
    graph = Graph("svzerod", tuple(draft.nodes), tuple(draft.edges), inflow)
    between = [line for star in draft.places.stars for line in _star(draft, star, inflow)]
    lines, prepared = prepare(graph)
    waves = (f"p_{n.name}" for n in graph.nodes), (f"q_{e.name}" for e in graph.edges)
    kept = tuple(dict.fromkeys([*states_of(graph), *waves[0], *waves[1]]))
    rows = (*kept, *prepared, *draft.values, *draft.tables, "period", "nothing")
    delays = [Delay(row, row, "period", "network") for row in draft.tables]
    delays += [Delay(row, f"kept_{row}", "period", "network") for row in kept]
    network = stage(graph, tuple(draft.before), tuple(between))
    stages = (Stage("prepare", 0, (*lines, "nothing = 0.0 * period")), network)
    program = Program(graph.name, rows, stages, tuple(delays))
    values = {**draft.values, "period": draft.period}
    return Built(graph, draft.name_of, draft.edge_of, values, draft.tables,
                 frozenset(draft.boundary), program)  # fmt: skip


def _identifier(text: str, taken: Iterable[str]) -> str:
    """Return a name for the graph: letters, digits and _, not taken."""
    plain = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_")
    base = plain if plain[:1].isalpha() else f"x{plain}"
    names, out, i = set(taken), base, 2
    while out in names:
        out, i = f"{base}_{i}", i + 1
    return out


def _named(draft: _Draft, point: Point) -> str:
    taken = (*draft.name_of.values(), *draft.edge_of.values())
    draft.name_of[point] = _identifier("_".join(point), taken)
    return draft.name_of[point]


def _boundary(draft: _Draft, row: str, table: Series | float) -> str:
    """Add a boundary value as a row; return its name."""
    if isinstance(table, Series):
        draft.tables[row] = lambda t: interpolated(table, t)
        draft.boundary.add(row)
    else:
        draft.values[row] = table
    return row


def _store(draft: _Draft, point: Point, store: Store) -> None:
    name = _named(draft, point)
    bind = {symbol: f"{symbol}_{name}" for symbol in store.values}
    draft.values |= {bind[symbol]: v for symbol, v in store.values.items()}
    activation = ""
    if store.active is not None:
        activation = f"a_{name}"
        draft.tables[activation] = _activation(store, draft.period, point[0])
    if "V_d" in bind:
        high, low = bind.pop("V_d"), bind.pop("V_s")
        bind["V0"] = f"V0_{name}"
        draft.before.append(f"V0_{name} = {low} + (1.0 - {activation}) * ({high} - {low})")
    draft.stiff[point] = {
        "elastic": f"1.0 / C_{name}",
        "atrium": f"(E_b_{name} + E_a_{name} * max({activation}, 0.0))",
        "ventricle": f"(E_{name} * {activation} + P0_{name} * k_{name})",
    }[store.kind]
    around = _around(draft, name, store)
    extra = {"V_u": 0.0} if store.kind == "elastic" else {}
    draft.nodes.append(Node(name, store.kind, {**bind, **extra}, around, activation))


def _around(draft: _Draft, name: str, store: Store) -> tuple[str, ...]:
    """Return what is added to a store's own pressure."""
    if isinstance(store.around, tuple):
        point, share = store.around
        draft.values[f"share_{name}"] = share
        return (f"share_{name} * p_{draft.name_of[draft.places.merged[point]]}",)
    if store.around == 0.0:
        return ()
    return (_boundary(draft, f"around_{name}", store.around),)


def _activation(store: Store, period: float, where: str) -> Table:
    kind, given = store.active or ("", {})
    if kind == "elastance":
        return lambda t: elastance(t, period)
    sampled(kind, given, np.zeros(1), period, where)  # says at once what is wrong with it
    return lambda t: sampled(kind, given, t, period, where)


def _chain(draft: _Draft, chain: Chain) -> None:
    taken = (*draft.name_of.values(), *draft.edge_of.values())
    name = draft.edge_of[chain.name] = _identifier(chain.name, taken)
    if chain.driven:
        if chain.down not in draft.name_of:
            raise InputError("a given flow meets a given flow", chain.name,
                             "Put a compliance between")  # fmt: skip
        return
    kind, numbers = _kind(chain)
    if kind in {"diode", "smooth_valve"}:
        terms = [draft.stiff[p] for p in (chain.up, chain.down) if p in draft.stiff]
        fill = f"h * ({' + '.join(terms)})" if terms and not chain.inertance else "0.0 * period"
        draft.before.append(f"R_fill_{name} = {fill}")
    bind = {symbol: f"{symbol}_{name}" for symbol in numbers}
    draft.values |= {bind[symbol]: v for symbol, v in numbers.items()}
    if kind in {"diode", "smooth_valve"}:
        bind["R_fill"] = f"R_fill_{name}"
    up, down = draft.name_of[chain.up], draft.name_of[chain.down]
    draft.edges.append(Edge(name, kind, up, down, bind))


def _kind(chain: Chain) -> tuple[str, dict[str, float]]:
    """Return the element that a chain is, and its numbers."""
    r, s, inertance = chain.resistance, chain.stenosis, chain.inertance
    valve = chain.valve
    if valve is not None and s:
        raise InputError("a stenosis follows it with no compliance between", valve.name,
                         "Give the vessel between a C")  # fmt: skip
    if valve is not None and valve.valve == "diode":
        opened, shut = valve.opened + r, valve.shut + r
        return "diode", {"R_open": opened, "R_shut": shut, "L": inertance}
    if valve is not None:
        own = {"R_open": valve.opened, "R_shut": valve.shut, "k": valve.steep}
        return "smooth_valve", {**own, "R": r, "L": inertance}
    if s:
        return "stenosis", {"R": r, "S": s, "L": inertance}
    return ("inertance", {"R": r, "L": inertance}) if inertance else ("resistance", {"R": r})


def _given_flows(draft: _Draft) -> None:
    """Lead given flows to the places they reach."""
    reach = {c.up: c.down for c in draft.places.chains if c.driven}
    for point, found in draft.places.flows.items():
        at = draft.name_of[reach.get(point, point)]
        for name, table, sign in found:
            row = _boundary(draft, f"Q_{_identifier(name, draft.values)}", table)
            if isinstance(table, Series):
                draft.tables[row] = _mean_of_step(table)
            draft.inflow.setdefault(at, []).append(f"{float(sign)!r} * {row}")


def _mean_of_step(table: Series) -> Table:
    """Return the mean over the step that begins at each time: what a step brings in."""

    def mean(t: Floats) -> Floats:
        step = t[1] - t[0] if len(t) > 1 else 0.0
        return 0.5 * (interpolated(table, t) + interpolated(table, t + step))

    return mean


def _star(draft: _Draft, star: Point, inflow: Mapping[str, str]) -> list[Line]:
    """Return lines for the pressure at which the flows of a place without blood cancel."""
    name = draft.name_of[star]
    above, below, valves = list[str](), list[str](), list[tuple[Edge, str, int]]()
    for edge in draft.edges:
        if name not in (edge.up, edge.down):
            continue
        far, sign = (edge.up, 1) if edge.down == name else (edge.down, -1)
        if far in {draft.name_of[p] for p in draft.places.stars}:
            raise InputError(f"it joins two places without compliance, {far} and {name}",
                             edge.name, "Give one of them a C")  # fmt: skip
        if edge.kind == "diode" and not draft.values[f"L_{edge.name}"]:
            valves.append((edge, far, sign))
            continue
        weight, own = _answer(edge, sign)
        above.append(f"{weight} * p_{far}{own}")
        below.append(weight)
    if name in inflow:
        above.append(inflow[name])
    lines: list[Line] = [
        f"drive_{name} = {' + '.join(above)}",
        f"give_{name} = {' + '.join(below)}",
    ]
    if len(valves) > 1 or not below:
        raise InputError("valves meet with no compliance between", name, "Give it a C")
    for edge, far, sign in valves:
        e = edge.name
        lines += [
            f"open_{e} = ({sign}.0 * (p_{far} * give_{name} - drive_{name})) > 0.0",
            f"way_{e} = 1.0 / ((R_open_{e} if open_{e} else R_shut_{e}) + R_fill_{e})",
            f"drive_{name} = drive_{name} + way_{e} * p_{far}",
            f"give_{name} = give_{name} + way_{e}",
        ]
    return [*lines, f"p_{name} = drive_{name} / give_{name}"]


def _answer(edge: Edge, sign: int) -> tuple[str, str]:
    """Return how much an edge brings for each unit of pressure, and what it brings anyhow."""
    if edge.kind == "resistance":
        return f"G_{edge.name}", ""
    if edge.kind == "inertance":
        return f"push_{edge.name}", f" + {sign}.0 * kept_{edge.name} * q_{edge.name}"
    raise InputError(f"a {edge.kind.replace('_', ' ')} meets others with no compliance between",
                     edge.name, "Give the place where they meet a C")  # fmt: skip


def time_constants(found: Built, places: Places) -> dict[str, float]:
    """Return the fastest time [s] of every chain: R C, or the root of L C, at its stiffer end."""
    t = np.linspace(0.0, found.values["period"], 2001)
    space = {**found.values, **{row: f(t).max() for row, f in found.tables.items()}}
    out = dict[str, float]()
    for chain in places.chains:
        ends = [p for p in (chain.up, chain.down) if p in places.stores]
        if chain.driven or not ends or (chain.valve is not None and not chain.inertance):
            continue
        stiffness = sum(_stiffness(places.stores[p], found.nodes[p], space) for p in ends)
        if stiffness <= 0.0:
            continue
        fast = np.sqrt(chain.inertance / stiffness)
        r = chain.resistance + (chain.valve.opened if chain.valve else 0.0)
        out[chain.name] = float(max(fast, r / stiffness)) if chain.inertance else r / stiffness
    return out


def _stiffness(store: Store, name: str, space: Mapping[str, float]) -> float:
    """Return the largest rise of pressure with volume of a store."""
    v = store.values
    if store.kind == "elastic":
        return 1.0 / v["C"]
    active = float(space[f"a_{name}"])
    if store.kind == "atrium":
        return v["E_b"] + v["E_a"] * active
    return v["E"] * active + v["P0"] * v["k"]
