"""`patient.toml`: who a patient is, and what was measured once, every number with its unit.

::

    id = "p1"
    sex = "female"
    born = 1965-03-02            # or: age = "61 a"
    weight = "68 kg"
    height = "165 cm"
    conditions = ["aortic stenosis"]

    [[measured]]
    at = 2026-11-20T09:30:00Z
    by = "echo"
    left_ventricular_end_diastolic_volume = "130 mL"
    left_ventricular_ejection_fraction = "42 ± 4 %"

Names below `measured` are rows of the vocabulary. A spread after ± is the standard uncertainty of
the noise; without it the vocabulary's ordinary device counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
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
from isosoma.core.units import read_unit, ucum
from isosoma.core.vocabulary import VOCABULARY, Variable, check_possible, nearest, si

__all__ = ["CONDITIONS", "Described", "age_at", "read_patient"]

CONDITIONS = ("aortic stenosis", "mitral stenosis")
"""Conditions that free an unknown of the model; any other is kept and said to change nothing."""
_LARGEST = 1 << 20
_QUANTITY = re.compile(
    r"\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?:±\s*(\d+(?:\.\d+)?)\s*)?(\S.*?)?\s*"
)
_BODY = {"weight": ("kg", 0.4, 400.0), "height": ("m", 0.25, 2.6)}
_FIELDS = {"id", "sex", "born", "age", "conditions", "measured", *_BODY}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - reads as the epoch it is
_YEAR = 365.25 * 86400.0


@dataclass(frozen=True, slots=True)
class Described:
    """What the file says.

    Attributes
    ----------
    patient : id. sex : ``female`` or ``male``, at birth. born : ISO date, empty where not told.
    age : [s] where it is told instead. weight : [kg], height : [m], 0 where not told.
    conditions : as they stand. observations : what was measured, in SI.
    """

    patient: str
    sex: str
    born: str
    age: float
    weight: float
    height: float
    conditions: tuple[str, ...]
    observations: tuple[Observation, ...]

    @property
    def body(self) -> dict[str, Any]:
        """What the log keeps of the person."""
        return {
            "sex": self.sex, "born": self.born, "age": self.age, "weight": self.weight,
            "height": self.height, "conditions": list(self.conditions),
        }  # fmt: skip


def read_patient(path: Path, received: int) -> Described:
    """Return what a patient file says; `received` [ns] is the time of arrival here.

    Raises
    ------
    InputError
        What is wrong, in which field, and what to write instead.
    """
    try:
        return _described(_document(path), received)
    except InputError as error:
        raise error.at(path.name) from error


def age_at(born: str, at: int) -> float:
    """Return the age [a] at an instant [ns]: whole years, whole months below two years."""
    day, now = date.fromisoformat(born), date.fromordinal(719163 + at // (86400 * 10**9))
    months = (now.year - day.year) * 12 + now.month - day.month - (now.day < day.day)
    if months < 0:
        raise TimeError(f"born on {born}, after the time asked for", "born")
    return months / 12 if months < 24 else float(months // 12)


def _document(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST:
        raise LimitError("is larger than 1 MiB", todo="Put series into CSV or Parquet tables")
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise FormatError("is not UTF-8", todo="Save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(f"is no TOML ({error})") from None


def _described(found: Mapping[str, Any], received: int) -> Described:
    if strange := sorted(set(found) - _FIELDS):
        raise VocabularyError(
            f"a patient has no {strange[0]!r}", todo=f"Give {', '.join(sorted(_FIELDS))}"
        )
    patient, sex = found.get("id"), found.get("sex")
    if not isinstance(patient, str) or not patient.strip() or not patient.isprintable():
        raise FormatError("has no id", "id", 'Write id = "p1"')
    if sex not in ("female", "male"):
        raise FormatError(f"sex {sex!r} is neither female nor male", "sex", "It scales doses")
    born, age = _age(found, received)
    weight, height = (_body(found, name) for name in _BODY)
    conditions = found.get("conditions", [])
    if not isinstance(conditions, list) or not all(
        isinstance(c, str) for c in cast(Any, conditions)
    ):
        raise FormatError("is no list of words", "conditions", 'Write ["aortic stenosis"]')
    rows = [o for i, row in enumerate(_tables(found)) for o in _measured(row, i, patient, received)]
    return Described(patient, sex, born, age, weight, height,
                     tuple(cast("list[str]", conditions)), tuple(rows))  # fmt: skip


def _tables(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: Any = found.get("measured", [])
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in cast("list[Any]", rows)):
        raise FormatError("is no table", "measured", "Write [[measured]] above each")
    return cast("list[dict[str, Any]]", rows)


def _age(found: Mapping[str, Any], received: int) -> tuple[str, float]:
    """Return (date of birth, "") or ("", age [s])."""
    born: Any = found.get("born")
    if ("age" in found) == (born is not None):
        raise FormatError(
            "give either born or age", "age", 'Write born = 1965-03-02 or age = "61 a"'
        )
    if born is not None:
        if not isinstance(born, date) or isinstance(born, datetime):
            raise FormatError(f"{born!r} is no date", "born", "Write born = 1965-03-02, unquoted")
        if age_at(born.isoformat(), received) > 120.0:
            raise RangeError(f"{born} is more than 120 years ago", "born")
        return born.isoformat(), 0.0
    seconds, _ = _quantity(found["age"], "age", "a")
    if not 0.0 <= seconds <= 120.0 * _YEAR:
        raise RangeError(f"an age of {found['age']} lies outside 0 to 120 years", "age")
    return "", seconds


def _body(found: Mapping[str, Any], name: str) -> float:
    """Return weight [kg] or height [m]; 0 where it is not told."""
    if name not in found:
        return 0.0
    unit, low, high = _BODY[name]
    value, _ = _quantity(found[name], name, unit)
    value /= ucum(unit).factor
    if not low <= value <= high:
        raise RangeError(f"{found[name]} lies outside {low:g} to {high:g} {unit}", name)
    return value


def _quantity(said: object, where: str, like: str) -> tuple[float, str]:
    """Read ``68 kg`` as (SI value, unit), which must measure what `like` does."""
    number, _, code = _parts(said, where, like)
    unit = read_unit(code)
    if unit.dimensions != ucum(like).dimensions:
        raise UnitError(f"{said} is in {code}", where, f"Give it in {like}")
    return number * unit.factor, code


def _parts(said: object, where: str, like: str) -> tuple[float, float, str]:
    """Return number, spread (0: not told) and unit of a quantity in words."""
    found = _QUANTITY.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise FormatError(f"{said!r} is no quantity", where, f'Write "NUMBER {like}", with a point')
    if not found[3]:
        raise UnitError(f"{said!r} has no unit", where, f'Write "{found[1]} {like}"')
    return float(found[1]), float(found[2] or 0.0), found[3]


def _measured(row: dict[str, Any], number: int, patient: str, received: int) -> list[Observation]:
    where = f"measured {number + 1}"
    at, zone = _instant(row.get("at"), where)
    by: Any = row.get("by", "")
    if not isinstance(by, str) or not by.strip():
        raise FormatError("does not say by what it was measured", where, 'Write by = "echo"')
    out: list[Observation] = []
    for name, said in row.items():
        if name not in ("at", "by"):
            variable = _variable(name, where)
            value, sigma, given = _value(variable, said, f"{where}, {name}")
            out.append(
                Observation(patient, name, at, received, value, sigma, variable.bias, device=by,
                            channel=name, origin="patient.toml", zone=zone, given=given)
            )  # fmt: skip
    return out


def _variable(name: str, where: str) -> Variable:
    if name in VOCABULARY:
        return VOCABULARY[name]
    close = nearest(name)
    meant = f"Write {close.name} if that is meant" if close else "See docs/nomenclature.md"
    raise VocabularyError(f"there is no variable {name!r}", where, meant)


def _value(row: Variable, said: object, where: str) -> tuple[float, float, str]:
    """Return (value, sigma) in SI, and the words as they came."""
    number, spread, code = _parts(said, where, row.shown)
    try:
        unit = read_unit(code).code
        value = check_possible(row, si(row, number, unit))
        sigma = si(row, spread, unit) - si(row, 0.0, unit) if spread else row.sigma
    except InputError as error:
        raise error.at(where) from error
    return value, sigma, str(said)


def _instant(at: object, where: str) -> tuple[int, int]:
    """Return (ns since 1970, zone [min])."""
    offset = at.utcoffset() if isinstance(at, datetime) else None
    if not isinstance(at, datetime) or offset is None:
        raise TimeError("has no instant with a zone", where, "Write at = 2026-11-20T09:30:00Z")
    past = at - _EPOCH
    found = (past.days * 86400 + past.seconds) * 10**9 + past.microseconds * 1000
    if not 0 <= found < 1 << 63:
        raise TimeError(f"{at} lies outside 1970 to 2262", where)
    return found, round(offset.total_seconds() / 60.0)
