"""Live beat detection: one call per tick for a whole fleet, causal, any chunking the same.

A QRS complex is the sharpest bend of the ECG. With y the signal averaged over 22 ms,

    z(t) = 2 y(t - k) - y(t) - y(t - 2k),  k = 30 ms        (second difference, matched to a QRS)
    m(t) = mean of |z| over the last 100 ms

Every peak of m that stands alone for 200 ms is a candidate; it is a beat when it exceeds

    threshold = N + 0.4 (Q - N),  Q, N = medians of the last eight beat and noise peaks,

the adaptive rule, T-wave rule (360 ms, half the height) and look-back (1.5 RR) of Pan & Tompkins
1985 (10.1109/TBME.1985.325532) and Hamilton & Tompkins 1986 (10.1109/TBME.1986.325695). The
second difference suppresses baseline wander; the 22 ms mean, mains and muscle. R is the largest
bend near the peak. The decision falls 0.29 s after R, or at the look-back.

State is a bundle of arrays with a leading patient axis, advanced in place: copying the arrays is a
checkpoint.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import RangeError
from isosoma.signals.beat_class import CLUSTERS, POINTS, STATISTICS, classify, shape_of

__all__ = ["BEAT_TYPES", "BeatState", "Beats", "start", "tick"]

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BEAT_TYPES = "NSV"
"""Letters of `Beats.kind`: normal, supraventricular premature, ventricular (AAMI EC57 classes)."""

_LEARN = 12  # candidates kept during the first two seconds
_RING = 8

# Columns of BeatState.tally (int64) and BeatState.level (float64).
_N, _GAP, _PT, _LAST, _NQ, _NN, _NR, _NT, _BT, _TRY, _SEEN, _FROM = range(12)
_X0, _HELD, _SUMY, _SUMM, _PV, _LASTV, _BV, _M1, _M2, _BEAT, _NOISE, _USUAL = range(12)


class BeatState(NamedTuple):
    """All patients' detectors. Leading axis: patient.

    Attributes
    ----------
    setup : shape (1, 8), the windows in samples and the rate [Hz]; the same for all patients.
    tally, level : running integers (sample numbers, ring counts) and floats (sums, heights).
    raw, smooth, bend : rings of the signal [V], its 22 ms mean and its second difference.
    heights, noise, intervals : rings of the last eight beat and noise peaks [V] and RR [samples].
    early_t, early_v, early_shape : candidates of the learning time, released when it ends.
    best_shape : beat shape at the best rejected candidate, for the look-back.
    shapes, shape_stats : templates of the beat shapes seen, and their statistics.
    """

    setup: Floats
    tally: Ints
    level: Floats
    raw: Floats
    smooth: Halves
    bend: Halves
    heights: Floats
    noise: Floats
    intervals: Floats
    early_t: Ints
    early_v: Floats
    early_shape: Halves
    best_shape: Halves
    shapes: Halves
    shape_stats: Floats


class Beats(NamedTuple):
    """Beats decided in one tick, by patient, in time order for each; every array has shape (n,).

    Attributes
    ----------
    patient : row of the fleet.
    r : sample number of R since the start.
    decided : sample number at which the decision fell; the delay is ``(decided - r) / hz``.
    kind : index into `BEAT_TYPES`.
    rr : samples since the beat before; 0 for the first.
    snr : height of the beat over the present noise level.
    ventricular : log-odds of a ventricular beat.
    """

    patient: Ints
    r: Ints
    decided: Ints
    kind: Ints
    rr: Ints
    snr: Floats
    ventricular: Floats


def start(patients: int, hz: float) -> BeatState:
    """Return the state before the first sample.

    Raises
    ------
    RangeError
        The rate lies outside 100 to 2000 Hz, or there is no patient.
    """
    if not 100.0 <= hz <= 2000.0:
        raise RangeError(f"beats cannot be found at {hz:g} Hz", todo="Give 100 to 2000 Hz")
    if patients < 1:
        raise RangeError(f"there is no fleet of {patients} patients")
    k, mean, width = round(0.03 * hz), max(1, round(0.0222 * hz)), round(0.1 * hz)
    delay = k + (mean - 1) // 2
    setup = [k, mean, width, int(0.2 * hz), int(0.36 * hz), delay, width // 2, hz]
    ring = 1 << math.ceil(math.log2(0.6 * hz + 2 * delay + width))

    few = 1 << math.ceil(math.log2(mean + 1))

    def zeros(*shape: int) -> Floats:
        return np.zeros((patients, *shape))

    def half(*shape: int) -> Halves:  # float32: the fleet's rings should stay in the cache
        return np.zeros((patients, *shape), np.float32)

    count = np.zeros((patients, 12), np.int64)
    count[:, [_PT, _LAST, _BT]] = -1
    return BeatState(
        np.array([setup], np.float64), count, zeros(12), zeros(few), half(ring), half(ring),
        zeros(_RING), zeros(_RING), zeros(_RING), np.zeros((patients, _LEARN), np.int64),
        zeros(_LEARN), half(_LEARN, POINTS), half(POINTS), half(CLUSTERS, POINTS),
        zeros(CLUSTERS, STATISTICS),
    )  # fmt: skip


def tick(state: BeatState, samples: Floats) -> Beats:
    """Advance every patient by a chunk and return the beats that were decided.

    Parameters
    ----------
    state : advanced in place.
    samples : shape (patients, n) [V]; a sample that is not finite was not received: the last value
        is held, and after 2 s of that the detector starts anew.
    """
    patients, n = samples.shape
    if patients != len(state.tally):
        raise RangeError(f"{patients} rows of samples for {len(state.tally)} patients")
    room = patients * (n // int(state.setup[0, 3]) + _LEARN + 3)
    marks, scores = np.empty((room, 5), np.int64), np.empty((room, 2))
    found = _tick(state, np.ascontiguousarray(samples, np.float64), marks, scores)
    m, s = marks[:found], scores[:found]
    return Beats(m[:, 0], m[:, 1], m[:, 2], m[:, 3], m[:, 4], s[:, 0], s[:, 1])


@njit(cache=True, nogil=True)
def _median(ring: Floats, n: int) -> float:
    """Median of the first `n` (at most 8) numbers by their ranks, without a copy; 0 for none."""
    n = min(n, _RING)
    low, high, found = (n - 1) // 2, n // 2, 0.0
    for i in range(n):
        rank = 0
        for j in range(n):
            rank += ring[j] < ring[i] or (ring[j] == ring[i] and j < i)
        found += 0.5 * ring[i] * ((rank == low) + (rank == high))
    return found


@njit(cache=True, nogil=True)
def _hear(s: BeatState, p: int, v: float) -> None:
    """Take a peak as noise."""
    c = s.tally[p]
    s.noise[p, c[_NN] % _RING] = v
    c[_NN] += 1
    s.level[p, _NOISE] = _median(s.noise[p], c[_NN])


@njit(cache=True, nogil=True)
def _threshold(s: BeatState, p: int) -> float:
    """Height a candidate must exceed: 40 % of the way from noise to beats."""
    beat, noise = s.level[p, _BEAT], s.level[p, _NOISE]
    return noise + 0.4 * (beat - noise) if beat > noise else 0.5 * beat


@njit(cache=True, nogil=True)
def _locate(s: BeatState, p: int, peak: int) -> int:
    """Return R: the largest bend within 70 ms of the feature's peak, the nearer the better."""
    mask = s.bend.shape[1] - 1
    delay, half = int(s.setup[0, 5]), int(s.setup[0, 6])
    reach = int(0.07 * s.setup[0, 7])
    centre = peak - half  # in time of `bend`, which runs `delay` behind the signal
    best, at = -1.0, centre
    for i in range(max(0, centre - reach), centre + reach):
        v = abs(s.bend[p, i & mask]) * (1.0 - 0.5 * abs(i - centre) / reach)
        if v > best:
            best, at = v, i
    return at - delay


