"""What a rule sees: one observation, its channel's past, and what was read beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from isosoma.core.observation import Observation, Verdict
from isosoma.quality.context import Context

__all__ = ["MMHG", "SECOND", "Rule", "Trace", "View", "agreed", "flags_of", "unusual"]

MMHG = 133.322387415  # [Pa], BIPM conventional millimetre of mercury
SECOND = 1_000_000_000  # [ns]
KEEP = 8  # readings remembered per channel: 35 min of a 5-min sensor


class Trace(NamedTuple):
    """Past of one channel; a tuple, since one is made for every reading.

    Attributes
    ----------
    recent : the newest ``(at [ns], value [SI])``, oldest first, at most eight.
    since : instant at which the present run of equal values began [ns].
    first : instant of the first reading ever seen [ns].
    """

    recent: tuple[tuple[int, float], ...]
    since: int
    first: int

    def extend(self, at: int, value: float) -> Trace:
        """Return the trace with one more reading."""
        same = self.recent[-1][1] == value
        return Trace(
            (*self.recent[1 - KEEP :], (at, value)), self.since if same else at, self.first
        )


class View(NamedTuple):
    """Surroundings of one observation.

    Attributes
    ----------
    trace : its channel's past, None at the first reading.
    beside : variable → value [SI] of the same device at the same instant.
    traces : variable → (device, channel) → past, for corroboration.
    """

    context: Context
    trace: Trace | None
    beside: Mapping[str, float]
    traces: Mapping[str, Mapping[tuple[str, str], Trace]]


Rule = Callable[[Observation, View], Verdict | None]
"""A rule returns None where it has nothing to say."""


def flags_of(origin: str) -> frozenset[str]:
    """Return the status flags behind the question mark of an origin.

    >>> sorted(flags_of("gatt:2A35?movement,irregular_pulse"))
    ['irregular_pulse', 'movement']
    """
    _, mark, tail = origin.partition("?")
    return frozenset(tail.replace("&", ",").split(",")) - {""} if mark else frozenset()


def agreed(obs: Observation, view: View, tolerance: float, within: float, *names: str) -> bool:
    """Whether an earlier reading agrees with this one.

    Parameters
    ----------
    tolerance : largest difference [SI].
    within : largest age [s].
    names : variables that measure the same; default the observation's own.
    """
    oldest = obs.at - int(within * SECOND)
    for name in names or (obs.variable,):
        beside = view.beside.get(name) if name != obs.variable else None
        if beside is not None and abs(beside - obs.value) <= tolerance:
            return True
        for trace in view.traces.get(name, {}).values():
            at, value = trace.recent[-1]
            if oldest <= at <= obs.at and abs(value - obs.value) <= tolerance:
                return True
    return False


def unusual(confirmed: bool, what: str, weight: float = 0.5) -> Verdict | None:
    """Return the verdict on an alarming value: believed as soon as a second reading agrees."""
    if confirmed:
        return None
    return Verdict(f"unusual: {what}; confirm by a second reading", weight)
