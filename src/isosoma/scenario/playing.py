"""Play every option with the same members from the same start, so that differences are paired.

::

    members ─┬─ 16 ─ settle ─┬─ option 1 ─┐
             │               ├─ option 2 ─┼─► first results
             │               └─ option 3 ─┘
             ├─ 48 ─ settle ─┬─ option 1 …       each box one task of a thread; kernels let go of
             └─ 64 ─ …       └─ …                the interpreter, so that both cores work

A member is a lane of its own: neither the number of threads nor the size of a part changes a bit.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import pairwise
from threading import Event

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import IsosomaError
from isosoma.core.intervention import Intervention
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import Act
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.organs.circulation.model import Circulation
from isosoma.physics.network import Graph
from isosoma.scenario.ensemble import Ensemble, begun, first_of, part, standing
from isosoma.scenario.rehearsal import Option, Rehearsal
from isosoma.twin.course import Running, frames

__all__ = ["Heard", "Played", "parts_of", "plans_of", "play", "played", "spacing"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bundle = Mapping[str, Floats]

_SPACINGS = np.arange(50, 24, -1) / 10.0
"""Times between two frames that are tried [s]: within the shortest delay of a complication."""
_RIPPLE = 0.2
"""Share of the breath's wave in a mean of three frames that is good enough."""
_FIRST = (16, 48)
_PART = 64
"""Members played together: few at first, for early results; then many, for less overhead."""


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What was seen of each option.

    Attributes
    ----------
    ensemble : the members played so far, the first ones of all.
    times : of the frames, (frames,) [s].
    baseline : outputs before the first act, (N,) each [SI].
    outputs : for each option, means over a breath, (frames, N) [SI]; NaN from the frame on in which
        a member failed.
    failed : for each option, (N,).
    graphs : topology at the end of each option.
    advice : what the model said of members that failed.
    """

    rehearsal: Rehearsal
    ensemble: Ensemble
    times: Floats
    baseline: Bundle
    outputs: tuple[Bundle, ...]
    failed: tuple[Bools, ...]
    graphs: tuple[Graph, ...]
    advice: tuple[str, ...] = ()

    @property
    def members(self) -> int:
        """Return how many members were played."""
        return len(self.failed[0])


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """How far the play is: work `done` of `total` [member s], and new results, where there are."""

    done: float
    total: float
    played: Played | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One option of one part of the members."""

    outputs: Bundle
    failed: Bools
    graph: Graph
    advice: tuple[str, ...]


_Start = tuple[Running, dict[str, Floats]]


def plans_of(
    rehearsal: Rehearsal, ensemble: Ensemble
) -> tuple[tuple[Intervention, ...], tuple[tuple[Intervention, ...], ...]]:
    """Return what was done before, and what each option does, as changes of this person."""
    standing_acts = tuple(s.act for s in rehearsal.before)
    before = interventions(standing_acts, ensemble.person)
    plans = [_plan(o, standing_acts, len(before), ensemble) for o in rehearsal.options]
    return before, tuple(plans)


def _plan(
    option: Option, before: tuple[Act, ...], skip: int, ensemble: Ensemble
) -> tuple[Intervention, ...]:
    """Return an option's changes; a ventilator that runs already keeps its settings."""
    try:
        whole = interventions((*before, *(s.act for s in option.steps)), ensemble.person)
    except IsosomaError as error:
        raise error.at(f"option {option.name!r}") from error
    return whole[skip:]


def spacing(person: Person, plans: Iterable[Iterable[Intervention]]) -> float:
    """Return the time between two frames [s]: the longest whose means of three still no breath.

    Outputs are of the last whole beat, which swings with the breath; frames that keep pace with it
    would show a slow wave that nobody has.
    """
    rates = {inputs_of(person)["breathing_frequency"]}
    for plan in plans:
        for act in plan:
            rates |= {c.value for c in act.changes if c.name == "breathing_frequency"}
    phases = np.outer(_SPACINGS, [r for r in rates if r > 0.0] or [0.0])
    left = np.abs(1.0 + np.exp(2j * np.pi * phases) + np.exp(4j * np.pi * phases)).max(axis=1) / 3.0
    return float(_SPACINGS[np.argmax(left <= max(_RIPPLE, float(left.min())))])


def _over_breath(rows: Floats) -> Floats:
    """Return the mean of three frames about each one, (frames, N), as far as a member lives."""
    alive = np.isfinite(rows)
    last = max(len(rows) - 3, 0)
    starts = [min(max(i - 1, 0), last) for i in range(len(rows))]
    sums = np.array([np.where(alive, rows, 0.0)[i : i + 3].sum(axis=0) for i in starts])
    counts = np.array([alive[i : i + 3].sum(axis=0) for i in starts])
    return np.where(alive, sums / np.maximum(counts, 1), np.nan)


def parts_of(members: int) -> tuple[tuple[int, int], ...]:
    """Return the parts (first, last) in which members are played, in order."""
    cuts = [0]
    while cuts[-1] < members:
        size = _FIRST[len(cuts) - 1] if len(cuts) <= len(_FIRST) else _PART
        cuts.append(min(cuts[-1] + size, members))
    return tuple(pairwise(cuts))


