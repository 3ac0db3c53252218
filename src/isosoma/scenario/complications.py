"""Which members meet which complication, when first, and how far it went.

The rules are those of alarms (`signals.events`), a delay before and hysteresis after, at a level
that is each member's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.organs.circulation.body import Person
from isosoma.physics.network import Graph
from isosoma.scenario.complication_table import Ages, Predicate, Table, Term
from isosoma.scenario.measures import Bundle, measure
from isosoma.scenario.playing import Played
from isosoma.scenario.rehearsal import Physiology
from isosoma.signals.events import Rule, events_start, events_tick

__all__ = ["Finding", "find", "found_in", "levels", "physiology_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LAST = 60.0
"""Time whose mean a predicate about the end looks at [s]."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One complication in one option; arrays of shape (N,).

    Attributes
    ----------
    raised : who met it. first : when it had held for its delay [s]; NaN where it never did.
    level : from which on [SI of the measure]. worst : the measure's farthest value.
    before : whose baseline was beyond the level already: nothing that was done brought it.
    """

    predicate: Predicate
    raised: Bools
    first: Floats
    level: Floats
    worst: Floats
    before: Bools


def physiology_of(graph: Graph) -> Physiology:
    """Return how a graph joins the two circulations."""
    edges = {e.name: e for e in graph.edges}
    if not any(n.name == "rv" for n in graph.nodes):
        return "fontan"
    if edges["cava_superior"].down == "pa":
        return "glenn"
    if "bt_shunt" in edges or "sano" in edges:
        return "norwood"
    return "shunt" if {"vsd", "asd", "pda"} & set(edges) else "biventricular"


def levels(
    predicate: Predicate, table: Table, person: Person, physiology: str, baseline: Floats
) -> Floats:
    """Return from which value on a complication counts, (N,) [SI of its measure].

    Parameters
    ----------
    baseline : the measure before the first act, (N,).
    """
    terms = predicate.inside.get(physiology, predicate.level)
    found = np.array([_level(t, table.ages.get(t.table), person, baseline) for t in terms])
    return np.max(found, axis=0) if predicate.highest else np.min(found, axis=0)


def _level(term: Term, ages: Ages | None, person: Person, baseline: Floats) -> Floats:
    match term.kind:
        case "fixed":
            value = np.full_like(baseline, term.value)
        case "age":
            assert ages is not None  # noqa: S101 - the reader of the table looked
            at = float(np.interp(np.sqrt(person.age), np.sqrt(ages.ages), ages.limits))
            value = np.full_like(baseline, at)
        case "share":
            value = term.value * baseline
        case "offset":
            value = baseline + term.value
    return value


def find(played: Played, table: Table) -> tuple[tuple[Finding, ...], ...]:
    """Return for each option what its members met, in the order of the table."""
    person = played.ensemble.person
    out = list[tuple[Finding, ...]]()
    for outputs, graph in zip(played.outputs, played.graphs, strict=True):
        # What an option makes of the patient counts for it: after a Glenn, a Glenn's limits.
        physiology = played.rehearsal.physiology or physiology_of(graph)
        out.append(found_in(played.times, outputs, played.baseline, person, physiology, table))
    return tuple(out)


def found_in(
    times: Floats, outputs: Bundle, baseline: Bundle, person: Person, physiology: str, table: Table
) -> tuple[Finding, ...]:
    """Return what members met in one course.

    Parameters
    ----------
    times : (frames,) [s]. outputs : (frames, N) each [SI]. baseline : (N,) each [SI].
    """
    fitting = [p for p in table.predicates if not p.only or physiology in p.only]
    seen = [measure(p.measure, outputs, person) for p in fitting]
    rest = [measure(p.measure, baseline, person) for p in fitting]
    beyond = [levels(p, table, person, physiology, r) for p, r in zip(fitting, rest, strict=True)]
    firsts = _firsts(fitting, times, seen, beyond)
    return tuple(map(_found, fitting, seen, rest, beyond, firsts, [times] * len(fitting)))


def _found(
    predicate: Predicate, values: Floats, rest: Floats, level: Floats, first: Floats, times: Floats
) -> Finding:
    sign = 1.0 if predicate.above else -1.0
    before = sign * (rest - level) > 0.0
    if not predicate.at_end:
        worst = sign * np.fmax.reduce(sign * values, axis=0)
        if predicate.fatal:
            first = np.fmin(first, _end(times, sign * (values - level)))
        return Finding(predicate, np.isfinite(first), first, level, worst, before)
    end = values[times > times[-1] - LAST].mean(axis=0)
    raised = sign * (end - level) > 0.0
    return Finding(predicate, raised, np.where(raised, times[-1], np.nan), level, end, before)


def _end(times: Floats, excess: Floats) -> Floats:
    """Return when members that end before the others, beyond a fatal level, end; else NaN, (N,)."""
    lived = np.isfinite(excess).sum(axis=0)
    last = np.maximum(lived - 1, 0)
    beyond = (lived < len(times)) & (excess[last, np.arange(excess.shape[1])] > 0.0)
    return np.where(beyond, times[last], np.nan)


def _firsts(
    predicates: Sequence[Predicate], times: Floats, seen: Sequence[Floats], beyond: Sequence[Floats]
) -> Floats:
    """Return when members first met each predicate, (predicates, N) [s]; NaN for never.

    The rules look at how far a measure is beyond its level, as a share of the level.
    """
    names = [p.name for p in predicates]
    rules = [
        Rule(p.name, p.name, 0.0, -p.clear, True, p.delay, p.clear_delay) for p in predicates
    ]  # fmt: skip
    excess = np.array([
        (1.0 if p.above else -1.0) * (v - level) / np.abs(level)
        for p, v, level in zip(predicates, seen, beyond, strict=True)
    ])  # fmt: skip
    members = excess.shape[2]
    state = events_start(members, rules, names)
    first = np.full((members, len(rules)), np.nan)
    for i, now in enumerate(times):
        events = events_tick(state, excess[:, i].T, float(now))
        patient, rule = events.patient[events.raised], events.rule[events.raised]
        first[patient, rule] = np.fmin(first[patient, rule], now)
    return first.T
