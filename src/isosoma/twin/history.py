"""A twin over time: what was believed at each instant by the readings until then, and what will be.

Readings of the first hour are calibrated together, so that within it the belief at its end counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isosoma.core.observation import Observation, effective_sigma
from isosoma.infer.belief import Reading
from isosoma.twin.fold import Twin
from isosoma.twin.forecasting import Forecast, expected

__all__ = ["PAST", "Seen", "as_of", "instants", "over", "seen_of"]

PAST = 4.0
"""Times the horizon that is looked back, and further where the newest reading is older."""
_LOOKS = 32
"""Instants of the past, and a third of them of the future."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading as the filter took it.

    Attributes
    ----------
    sigma : standard uncertainty that it was taken with [SI]. taken : whether it taught anything.
    """

    observation: Observation
    sigma: float
    taken: bool


def seen_of(twin: Twin) -> tuple[Seen, ...]:
    """Return the readings that the fold looked at, in order of time."""
    refused = {
        d.observation for r in twin.timeline.reports for d in r.decisions if not d.taken
    }  # fmt: skip
    readings: Iterable[Reading] = (*twin.first, *twin.timeline.readings)
    out = [
        Seen(r.observation, effective_sigma(r.observation.sigma, r.verdict),
             r.observation not in refused)
        for r in readings
    ]  # fmt: skip
    return tuple(sorted(out, key=lambda s: s.observation.at))


def as_of(twin: Twin, at: int) -> Twin:
    """Return the twin as it stood at an instant [ns], before later readings came."""
    line = twin.timeline
    count = bisect_right([belief.at for belief, _ in line.checkpoints], at)
    readings = tuple(r for r in line.readings if r.observation.at <= at)
    kept, old = line.checkpoints[:count], tuple(r for r in line.old if r.at <= at)
    return replace(twin, timeline=replace(line, readings=readings, checkpoints=kept, old=old))


def instants(twin: Twin, now: int, horizon: float) -> list[int]:
    """Return when to look [ns]: back `PAST` horizons [s] or to the newest reading, and ahead.

    Instants at which a belief changed are among them, just before and after, where they are few.
    """
    ahead = round(horizon * 1e9)
    known = [s.observation.at for s in seen_of(twin)] or [now]
    since = max(known[0], min(known[-1] - ahead, now - round(PAST * ahead)))
    grid = [int(t) for t in np.linspace(since, now, _LOOKS)]
    grid += [int(t) for t in np.linspace(now, now + ahead, _LOOKS // 3 + 1)]
    changed = [b.at for b, _ in twin.timeline.checkpoints if since < b.at <= now]
    if len(changed) <= _LOOKS // 3:
        grid += [t for at in changed for t in (at - 1, at)]
    return sorted({*grid, now, now + ahead})


def over(
    twin: Twin, at: Iterable[int], told: Callable[[int], Any] | None = None
) -> Iterator[Forecast]:
    """Yield what was expected at each instant [ns] by the readings until then.

    Parameters
    ----------
    told : hears how many are done.
    """
    made = dict[int, Forecast]()
    for count, t in enumerate(at, 1):
        stood = as_of(twin, t)
        when = max(t, stood.belief.at)
        if when not in made:
            made[when] = expected(stood, when)
        yield replace(made[when], at=t)
        if told is not None:
            told(count)
