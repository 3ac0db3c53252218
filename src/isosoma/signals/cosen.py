"""Atrial fibrillation from RR intervals: the coefficient of sample entropy.

    COSEn = SampEn(m = 1, r) + ln(2 r) - ln(mean RR)

Lake & Moorman 2011, 10.1152/ajpheart.00561.2010. The tolerance r grows from 30 ms by 10 ms until
five pairs match, at most to 300 ms.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["AF_ABOVE", "cosen"]

Floats = npt.NDArray[np.float64]

AF_ABOVE = -1.0
"""A window of 64 intervals with a larger COSEn is atrial fibrillation."""

_FIRST, _STEP, _STEPS, _MATCHES = 0.030, 0.010, 28, 5


@njit(cache=True, nogil=True)
def _bin(d: float) -> int:
    """Index of the least tolerance that exceeds a difference `d` [s]; `_STEPS` beyond all."""
    if d < _FIRST:
        return 0
    return min(int((d - _FIRST) / _STEP + 1e-9) + 1, _STEPS)


@njit(cache=True, nogil=True)
def cosen(rr: Floats) -> float:
    """Return COSEn of consecutive intervals `rr`, shape (n,) [s]; NaN where it has no meaning.

    It has none under 12 intervals, or where an interval lies outside 0.2 to 3 s.
    """
    n, total = len(rr), 0.0
    for v in rr:
        if not 0.2 <= v <= 3.0:
            return math.nan
        total += v
    if n < 12:
        return math.nan
    ones, twos = np.zeros(_STEPS + 1), np.zeros(_STEPS + 1)
    for i in range(n - 1):
        for j in range(i + 1, n - 1):
            near, after = abs(rr[i] - rr[j]), abs(rr[i + 1] - rr[j + 1])
            ones[_bin(near)] += 1.0
            twos[_bin(max(near, after))] += 1.0
    a, b = 0.0, 0.0
    for i in range(_STEPS):
        a, b = a + twos[i], b + ones[i]
        if a >= _MATCHES or i == _STEPS - 1:
            if a == 0.0 or b == 0.0:
                return math.nan
            r = _FIRST + i * _STEP
            return math.log(b / a) + math.log(2.0 * r) - math.log(total / n)
    return math.nan
