"""Whether an answer still speaks for the patient, and if not, what of its basis has changed.

New numbers of a monitor do not make an answer stale as long as they tell of the same state.
It is stale once one of these holds, looked for in this order:

- it was edited; a reading came that moves the belief (an echo, images, a laboratory value, a
  corrected contour, a first central venous pressure), or one of those it rests on counts no longer;
  body, diagnoses or the release are others;
- a monitored level left the state that it was computed from, for longer than what is ordinary;
- the plan that was signed in it is over, or `LIMIT` has passed.

While a signed plan runs, the patient is meant to leave that state: the watch speaks for it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from isosoma.core.observation import Observation
from isosoma.scenario.basis import (
    LEVELS,
    SPAN,
    Basis,
    Level,
    Present,
    Rare,
    rare_of,
)
from isosoma.scenario.prediction import Prediction
from isosoma.scenario.watching import ORDINARY, SPANS
from isosoma.twin.fold import stale_after

__all__ = ["LIMIT", "STAYED", "Stale", "departed", "said", "staleness"]

Clock = Callable[[int], str]
Kind = Literal["unknown", "read", "gone", "described", "release", "left", "over", "aged"]

LIMIT = round(stale_after("mean_arterial_pressure") * 1e9)
"""Age of an answer from which it is stale whatever was read [ns]: 30 min, for which a pressure
speaks for now (`twin.fold.STALE`) and beyond which the bedside foresees nothing."""
STAYED = {3.0: 300 * 10**9, math.sqrt(SPANS[max(SPANS)]): 100 * 10**9}
"""Spreads of what is ordinary by which a level must be outside, and how long [ns]: five minutes, or
half of `SPAN` where it is as far as the watch over a plan cries of. Of 40 quiet patients none was
marked within half an hour by a monitor's numbers each 30 s; the 90 % interval alone, for two
minutes, marked 26 (docs/rehearse.md)."""
_BACK = 300 * 10**9
"""How long a level must be inside again to have gone back [ns]."""
_TODO = "rehearse again before you rely on it"
_CALLED = {"mean_arterial_pressure": "mean pressure"}
_FEW = 3
"""Readings that are named one by one."""


@dataclass(frozen=True, slots=True)
class Stale:
    """What changed.

    Attributes
    ----------
    what, rest : a clause about it, before and after the time.
    at : since when, or when [ns]; 0 where nobody knows. till : where it has gone back since [ns].
    """

    kind: Kind
    what: str
    at: int = 0
    till: int = 0
    rest: str = ""


def said(stale: Stale | None, clock: Clock) -> str:
    """Return the sentence; empty where an answer still speaks. `clock` writes an instant [ns]."""
    if stale is None:
        return ""
    when = ""
    if stale.till:
        when = f", from {clock(stale.at)} to {clock(stale.till)}"
    elif stale.at:
        when = f" {'since' if stale.kind in ('left', 'over') else 'at'} {clock(stale.at)}"
    return f"{stale.what}{when}{stale.rest}; {_TODO}"


def staleness(
    basis: Basis | None, present: Present | None, now: int, plan: Prediction | None = None
) -> Stale | None:
    """Return why an answer no longer speaks for a patient at `now` [ns]; None where it does.

    Parameters
    ----------
    basis : what it rests on; None where that was not kept.
    present : what the twin rests on now; None while it is being built: then only age tells.
    plan : what was signed in it.
    """
    if basis is None:
        what = "what this was computed from was not kept with it, and data came since"
        return Stale("unknown", what)
    found = None if present is None else _rebuilt(basis, present)
    if found is not None:
        return found
    if plan is not None and plan.begun:
        over = plan.at + round(float(plan.times[-1]) * 1e9)
        return Stale("over", "the plan that was signed here is over", over) if now > over else None
    if present is not None:
        found = departed(basis, present.readings)
    if found is None and now - basis.at > LIMIT:
        rest = f", more than {LIMIT // 60_000_000_000} min ago"
        found = Stale("aged", "this is of the patient as they were", basis.at, rest=rest)
    return found


def _rebuilt(basis: Basis, present: Present) -> Stale | None:
    """Return what of that which a twin is folded from, streams aside, is another than it was."""
    before = {r.identity for r in basis.rare}
    now = rare_of(present, basis.streamed)
    new = [r for r in now if r.identity not in before]
    if new:
        come = min(r.received or r.at for r in new)
        return Stale("read", f"{_listed(new)} came", come, rest=", which this does not rest on")
    after = {r.identity for r in now}
    gone = [r for r in basis.rare if r.identity not in after]
    if gone:
        what = f"{_listed(gone)}, on which this rests, counts no longer: withdrawn or read anew"
        return Stale("gone", what)
    if present.described != basis.described:
        return Stale("described", "what is known of the patient's body or diagnoses was changed")
    if present.release != basis.release:
        return Stale("release", "the model or its tables were changed since")
    return None


def _listed(readings: Iterable[Rare]) -> str:
    """Return readings in words, by what read them, the first few by name."""
    rows = list(readings)
    names = list(dict.fromkeys(_called(r.variable) for r in rows))
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    devices = " and ".join(dict.fromkeys(r.device for r in rows if r.device))
    of = f" ({devices})" if devices else ""
    return f"{', '.join(names[:_FEW])}{more}{of}"


def _called(name: str) -> str:
    return _CALLED.get(name, name.replace("_", " "))


def departed(basis: Basis, readings: Mapping[str, Sequence[Observation]]) -> Stale | None:
    """Return the first monitored level that stayed outside of the state an answer began from.

    A level is the median of `SPAN`; it is outside where that lies beyond the 90 % of the members,
    widened in squares by what is ordinary at a bed and by the noise of the readings (`STAYED`).
    Whoever was beyond it already when it was computed has not left it. One that went back is told
    of, too: what took them there happened to the patient.
    """
    found = list[Stale | None]()
    for name in LEVELS:
        if name in basis.levels and name in readings:
            rows, ats = readings[name], [o.at for o in readings[name]]
            first = bisect_right(ats, basis.until - SPAN)
            last = bisect_right(ats, basis.at + LIMIT)
            near = _Near(name, basis.levels[name], basis.until, rows[first:last], ats[first:last])
            found += [_left(near, far, stay) for far, stay in STAYED.items()]
    return min((f for f in found if f is not None), key=lambda f: f.at, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """Readings of one level about an answer, in order of time, and when they were [ns]."""

    name: str
    level: Level
    until: int
    rows: Sequence[Observation]
    ats: Sequence[int]

    def recent(self, last: int) -> Sequence[Observation]:
        """Return the readings that make the level at one of them."""
        return self.rows[bisect_right(self.ats, self.ats[last] - SPAN) : last + 1]


def _left(near: _Near, far: float, stay: int) -> Stale | None:
    """Return the first stay outside by so many spreads and for so long [ns]."""
    sign, began, looks = 0.0, 0, 0
    for last in range(bisect_right(near.ats, near.until), len(near.rows)):
        recent = near.recent(last)
        side = _side(near, recent, far)
        if side == 0.0 or side != sign:
            sign, looks = side, 0
            outside = (o.at for o in recent if _side(near, [o], far) == side)
            began = next(outside, near.ats[last])
        looks += 1
        if sign != 0.0 and looks > 1 and near.ats[last] - began >= stay:
            back, word = _back(near, last, sign, far), "below" if sign < 0.0 else "above"
            what = f"{_called(near.name)} {'was' if back else 'has been'} {word}"
            return Stale("left", f"{what} what this was computed from", began, back)
    return None


def _back(near: _Near, first: int, sign: float, far: float) -> int:
    """Return when a level that was outside came back to stay [ns]; 0 where it has not."""
    inside = 0
    for last in range(first, len(near.rows)):
        if _side(near, near.recent(last), far) == sign:
            inside = 0
        else:
            inside = inside or near.ats[last]
            if near.ats[last] - inside >= _BACK:
                return inside
    return 0


def _side(near: _Near, recent: Sequence[Observation], far: float) -> float:
    """Return where readings lie: -1 below what an answer was computed from, 1 above, 0 inside."""
    level, middle = near.level, median([o.value for o in recent])
    noise = math.pi / 2.0 * max(o.sigma for o in recent) ** 2 / len(recent)
    wide = far * math.sqrt(ORDINARY[near.name] ** 2 + noise)
    read = level.median if level.read is None else level.read
    if middle < level.median - math.hypot(level.median - min(level.low, read), wide):
        return -1.0
    return float(middle > level.median + math.hypot(max(level.high, read) - level.median, wide))