@njit(cache=True, nogil=True)
def _accept(
    s: BeatState, p: int, r: int, v: float, shape: Halves,
    marks: npt.NDArray[np.int64], scores: Floats, at: int,
) -> int:  # fmt: skip
    """Take a candidate as a beat: update rings, classify, write the mark; return the next row."""
    c = s.tally[p]
    rr = r - c[_LAST] if c[_LAST] >= 0 else 0
    usual, noise = s.level[p, _USUAL], max(s.level[p, _NOISE], 1e-9)
    kind, score = classify(s.shapes[p], s.shape_stats[p], shape, float(rr), usual, s.setup[0, 7])
    if 0 < rr < 3 * s.setup[0, 7]:
        s.intervals[p, c[_NR] % _RING] = rr
        c[_NR] += 1
        s.level[p, _USUAL] = _median(s.intervals[p], c[_NR])
    s.heights[p, c[_NQ] % _RING] = v
    c[_NQ] += 1
    s.level[p, _BEAT] = _median(s.heights[p], c[_NQ])
    c[_LAST], s.level[p, _LASTV] = r, v
    s.level[p, _BV] = 0.0
    marks[at, 0], marks[at, 1], marks[at, 2], marks[at, 3], marks[at, 4] = p, r, c[_N], kind, rr
    scores[at, 0], scores[at, 1] = v / noise, score
    return at + 1


