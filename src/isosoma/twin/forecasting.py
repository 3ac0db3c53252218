"""What a twin expects: intervals that widen with the age of the data, with and without acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import TimeError
from isosoma.core.intervention import Intervention
from isosoma.infer.track import forecast as moved
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.twin.course import Course, Running, follow
from isosoma.twin.fold import Twin
from isosoma.twin.starting import at_rest

__all__ = [
    "Forecast",
    "Range",
    "expected",
    "over_breath",
    "rehearsed",
    "spacing",
    "started",
]

Floats = npt.NDArray[np.float64]
SETTLING = 60.0
"""Time that members beat before an act, from a start near their rest [s]."""


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity [SI] with its median and the central 50 % and 90 % of the members."""

    median: float
    low: float
    high: float
    inner_low: float
    inner_high: float


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected at one instant.

    Attributes
    ----------
    at : instant [ns]. age : of the newest reading then [s].
    outputs : names, by column of `members` (N, p) [SI]; members that failed are left out.
    stale : age [s] of each variable whose newest reading no longer speaks for that instant.
    failed : members that failed.
    """

    at: int
    age: float
    outputs: tuple[str, ...]
    members: Floats
    stale: dict[str, float]
    failed: int

    def range_of(self, output: str) -> Range:
        """Return median and intervals of an output."""
        return _range(self.members[:, self.outputs.index(output)])


def _range(values: Floats) -> Range:
    low, inner_low, median, inner_high, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    return Range(float(median), float(low), float(high), float(inner_low), float(inner_high))


def expected(twin: Twin, at: int, outputs: Sequence[str] | None = None) -> Forecast:
    """Return what is expected at `at` [ns] if nothing is done.

    Unknowns wander on from the newest reading towards the prior, so that the older the data, the
    wider the intervals. Each member wanders both ways: chance correlation of where it is with where
    it goes would narrow some.

    Raises
    ------
    TimeError
        That instant lies before the newest reading.
    """
    names = tuple(outputs or twin.settings.outputs)
    z = np.concatenate([_at(twin, at, sign) for sign in (1.0, -1.0)])
    predict = physics.predictor(twin.subject.person, names, freed=twin.subject.freed)
    seen = predict(z, np.zeros(0))
    whole = np.all(np.isfinite(seen), axis=1)
    age = (at - twin.belief.at) * 1e-9
    return Forecast(at, age, names, seen[whole], twin.stale(at), int((~whole).sum()))


def _at(twin: Twin, at: int, sign: float = 1.0) -> Floats:
    """Return the members' unknowns (N, n) at `at`; with sign -1 each went the other way."""
    if at < twin.belief.at:
        raise TimeError(
            f"a forecast for {(twin.belief.at - at) * 1e-9:.0f} s before the newest reading",
            todo="Fold the log until then (--until) instead",
        )
    n = len(twin.settings.walks)
    went = np.ascontiguousarray(moved(twin.belief, at, twin.settings).z[:, :n])
    if sign > 0.0:
        return went
    tau, mean, _ = twin.settings.table[:n].T
    kept = mean + np.exp(-(at - twin.belief.at) * 1e-9 / tau) * (twin.belief.z[:, :n] - mean)
    return np.ascontiguousarray(2.0 * kept - went)


def believed(
    twin: Twin, at: int, members: int | None = None
) -> tuple[Floats, dict[str, Floats]]:  # fmt: skip
    """Return unknowns of the twin's members at `at` [ns]: coordinates (N, n), and (N,) each [SI].

    Parameters
    ----------
    members : how many, the first ones; all by default. Beyond the ensemble's own number come the
        same members gone the other way (`expected`).
    """
    z = _at(twin, at)
    if members is not None and members > len(z):
        z = np.concatenate([z, _at(twin, at, -1.0)])
    z = z[:members]
    sought = physics.unknowns(twin.subject.person, twin.subject.freed)
    return z, {p.name: p.prior.real(z[:, i]) for i, p in enumerate(sought)}


def started(
    twin: Twin, at: int, acts: Iterable[Intervention] = (), members: int | None = None
) -> Running:
    """Return the twin's members at rest at `at` [ns], ready for acts; time 0 is then.

    Parameters
    ----------
    acts : those that will be done; they decide on the step.
    members : how many, the first ones; all by default.
    """
    _, changed = believed(twin, at, members)
    return at_rest(twin.subject.person, changed, acts, seconds=SETTLING)


def spacing(person: Person, seconds: float, frames: int) -> float:
    """Return the time between about so many frames of a course [s]: whole breaths and a third.

    Three frames in a row then stand at thirds of a breath, and `over_breath` takes their mean.
    """
    breath = 1.0 / inputs_of(person)["breathing_frequency"]
    return breath * (round(seconds / frames / breath) + 1.0 / 3.0)


def over_breath(course: Course, name: str) -> Floats:
    """Return an output, shape (frames, members) [SI]: at each frame the mean of three about it."""
    rows = course.output(name)
    last = max(len(rows) - 3, 0)
    starts = (min(max(i - 1, 0), last) for i in range(len(rows)))
    return np.array([rows[i : i + 3].mean(axis=0) for i in starts])


def rehearsed(
    twin: Twin, at: int, acts: Iterable[Intervention], seconds: float, every: float = 10.0,
    members: int | None = 64, told: Callable[[float], Any] | None = None,
) -> Course:  # fmt: skip
    """Return what would follow from acts, member by member, frame by frame.

    The first frame comes `every` [s] after `at` [ns]; acts count from there, as in any rehearsal.
    `told` hears how far it is [s].
    """
    plan = tuple(acts)
    return follow(started(twin, at, plan, members), plan, seconds, every, told=told)
