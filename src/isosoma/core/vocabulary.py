"""One name, one meaning, one unit for everything measured or computed; the rows are data.

`low` and `high` bound what is *possible*, not what is healthy: a heart rate of zero is a patient,
a negative one is not a heart rate. Rows live in ``vocabulary.toml``, written in the shown unit.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from isosoma.core.errors import RangeError, VocabularyError
from isosoma.core.units import convert, ucum

__all__ = [
    "VOCABULARY",
    "Variable",
    "by_loinc",
    "by_mdc",
    "check_possible",
    "nearest",
    "si",
    "variable",
]


@dataclass(frozen=True, slots=True)
class Variable:
    """A row of the vocabulary.

    Attributes
    ----------
    name : the field's standard term, snake_case.
    unit : SI unit inside, as a UCUM code.
    shown : unit on screens and in files we write, as a UCUM code.
    low, high : bounds of the possible, in SI.
    loinc : LOINC code, empty where there is none.
    meaning : one sentence.
    label : short name on a monitor.
    digits : decimals when shown without an uncertainty.
    molar_mass : [kg/mol], 0 where mass and amount are not exchanged.
    mdc : IEEE 11073 reference id, 0 where there is none.
    sigma, bias : default standard uncertainties of an ordinary device, in SI.
    """

    name: str
    unit: str
    shown: str
    low: float
    high: float
    loinc: str
    meaning: str
    label: str
    digits: int = 0
    molar_mass: float = 0.0
    mdc: int = 0
    sigma: float = 0.0
    bias: float = 0.0
    also: tuple[str, ...] = ()


def _row(name: str, row: Mapping[str, Any]) -> Variable:
    """Build one row; bounds move from the shown unit to SI, spreads scale without the offset."""
    unit, shown = str(row["unit"]), str(row["shown"])
    mass = float(row.get("molar_mass", 0.0)) or None

    def inside(value: float) -> float:
        return convert(float(value), shown, unit, mass)

    def spread(value: float) -> float:
        return inside(value) - inside(0.0)

    return Variable(
        name=name,
        unit=unit,
        shown=shown,
        low=inside(row["low"]),
        high=inside(row["high"]),
        loinc=str(row.get("loinc", "")),
        meaning=str(row["meaning"]),
        label=str(row.get("label", name)),
        digits=int(row.get("digits", 0)),
        molar_mass=mass or 0.0,
        mdc=int(row.get("mdc", 0)),
        sigma=spread(row.get("sigma", 0.0)),
        bias=spread(row.get("bias", 0.0)),
        also=tuple(row.get("also", ())),
    )


def _load() -> Mapping[str, Variable]:
    text = files("isosoma.core").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    rows = {name: _row(name, row) for name, row in tomllib.loads(text).items()}
    return MappingProxyType(rows)


VOCABULARY: Mapping[str, Variable] = _load()
_LOINC = {code: v for v in VOCABULARY.values() for code in (v.loinc, *v.also) if code}
_MDC = {v.mdc: v for v in VOCABULARY.values() if v.mdc}


def variable(name: str) -> Variable:
    """Return the row called `name`; VocabularyError where there is none."""
    try:
        return VOCABULARY[name]
    except KeyError:
        raise VocabularyError(
            f"there is no variable {name!r}", todo="See docs/nomenclature.md for the names"
        ) from None


def by_loinc(code: str) -> Variable | None:
    """Return the row of a LOINC code, or None."""
    return _LOINC.get(code)


def by_mdc(code: int) -> Variable | None:
    """Return the row of an IEEE 11073 reference id, or None."""
    return _MDC.get(code)


def nearest(name: str) -> Variable | None:
    """Return the row whose name or label is spelt most like `name`, None where none is close.

    It is for advice in a sentence; nothing is ever read by it.

    >>> nearest("spo2").name, nearest("hart_rate").name, nearest("shoe size")
    ('oxygen_saturation', 'heart_rate', None)
    """
    labels = Counter(v.label.lower() for v in VOCABULARY.values())
    words = {v.label.lower(): v for v in VOCABULARY.values() if labels[v.label.lower()] == 1}
    words |= VOCABULARY
    close = get_close_matches(name.strip().lower()[:64], words, 1, 0.75)
    return words[close[0]] if close else None


def si(row: Variable, value: float, code: str) -> float:
    """Return `value` [code] in the row's SI unit, through its molar mass where it must.

    Raises
    ------
    UnitError
        The unit measures something else.
    """
    return convert(value, code, row.unit, row.molar_mass or None)


def check_possible(row: Variable, value: float) -> float:
    """Return the SI `value` unchanged.

    Raises
    ------
    RangeError
        It is not a number, or no body can have it.
    """
    if not row.low <= value <= row.high:  # also refuses NaN
        low, high, got = (
            convert(x, row.unit, row.shown, row.molar_mass or None)
            for x in (row.low, row.high, value)
        )
        raise RangeError(
            f"{row.label} of {got:.6g} {row.shown} is not possible "
            f"(it lies in {low:.6g} to {high:.6g})",
            todo="Check the value, its unit and the sign",
        )
    return value


# Every unit of the table must be readable at import, or the table is wrong.
for _v in VOCABULARY.values():
    ucum(_v.unit)
