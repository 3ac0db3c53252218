"""Live beat detection: one call per tick for a whole fleet, causal, any chunking the same.

A QRS complex is the sharpest bend of the ECG; `qrs_feature` gives its size m(t), a sum over 100 ms.
Every peak of m that stands alone for 200 ms is a candidate; it is a beat when it exceeds

    threshold = N + 0.4 (Q - N),  Q, N = medians of the last eight beat and noise peaks,

the adaptive rule, T-wave rule (360 ms, half the height) and look-back (1.5 RR) of Pan & Tompkins
1985 (10.1109/TBME.1985.325532) and Hamilton & Tompkins 1986 (10.1109/TBME.1986.325695). The
second difference suppresses baseline wander; the 22 ms mean, mains and muscle. R is the largest
bend near the peak. The decision falls 0.29 s after R, or at the look-back.

State is a bundle of arrays with a leading patient axis, advanced in place: copying the arrays is a
checkpoint. What a detector has learnt is one record: numba counts references to every array that a
call is handed, and a bundle of twelve cost more than the filters.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import RangeError
from isosoma.signals.beat_class import CLUSTERS, POINTS, STATISTICS, classify, shape_of
from isosoma.signals.qrs_feature import bend_size, moving_mean, place, received

__all__ = ["BEAT_TYPES", "BeatState", "Beats", "start", "tick"]

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Record = Any  # one row of `BeatState.patient`, whose fields numba knows

BEAT_TYPES = "NSV"
"""Letters of `Beats.kind`: normal, supraventricular premature, ventricular (AAMI EC57 classes)."""

_LEARN = 12  # candidates kept during the first two seconds
_BLOCK = 256  # samples that pass each filter together
_RING = 8


_PATIENT = np.dtype(
    [
        ("n", "i8"),  # samples taken
        ("since", "i8"),  # sample number at which it began, or began anew
        ("gap", "i8"),  # samples lost in a row
        ("learnt", "i8"),  # 1 after the first two seconds
        ("candidates", "i8"),  # met while learning
        ("peak_at", "i8"),  # the peak that waits for its judgement; -1 for none
        ("last", "i8"),  # R of the last beat; -1 for none
        ("lowered", "i8"),  # when the bar was last lowered
        ("best_at", "i8"),  # R of the best rejected peak
        ("beats", "i8"),
        ("noises", "i8"),
        ("rrs", "i8"),
        ("held", "f8"),  # last sample received [V]
        ("zero", "f8"),  # first sample [V]
        ("sum_signal", "f8"),
        ("sum_bend", "f8"),
        ("m1", "f8"),  # the feature one and two samples ago
        ("m2", "f8"),
        ("peak", "f8"),
        ("last_height", "f8"),
        ("best", "f8"),
        ("beat_height", "f8"),
        ("noise_height", "f8"),
        ("usual_rr", "f8"),  # [samples]
        ("heights", "f8", _RING),
        ("noise", "f8", _RING),
        ("intervals", "f8", _RING),
        ("early_at", "i8", _LEARN),
        ("early", "f8", _LEARN),
        ("early_shape", "f4", (_LEARN, POINTS)),
        ("best_shape", "f4", POINTS),
        ("shapes", "f4", (CLUSTERS, POINTS)),
        ("shape_stats", "f8", (CLUSTERS, STATISTICS)),
    ],
    align=True,
)


class BeatState(NamedTuple):
    """All patients' detectors. Leading axis: patient.

    Attributes
    ----------
    setup : shape (8,), the windows in samples and the rate [Hz]; the same for all patients.
    patient : shape (patients,), records of what each detector has learnt.
    raw, smooth, bend : the last of the signal [V], its 22 ms mean, its second difference; new last.
    """

    setup: Floats
    patient: npt.NDArray[np.void]
    raw: Floats
    smooth: Halves
    bend: Halves


class Window(NamedTuple):
    """Smoothed signal and bend [V] of one patient: the past, then the block; index 0 = `origin`."""

    origin: int
    smooth: Halves
    bend: Halves


class Marks(NamedTuple):
    """Rows for the beats of a tick, to be written."""

    number: Ints  # patient, R, decision, kind, RR
    score: Floats  # height over noise, log-odds of a ventricular beat


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
    past = math.ceil(0.5 * hz) + 2 * delay + width  # R of a judged peak, and 80 ms before

    patient = np.zeros(patients, _PATIENT)
    for name in ("peak_at", "last", "best_at"):
        patient[name] = -1
    signal, half = np.zeros((patients, mean)), np.zeros((patients, past), np.float32)
    return BeatState(np.array(setup, np.float64), patient, signal, half, half.copy())


def tick(state: BeatState, samples: Floats) -> Beats:
    """Advance every patient by a chunk and return the beats that were decided.

    Parameters
    ----------
    state : advanced in place.
    samples : shape (patients, n) [V]; a sample that is not finite was not received: the last value
        is held, and after 2 s of that the detector starts anew.
    """
    patients, n = samples.shape
    if patients != len(state.patient):
        raise RangeError(f"{patients} rows of samples for {len(state.patient)} patients")
    room = patients * (n // int(state.setup[3]) + _LEARN + 3)
    out = Marks(np.empty((room, 5), np.int64), np.empty((room, 2)))
    found = _tick(state, np.ascontiguousarray(samples, np.float64), out)
    m, s = out.number[:found], out.score[:found]
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
def _hear(a: Record, v: float) -> None:
    """Take a peak as noise."""
    a.noise[a.noises % _RING] = v
    a.noises += 1
    a.noise_height = _median(a.noise, a.noises)


@njit(cache=True, nogil=True)
def _threshold(a: Record) -> float:
    """Height a candidate must exceed: 40 % of the way from noise to beats."""
    beat, noise = a.beat_height, a.noise_height
    return noise + 0.4 * (beat - noise) if beat > noise else 0.5 * beat


@njit(cache=True, nogil=True)
def _locate(window: Window, setup: Floats, peak: int) -> int:
    """Return R: the largest bend within 70 ms of the feature's peak, the nearer the better."""
    delay, half = int(setup[5]), int(setup[6])
    reach = int(0.07 * setup[7])
    centre = peak - half  # in time of `bend`, which runs `delay` behind the signal
    best, at, far = -1.0, centre, 0.5 / reach
    for i in range(max(0, centre - reach), centre + reach):
        v = abs(window.bend[i - window.origin]) * (1.0 - far * abs(i - centre))
        if v > best:
            best, at = v, i
    return at - delay


