"""Signals into what is shown and printed: causal, and the same for any chunking.

Chunks are cut at whole seconds of the recording's own clock; quality and rhythm are judged there
and at each beat, never at the end of a chunk.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Verdict, Waveform
from isosoma.signals.beats import BEAT_TYPES
from isosoma.signals.monitor import MonitorState, monitor_start, monitor_tick
from isosoma.signals.rhythm import RHYTHMS

__all__ = ["Analysis", "Beat", "Rate", "advance", "begin", "heart_rate"]

Floats = npt.NDArray[np.float64]

WINDOW = 10.0  # [s] of ECG that a quality verdict rests on
MEMORY = 8  # intervals that the shown heart rate rests on


@dataclass(frozen=True, slots=True)
class Beat:
    """One decided beat.

    Attributes
    ----------
    r, decided : sample numbers of R and of the decision.
    kind : N, S or V.
    rr : interval to the beat before [s]; 0 for the first.
    delay : from R to the decision [s].
    rhythm : the rhythm as it stood at the decision.
    quality : weight of the latest quality verdict [1]; -1 before the first.
    """

    r: int
    decided: int
    kind: str
    rr: float
    delay: float
    rhythm: str
    quality: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Heart rate with a 90 % interval of its mean [1/min], and the sample it was last informed."""

    value: float
    low: float
    high: float
    sample: int


@dataclass(slots=True)
class Analysis:
    """State of one recording's analysis, advanced in place by `advance`."""

    hz: float
    monitor: MonitorState
    window: Floats
    seen: int = 0
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))
    quality: Verdict | None = None
    rhythm: str = "learning"
    last_r: int = -1
    flat_since: int = -1


def begin(hz: float) -> Analysis:
    """Return the state before the first sample of an ECG of rate `hz` [1/s]."""
    return Analysis(hz, monitor_start(1, hz), np.full(int(WINDOW * hz), np.nan))


def advance(state: Analysis, chunk: Floats) -> list[Beat]:
    """Take the next samples, shape (n,) [V], NaN where lost, and return the beats decided."""
    found: list[Beat] = []
    second = round(state.hz)
    while len(chunk):
        take = min(len(chunk), second - state.seen % second)
        found += _within(state, chunk[:take])
        chunk = chunk[take:]
        if state.seen % second == 0:
            _judge(state)
    return found


def _within(state: Analysis, part: Floats) -> list[Beat]:
    tick = monitor_tick(state.monitor, part[None, :])
    decided = tick.beats
    state.window = np.concatenate([state.window, part])[-len(state.window) :]
    state.seen += len(part)
    found: list[Beat] = []
    columns = (decided.r, decided.decided, decided.kind, decided.rr, tick.rhythm)
    for r, at, kind, rr, rhythm in zip(*(c.tolist() for c in columns), strict=True):
        if rr > 0:
            state.intervals.append(rr / state.hz)
        state.last_r = r
        weight = state.quality.weight if state.quality else -1.0
        found.append(
            Beat(
                r, at, BEAT_TYPES[kind], rr / state.hz, (at - r) / state.hz,
                RHYTHMS[rhythm], weight,
            )
        )  # fmt: skip
    return found


def _judge(state: Analysis) -> None:
    """Once a second: the rhythm, and the quality of the last 10 s."""
    from isosoma.quality import judge, start

    state.rhythm = RHYTHMS[int(state.monitor.rhythm.code[0])]
    if state.seen < len(state.window):
        return
    counts = np.nan_to_num(state.window * 1e6)
    lost = np.flatnonzero(~np.isfinite(state.window))
    wave = Waveform(
        "live", "ecg", 0, 0, state.hz, np.clip(counts, -32768, 32767).astype(np.int16), 1e-6,
        missing=tuple((int(i), int(i) + 1) for i in lost),
    )  # fmt: skip
    _, state.quality = judge(start(), wave)


def heart_rate(state: Analysis) -> Rate | None:
    """Return the rate of the last beats, None under three intervals or without a beat for 4 s.

    The interval is that of the mean RR, t distributed [Student 1908], never under half a sample.
    """
    n = len(state.intervals)
    if n < 3 or (state.seen - state.last_r) / state.hz > 4.0:
        return None
    rr = np.array(state.intervals)
    mean, spread = float(rr.mean()), float(rr.std(ddof=1))
    half = max(1.9 * spread / math.sqrt(n), 0.5 / state.hz)
    return Rate(60.0 / mean, 60.0 / (mean + half), 60.0 / max(mean - half, 0.1), state.last_r)
