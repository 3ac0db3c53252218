"""How good a probabilistic forecast was, once the truth is known: proper scores and calibration.

A normalised innovation near 1 proves nothing: with walks three times too small it read 1.19 while
90 % intervals covered 55 %. Judge by coverage of hidden truth and by ranks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError

__all__ = [
    "Coverage",
    "coverage",
    "crps",
    "interval_score",
    "rank",
    "rank_chi2",
    "spread_skill",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of truths inside their intervals, with a 95 % interval of that share itself.

    `effective` is how many independent truths the serially correlated ones are worth.
    """

    share: float
    low: float
    high: float
    effective: float


def crps(members: Floats, truth: Floats) -> Floats:
    """Return the continuous ranked probability score (...,) [unit of truth]; 0 is perfect.

    ``mean|x_i - y| - sum_i (2i - n - 1) x_(i) / n²`` for `members` (..., N) and `truth` (...,).
    """
    n = members.shape[-1]
    weights = (2.0 * np.arange(1, n + 1) - n - 1.0) / n**2
    apart = np.abs(members - truth[..., None]).mean(axis=-1)
    return apart - np.sort(members, axis=-1) @ weights


def rank(members: Floats, value: Floats) -> npt.NDArray[np.int64]:
    """Return how many of `members` (..., N) lie below `value` (...,): 0 to N."""
    return np.sum(members < value[..., None], axis=-1)


def rank_chi2(ranks: npt.NDArray[np.int64], members: int, bins: int = 10) -> float:
    """Return chi² with ``bins - 1`` degrees of freedom of ranks being uniform over 0 … members."""
    edges = np.linspace(0.0, members + 1.0, bins + 1)
    places = np.arange(members + 1)
    width = np.histogram(places, edges)[0] / (members + 1.0)
    counts = np.histogram(ranks, edges)[0]
    expected = width * len(ranks)
    return float(np.sum((counts - expected) ** 2 / expected))


def interval_score(low: Floats, high: Floats, truth: Floats, alpha: float = 0.1) -> Floats:
    """Return the interval score of central ``1 - alpha`` intervals; smaller is better.

    ``(u - l) + (2/alpha) (l - y)+ + (2/alpha) (y - u)+``: Gneiting & Raftery 2007, JASA 102:359.
    """
    below, above = np.maximum(low - truth, 0.0), np.maximum(truth - high, 0.0)
    return (high - low) + 2.0 / alpha * (below + above)


def spread_skill(members: Floats, truth: Floats) -> float:
    """Return RMSE of the mean over spread, ``RMSE / (spread sqrt((N+1)/N))``: about 1 when honest.

    `members` (..., N), `truth` (...,).
    """
    n = members.shape[-1]
    rmse = np.sqrt(np.mean((members.mean(axis=-1) - truth) ** 2))
    spread = np.sqrt(np.mean(members.var(axis=-1, ddof=1)) * (n + 1.0) / n)
    return float(rmse / spread)


def coverage(inside: npt.NDArray[np.bool_]) -> Coverage:
    """Return the covered share of hits `inside` (series, times), with its uncertainty.

    Times of a series are correlated by rho at lag one: n_eff = n (1 - rho) / (1 + rho).
    """
    hits = np.atleast_2d(inside).astype(np.float64)
    if not hits.size:
        raise ModelError("no interval was scored", todo="Score at least one truth")
    share = float(hits.mean())
    off = hits - share
    power = float(np.mean(off**2))
    rho = (
        float(np.mean(off[:, 1:] * off[:, :-1])) / power
        if power > 0.0 and off.shape[1] > 1
        else 0.0
    )
    rho = min(max(rho, 0.0), 0.99)
    effective = hits.size * (1.0 - rho) / (1.0 + rho)
    # Wilson's interval keeps inside [0, 1] where the share is near 1
    z2 = 1.96**2 / effective
    middle = (share + z2 / 2.0) / (1.0 + z2)
    half = math.sqrt(z2 * (share * (1.0 - share) + z2 / 4.0)) / (1.0 + z2)
    return Coverage(share, middle - half, middle + half, effective)