@njit(cache=True, nogil=True)
def _end_learning(
    s: BeatState, p: int, marks: npt.NDArray[np.int64], scores: Floats, at: int
) -> int:
    """Release the candidates of the first two seconds against their own largest."""
    c = s.tally[p]
    highest = 0.0
    for i in range(c[_NT]):
        highest = max(highest, s.early_v[p, i])
    for i in range(c[_NT]):
        if s.early_v[p, i] > 0.45 * highest:
            r, v = s.early_t[p, i], s.early_v[p, i]
            at = _accept(s, p, r, v, s.early_shape[p, i], marks, scores, at)
        else:
            _hear(s, p, s.early_v[p, i])
    c[_SEEN] = 1
    return at


@njit(cache=True, nogil=True)
def _candidate(s: BeatState, p: int, marks: npt.NDArray[np.int64], scores: Floats, at: int) -> int:
    """Judge the pending peak, now 200 ms old."""
    c, hz, v = s.tally[p], s.setup[0, 7], s.level[p, _PV]
    peak = c[_PT]
    c[_PT] = -1
    near = peak - int(s.setup[0, 5] + s.setup[0, 6])
    if c[_SEEN] == 0:
        if near >= 0 and c[_NT] < _LEARN:
            i = c[_NT]
            s.early_t[p, i], s.early_v[p, i] = _locate(s, p, peak), v
            s.early_shape[p, i] = _shape(s, p, s.early_t[p, i])
            c[_NT] += 1
        ended = c[_N] - c[_FROM] >= 2.0 * hz
        return _end_learning(s, p, marks, scores, at) if ended else at
    since = near - c[_LAST] if c[_LAST] >= 0 else 1 << 40
    t_wave = since < s.setup[0, 4] and v < 0.5 * s.level[p, _LASTV]
    if v > _threshold(s, p) and not t_wave:
        r = _locate(s, p, peak)
        return _accept(s, p, r, v, _shape(s, p, r), marks, scores, at)
    _hear(s, p, v)
    if since >= s.setup[0, 4] and v > s.level[p, _BV]:
        s.level[p, _BV], c[_BT] = v, _locate(s, p, peak)
        s.best_shape[p] = _shape(s, p, c[_BT])
    return at


