"""What a parameter or an input of the circulation may be: the possible, not the healthy.

A number is impossible where physics says so (a share outside 0 to 1, a negative compliance), or
where no body has it: further from this person's median than a factor of 50.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from isosoma.core.errors import RangeError, UnitError, VocabularyError
from isosoma.core.units import Unit, from_si, read_unit, to_si, ucum
from isosoma.organs.circulation.parameters import PARAMETERS, shown
from isosoma.organs.circulation.rows import INPUTS

__all__ = ["bounds", "checked"]

_FACTOR = 50.0
_SHARES = frozenset((
    "upper_share", "lung_shunt", "coronary_squeeze", "myocardial_extraction", "discharge",
    "septum_left", "septum_right", "atrial_lead", "inspired_oxygen", "fibrillation",
    "aortic_clamp", "cardioplegia", "lifted_heart",
))  # fmt: skip
_PRINTED = {
    "m3/s": "L/min", "Hz": "/min", "Pa": "mm[Hg]", "m3": "mL", "kg/s": "ug/min", "kg/m3": "g/dL",
}  # fmt: skip
_LARGEST = {
    "m3/s": to_si(100, "L/min"),
    "Hz": to_si(600, "/min"),
    "Pa": to_si(100, "mm[Hg]"),
    "m3": to_si(5, "L"),
    "kg/s": to_si(10, "g/min"),
    "kg/m3": to_si(400, "g/L"),
}
_WIDEST = to_si(20.0, "cm2")
_NEGATIVE = frozenset(("thoracic_mean",))


def bounds(name: str, median: float) -> tuple[float, float]:
    """Return the least and the greatest possible value [SI] of a person with this median."""
    unit = PARAMETERS[name].unit if name in PARAMETERS else INPUTS[name][0]
    if name in _SHARES:
        return 0.0, 1.0
    if name in INPUTS:
        largest = _LARGEST.get(unit, 1.0)
        return (-largest if name in _NEGATIVE else 0.0), largest
    if unit == "m2":
        return 0.0, _WIDEST
    ends = sorted((median / _FACTOR, median * _FACTOR))
    return (ends[0], ends[1]) if median else (-_FACTOR, _FACTOR)


def checked(name: str, number: float, code: str, medians: Mapping[str, float]) -> float:
    """Return a value of a parameter or an input in SI.

    Parameters
    ----------
    code : its unit; empty only where it has none.
    medians : of this person [SI]; of an input, its value at rest.

    Raises
    ------
    VocabularyError
        There is no such name; near ones are given.
    UnitError
        The unit is missing or measures something else.
    RangeError
        Nobody has that; the bound is named.
    """
    if name not in PARAMETERS and name not in INPUTS:
        near = get_close_matches(name, [*PARAMETERS, *INPUTS], n=3, cutoff=0.6)
        raise VocabularyError(
            f"the circulation has no {name!r}",
            todo=f"Near are {', '.join(near)}" if near else "See `isosoma models`",
        )
    printed = shown(name) if name in PARAMETERS else _PRINTED.get(INPUTS[name][0], INPUTS[name][0])
    due = ucum(printed)
    unit = _unit(name, code, due)
    value = number * unit.factor + unit.offset
    low, high = bounds(name, medians[name])
    if not low <= value <= high:
        ends = f"{from_si(low, printed):.4g} to {from_si(high, printed):.4g} {printed}"
        said = f"{number:g} {code}".strip()
        raise RangeError(f"{name} of {said} is not possible: it lies in {ends.removesuffix(' 1')}")
    return value


def _unit(name: str, code: str, due: Unit) -> Unit:
    pure = not any(due.dimensions)
    if not code and not pure:
        raise UnitError(f"{name} needs a unit", todo=f"Give it in {due.code}")
    unit = read_unit(code) if code else ucum("1")
    if unit.dimensions != due.dimensions:
        raise UnitError(f"{name} is not measured in {code}", todo=f"Give it in {due.code}")
    return unit
