"""A watch over a locked prediction: has the patient left what was said of them?

It looks at the median of the last 45 s and of the last 200 s of each output, which an artefact of
less than half that time does not move: a flush, a cough, a cuff on the oximeter's arm. What a
patient is beyond the prediction, less what of it was so in the first two minutes, is compared with
what is ordinary (posture, talking, a little fluid, a table that is moved) and with what the
prediction leaves open, as Hotelling's statistic (Hotelling 1931, 10.1214/aoms/1177732979)

::

    T2 = e' C^-1 e

of all devices but one, whichever says most: no single device can cry *patient*. One device alone is
told of by the longer median, as *device*; from then on the others are listened to.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.scenario.prediction import Prediction

__all__ = ["DEVICES", "ORDINARY", "SPANS", "Alert", "Watching", "watch"]

Floats = npt.NDArray[np.float64]

DEVICES = {
    "mean_arterial_pressure": "arterial line", "systolic_pressure": "arterial line",
    "diastolic_pressure": "arterial line", "heart_rate": "ECG", "oxygen_saturation": "oximeter",
    "central_venous_pressure": "venous line",
}  # fmt: skip
"""What measures each output; outputs of one device fail together."""
ORDINARY = {
    "mean_arterial_pressure": to_si(2.6, "mm[Hg]"), "systolic_pressure": to_si(3.0, "mm[Hg]"),
    "diastolic_pressure": to_si(2.4, "mm[Hg]"), "heart_rate": to_si(2.0, "/min"),
    "oxygen_saturation": 0.006, "central_venous_pressure": to_si(1.0, "mm[Hg]"),
}  # fmt: skip
"""Spread of an adult's output about its level when nothing is wrong (chosen here, unverified)."""
_TOGETHER = 0.85
"""Correlation of what is ordinary between outputs of one device."""
_LEARNT = 120.0
"""Time in which a patient's own level is learnt [s]."""
SPANS = {45.0: 21.0, 200.0: 15.0}
"""Length of a median [s], and the T2 of all devices but one from which it tells of the patient."""
_ALONE = 45.0
"""T2 of one device over the longer median from which it tells of the device."""
_LEAST = 3
"""Readings without which there is no median."""
_EVERY = 5.0
"""Time between two looks [s]."""


@dataclass(frozen=True, slots=True)
class Alert:
    """The patient left the prediction, or a device did.

    Attributes
    ----------
    kind : patient where more than one device says so. variable : the output that is farthest off.
    onset : since when it went [s]. time : when that was sure [s].
    """

    kind: Literal["patient", "device"]
    variable: str
    onset: float
    time: float
    text: str


class _Reading(NamedTuple):
    time: float
    value: float
    sigma: float


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """Readings so far, in order of their event time; the same set in any order is the same `seen`.

    Attributes
    ----------
    looked : time of the last look [s]. alert : what was told last; of the patient it is told once.
    deaf : devices that were told of: their readings are kept, and tell of nothing more.
    """

    prediction: Prediction
    seen: Mapping[str, tuple[_Reading, ...]] = field(default_factory=dict[str, Any])
    looked: float = -math.inf
    alert: Alert | None = None
    deaf: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _Off:
    """How far outputs are off [SI], (p,), and the covariance of what is ordinary, (p, p)."""

    names: tuple[str, ...]
    values: Floats
    covariance: Floats

    @property
    def devices(self) -> tuple[str, ...]:
        """Return the devices that measure them."""
        return tuple(dict.fromkeys(DEVICES[n] for n in self.names))

    @property
    def squared(self) -> float:
        """Return T2."""
        return float(self.values @ np.linalg.solve(self.covariance, self.values))

    def only(self, device: str) -> _Off:
        """Return what one device says."""
        return self._part([i for i, n in enumerate(self.names) if DEVICES[n] == device])

    def without(self, device: str) -> _Off:
        """Return what the other devices say."""
        return self._part([i for i, n in enumerate(self.names) if DEVICES[n] != device])

    def _part(self, kept: list[int]) -> _Off:
        names = tuple(self.names[i] for i in kept)
        return _Off(names, self.values[kept], self.covariance[np.ix_(kept, kept)])


def watch(state: Watching, observation: Observation) -> tuple[Watching, Alert | None]:
    """Return the state with one more reading, and the alert where that reading brings it.

    Readings of other outputs, of other times and without known noise change nothing; so does one
    that is there already. A late one counts in the medians of the next look.
    """
    t = (observation.at - state.prediction.at) / 1e9
    name, new = observation.variable, _Reading(t, observation.value, observation.sigma)
    before = state.seen.get(name, ())
    known = name in DEVICES and name in state.prediction.values
    timely = 0.0 <= t <= state.prediction.times[-1]
    sound = 0.0 < new.sigma < math.inf and math.isfinite(new.value)
    if not (known and timely and sound) or new in before[bisect_left(before, new) :][:1]:
        return state, None
    after = list(before)
    insort(after, new)
    later = replace(state, seen={**state.seen, name: tuple(after)})
    left = state.alert is not None and state.alert.kind == "patient"
    if left or t < state.looked + _EVERY:
        return later, None
    later, alert = replace(later, looked=t), _alert(later, t)
    if alert is None:
        return later, None
    new = {DEVICES[alert.variable]} if alert.kind == "device" else set[str]()
    return replace(later, alert=alert, deaf=later.deaf | new), alert


def _between(rows: tuple[_Reading, ...], first: float, last: float) -> tuple[_Reading, ...]:
    low = bisect_left(rows, _Reading(first, -math.inf, 0.0))
    return rows[low : bisect_right(rows, _Reading(last, math.inf, math.inf))]