@njit(cache=True, nogil=True)
def _accept(a: Record, hz: float, r: int, v: float, shape: Halves, out: Marks, at: int) -> int:
    """Take a candidate as a beat: update rings, classify, write the mark; return the next row."""
    rr = r - a.last if a.last >= 0 else 0
    kind, score = classify(a.shapes, a.shape_stats, shape, float(rr), a.usual_rr, hz)
    if 0 < rr < 3 * hz:
        a.intervals[a.rrs % _RING] = rr
        a.rrs += 1
        a.usual_rr = _median(a.intervals, a.rrs)
    a.heights[a.beats % _RING] = v
    a.beats += 1
    a.beat_height = _median(a.heights, a.beats)
    a.last, a.last_height, a.best = r, v, 0.0
    out.number[at, 1], out.number[at, 2], out.number[at, 3], out.number[at, 4] = r, a.n, kind, rr
    out.score[at, 0], out.score[at, 1] = v / max(a.noise_height, 1e-9), score
    return at + 1


@njit(cache=True, nogil=True)
def _end_learning(a: Record, hz: float, out: Marks, at: int) -> int:
    """Release the candidates of the first two seconds against their own largest."""
    highest = 0.0
    for i in range(a.candidates):
        highest = max(highest, a.early[i])
    for i in range(a.candidates):
        if a.early[i] > 0.45 * highest:
            at = _accept(a, hz, a.early_at[i], a.early[i], a.early_shape[i], out, at)
        else:
            _hear(a, a.early[i])
    a.learnt = 1
    return at


@njit(cache=True, nogil=True)
def _candidate(a: Record, window: Window, setup: Floats, out: Marks, at: int) -> int:
    """Judge the pending peak, now 200 ms old."""
    v, near, hz = a.peak, a.peak_at - int(setup[5] + setup[6]), setup[7]
    if a.learnt == 0:
        if near >= 0 and a.candidates < _LEARN:
            i, r = a.candidates, _locate(window, setup, a.peak_at)
            a.early_at[i], a.early[i] = r, v
            a.early_shape[i] = _shape(window, setup, r)
            a.candidates += 1
        return _end_learning(a, hz, out, at) if a.n - a.since >= 2.0 * hz else at
    gone = near - a.last if a.last >= 0 else 1 << 40
    t_wave = gone < setup[4] and v < 0.5 * a.last_height
    if v > _threshold(a) and not t_wave:
        r = _locate(window, setup, a.peak_at)
        return _accept(a, hz, r, v, _shape(window, setup, r), out, at)
    _hear(a, v)
    if gone >= setup[4] and v > a.best:
        a.best, a.best_at = v, _locate(window, setup, a.peak_at)
        a.best_shape[:] = _shape(window, setup, a.best_at)
    return at


