"""Signal quality indices of a 10 s ECG window from two window detectors of its own.

Detectors here see a whole window and serve quality alone; live beats come from elsewhere.
Indices: Li, Mark & Clifford 2008, DOI 10.1088/0967-3334/29/1/002; Orphanidou et al. 2015,
DOI 10.1109/JBHI.2014.2338351. Limits: signals reference, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Indices",
    "beat_agreement",
    "indices",
    "kurtosis",
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


def kurtosis(x: Array) -> float:
    """Return the fourth standardised moment of `x`, shape (n,); 0 for a constant."""
    d = x - x.mean()
    power = float(np.mean(d * d))
    return float(np.mean(d**4)) / power**2 if power > 0 else 0.0


def _smooth(x: Array, width: int) -> Array:
    """Moving average over `width` samples, same length."""
    width = max(1, min(width, x.size))
    return np.convolve(x, np.full(width, 1 / width), mode="same")


def _band(x: Array, hz: float) -> Array:
    """Keep about 5–25 Hz by two moving averages."""
    return _smooth(x - _smooth(x, round(0.12 * hz)), round(0.02 * hz))


def _peaks(height: Array, hz: float, share: float) -> Index:
    """Highest point of each stretch above `share` of the typical top, 0.25 s apart."""
    blocks = max(1, int(height.size / (1.5 * hz)))
    top = float(np.median([b.max() for b in np.array_split(height, blocks)]))
    order = np.flatnonzero(height > share * top)
    if top <= 0 or order.size == 0:
        return np.zeros(0, np.int64)
    gap, out = int(0.25 * hz), list[int]()
    for part in np.split(order, np.flatnonzero(np.diff(order) > 1) + 1):
        at = int(part[np.argmax(height[part])])
        if not out or at - out[-1] >= gap:
            out.append(at)
        elif height[at] > height[out[-1]]:
            out[-1] = at
    return np.array(out, np.int64)


def window_beats(height: Array, hz: float) -> Index:
    """Return the places of beats in a whole stretch of non-negative `height`, shape (n,)."""
    return _peaks(_smooth(height, round(0.04 * hz)), hz, 0.5)


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


def template_agreement(x: Array, beats: Index, hz: float) -> float:
    """tSQI: mean correlation of the beats (±0.3 s) with their median beat; 0 under 3 beats."""
    half = int(0.3 * hz)
    whole = [x[b - half : b + half] for b in beats if half <= b <= x.size - half]
    if len(whole) < 3:
        return 0.0
    m = np.array(whole)
    m = m - m.mean(axis=1, keepdims=True)
    t = np.median(m, axis=0)
    norm = np.sqrt((m * m).sum(axis=1) * (t * t).sum())
    return float(np.mean((m * t).sum(axis=1) / np.where(norm > 0, norm, np.inf)))


def indices(x: Array, hz: float) -> Indices:
    """Return the three indices of a window `x`, shape (n,) [any unit], sampled at `hz` [1/s]."""
    band = _band(x - np.median(x), hz)
    energy = np.sqrt(_smooth(np.gradient(band) ** 2, round(0.1 * hz)))
    first = _peaks(_smooth(np.abs(band), round(0.03 * hz)), hz, 0.5)
    second = _peaks(energy, hz, 0.35)
    flat = x - _smooth(x, round(0.6 * hz))
    return Indices(
        kurtosis(flat), beat_agreement(first, second, hz), template_agreement(flat, first, hz)
    )


def _ramp(value: float, bad: float, good: float) -> float:
    """0.1 up to `bad`, 1 from `good` on, straight between."""
    return float(np.clip(0.1 + 0.9 * (value - bad) / (good - bad), 0.1, 1.0))


def weight_of(found: Indices) -> float:
    """Return the least of the three weights; good from kSQI 5, bSQI 0.8, tSQI 0.7 on."""
    return min(_ramp(found.k, 2.5, 5.0), _ramp(found.b, 0.5, 0.8), _ramp(found.t, 0.35, 0.7))
