"""A change of the graph as data: a TOML or JSON text with rewirings, nodes and edges.

::

    rewire = ["vsd"]                       # by name, anatomy.REWIRINGS
    remove = ["coronary"]                  # nodes or edges
    [[edge]]                               # also [[node]]
    name = "leak"
    kind = "orifice"
    up = "ao"
    down = "rv"
    bind = { A = "0.2 cm2", Cd = "discharge", l = "5 mm", rho = "blood_density", A_shut = "shut_area" }
    [[rebind]]                             # an end of an edge at another node
    edge = "cava_superior"
    down = "pa"

A symbol is bound to the name of a parameter, or to a number with its unit.
"""  # noqa: E501 - an example as it is written

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from isosoma.core.errors import FormatError, IsosomaError, LimitError, ModelError, UnitError
from isosoma.core.units import read_unit, ucum
from isosoma.organs.circulation.anatomy import REWIRINGS
from isosoma.organs.circulation.parameters import PARAMETERS
from isosoma.organs.circulation.rows import state_units
from isosoma.physics.elements.catalogue import KINDS
from isosoma.physics.network import Edge, Graph, Node, check_graph

__all__ = ["edited"]

P = TypeVar("P", Node, Edge)
_KEYS = frozenset(("rewire", "remove", "node", "edge", "rebind"))
_LARGEST = 100_000
_MOST = 64
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\s\d.]\S*)$")


def edited(graph: Graph, text: str) -> Graph:
    """Return the graph after the changes a text describes.

    Raises
    ------
    FormatError
        It is neither TOML nor JSON, or a field is missing or unknown.
    ModelError
        The graph would have a loose end, a closed volume, or something unbound.
    UnitError
        A number lacks its unit, or has the wrong one.
    """
    data = _read(text)
    if unknown := set(data) - _KEYS:
        raise FormatError(
            f"{', '.join(sorted(map(str, unknown)))} is no change of a graph",
            todo=f"There are {', '.join(sorted(_KEYS))}",
        )
    for name in _list(data, "rewire"):
        if name not in REWIRINGS:
            raise ModelError(
                f"{name!r} is no rewiring", todo=f"There are {', '.join(sorted(REWIRINGS))}"
            )
        graph = REWIRINGS[name](graph)
    return _whole(_changed(graph, data))


def _read(text: str) -> Mapping[str, Any]:
    if len(text) > _LARGEST:
        raise LimitError(f"a graph of {len(text)} letters is larger than {_LARGEST}")
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the graph is neither TOML nor JSON: {error}") from error
    return cast("Mapping[str, Any]", data)


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    rows = data.get(key, [])
    if not isinstance(rows, list) or len(cast("list[Any]", rows)) > _MOST:
        raise FormatError(f"{key} is a list of at most {_MOST}")
    return cast("list[Any]", rows)


def _changed(graph: Graph, data: Mapping[str, Any]) -> Graph:
    """Return the graph without, then with, then rebound; nothing is checked yet."""
    gone = {str(name) for name in _list(data, "remove")}
    known = {x.name for x in (*graph.nodes, *graph.edges)}
    if missing := gone - known:
        raise ModelError(
            f"there is no {', '.join(sorted(missing))} to remove",
            todo=f"There are {', '.join(sorted(known))}",
        )
    nodes = [n for n in graph.nodes if n.name not in gone]
    edges = [e for e in graph.edges if e.name not in gone and not {e.up, e.down} & gone]
    nodes += [_part(Node, row, i) for i, row in enumerate(_list(data, "node"), 1)]
    edges += [_part(Edge, row, i) for i, row in enumerate(_list(data, "edge"), 1)]
    for row in _list(data, "rebind"):
        edges = _rebound(edges, row)
    inflow = {k: v for k, v in graph.inflow.items() if k not in gone}
    return replace(graph, nodes=tuple(nodes), edges=tuple(edges), inflow=inflow)


def _part(made: type[P], row: Any, number: int) -> P:
    where = f"{made.__name__.lower()} {number}"
    try:
        given = dict(row)
        given["bind"] = {
            str(symbol): _bound(given["kind"], str(symbol), to)
            for symbol, to in dict(given.get("bind", {})).items()
        }
        if "outside" in given:
            given["outside"] = tuple(given["outside"])
        return made(**given)
    except IsosomaError as error:
        raise error.at(where) from error
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"a field is missing, misspelt or no text ({error})", where) from error


def _bound(kind: str, symbol: str, to: Any) -> str | float:
    """Return what a symbol is bound to: a name, or a number in SI."""
    if kind not in KINDS:
        raise ModelError(
            f"{kind!r} is no kind of part", todo=f"There are {', '.join(sorted(KINDS))}"
        )
    units = {s.name: s.unit for s in KINDS[kind].symbols}
    found = _QUANTITY.match(to) if isinstance(to, str) else None
    if found is None:
        if isinstance(to, str) and to.isidentifier():
            return to
        if isinstance(to, int | float) and to == 0:
            return 0.0
        raise UnitError(f"{symbol} is bound to {to!r}", todo="Give a name, or a number and a unit")
    unit, due = read_unit(found.group(2)), ucum(units.get(symbol, "1"))
    if unit.dimensions != due.dimensions:
        raise UnitError(f"{symbol} of {to!r} is not measured in {due.code}")
    return float(found.group(1)) * unit.factor


def _rebound(edges: list[Edge], row: Any) -> list[Edge]:
    if not isinstance(row, dict) or not {"up", "down"} & set(cast("dict[str, Any]", row)):
        raise FormatError("a rebind has an edge, and up or down")
    ends = {k: str(v) for k, v in cast("dict[str, Any]", row).items() if k in ("up", "down")}
    name = str(cast("dict[str, Any]", row).get("edge", ""))
    if name not in {e.name for e in edges}:
        raise ModelError(f"there is no edge {name!r} to rebind")
    return [replace(e, **ends) if e.name == name else e for e in edges]


def _whole(graph: Graph) -> Graph:
    """Return the graph, or say what of it is loose, closed off, or bound to nothing."""
    check_graph(graph)
    joined, more = {"lv"}, True
    while more:
        ends = [{e.up, e.down} for e in graph.edges]
        grown = joined.union(*(pair for pair in ends if pair & joined))
        joined, more = grown, grown != joined
    if apart := sorted({n.name for n in graph.nodes} - joined):
        raise ModelError(
            f"{', '.join(apart)} of {graph.name} is joined to nothing that the heart fills: "
            "its volume is closed",
            todo="Connect or remove it",
        )
    _check_bound(graph)
    return graph


def _check_bound(graph: Graph) -> None:
    rows = {n: p.unit for n, p in PARAMETERS.items()} | state_units(graph)
    made = {"C_vu", "C_vl", "collapse_vu", "collapse_vl", "R_vu", "R_vl", "Vu_ti", "R_aorta"}
    for part in (*graph.nodes, *graph.edges):
        for symbol in KINDS[part.kind].symbols:
            to = part.bind[symbol.name]
            if not isinstance(to, str) or to in made:
                continue
            if to not in rows:
                raise ModelError(
                    f"{part.name} binds {symbol.name} to {to!r}, which is no parameter",
                    todo="See `isosoma models --parameters`, or give a number and a unit",
                )
            if ucum(rows[to]).dimensions != ucum(symbol.unit).dimensions:
                raise UnitError(f"{part.name} binds {symbol.name} [{symbol.unit}] to {to}")
