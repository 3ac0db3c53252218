"""Positive evidence of pulsatile flow in a few seconds of a plethysmogram or pressure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["WINDOW", "pulsatile"]

Floats = npt.NDArray[np.float64]

WINDOW = 5.0  # [s]
_LIKE = 0.5  # least share of the median height that every pulse must reach
_EVEN = 1.6  # longest interval over the shortest


@njit(cache=True, nogil=True)
def pulsatile(x: Floats, hz: float) -> bool:
    """Return whether `x`, shape (n,) [any unit] at `hz` [1/s], holds three or more even pulses.

    A pulse swings up through the middle half of the range. Pulses count as evidence when they are
    30 to 180 per minute, evenly spaced and alike in height: noise and movement are neither.
    """
    low, high = x.min(), x.max()
    if high <= low:
        return False
    down, up = low + 0.25 * (high - low), low + 0.55 * (high - low)
    at, heights = np.empty(32), np.empty(32)
    n, armed, trough = 0, False, x[0]
    for i in range(len(x)):
        if x[i] < down:
            armed = True
        if armed and x[i] > up and n < 32:
            at[n], n, armed = i / hz, n + 1, False
    if n < 3:
        return False
    for k in range(n):
        a = int(at[k] * hz)
        b = int(at[k + 1] * hz) if k + 1 < n else len(x)
        trough = x[max(a - int(0.3 * hz), 0) : a + 1].min()
        heights[k] = x[a:b].max() - trough
    middle = np.median(heights[:n])
    longest, shortest = 0.0, 1e9
    for k in range(n):
        if heights[k] < _LIKE * middle:
            return False
        if k > 0:
            longest, shortest = max(longest, at[k] - at[k - 1]), min(shortest, at[k] - at[k - 1])
    tail = len(x) / hz - at[n - 1]
    return shortest > 1.0 / 3.0 and longest < min(2.0, _EVEN * shortest) and tail < 1.5 * longest
