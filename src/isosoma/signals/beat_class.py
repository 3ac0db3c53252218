"""Beat class by shape and timing, at the moment the beat is decided.

Each patient keeps up to eight templates of beat shapes. A beat joins the nearest one, or founds
one. The dominant template is the one with most beats that came in time and were narrow. A beat is
ventricular by log-odds of how far its shape lies from the dominant one, how much wider and larger
it is, how early it came, and how early its like usually come.

Templates after the idea of Hamilton 2002 (Open Source ECG Analysis, Comput Cardiol 29:101); the
coefficients are fitted by ``benchmarks/fit_beat_class.py`` on the 25 MIT-BIH development records
(Moody & Mark 2001, 10.1109/51.932724).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["CLUSTERS", "FEATURES", "POINTS", "STATISTICS", "classify", "features", "shape_of"]

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]

CLUSTERS = 8
POINTS = 40  # of a shape: 80 ms before R to 140 ms after, 180 per second
_BEFORE, _STEP = 0.08, 1.0 / 180.0
_SHIFTS = (0, 1, -1, 2, -2, 3, -3)  # points; the alignments tried
_REACH = 3
_NEW = 0.35  # a shape further than this from every template founds its own

# Columns of the statistics of a template: beats, timely beats, width, area, height, prematurity.
_BEATS, _TIMELY, _WIDTH, _AREA, _HEIGHT, _EARLY = range(6)
STATISTICS = 6

FEATURES = (
    "one", "distance", "distance^2", "rr", "wider", "larger", "higher", "distance*larger",
    "premature", "premature*distance", "width", "dominant", "share", "nearest", "usual_rr",
    "usual_rr*distance", "usually_premature", "distance*wider", "width*distance", "larger^2",
)  # fmt: skip
_COEFFICIENTS = np.array([
    -16.491, 7.826, 0.945, 0.730, -3.526, 8.946, -3.694, -3.281, 2.822, -0.624, 4.420, -0.273,
    -2.528, -1.901, 8.822, -5.098, 2.925, 5.142, -3.794, 0.038,
])  # fmt: skip
_CUT = -0.72


@njit(cache=True, nogil=True)
def shape_of(signal: Halves, at: int, hz: float) -> Halves:
    """Return the beat around index `at` of a signal, `POINTS` values without their median [V]."""
    out = np.empty(POINTS, np.float32)
    for i in range(POINTS):
        t = (i * _STEP - _BEFORE) * hz
        j = math.floor(t)
        a = signal[at + j]
        out[i] = a + (signal[at + j + 1] - a) * np.float32(t - j)
    out -= np.float32(_median(out))
    return out


@njit(cache=True, nogil=True)
def _median(shape: Halves) -> float:
    """Median of a shape by ranks: each value against all, in lanes, where a sort would branch."""
    rank = np.zeros(POINTS, np.int32)
    for v in shape:
        for i in range(POINTS):
            rank[i] += np.int32(v < shape[i])
    lower = upper = np.float32(-np.inf)
    for i in range(POINTS):
        if rank[i] <= (POINTS - 1) // 2:
            lower = max(lower, shape[i])
        if rank[i] <= POINTS // 2:
            upper = max(upper, shape[i])
    return 0.5 * float(lower + upper)


@njit(cache=True, nogil=True)
def _distance(a: Halves, b: Halves, size: float, limit: float) -> tuple[float, int]:
    """Least L1 distance over mean size, and the shift that gives it; at most `limit`.

    The ends are left out so that every shift compares as many points. A sum that passes the least
    one so far is given up. Four sums side by side keep the processor's pipeline full.
    """
    least, at, found = np.float32(limit * size), 0, False
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    for shift in _SHIFTS:
        i, k = np.uint64(_REACH), np.uint64(_REACH + shift)
        s = t = u = v = total = np.float32(0.0)
        for _ in range((POINTS - 2 * _REACH) // 4):
            s += abs(a[k] - b[i])
            t += abs(a[k + one] - b[i + one])
            u += abs(a[k + two] - b[i + two])
            v += abs(a[k + three] - b[i + three])
            i, k, total = i + four, k + four, (s + t) + (u + v)
            if total >= least:
                break
        while total < least and i < np.uint64(POINTS - _REACH):
            total += abs(a[k] - b[i])
            i, k = i + one, k + one
        if total < least:
            least, at, found = total, shift, True
    return (float(least) / size if found else limit), at


@njit(cache=True, nogil=True)
def _size(a: Halves) -> float:
    total = 1e-12
    for v in a:
        total += abs(v)
    return total


@njit(cache=True, nogil=True)
def _nearest(shapes: Halves, stats: Floats, shape: Halves) -> tuple[int, float, int, float]:
    """Return template, distance and shift of the nearest, and the distance to the dominant one."""
    d, own = _dominant(stats), _size(shape)
    if d < 0:
        return -1, 2.0, 0, 0.0
    far, moved = _distance(shape, shapes[d], 0.5 * (own + stats[d, _AREA]), 2.0)
    best, away = d, far
    for k in range(CLUSTERS):
        if stats[k, _BEATS] > 0.0 and k != d and away > 0.0:
            near, shift = _distance(shape, shapes[k], 0.5 * (own + stats[k, _AREA]), away)
            if near < away:
                best, away, moved = k, near, shift
    return best, away, moved, far


@njit(cache=True, nogil=True)
def _dominant(stats: Floats) -> int:
    """Template with most timely beats, narrow ones counted higher; -1 before the first beat."""
    best, score = -1, -1.0
    for k in range(CLUSTERS):
        if stats[k, _BEATS] > 0.0:
            s = stats[k, _TIMELY] / max(stats[k, _WIDTH], 0.02)
            if s > score:
                best, score = k, s
    return best


@njit(cache=True, nogil=True)
def _width(shape: Halves) -> float:
    """Spread in time of the steep parts of a beat [s]."""
    top = 0.0
    for i in range(1, POINTS):
        top = max(top, abs(shape[i] - shape[i - 1]))
    w, first, second = 1e-12, 0.0, 0.0
    for i in range(1, POINTS):
        e = abs(shape[i] - shape[i - 1])
        if e > 0.15 * top:
            w, first, second = w + e, first + e * i, second + e * i * i
    mean = first / w
    return math.sqrt(max(second / w - mean * mean, 0.0)) * _STEP


@njit(cache=True, nogil=True)
def _learn(
    shapes: Halves, stats: Floats, shape: Halves, k: int, shift: int, early: float, width: float
) -> int:
    """Join the beat to template `k`, or found one in place of the rarest; return its number."""
    if k < 0:
        dominant, k = _dominant(stats), -1
        for j in range(CLUSTERS):
            if j != dominant and (k < 0 or stats[j, _BEATS] < stats[k, _BEATS]):
                k = j
        stats[k, :] = 0.0
        stats[k, _EARLY] = 1.0
        shift = 0
    gain = max(0.05, 1.0 / (stats[k, _BEATS] + 1.0))
    area, height = 0.0, 0.0
    for i in range(POINTS):
        area += abs(shape[i])
        height = max(height, abs(shape[i]))
        if 0 <= i + shift < POINTS:
            shapes[k, i] += gain * (shape[i + shift] - shapes[k, i])
    stats[k, _WIDTH] += gain * (width - stats[k, _WIDTH])
    stats[k, _AREA] += gain * (area - stats[k, _AREA])
    stats[k, _HEIGHT] += gain * (height - stats[k, _HEIGHT])
    stats[k, _EARLY] += gain * (min(early, 1.5) - stats[k, _EARLY])
    stats[k, _BEATS] += 1.0
    if 0.85 < early < 1.3:
        stats[k, _TIMELY] += 1.0
    for j in range(CLUSTERS):
        stats[j, _TIMELY] *= 0.997
        stats[j, _BEATS] *= 0.998
    return k


@njit(cache=True, nogil=True)
def features(
    shapes: Halves, stats: Floats, shape: Halves, rr: float, usual: float, hz: float
) -> Floats:
    """Learn from a beat and return its `FEATURES`; the templates are advanced in place."""
    early = rr / usual if usual > 0.0 and rr > 0.0 else 1.0
    width = _width(shape)
    k, away, shift, far = _nearest(shapes, stats, shape)
    if away > _NEW:
        k = -1
    k = _learn(shapes, stats, shape, k, shift, early, width)
    d = _dominant(stats)
    area, height = 1e-12, 1e-12
    for i in range(POINTS):
        area += abs(shape[i])
        height = max(height, abs(shape[i]))
    rr_ = min(max(early, 0.3), 2.0)
    wider = min(max(math.log(max(width, 1e-3) / max(stats[d, _WIDTH], 1e-3)), -1.0), 1.5)
    larger = min(max(math.log(area / max(stats[d, _AREA], 1e-12)), -1.0), 2.0)
    higher = min(max(math.log(height / max(stats[d, _HEIGHT], 1e-12)), -1.0), 2.0)
    premature = 1.0 if early < 0.87 else 0.0
    usual_rr = stats[k, _EARLY]
    share = min(stats[k, _TIMELY] / (stats[d, _TIMELY] + 1e-9), 1.0)
    f = np.empty(len(FEATURES))
    f[0], f[1], f[2], f[3], f[4] = 1.0, far, far * far, rr_, wider
    f[5], f[6], f[7], f[8], f[9] = larger, higher, far * larger, premature, premature * far
    f[10], f[11], f[12], f[13] = 20.0 * width, 1.0 if k == d else 0.0, share, away
    f[14], f[15], f[16] = usual_rr, usual_rr * far, 1.0 if usual_rr < 0.85 else 0.0
    f[17], f[18], f[19] = far * wider, 20.0 * width * far, larger * larger
    return f


@njit(cache=True, nogil=True)
def classify(
    shapes: Halves, stats: Floats, shape: Halves, rr: float, usual: float, hz: float
) -> tuple[int, float]:
    """Return the index into ``NSV`` and the log-odds of a ventricular beat.

    A beat is supraventricular premature (S) when it is not ventricular, looks like the dominant
    beat, and comes more than 15 % early.
    """
    f = features(shapes, stats, shape, rr, usual, hz)
    score = -_CUT
    for i in range(len(f)):
        score += f[i] * _COEFFICIENTS[i]
    if score > 0.0:
        return 2, score
    return (1 if f[8] > 0.0 and f[3] < 0.85 and f[1] < 0.6 else 0), score
