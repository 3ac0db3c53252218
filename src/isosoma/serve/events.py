"""What the page announces: conditions with priority, on and off edges, read from raw analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isosoma.serve.analysis import Analysis, heart_rate

__all__ = ["CONDITIONS", "Condition", "present"]

Priority = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something worth saying: `code` for machines, `text` for people."""

    code: str
    text: str
    priority: Priority


CONDITIONS = {
    one.code: one
    for one in (
        Condition("asystole", "Asystole: no beat for 4 s", "high"),
        Condition("ventricular_fibrillation", "Ventricular fibrillation", "high"),
        Condition("ventricular_tachycardia", "Ventricular tachycardia", "high"),
        Condition("bradycardia", "Heart rate below 40/min", "high"),
        Condition("tachycardia", "Heart rate above 140/min", "medium"),
        Condition("pause", "Pause: no beat for 3 s", "medium"),
        Condition("atrial_fibrillation", "Atrial fibrillation", "medium"),
        Condition("lead_off", "ECG lead off: no signal", "low"),
        Condition("poor_quality", "ECG quality is poor", "low"),
    )
}


def present(state: Analysis) -> set[str]:
    """Return the codes of the conditions that hold now."""
    found = {state.rhythm} & CONDITIONS.keys()
    rate = heart_rate(state)
    if rate is not None and rate.value < 40:
        found.add("bradycardia")
    if rate is not None and rate.value > 140:
        found.add("tachycardia")
    if lead_off(state):
        found -= {"asystole", "pause"}
        found.add("lead_off")
    elif state.quality is not None and state.quality.weight < 0.3:
        found.add("poor_quality")
    return found


def lead_off(state: Analysis) -> bool:
    """Whether the last 2 s hold not one received sample."""
    recent = state.window[-int(2 * state.hz) :]
    return state.seen >= len(recent) and not bool((recent == recent).any())