@njit(cache=True, nogil=True)
def _shape(s: BeatState, p: int, r: int) -> Halves:
    """Return the shape of the beat at R from the smoothed signal, which runs half a mean late."""
    return shape_of(s.smooth[p], r + int((s.setup[0, 1] - 1) // 2), s.setup[0, 7])


@njit(cache=True, nogil=True)
def _look_back(s: BeatState, p: int, marks: npt.NDArray[np.int64], scores: Floats, at: int) -> int:
    """Take the best rejected peak when a beat is overdue; lower the bar after 4 s without any."""
    c, n = s.tally[p], s.tally[p, _N]
    if s.level[p, _BV] > 0.0 and n > _overdue(s, p):
        if s.level[p, _BV] > 0.5 * _threshold(s, p):
            shape = s.best_shape[p].copy()
            at = _accept(s, p, c[_BT], s.level[p, _BV], shape, marks, scores, at)
        s.level[p, _BV] = 0.0
    if n - max(c[_LAST], c[_TRY]) > 4.0 * s.setup[0, 7]:
        c[_TRY] = n
        for i in range(_RING):
            s.heights[p, i] *= 0.6
        s.level[p, _BEAT] = _median(s.heights[p], c[_NQ])
    return at


@njit(cache=True, nogil=True)
def _overdue(s: BeatState, p: int) -> int:
    """Sample number after which the next beat is overdue by half an interval."""
    usual = s.level[p, _USUAL]
    if usual <= 0.0:
        return 1 << 62
    return s.tally[p, _LAST] + int(1.5 * usual + s.setup[0, 3] + s.setup[0, 5])


@njit(cache=True, nogil=True)
def _next_look(s: BeatState, p: int) -> int:
    """Sample number at which `_look_back` can next have something to do."""
    c = s.tally[p]
    if c[_SEEN] == 0:
        return 1 << 62
    quiet = max(c[_LAST], c[_TRY]) + int(4.0 * s.setup[0, 7]) + 1
    return min(quiet, _overdue(s, p) + 1) if s.level[p, _BV] > 0.0 else quiet


@njit(cache=True, nogil=True)
def _restart(s: BeatState, p: int) -> None:
    """Forget everything but the sample number, as after a gap."""
    c, n = s.tally[p], s.tally[p, _N]
    c[:] = 0
    c[_N], c[_PT], c[_LAST], c[_BT] = n, -1, -1, -1
    s.level[p, :] = 0.0
    s.raw[p, :] = 0.0
    s.smooth[p, :] = 0.0
    s.bend[p, :] = 0.0
    s.shape_stats[p, :, :] = 0.0


@njit(cache=True, nogil=True)
def _sums(raw: Floats, bend: Halves, n: int, mean: int, width: int) -> tuple[float, float]:
    """Return both running sums taken anew; they would drift."""
    a, b = 0.0, 0.0
    for j in range(mean):
        a += raw[(n - j) & (len(raw) - 1)]
    for j in range(width):
        b += abs(float(bend[(n - j) & (len(bend) - 1)]))
    return a, b


@njit(cache=True, nogil=True)
def _tick(s: BeatState, samples: Floats, marks: npt.NDArray[np.int64], scores: Floats) -> int:
    at = 0
    for p in range(samples.shape[0]):
        at = _patient(s, p, samples[p], marks, scores, at)
    return at


@njit(cache=True, nogil=True)
def _patient(
    s: BeatState, p: int, samples: Floats,
    marks: npt.NDArray[np.int64], scores: Floats, at: int,
) -> int:  # fmt: skip
    """Advance one patient. Long on purpose: in the loop everything lives in registers."""
    raw, smooth, bend, c, level = s.raw[p], s.smooth[p], s.bend[p], s.tally[p], s.level[p]
    k, mean, width = int(s.setup[0, 0]), int(s.setup[0, 1]), int(s.setup[0, 2])
    apart, longest = int(s.setup[0, 3]), int(2.0 * s.setup[0, 7])
    # unsigned indices: numba then asks no sign at every access
    share = 1.0 / mean
    few, mask, k2 = np.uint64(len(raw) - 1), np.uint64(len(bend) - 1), np.uint64(2 * k)
    ku, meanu, widthu = np.uint64(k), np.uint64(mean), np.uint64(width)
    x0, held, sum_y, sum_m, pv = level[_X0], level[_HELD], level[_SUMY], level[_SUMM], level[_PV]
    m1, m2, n, pt, gap = level[_M1], level[_M2], c[_N], c[_PT], c[_GAP]
    look = _next_look(s, p)
    for x in samples:
        if x - x == 0.0:
            if n == 0 or gap > longest:
                c[_N] = n
                _restart(s, p)
                x0, sum_y, sum_m, pv, m1, m2, pt, look = x, 0.0, 0.0, 0.0, 0.0, 0.0, -1, 1 << 62
                c[_FROM] = n
            gap, held = 0, x
        else:
            gap += 1
        u, v = np.uint64(n), held - x0
        raw[u & few] = v
        sum_y += v - raw[(u - meanu) & few]
        y = np.float32(sum_y * share)
        z = np.float32(2.0) * smooth[(u - ku) & mask] - y - smooth[(u - k2) & mask]
        smooth[u & mask], bend[u & mask] = y, z
        sum_m += float(abs(z)) - float(abs(bend[(u - widthu) & mask]))
        if u & mask == 0:
            sum_y, sum_m = _sums(raw, bend, n, mean, width)
        if m1 > pv and m1 > sum_m and m1 >= m2:  # the rare first: branches cost most here
            pv, pt = m1, n - 1
        m2, m1 = m1, sum_m
        if pt >= 0 and n - pt >= apart:
            c[_N], c[_PT], level[_PV] = n, pt, pv
            at = _candidate(s, p, marks, scores, at)
            pt, pv, look = -1, 0.0, _next_look(s, p)
        if n >= look:
            c[_N] = n
            at = _look_back(s, p, marks, scores, at)
            look = _next_look(s, p)
        n += 1
    level[_X0], level[_HELD], level[_SUMY], level[_SUMM], level[_PV] = x0, held, sum_y, sum_m, pv
    level[_M1], level[_M2], c[_N], c[_PT], c[_GAP] = m1, m2, n, pt, gap
    return at
