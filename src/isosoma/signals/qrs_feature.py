"""The feature in which a QRS complex stands out: the 100 ms mean size of the ECG's bend.

With y the signal averaged over 22 ms,

    z(t) = 2 y(t - k) - y(t) - y(t - 2k),  k = 30 ms        (second difference, matched to a QRS)
    m(t) = mean of |z| over the last 100 ms                 (here the sum)

Each filter gets its past and the new samples in one row, new last, so that all but the running sum
runs in lanes. The sum is added up afresh at fixed sample numbers, so that rounding does not grow
and any chunking gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["bend_size", "moving_mean", "place", "received"]

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]

_RENEWED = 256  # samples after which a running sum is added up afresh


@njit(cache=True, nogil=True)
def place(source: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """Copy as many as both hold; numba's own assignment of slices takes ten times as long."""
    for i in range(min(len(source), len(target))):
        target[i] = source[i]


@njit(cache=True, nogil=True)
def received(samples: Floats, i: int) -> int:
    """Return how many samples from `i` on were received before one was lost."""
    for j in range(i, len(samples)):
        if samples[j] - samples[j] != 0.0:
            return j - i
    return len(samples) - i


@njit(cache=True, nogil=True)
def moving_mean(raw: Floats, smooth: Halves, work: Floats, n: int, total: float) -> float:
    """Write the mean of the new samples, the last ``len(work)`` of `raw`, to `smooth`.

    Parameters
    ----------
    raw : shape (past + new,) [V]; the past is as long as the mean.
    smooth : shape (new,) at least [V]; written.
    work : shape (new,), scratch.
    n : sample number of the first new sample.
    total : running sum before it [V].

    Returns
    -------
    The running sum after the last [V].
    """
    mean = len(raw) - len(work)
    share = 1.0 / mean
    for j in range(len(work)):
        work[j] = raw[mean + j] - raw[j]
    for j in range(len(work)):
        total += work[j]
        if (n + j) % _RENEWED == 0:
            total = 0.0
            for i in range(mean):
                total += raw[mean + j - i]
        work[j] = total
    for j in range(len(work)):
        smooth[j] = work[j] * share
    return total


@njit(cache=True, nogil=True)
def bend_size(
    smooth: Halves, bend: Halves, past: int, k: int, width: int, work: Floats, n: int, total: float
) -> float:
    """Write the second difference to `bend` from index `past` on, and its running sum to `work`.

    Parameters
    ----------
    smooth, bend : shape (past + new,) at least [V].
    past : index of the first new sample.
    k, width : lag of the difference, and length of the sum [samples].
    work : shape (new,) [V]; written.
    n, total : as in `moving_mean`.
    """
    y0, y1, y2 = smooth[past:], smooth[past - k :], smooth[past - 2 * k :]
    new, old = bend[past:], bend[past - width :]
    for j in range(len(work)):
        new[j] = np.float32(2.0) * y1[j] - y0[j] - y2[j]
    for j in range(len(work)):
        work[j] = float(abs(new[j])) - float(abs(old[j]))
    for j in range(len(work)):
        total += work[j]
        if (n + j) % _RENEWED == 0:
            total = 0.0
            for i in range(width):
                total += abs(float(bend[past + j - i]))
        work[j] = total
    return total
