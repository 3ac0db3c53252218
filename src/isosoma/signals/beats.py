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
_BLOCK = 32  # samples that pass each filter together
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
    ring = 1 << math.ceil(math.log2(0.6 * hz + 2 * delay + width + _BLOCK))

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
def _hear(c: Ints, level: Floats, noise: Floats, v: float) -> None:
    """Take a peak as noise."""
    noise[c[_NN] % _RING] = v
    c[_NN] += 1
    level[_NOISE] = _median(noise, c[_NN])


@njit(cache=True, nogil=True)
def _threshold(level: Floats) -> float:
    """Height a candidate must exceed: 40 % of the way from noise to beats."""
    beat, noise = level[_BEAT], level[_NOISE]
    return noise + 0.4 * (beat - noise) if beat > noise else 0.5 * beat


@njit(cache=True, nogil=True)
def _locate(bend: Halves, setup: Floats, peak: int) -> int:
    """Return R: the largest bend within 70 ms of the feature's peak, the nearer the better."""
    mask = np.uint64(len(bend) - 1)
    delay, half = int(setup[5]), int(setup[6])
    reach = int(0.07 * setup[7])
    centre = peak - half  # in time of `bend`, which runs `delay` behind the signal
    best, at, far = -1.0, centre, 0.5 / reach
    for i in range(max(0, centre - reach), centre + reach):
        v = abs(bend[np.uint64(i) & mask]) * (1.0 - far * abs(i - centre))
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
            _hear(c, s.level[p], s.noise[p], s.early_v[p, i])
    c[_SEEN] = 1
    return at


@njit(cache=True, nogil=True)
def _candidate(s: BeatState, p: int, marks: npt.NDArray[np.int64], scores: Floats, at: int) -> int:
    """Judge the pending peak, now 200 ms old."""
    c, level, setup = s.tally[p], s.level[p], s.setup[0]
    peak, v = c[_PT], level[_PV]
    near = peak - int(setup[5] + setup[6])
    if c[_SEEN] == 0:
        if near >= 0 and c[_NT] < _LEARN:
            i = c[_NT]
            s.early_t[p, i], s.early_v[p, i] = _locate(s.bend[p], setup, peak), v
            s.early_shape[p, i] = _shape(s.smooth[p], setup, s.early_t[p, i])
            c[_NT] += 1
        ended = c[_N] - c[_FROM] >= 2.0 * setup[7]
        return _end_learning(s, p, marks, scores, at) if ended else at
    since = near - c[_LAST] if c[_LAST] >= 0 else 1 << 40
    t_wave = since < setup[4] and v < 0.5 * level[_LASTV]
    if v > _threshold(level) and not t_wave:
        r = _locate(s.bend[p], setup, peak)
        return _accept(s, p, r, v, _shape(s.smooth[p], setup, r), marks, scores, at)
    _hear(c, level, s.noise[p], v)
    if since >= setup[4] and v > level[_BV]:
        level[_BV], c[_BT] = v, _locate(s.bend[p], setup, peak)
        s.best_shape[p] = _shape(s.smooth[p], setup, c[_BT])
    return at


