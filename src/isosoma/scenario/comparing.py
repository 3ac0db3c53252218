"""Options side by side: intervals, chances, paired differences, trade-offs, and regret.

Never one score alone: the ranking is by expected loss under stated preferences, says ties, and
stands beside every chance, the options that no other one betters in everything, and what choosing
wrong would cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from isosoma.scenario.chances import FOUND, jeffreys, mean_interval, paired
from isosoma.scenario.complications import Finding, find
from isosoma.scenario.losses import loss, lost, ranks
from isosoma.scenario.measures import measure
from isosoma.scenario.playing import Played
from isosoma.scenario.preferences import Preferences, Tables, check_named
from isosoma.scenario.valve_fit import obstruction

__all__ = [
    "SHOWN", "SPREAD", "Chance", "ChanceDifference", "Comparison", "Difference", "Judged", "Spread",
    "bands", "compare", "seen_at",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SHOWN = (
    "mean_arterial_pressure", "heart_rate", "cardiac_output", "oxygen_saturation",
    "left_atrial_pressure", "central_venous_pressure", "aortic_valve_mean_gradient",
)  # fmt: skip
"""Measures that are told of each option, at the end and at their worst."""
_WORST = {"mean_arterial_pressure": -1, "cardiac_output": -1, "oxygen_saturation": -1,
          "left_atrial_pressure": 1, "central_venous_pressure": 1}  # fmt: skip
"""Where the lowest (-1) or the highest (1) value of the course is told too."""
SPREAD = 0.90
"""Central part of the members that an interval of a measure holds."""
_LAST = 60.0


@dataclass(frozen=True, slots=True)
class Spread:
    """A measure over members [SI]: median, and the interval that holds 90 % of them."""

    measure: str
    when: str
    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a complication is: Jeffreys interval at 95 %.

    Attributes
    ----------
    count, members : who met it, of whom. first : median time of those [s], NaN for none.
    before : how many were beyond the level before the first act.
    """

    name: str
    count: int
    members: int
    low: float
    chance: float
    high: float
    first: float
    before: int

    @property
    def found(self) -> bool:
        """Return whether it is likely enough to be told as a finding."""
        return self.chance >= FOUND


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of the second option less that of the first, member by member [SI].

    Attributes
    ----------
    low, median, high : of the differences, 90 % of the members between.
    noise : whether it says nothing: its sign is open, or it is too small to count.
    why : in words, where it is noise.
    """

    first: str
    second: str
    measure: str
    when: str
    low: float
    median: float
    high: float
    noise: bool
    why: str


@dataclass(frozen=True, slots=True)
class ChanceDifference:
    """A chance of the second option less that of the first, by pairs of members, 95 %."""

    first: str
    second: str
    name: str
    low: float
    difference: float
    high: float

    @property
    def noise(self) -> bool:
        """Return whether its sign is open."""
        return self.low <= 0.0 <= self.high


@dataclass(frozen=True, slots=True)
class Judged:
    """One option.

    Attributes
    ----------
    rank : 1 is best by expected loss; those that the number of members cannot tell apart share it.
    loss : expected loss with its 95 % interval (low, mean, high).
    regret : expected loss above that of the best choice for each member, had one known.
    dominated : options that are better in some complication and worse in none, beyond noise.
    lost : members that the model lost alive: nobody knows their outcome, and they count nowhere.
    """

    name: str
    rank: int
    loss: tuple[float, float, float]
    regret: tuple[float, float, float]
    spreads: tuple[Spread, ...]
    chances: tuple[Chance, ...]
    dominated: tuple[str, ...]
    against: tuple[str, ...]
    lost: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is told of the options, in the order of the rehearsal."""

    question: str
    members: int
    options: tuple[Judged, ...]
    differences: tuple[Difference, ...]
    chance_differences: tuple[ChanceDifference, ...]

    @property
    def ranking(self) -> tuple[Judged, ...]:
        """Return the options by rank."""
        return tuple(sorted(self.options, key=lambda o: (o.rank, o.loss[1])))


