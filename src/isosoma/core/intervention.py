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

__all__ = [
    "RAMP_STEP",
    "Change",
    "Coding",
    "Intervention",
    "apply",
    "from_json",
    "moments",
    "to_json",
    "undo",
]

Target = Literal["parameter", "input", "topology"]
Action = Literal["set", "scale", "add"]
_TARGETS: tuple[Target, ...] = ("parameter", "input", "topology")
_ACTIONS: tuple[Action, ...] = ("set", "scale", "add")
RAMP_STEP = 1.0
"""Length of the steps in which a gradual change is made [s]: inputs are held between them."""


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
    """An act: what, when [s after the start of the rehearsal], by whom, and what it changes.

    Attributes
    ----------
    lasts : how long its changes hold [s]; None: until something else changes them.
    over : time in which they come about [s], linearly in steps of `RAMP_STEP`; 0: at once.
    """

    name: str
    coding: Coding
    at: float
    role: str
    changes: tuple[Change, ...]
    lasts: float | None = None
    over: float = 0.0

    def __post_init__(self) -> None:
        spans = (self.at, 0.0 if self.lasts is None else self.lasts, self.over)
        if not all(math.isfinite(s) for s in spans) or min(spans[1:]) < 0.0:
            raise ModelError(f"the times of {self.name} are not finite or run backwards")

    def holds(self, at: float) -> bool:
        """Return whether its changes hold at a time [s]."""
        return self.at <= at and (self.lasts is None or at < self.at + self.lasts)


def _reached(act: Intervention, at: float) -> float:
    """Return the share of a gradual change that has come about [1]."""
    if act.over == 0.0 or at == math.inf:
        return 1.0
    steps = math.ceil(act.over / RAMP_STEP)
    return min(math.floor((at - act.at) / RAMP_STEP + 1e-9) + 1, steps) / steps


def _changed(old: npt.NDArray[np.float64], change: Change, share: float) -> npt.NDArray[np.float64]:
    if change.action == "add":
        return old + share * change.value
    new = np.full_like(old, change.value) if change.action == "set" else old * change.value
    return new if share == 1.0 else old + share * (new - old)


def moments(acts: Iterable[Intervention]) -> tuple[float, ...]:
    """Return the times [s] at which an act begins, ends, or makes a further step, in order."""
    out = set[float]()
    for act in acts:
        steps = range(max(1, math.ceil(act.over / RAMP_STEP)))
        out |= {act.at + i * RAMP_STEP for i in steps}
        if act.lasts is not None:
            out.add(act.at + act.lasts)
    return tuple(sorted(out))


def apply(
    acts: Iterable[Intervention],
    target: Target,
    values: Mapping[str, npt.NDArray[np.float64]],
    until: float = math.inf,
) -> dict[str, npt.NDArray[np.float64]]:
    """Return `values` (parameters or inputs) under all acts that hold at `until` [s].

    Acts at the same time apply in the order given; what is added for a while (a bolus) comes on top
    of what is set meanwhile (an infusion). Nothing is changed in place.

    Raises
    ------
    ModelError
        An act changes a name that `values` does not hold.
    """
    out = dict(values)
    held = sorted((a for a in acts if _under(a, until)), key=lambda a: a.at)
    pairs = [(a, c) for a in held for c in a.changes if c.target == target]
    for act, change in sorted(pairs, key=_on_top):
        if change.name not in out:
            raise ModelError(
                f"{act.name} changes {change.name!r}, which the model does not have",
                todo="Choose an act that this model offers",
            )
        out[change.name] = _changed(out[change.name], change, _reached(act, until))
    return out


def _under(act: Intervention, until: float) -> bool:
    return act.lasts is None if until == math.inf else act.holds(until)


def _on_top(pair: tuple[Intervention, Change]) -> bool:
    act, change = pair
    return change.action == "add" and act.lasts is not None


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
            str(row["name"]),
            Coding(**row["coding"]),
            float(row["at"]),
            str(row["role"]),
            changes,
            None if row.get("lasts") is None else float(row["lasts"]),
            float(row.get("over", 0.0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"an act lacks or misspells a field ({error})", where) from error
    except ModelError as error:
        raise FormatError(error.what, where) from error
    return act