@njit(cache=True, nogil=True)
def _shape(window: Window, setup: Floats, r: int) -> Halves:
    """Return the shape of the beat at R from the smoothed signal, which runs half a mean late."""
    return shape_of(window.smooth, r + int((setup[1] - 1) // 2) - window.origin, setup[7])


@njit(cache=True, nogil=True)
def _look_back(a: Record, setup: Floats, out: Marks, at: int) -> int:
    """Take the best rejected peak when a beat is overdue; lower the bar after 4 s without any."""
    if a.best > 0.0 and a.n > _overdue(a, setup):
        if a.best > 0.5 * _threshold(a):
            at = _accept(a, setup[7], a.best_at, a.best, a.best_shape.copy(), out, at)
        a.best = 0.0
    if a.n - max(a.last, a.lowered) > 4.0 * setup[7]:
        a.lowered = a.n
        for i in range(_RING):
            a.heights[i] *= 0.6
        a.beat_height = _median(a.heights, a.beats)
    return at


@njit(cache=True, nogil=True)
def _overdue(a: Record, setup: Floats) -> int:
    """Sample number after which the next beat is overdue by half an interval."""
    if a.usual_rr <= 0.0:
        return 1 << 62
    return a.last + int(1.5 * a.usual_rr + setup[3] + setup[5])


@njit(cache=True, nogil=True)
def _next_look(a: Record, setup: Floats) -> int:
    """Sample number at which `_look_back` can next have something to do."""
    if a.learnt == 0:
        return 1 << 62
    quiet = max(a.last, a.lowered) + int(4.0 * setup[7]) + 1
    return min(quiet, _overdue(a, setup) + 1) if a.best > 0.0 else quiet


@njit(cache=True, nogil=True)
def _tick(s: BeatState, samples: Floats, out: Marks) -> int:
    """Advance patient by patient, a block at a time; return how many rows of `out` were written."""
    at, mean, past = 0, s.raw.shape[1], s.bend.shape[1]
    raw, work = np.empty(mean + _BLOCK), np.empty(_BLOCK)
    smooth = np.empty(past + _BLOCK, np.float32)
    bend = np.empty(past + _BLOCK, np.float32)
    for p in range(samples.shape[0]):
        began = at
        for first in range(0, samples.shape[1], _BLOCK):
            part = samples[p, first : first + _BLOCK]
            window = Window(s.patient[p].n - past, smooth, bend)
            place(s.raw[p], raw)
            place(s.smooth[p], smooth)
            place(s.bend[p], bend)
            at = _block(s.patient[p], part, raw, window, s.setup, work, out, at)
            place(raw[len(part) :], s.raw[p])
            place(smooth[len(part) :], s.smooth[p])
            place(bend[len(part) :], s.bend[p])
        for i in range(began, at):
            out.number[i, 0] = p
    return at


@njit(cache=True, nogil=True)
def _block(
    a: Record, samples: Floats, raw: Floats, window: Window, setup: Floats, work: Floats,
    out: Marks, at: int,
) -> int:  # fmt: skip
    """Advance one patient by at most a block: received samples together, a lost one alone."""
    k, mean, width = int(setup[0]), int(setup[1]), int(setup[2])
    past, i = len(window.bend) - _BLOCK, 0
    while i < len(samples):
        take = received(samples, i)
        if take == 0:
            take = 1
            a.gap += 1
            raw[mean + i] = a.held - a.zero
        else:
            if a.n == 0 or a.gap > int(2.0 * setup[7]):
                _restart(a, samples[i])
                raw[: mean + i], window.smooth[: past + i], window.bend[: past + i] = 0.0, 0.0, 0.0
            a.gap, a.held = 0, samples[i + take - 1]
            for j in range(i, i + take):
                raw[mean + j] = samples[j] - a.zero
        part = work[:take]
        smooth, bend = window.smooth[i:], window.bend[i:]
        fresh = raw[i : mean + i + take]
        a.sum_signal = moving_mean(fresh, smooth[past:], part, a.n, a.sum_signal)
        a.sum_bend = bend_size(smooth, bend, past, k, width, part, a.n, a.sum_bend)
        at = _judge(a, window, setup, part, out, at)
        i += take
    return at


@njit(cache=True, nogil=True)
def _restart(a: Record, zero: float) -> None:
    """Forget everything but the sample number, as after a gap; the caller clears the past."""
    a.since, a.zero = a.n, zero
    a.peak_at = a.last = a.best_at = -1
    a.learnt = a.candidates = a.lowered = a.beats = a.noises = a.rrs = 0
    a.sum_signal = a.sum_bend = a.m1 = a.m2 = a.peak = a.last_height = a.best = 0.0
    a.beat_height = a.noise_height = a.usual_rr = 0.0
    a.shape_stats[:] = 0.0


@njit(cache=True, nogil=True)
def _judge(a: Record, window: Window, setup: Floats, feature: Floats, out: Marks, at: int) -> int:
    """Follow the peaks of the feature and decide on those whose time has come."""
    j, look = 0, _next_look(a, setup)
    while True:
        j = _peaks(a, int(setup[3]), look, feature, j)
        if j == len(feature):
            return at
        if a.peak_at >= 0 and a.n - a.peak_at >= setup[3]:
            at = _candidate(a, window, setup, out, at)
            a.peak_at, a.peak, look = -1, 0.0, _next_look(a, setup)
        if a.n >= look:
            at = _look_back(a, setup, out, at)
            look = _next_look(a, setup)
        a.n, j = a.n + 1, j + 1


@njit(cache=True, nogil=True)
def _peaks(a: Record, apart: int, look: int, feature: Floats, j: int) -> int:
    """Follow the peaks of the feature from sample `j` of a block; return where one is to be judged.

    That is 200 ms after a peak that stood alone, or at sample number `look`; else the block's end.
    """
    m1, m2, pv, n, pt = a.m1, a.m2, a.peak, a.n, a.peak_at
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
    a.m1, a.m2, a.peak, a.n, a.peak_at = m1, m2, pv, n, pt
    return j
