"""A watch over a locked prediction: has the patient left what was said of them?

A patient's level may lie anywhere in the band for hours, so that scores against its middle would
add up without cause. `watch` therefore sums only what lies beyond an edge, in sigmas of the
reading: Page's CUSUM (Page 1954, 10.1093/biomet/41.1-2.100), one for each side and output,

::

    S ← max(0, S + beyond / sigma - 1/2),    alert where S > h or beyond > 6 sigma

The edges stand twice as far from the median as the 2.5 and 97.5 % members: about four spreads,
as a tenth of patients are outside a 90 % band without an event. The limit h makes one false alert
in 24 h of a patient who sits *on* an edge of every output (Siegmund 1985,
10.1007/978-1-4757-1862-1).
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isosoma.core.observation import Observation
from isosoma.scenario.prediction import Prediction

__all__ = ["Alert", "Watching", "limit", "watch"]

_DAY, _SIDES, _WIDER, _GROSS, _SLACK = 86400.0, 2, 2.0, 6.0, 0.5
_KEPT = 240
"""Readings of an output that wait for late ones; those before them are settled."""


@dataclass(frozen=True, slots=True)
class Alert:
    """The patient left the band: which output, since when it went [s], when that was sure [s]."""

    variable: str
    onset: float
    time: float
    gross: bool
    text: str


@dataclass(frozen=True, slots=True, order=True)
class _Reading:
    time: float
    value: float
    sigma: float


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """Readings so far, in order of their event time; the same set in any order is the same state.

    Attributes
    ----------
    every : time between two readings of an output [s], which sets the limit.
    """

    prediction: Prediction
    every: float = 5.0
    seen: Mapping[str, tuple[_Reading, ...]] = field(default_factory=dict[str, Any])


def limit(every: float, outputs: int) -> float:
    """Return h [sigma] with one false alert in 24 h, of all outputs and both sides together.

    Average run length on the edge: ``2 (exp(b) - b - 1)``, ``b = h + 1.166`` at a slack of 1/2.
    """
    wanted = _SIDES * outputs * _DAY / every
    b = math.log(wanted / 2.0 + 1.0)
    for _ in range(20):  # a contraction: its slope is below 1 / b
        b = math.log(wanted / 2.0 + 1.0 + b)
    return b - 1.166


def watch(state: Watching, observation: Observation) -> tuple[Watching, Alert | None]:
    """Return the state with one more reading, and an alert where that reading brings one.

    Readings of other outputs, of other times and without known noise change nothing; so does one
    that is there already, or later than the last 240 of its output.
    """
    t = (observation.at - state.prediction.at) / 1e9
    name, new = observation.variable, _Reading(t, observation.value, observation.sigma)
    before = state.seen.get(name, ())
    known = name in state.prediction.values and 0.0 <= t <= state.prediction.times[-1]
    if not known or not 0.0 < new.sigma < math.inf or not math.isfinite(new.value) or new in before:
        return state, None
    after = list(before)
    insort(after, new)
    kept = tuple(after[-_KEPT:])
    later = replace(state, seen={**state.seen, name: kept})
    was, now = _alert(state, name, before), _alert(later, name, kept)
    return later, now if was is None else None


def _alert(state: Watching, name: str, readings: tuple[_Reading, ...]) -> Alert | None:
    """Return the first alert of an output, by event time."""
    if not readings:
        return None
    h = limit(state.every, len(state.prediction.values))
    times = np.array([r.time for r in readings])
    columns = [np.interp(times, state.prediction.times, q)
               for q in state.prediction.values[name].T[[0, 9, 10, -1]]]  # fmt: skip
    middle = (columns[1] + columns[2]) / 2.0
    found = list[Alert]()
    for sign, edge in ((-1.0, columns[0]), (1.0, columns[3])):
        far = middle + _WIDER * (edge - middle)
        beyond = [sign * (r.value - f) / r.sigma for r, f in zip(readings, far, strict=True)]
        crossing = _crossed(beyond, h)
        if crossing is not None:
            begun, at, gross = crossing
            word = "below" if sign < 0 else "above"
            text = f"{name.replace('_', ' ')} is {word} what was predicted"
            found.append(Alert(name, float(times[begun]), float(times[at]), gross, text))
    return min(found, key=lambda a: a.time, default=None)


def _crossed(beyond: list[float], h: float) -> tuple[int, int, bool] | None:
    """Return where the sum last began to rise, where it crossed, and whether at once."""
    total, begun = 0.0, 0
    for i, one in enumerate(beyond):
        if total == 0.0:
            begun = i
        total = max(0.0, total + one - _SLACK)
        if one > _GROSS or total > h:
            return begun, i, one > _GROSS
    return None
