"""`patient.toml`: what a clinician writes about one patient by hand.

::

    id = "ward-3-bed-2"
    sex = "f"
    born = 1961-04-02                # or age = "64 a"
    weight = "75 kg"
    height = "176 cm"
    conditions = ["aortic_stenosis"]

    [[measured]]
    at = 2026-11-20T09:00:00Z
    with = "echo"
    left_ventricular_ejection_fraction = "55 % +- 5 %"

Every number stands with its unit in one text; a file is taken whole or not at all. Places in errors
count tables from 1: ``measured[1]`` is the first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from isosoma.core.errors import (
    FormatError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
    VocabularyError,
)
from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY, nearest
from isosoma.exchange.patient_contradictions import body_contradiction, contradictions
from isosoma.exchange.tables import WAVEFORMS
from isosoma.exchange.written_quantity import named, read_written, sigma_of, value_of

__all__ = ["CONDITIONS", "LARGEST", "PatientFile", "read_patient"]

CONDITIONS = (
    "aortic_stenosis", "mitral_stenosis", "mitral_regurgitation", "aortic_regurgitation",
    "atrial_fibrillation", "hypertension", "heart_failure", "vsd", "asd", "pda", "fontan",
)  # fmt: skip
"""What `conditions` may hold: ventricular and atrial septal defect, open duct; the rest in full."""

LARGEST = 1 << 20
"""Bytes of one file."""

_SEXES = {"f": "f", "female": "f", "m": "m", "male": "m", "": ""}
_FIELDS = ("id", "sex", "born", "age", "weight", "height", "conditions", "measured")
_OF_TABLE = ("at", "with")
_AGES = ("a", "mo", "wk", "d")  # UCUM
_OLDEST = 130.0  # [a]
_YEAR = 31_557_600 * 10**9  # [ns]
_DAY = 86_400 * 10**9
_FUTURE = 300 * 10**9  # [ns] a clock may run ahead
_DATE_LINE = 14 * 3_600 * 10**9  # [ns] a day may have begun somewhere before it does in UTC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 64  # characters
# The parser's work grows with the square of the parts of a dotted key; none here has more than two.
_MOST_DOTS = 64  # in a line
_PLACE = re.compile(r"(.*) \(at (line [0-9]+), column [0-9]+\)", re.DOTALL)
_TWICE = ("overwrite", "twice", "Duplicate", "mutate")
_ORIGIN = "patient:"
_ID = 'id = "ward-3-bed-2"'
_NUMBERS = tuple(name for name in VOCABULARY if name not in WAVEFORMS)


@dataclass(frozen=True, slots=True)
class PatientFile:
    """What one file says.

    Attributes
    ----------
    id : whose; the subject of all observations.
    sex : at birth, ``f`` or ``m``; empty where unknown.
    born : midnight UTC of the day of birth [ns]; None where it is not told.
    age : [s] as stated instead of a day of birth; None where it is not.
    weight : [kg]; height : [m]; None where not told.
    conditions : of `CONDITIONS`, in the file's order.
    observations : in the file's order, in SI.
    """

    id: str
    sex: str
    born: int | None
    age: float | None
    weight: float | None
    height: float | None
    conditions: tuple[str, ...]
    observations: tuple[Observation, ...]


def read_patient(path: Path, received: int) -> PatientFile:
    """Read a patient file.

    Parameters
    ----------
    received : time of arrival here [ns].

    Raises
    ------
    InputError
        The first fault, with its place and what to write instead; contradictions name both sides.
    """
    try:
        return _patient(_document(path), received, path.name)
    except InputError as error:
        raise error.at(path.name) from None


def _document(path: Path) -> dict[str, Any]:
    """Return what the TOML says, refusing what would keep its parser busy."""
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError as error:
        raise FormatError("cannot be opened", todo="Check the name") from error
    if len(body) > LARGEST:
        raise LimitError("over 1 MiB", todo="Give series of readings as CSV or Parquet tables")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", todo="Save it as UTF-8") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise LimitError(f"over {_MOST_DOTS} dots", f"line {number}", "Write a shorter line")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise LimitError("nested too deep", todo="Write texts, and tables of texts") from None
    except ValueError as error:  # TOMLDecodeError, and what int() says of a million digits
        raise _not_toml(str(error)) from None


def _not_toml(said: str) -> FormatError:
    """Return the parser's complaint as a sentence with its line."""
    found = _PLACE.fullmatch(said)
    what, where = (found[1], found[2]) if found else (said, "")
    if any(word in what for word in _TWICE):
        return FormatError("a key or table stands twice", where, "Keep one of them")
    return FormatError(
        f"is no TOML: {what[:80]}",
        where,
        'Quote each value with its unit, as in weight = "75 kg" (docs/patient.md has an example)',
    )


