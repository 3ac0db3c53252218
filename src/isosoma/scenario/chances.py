"""Chances from counts, and whether two of them differ: intervals that hold for few members too.

Jeffreys: the central part of Beta(k + 1/2, n - k + 1/2), with the bound 0 at k = 0 and 1 at k = n
(Brown, Cai and DasGupta 2001, 10.1214/ss/1009213286). Paired differences: Bonett and Price 2012
(10.3102/1076998611411915), a Wald interval after one pair was added to each discordant cell.
Members are draws of one belief; what an interval covers is their number, not the model's error.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["FOUND", "LEVEL", "jeffreys", "mean_interval", "paired"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEVEL = 0.95
FOUND = 0.3
"""Chance from which a complication counts as found: a missed one costs more than a false one."""
_Z = 1.959963984540054  # quantile .975 of the normal distribution
_DRAWS, _SEED = 2000, 20_261_126


def jeffreys(count: int, members: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a chance met by `count` of `members`; all of 0 to 1 where none is."""
    from scipy.special import betaincinv

    if members == 0:
        return 0.0, 1.0
    a, b, tail = count + 0.5, members - count + 0.5, (1.0 - level) / 2.0
    low = 0.0 if count == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if count == members else float(betaincinv(a, b, 1.0 - tail))
    return low, high


def paired(first: Bools, second: Bools) -> tuple[float, float, float]:
    """Return low, difference and high of the chances of `second` less `first`, pair by pair."""
    n = len(first)
    more = int(np.count_nonzero(second & ~first))
    less = int(np.count_nonzero(first & ~second))
    up, down = (more + 1.0) / (n + 2.0), (less + 1.0) / (n + 2.0)
    half = _Z * math.sqrt(max(up + down - (up - down) ** 2, 0.0) / (n + 2.0))
    middle = (more - less) / n if n else 0.0
    low, high = max(up - down - half, -1.0), min(up - down + half, 1.0)
    return min(low, middle), middle, max(high, middle)


def mean_interval(values: Floats, level: float = LEVEL) -> tuple[float, float, float]:
    """Return low, mean and high of a mean over members, by the Bayesian bootstrap (Rubin 1981)."""
    if not len(values):
        return math.nan, math.nan, math.nan
    made = np.random.Generator(np.random.Philox(_SEED))
    weights = made.standard_exponential((_DRAWS, len(values)))
    # A sum, not a matrix product: BLAS may give other bits on another machine.
    means = (weights * values).sum(axis=1) / weights.sum(axis=1)
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    middle = float(values.mean())
    return min(float(low), middle), middle, max(float(high), middle)
