"""A svZeroDSolver input as records: what the JSON says, checked, nothing interpreted.

The file names no unit, and none is guessed: every number stays in the file's own units, in which
its equations are consistent (dyn/cm2 and mL, mmHg and mL, or Pa and m3; time in seconds).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from isosoma.core.errors import FormatError, InputError, LimitError, RangeError

__all__ = ["Block", "Document", "Heart", "Junction", "Series", "Settings", "read_document"]

MOST_BYTES = 16 << 20
MOST_BLOCKS = 500
MOST_CYCLES = 10_000
MOST_SAMPLES = 100_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """A number that changes over the cycle: straight lines between (times, values)."""

    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A vessel, chamber, valve or boundary condition: its kind, numbers and neighbours.

    Attributes
    ----------
    family : vessels, chambers, valves or boundary_conditions, as the file groups them.
    values : numbers by the file's own keys.
    series : what changes over the cycle, by key.
    activation : of a chamber, the kind of its activation; its numbers are in `values`.
    up, down : names of the blocks before and after, where the block itself says so.
    """

    name: str
    family: str
    kind: str
    values: Mapping[str, float]
    series: Mapping[str, Series]
    activation: str = ""
    up: str = ""
    down: str = ""


@dataclass(frozen=True, slots=True)
class Junction:
    """Where blocks meet at one pressure."""

    name: str
    inlets: tuple[str, ...]
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heart:
    """A closed-loop heart with its lung; `outlets` are the vessels that leave the aortic root."""

    values: Mapping[str, float]
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """How the file wants to be run and shown.

    Attributes
    ----------
    cycles : number of cycles to simulate.
    samples : times shown in a cycle, both ends counted.
    period : length of a cycle [s].
    steady : whether to begin where the mean boundary values lead.
    all_cycles : whether to show all cycles or the last.
    by_variable : whether results are named ``flow:A:B`` or by vessel.
    """

    cycles: int
    samples: int
    period: float
    steady: bool
    all_cycles: bool
    by_variable: bool


@dataclass(frozen=True, slots=True)
class Document:
    """The whole input; `initial` is by the names of results (``pressure:A:B``, ``Vc:LV``)."""

    settings: Settings
    blocks: Mapping[str, Block]
    junctions: tuple[Junction, ...]
    heart: Heart | None
    initial: Mapping[str, float]


def read_document(body: bytes) -> Document:
    """Return what a svZeroDSolver JSON says.

    Raises
    ------
    FormatError
        Not JSON, a key twice, or a part that is missing or of another type.
    RangeError
        A number that is not finite or cannot be.
    LimitError
        Over 16 MiB, 500 blocks, 10 000 cycles.
    InputError
        Two blocks of one name, periods that disagree.
    """
    root = _row(_parsed(body), "the input")
    parameters = _row(_need(root, "simulation_parameters", "the input"), "simulation_parameters")
    vessels, numbers = _vessels(root)
    blocks = [*vessels, *_boundaries(root), *_chambers(root), *_valves(root)]
    heart, heart_period = _heart(root)
    junctions = tuple(_junctions(root, numbers))
    own = ["CLH"] if heart is not None else []  # as svZeroDSolver calls it
    _check_names([*own, *(b.name for b in blocks), *(j.name for j in junctions)])
    period = _period(parameters, blocks, heart_period)
    initial = _row(root.get("initial_condition", {}), "initial_condition")
    start = {k: number(initial, k, "initial_condition") for k in initial if not _remark(k)}
    by_name = {b.name: b for b in blocks}
    return Document(_settings(parameters, period), by_name, junctions, heart, start)


def _parsed(body: bytes) -> object:
    if len(body) > MOST_BYTES:
        raise LimitError(f"a network of over {MOST_BYTES >> 20} MiB", todo="Send a smaller one")
    try:
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", todo="Send UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise FormatError(f"this is no JSON: {error.msg}", where) from None
    except RecursionError:
        raise LimitError("nested too deep", todo="Send a flatter document") from None


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    out = dict[str, object]()
    for key, value in pairs:
        if key in out:
            raise FormatError(f"the key {key!r} stands twice", todo="Send each key once")
        out[key] = value
    return out


def _no_constant(word: str) -> float:
    raise RangeError(f"{word} is no number", todo="Send finite numbers")


def _remark(key: str) -> bool:
    return key.startswith("_")


def _need(row: Row, key: str, where: str) -> object:
    if key not in row:
        raise FormatError(f"{key!r} is missing", where, f"Give {key!r}")
    return row[key]


