"""Networks of svZeroDSolver: its JSON becomes a graph of ours, shown by its names.

``simulate(read_document(body))`` gives pressures, flows and chamber volumes in the file's units, at
the times the file asks for. What our elements do not cover is refused with its name and a way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import InputError, LimitError
from isosoma.exchange.svzerod_activation import ACTIVATIONS
from isosoma.exchange.svzerod_chains import Places, chains_of
from isosoma.exchange.svzerod_circuit import READ, Circuit, Store, circuit_of
from isosoma.exchange.svzerod_document import Document, read_document
from isosoma.exchange.svzerod_graph import Built, built, time_constants
from isosoma.exchange.svzerod_shown import Kept, shown
from isosoma.physics.ensemble import run
from isosoma.physics.network import Graph

__all__ = ["Network", "Waves", "network_of", "read_document", "simulate"]

Floats = npt.NDArray[np.float64]

ACTIVE = frozenset(key for _, keys in ACTIVATIONS.values() for key in keys)
COARSEST = 1e-4
"""Longest step [s]."""
FINENESS = 200
"""Steps in the fastest time constant of the network."""
MOST_STEPS = 200_000
"""Steps in a cycle: beyond, the network is too stiff for a step that looks forward."""
MOST_KEPT = 30_000_000
"""Numbers kept of a cycle, and shown of a run."""
MOST_RUN = 2_000_000_000
"""Steps of a run: some minutes."""
MOST_SETTLING = 200
"""Cycles a steady start may take."""


@dataclass(frozen=True, slots=True)
class Network:
    """An imported network, ready to run.

    Attributes
    ----------
    notes : what the file says that has no effect, one sentence each.
    """

    document: Document
    circuit: Circuit
    places: Places
    built: Built
    notes: tuple[str, ...] = ()

    @property
    def graph(self) -> Graph:
        """Return the graph that the network became."""
        return self.built.graph


@dataclass(frozen=True, slots=True)
class Waves:
    """What a run shows: `series` by svZeroDSolver's names at `time` [s], and the step [s]."""

    time: Floats
    series: Mapping[str, Floats]
    step: float


def network_of(document: Document, *, physical_filling: bool = False) -> Network:
    """Return the network of an input.

    Parameters
    ----------
    physical_filling : let out of a lung (closed-loop heart, BloodVesselRC) what its pressures say,
        rather than, as svZeroDSolver does, what enters it.

    Raises
    ------
    InputError
        What our elements do not cover, or is no network; with its name and what to do.
    """
    circuit = circuit_of(document, physical=physical_filling)
    places = chains_of(circuit)
    found = built(circuit, places, document.settings.period)
    return Network(document, circuit, places, found, tuple(_notes(document, circuit, places)))


def _notes(document: Document, circuit: Circuit, places: Places) -> Iterator[str]:
    """Say which values and initial values name nothing that exists."""
    ends = {f"{kind}:{a}:{b}" for kind in ("flow", "pressure") for a, b in circuit.connections}
    stored = {name for store in places.stores.values() for name in store.start}
    for block in document.blocks.values():
        known = READ[block.kind] | ACTIVE
        for key in (*block.values, *block.series):
            if key not in (known if block.family == "chambers" else READ[block.kind]):
                yield f"{block.name}: {key!r} is nothing of a {block.kind} and has no effect"
    for name in document.initial:
        if name not in ends | stored:
            yield f"initial_condition: {name!r} names nothing of this network and has no effect"


def substeps(network: Network, step: float | None) -> int:
    """Return how many steps lie between two times shown.

    Raises
    ------
    LimitError
        Over `MOST_STEPS` a cycle.
    """
    settings = network.document.settings
    constants = time_constants(network.built, network.places)
    fastest = min(constants.values(), default=np.inf)
    wanted = step if step is not None else min(COARSEST, fastest / FINENESS)
    interval = settings.period / (settings.samples - 1)
    many = int(np.ceil(interval / wanted * (1.0 - 1e-9))) if wanted > 0.0 else MOST_STEPS + 1
    if many * (settings.samples - 1) > MOST_STEPS:
        slow = min(constants, key=lambda n: constants[n], default="the network")
        raise LimitError(
            f"its time constant of {fastest:.3g} s needs over {MOST_STEPS} steps a cycle", slow,
            "Take out what is so stiff, or give it a resistance or an inertance",
        )  # fmt: skip
    return many


