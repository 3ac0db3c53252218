"""Results by svZeroDSolver's names, from the rings a run has kept.

A pressure is kept at the beginning of its step. So is a flow that follows its pressure drop at
once; a flow with inertia, and a volume, are kept at the end, and are moved by one step here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import InputError
from isosoma.exchange.svzerod_activation import interpolated
from isosoma.exchange.svzerod_chains import Chain, Places
from isosoma.exchange.svzerod_circuit import Circuit, Part, Point
from isosoma.exchange.svzerod_document import Series
from isosoma.exchange.svzerod_graph import Built

__all__ = ["Kept", "shown"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a cycle kept: `waves` of shape (steps + 1,) by row, and the rows at its beginning."""

    waves: Mapping[str, Floats]
    begin: Mapping[str, float]

    def late(self, row: str) -> Floats:
        """Return a row kept at the end of its step, at the beginning instead."""
        return np.concatenate([[self.begin[row]], self.waves[row][:-1]])


def shown(
    circuit: Circuit, places: Places, found: Built, kept: Kept, h: float
) -> dict[str, Floats]:
    """Return every result of one cycle, each of shape (steps + 1,)."""
    flows = {c.name: _flow(places, found, kept, c, h) for c in places.chains}
    pressures = _pressures(places, found, kept, flows, h)
    passed = _passed(circuit, places, flows, len(next(iter(kept.waves.values()))), h)
    out = dict[str, Floats]()
    for up, down in circuit.connections:
        out[f"flow:{up}:{down}"] = passed[up, down]
        out[f"pressure:{up}:{down}"] = pressures[places.merged[up, "out"]]
        out[f"{up}|flow_out"], out[f"{down}|flow_in"] = (passed[up, down],) * 2
        out[f"{up}|pressure_out"] = out[f"{down}|pressure_in"] = out[f"pressure:{up}:{down}"]
    for chain in places.chains:
        if chain.valve is not None and chain.valve.valve == "smooth":
            own = _drop((chain.valve,), chain, found, kept, flows, h)
            status = 0.5 * (1.0 - np.tanh(chain.valve.steep * own))
            out[f"valve_status:{chain.valve.name}"] = status
    for point, store in places.stores.items():
        if store.active is not None:
            out[store.start[0]] = kept.late(f"V_{found.nodes[point]}")
    return out


def _given(table: Series | float, sign: int, count: int, h: float) -> Floats:
    t = np.arange(count, dtype=np.float64) * h
    return sign * (interpolated(table, t) if isinstance(table, Series) else np.full(count, table))


def _flow(places: Places, found: Built, kept: Kept, chain: Chain, h: float) -> Floats:
    """Return the flow of a chain at the beginning of each step."""
    if chain.driven:
        count = len(next(iter(kept.waves.values())))
        return sum((_given(t, s, count, h) for _, t, s in places.flows[chain.up]), np.zeros(count))
    row = f"q_{found.edges[chain.name]}"
    return kept.late(row) if chain.inertance else kept.waves[row]


def _pressures(
    places: Places, found: Built, kept: Kept, flows: Mapping[str, Floats], h: float
) -> dict[Point, Floats]:
    """Return the pressure at every point, also within chains."""
    out = {p: kept.waves[f"p_{name}"] for p, name in found.nodes.items()}
    for chain in places.chains:
        if chain.driven:
            out[chain.up] = out[chain.down] + _drop(chain.parts, chain, found, kept, flows, h)
        for i, point in enumerate(chain.within, 1):
            before, after = chain.parts[:i], chain.parts[i:]
            if _hard(before) < _hard(after):
                out[point] = out[chain.up] - _drop(before, chain, found, kept, flows, h)
            else:
                out[point] = out[chain.down] + _drop(after, chain, found, kept, flows, h)
    return out


def _hard(parts: tuple[Part, ...]) -> tuple[bool, bool]:
    """Return how far a drop over parts is from Ohm's law: inertance first, then valves."""
    return any(p.inertance for p in parts), any(p.valve for p in parts)


def _drop(
    parts: tuple[Part, ...], chain: Chain, found: Built, kept: Kept, flows: Mapping[str, Floats],
    h: float,
) -> Floats:  # fmt: skip
    """Return the pressure drop over some parts of a chain."""
    q = flows[chain.name]
    r = sum(p.resistance for p in parts)
    s, inertance = sum(p.stenosis for p in parts), sum(p.inertance for p in parts)
    drop = (r + s * np.abs(q)) * q
    if inertance:
        drop = drop + inertance * np.gradient(q, h)
    for part in parts:
        if part.valve == "smooth":
            row = f"x_{found.edges[chain.name]}"
            drop = drop + (kept.late(row) if chain.inertance else kept.waves[row])
        elif part.valve:
            drop = drop + np.where(q > 0.0, part.opened, part.shut) * q
    return drop


def _passed(
    circuit: Circuit, places: Places, flows: Mapping[str, Floats], count: int, h: float
) -> dict[tuple[str, str], Floats]:
    """Return the flow over every connection: of a part beside it, or from what else meets there."""
    signed = {
        part.name: sign * flows[chain.name]
        for chain in places.chains
        for part, sign in zip(chain.parts, chain.signs, strict=True)
    }
    out = dict[tuple[str, str], Floats]()
    given = {n: _given(t, s, count, h) for found in places.flows.values() for n, t, s in found}
    for up, down in circuit.connections:
        part = circuit.ends.get((up, "out")) or circuit.ends.get((down, "in"))
        if part:
            out[up, down] = signed[part]
        elif up in given or down in given:
            out[up, down] = given.get(up, -given.get(down, np.zeros(count)))
    while found := dict(_balanced(circuit, out)):
        out |= found
    missing = [c for c in circuit.connections if c not in out]
    if missing:
        raise InputError(
            "the flow between two compliances that touch is not determined",
            ":".join(missing[0]), "Give one of them a resistance towards the other",
        )  # fmt: skip
    return out


def _balanced(
    circuit: Circuit, known: Mapping[tuple[str, str], Floats]
) -> Iterator[tuple[tuple[str, str], Floats]]:
    """Yield flows that follow where all others of a junction, or of a bare vessel, are known."""
    for name in circuit.through:
        ways = [(c, 1 if c[1] == name else -1) for c in circuit.connections if name in c]
        open_ = [(c, s) for c, s in ways if c not in known]
        if len(open_) == 1:
            (way, sign), *_ = open_
            rest = sum((s * known[c] for c, s in ways if c in known), np.zeros(1))
            yield way, -sign * rest
