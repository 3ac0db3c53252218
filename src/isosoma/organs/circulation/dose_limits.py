"""What of a dose is possible and what is usual: rows of ``doses.toml``.

The impossible is refused where an act is read; the unusual is played, and said beside its field.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from isosoma.core.units import ucum

__all__ = [
    "Amounts",
    "DoseLimit",
    "VolumeLimit",
    "by_weight",
    "drug_limit",
    "impossible",
    "unusual",
]

HEAVIEST = 200.0
"""Weight [kg] of the person by whom a dose that is not per kg is judged possible."""
_PER_TIME = (ucum("kg/s").dimensions, ucum("s-1").dimensions)
Amounts = Mapping[str, tuple[float, str, str]]
"""Quantities of an act by name: value [SI], unit as said, and how it is written."""


@dataclass(frozen=True, slots=True)
class DoseLimit:
    """Most of a drug per kg of body weight: `usual` and `possible` in `unit`, and why."""

    unit: str
    usual: float
    possible: float
    source: str


@dataclass(frozen=True, slots=True)
class VolumeLimit:
    """Most of each quantity of an act that is usual, as written; the most in a time, and why."""

    usual: Mapping[str, str]
    fastest: str
    source: str


@lru_cache(maxsize=1)
def _table() -> tuple[Mapping[tuple[str, str], DoseLimit], Mapping[str, VolumeLimit]]:
    text = files("isosoma.organs.circulation").joinpath("doses.toml").read_text("utf-8")
    raw: dict[str, Any] = tomllib.loads(text)
    drugs = {
        (name, kind): DoseLimit(
            str(row[kind]["unit"]), float(row[kind]["usual"]), float(row[kind]["possible"]),
            str(row["source"]),
        )
        for name, row in raw["drug"].items()
        for kind in ("bolus", "rate")
    }  # fmt: skip
    acts = {
        name: VolumeLimit(row.get("usual", {}), row.get("fastest", ""), str(row["source"]))
        for name, row in raw["act"].items()
    }
    return drugs, acts


def drug_limit(drug: str, unit: str) -> DoseLimit:
    """Return the limit of a drug given in a unit: that of a bolus or of a rate."""
    kind = "rate" if ucum(unit).dimensions in _PER_TIME else "bolus"
    return _table()[0][drug, kind]


def by_weight(unit: str) -> bool:
    """Return whether a dose is per kg of body weight: mass over mass has no dimension."""
    return ucum(unit).dimensions[1] == 0


def _si(text: str) -> float:
    number, _, unit = text.partition(" ")
    return float(number) * ucum(unit).factor


def impossible(name: str, drug: str, amounts: Amounts) -> str:
    """Return why nobody can be given this much; empty where it can be."""
    if drug and "dose" in amounts:
        value, unit, said = amounts["dose"]
        limit = drug_limit(drug, unit)
        most = limit.possible * ucum(limit.unit).factor
        most *= 1.0 if by_weight(unit) else HEAVIEST
        if value > most * (1.0 + 1e-9):
            return (
                f"{said} of {drug} is more than anybody is given ({_most(limit.possible, limit)})"
            )
    row = _table()[1].get(name)
    if row is not None and row.fastest and "volume" in amounts:
        value, _, said = amounts["volume"]
        time, _, during = amounts["time"]
        if value > _si(row.fastest) * time * (1.0 + 1e-9):
            return f"{said} in {during} is faster than {row.fastest}, which nothing exceeds"
    return ""


def _most(value: float, limit: DoseLimit) -> str:
    return f"at most {value:g} {limit.unit}"


def unusual(name: str, drug: str, amounts: Amounts, weight: float) -> str:
    """Return what is above the usual range, a sentence without its end; empty for nothing.

    `weight` : of the patient [kg].
    """
    return "; ".join(_above(name, drug, amounts, weight))


def _above(name: str, drug: str, amounts: Amounts, weight: float) -> Iterator[str]:
    if drug and "dose" in amounts:
        value, unit, said = amounts["dose"]
        limit = drug_limit(drug, unit)
        factor = ucum(limit.unit).factor
        per_kg = value / (factor if by_weight(unit) else factor * weight)
        if per_kg > limit.usual * (1.0 + 1e-9):
            own = "" if by_weight(unit) else f" ({per_kg:.3g} {limit.unit} at {weight:.0f} kg)"
            yield f"{said}{own} is above the usual range of {drug}, {_most(limit.usual, limit)}"
    row = _table()[1].get(name)
    for quantity, most in (row.usual if row is not None else {}).items():
        if quantity in amounts and amounts[quantity][0] > _si(most) * (1.0 + 1e-9):
            said = amounts[quantity][2]
            yield f"a {quantity} of {said} is above the usual range of {name}, at most {most}"
