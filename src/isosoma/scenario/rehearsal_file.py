"""A rehearsal as a document, TOML for people and JSON for programs, of one shape::

question = "How is pressure best kept at induction?"
for = "10 min"
before = ["norepinephrine 0.05 ug/kg/min"]           # what runs or was done already

[[option]]
name = "with phenylephrine"
do = ["induction 2 mg/kg ventilated at 60 s", {act = "phenylephrine 100 ug at 90 s", by = "nurse"}]
                                                     # "implant sapien 3 26 mm at 60 s": of a table
[try]                                                # a dose or device question, see `acceptable`
do = ["induction 2 mg/kg ventilated at 60 s", "phenylephrine {} at 90 s"]
each = ["50 ug", "100 ug", "200 ug"]
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from isosoma.core.errors import FormatError, IsosomaError, LimitError, RangeError, UnitError
from isosoma.core.units import read_unit, ucum
from isosoma.organs.circulation.acts import Amount, read_act
from isosoma.scenario.acceptable import tried
from isosoma.scenario.devices import Devices, implanted
from isosoma.scenario.devices import devices as known
from isosoma.scenario.rehearsal import Option, Rehearsal, Step, check

__all__ = ["duration_of", "read_rehearsal", "rehearsal_of", "write_rehearsal"]

_LARGEST = 1_000_000
_KEYS = {"question", "for", "before", "option", "try", "physiology", "version"}


def read_rehearsal(text: str, devices: Devices | None = None) -> Rehearsal:
    """Read a rehearsal; text that begins with a brace is JSON, other TOML.

    Raises
    ------
    InputError
        It cannot be played; the option and the act are named.
    """
    if len(text) > _LARGEST:
        raise LimitError(f"a rehearsal of {len(text)} letters is longer than {_LARGEST}")
    try:
        raw = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is neither TOML nor JSON: {error}", "rehearsal") from error
    return rehearsal_of(raw, devices)


def rehearsal_of(raw: Any, devices: Devices | None = None) -> Rehearsal:
    """Return the rehearsal of a document; errors as `read_rehearsal`."""
    document = _table(raw, "rehearsal", _KEYS)
    if "for" not in document:
        raise FormatError("it does not say how long to play", "for", 'Write for = "10 min"')
    table = devices or known()
    raws = _list(document.get("option", []), "option")
    options = [_option(o, i, table) for i, o in enumerate(raws)]
    if "try" in document:
        asked = _table(document["try"], "try", {"do", "each", "device", "annulus"})
        options += [_tried(o, table) for o in tried(asked, table)]
    version = document.get("version", 1)
    if not isinstance(version, int) or version < 1:
        raise FormatError(f"{version!r} is no version", "version", "Leave it out")
    return check(Rehearsal(
        _text(document.get("question", ""), "question"),
        tuple(options),
        duration_of(_text(document["for"], "for"), "for"),
        _steps(document.get("before", []), "before", table),
        cast("Any", _text(document.get("physiology", ""), "physiology")),
        version,
    ))  # fmt: skip


def write_rehearsal(rehearsal: Rehearsal) -> str:
    """Return the JSON that `read_rehearsal` reads as this rehearsal."""
    document: dict[str, Any] = {
        "question": rehearsal.question,
        "for": str(Amount(rehearsal.seconds, "s")),
        "before": [_said(s) for s in rehearsal.before],
        "physiology": rehearsal.physiology,
        "version": rehearsal.version,
        "option": [
            {"name": o.name, "do": [_said(s) for s in o.steps], "against": list(o.against)}
            for o in rehearsal.options
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _said(step: Step) -> dict[str, str]:
    return {"act": step.text, "by": step.by}


def _table(raw: Any, where: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise FormatError("it is no table", where)
    table = cast("dict[str, Any]", raw)
    if strange := sorted(set(table) - keys):
        raise FormatError(
            f"{', '.join(strange)} is not read", where, f"It takes {', '.join(sorted(keys))}"
        )
    return table


def _list(raw: Any, where: str) -> Sequence[Any]:
    if not isinstance(raw, list):
        raise FormatError("it is no list", where)
    return cast("list[Any]", raw)


def _text(raw: Any, where: str) -> str:
    if not isinstance(raw, str):
        raise FormatError(f"{raw!r} is no text", where, "Write it in quotes")
    return raw


def _option(raw: Any, index: int, devices: Devices) -> Option:
    table = _table(raw, f"option {index + 1}", {"name", "do", "against"})
    name = _text(table.get("name", ""), f"option {index + 1}")
    where = f"option {name!r}"
    against = tuple(_text(a, where) for a in _list(table.get("against", []), where))
    return Option(name, _steps(table.get("do", []), where, devices), against)


def _tried(option: tuple[str, Sequence[str], tuple[str, ...]], devices: Devices) -> Option:
    name, acts, against = option
    return Option(name, _steps(list(acts), f"option {name!r}", devices), against)


def _steps(raw: Any, where: str, devices: Devices) -> tuple[Step, ...]:
    steps = [_step(s, where, devices) for s in _list(raw, where)]
    return tuple(sorted(steps, key=lambda s: s.act.at.si))


def _step(raw: Any, where: str, devices: Devices) -> Step:
    if isinstance(raw, dict):
        table = _table(raw, where, {"act", "by"})
        text, by = _text(table.get("act", ""), where), _text(table.get("by", ""), where)
    else:
        text, by = _text(raw, where), ""
    try:
        act = read_act(implanted(text, devices))
    except IsosomaError as error:
        raise error.at(where) from error
    return Step(act, "" if by == act.row.role else by)


def duration_of(text: str, where: str) -> float:
    """Read a time with its unit, ``10 min``, and return it [s]."""
    number, _, unit = text.strip().partition(" ")
    try:
        read = read_unit(unit.strip())
        value = float(number) * read.factor
    except ValueError as error:
        raise FormatError(f"{text!r} is no time", where, 'Write "10 min" or "300 s"') from error
    except UnitError as error:
        raise error.at(where) from error
    if read.dimensions != ucum("s").dimensions:
        raise UnitError(f"{text!r} is no time", where, "Give s, min or h")
    if not 0.0 <= value < 1e9:
        raise RangeError(f"{text!r} is out of range", where)
    return value
