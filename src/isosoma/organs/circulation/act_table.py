"""What can be done to a circulation: rows of ``acts.toml`` (words, quantities, codes, effects)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from isosoma.core.intervention import Coding

__all__ = ["ACTS", "WORDS", "ActRow", "Slot"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A quantity that an act takes.

    Attributes
    ----------
    word : what stands before the number in the text; empty: nothing.
    unit : UCUM; it gives the dimension, and is the unit of `low` and `high`.
    default : as text, "" for none but optional; None: it must be given.
    """

    name: str
    unit: str
    word: str = ""
    low: float = 0.0
    high: float = 1e12
    default: str | None = None
    drug: bool = False


@dataclass(frozen=True, slots=True)
class ActRow:
    """A row of the table; `acts.toml` says what each field does."""

    name: str
    meaning: str
    role: str
    coding: Coding
    also: tuple[str, ...] = ()
    takes: tuple[Slot, ...] = ()
    flags: tuple[str, ...] = ()
    holds: bool = False
    rate: Mapping[str, str] = field(default_factory=dict[str, str])
    set: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])
    ramp: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])
    edit: tuple[str, ...] = ()
    breath: str = ""
    drug: str = ""

    @property
    def needs(self) -> tuple[Slot, ...]:
        """Return the quantities; a drug without any takes a dose or a rate."""
        if self.takes or not self.drug:
            return self.takes
        return (
            Slot("dose", "mg", drug=True),
            Slot("time", "s", "in", default="5 s"),
        )


def _row(name: str, raw: Mapping[str, Any]) -> ActRow:
    take = raw.get
    return ActRow(
        name,
        str(raw["meaning"]),
        str(raw["role"]),
        Coding(*raw["code"]),
        also=tuple(take("also", ())),
        takes=tuple(Slot(**slot) for slot in take("takes", ())),
        flags=tuple(take("flags", ())),
        holds=bool(take("holds", False)),
        rate=MappingProxyType(dict(take("rate", {}))),
        set=MappingProxyType(dict(take("set", {}))),
        ramp=MappingProxyType(dict(take("ramp", {}))),
        edit=tuple(take("edit", ())),
        breath=str(take("breath", "")),
        drug=str(take("drug", "")),
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, ActRow]:
    text = files("isosoma.organs.circulation").joinpath("acts.toml").read_text("utf-8")
    rows = {name: _row(name, raw) for name, raw in tomllib.loads(text).items()}
    return rows | {r.name: r for r in map(_stop, rows.values()) if r.name not in rows}


def _stop(row: ActRow) -> ActRow:
    """Return the row that ends the infusion of a drug; any other row as it is."""
    if not row.drug or row.breath:
        return row
    also = tuple(f"stop {word}" for word in row.also)
    none: dict[str, str | float] = {f"{row.drug}_rate": 0.0}
    name = f"stop {row.name}"
    return ActRow(name, f"The infusion of {row.name} ends.", row.role, row.coding, also, set=none)


ACTS: Mapping[str, ActRow] = MappingProxyType(_table())
"""Every act by its canonical wording."""
WORDS: Mapping[str, str] = MappingProxyType(
    {w: name for name, row in ACTS.items() for w in (name, *row.also)}
)
"""Every wording that is read, and the canonical one."""
