"""Ventricular fibrillation and flutter from the raw waveform, without beats.

Two measures over a window of 4 s that agree on the oscillation without a baseline:

* leakage of the filter of Kuo & Dillman 1978 (Computer detection of ventricular fibrillation,
  Computers in Cardiology 5:347): a sine shifted by half its period cancels itself;
* share of time beyond 20 % of the largest excursion, after the threshold crossing sample count
  of Arafat et al. 2011 (10.1007/s11760-009-0137-0): a QRS complex is short, fibrillation is not.

Limits are set on the MIT-BIH development records.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["WINDOW", "fibrillation"]

Floats = npt.NDArray[np.float64]

WINDOW = 4.0  # [s]
_LEAKAGE = 0.50
_BEYOND, _SHARE = 0.20, 0.45
_SLOWEST, _FASTEST = 2.4, 8.0  # [Hz] of the oscillation


@njit(cache=True, nogil=True)
def fibrillation(x: Floats, hz: float) -> float:
    """Return the leakage [1] of a window `x`, shape (n,) [V], where it looks fibrillating; else 1.

    `x` is free of baseline wander; `hz` [1/s] is its rate, 50 or more. A value under 0.5 speaks
    for ventricular fibrillation or flutter.
    """
    size, bends, top = 0.0, 0.0, 0.0
    for i in range(1, len(x)):
        size += abs(x[i])
        bends += abs(x[i] - x[i - 1])
        top = max(top, abs(x[i]))
    if bends <= 0.0:
        return 1.0
    half = int(math.pi * size / bends + 0.5)
    if half < 1 or not _SLOWEST <= hz / (2.0 * half) <= _FASTEST:
        return 1.0
    sums, parts, beyond = 0.0, 0.0, 0
    for i in range(half, len(x)):
        sums += abs(x[i] + x[i - half])
        parts += abs(x[i]) + abs(x[i - half])
        beyond += abs(x[i]) > _BEYOND * top
    leakage = sums / parts
    share = beyond / (len(x) - half)
    return leakage if leakage < _LEAKAGE and share > _SHARE else 1.0