def simulate(network: Network, step: float | None = None) -> Waves:
    """Return the waves the input asks for.

    Parameters
    ----------
    step : longest step [s]; by default the least of 0.1 ms and 1/200 of the fastest time constant.
        The times shown are whole steps.

    Raises
    ------
    InputError
        The network diverged.
    """
    settings = network.document.settings
    many = substeps(network, step)
    depth = many * (settings.samples - 1)
    _check_size(network, depth)
    h = settings.period / depth
    pieces = list(_pieces(network, h, depth, many))
    series = {
        name: np.concatenate([p[name][:-1] for p in pieces] + [pieces[-1][name][-1:]])
        for name in _chosen(network, pieces[0])
    }
    for name, wave in series.items():
        if not np.isfinite(wave).all():
            raise InputError(
                f"{name} diverged at a step of {h:g} s",
                todo="Compare its numbers with their units, or give a shorter step",
            )
    count = len(pieces) * (settings.samples - 1) + 1
    time = np.arange(count, dtype=np.float64) * (settings.period / (settings.samples - 1))
    return Waves(time, series, h)


def _check_size(network: Network, depth: int) -> None:
    """Refuse a run that would not fit into memory or an afternoon."""
    settings, rings = network.document.settings, len(network.built.program.delays)
    cycles = settings.cycles if settings.all_cycles else 1
    kept = max(rings * depth, 2 * rings * settings.samples * cycles)
    if kept > MOST_KEPT or depth * settings.cycles > MOST_RUN:
        raise LimitError(
            f"{settings.cycles} cycles of {depth} steps with {rings} waves are too much",
            todo="Ask for fewer cycles or times, only for the last cycle, or for a longer step",
        )


def _pieces(network: Network, h: float, depth: int, many: int) -> Iterator[dict[str, Floats]]:
    """Yield the results of every cycle that is shown, at the times shown, both ends counted."""
    settings = network.document.settings
    for cycle, kept in enumerate(_cycles(network, _start(network, h, depth), h, depth), 1):
        if settings.all_cycles or cycle == settings.cycles:
            waves = shown(network.circuit, network.places, network.built, kept, h)
            yield {name: wave[::many].copy() for name, wave in waves.items()}


def _chosen(network: Network, waves: Mapping[str, Floats]) -> list[str]:
    """Return the names of what is shown, by vessel or by variable; volumes always."""
    if network.document.settings.by_variable:
        return [n for n in waves if "|" not in n]
    vessels = {n for n, b in network.document.blocks.items() if b.family == "vessels"}
    return [n for n in waves if (n.startswith("V") and ":" in n) or n.partition("|")[0] in vessels]


def _rings(network: Network, h: float, depth: int, *, mean: bool) -> list[Floats]:
    """Return the tables of a cycle; boundary values at their means for a steady start."""
    t = np.arange(depth, dtype=np.float64) * h
    found, out = network.built, list[Floats]()
    for delay in found.program.delays:
        table = found.tables.get(delay.source)
        ring = np.zeros(depth) if table is None else table(t)
        if mean and delay.source in found.boundary:
            ring = np.full(depth, ring.mean())
        out.append(ring[None, :])
    return out


