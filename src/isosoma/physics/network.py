"""A lumped network as data: nodes that hold blood, edges that carry it.

::

    node   name, kind (elastic, vein, ventricle, atrium), what its symbols are bound to
    edge   name, kind (valve, resistance, inertance, orifice, tube …), from, to, its binding

A symbol is bound to the name of a row (a parameter, or a state that a controller writes) or to a
number [SI]. Rewiring is an edit: `with_edge`, `without`, `rebound`. `stage` writes one step:

1. pressures of all nodes from the volumes; 2. flows of all edges from these pressures and their own
states; 3. volumes from the new flows. That order (symplectic Euler) makes the step stable.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from isosoma.core.errors import ModelError
from isosoma.physics.elements.catalogue import KINDS
from isosoma.physics.elements.kind import Kind
from isosoma.physics.program import Call, Line, Stage

__all__ = ["Edge", "Graph", "Node", "bound", "check_graph", "prepare", "rebound", "stage",
           "states_of", "with_edge", "without"]  # fmt: skip

Binding = Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Node:
    """A place that holds blood.

    Attributes
    ----------
    bind : symbol to row or number.
    outside : rows or locals with pressures around it [Pa], added to its own.
    activation : of a chamber, the name of its activation.
    """

    name: str
    kind: str
    bind: Binding
    outside: tuple[str, ...] = ()
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from `up` to `down`; flow is positive in that direction."""

    name: str
    kind: str
    up: str
    down: str
    bind: Binding


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, edges, and rows of flows from outside into nodes (`inflow`: node to row [m3/s])."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    inflow: Mapping[str, str] = field(default_factory=dict[str, str])


def with_edge(graph: Graph, edge: Edge) -> Graph:
    """Return the graph with one more way."""
    return check_graph(replace(graph, edges=(*graph.edges, edge)))


def without(graph: Graph, *names: str) -> Graph:
    """Return the graph without these nodes and edges; edges of a removed node go with it.

    Raises
    ------
    ModelError
        A name the graph does not have.
    """
    known = {x.name for x in (*graph.nodes, *graph.edges)}
    for name in names:
        if name not in known:
            raise ModelError(f"{graph.name} has no {name!r} to remove", todo=_choices(known))
    nodes = tuple(n for n in graph.nodes if n.name not in names)
    edges = tuple(e for e in graph.edges if e.name not in names and not {e.up, e.down} & set(names))
    inflow = {k: v for k, v in graph.inflow.items() if k not in names}
    return check_graph(replace(graph, nodes=nodes, edges=edges, inflow=inflow))


def rebound(graph: Graph, edge: str, **ends: str) -> Graph:
    """Return the graph with the `up` or `down` end of one edge at another node."""
    if edge not in {e.name for e in graph.edges}:
        raise ModelError(
            f"{graph.name} has no edge {edge!r}", todo=_choices(e.name for e in graph.edges)
        )
    edges = tuple(replace(e, **ends) if e.name == edge else e for e in graph.edges)
    return check_graph(replace(graph, edges=edges))


def _choices(names: Iterable[str]) -> str:
    return f"There are {', '.join(sorted(names))}"


def check_graph(graph: Graph) -> Graph:
    """Return the graph, or say what is wrong with it.

    Raises
    ------
    ModelError
        A doubled name, an unknown kind, an unbound symbol, an edge to nowhere, a node nothing
        leads to, or a loop of one.
    """
    names = [x.name for x in (*graph.nodes, *graph.edges)]
    for name in names:
        if names.count(name) > 1:
            raise ModelError(f"two parts of {graph.name} are called {name!r}")
        if not name.isidentifier():
            raise ModelError(f"{name!r} is no name: letters, digits and _ only")
    for part in (*graph.nodes, *graph.edges):
        _check_part(graph, part)
    places = {n.name for n in graph.nodes}
    for edge in graph.edges:
        _check_ends(graph, edge, places)
    joined = {end for e in graph.edges for end in (e.up, e.down)} | set(graph.inflow)
    for place in places - joined:
        raise ModelError(
            f"nothing leads to {place} of {graph.name}: its volume is closed",
            todo="Connect or remove it",
        )
    return graph


def _check_ends(graph: Graph, edge: Edge, places: set[str]) -> None:
    for end in (edge.up, edge.down):
        if end not in places:
            raise ModelError(
                f"edge {edge.name} ends at {end!r}, which {graph.name} does not have",
                todo=_choices(places),
            )
    if edge.up == edge.down:
        raise ModelError(f"edge {edge.name} leads from {edge.up} to itself")


