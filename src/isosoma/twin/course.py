"""A model run along a list of interventions: what happens, frame by frame.

Pure, and generic over the `Model` protocol. Acts happen at whole ticks; undoing one is leaving it
out and running again. A course run in pieces gives the bits of one run whole. Members are lanes of
one call; one that fails is a value in `failed`, the others go on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.intervention import Intervention, apply, moments
from isosoma.core.model import Bundle, Model, Rewirable

__all__ = ["Course", "Frame", "Running", "beginning", "follow", "frames", "settled"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """Where a course is: all that its future depends on, apart from the acts.

    Attributes
    ----------
    tick : now.
    origin : tick of the rehearsal's start, time 0 of every act.
    model : with the topology of now.
    theta, inputs : before any act, arrays of shape (members,) [SI].
    failed : shape (members,); a member that failed stays failed.
    """

    model: Model
    state: Bundle
    theta: Mapping[str, Floats]
    inputs: Mapping[str, Floats]
    tick: int = 0
    origin: int = 0
    failed: Bools = field(default_factory=lambda: np.zeros(1, np.bool_))
    advice: tuple[str, ...] = ()

    @property
    def time(self) -> float:
        """Return the time since the start of the rehearsal [s]."""
        return (self.tick - self.origin) * self.model.step


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What is seen at one time [s after the start of the rehearsal].

    Attributes
    ----------
    outputs : the model's outputs, arrays of shape (members,) [SI].
    failed : shape (members,); outputs of a failed member mean nothing.
    state : the state at that tick; empty where it was not kept.
    """

    time: float
    outputs: Bundle
    failed: Bools
    state: Bundle


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Frames in order of time, and where the run stands."""

    frames: tuple[Frame, ...]
    end: Running

    @property
    def times(self) -> Floats:
        """Return the times of the frames, shape (frames,) [s]."""
        return np.array([f.time for f in self.frames])

    def output(self, name: str) -> Floats:
        """Return an output over time, shape (frames, members) [SI]; NaN where a member failed."""
        rows = [np.where(f.failed, np.nan, f.outputs[name]) for f in self.frames]
        return np.array(rows, np.float64)


def beginning(
    model: Model, theta: Mapping[str, Floats], inputs: Mapping[str, npt.ArrayLike]
) -> Running:
    """Return a course at tick 0; inputs that are left out are at rest."""
    members = len(next(iter(theta.values())))
    given = {p.name: np.full(members, p.rest) for p in model.inputs}
    given |= {k: np.broadcast_to(np.asarray(v, np.float64), members) for k, v in inputs.items()}
    return Running(model, model.start(theta), theta, given, failed=np.zeros(members, np.bool_))


def settled(run: Running, seconds: float) -> Running:
    """Return the course after `seconds` without acts, as the start of a rehearsal (time 0)."""
    ticks = _ticks(run.model, seconds)
    out = run.model.advance(run.tick, run.tick + ticks, run.state, run.theta, run.inputs)
    tick = run.tick + ticks
    return replace(
        run,
        state=out.state,
        tick=tick,
        origin=tick,
        failed=run.failed | out.failed,
        advice=_more(run.advice, out.advice),
    )


def follow(
    run: Running, acts: Iterable[Intervention], seconds: float, every: float = 1.0,
    states: bool = False, told: Callable[[float], Any] | None = None,
) -> Course:  # fmt: skip
    """Return the course over the next `seconds` [s], a frame each `every` [s].

    Frames stand at whole multiples of `every` after the start of the rehearsal, and at the end;
    they hold the state only with `states`, which is large. `told` hears how far it is [s].
    """
    seen, last = list[Frame](), run
    for frame, last in frames(run, acts, seconds, every):  # noqa: B007 - the last one is returned
        seen.append(frame if states else replace(frame, state={}))
        if told is not None:
            told(frame.time)
    return Course(tuple(seen), last)


def frames(
    run: Running, acts: Iterable[Intervention], seconds: float, every: float = 1.0
) -> Iterator[tuple[Frame, Running]]:
    """Yield each frame of a course as soon as it is there, and the run that goes on from it.

    Raises
    ------
    ModelError
        An act changes what the model does not have, or its topology does not fit.
    """
    plan = tuple(acts)
    step = _ticks(run.model, every)
    if step < 1:
        raise ModelError(f"a frame each {every:g} s is finer than the step of {run.model.name}")
    end = run.tick + _ticks(run.model, seconds)
    while run.tick < end:
        due = run.origin + ((run.tick - run.origin) // step + 1) * step
        run, frame = _to(run, plan, min(due, end))
        yield frame, run


def _ticks(model: Model, seconds: float) -> int:
    if not 0.0 <= seconds < 1e9:
        raise ModelError(f"{seconds:g} s is no time to run for", todo="Give a time of 0 s or more")
    return round(seconds / model.step)


def _to(run: Running, acts: tuple[Intervention, ...], until: int) -> tuple[Running, Frame]:
    """Advance to a tick through every moment at which an act changes something."""
    times = moments(acts)
    ticks = [run.origin + round(t / run.model.step) for t in times]
    outputs: Bundle = {}
    while run.tick < until:
        now = bisect_right(ticks, run.tick)  # moments up to and including this tick
        run = _rewired(run, acts, {t for t, k in zip(times, ticks, strict=True) if k == run.tick})
        held = times[now - 1] if now else -np.inf
        theta = apply(acts, "parameter", run.theta, held)
        inputs = apply(acts, "input", run.inputs, held)
        stop = min(until, ticks[now]) if now < len(ticks) else until
        out = run.model.advance(run.tick, stop, run.state, theta, inputs)
        failed, advice = run.failed | out.failed, _more(run.advice, out.advice)
        run = replace(run, state=out.state, tick=stop, failed=failed, advice=advice)
        outputs = out.outputs
    return run, Frame(run.time, outputs, run.failed, run.state)


def _rewired(run: Running, acts: tuple[Intervention, ...], now: set[float]) -> Running:
    """Change the topology by the acts of this very tick, and move the state over."""
    edits = [(a, c) for a in acts if a.at in now for c in a.changes if c.target == "topology"]
    for act, change in edits:
        if not isinstance(run.model, Rewirable):
            raise ModelError(
                f"{act.name} changes the topology of {run.model.name}, which has none",
                todo="Leave it out",
            )
        new = run.model.rewired(change.edit)
        run = replace(run, model=new, state=run.model.transfer(new, run.state))
    return run


def _more(said: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Return advice, each sentence once."""
    return tuple(dict.fromkeys((*said, *new)))
