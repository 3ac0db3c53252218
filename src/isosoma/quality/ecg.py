"""Signal quality indices of a 10 s ECG window from two window detectors of its own.

Detectors here see a whole window and serve quality alone; live beats come from elsewhere.
Indices: Li, Mark & Clifford 2008, DOI 10.1088/0967-3334/29/1/002; Orphanidou et al. 2015,
DOI 10.1109/JBHI.2014.2338351. Limits: signals reference, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "Indices",
    "beat_agreement",
    "indices",
    "kurtosis",
    "smoothed",
    "template_agreement",
    "weight_of",
    "window_beats",
]

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Indices:
    """kSQI (kurtosis), bSQI (agreement of two detectors), tSQI (likeness of beats), all [1]."""

    k: float
    b: float
    t: float


@njit(cache=True, nogil=True)
def kurtosis(x: Array) -> float:
    """Return the fourth standardised moment of `x`, shape (n,); 0 for a constant."""
    mean, second, fourth = x.mean(), 0.0, 0.0
    for value in x:
        square = (value - mean) * (value - mean)
        second += square
        fourth += square * square
    return x.size * fourth / (second * second) if second > 0 else 0.0


@njit(cache=True, nogil=True)
def smoothed(x: Array, width: int) -> Array:
    """Return the moving average of `x`, shape (n,), over `width` samples; zero beyond its ends."""
    width = max(1, min(width, x.size))
    ahead = (width - 1) // 2
    out = np.empty(x.size)
    total = x[:ahead].sum()
    for i in range(x.size):
        if i + ahead < x.size:
            total += x[i + ahead]
        if i + ahead >= width:
            total -= x[i + ahead - width]
        out[i] = total / width
    return out


@njit(cache=True, nogil=True)
def _band(x: Array, hz: float) -> Array:
    """Keep about 5–25 Hz by two moving averages."""
    return smoothed(x - smoothed(x, round(0.12 * hz)), round(0.02 * hz))


@njit(cache=True, nogil=True)
def _steepness(x: Array) -> Array:
    """Square of the slope per sample, by central differences."""
    out = np.zeros(x.size)
    for i in range(x.size if x.size > 1 else 0):
        a, b = max(i - 1, 0), min(i + 1, x.size - 1)
        slope = (x[b] - x[a]) / (b - a)
        out[i] = slope * slope
    return out


@njit(cache=True, nogil=True)
def _typical_top(height: Array, hz: float) -> float:
    """Median of the highest points of stretches of about 1.5 s."""
    blocks = max(1, int(height.size / (1.5 * hz)))
    size, longer = height.size // blocks, height.size % blocks
    tops = np.empty(blocks)
    start = 0
    for i in range(blocks):
        stop = start + size + (1 if i < longer else 0)
        tops[i] = height[start:stop].max()
        start = stop
    return float(np.median(tops))


@njit(cache=True, nogil=True)
def _peaks(height: Array, hz: float, share: float) -> Index:
    """Highest point of each stretch above `share` of the typical top, 0.25 s apart."""
    top, gap = _typical_top(height, hz), int(0.25 * hz)
    found, n, i = np.empty(height.size, np.int64), 0, 0
    while top > 0 and i < height.size:
        if height[i] <= share * top:
            i += 1
            continue
        at = i
        while i < height.size and height[i] > share * top:
            at = i if height[i] > height[at] else at
            i += 1
        if n == 0 or at - found[n - 1] >= gap:
            found[n] = at
            n += 1
        elif height[at] > height[found[n - 1]]:
            found[n - 1] = at
    return found[:n].copy()


@njit(cache=True, nogil=True)
def window_beats(height: Array, hz: float) -> Index:
    """Return the places of beats in a whole stretch of non-negative `height`, shape (n,)."""
    return _peaks(smoothed(height, round(0.04 * hz)), hz, 0.5)


@njit(cache=True, nogil=True)
def beat_agreement(first: Index, second: Index, hz: float) -> float:
    """BSQI = matched / (n1 + n2 - matched), pairs within 150 ms; 0 where both are empty."""
    if first.size == 0 or second.size == 0:
        return 0.0
    reach = int(0.15 * hz)
    matched, j = 0, 0
    for at in first:
        while j < second.size and second[j] < at - reach:
            j += 1
        if j < second.size and second[j] <= at + reach:
            matched += 1
            j += 1
    return matched / (first.size + second.size - matched)


@njit(cache=True, nogil=True)
def _correlation(a: Array, b: Array) -> float:
    """Cosine of two lines; 0 where one is nothing but zeros."""
    norm = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / norm) if norm > 0 else 0.0


@njit(cache=True, nogil=True)
def template_agreement(x: Array, beats: Index, hz: float) -> float:
    """tSQI: mean correlation of the beats (±0.3 s) with their median beat; 0 under 3 beats."""
    half = int(0.3 * hz)
    whole = np.empty((beats.size, 2 * half))
    n = 0
    for at in beats:
        if half <= at <= x.size - half:
            beat = x[at - half : at + half]
            whole[n] = beat - beat.mean()
            n += 1
    if n < 3:
        return 0.0
    template = np.empty(2 * half)
    for i in range(2 * half):
        template[i] = np.median(whole[:n, i])
    total = 0.0
    for i in range(n):
        total += _correlation(whole[i], template)
    return total / n


@njit(cache=True, nogil=True)
def _three(x: Array, hz: float) -> tuple[float, float, float]:
    """KSQI, bSQI and tSQI of a window."""
    band = _band(x - np.median(x), hz)
    energy = np.sqrt(np.maximum(smoothed(_steepness(band), round(0.1 * hz)), 0.0))
    first = _peaks(smoothed(np.abs(band), round(0.03 * hz)), hz, 0.5)
    second = _peaks(energy, hz, 0.35)
    flat = x - smoothed(x, round(0.6 * hz))
    return kurtosis(flat), beat_agreement(first, second, hz), template_agreement(flat, first, hz)


def indices(x: Array, hz: float) -> Indices:
    """Return the three indices of a window `x`, shape (n,) [any unit], sampled at `hz` [1/s]."""
    return Indices(*_three(x, float(hz)))


def _ramp(value: float, bad: float, good: float) -> float:
    """0.1 up to `bad`, 1 from `good` on, straight between."""
    return min(max(0.1 + 0.9 * (value - bad) / (good - bad), 0.1), 1.0)


def weight_of(found: Indices) -> float:
    """Return the least of the three weights; good from kSQI 5, bSQI 0.8, tSQI 0.7 on."""
    return min(_ramp(found.k, 2.5, 5.0), _ramp(found.b, 0.5, 0.8), _ramp(found.t, 0.35, 0.7))
