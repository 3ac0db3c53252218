"""A circuit reduced: points that are one merged, parts in a row made one chain.

A point is a *place* where it holds blood, has a given pressure, or joins three ways and more; a
chain leads from place to place. What lies within a chain has one flow, so its pressures follow
from those at the ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isosoma.core.errors import InputError
from isosoma.exchange.svzerod_circuit import Circuit, Part, Point, Store
from isosoma.exchange.svzerod_document import Series

__all__ = ["Chain", "Places", "chains_of"]


@dataclass(frozen=True, slots=True)
class Chain:
    """Parts in a row; `signs` tells which lie along it (+1) and which against (-1).

    Attributes
    ----------
    within : the points between the parts, in order.
    driven : table of the flow that is given, where the chain begins at a source of flow.
    """

    name: str
    up: Point
    down: Point
    parts: tuple[Part, ...]
    signs: tuple[int, ...]
    within: tuple[Point, ...]
    driven: bool = False

    @property
    def resistance(self) -> float:
        """Return the sum of resistances, valves left out."""
        return sum(p.resistance for p in self.parts)

    @property
    def stenosis(self) -> float:
        """Return the sum of losses by the square of flow."""
        return sum(p.stenosis for p in self.parts)

    @property
    def inertance(self) -> float:
        """Return the sum of inertances."""
        return sum(p.inertance for p in self.parts)

    @property
    def valve(self) -> Part | None:
        """Return the valve of the chain; one at most."""
        return next((p for p in self.parts if p.valve), None)


@dataclass(frozen=True, slots=True)
class Places:
    """A reduced circuit, by merged points (`merged`: any point to the one that stands for it).

    `flows` holds (table, sign) pairs: positive into the point.
    """

    merged: Mapping[Point, Point]
    stores: Mapping[Point, Store]
    pressures: Mapping[Point, Series | float]
    flows: Mapping[Point, tuple[tuple[str, Series | float, int], ...]]
    stars: tuple[Point, ...]
    chains: tuple[Chain, ...]


def chains_of(circuit: Circuit) -> Places:
    """Return places and chains of a circuit.

    Raises
    ------
    InputError
        A dead end, a closed volume, two volumes at one pressure, or valves in a row.
    """
    merged = _merged(circuit)
    ways = dict[Point, list[Part]]()
    for part in circuit.parts:
        if merged[part.up] == merged[part.down]:
            raise InputError("it leads from a point to itself", part.name, "Take it out")
        for end in (part.up, part.down):
            ways.setdefault(merged[end], []).append(part)
    stores = _stores(circuit, merged)
    pressures = {merged[p]: v for p, v in circuit.pressures.items()}
    flows = _flows(circuit, merged)
    _check(ways, stores, pressures, flows)
    fixed = dict.fromkeys((*stores, *pressures))  # in order: the kernel's text is kept on disk
    free = {p: len(found) for p, found in ways.items() if p not in fixed}
    simple = {p for p, count in free.items() if count == 2 and p not in flows}
    driven = [p for p, count in free.items() if count == 1 and p in flows]
    stars = [p for p in free if p not in simple and p not in driven]
    starts = [*driven, *fixed, *stars]
    chains = _walked(ways, merged, simple, starts, driven)
    whole = sum(len(c.parts) for c in chains)
    if whole < len(circuit.parts):
        raise InputError("a loop holds no blood anywhere", todo="Give one of its vessels a C")
    return Places(merged, stores, pressures, flows, tuple(stars), tuple(chains))


def _merged(circuit: Circuit) -> dict[Point, Point]:
    """Return the point that stands for each."""
    above = dict[Point, Point]()

    def top(point: Point) -> Point:
        above.setdefault(point, point)
        while above[point] != point:
            point = above[point]
        return point

    for a, b in circuit.joined:
        above[top(a)] = top(b)
    ends = [end for part in circuit.parts for end in (part.up, part.down)]
    stored = [point for point, _ in circuit.stores]
    given = [*circuit.pressures, *circuit.flows]
    return {p: top(p) for p in [*above, *ends, *stored, *given]}


def _stores(circuit: Circuit, merged: Mapping[Point, Point]) -> dict[Point, Store]:
    out = dict[Point, Store]()
    taken = {merged[p]: p[0] for p in circuit.pressures}
    for point, store in circuit.stores:
        at = merged[point]
        if at in taken:
            raise InputError(
                f"it shares one pressure with {taken[at]}, with nothing between", point[0],
                "Give one of them a resistance towards the other",
            )  # fmt: skip
        taken[at] = point[0]
        out[at] = store
    return out


def _flows(
    circuit: Circuit, merged: Mapping[Point, Point]
) -> dict[Point, tuple[tuple[str, Series | float, int], ...]]:
    out = dict[Point, tuple[tuple[str, Series | float, int], ...]]()
    for point, table in circuit.flows.items():
        sign = -1 if any(down == point[0] for _, down in circuit.connections) else 1
        out[merged[point]] = (*out.get(merged[point], ()), (point[0], table, sign))
    return out


def _check(
    ways: Mapping[Point, list[Part]], stores: Mapping[Point, Store],
    pressures: Mapping[Point, object], flows: Mapping[Point, object],
) -> None:  # fmt: skip
    for point in stores:
        if point not in ways and point not in flows:
            raise InputError("nothing leads to it: its volume is closed", point[0],
                             "Connect or remove it")  # fmt: skip
    for point, found in ways.items():
        held = point in stores or point in pressures or point in flows
        if len(found) == 1 and not held:
            raise InputError(f"nothing follows at its {point[1]}: a dead end", point[0],
                             "Give it a boundary condition")  # fmt: skip


def _walked(
    ways: Mapping[Point, list[Part]], merged: Mapping[Point, Point], simple: set[Point],
    starts: list[Point], driven: list[Point],
) -> list[Chain]:  # fmt: skip
    """Follow every way from every place to the next."""
    out, gone = list[Chain](), set[str]()
    for start in starts:
        for first in ways.get(start, []):
            if first.name in gone:
                continue
            at, part, parts, signs, within = start, first, list[Part](), list[int](), list[Point]()
            while True:
                along = merged[part.up] == at
                parts.append(part)
                signs.append(1 if along else -1)
                gone.add(part.name)
                at = merged[part.down if along else part.up]
                if at not in simple:
                    break
                within.append(at)
                part = next(p for p in ways[at] if p.name not in gone)
            out.append(_oriented(start, at, parts, signs, within, start in driven))
    return out


def _oriented(
    up: Point, down: Point, parts: list[Part], signs: list[int], within: list[Point], driven: bool
) -> Chain:
    """Return the chain in the direction of its valve, or of its first part."""
    valves = [(p, s) for p, s in zip(parts, signs, strict=True) if p.valve]
    if len(valves) > 1:
        raise InputError(
            f"the valves {valves[0][0].name} and {valves[1][0].name} follow each other",
            valves[0][0].name, "Put a vessel with a compliance between",
        )  # fmt: skip
    if driven and valves:
        raise InputError("a given flow passes it", valves[0][0].name, "Put a compliance before it")
    if up == down:
        raise InputError("it leads from a place to itself", parts[0].name, "Take it out")
    if driven or (valves[0][1] if valves else signs[0]) == 1:
        return Chain(parts[0].name, up, down, tuple(parts), tuple(signs), tuple(within), driven)
    turned = tuple(-s for s in reversed(signs))
    back = (tuple(reversed(parts)), turned, tuple(reversed(within)))
    return Chain(parts[0].name, down, up, *back)
