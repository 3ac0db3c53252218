"""What is done to a patient, as a pure change of parameters, inputs or topology at a time.

A rehearsal is a list of interventions. Undoing one is leaving it out and applying the rest again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, ModelError

__all__ = ["Change", "Coding", "Intervention", "apply", "from_json", "to_json", "undo"]

Target = Literal["parameter", "input", "topology"]
Action = Literal["set", "scale", "add"]
_TARGETS: tuple[Target, ...] = ("parameter", "input", "topology")
_ACTIONS: tuple[Action, ...] = ("set", "scale", "add")


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a terminology: SNOMED CT procedure, ATC drug, or a device identifier."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change: which name, how, and by how much [SI]; `edit` describes a topology change."""

    target: Target
    name: str
    action: Action = "set"
    value: float = 0.0
    edit: str = ""

    def __post_init__(self) -> None:
        if self.target not in _TARGETS or self.action not in _ACTIONS:
            raise ModelError(f"{self.action} of {self.target} is no change we know")
        if not math.isfinite(self.value):
            raise ModelError(f"the change of {self.name} has no finite value")


@dataclass(frozen=True, slots=True)
class Intervention:
    """An act: what, when [s after the start of the rehearsal], by whom, and what it changes."""

    name: str
    coding: Coding
    at: float
    role: str
    changes: tuple[Change, ...]


def _changed(old: npt.NDArray[np.float64], change: Change) -> npt.NDArray[np.float64]:
    if change.action == "set":
        return np.full_like(old, change.value)
    return old * change.value if change.action == "scale" else old + change.value


def apply(
    acts: Iterable[Intervention],
    target: Target,
    values: Mapping[str, npt.NDArray[np.float64]],
    until: float = math.inf,
) -> dict[str, npt.NDArray[np.float64]]:
    """Return `values` (parameters or inputs) after all acts up to and including `until` [s].

    Acts at the same time apply in the order given. Nothing is changed in place.

    Raises
    ------
    ModelError
        An act changes a name that `values` does not hold.
    """
    out = dict(values)
    for act in sorted((a for a in acts if a.at <= until), key=lambda a: a.at):
        for change in act.changes:
            if change.target != target:
                continue
            if change.name not in out:
                raise ModelError(
                    f"{act.name} changes {change.name!r}, which the model does not have",
                    todo="Choose an act that this model offers",
                )
            out[change.name] = _changed(out[change.name], change)
    return out


def undo(acts: tuple[Intervention, ...], index: int = -1) -> tuple[Intervention, ...]:
    """Return the rehearsal without the act at `index`, by default the last one."""
    kept = list(acts)
    if kept:
        del kept[index]
    return tuple(kept)


def to_json(acts: Iterable[Intervention]) -> str:
    """Return a rehearsal as JSON."""
    return json.dumps([asdict(a) for a in acts], ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> tuple[Intervention, ...]:
    """Read a rehearsal written by `to_json`.

    Raises
    ------
    FormatError
        It is not one; the place of the first fault is named.
    """
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the rehearsal is not JSON: {error}") from error
    if not isinstance(rows, list):
        raise FormatError("a rehearsal is a list of acts")
    return tuple(_act(row, f"act {i}") for i, row in enumerate(cast("list[Any]", rows)))


def _act(row: Any, where: str) -> Intervention:
    try:
        changes = tuple(Change(**c) for c in row["changes"])
        act = Intervention(
            str(row["name"]), Coding(**row["coding"]), float(row["at"]), str(row["role"]), changes
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"an act lacks or misspells a field ({error})", where) from error
    except ModelError as error:
        raise FormatError(error.what, where) from error
    if not math.isfinite(act.at):
        raise FormatError("the time of an act is not finite", where)
    return act
