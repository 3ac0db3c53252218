"""Signal quality indices of a 10 s ECG window, as pure functions, and a second simple detector.

kSQI and bSQI: Li, Mark & Clifford 2008, 10.1088/0967-3334/29/1/002; tSQI: Orphanidou et al. 2015,
10.1109/JBHI.2014.2338351.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.signals.scoring import match

__all__ = ["beats_by_energy", "bsqi", "ksqi", "tsqi"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _mean(x: Floats, width: int) -> Floats:
    return np.convolve(x, np.full(width, 1.0 / width), "same")


def beats_by_energy(x: Floats, hz: float) -> Ints:
    """Return R samples of a window `x`, shape (n,) [V], by the energy of its slope over 120 ms.

    Deliberately unlike the live detector, so that both agree only on beats: slope instead of bend,
    a fixed share (30 %) of the median of blockwise maxima instead of running medians.
    """
    smooth = _mean(x, max(1, round(0.02 * hz)))
    energy = _mean(np.gradient(smooth) ** 2, max(1, round(0.12 * hz)))
    blocks = np.array_split(energy, max(1, int(len(x) / (1.2 * hz))))
    top = float(np.median([b.max() for b in blocks]))
    out, gap = list[int](), int(0.25 * hz)
    above = np.flatnonzero(energy > 0.3 * top) if top > 0.0 else np.zeros(0, np.int64)
    for part in np.split(above, np.flatnonzero(np.diff(above) > 1) + 1):
        if not len(part):
            continue
        at = int(part[np.argmax(energy[part])])
        if not out or at - out[-1] >= gap:
            out.append(at)
        elif energy[at] > energy[out[-1]]:
            out[-1] = at
    return np.array(out, np.int64)


def ksqi(x: Floats) -> float:
    """Return the fourth standardised moment of `x`, shape (n,); 0 for a constant. Good above 5."""
    d = x - x.mean()
    power = float(np.mean(d * d))
    return float(np.mean(d**4)) / power**2 if power > 0.0 else 0.0


def bsqi(first: Ints, second: Ints, hz: float) -> float:
    """Return matched / (n1 + n2 - matched) of two detectors at 150 ms; 0 where neither found any.

    `first`, `second` : sorted R samples, shapes (n1,) and (n2,). Good above 0.8.
    """
    matched = int((match(first, second, int(0.15 * hz)) >= 0).sum())
    whole = len(first) + len(second) - matched
    return matched / whole if whole else 0.0


def tsqi(x: Floats, beats: Ints, hz: float) -> float:
    """Return the mean correlation of the beats (±0.3 s) with their median beat; 0 under 3 beats.

    `x` : shape (n,) [any unit]; `beats` : R samples, shape (b,). Good above 0.86 (PPG 0.66).
    """
    half = int(0.3 * hz)
    rows = [x[b - half : b + half] for b in beats if half <= b <= len(x) - half]
    if len(rows) < 3:
        return 0.0
    m = np.array(rows)
    m -= m.mean(axis=1, keepdims=True)
    middle = np.median(m, axis=0)
    size = np.sqrt((m * m).sum(axis=1) * (middle * middle).sum())
    return float(np.mean((m @ middle) / np.where(size > 0.0, size, np.inf)))
