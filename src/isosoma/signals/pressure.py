"""Mean and systolic pressure of the last beats, from a few seconds of the arterial wave alone.

The wave is cut into beats where it turns: a rise and a fall count when they exceed a share of the
window's height, so that a dicrotic wave is none and no ECG is needed. What no heart makes is left
out: a flush (one tall step among the beats), a closed tap, ringing, a line that was lost. A low or
a narrow wave is not left out: it may be the patient. The limits of the possible are those of the
transducer, and the shape of a beat after Sun et al. 2006 (Comput Cardiol 33:13), whose limits on
the pressure itself are not taken: a low one is what is looked for.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["LEAST_SWING", "wave_pressures"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_SWING = 1300.0
"""[Pa] About 10 mmHg over 5 s: below that there is no pulse, and another rule says so."""
_LOWEST, _HIGHEST = -6700.0, 41300.0
"""[Pa] About -50 and 310 mmHg, a transducer's range (-30 to 300 by ANSI/AAMI BP22, unverified) and
a levelling fault."""
_TURN = 0.4  # of the window's height (10th to 90th percentile), that a turn must exceed
_SHORTEST, _LONGEST = 0.24, 3.0  # [s] of a beat: 250 and 20 per minute
_RISE = 0.62  # of the beat, within which it has reached its top
_ALIKE = 0.4  # of the median swing, and its reciprocal: a beat is among beats of its kind
_MOST = 40  # turns that are looked at


@njit(cache=True, nogil=True)
def _troughs(x: Floats, least: float, at: Ints, tops: Ints) -> int:
    """Write where the wave was lowest before each rise and highest after it; return how many."""
    n, rising, low, high = 0, False, 0, 0
    for i in range(1, len(x)):
        if rising:
            high = i if x[i] > x[high] else high
            if x[high] - x[i] > least:
                tops[n], n, rising, low = high, n + 1, False, i
        else:
            low = i if x[i] <= x[low] else low
            if x[i] - x[low] > least and n < _MOST:
                at[n], rising, high = low, True, i
    return n


@njit(cache=True, nogil=True)
def wave_pressures(x: Floats, hz: float) -> tuple[float, float]:
    """Return mean and systolic pressure [Pa]: medians over the beats in a window.

    Both are NaN where the window holds fewer than two beats, or mostly what is none.

    Parameters
    ----------
    x : shape (n,) [Pa], some 5 s without loss.
    hz : samples per second [1/s].
    """
    ordered = np.sort(x)
    least = _TURN * (ordered[int(0.9 * len(x))] - ordered[int(0.1 * len(x))])
    if not ordered[-1] - ordered[0] > LEAST_SWING:
        return math.nan, math.nan
    at, tops = np.empty(_MOST + 1, np.int64), np.empty(_MOST + 1, np.int64)
    n = _troughs(x, least, at, tops) - 1  # the last rise has no next one to end its beat
    if n < 2:
        return math.nan, math.nan
    means, systolic, swings = np.empty(n), np.empty(n), np.empty(n)
    for k in range(n):
        part = x[at[k] : at[k + 1]]
        means[k], systolic[k] = part.mean(), x[tops[k]]
        swings[k] = systolic[k] - x[at[k]]
    middle, good = np.median(swings), 0
    for k in range(n):
        long = at[k + 1] - at[k]
        shaped = tops[k] - at[k] < _RISE * long and _SHORTEST * hz <= long <= _LONGEST * hz
        alike = _ALIKE * middle <= swings[k] <= middle / _ALIKE
        possible = x[at[k]] > _LOWEST and systolic[k] < _HIGHEST
        if shaped and alike and possible:
            means[good], systolic[good], good = means[k], systolic[k], good + 1
    if good < 2 or good < 0.6 * n:
        return math.nan, math.nan
    return np.median(means[:good]), np.median(systolic[:good])
