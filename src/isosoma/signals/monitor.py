"""Beats, rhythm and events of a fleet, one call per tick; any chunking gives the same output.

Beats are decided at their own sample; rhythm and events at whole seconds of the signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.signals import beats as detector
from isosoma.signals.beats import Beats, BeatState
from isosoma.signals.events import (
    RULES,
    Events,
    EventState,
    Rule,
    events_start,
    events_tick,
)
from isosoma.signals.rhythm import (
    RhythmState,
    rhythm_beats,
    rhythm_other_lead,
    rhythm_pulse,
    rhythm_second,
    rhythm_start,
    rhythm_wave,
)

__all__ = ["MonitorState", "Tick", "monitor_start", "monitor_tick"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PulseKind = Literal["plethysmogram", "arterial_pressure"]


@dataclass(slots=True)
class MonitorState:
    """State of a fleet; every part has a leading patient axis. Advanced in place.

    Attributes
    ----------
    hz : samples per second [1/s].
    seen : samples taken so far.
    beats, rhythm, events : states of the three.
    others : detectors of the further leads.
    """

    hz: float
    seen: int
    beats: BeatState
    rhythm: RhythmState
    events: EventState
    others: tuple[BeatState, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What `Events.rule` counts in."""
        return self.events.rules


class Tick(NamedTuple):
    """What one tick decided.

    Attributes
    ----------
    beats : the beats.
    rhythm : shape (beats,), rhythm as it stood when each was decided; index into `RHYTHMS`.
    events : what began and ended.
    """

    beats: Beats
    rhythm: Ints
    events: Events


def monitor_start(
    patients: int, hz: float, rules: Sequence[Rule] = RULES, leads: int = 1
) -> MonitorState:
    """Return the state before the first sample of `patients` ECGs of rate `hz` [1/s].

    Beats and rhythm are those of the first lead; further leads can prove that it is the first that
    fell silent, and not the heart.

    Raises
    ------
    RangeError
        The rate lies outside 100 to 2000 Hz, or there is no patient.
    """
    found = detector.start(patients, hz)
    others = tuple(detector.start(patients, hz) for _ in range(leads - 1))
    rhythm, events = rhythm_start(patients, hz, leads - 1), events_start(patients, rules)
    return MonitorState(hz, 0, found, rhythm, events, others)


def monitor_tick(
    state: MonitorState,
    ecg: Floats,
    pulse: Floats | None = None,
    pulse_kind: PulseKind = "plethysmogram",
) -> Tick:
    """Advance every patient by a chunk.

    Parameters
    ----------
    state : advanced in place.
    ecg : shape (patients, n), or (patients, leads, n) [V]; NaN or infinite where a sample was not
        received.
    pulse : shape (patients, n): plethysmogram [any unit] or arterial pressure [Pa], evidence of
        flow.
    pulse_kind : which of the two; only a pressure can raise "no pulse".
    """
    leads = ecg[:, None, :] if ecg.ndim == 2 else ecg
    if leads.shape[1] != 1 + len(state.others):
        raise RangeError(f"{leads.shape[1]} leads for a monitor of {1 + len(state.others)}")
    if pulse is not None and pulse.shape != leads[:, 0].shape:
        raise RangeError(f"the pulse has shape {pulse.shape}, the ECG {ecg.shape}")
    kind = 0 if pulse is None else 1 + (pulse_kind == "arterial_pressure")
    parts, at, n = list[Tick](), 0, leads.shape[2]
    while at < n or not parts:
        due = round((int(state.seen / state.hz + 1e-9) + 1) * state.hz)
        take = min(n - at, due - state.seen)
        part = None if pulse is None else pulse[:, at : at + take]
        parts.append(_advance(state, leads[:, :, at : at + take], part, kind, due))
        at += take
    return parts[0] if len(parts) == 1 else _join(parts)


def _advance(state: MonitorState, leads: Floats, pulse: Floats | None, kind: int, due: int) -> Tick:
    """Advance to at most sample `due`, the next whole second."""
    ecg = np.ascontiguousarray(leads[:, 0], np.float64)
    found = detector.tick(state.beats, ecg)
    rhythm = state.rhythm.code[found.patient]
    if pulse is not None:
        rhythm_pulse(state.rhythm, np.ascontiguousarray(pulse, np.float64))
    rhythm_wave(state.rhythm, ecg)
    rhythm_beats(state.rhythm, found)
    for i, other in enumerate(state.others):
        rhythm_other_lead(state.rhythm, detector.tick(other, leads[:, i + 1]), i)
    state.seen += ecg.shape[1]
    if state.seen < due:
        none = np.zeros(0, np.int64)
        return Tick(found, rhythm, Events(none, none, np.zeros(0), np.zeros(0, np.bool_)))
    rhythm_second(state.rhythm, kind)
    now = round(due / state.hz)
    return Tick(found, rhythm, events_tick(state.events, state.rhythm.measures, float(now)))


def _join(parts: list[Tick]) -> Tick:
    """Put the parts of a tick together: beats by patient and then by time, events by time."""
    found, events = [p.beats for p in parts], [p.events for p in parts]
    order = np.argsort(np.concatenate([b.patient for b in found]), kind="stable")
    beats = Beats(
        np.concatenate([b.patient for b in found])[order],
        np.concatenate([b.r for b in found])[order],
        np.concatenate([b.decided for b in found])[order],
        np.concatenate([b.kind for b in found])[order],
        np.concatenate([b.rr for b in found])[order],
        np.concatenate([b.snr for b in found])[order],
        np.concatenate([b.ventricular for b in found])[order],
    )
    changes = Events(
        np.concatenate([e.patient for e in events]),
        np.concatenate([e.rule for e in events]),
        np.concatenate([e.at for e in events]),
        np.concatenate([e.raised for e in events]),
    )
    return Tick(beats, np.concatenate([p.rhythm for p in parts])[order], changes)
