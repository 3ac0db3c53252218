"""What the page announces: rules of the monitor, raised on raw data, and poor quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isosoma.core.units import from_si
from isosoma.serve.analysis import Analysis
from isosoma.signals.events import MEASURES, RULES

__all__ = ["CONDITIONS", "POOR_BELOW", "Condition", "lead_off", "present", "told"]

Priority = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something worth saying: `text` for people; technical ones are of low priority."""

    text: str
    priority: Priority


def _priority(name: str) -> Priority:
    return "high" if name == "high" else "low" if name in ("low", "technical") else "medium"


POOR, POOR_BELOW = "poor quality", 0.3  # weight of the last 10 s
CONDITIONS = {
    rule.name: Condition(rule.name.capitalize(), _priority(rule.priority)) for rule in RULES
}
CONDITIONS[POOR] = Condition("ECG quality is poor", "low")


def present(state: Analysis) -> set[str]:
    """Return the names of the conditions that hold now."""
    raised = state.monitor.events.raised[0].tolist()
    found = {rule.name for rule, on in zip(state.monitor.rules, raised, strict=True) if on}
    if state.quality is not None and state.quality.weight < POOR_BELOW and "no signal" not in found:
        found.add(POOR)
    return found


_PRESSURES = {"mean_pressure": "mean", "systolic_pressure": "systolic"}


def told(state: Analysis, code: str) -> str:
    """Return what a condition says as it begins: of a pressure, which, how high, and its limit."""
    rule = next((r for r in state.monitor.rules if r.name == code), None)
    words = CONDITIONS[code].text
    if rule is None or rule.measure not in _PRESSURES:
        return words
    value = float(state.monitor.rhythm.measures[0, MEASURES.index(rule.measure)])
    if value != value:
        return words
    side = "above" if rule.above else "below"
    which, limit = _PRESSURES[rule.measure], _mmhg(rule.level)
    return f"{words}: {which} {_mmhg(value)} mmHg, {side} {limit}"


def _mmhg(pressure: float) -> str:
    return f"{from_si(pressure, 'mm[Hg]'):.0f}"


def lead_off(state: Analysis) -> bool:
    """Whether the last 2 s hold not one received sample."""
    recent = state.window[-int(2 * state.hz) :]
    return state.seen >= len(recent) and not bool((recent == recent).any())