def _row(value: object, where: str) -> Row:
    if not isinstance(value, dict):
        raise FormatError(f"an object is wanted, not {type(value).__name__}", where)
    return cast("Row", value)


def _list(row: Row, key: str, where: str) -> list[object]:
    value = row.get(key, [])
    if not isinstance(value, list):
        raise FormatError(f"{key!r} is a list, not {type(value).__name__}", where)
    return cast("list[object]", value)


def _rows(root: Row, key: str) -> list[tuple[str, Row]]:
    found = _list(root, key, "the input")
    if len(found) > MOST_BLOCKS:
        raise LimitError(f"over {MOST_BLOCKS} {key}", todo="Send a smaller network")
    return [(f"{key}[{i}]", _row(x, f"{key}[{i}]")) for i, x in enumerate(found)]


def _text(row: Row, key: str, where: str) -> str:
    value = _need(row, key, where)
    if not isinstance(value, str) or not value:
        raise FormatError(f"{key!r} is a text, not {value!r}", where)
    return value


def _texts(row: Row, key: str, where: str) -> tuple[str, ...]:
    out = _list(row, key, where)
    for value in out:
        if not isinstance(value, str):
            raise FormatError(f"{key!r} holds names, not {value!r}", where)
    return tuple(cast("list[str]", out))


def _flag(row: Row, key: str, default: bool) -> bool:
    value = row.get(key, default)
    if not isinstance(value, bool):
        raise FormatError(f"{key!r} is true or false, not {value!r}", "simulation_parameters")
    return value


def number(row: Row, key: str, where: str) -> float:
    """Return the finite number under `key`, or say what stands there."""
    return _finite(_need(row, key, where), key, where)


def _finite(value: object, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"{key!r} is a number, not {value!r}", where, "Send a plain number")
    if not math.isfinite(value):
        raise RangeError(f"{key!r} is not finite", where, "Send a finite number")
    return float(value)


def _whole(row: Row, key: str, low: int, high: int) -> int:
    value = number(row, key, "simulation_parameters")
    if value != int(value) or not low <= value <= high:
        raise RangeError(f"{key!r} is {value:g}", "simulation_parameters",
                         f"Give a whole number from {low} to {high}")  # fmt: skip
    return int(value)


def _settings(row: Row, period: float) -> Settings:
    return Settings(
        _whole(row, "number_of_cardiac_cycles", 1, MOST_CYCLES),
        _whole(row, "number_of_time_pts_per_cardiac_cycle", 2, MOST_SAMPLES),
        period,
        _flag(row, "steady_initial", default=True),
        _flag(row, "output_all_cycles", default=False),
        _flag(row, "output_variable_based", default=False),
    )


def _vessels(root: Row) -> tuple[list[Block], dict[float, str]]:
    """Return the vessels, and their names by the number junctions may use."""
    blocks, numbers = list[Block](), dict[float, str]()
    for where, row in _rows(root, "vessels"):
        name = _text(row, "vessel_name", where)
        place = f"vessel {name}"
        ends = _row(row.get("boundary_conditions", {}), place)
        values = _numbers(_row(_need(row, "zero_d_element_values", place), place), place)
        up, down = (_text(ends, k, place) if k in ends else "" for k in ("inlet", "outlet"))
        kind = _text(row, "zero_d_element_type", place)
        blocks.append(Block(name, "vessels", kind, *values, up=up, down=down))
        identity = number(row, "vessel_id", place)
        if identity in numbers:
            raise InputError(f"vessel_id {identity:g} stands twice", place, "Number vessels apart")
        numbers[identity] = name
    return blocks, numbers


def _numbers(row: Row, where: str) -> tuple[dict[str, float], dict[str, Series]]:
    """Return plain numbers and series of a block's values; remarks and flags are no numbers."""
    plain, series = dict[str, float](), dict[str, Series]()
    for key, value in row.items():
        if isinstance(value, list) and key != "t":
            series[key] = _series(row, key, where)
        elif not _remark(key) and key != "t":
            plain[key] = float(value) if isinstance(value, bool) else _finite(value, key, where)
    return plain, series


def _series(row: Row, key: str, where: str) -> Series:
    values = tuple(_finite(v, key, where) for v in _list(row, key, where))
    times = tuple(_finite(v, "t", where) for v in _list(row, "t", where))
    if len(times) != len(values) or len(times) < 2:
        raise FormatError(
            f"{key!r} has {len(values)} values at {len(times)} times", where,
            "Give two or more, as many times as values",
        )  # fmt: skip
    if any(b <= a for a, b in pairwise(times)):
        raise RangeError("the times do not rise", where, "Sort 't' and take doubles out")
    return Series(times, values)


