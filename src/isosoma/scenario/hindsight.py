"""How good a locked prediction was, once the future is known: coverage and CRPS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation
from isosoma.infer.scores import crps
from isosoma.record import Draft, Entry
from isosoma.scenario.decision import decision, decisions
from isosoma.scenario.prediction import ABOUT, LEVELS, Prediction

__all__ = ["Score", "read_with", "score", "scored", "scores"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """One output: readings, shares of them inside the central 50 and 90 %, and mean CRPS [SI].

    Readings carry their noise; the predicted quantiles do not, so that both are widened by it.
    """

    readings: int
    inside_50: float
    inside_90: float
    crps: float


def score(prediction: Prediction, observations: Iterable[Observation]) -> Mapping[str, Score]:
    """Return the score of each output of which a reading came in the predicted time.

    Raises
    ------
    RangeError
        No reading did.
    """
    found = dict[str, list[tuple[float, float, float]]]()
    for o in observations:
        t = (o.at - prediction.at) / 1e9
        if o.variable in prediction.values and 0.0 <= t <= prediction.times[-1]:
            found.setdefault(o.variable, []).append((t, o.value, o.sigma))
    if not found:
        raise RangeError("no reading came in the predicted time", todo="Score after it")
    return {name: _score(prediction, name, np.array(rows)) for name, rows in found.items()}


def _score(prediction: Prediction, name: str, rows: np.ndarray) -> Score:
    t, y, sigma = rows.T
    said = np.array([np.interp(t, prediction.times, q) for q in prediction.values[name].T]).T
    wide = read_with(said, sigma)

    def inside(level: float) -> float:
        ends = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
        low, high = (np.array([np.interp(e, LEVELS, row) for row in wide]) for e in ends)
        return float(((low <= y) & (y <= high)).mean())

    return Score(len(y), inside(0.5), inside(0.9), float(crps(wide, y).mean()))


def read_with(quantiles: Floats, sigma: Floats) -> Floats:
    """Return the quantiles (n, 20) of readings with noise `sigma` (n,) of what has `quantiles`.

    Spreads add in squares: quantiles move away from the median as if both were normal.
    """
    middle, spread = np.median(quantiles, axis=1), quantiles.std(axis=1)
    ratio = np.hypot(spread, sigma) / np.maximum(spread, 1e-9 * np.maximum(sigma, 1e-12))
    return middle[:, None] + (quantiles - middle[:, None]) * ratio[:, None]


def scored(prediction: Prediction, scores: Mapping[str, Score]) -> Draft:
    """Return the event that keeps scores with the evidence of the model that predicted."""
    return decision(ABOUT, prediction.id, "scored", {
        "evidence": prediction.evidence, "scores": {k: asdict(v) for k, v in scores.items()},
    })  # fmt: skip


def scores(
    entries: Iterable[Entry], before: Mapping[str, dict[str, Score]] | None = None
) -> dict[str, dict[str, Score]]:
    """Return what hindsight said of each prediction, by id and output; the newest word counts.

    `before` : what earlier entries told, where these only follow on them.
    """
    found = dict(before or {})
    for _, said in decisions(entries, ABOUT):
        if said["event"] == "scored":
            found[said["id"]] = {name: Score(**row) for name, row in said["scores"].items()}
    return found