def _patient(found: dict[str, Any], received: int, name: str) -> PatientFile:
    for key in found:
        if key not in _FIELDS:
            raise _strange_field(key)
    subject, sex, born = _id(found), _sex(found), _born(found, received)
    age, conditions = _age(found), _conditions(found)
    weight, height = (_of_body(found, field) for field in ("weight", "height"))
    old = age if born is None else (received - born) / 1e9
    if said := body_contradiction(weight, height, old):
        raise RangeError(said, todo="Check each of them and its unit")
    like = Observation(subject, "", 0, received, 0.0, 0.0, origin=_ORIGIN + name)
    observations = _all_measured(found, like, born, left_is_systemic="fontan" not in conditions)
    return PatientFile(subject, sex, born, age, weight, height, conditions, observations)


def _near(word: str, words: Iterable[str], otherwise: str) -> str:
    """Return advice that names the spellings close to `word`; it is never read as one of them."""
    close = get_close_matches(word.strip().lower()[:_LONGEST_NAME], words, 3, 0.6)
    return f"Write {' or '.join(close)} if that is meant" if close else otherwise


def _strange_field(key: str) -> InputError:
    if key in VOCABULARY or key in _OF_TABLE:
        return FormatError(
            "stands outside of a measured table", key[:40], "Put it below [[measured]]"
        )
    advice = _near(key, _FIELDS, f"A file has {', '.join(_FIELDS)}")
    return VocabularyError(f"a patient file has no {named(key)}", todo=advice)


def _name(found: object, where: str, like: str) -> str:
    """Return a short name without signs that hide or break lines; `like` is for the advice."""
    if not isinstance(found, str) or not found.strip():
        raise FormatError(f"{named(found)} is no name", where, f"Write {like}")
    if len(found) > _LONGEST_NAME or not found.isprintable() or found != found.strip():
        raise FormatError(
            f"{named(found)} has over {_LONGEST_NAME} characters, signs that do not print, or "
            "blanks around it",
            where,
            "Write a plain name",
        )
    return found


def _id(found: dict[str, Any]) -> str:
    if "id" not in found:
        raise FormatError("the file does not say whose it is", "id", f"Write {_ID}")
    return _name(found["id"], "id", _ID)


def _sex(found: dict[str, Any]) -> str:
    sex = found.get("sex", "")
    if not isinstance(sex, str) or sex not in _SEXES:
        raise FormatError(
            f"{named(sex)} is no sex at birth", "sex", 'Write "f" or "m", or leave it out'
        )
    return _SEXES[sex]


def _born(found: dict[str, Any], received: int) -> int | None:
    """Return midnight UTC of the day of birth [ns]."""
    born: object = found.get("born")
    if born is None:
        return None
    if "age" in found:
        raise FormatError("a day of birth stands beside an age", "born", "Keep one of them")
    if not isinstance(born, date) or isinstance(born, datetime):
        raise FormatError(
            f"{named(born)} is no day", "born", "Write born = 1961-04-02, without quotes"
        )
    at = (born.toordinal() - 719163) * _DAY
    if at > received + _DATE_LINE:
        raise TimeError(f"{born} lies in the future", "born", "Correct the day of birth")
    if received - at > _OLDEST * _YEAR:
        raise RangeError(
            f"{born} is more than {_OLDEST:g} years ago", "born", "Correct the day of birth"
        )
    return at


def _age(found: dict[str, Any]) -> float | None:
    """Return the stated age [s]."""
    if "age" not in found:
        return None
    try:
        written = read_written(found["age"], "a")
    except InputError as error:
        raise error.at("age") from None
    if written.unit not in _AGES:
        raise UnitError(
            f"{named(written.given)} is no age", "age", 'Write a, mo, wk or d: age = "64 a"'
        )
    if written.spread_unit:
        raise FormatError("an age takes no uncertainty", "age", "Leave out +- and what follows")
    age = to_si(written.value, written.unit)
    if not 0.0 <= age <= to_si(_OLDEST, "a"):
        raise RangeError(
            f"an age of {written.given} is not possible (it lies in 0 to {_OLDEST:g} a)",
            "age",
            "Check the age and its unit",
        )
    return age


def _of_body(found: dict[str, Any], field: str) -> float | None:
    """Return the weight [kg] or the height [m]."""
    if field not in found:
        return None
    row = VOCABULARY[f"body_{field}"]
    try:
        written = read_written(found[field], row.shown)
        if written.spread_unit:
            raise FormatError(
                f"{field} takes no uncertainty", todo=f"Write {row.name} below a [[measured]]"
            )
        return value_of(row, written)
    except InputError as error:
        raise error.at(field) from None