def _boundaries(root: Row) -> list[Block]:
    out = list[Block]()
    for where, row in _rows(root, "boundary_conditions"):
        name = _text(row, "bc_name", where)
        place = f"boundary condition {name}"
        values = _numbers(_row(_need(row, "bc_values", place), place), place)
        kind = _text(row, "bc_type", place)
        out.append(Block(name, "boundary_conditions", kind, *values))
    return out


def _chambers(root: Row) -> list[Block]:
    out = list[Block]()
    for where, row in _rows(root, "chambers"):
        name = _text(row, "name", where)
        place = f"chamber {name}"
        active = _row(_need(row, "activation_function", place), place)
        values, series = _numbers(_row(_need(row, "values", place), place), place)
        shape = {k: v for k, v in active.items() if k != "type"}
        values |= _numbers(shape, place)[0]
        kind, activation = _text(row, "type", place), _text(active, "type", place)
        out.append(Block(name, "chambers", kind, values, series, activation))
    return out


def _valves(root: Row) -> list[Block]:
    out = list[Block]()
    for where, row in _rows(root, "valves"):
        name = _text(row, "name", where)
        place = f"valve {name}"
        given = _row(_need(row, "params", place), place)
        ends = (_text(given, k, place) for k in ("upstream_block", "downstream_block"))
        plain = {k: v for k, v in given.items() if not k.endswith("_block")}
        values = _numbers(plain, place)
        out.append(Block(name, "valves", _text(row, "type", place), *values, "", *ends))
    return out


def _heart(root: Row) -> tuple[Heart | None, float | None]:
    rows = _rows(root, "closed_loop_blocks")
    if not rows:
        return None, None
    where, row = rows[0]
    kind = _text(row, "closed_loop_type", where)
    if len(rows) > 1 or kind != "ClosedLoopHeartAndPulmonary":
        raise InputError(
            f"{len(rows)} closed loop blocks, the first a {kind!r}", where,
            "One 'ClosedLoopHeartAndPulmonary' is covered",
        )  # fmt: skip
    values, _ = _numbers(_row(_need(row, "parameters", where), where), where)
    heart = Heart(values, _texts(row, "outlet_blocks", where))
    return heart, number(row, "cardiac_cycle_period", where)


def _junctions(root: Row, numbers: Mapping[float, str]) -> list[Junction]:
    out = list[Junction]()
    for where, row in _rows(root, "junctions"):
        name = _text(row, "junction_name", where)
        place = f"junction {name}"
        kind = _text(row, "junction_type", place)
        if kind not in {"NORMAL_JUNCTION", "internal_junction"}:
            raise InputError(f"type {kind!r} is not covered", place,
                             "Write its losses as vessels, and join these")  # fmt: skip
        sides = (_side(row, side, place, numbers) for side in ("inlet", "outlet"))
        out.append(Junction(name, *sides))
    return out


def _side(row: Row, side: str, where: str, numbers: Mapping[float, str]) -> tuple[str, ...]:
    out = list(_texts(row, f"{side}_blocks", where))
    for value in _list(row, f"{side}_vessels", where):
        identity = _finite(value, f"{side}_vessels", where)
        if identity not in numbers:
            raise InputError(f"there is no vessel {identity:g}", where, "Name vessels that exist")
        out.append(numbers[identity])
    if not out:
        raise InputError(f"nothing is joined at its {side}", where, f"Name its {side} blocks")
    return tuple(out)


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two parts are called {name!r}", todo="Name each differently")


def _period(parameters: Row, blocks: Sequence[Block], heart: float | None) -> float:
    """Return the length of a cycle [s]: one for the whole file, 1 s where nothing names it."""
    found = dict[str, float]()
    if "cardiac_period" in parameters:
        where = "simulation_parameters"
        found[where] = number(parameters, "cardiac_period", where)
    if heart is not None:
        found["closed_loop_blocks"] = heart
    for block in blocks:
        for series in block.series.values():
            found[block.name] = series.times[-1] - series.times[0]
    period = next(iter(found.values()), 1.0)
    for where, other in found.items():
        if not other > 0.0 or abs(other - period) > 1e-6 * period:
            raise InputError(f"a cycle of {other:g} s, elsewhere of {period:g} s", where,
                             "Give one period, above 0, to all")  # fmt: skip
    return period
