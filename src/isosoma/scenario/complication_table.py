"""The table of complications: rows of ``complications.toml``, or of a file of one's own."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, cast

from isosoma.core.errors import FormatError, IsosomaError, UnitError
from isosoma.core.units import ucum
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.scenario.measures import DERIVED, units_of
from isosoma.scenario.rehearsal import PHYSIOLOGIES

__all__ = ["Ages", "Predicate", "Table", "Term", "complications", "read_complications", "value_of"]

_WHERE = "complications"


@dataclass(frozen=True, slots=True)
class Ages:
    """A limit by age: ages [a] and limits [SI] in order, and where they are from."""

    ages: tuple[float, ...]
    limits: tuple[float, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Term:
    """One level: fixed [SI], of an age's table, a share of the baseline [1], or beside it [SI]."""

    kind: Literal["fixed", "age", "share", "offset"]
    value: float = 0.0
    table: str = ""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A complication as a rule over one measure; `complications.toml` says what each field does.

    Attributes
    ----------
    highest : whether the highest of the terms counts, else the lowest.
    inside : terms by physiology that replace `level`. delay, clear_delay : [s].
    """

    name: str
    meaning: str
    measure: str
    above: bool
    level: tuple[Term, ...]
    highest: bool
    source: str
    inside: Mapping[str, tuple[Term, ...]]
    only: tuple[str, ...] = ()
    delay: float = 0.0
    clear: float = 0.0
    clear_delay: float = 0.0
    at_end: bool = False
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """All predicates and tables of ages, under the digest of their text."""

    predicates: tuple[Predicate, ...]
    ages: Mapping[str, Ages]
    digest: str


def read_complications(text: str) -> Table:
    """Read a table of complications.

    Raises
    ------
    InputError
        A row lacks something, or speaks of what nobody measures; the row is named.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"it is no TOML: {error}", _WHERE) from error
    if strange := sorted(set(raw) - {"ages", "complication"}):
        raise FormatError(f"{', '.join(strange)} is not read", _WHERE)
    if not raw.get("complication"):
        raise FormatError("it holds no complication", _WHERE, 'Write [complication."low pressure"]')
    ages = {name: _guarded(name, row, _ages) for name, row in raw.get("ages", {}).items()}
    rows = tuple(_guarded(name, row, _predicate) for name, row in raw["complication"].items())
    for row in rows:
        for term in (*row.level, *(t for terms in row.inside.values() for t in terms)):
            if term.kind == "age" and term.table not in ages:
                raise FormatError(f"there is no [ages.{term.table}]", row.name)
    return Table(rows, ages, hashlib.sha256(text.encode()).hexdigest())


def _guarded(name: str, row: Any, read: Any) -> Any:
    try:
        return read(name, row)
    except IsosomaError as error:
        raise error.at(name) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"the row lacks or misspells a field ({error})", name) from error


def _ages(name: str, row: Mapping[str, Any]) -> Ages:
    unit = ucum(row["unit"])
    pairs = [(float(a), float(v) * unit.factor) for a, v in row["rows"]]
    ages = [a for a, _ in pairs]
    if not pairs or ages != sorted(ages) or ages[0] < 0.0:
        raise FormatError("its ages do not rise from 0", name)
    return Ages(tuple(ages), tuple(v for _, v in pairs), str(row["source"]))


_FIELDS = {
    "meaning", "measure", "beyond", "of", "level", "in", "only", "delay", "clear", "clear_delay",
    "when", "source", "fatal",
}  # fmt: skip


def _predicate(name: str, row: Mapping[str, Any]) -> Predicate:
    if strange := sorted(set(row) - _FIELDS):
        raise FormatError(f"{', '.join(strange)} is not read")
    measure = str(row["measure"])
    if measure not in DERIVED and measure not in OUTPUTS:
        raise FormatError(f"nobody measures {measure!r}", todo="See measures.py and the outputs")
    inside = {p: _terms(terms, measure) for p, terms in row.get("in", {}).items()}
    only = tuple(row.get("only", ()))
    if strange := sorted({*inside, *only} - set(PHYSIOLOGIES[1:])):
        raise FormatError(f"{', '.join(strange)} is no physiology",
                          todo=f"There are {', '.join(PHYSIOLOGIES[1:])}")  # fmt: skip
    chosen = _one_of(row, "beyond", ("above", "below")), _one_of(row, "of", ("highest", "lowest"))
    return Predicate(
        name,
        str(row["meaning"]),
        measure,
        chosen[0] == "above",
        _terms(row["level"], measure),
        chosen[1] == "highest",
        str(row["source"]),
        inside,
        only,
        _value(row.get("delay", "0 s"), "s"),
        float(row.get("clear", 0.0)),
        _value(row.get("clear_delay", "0 s"), "s"),
        row.get("when", "course") == "end",
        bool(row.get("fatal", False)),
    )


def _one_of(row: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    if row[key] not in known:
        raise FormatError(f"{key} = {row[key]!r}", todo=f"Write {' or '.join(known)}")
    return cast("str", row[key])


def _terms(raw: Mapping[str, Any], measure: str) -> tuple[Term, ...]:
    unit, _ = units_of(measure)
    out = list[Term]()
    for kind, said in raw.items():
        match kind:
            case "fixed" | "offset":
                out.append(Term(kind, _value(said, unit)))
            case "share":
                out.append(Term("share", float(said)))
            case "age":
                out.append(Term("age", table=str(said)))
            case _:
                raise FormatError(f"{kind!r} is no term", todo="fixed, age, share or offset")
    if not out:
        raise FormatError("it has no level")
    return tuple(out)


def value_of(said: str, measure: str) -> float:
    """Read a value of a measure, with its unit, and return it in SI.

    Raises
    ------
    FormatError, UnitError
        Nobody measures that, or not in that unit.
    """
    if measure not in DERIVED and measure not in OUTPUTS:
        raise FormatError(f"nobody measures {measure!r}", todo="See measures.py and the outputs")
    try:
        return _value(said, units_of(measure)[0])
    except ValueError as error:
        raise FormatError(f"{said!r} is no number with a unit", measure) from error


def _value(said: str, unit: str) -> float:
    """Return a number with its unit in SI; a ratio may have none."""
    number, _, code = said.partition(" ")
    read, due = ucum(code or "1"), ucum(unit)
    if read.dimensions != due.dimensions:
        raise UnitError(f"{said!r} is not measured in {unit}")
    return float(number) * read.factor + read.offset


@lru_cache(maxsize=1)
def complications() -> Table:
    """Return the table that comes with the product."""
    text = files("isosoma.scenario").joinpath("complications.toml").read_text("utf-8")
    return read_complications(text)
