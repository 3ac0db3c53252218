"""A plan that was begun, and what the page is told of it: band, readings, leave, causes, scores."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.quantity import show_unit
from isosoma.core.vocabulary import VOCABULARY
from isosoma.scenario.explanation import Explanation, parting
from isosoma.scenario.hindsight import Score, read_with
from isosoma.scenario.prediction import LEVELS, Prediction
from isosoma.scenario.rehearsal import Rehearsal
from isosoma.scenario.watching import Watching
from isosoma.serve.live_messages import Band, Cause, Held, Left, PlanCourse, PlanMessage
from isosoma.serve.numbers import shown_value

__all__ = ["Plan", "message_of"]

Floats = npt.NDArray[np.float64]

_FRAMES = 61
"""Frames of a band that are sent at most."""
_DOTS = 200
"""Readings of an output that are sent at most, the newest."""


@dataclass(slots=True, eq=False)
class Plan:
    """A plan that was begun.

    Attributes
    ----------
    state : what was read, and the alert. explanations : as they were ranked last.
    why_not : why there are none. ranked : how often they were. scores : by output, at its end.
    upto : newest instant [ns] that was taken of each device and variable.
    said, rated : when the page was told last, when the rate was taken last [s].
    """

    rehearsal: Rehearsal
    state: Watching
    explanations: tuple[Explanation, ...] = ()
    why_not: str = ""
    ranked: int = 0
    scores: dict[str, Score] = field(default_factory=dict[str, Score])
    over: bool = False
    upto: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    said: float = -np.inf
    rated: float = -np.inf

    @property
    def prediction(self) -> Prediction:
        """Return what was signed."""
        return self.state.prediction


def message_of(plan: Plan, now: float) -> PlanMessage:
    """Return what the page is told at `now` [s after time 0]."""
    said, alert = plan.prediction, plan.state.alert
    left = None
    if alert is not None:
        apart = parting(plan.explanations, plan.state.seen)
        text = f"{alert.text}; {apart}" if apart else alert.text
        left = Left(alert.kind, text, (said.at / 1e9) + alert.onset, said.at / 1e9 + alert.time)
    return PlanMessage(
        said.id, plan.rehearsal.question, said.option, said.at / 1e9, now / 60.0,
        float(said.times[-1]) / 60.0, plan.over,
        {n: _course(said, n, plan.state) for n in said.values},
        left,
        [Cause(e.cause, e.rank, e.share, e.severity) for e in plan.explanations],
        plan.why_not,
        {n: _held(n, s) for n, s in plan.scores.items()},
    )  # fmt: skip


def _course(said: Prediction, name: str, state: Watching) -> PlanCourse:
    """Return the 90 % band of the readings of an output, thinned, and those, in shown units."""
    kept = np.unique(np.linspace(0, len(said.times) - 1, _FRAMES).round().astype(int))
    sigma = float(np.median([r.sigma for r in state.seen.get(name, ())] or [0.0]))
    rows = read_with(said.values[name][kept], np.full(len(kept), sigma))
    levels = (np.array([np.interp(p, LEVELS, row) for row in rows]) for p in (0.5, 0.05, 0.95))
    value, low, high = ([shown_value(name, float(v)) for v in level] for level in levels)
    read = [(r.time / 60.0, shown_value(name, r.value)) for r in state.seen.get(name, ())[-_DOTS:]]
    row = VOCABULARY[name]
    minutes = (said.times[kept] / 60.0).round(4).tolist()
    return PlanCourse(
        row.label, show_unit(row.shown), minutes, Band(value, low, high),
        [round(t, 3) for t, _ in read], [v for _, v in read],
    )  # fmt: skip


def _held(name: str, s: Score) -> Held:
    return Held(
        s.readings, s.inside_50, s.inside_90, shown_value(name, s.crps) - shown_value(name, 0.0)
    )