def play(
    rehearsal: Rehearsal, ensemble: Ensemble, workers: int | None = None
) -> Generator[Heard, None, None]:
    """Yield progress, and results each time that a part of the members has played every option.

    Ending the iteration early stops the threads at their next frame.

    Raises
    ------
    IsosomaError
        An act of an option does not fit the circulation; the option is named.
    """
    before, plans = plans_of(rehearsal, ensemble)
    every = spacing(ensemble.person, (before, *plans))
    whole = begun(ensemble, (*before, *(act for plan in plans for act in plan)))
    cuts, stop = parts_of(ensemble.members), Event()
    total = rehearsal.seconds * ensemble.members * len(plans)
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="isosoma-play")

    def start(k: int) -> Future[_Start]:
        return pool.submit(standing, part(whole, *cuts[k]), before)

    def option(k: int, i: int, begin: Future[_Start]) -> tuple[int, int, _Seen]:
        name = rehearsal.options[i].name
        return k, i, _see(begin.result()[0], plans[i], rehearsal.seconds, every, stop, name)

    try:
        # Starts go one part ahead of the options that wait for them: no thread waits for long,
        # and none for a task behind its own.
        begins = [start(0)]
        tasks = list[Future[tuple[int, int, _Seen]]]()
        for k in range(len(cuts)):
            begins += [start(k + 1)] if k + 1 < len(cuts) else []
            tasks += [pool.submit(option, k, i, begins[k]) for i in range(len(plans))]
        yield from _gathered(rehearsal, ensemble, every, cuts, begins, tasks, total)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _gathered(
    rehearsal: Rehearsal, ensemble: Ensemble, every: float, cuts: tuple[tuple[int, int], ...],
    begins: list[Future[_Start]], tasks: list[Future[tuple[int, int, _Seen]]], total: float,
) -> Iterator[Heard]:  # fmt: skip
    """Yield what is done as it is done; results come in the order of the members."""
    options = len(rehearsal.options)
    seen = [dict[int, _Seen]() for _ in cuts]
    done, shown = 0.0, 0
    for task in as_completed(tasks):
        k, i, one = task.result()
        seen[k][i] = one
        done += total * (cuts[k][1] - cuts[k][0]) / (ensemble.members * options)
        ready = shown
        while ready < len(cuts) and len(seen[ready]) == options:
            ready += 1
        new = None
        if ready > shown:
            shown = ready
            new = _joined(rehearsal, ensemble, every, cuts[:shown], begins, seen)
        yield Heard(done, total, new)


def _see(
    run: Running, plan: tuple[Intervention, ...], seconds: float, every: float, stop: Event,
    name: str,
) -> _Seen:  # fmt: skip
    """Play one option with some members."""
    rows, end = dict[str, list[Floats]](), run
    try:
        for frame, end in frames(run, plan, seconds, every):  # noqa: B007 - the last one is kept
            for key, values in frame.outputs.items():
                rows.setdefault(key, []).append(np.where(frame.failed, np.nan, values))
            if stop.is_set():
                break
    except IsosomaError as error:
        raise error.at(f"option {name!r}") from error
    model = end.model
    assert isinstance(model, Circulation)  # noqa: S101 - `begun` made it
    outputs = {k: _over_breath(np.array(v)) for k, v in rows.items()}
    return _Seen(outputs, end.failed, model.graph, end.advice)


def _joined(
    rehearsal: Rehearsal, ensemble: Ensemble, every: float, cuts: tuple[tuple[int, int], ...],
    begins: list[Future[_Start]], seen: list[dict[int, _Seen]],
) -> Played:  # fmt: skip
    """Return the results of all parts so far."""
    baselines = [begins[k].result()[1] for k in range(len(cuts))]
    rows = [[seen[k][i] for k in range(len(cuts))] for i in range(len(rehearsal.options))]
    frames_seen = len(next(iter(rows[0][0].outputs.values())))
    times = np.minimum(every * np.arange(1, frames_seen + 1), rehearsal.seconds)
    advice = tuple(dict.fromkeys(a for row in rows for one in row for a in one.advice))
    return Played(
        rehearsal,
        first_of(ensemble, cuts[-1][1]),
        times,
        {n: np.concatenate([b[n] for b in baselines]) for n in baselines[0]},
        tuple(
            {n: np.concatenate([one.outputs[n] for one in row], axis=1) for n in row[0].outputs}
            for row in rows
        ),
        tuple(np.concatenate([one.failed for one in row]) for row in rows),
        tuple(row[0].graph for row in rows),
        advice,
    )


def played(rehearsal: Rehearsal, ensemble: Ensemble, workers: int | None = None) -> Played:
    """Return the results of all members, at once."""
    last = None
    for heard in play(rehearsal, ensemble, workers):
        last = heard.played or last
    assert last is not None  # noqa: S101 - the last task completes the last part
    return last
