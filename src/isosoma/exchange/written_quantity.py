"""A quantity as a person writes it, ``"120 mL"`` or ``"55 % +- 5 %"``: a number never stands alone.

What stands behind ``+-`` (or ``±``) is a standard uncertainty, k = 1. It may have a unit of its
own; one unit at the end counts for both, ``"120 ± 8 mL"`` (GUM, 7.2.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from isosoma.core.errors import FormatError, RangeError, UnitError
from isosoma.core.units import read_unit
from isosoma.core.vocabulary import Variable, check_possible, si

__all__ = ["Written", "named", "read_written", "sigma_of", "value_of"]

_LONGEST = 200  # characters
_NUMBER = r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?"
_BARE = re.compile(_NUMBER)
# Without a blank only where the unit cannot be taken for a part of the number: 55%, 75kg, 70/min.
_QUANTITY = re.compile(rf"({_NUMBER})(?:\s+|(?=[^\s0-9.,eE+-]))(\S.*)")
_SPREAD = re.compile(r"\+-|\+/-|±")


@dataclass(frozen=True, slots=True)
class Written:
    """A quantity as it was written.

    Attributes
    ----------
    value : number in `unit`.
    unit : UCUM code.
    spread : standard uncertainty in `spread_unit`; 0 where none is stated.
    spread_unit : UCUM code; empty where none is stated.
    given : number as written and UCUM code, ``120 mL``.
    """

    value: float
    unit: str
    spread: float
    spread_unit: str
    given: str


def named(found: object) -> str:
    """Return what was found, short enough for a sentence whatever it is.

    >>> named("seventy"), named(7), named(10**5000), named([1, 2])
    ("'seventy'", '7', 'a long number', 'a list')
    """
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, str):
        return repr(found[:40])
    if isinstance(found, int):
        return str(found) if found.bit_length() < 64 else "a long number"
    if isinstance(found, float):
        return str(found)
    return {"list": "a list", "dict": "a table"}.get(type(found).__name__, "a date or time")


def read_written(found: object, like: str) -> Written:
    """Read a quantity; a unit is never guessed.

    Parameters
    ----------
    found : what the file holds; only a text is a quantity.
    like : unit for the advice in an error [UCUM].

    Raises
    ------
    UnitError
        A bare number, or a unit that is none.
    FormatError
        No quantity at all.
    RangeError
        An uncertainty that is not positive.
    """
    if not isinstance(found, str):
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            raise _no_unit(named(found), like)
        raise FormatError(f"{named(found)} is no quantity", todo=_advice(like))
    if len(found) > _LONGEST:
        raise FormatError(f"{named(found)}… is too long for a quantity", todo=_advice(like))
    parts = [part.strip() for part in _SPREAD.split(found)]
    if len(parts) > 2:
        raise FormatError(f"{named(found)} has two uncertainties", todo="Write one +-")
    spread, spread_unit = _pair(parts[1], like) if len(parts) == 2 else ("0", "")
    shared = spread_unit and _BARE.fullmatch(parts[0])
    number, unit = (parts[0], spread_unit) if shared else _pair(parts[0], like)
    if len(parts) == 2 and float(spread) <= 0.0:
        raise RangeError(
            f"an uncertainty of {parts[1]!r} is not positive", todo="State one standard deviation"
        )
    return Written(float(number), unit, float(spread), spread_unit, f"{number} {unit}")


def _advice(like: str) -> str:
    return f'Write number and unit in one quoted text, like "NUMBER {like}"'


def _no_unit(text: str, like: str) -> UnitError:
    return UnitError(f"{text} has no unit", todo=_advice(like))


def _pair(text: str, like: str) -> tuple[str, str]:
    """Return number, as written, and UCUM code of ``120 mL``."""
    if _BARE.fullmatch(text):
        raise _no_unit(repr(text), like)
    found = _QUANTITY.fullmatch(text)
    if found is None:
        comma = ", with a point for the decimals" if "," in text else ""
        raise FormatError(f"{named(text)} is no number with a unit", todo=_advice(like) + comma)
    return found[1], read_unit(found[2]).code


def value_of(row: Variable, written: Written) -> float:
    """Return the value in the row's SI unit.

    Raises
    ------
    UnitError, RangeError
        The unit measures something else; no body can have the value.
    """
    return check_possible(row, si(row, written.value, written.unit))


def sigma_of(row: Variable, written: Written) -> float:
    """Return the standard uncertainty in the row's SI unit: the one stated, else the row's own.

    Raises
    ------
    UnitError
        None is stated and the row has none, or it is stated in a unit of something else.
    RangeError
        It is wider than everything that is possible.
    """
    if not written.spread_unit:
        if row.sigma <= 0.0:
            raise UnitError(
                f"{row.name} has no usual uncertainty",
                todo=f'State one standard deviation: "{written.given} +- NUMBER {written.unit}"',
            )
        return row.sigma
    try:
        sigma = si(row, written.spread, written.spread_unit) - si(row, 0.0, written.spread_unit)
    except UnitError as error:
        raise UnitError(
            f"an uncertainty in {written.spread_unit!r} is none of a value in {written.unit!r}",
            todo=f"State it in {written.unit}",
        ) from error
    if not 0.0 < sigma <= row.high - row.low:
        raise RangeError(
            f"the uncertainty of {written.given} is wider than all that is possible",
            todo="Check the uncertainty and its unit",
        )
    return sigma
