"""Measurements of one instant that cannot all be true, in sentences.

A live reading that contradicts another is kept with a verdict. Here somebody hands over a patient's
file, and can correct it: so the whole is refused, with what and why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from isosoma.core.observation import Observation
from isosoma.core.quantity import show
from isosoma.core.vocabulary import VOCABULARY

__all__ = ["contradictions"]

_SYS, _DIA, _MAP = "systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"
_EDV = "left_ventricular_end_diastolic_volume"
_ESV = "left_ventricular_end_systolic_volume"
_EF = "left_ventricular_ejection_fraction"
_SV, _CO, _HR = "stroke_volume", "cardiac_output", "heart_rate"
_SURE = 3.0
"""Standard deviations beyond which two ways to one number contradict each other."""

_Together = Mapping[str, Observation]


def contradictions(observations: Iterable[Observation]) -> tuple[str, ...]:
    """Return a sentence for each contradiction among what one device told at one instant."""
    groups: dict[tuple[int, str], dict[str, Observation]] = {}
    for o in observations:
        groups.setdefault((o.at, o.device), {})[o.variable] = o
    found: list[str] = []
    for _, together in sorted(groups.items()):
        for rule in (_pressures, _mean, _volumes, _fraction, _output):
            said = rule(together)
            if said:
                found.append(said)
    return tuple(found)


def _said(o: Observation) -> str:
    return f"{o.variable.replace('_', ' ')} {o.given or show(VOCABULARY[o.variable], o.value)}"


def _pressures(t: _Together) -> str:
    if _SYS in t and _DIA in t and t[_SYS].value <= t[_DIA].value:
        return f"{_said(t[_SYS])} is not above {_said(t[_DIA])}: are they exchanged?"
    return ""


def _mean(t: _Together) -> str:
    if not {_SYS, _DIA, _MAP} <= t.keys() or t[_SYS].value <= t[_DIA].value:
        return ""
    if t[_DIA].value <= t[_MAP].value <= t[_SYS].value:
        return ""
    return f"{_said(t[_MAP])} lies outside {_said(t[_DIA])} and {_said(t[_SYS])}"


def _volumes(t: _Together) -> str:
    if _EDV in t and _ESV in t and t[_ESV].value >= t[_EDV].value:
        return f"{_said(t[_ESV])} is not below {_said(t[_EDV])}: are they exchanged?"
    return ""


def _fraction(t: _Together) -> str:
    if not {_EDV, _ESV, _EF} <= t.keys() or _volumes(t):
        return ""
    full, left = t[_EDV], t[_ESV]
    due = 1.0 - left.value / full.value
    spread = (
        left.value
        / full.value
        * math.hypot(left.sigma / left.value if left.value else 0.0, full.sigma / full.value)
    )
    if abs(due - t[_EF].value) <= _SURE * math.hypot(spread, t[_EF].sigma):
        return ""
    return f"{_said(t[_EF])} contradicts {100.0 * due:.0f} % from {_said(full)} and {_said(left)}"


def _output(t: _Together) -> str:
    if not {_SV, _CO, _HR} <= t.keys():
        return ""
    due = t[_SV].value * t[_HR].value
    spread = due * math.hypot(*(t[n].sigma / t[n].value if t[n].value else 0.0 for n in (_SV, _HR)))
    if abs(due - t[_CO].value) <= _SURE * math.hypot(spread, t[_CO].sigma):
        return ""
    is_ = show(VOCABULARY[_CO], due)
    return f"{_said(t[_CO])} contradicts {is_} from {_said(t[_SV])} and {_said(t[_HR])}"