def compare(played: Played, tables: Tables) -> Comparison:
    """Return what the members that no option lost tell of the options."""
    preferences = tables.preferences
    check_named(preferences, (p.name for p in tables.complications.predicates))
    found = find(played, tables.complications)
    gone = [lost(failed, row) for failed, row in zip(played.failed, found, strict=True)]
    whole = ~np.any(gone, axis=0)
    bad = [loss(row, preferences)[whole] for row in found]
    differences = tuple(_chance_differences(played, found, whole))
    places, least = ranks(bad), np.min(bad, axis=0)
    options = list[Judged]()
    for i, option in enumerate(played.rehearsal.options):
        options.append(Judged(
            option.name, places[i], mean_interval(bad[i]), mean_interval(bad[i] - least),
            _spreads(played, i, whole), tuple(_chance(f, whole) for f in found[i]),
            _dominated(option.name, [o.name for o in played.rehearsal.options], differences),
            (*option.against, *obstruction(played, i)), int(gone[i].sum()),
        ))  # fmt: skip
    told = tuple(_differences(played, whole, preferences))
    question = played.rehearsal.question
    return Comparison(question, int(whole.sum()), tuple(options), told, differences)


def _chance(finding: Finding, whole: Bools) -> Chance:
    raised, first = finding.raised[whole], finding.first[whole]
    count, members = int(raised.sum()), len(raised)
    low, high = jeffreys(count, members)
    when = float(np.median(first[raised])) if count else float("nan")
    chance = count / members if members else 0.0
    before = int(finding.before[whole].sum())
    return Chance(finding.predicate.name, count, members, low, chance, high, when, before)


def _chance_differences(
    played: Played, found: Sequence[Sequence[Finding]], whole: Bools
) -> Iterator[ChanceDifference]:
    names = [o.name for o in played.rehearsal.options]
    for i, j in combinations(range(len(names)), 2):
        second = {f.predicate.name: f for f in found[j]}
        for one in found[i]:
            name = one.predicate.name
            if name in second:
                pair = paired(one.raised[whole], second[name].raised[whole])
                yield ChanceDifference(names[i], names[j], name, *pair)


def _dominated(
    name: str, names: Sequence[str], differences: Sequence[ChanceDifference]
) -> tuple[str, ...]:
    """Return the options that are better than `name` somewhere and worse nowhere, beyond noise."""
    out = list[str]()
    for other in names:
        signs = [
            (d.difference > 0.0) == (d.first == name)  # whether the other one is worse here
            for d in differences
            if {d.first, d.second} == {name, other} and not d.noise
        ]
        if signs and not any(signs):
            out.append(other)
    return tuple(out)


def seen_at(played: Played, i: int, name: str, when: str) -> Floats:
    """Return a measure of option `i` at the end, or its lowest or highest, (N,) [SI].

    NaN at the end for a member that did not live so long.
    """
    values = measure(name, played.outputs[i], played.ensemble.person)
    if when == "end":
        return values[played.times > played.times[-1] - _LAST].mean(axis=0)
    return (np.fmax if when == "highest" else np.fmin).reduce(values, axis=0)


def _told() -> Iterator[tuple[str, str]]:
    for name in SHOWN:
        yield name, "end"
        if name in _WORST:
            yield name, "highest" if _WORST[name] > 0 else "lowest"


def _spreads(played: Played, i: int, whole: Bools) -> tuple[Spread, ...]:
    if not whole.any():
        return ()
    return tuple(
        Spread(name, when, *_interval(seen_at(played, i, name, when)[whole]))
        for name, when in _told()
    )


def _interval(values: Floats) -> tuple[float, float, float]:
    """Return low, median and high of the members that live; NaN where none does."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.nan, np.nan, np.nan
    low, median, high = np.quantile(known, [(1.0 - SPREAD) / 2.0, 0.5, (1.0 + SPREAD) / 2.0])
    return float(low), float(median), float(high)


def _differences(played: Played, whole: Bools, preferences: Preferences) -> Iterator[Difference]:
    if not whole.any():
        return
    names = [o.name for o in played.rehearsal.options]
    for i, j in combinations(range(len(names)), 2):
        for name, when in _told():
            change = (seen_at(played, j, name, when) - seen_at(played, i, name, when))[whole]
            low, median, high = _interval(change)
            why = _noise(low, median, high, preferences.differences.get(name, 0.0))
            yield Difference(names[i], names[j], name, when, low, median, high, bool(why), why)


def _noise(low: float, median: float, high: float, counts: float) -> str:
    if low == high == 0.0:
        return "no difference"
    if not (low > 0.0 or high < 0.0):  # NaN, where no pair lives, is noise as well
        return "within the noise: members do not agree on its sign"
    return "too small to count" if abs(median) < counts else ""


def bands(played: Played, option: str, name: str) -> Floats:
    """Return low, median and high of a measure over time, (frames, 3) [SI]; NaN: none lives."""
    i = [o.name for o in played.rehearsal.options].index(option)
    values = measure(name, played.outputs[i], played.ensemble.person)
    return np.array([_interval(row) for row in values])