def _conditions(found: dict[str, Any]) -> tuple[str, ...]:
    listed: object = found.get("conditions", [])
    if not isinstance(listed, list):
        raise FormatError(
            f"{named(listed)} is no list", "conditions", 'Write conditions = ["aortic_stenosis"]'
        )
    conditions = cast("list[object]", listed)
    for i, condition in enumerate(conditions, 1):
        where = f"conditions[{i}]"
        if not isinstance(condition, str):
            raise FormatError(f"{named(condition)} is no condition", where, "Write it in quotes")
        if condition not in CONDITIONS:
            advice = _near(condition, CONDITIONS, f"Known are {', '.join(CONDITIONS)}")
            raise VocabularyError(f"there is no condition {named(condition)}", where, advice)
        if condition in conditions[: i - 1]:
            raise FormatError(f"{condition} stands twice", where, "Keep one of them")
    return tuple(cast("list[str]", conditions))


def _all_measured(
    found: dict[str, Any], like: Observation, born: int | None, *, left_is_systemic: bool
) -> tuple[Observation, ...]:
    """Return the observations of all tables; no two may claim one instant of one device.

    `like` carries what all observations share.
    """
    tables: object = found.get("measured", [])
    if not isinstance(tables, list):
        raise FormatError("is no list of tables", "measured", "Write [[measured]] above each table")
    first: dict[tuple[int, str, str], int] = {}
    out: list[Observation] = []
    for number, table in enumerate(cast("list[object]", tables), 1):
        where = f"measured[{number}]"
        if not isinstance(table, dict):
            raise FormatError("is no table", where, "Write [[measured]] above each table")
        measured = _measured(cast("dict[str, Any]", table), where, like, born)
        for o in measured:
            before = first.setdefault((o.at, o.device, o.variable), number)
            if before != number:
                raise FormatError(
                    f"the same instant and device stand in measured[{before}] already",
                    f"{where}.{o.variable}",
                    "Keep one of them, or correct the time or the device",
                )
        said = contradictions({o.variable: o for o in measured}, left_is_systemic=left_is_systemic)
        if said:
            raise RangeError("; ".join(said), where, "Correct what is wrong, or leave it out")
        out += measured
    return tuple(out)


def _measured(
    table: dict[str, Any], where: str, like: Observation, born: int | None
) -> list[Observation]:
    """Return the observations of one table."""
    at, zone = _instant(table.get("at"), f"{where}.at", like.received)
    if born is not None and at < born - _DATE_LINE:
        raise TimeError("lies before the day of birth", f"{where}.at", "Correct one of them")
    device = _name(table["with"], f"{where}.with", 'with = "echo"') if "with" in table else ""
    like = replace(like, at=at, zone=zone, device=device, origin=f"{like.origin}/{where}")
    names = [key for key in table if key not in _OF_TABLE]
    if not names:
        raise FormatError("holds no measurement", where, "Write what was measured, or leave it out")
    return [_observation(name, table[name], _place(where, name), like) for name in names]


def _place(where: str, name: str) -> str:
    """Return the place of a key, with signs that do not print escaped."""
    return f"{where}.{name[:40] if name.isprintable() else repr(name[:40])}"


def _instant(found: object, where: str, received: int) -> tuple[int, int]:
    """Return an instant [ns since 1970] and its zone [min east]."""
    like = "Write at = 2026-11-20T09:00:00Z, without quotes"
    if found is None:
        raise TimeError("the table does not say when it was measured", where, like)
    if not isinstance(found, datetime):
        raise TimeError(f"{named(found)} is no instant", where, like)
    offset = found.utcoffset()
    if offset is None:
        raise TimeError(f"{found} names no zone", where, "Write Z or +01:00 after the time")
    at = (found - _EPOCH) // timedelta(microseconds=1) * 1000
    if not 0 <= at < 1 << 63:
        raise TimeError(f"{found} lies outside 1970 to 2262", where, "Correct the year")
    if at > received + _FUTURE:
        raise TimeError(f"{found} lies in the future", where, "Correct the time or the zone")
    return at, round(offset.total_seconds() / 60.0)


def _observation(name: str, found: object, where: str, like: Observation) -> Observation:
    """Return one observation; instant, device and origin are those of `like`."""
    row = VOCABULARY.get(name)
    if row is None or name in WAVEFORMS:
        raise _strange_variable(name, where)
    try:
        written = read_written(found, row.shown)
        value, sigma = value_of(row, written), sigma_of(row, written)
    except InputError as error:
        raise error.at(where) from None
    return replace(
        like, variable=name, value=value, sigma=sigma, bias=row.bias, channel=name,
        given=written.given,
    )  # fmt: skip


def _strange_variable(name: str, where: str) -> InputError:
    if name in WAVEFORMS:
        return FormatError(
            f"{name} is a waveform, not a number", where, "Give it as a table or a recording"
        )
    if name in _FIELDS:
        return FormatError(
            f"{name} is no measurement", where, "Move it above the first [[measured]]"
        )
    close = nearest(name)
    if close is not None and close.name not in WAVEFORMS:
        advice = f"Write {close.name} if that is meant"
    else:
        advice = _near(name, _NUMBERS, "docs/nomenclature.md lists the names")
    return VocabularyError(
        f"there is no variable {named(name)}", where, f"{advice}, or leave it out"
    )