def _alert(state: Watching, t: float) -> Alert | None:
    """Return what the readings up to `t` tell."""
    off = _Off((), np.empty(0), np.empty((0, 0)))
    for span, limit in SPANS.items():
        if t < span:  # a median of little time is no shield against artefacts
            return None
        off = _off(state, t, span)
        # T2 of some is never above that of all, which is looked at first.
        if off.squared > limit and min(off.without(d).squared for d in off.devices) > limit:
            return _told(state, "patient", off, t)
    if off.squared > _ALONE:
        for one in (off.only(d) for d in off.devices):
            if one.squared > _ALONE:
                return _told(state, "device", one, t)
    return None


def _off(state: Watching, t: float, span: float) -> _Off:
    """Return how far the medians of the last `span` [s] are off at `t`, of what was read."""
    said, rows = _said(state.prediction), list[tuple[str, float, float, float]]()
    heard = {n: v for n, v in state.seen.items() if DEVICES[n] not in state.deaf}
    for name, seen in heard.items():
        recent = _between(seen, t - span, t)
        if len(recent) < _LEAST:
            continue
        middle, wide = said.at(name, t)
        level, doubt = _level(said, name, _between(seen, 0.0, min(t, _LEARNT)))
        # What the prediction's spread gained or lost since time 0 is open, whatever was learnt.
        spread = ORDINARY[name] ** 2 + doubt + abs(wide**2 - said.at(name, 0.0)[1] ** 2)
        noise = _variance(recent)
        rows.append((name, _median(recent) - middle - level, math.sqrt(spread), noise))
    names = tuple(r[0] for r in rows)
    values, spreads, noise = np.array([r[1:] for r in rows]).reshape(-1, 3).T
    together = np.array([[_together(a, b) for b in names] for a in names])
    together = together.reshape(len(names), len(names))
    return _Off(names, values, together * np.outer(spreads, spreads) + np.diag(noise))


def _together(first: str, second: str) -> float:
    """Return how outputs vary together in what is ordinary."""
    return 1.0 if first == second else _TOGETHER * (DEVICES[first] == DEVICES[second])


def _level(said: _Said, name: str, own: tuple[_Reading, ...]) -> tuple[float, float]:
    """Return a patient's own level beyond the prediction, and the variance of what is left open.

    The prediction's spread is what is known before; first readings are as good as their noise and
    what is ordinary allow.
    """
    first, wide = said.at(name, 0.0)
    if not own:
        return 0.0, wide**2
    doubt = ORDINARY[name] ** 2 + _variance(own)
    learnt = wide**2 / (wide**2 + doubt)
    return learnt * (_median(own) - first), learnt * doubt


def _median(rows: tuple[_Reading, ...]) -> float:
    values = sorted(r.value for r in rows)
    return (values[len(values) // 2] + values[(len(values) - 1) // 2]) / 2.0


def _variance(rows: tuple[_Reading, ...]) -> float:
    """Return the variance of the median of normal readings."""
    return math.pi / 2.0 * max(r.sigma for r in rows) ** 2 / len(rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """Median and spread of each output [SI] at times [s]."""

    times: list[float]
    rows: Mapping[str, list[tuple[float, float]]]

    def at(self, name: str, t: float) -> tuple[float, float]:
        """Return median and spread at `t` [s], between frames in proportion."""
        k = min(max(bisect_right(self.times, t), 1), len(self.times) - 1)
        (a, b), (c, d) = self.rows[name][k - 1 : k + 1]
        share = (t - self.times[k - 1]) / (self.times[k] - self.times[k - 1])
        share = min(max(share, 0.0), 1.0)
        return a + share * (c - a), b + share * (d - b)


@lru_cache(maxsize=16)
def _said(prediction: Prediction) -> _Said:
    made = {
        n: list(zip(np.median(q, axis=1).tolist(), q.std(axis=1).tolist(), strict=True))
        for n, q in prediction.values.items()
    }
    return _Said(prediction.times.tolist(), made)


def _told(state: Watching, kind: Literal["patient", "device"], off: _Off, t: float) -> Alert:
    """Return the alert of the output that is farthest off, and since when it went."""
    far = off.values / np.sqrt(np.diag(off.covariance))
    k = int(np.argmax(np.abs(far)))
    name, sign = off.names[k], math.copysign(1.0, far[k])
    word = "below" if sign < 0.0 else "above"
    who = "" if kind == "patient" else f"{DEVICES[name]} alone: "
    text = f"{who}{name.replace('_', ' ')} is {word} what was predicted"
    return Alert(kind, name, _onset(state, name, sign, t), t, text)


def _onset(state: Watching, name: str, sign: float, t: float) -> float:
    """Return since when readings of an output lie beyond its own level, for the last time [s].

    A CUSUM with a slack of one spread (Page 1954, 10.1093/biomet/41.1-2.100), bounded so that a
    single reading does not count for much.
    """
    said, rows = _said(state.prediction), _between(state.seen[name], 0.0, t)
    level = _median(_between(rows, 0.0, min(t, _LEARNT))) - said.at(name, 0.0)[0]
    total, onset = 0.0, t
    for r in rows:
        off = sign * (r.value - said.at(name, r.time)[0] - level)
        off /= math.hypot(r.sigma, ORDINARY[name])
        if total == 0.0:
            onset = r.time
        total = max(0.0, total + min(off, 3.0) - 0.5)
    return onset if total > 0.0 else t
