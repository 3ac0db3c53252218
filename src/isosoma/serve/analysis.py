"""Signals into what is shown and printed: causal, and the same for any chunking.

Beats are those of the recording's chosen ECG. Further leads and a pulse wave, where there are any,
only prove that the lead, not the heart, fell silent or was counted twice.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Verdict, Waveform
from isosoma.serve.recording import Recording
from isosoma.signals.beats import BEAT_TYPES
from isosoma.signals.events import RULES, Rule
from isosoma.signals.monitor import MonitorState, PulseKind, monitor_start, monitor_tick
from isosoma.signals.rhythm import RHYTHMS

__all__ = ["Analysis", "Beat", "Rate", "advance", "begin", "begin_on", "hear", "heart_rate"]

Floats = npt.NDArray[np.float64]

WINDOW = 10.0  # [s] of ECG that a quality verdict rests on
MEMORY = 8  # intervals that the shown heart rate rests on
LEADS = 3  # ECGs that are watched, the chosen one first


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
    judged: int = 0
    rhythm: str = "learning"
    last_r: int = -1


def begin(hz: float, leads: int = 1, rules: Sequence[Rule] = RULES) -> Analysis:
    """Return the state before the first sample of `leads` ECGs of rate `hz` [1/s].

    `rules` : what is watched, with the patient's own limits.
    """
    return Analysis(hz, monitor_start(1, hz, rules, leads), np.full(int(WINDOW * hz), np.nan))


def begin_on(recording: Recording, rules: Sequence[Rule] = RULES) -> Analysis:
    """Return the state before the first sample of a recording."""
    return begin(recording.hz, len(leads_of(recording)), rules)


def leads_of(recording: Recording) -> list[int]:
    """Channels of the ECGs that are watched, the chosen one first."""
    others = [i for i, c in enumerate(recording.channels) if c.variable == "ecg"]
    return [recording.lead, *(i for i in others if i != recording.lead)][:LEADS]


def pulse_of(recording: Recording) -> tuple[int, PulseKind] | None:
    """Channel and kind of the pulse wave: an arterial pressure before a plethysmogram."""
    kinds: tuple[PulseKind, ...] = ("arterial_pressure", "plethysmogram")
    for kind in kinds:
        for i, channel in enumerate(recording.channels):
            if channel.variable == kind:
                return i, kind
    return None


def hear(state: Analysis, recording: Recording, first: int, last: int) -> list[Beat]:
    """Take samples `first` to `last` of a recording; return the beats decided."""
    channels, pulse = recording.channels, pulse_of(recording)
    ecg = np.array([channels[i].values[first:last] for i in leads_of(recording)])
    if pulse is None:
        return advance(state, ecg)
    return advance(state, ecg, channels[pulse[0]].values[first:last], pulse[1])


def advance(
    state: Analysis,
    ecg: Floats,
    pulse: Floats | None = None,
    pulse_kind: PulseKind = "plethysmogram",
) -> list[Beat]:
    """Take the next samples and return the beats decided.

    `ecg` has shape (n,) or (leads, n) [V], `pulse` shape (n,) [Pa or any unit]; NaN where lost.
    """
    leads = ecg[None] if ecg.ndim == 1 else ecg
    found: list[Beat] = []
    second = round(state.hz)
    at, n = 0, leads.shape[1]
    while at < n:
        to = min(n, at + second - state.seen % second)
        part = None if pulse is None else pulse[None, at:to]
        found += _within(state, leads[:, at:to], part, pulse_kind)
        at = to
        if state.seen % second == 0:
            _judge(state)
    return found


def _within(
    state: Analysis, leads: Floats, pulse: Floats | None, pulse_kind: PulseKind
) -> list[Beat]:
    part = leads[0]
    tick = monitor_tick(state.monitor, leads[None], pulse, pulse_kind)
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
    state.judged = state.seen


def heart_rate(state: Analysis) -> Rate | None:
    """Return the rate of the last beats, None where none can be told.

    That is with under three intervals, without a beat for 4 s, and while the ventricles fibrillate.

    The interval is that of the mean RR, t distributed [Student 1908], never under half a sample.
    """
    n = len(state.intervals)
    silent = (state.seen - state.last_r) / state.hz > 4.0
    if n < 3 or silent or state.rhythm == "ventricular fibrillation":
        return None
    rr = np.array(state.intervals)
    mean, spread = float(rr.mean()), float(rr.std(ddof=1))
    half = max(1.9 * spread / math.sqrt(n), 0.5 / state.hz)
    return Rate(60.0 / mean, 60.0 / (mean + half), 60.0 / max(mean - half, 0.1), state.last_r)
