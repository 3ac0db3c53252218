"""Dose and device questions: which of several choices are acceptable, and what speaks against each.

The answer is a set under chance constraints, not one optimum: a choice is acceptable where every
complication is surely rare enough, unacceptable where one is surely too likely, else open: more
members, or a measurement, would tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from isosoma.core.errors import FormatError, LimitError, UnitError
from isosoma.core.units import read_unit, ucum
from isosoma.organs.circulation.acts import Amount
from isosoma.scenario.comparing import Chance, Comparison, Judged
from isosoma.scenario.devices import Device, Devices, Size, device_of, devices
from isosoma.scenario.preferences import Preferences

__all__ = ["Choice", "Objection", "acceptable", "tried"]

Verdict = Literal["acceptable", "open", "unacceptable"]
_MOST = 12


@dataclass(frozen=True, slots=True)
class Objection:
    """A complication that speaks against a choice, and the chance that is allowed.

    Attributes
    ----------
    sure : whether the whole interval lies above what is allowed.
    """

    chance: Chance
    at_most: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: its verdict, the objections, and what spoke against it beforehand."""

    name: str
    verdict: Verdict
    objections: tuple[Objection, ...]
    against: tuple[str, ...]


def acceptable(comparison: Comparison, preferences: Preferences) -> tuple[Choice, ...]:
    """Return a verdict on every option under the chances that the preferences allow."""
    return tuple(_choice(option, preferences) for option in comparison.options)


def _choice(option: Judged, preferences: Preferences) -> Choice:
    objections = list[Objection]()
    for chance in option.chances:
        allowed = preferences.weights[chance.name].at_most
        if chance.high > allowed:
            objections.append(Objection(chance, allowed, chance.low > allowed))
    verdict: Verdict = "open" if objections else "acceptable"
    if option.against or any(o.sure for o in objections):
        verdict = "unacceptable"
    objections.sort(key=lambda o: o.at_most - o.chance.chance)
    return Choice(option.name, verdict, tuple(objections), option.against)


def tried(
    asked: Mapping[str, Any], table: Devices | None = None
) -> list[tuple[str, Sequence[str], tuple[str, ...]]]:
    """Return an option for each choice: its name, its acts, and what speaks against it already.

    Parameters
    ----------
    asked : `do`, acts of which one or more hold ``{}``; `each`, what takes its place; or `device`,
        whose sizes' orifice areas do (in ``implant {}`` the sizes themselves), and `annulus`, the
        area that it has to fit.

    Raises
    ------
    InputError
        There is no place for the choice, nothing to choose, or no such device.
    """
    acts = asked.get("do", [])
    if not isinstance(acts, list) or not any("{}" in str(a) for a in acts):  # pyright: ignore[reportUnknownVariableType]
        raise FormatError("no act has a place for the choice", "try", "Write {} where it stands")
    said: list[str] = [str(a) for a in acts]
    if "device" in asked:
        device = device_of(table or devices(), str(asked["device"]))
        fits = _area(asked["annulus"]) if "annulus" in asked else math.nan
        return [
            (f"{device.name} {s.label}", _fitted(said, device, s), _unfit(s, fits))
            for s in device.sizes
        ]
    each = asked.get("each", [])
    if not isinstance(each, list) or not each:
        raise FormatError("there is nothing to choose", "try", 'Write each = ["50 ug", "100 ug"]')
    if len(each) > _MOST:
        raise LimitError(f"{len(each)} choices are more than {_MOST}", "try")
    return [(str(choice), _filled(said, str(choice)), ()) for choice in each]


def _fitted(acts: Sequence[str], device: Device, size: Size) -> list[str]:
    named = f"implant {device.name} {size.label}"
    return _filled([a.replace("implant {}", named) for a in acts], str(size.eoa))


def _filled(acts: Sequence[str], choice: str) -> list[str]:
    return [a.replace("{}", choice) for a in acts]


def _area(text: Any) -> float:
    """Read an area with its unit and return it [m2]."""
    number, _, unit = str(text).partition(" ")
    read = read_unit(unit or "1")
    if read.dimensions != ucum("m2").dimensions:
        raise UnitError(f"{text!r} is no area", "try annulus", "Give it in mm2 or cm2")
    try:
        return float(number) * read.factor
    except ValueError as error:
        raise FormatError(f"{text!r} is no area", "try annulus") from error


def _unfit(size: Size, annulus: float) -> tuple[str, ...]:
    """Return why a size does not fit; nothing where the annulus was not measured."""
    if math.isnan(annulus) or size.low.si <= annulus <= size.high.si:
        return ()
    measured = Amount(round(annulus * 1e6), "mm2")
    side = "small" if annulus > size.high.si else "large"
    return (f"too {side}: made for {size.low} to {size.high}, the annulus has {measured}",)