def _first(network: Network, h: float, depth: int) -> dict[str, Floats]:
    """Return every row at the beginning: the file's initial condition, 0 where it names none."""
    found, program = network.built, network.built.program
    values = {row: np.zeros(1) for row in program.rows}
    values |= {row: np.array([v]) for row, v in found.values.items()}
    tables = _rings(network, h, depth, mean=False)
    rings = {d.source: ring for d, ring in zip(program.delays, tables, strict=True)}
    for point, store in network.places.stores.items():
        name = found.nodes[point]
        start = _initial(network, store)
        if store.kind == "elastic":
            start = (start - _outside(network, store, name, rings)) * store.values["C"]
        values[f"V_{name}"] = np.array([start])
    for chain in network.places.chains:
        row = f"q_{found.edges[chain.name]}"
        if row in values:
            values[row] = np.array([_initial_flow(network, {p.name for p in chain.parts})])
    return values


def _initial_flow(network: Network, parts: set[str]) -> float:
    """Return the first flow that the file gives at an end of one of `parts`; 0 without any."""
    circuit, given = network.circuit, network.document.initial
    for up, down in circuit.connections:
        beside = {circuit.ends.get((up, "out")), circuit.ends.get((down, "in"))}
        flow = given.get(f"flow:{up}:{down}", 0.0)
        if beside & parts and flow:
            return flow
    return 0.0


def _outside(network: Network, store: Store, name: str, rings: Mapping[str, Floats]) -> float:
    """Return the pressure around an elastic store at the beginning; chambers begin at rest."""
    if isinstance(store.around, tuple):
        return 0.0
    row = f"around_{name}"
    return float(rings[row][0, 0]) if row in rings else network.built.values.get(row, 0.0)


def _initial(network: Network, store: Store) -> float:
    """Return the volume of a chamber, or the pressure of a vessel, at the beginning."""
    given = network.document.initial
    for wanted in store.start:
        if wanted in given:
            return given[wanted]
        way, _, block = wanted.partition(":")
        for up, down in network.circuit.connections if way in {"into", "at"} else ():
            name = f"{up}:{down}"
            if block in ((down,) if way == "into" else (up, down)) and f"pressure:{name}" in given:
                flow = given.get(f"flow:{name}", 0.0) if way == "into" else 0.0
                return given[f"pressure:{name}"] - _lost(network, block, flow)
    return 0.0


def _lost(network: Network, block: str, q: float) -> float:
    """Return the drop before a vessel's compliance at flow `q`."""
    if not q:
        return 0.0
    values = network.document.blocks[block].values
    r, s = values.get("R_poiseuille", 0.0), values.get("stenosis_coefficient", 0.0)
    return (r + s * abs(q)) * q


def _start(network: Network, h: float, depth: int) -> dict[str, Floats]:
    """Return the rows a run begins with; where the means lead, if the file wants a steady start."""
    values = _first(network, h, depth)
    open_ended = bool(network.places.pressures or network.places.flows)
    if not (network.document.settings.steady and open_ended):
        return values
    rings: tuple[Floats, ...] = tuple(_rings(network, h, depth, mean=True))
    for _ in range(MOST_SETTLING):
        moved, rings = run(network.built.program, 0, depth, h, values, rings, threads=1)
        change = [abs(float((moved[r] - values[r])[0])) for r in moved if r.startswith("V_")]
        size = [abs(float(moved[r][0])) for r in moved if r.startswith("V_")]
        values = moved
        if max(change, default=0.0) <= 1e-10 * max(size, default=0.0):
            break
    return values


def _cycles(network: Network, values: dict[str, Floats], h: float, depth: int) -> Iterator[Kept]:
    """Run cycle after cycle; yield what each one kept, from its first time to its last."""
    program = network.built.program
    rings: tuple[Floats, ...] = tuple(_rings(network, h, depth, mean=False))
    names = [d.source for d in program.delays]
    for cycle in range(network.document.settings.cycles):
        begin = cycle * depth
        moved, rings = run(program, begin, begin + depth, h, values, rings, threads=1)
        _, last = run(program, begin + depth, begin + depth + 1, h, moved, rings, threads=1)
        waves = {
            name: np.concatenate([ring[0], after[0, :1]])
            for name, ring, after in zip(names, rings, last, strict=True)
        }
        yield Kept(waves, {row: float(values[row][0]) for row in values})
        values = moved
