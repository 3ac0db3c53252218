"""Rhythm of every patient, once a second: sinus, AF, pause, asystole, VT, VF.

It rests on the beats of `beats`, and on the raw waveform for what beats cannot tell: fibrillation,
quiet, loss. A beat found in a signal that has fallen silent is noise and ends no asystole.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.signals.beats import Beats
from isosoma.signals.cosen import AF_ABOVE, cosen
from isosoma.signals.events import MEASURES
from isosoma.signals.fibrillation import WINDOW, fibrillation
from isosoma.signals.pressure import LEAST_SWING, wave_pressures
from isosoma.signals.pulsatile import WINDOW as PULSE_WINDOW
from isosoma.signals.pulsatile import pulsatile

__all__ = [
    "RHYTHMS",
    "RhythmState",
    "rhythm_beats",
    "rhythm_other_lead",
    "rhythm_pulse",
    "rhythm_second",
    "rhythm_start",
    "rhythm_wave",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RHYTHMS = (
    "learning", "sinus", "bradycardia", "tachycardia", "atrial fibrillation", "pause", "asystole",
    "ventricular tachycardia", "ventricular fibrillation", "no signal",
)  # fmt: skip
"""Names of `RhythmState.code`."""
_LEARNING, _SINUS, _BRADY, _TACHY, _AF, _PAUSE, _ASYSTOLE, _VT, _VF, _NONE = range(10)

(
    _SILENCE, _STILLNESS, _RATE5, _RATE17, _RUN, _FIBRILLATION, _IS_AF, _LOST, _PULSATILE,
    _NO_PULSE, _FLAT, _SLOWER, _MEAN, _SYSTOLIC, _LINE_LOST,
) = range(15)  # fmt: skip


_NN, _RECENT, _VOTES = 64, 17, 8
_QUIET = 0.12  # of the usual excursion over 4 s, below which the heart is silent
_SMALL = 0.5  # of it, below which nothing since the last beat can have been a QRS complex
_DOUBT = 4.0  # [s] that asystole waits longer where something might have been
_CLEAR = 5.0  # times the noise that a ventricular beat must reach to count in a run
_SURE = 3.0  # mean log-odds of a run of ventricular beats that is called tachycardia
_EVERY = 8  # intervals between two looks for AF
_EVEN, _UNEVEN = 0.10, 0.12  # mean distance of intervals to their median, over it
_SLOWER_BY = 1.15  # times the mean interval of the first lead
_BELIEVED = 30.0  # [s] that an even, slower lead is believed
_HELD_OVER = 0.2  # [s] of loss that the pulse wave bridges

# Columns of tally and level.
(
    _SEEN, _LAST, _BACK, _GONE, _SAME, _NBEATS, _NNN, _VRUN, _VFS, _ISAF, _QUIETS, _PREV, _PULSED,
    _CALM, _OTHER, _PAST, _NRR, _TRUSTED, _PGONE, _PBACK,
) = range(20)  # fmt: skip
_SUM, _X1, _Y1, _USUAL, _HELD, _COSEN, _PSUM, _PHELD, _ODDS = range(9)


class RhythmState(NamedTuple):
    """All patients' rhythm. Leading axis: patient.

    Attributes
    ----------
    setup : shape (4,): rate [Hz], samples per slow sample, samples of the slow rings.
    tally, level : running integers and floats.
    wave, pulse : the last seconds at about 60 Hz, without baseline [V], and of the pulse channel.
    nn : the last 64 intervals between beats that are not ventricular [s].
    recent : the last 17 intervals [s].
    others, other_count : shape (patients, further leads, 8) and (patients, further leads, 2): the
        last intervals on every further lead [s]; how many there have been, and the last R.
    code : rhythm now, index into `RHYTHMS`.
    measures : columns of `events.MEASURES`, as of the last second.
    """

    setup: Floats
    tally: Ints
    level: Floats
    wave: Floats
    pulse: Floats
    nn: Floats
    recent: Floats
    others: Floats
    other_count: Ints
    code: Ints
    measures: Floats


def rhythm_start(patients: int, hz: float, others: int = 0) -> RhythmState:
    """Return the state before the first sample; `hz` [1/s] is the rate, `others` further leads."""
    step = max(1, round(hz / 60.0))
    size, pulse = int(WINDOW * hz / step), int(PULSE_WINDOW * hz / step)
    count = np.zeros((patients, 20), np.int64)
    count[:, [_PREV, _TRUSTED]] = -1, -1 << 40
    measures = np.zeros((patients, len(MEASURES)))
    measures[:, [_RATE5, _RATE17, _NO_PULSE, _MEAN, _SYSTOLIC, _LINE_LOST]] = np.nan
    return RhythmState(
        np.array([hz, step, size, pulse], np.float64), count, np.zeros((patients, 9)),
        np.zeros((patients, size)), np.zeros((patients, pulse)), np.zeros((patients, _NN)),
        np.zeros((patients, _RECENT)), np.zeros((patients, others, _VOTES)),
        np.zeros((patients, others, 2), np.int64), np.zeros(patients, np.int64), measures,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def rhythm_wave(s: RhythmState, samples: Floats) -> None:
    """Take ECG samples, shape (patients, n) [V], into the slow rings; NaN was not received."""
    hz, step, size, many = s.setup[0], int(s.setup[1]), int(s.setup[2]), samples.shape[1]
    keep = math.exp(-2.0 * math.pi * 0.8 * step / hz)  # high-pass at 0.8 Hz
    for p in range(samples.shape[0]):
        c, f, i = s.tally[p], s.level[p], 0
        n, total, held = c[_SEEN], f[_SUM], f[_HELD]
        left, at = step - n % step, (n // step) % size
        while i < many:
            take, after, before = min(left, many - i), total, held
            for j in range(i, i + take):
                before, held = held, samples[p, j]
                after += held
            if after - after == 0.0 and held != before and c[_GONE] == 0 and n > 0:
                total, c[_SAME] = after, 0
            else:
                total, held = _follow(c, samples[p, i : i + take], n, total, f[_HELD], hz)
            f[_HELD] = held
            n, i, left = n + take, i + take, left - take
            if left == 0:
                mean = total / step
                f[_Y1] = keep * (f[_Y1] + mean - f[_X1]) if n > step else 0.0
                f[_X1], s.wave[p, at] = mean, f[_Y1]
                at, total, left = (at + 1) % size, 0.0, step
        c[_SEEN], f[_SUM] = n, total


@njit(cache=True, nogil=True)
def _follow(
    c: Ints, part: Floats, n: int, total: float, held: float, hz: float
) -> tuple[float, float]:
    """Return sum and last value after a few samples of which some are lost or alike; count both."""
    for x in part:
        if x - x == 0.0:
            if c[_GONE] > 0 or n == 0:
                c[_BACK], c[_GONE] = (n if c[_GONE] > 0.5 * hz else c[_BACK]), 0
            c[_SAME] = c[_SAME] + 1 if x == held else 0
            held = x
        else:
            c[_GONE], c[_SAME] = c[_GONE] + 1, 0
        n += 1
        total += held
    return total, held


@njit(cache=True, nogil=True)
def rhythm_pulse(s: RhythmState, samples: Floats) -> None:
    """Take samples of the pulse channel, (patients, n) [any unit]; call before `rhythm_wave`."""
    step, size, bridged = int(s.setup[1]), int(s.setup[3]), _HELD_OVER * s.setup[0]
    for p in range(samples.shape[0]):
        n, total, held = s.tally[p, _SEEN], s.level[p, _PSUM], s.level[p, _PHELD]
        gone = s.tally[p, _PGONE]
        for x in samples[p]:
            n += 1
            if x - x == 0.0:
                if gone > bridged:
                    s.tally[p, _PBACK] = n
                held, gone = x, 0
            else:
                gone += 1
            total += held
            if n % step == 0:
                s.pulse[p, (n // step - 1) % size] = total / step
                total = 0.0
        s.level[p, _PSUM], s.level[p, _PHELD] = total, held
        s.tally[p, _PGONE] = gone


def rhythm_beats(state: RhythmState, beats: Beats) -> None:
    """Take the beats decided since the last call."""
    _take(
        state, beats.patient, beats.r, beats.rr, beats.kind, beats.snr, beats.ventricular
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _take(
    s: RhythmState, patient: Ints, r: Ints, rr: Ints, kind: Ints, snr: Floats, odds: Floats
) -> None:
    hz = s.setup[0]
    for k in range(len(patient)):
        p = patient[k]
        c, interval = s.tally[p], rr[k] / hz
        if c[_QUIETS] == 0:
            c[_LAST] = max(c[_LAST], r[k])
        c[_NBEATS] += 1
        missed = r[k] - rr[k] + 0.3 * hz < c[_PAST] < r[k] - 0.3 * hz  # another lead beat between
        if interval > 0.0 and not missed:
            c[_NRR] += 1
            s.recent[p, c[_NRR] % _RECENT] = interval
        fast = 0.0 < interval < 0.6
        wide = kind[k] == 2 and snr[k] > _CLEAR
        joins = wide and fast
        c[_VRUN] = (c[_VRUN] + 1 if joins else 1) if wide else 0
        s.level[p, _ODDS] = (s.level[p, _ODDS] if joins else 0.0) + odds[k]
        if kind[k] != 2 and c[_PREV] != 2 and 0.2 <= interval <= 3.0:
            s.nn[p, c[_NNN] % _NN] = interval
            c[_NNN] += 1
            if c[_NNN] >= _NN and c[_NNN] % _EVERY == 0:
                _look_for_af(s, p)
        c[_PREV] = kind[k]


def rhythm_other_lead(state: RhythmState, beats: Beats, lead: int = 0) -> None:
    """Take the beats decided on further lead number `lead`, counted from 0.

    The heart is not silent while one lead beats, nor fast while one beats evenly and slowly.
    """
    _take_other(state, lead, beats.patient, beats.r, beats.rr, beats.snr)


@njit(cache=True, nogil=True)
def _take_other(s: RhythmState, lead: int, patient: Ints, r: Ints, rr: Ints, snr: Floats) -> None:
    for k in range(len(patient)):
        p = patient[k]
        if snr[k] > _CLEAR:
            s.tally[p, _OTHER] = max(s.tally[p, _OTHER], r[k])
        if rr[k] > 0:
            s.others[p, lead, s.other_count[p, lead, 0] % _VOTES] = rr[k] / s.setup[0]
            s.other_count[p, lead, 0] += 1
            s.other_count[p, lead, 1] = r[k]


@njit(cache=True, nogil=True)
def _unevenness(intervals: Floats) -> tuple[float, float]:
    """Return the median interval [s], and the mean distance to it over it [1]."""
    middle, far = np.median(intervals), 0.0
    for v in intervals:
        far += abs(v - middle)
    return middle, far / (len(intervals) * middle)


@njit(cache=True, nogil=True)
def _slower(s: RhythmState, p: int) -> bool:
    """Whether a further lead beats evenly and slower while the first counts uneven intervals.

    Then the first counts T waves or artefacts; in a true tachycardia no lead is even and slower.
    """
    c = s.tally[p]
    if c[_NRR] >= _RECENT and s.others.shape[1] > 0:
        _, uneven = _unevenness(s.recent[p])
        for lead in range(s.others.shape[1]):
            count, last = s.other_count[p, lead]
            beating = count >= _VOTES and c[_SEEN] - last < 3.0 * s.setup[0]
            if uneven > _UNEVEN and beating:
                middle, rest = _unevenness(s.others[p, lead])
                if rest < _EVEN and middle > _SLOWER_BY * s.recent[p].mean():
                    c[_TRUSTED] = c[_SEEN]
    return c[_SEEN] - c[_TRUSTED] < _BELIEVED * s.setup[0]


@njit(cache=True, nogil=True)
def _look_for_af(s: RhythmState, p: int) -> None:
    """Judge the last 64 intervals, with a little hysteresis."""
    first, ordered = s.tally[p, _NNN] % _NN, np.empty(_NN)
    for i in range(_NN):
        ordered[i] = s.nn[p, (first + i) % _NN]
    entropy = cosen(ordered)
    s.level[p, _COSEN] = entropy
    if entropy > AF_ABOVE:
        s.tally[p, _ISAF] = 1
    elif entropy < AF_ABOVE - 0.1:
        s.tally[p, _ISAF] = 0


@njit(cache=True, nogil=True)
def _rate(s: RhythmState, p: int, beats: int, typical: bool = False) -> float:
    """Mean rate over the last intervals [1/s]; NaN before there are as many.

    `typical` : at most the rate of the median interval, which a few artefacts do not move.
    """
    n, total, last = s.tally[p, _NRR], 0.0, np.empty(beats)
    if n < beats:
        return math.nan
    for i in range(beats):
        last[i] = s.recent[p, (n - i) % _RECENT]
        total += last[i]
    mean = total / beats
    if typical:
        mean = max(mean, np.median(last))
    return 1.0 / mean if mean > 0.0 else math.nan


@njit(cache=True, nogil=True)
def _ordered(ring: Floats, first: int) -> Floats:
    out = np.empty(len(ring))
    for i in range(len(ring)):
        out[i] = ring[(first + i) % len(ring)]
    return out


@njit(cache=True, nogil=True)
def _waveform(s: RhythmState, p: int) -> None:
    """Look at the raw waveform of the last 4 s: quiet, or fibrillating."""
    c, f, m = s.tally[p], s.level[p], s.measures[p]
    hz, step, size = s.setup[0], int(s.setup[1]), int(s.setup[2])
    if c[_SEEN] - c[_BACK] < size * step or c[_GONE] > 0:
        c[_VFS], c[_QUIETS], c[_CALM] = 0, 0, 1
        m[_FIBRILLATION] = 0.0
        return
    excursion = s.wave[p].max() - s.wave[p].min()
    quiet = excursion < _QUIET * f[_USUAL]
    c[_CALM] = _since_beat(s, p) < _SMALL * f[_USUAL]
    c[_QUIETS] = c[_QUIETS] + 1 if quiet else 0
    if not quiet and c[_SEEN] - c[_LAST] < 2.0 * hz:
        f[_USUAL] += (0.1 if f[_USUAL] > 0.0 else 1.0) * (excursion - f[_USUAL])
    wild = (
        not quiet and fibrillation(_ordered(s.wave[p], (c[_SEEN] // step) % size), hz / step) < 1.0
    )
    c[_VFS] = c[_VFS] + 1 if wild else 0
    m[_FIBRILLATION] = c[_VFS]


@njit(cache=True, nogil=True)
def _since_beat(s: RhythmState, p: int) -> float:
    """Excursion since the T wave of the last beat, over at most 4 s [V]."""
    c, step, size = s.tally[p], int(s.setup[1]), int(s.setup[2])
    after = int((c[_SEEN] - c[_LAST] - 0.5 * s.setup[0]) / step)
    low, high = math.inf, -math.inf
    for i in range(max(0, min(after, size))):
        v = s.wave[p, (c[_SEEN] // step - 1 - i) % size]
        low, high = min(low, v), max(high, v)
    return max(high - low, 0.0)


@njit(cache=True, nogil=True)
def _code(s: RhythmState, p: int) -> int:
    """Rhythm by what endangers most."""
    m, c = s.measures[p], s.tally[p]
    if m[_LOST] > 2.0:
        return _NONE
    if m[_FIBRILLATION] > 1.5:
        return _VF
    if m[_SILENCE] > 3.0:
        return _ASYSTOLE if m[_STILLNESS] > 4.0 and m[_PULSATILE] == 0.0 else _PAUSE
    if m[_RUN] > 4.5:
        return _VT
    if c[_NBEATS] < 6:
        return _LEARNING
    if m[_IS_AF] > 0.0:
        return _AF
    if m[_RATE5] < 50.0 / 60.0:
        return _BRADY
    return _TACHY if m[_RATE5] > 100.0 / 60.0 else _SINUS


@njit(cache=True, nogil=True)
def _silence(s: RhythmState, p: int) -> float:
    """Seconds since a beat on any lead, or since the signal came back [s]."""
    c = s.tally[p]
    return (c[_SEEN] - max(c[_LAST], c[_OTHER], c[_BACK])) / s.setup[0]


@njit(cache=True, nogil=True)
def _second(s: RhythmState, pulse: int) -> None:
    hz = s.setup[0]
    for p in range(len(s.code)):
        c, m = s.tally[p], s.measures[p]
        _waveform(s, p)
        m[_LOST] = c[_GONE] / hz
        m[_FLAT] = c[_SAME] / hz
        m[_SILENCE] = math.nan if c[_GONE] > 0 else _silence(s, p)
        m[_STILLNESS] = m[_SILENCE] - (0.0 if c[_CALM] > 0 else _DOUBT)
        m[_RATE5], m[_RATE17] = _rate(s, p, 5), _rate(s, p, 16, True)
        m[_SLOWER] = 1.0 if _slower(s, p) else 0.0
        sure = s.level[p, _ODDS] > _SURE * c[_VRUN]
        m[_RUN], m[_IS_AF] = (c[_VRUN] if sure else 0), c[_ISAF]
        if m[_SILENCE] > 3.0:
            m[_RUN] = c[_VRUN] = 0
        m[_PULSATILE], m[_NO_PULSE] = 0.0, math.nan
        m[_MEAN], m[_SYSTOLIC], m[_LINE_LOST] = math.nan, math.nan, math.nan
        if pulse > 0:
            _pulse(s, p, pulse)
        s.code[p], c[_PAST] = _code(s, p), c[_OTHER]


@njit(cache=True, nogil=True)
def _pulse(s: RhythmState, p: int, pulse: int) -> None:
    c, m, size, hz = s.tally[p], s.measures[p], len(s.pulse[p]), s.setup[0]
    step = int(s.setup[1])
    if pulse == 2:
        m[_LINE_LOST] = c[_PGONE] / hz
    if c[_SEEN] < size * step:
        return
    x = _ordered(s.pulse[p], (c[_SEEN] // step) % size)
    m[_PULSATILE] = 1.0 if pulsatile(x, hz / step) else 0.0
    if pulse == 1:
        return
    if c[_PGONE] > _HELD_OVER * hz:  # a line that was lost says nothing of the pulse
        c[_PULSED] = c[_SEEN]
        return
    shallow = x.max() - x.min() < LEAST_SWING
    c[_PULSED] = c[_PULSED] if shallow else c[_SEEN]
    m[_NO_PULSE] = (c[_SEEN] - c[_PULSED]) / hz
    if c[_SEEN] - c[_PBACK] >= size * step:
        m[_MEAN], m[_SYSTOLIC] = wave_pressures(x, hz / step)


def rhythm_second(state: RhythmState, pulse: int = 0) -> None:
    """Judge every patient; call at each whole second of the signal.

    `pulse` : 0 no pulse channel, 1 plethysmogram, 2 arterial pressure [Pa].
    """
    _second(state, pulse)
