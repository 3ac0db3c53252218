"""Late readings in their place: checkpoints, roll-back, and a replay that gives the same bits.

Events are ordered by (event time, device, channel, seq); those of one instant are assimilated
together. Arrival order, repeats and delays leave no trace in the belief, because a late reading
rolls back to the newest checkpoint before it and everything after is folded again. A page that runs
for days keeps few of the old checkpoints (`thinned`): then a late reading costs more, and no bit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from isosoma.core.observation import Observation
from isosoma.infer.belief import Belief, Reading, Report, Settings
from isosoma.infer.emulator import Predict
from isosoma.infer.track import assimilate

__all__ = ["HORIZON", "Timeline", "absorb", "begin", "fold", "thinned"]

HORIZON = 172_800_000_000_000
"""48 h [ns]: how far back a late reading still changes the filter; later ones are for smoothers."""

_Order = tuple[int, str, str, int, str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Readings in event order and the beliefs after them.

    Attributes
    ----------
    origin : belief before all readings. readings : in order, each once.
    checkpoints : belief after each instant of `readings`, with what was reported.
    repeats : readings that came again. late : those older than the horizon when they came.
    old : reports, without members, of instants whose checkpoint was let go (`thinned`).
    """

    origin: Belief
    readings: tuple[Reading, ...] = ()
    checkpoints: tuple[tuple[Belief, Report], ...] = ()
    repeats: tuple[Reading, ...] = ()
    late: tuple[Reading, ...] = ()
    old: tuple[Report, ...] = ()

    @property
    def belief(self) -> Belief:
        """What is believed after the newest reading."""
        return self.checkpoints[-1][0] if self.checkpoints else self.origin

    @property
    def reports(self) -> tuple[Report, ...]:
        """What each instant's analysis did."""
        kept = tuple(report for _, report in self.checkpoints)
        return tuple(sorted((*self.old, *kept), key=lambda r: r.at)) if self.old else kept


def begin(origin: Belief) -> Timeline:
    """Return a timeline without readings."""
    return Timeline(origin)


def _order(reading: Reading) -> _Order:
    o = reading.observation
    return (o.at, o.device, o.channel, o.seq, o.variable, o.value)


def _identity(o: Observation) -> tuple[object, ...]:
    """Return what makes two deliveries one: (device, channel, seq), else content at an instant."""
    if o.seq >= 0:
        return (o.device, o.channel, o.seq, o.variable)
    return (o.device, o.channel, o.at, o.variable, o.value)


def _content(reading: Reading) -> tuple[object, ...]:
    """Return what ranks two versions of one reading, whatever came first."""
    o, verdict = reading.observation, reading.verdict
    return (_order(reading), o.sigma, o.bias, o.censoring, verdict.weight, verdict.reason)


def absorb(
    timeline: Timeline, arrived: Iterable[Reading], predict: Predict, settings: Settings
) -> Timeline:
    """Return the timeline with what `arrived`, in any order and however late.

    A reading that came before is kept in `repeats`. Where two versions of one reading differ, the
    smaller content counts, whichever came first. One older than `HORIZON` before the newest is kept
    in `late` and leaves the filter alone.
    """
    known = {_identity(r.observation): r for r in timeline.readings}
    newest = timeline.readings[-1].observation.at if timeline.readings else None
    repeats, late = list(timeline.repeats), list(timeline.late)
    dirty: list[int] = []
    for reading in arrived:
        at, name = reading.observation.at, _identity(reading.observation)
        if at < timeline.origin.at or (newest is not None and at < newest - HORIZON):
            late.append(reading)
            continue
        before = known.get(name)
        if before is not None:
            kept, other = sorted((before, reading), key=_content)
            repeats.append(other)
            if kept is before:
                continue
            dirty.append(before.observation.at)
        known[name] = reading
        dirty.append(at)
    if not dirty:
        return replace(timeline, repeats=tuple(repeats), late=tuple(late))
    readings = tuple(sorted(known.values(), key=_order))
    return _refold(
        replace(timeline, readings=readings, repeats=tuple(repeats), late=tuple(late)),
        min(dirty),
        predict,
        settings,
    )


def _refold(timeline: Timeline, since: int, predict: Predict, settings: Settings) -> Timeline:
    """Return the timeline with every instant from `since` [ns] folded again."""
    keep = bisect_left([belief.at for belief, _ in timeline.checkpoints], since)
    checkpoints = list(timeline.checkpoints[:keep])
    belief, done, old = timeline.origin, -1, timeline.old
    if checkpoints:
        belief, done = checkpoints[-1][0], checkpoints[-1][0].at
    first = bisect_right([r.observation.at for r in timeline.readings], done)
    checkpoints += fold(belief, timeline.readings[first:], predict, settings)
    old = tuple(r for r in old if r.at <= done)
    return replace(timeline, checkpoints=tuple(checkpoints), old=old)


def thinned(timeline: Timeline, dense: int, every: int) -> Timeline:
    """Return the timeline with all checkpoints of the last `dense` [ns], and few of those before.

    Before, the first of each `every` [ns] stays. No later belief changes by a bit: a late reading
    is folded from an earlier checkpoint. An older instant is told by the one kept before it.
    """
    if not timeline.checkpoints:
        return timeline
    since, slot = timeline.belief.at - dense, -1
    kept, old = list[tuple[Belief, Report]](), list(timeline.old)
    for belief, report in timeline.checkpoints:
        if belief.at >= since or belief.at // every != slot:
            kept.append((belief, report))
        else:
            none = np.zeros((0, report.predicted.shape[1]))
            old.append(replace(report, predicted=none, outputs=none))
        slot = belief.at // every
    return replace(timeline, checkpoints=tuple(kept), old=tuple(old))


def fold(
    belief: Belief, readings: Sequence[Reading], predict: Predict, settings: Settings
) -> list[tuple[Belief, Report]]:
    """Return belief and report after each instant of `readings`, which are in event order."""
    out: list[tuple[Belief, Report]] = []
    for at, group in groupby(readings, key=lambda r: r.observation.at):
        belief, report = assimilate(belief, at, tuple(group), predict, settings)
        out.append((belief, report))
    return out
