"""What a twin may learn from an arterial line: means over an interval, its level not in doubt.

A line tells its numbers every few seconds. Each of them is one moment of a breath, and all of them
share the height of the transducer: the filter knows that height as a state of its own, slow to
change. A step that may be a moved transducer is waited for; what is told once one has been found
teaches nothing until it is moved back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.quality import Finding
from isosoma.quality.cuff import DIA, MAP, SYS, is_line
from isosoma.quality.levelling import stepped

__all__ = ["Line", "heard", "means_of"]

EVERY, _LONGEST = 30 * 10**9, 60 * 10**9  # [ns] of an interval, and while its level is in doubt
_FAR = 0.1
"""Share by which mean pressure leaves the last interval's, from which an interval ends early."""
_SIGMA = to_si(3.0, "mm[Hg]")
"""Noise of an interval's mean against a patient at rest, as the model has them (unverified)."""
_STILL = to_si(5.0, "mm[Hg]")  # least pulse pressure of a heart that pumps (unverified)
_LOOK = 6  # instants in which a step is looked for

_Source = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """What waits of every line, by instant, and the mean that its last interval taught.

    Attributes
    ----------
    waiting : numbers of the interval that has begun. before : the instants before them.
    taught : by (device, channel): instant [ns] and mean pressure [Pa].
    """

    waiting: tuple[Observation, ...] = ()
    before: tuple[Observation, ...] = ()
    taught: Mapping[_Source, tuple[int, float]] = field(
        default_factory=dict[_Source, tuple[int, float]]
    )


def heard(
    line: Line, found: Iterable[Observation], faults: Sequence[Finding] = ()
) -> tuple[Line, list[Observation]]:
    """Return the line after what was read, and the means that may be learnt from."""
    waiting = sorted((*line.waiting, *(o for o in found if is_line(o))), key=_source)
    kept, out, taught = list[Observation](), list[Observation](), dict(line.taught)
    for source, each in groupby(waiting, key=_source):
        group = sorted(each, key=lambda o: o.at)
        if any(f.kind == "levelling" and f.device in ("", source[0]) for f in faults):
            continue
        said = _ended(group, [o for o in line.before if _source(o) == source], taught.get(source))
        if said is None:
            kept += group
            continue
        out += said if _pulse(said) else []
        mean = next((o.value for o in said if o.variable == MAP), math.nan)
        taught[source] = (group[-1].at, mean)
    gone = [o for o in waiting if o not in kept]
    return Line(tuple(kept), _last(line.before, gone), taught), out


def means_of(readings: Iterable[Observation]) -> list[Observation]:
    """Return the means of all intervals of readings that are there already."""
    line, out = Line(), list[Observation]()
    for _, each in groupby(sorted(readings, key=lambda o: o.at), key=lambda o: o.at):
        line, said = heard(line, each)
        out += said
    return out


def _source(o: Observation) -> _Source:
    return o.device, o.channel


def _pulse(said: Sequence[Observation]) -> bool:
    """Whether a pulse was measured: the model has no circulation that stands still."""
    of = {o.variable: o.value for o in said}
    return of.get(SYS, math.inf) - of.get(DIA, 0.0) > _STILL


def _last(before: Iterable[Observation], gone: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return the readings of each line's last instants."""
    out = list[Observation]()
    for _, each in groupby(sorted((*before, *gone), key=_source), key=_source):
        group = list(each)
        ats = sorted({o.at for o in group})[-_LOOK:]
        out += [o for o in group if o.at >= ats[0]]
    return tuple(out)


def _ended(
    group: list[Observation], before: list[Observation], taught: tuple[int, float] | None
) -> list[Observation] | None:
    """Return the means of an interval that has ended; None where it goes on."""
    now, first = group[-1].at, group[0].at
    newest = {o.variable: o.value for o in group if o.at == now}
    if now - first < _LONGEST and _in_doubt([*before, *group]):
        return None
    if taught is None:
        return _means(group)
    far = MAP in newest and abs(newest[MAP] / taught[1] - 1.0) > _FAR
    if far:  # what was read before the change speaks of another patient
        return _means([o for o in group if o.at == now])
    return _means(group) if now - taught[0] >= EVERY else None


def _in_doubt(readings: list[Observation]) -> bool:
    """Whether the newest numbers may be a moved transducer's."""
    by_at: dict[int, dict[str, float]] = {}
    for o in readings:
        by_at.setdefault(o.at, {})[o.variable] = o.value
    whole = [v for _, v in sorted(by_at.items()) if {SYS, DIA, MAP} <= v.keys()][-_LOOK:]
    return len(whole) > 1 and stepped([v[MAP] for v in whole], [v[SYS] - v[DIA] for v in whole])


def _means(group: list[Observation]) -> list[Observation]:
    """Return the mean of each number, with its noise, at the end of the interval."""
    out = list[Observation]()
    for name in (SYS, DIA, MAP):
        of = [o for o in group if o.variable == name]
        if not of:
            continue
        values = np.array([o.value for o in of])
        spread = float(values.std(ddof=1)) if len(of) > 1 else 0.0
        sigma = math.hypot(_SIGMA, of[-1].sigma, spread / math.sqrt(len(of)))
        said = f"{of[-1].origin}:mean of {len(of)}"
        out.append(replace(of[-1], value=float(values.mean()), sigma=sigma, origin=said))
    return out