def _check_part(graph: Graph, part: Node | Edge) -> None:
    role = "node" if isinstance(part, Node) else "edge"
    kind = KINDS.get(part.kind)
    if kind is None or kind.role != role:
        fitting = (k for k, v in KINDS.items() if v.role == role)
        raise ModelError(f"{part.name} is of kind {part.kind!r}, no {role}", todo=_choices(fitting))
    wanted = {s.name for s in kind.symbols}
    if wanted != set(part.bind):
        lacks = ", ".join(sorted(wanted - set(part.bind))) or "nothing"
        extra = ", ".join(sorted(set(part.bind) - wanted)) or "nothing"
        raise ModelError(
            f"{part.name} of {graph.name} leaves {lacks} unbound and binds {extra} too much"
        )
    if isinstance(part, Node) and kind.active != bool(part.activation):
        raise ModelError(f"{part.name} {'needs an' if kind.active else 'takes no'} activation")


def states_of(graph: Graph) -> dict[str, str]:
    """Return the rows a graph keeps between steps, with their units."""
    out = {f"V_{n.name}": "m3" for n in graph.nodes if KINDS[n.kind].holds}
    for edge in graph.edges:
        for symbol in KINDS[edge.kind].states:
            out[f"{symbol.name}_{edge.name}"] = symbol.unit
    return out


def bound(graph: Graph) -> dict[str, str]:
    """Return the rows a graph reads, with their units.

    Raises
    ------
    ModelError
        Two symbols of different units share a row.
    """
    out = dict[str, str]()
    for part in (*graph.nodes, *graph.edges):
        for symbol in KINDS[part.kind].symbols:
            row = part.bind[symbol.name]
            if isinstance(row, str) and out.setdefault(row, symbol.unit) != symbol.unit:
                raise ModelError(
                    f"{row} is bound in {out[row]} and, in {part.name}, in {symbol.unit}"
                )
    return out


def prepare(graph: Graph) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Return lines to run once per call, and the rows they give: what the steps take prepared."""
    lines, rows = list[Line](), list[str]()
    for part in (*graph.nodes, *graph.edges):
        for name, text in KINDS[part.kind].prepared.items():
            rows.append(f"{name}_{part.name}")
            lines.append(f"{rows[-1]} = {_substituted(text, part)}")
    return tuple(lines), tuple(rows)


def _substituted(text: str, part: Node | Edge) -> str:
    """Return an expression with what its symbols are bound to in their place."""
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in part.bind:
            node.id = str(part.bind[node.id])
    return ast.unparse(tree)


def _taken(kind: Kind, part: Node | Edge) -> list[str | float]:
    return [part.bind.get(name, f"{name}_{part.name}") for name in kind.takes]


def stage(
    graph: Graph, before: tuple[Line, ...] = (), between: tuple[Line, ...] = (),
    after: tuple[Line, ...] = (),
) -> Stage:  # fmt: skip
    """Return one step of the network.

    Parameters
    ----------
    before : lines for activations and outside pressures.
    between : lines that change pressures (p_NAME [Pa]) before the flows are taken.
    after : lines at the end, with all pressures, flows (q_NAME [m3/s]) and new volumes at hand.
    """
    check_graph(graph)
    pressures = [_pressure(n) for n in graph.nodes]
    flows = [line for e in graph.edges for line in _flow(e)]
    volumes = [line for n in graph.nodes if KINDS[n.kind].holds for line in _volume(graph, n)]
    lines = (*before, *pressures, *between, *flows, *volumes, *after)
    return Stage("network", 1, lines)


def _pressure(node: Node) -> Line:
    kind = KINDS[node.kind]
    own = (f"V_{node.name}",) if kind.holds else ()
    active = (node.activation,) if kind.active else ()
    outside = " + ".join(node.outside) or 0.0
    return Call(kind.step, (*own, *active, outside, *_taken(kind, node)), (f"p_{node.name}",))


def _flow(edge: Edge) -> list[Line]:
    kind = KINDS[edge.kind]
    states = [f"{s.name}_{edge.name}" for s in kind.states] or [f"q_{edge.name}"]
    given = states if kind.states else []
    takes = (f"dp_{edge.name}", *given, *_taken(kind, edge))
    return [
        f"dp_{edge.name} = p_{edge.up} - p_{edge.down}",
        Call(kind.step, takes, tuple(states)),
    ]


def _volume(graph: Graph, node: Node) -> list[Line]:
    terms = [f"+ {graph.inflow[node.name]}"] if node.name in graph.inflow else []
    # What takes longest to know comes last: flows of valves and of what has inertia.
    for edge in sorted(graph.edges, key=lambda e: len(KINDS[e.kind].states)):
        terms += [f"- q_{edge.name}"] if edge.up == node.name else []
        terms += [f"+ q_{edge.name}"] if edge.down == node.name else []
    return [f"V_{node.name} = V_{node.name} + h * ({' '.join(terms).removeprefix('+ ')})"]