@njit(cache=True, nogil=True)
def _shape(smooth: Halves, setup: Floats, r: int) -> Halves:
    """Return the shape of the beat at R from the smoothed signal, which runs half a mean late."""
    return shape_of(smooth, r + int((setup[1] - 1) // 2), setup[7])


@njit(cache=True, nogil=True)
def _look_back(s: BeatState, p: int, marks: npt.NDArray[np.int64], scores: Floats, at: int) -> int:
    """Take the best rejected peak when a beat is overdue; lower the bar after 4 s without any."""
    c, level, n = s.tally[p], s.level[p], s.tally[p, _N]
    if level[_BV] > 0.0 and n > _overdue(c, level, s.setup[0]):
        if level[_BV] > 0.5 * _threshold(level):
            shape = s.best_shape[p].copy()
            at = _accept(s, p, c[_BT], level[_BV], shape, marks, scores, at)
        level[_BV] = 0.0
    if n - max(c[_LAST], c[_TRY]) > 4.0 * s.setup[0, 7]:
        c[_TRY] = n
        for i in range(_RING):
            s.heights[p, i] *= 0.6
        level[_BEAT] = _median(s.heights[p], c[_NQ])
    return at


@njit(cache=True, nogil=True)
def _overdue(c: Ints, level: Floats, setup: Floats) -> int:
    """Sample number after which the next beat is overdue by half an interval."""
    usual = level[_USUAL]
    if usual <= 0.0:
        return 1 << 62
    return c[_LAST] + int(1.5 * usual + setup[3] + setup[5])


@njit(cache=True, nogil=True)
def _next_look(c: Ints, level: Floats, setup: Floats) -> int:
    """Sample number at which `_look_back` can next have something to do."""
    if c[_SEEN] == 0:
        return 1 << 62
    quiet = max(c[_LAST], c[_TRY]) + int(4.0 * setup[7]) + 1
    return min(quiet, _overdue(c, level, setup) + 1) if level[_BV] > 0.0 else quiet


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
def _tick(s: BeatState, samples: Floats, marks: npt.NDArray[np.int64], scores: Floats) -> int:
    at, block = 0, np.empty(_BLOCK)
    for p in range(samples.shape[0]):
        at = _patient(s, p, samples[p], block, marks, scores, at)
    return at


@njit(cache=True, nogil=True)
def _patient(
    s: BeatState, p: int, samples: Floats, block: Floats,
    marks: npt.NDArray[np.int64], scores: Floats, at: int,
) -> int:  # fmt: skip
    """Advance one patient, a block of received samples or one lost sample at a time.

    Only rows travel into the filters: handing over the whole state costs more than a block.
    """
    c, level, setup = s.tally[p], s.level[p], s.setup[0]
    raw, smooth, bend = s.raw[p], s.smooth[p], s.bend[p]
    k, mean, width, i = int(setup[0]), int(setup[1]), int(setup[2]), 0
    while i < len(samples):
        take = _received(samples, i, block)
        if take == 0:
            block[0], take = level[_HELD], 1
            c[_GAP] += 1
        else:
            if c[_N] == 0 or c[_GAP] > int(2.0 * setup[7]):
                _restart(s, p)
                level[_X0], c[_FROM] = block[0], c[_N]
            c[_GAP], level[_HELD] = 0, block[take - 1]
        i += take
        part, n = block[:take], c[_N]
        level[_SUMY] = _smoothen(raw, smooth, n, mean, part, level[_X0], level[_SUMY])
        level[_SUMM] = _bend(smooth, bend, n, k, width, part, level[_SUMM])
        j, look = 0, _next_look(c, level, setup)
        while True:
            j = _peaks(c, level, setup, look, part, j)
            if j == take:
                break
            if c[_PT] >= 0 and c[_N] - c[_PT] >= setup[3]:
                at = _candidate(s, p, marks, scores, at)
                c[_PT], level[_PV], look = -1, 0.0, _next_look(c, level, setup)
            if c[_N] >= look:
                at = _look_back(s, p, marks, scores, at)
                look = _next_look(c, level, setup)
            c[_N], j = c[_N] + 1, j + 1
    return at


@njit(cache=True, nogil=True)
def _received(samples: Floats, i: int, block: Floats) -> int:
    """Copy the samples from `i` on that were received; return how many, at most a block."""
    take = min(len(block), len(samples) - i)
    for j in range(take):
        x = samples[i + j]
        if x - x != 0.0:
            return j
        block[j] = x
    return take


@njit(cache=True, nogil=True)
def _smoothen(
    raw: Floats, smooth: Halves, n: int, mean: int, block: Floats, x0: float, total: float
) -> float:
    """Put the 22 ms mean of a block into its ring and return the running sum, renewed each turn.

    Indices are unsigned: numba then asks no sign at every access.
    """
    few, mask = np.uint64(len(raw) - 1), np.uint64(len(smooth) - 1)
    first, back, share = np.uint64(n), np.uint64(mean), 1.0 / mean
    for j in range(len(block)):
        u, v = first + np.uint64(j), block[j] - x0
        raw[u & few] = v
        total += v - raw[(u - back) & few]
        if u & mask == 0:
            total = 0.0
            for i in range(mean):
                total += raw[(u - np.uint64(i)) & few]
        smooth[u & mask] = total * share
    return total


@njit(cache=True, nogil=True)
def _bend(
    smooth: Halves, bend: Halves, n: int, lag: int, width: int, block: Floats, total: float
) -> float:
    """Put the second difference into its ring and the 100 ms sum of its size into `block`."""
    mask, first = np.uint64(len(bend) - 1), np.uint64(n)
    k, k2, back = np.uint64(lag), np.uint64(2 * lag), np.uint64(width)
    for j in range(len(block)):
        u = first + np.uint64(j)
        z = np.float32(2.0) * smooth[(u - k) & mask] - smooth[u & mask] - smooth[(u - k2) & mask]
        bend[u & mask] = z
        total += float(abs(z)) - float(abs(bend[(u - back) & mask]))
        if u & mask == 0:
            total = 0.0
            for i in range(width):
                total += abs(float(bend[(u - np.uint64(i)) & mask]))
        block[j] = total
    return total


@njit(cache=True, nogil=True)
def _peaks(c: Ints, level: Floats, setup: Floats, look: int, feature: Floats, j: int) -> int:
    """Follow the peaks of the feature from sample `j` of a block; return where one is to be judged.

    That is 200 ms after a peak that stood alone, or at sample number `look`; else the block's end.
    """
    m1, m2, pv, n, pt = level[_M1], level[_M2], level[_PV], c[_N], c[_PT]
    apart = int(setup[3])
    due = min(pt + apart, look) if pt >= 0 else look
    while j < len(feature):
        m = feature[j]
        if m1 > pv and m1 > m and m1 >= m2:  # the rare first: branches cost most here
            pv, pt = m1, n - 1
            due = min(pt + apart, look)
        m2, m1 = m1, m
        if n >= due:
            break
        n, j = n + 1, j + 1
    level[_M1], level[_M2], level[_PV], c[_N], c[_PT] = m1, m2, pv, n, pt
    return j
