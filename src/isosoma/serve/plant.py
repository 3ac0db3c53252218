"""A hidden circulation that lives on, and the signals that sensors make of it.

::

    circulation ─ pressures at 250 Hz ─► line, at its transducer's height ─► arterial pressure
                │                     └─► arterial bed, later and smoother ─► plethysmogram
                └ instants of R ─► waves around each ─► ECG

The circulation runs `AHEAD` before what is shown, since a P wave comes before its R.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.intervention import Intervention, apply
from isosoma.quality.levelling import PER_CM
from isosoma.serve.synthetic import MMHG, NORMAL, add_waves
from isosoma.serve.waves import sampled
from isosoma.twin.course import Running

__all__ = [
    "AHEAD", "HZ", "PIECE", "STANDING", "Sensors", "Signals", "advanced", "signals_of", "stilled",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

HZ = 250.0
PIECE = 25
"""Samples made at a time: 100 ms."""
AHEAD = 0.5
"""Time that the circulation runs before what is shown [s]: the P wave of an R to come."""
_WAVE = 0.75  # [s] that the T wave of a beat reaches beyond its R
_TRANSIT, _BASE = 0.09, 2.0  # [s] of the pulse to the finger; of the baseline's filter
STANDING = 7.0 * MMHG
"""Mean filling pressure of a circulation that stands still [Pa] (Guyton 1955, about 7 mmHg)."""
_NOISE, _LINE_NOISE = 12e-6, 0.25 * MMHG  # [V], [Pa]


@dataclass(frozen=True, slots=True)
class Sensors:
    """How the sensors are set up: `lowered`, the transducer below the heart [cm]; ECG on or off."""

    lowered: float = 0.0
    ecg_off: bool = False


@dataclass(slots=True, eq=False)
class Signals:
    """Rings of samples, and what the next piece needs of the ones before.

    Attributes
    ----------
    ecg [V], line [Pa], pulse [1] : shape (n,), overwritten round and round.
    made : samples made so far. last_r, rr : of the last beat [s].
    """

    ecg: Floats
    line: Floats
    pulse: Floats
    rng: np.random.Generator
    made: int = 0
    phase: float = 0.0
    last_r: float = -1.0
    rr: float = 0.85
    base: float = 0.0
    smooth: float = 0.0
    late: list[float] = field(default_factory=list[float])


def signals_of(seconds: float, rng: np.random.Generator) -> Signals:
    """Return empty rings of `seconds` [s]."""
    n = int(seconds * HZ)
    made = Signals(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), rng)
    _clear(made, 0, int(_WAVE * HZ) + 1)
    return made


def advanced(
    run: Running, acts: tuple[Intervention, ...], signals: Signals, sensors: Sensors
) -> Running:
    """Return the circulation 100 ms later; its samples are in the rings.

    Raises
    ------
    ModelError
        The circulation failed, or an act changes its topology.
    """
    theta = apply(acts, "parameter", run.theta, run.time)
    inputs = apply(acts, "input", run.inputs, run.time)
    every = round(1.0 / HZ / run.model.step)
    seen = sampled(run, ("phi", "p_ao", "p_sa"), every, PIECE, theta, inputs)
    if seen.end.failed[0]:
        raise ModelError("the hidden circulation failed", todo="Start the demonstration again")
    rows = {name: values[:, 0] for name, values in seen.rows.items()}
    _write(signals, rows, sensors, float(np.asarray(inputs["fibrillation"])[0]) > 0.5)
    return replace(seen.end, theta=run.theta, inputs=run.inputs)


def stilled(signals: Signals, sensors: Sensors) -> None:
    """Make the next piece of a patient who has died: noise, and the pressure of standing blood."""
    n, first = len(signals.ecg), signals.made
    where = np.arange(first, first + PIECE) % n
    noise = _LINE_NOISE * signals.rng.standard_normal(PIECE)
    signals.line[where] = STANDING + sensors.lowered * PER_CM + noise
    signals.pulse[where] = 0.004 * signals.rng.standard_normal(PIECE)
    _clear(signals, first + int(_WAVE * HZ) + 1, PIECE)
    if sensors.ecg_off:
        signals.ecg[where] = np.nan
    signals.made += PIECE


def _write(signals: Signals, rows: Mapping[str, Floats], sensors: Sensors, no_p: bool) -> None:
    """Put a piece into the rings and the waves of the beats that began in it."""
    n, first = len(signals.ecg), signals.made
    if first == 0:
        signals.base = signals.smooth = float(rows["p_sa"].mean())
    where = np.arange(first, first + PIECE) % n
    noise = _LINE_NOISE * signals.rng.standard_normal(PIECE)
    signals.line[where] = rows["p_ao"] + sensors.lowered * PER_CM + noise
    signals.pulse[where] = _pulse(signals, rows["p_sa"])
    _clear(signals, first + int(_WAVE * HZ) + 1, PIECE)
    for r in _wraps(signals, rows["phi"], first):
        _beat(signals, r, no_p)
    if sensors.ecg_off:  # what is added to it later is lost as well
        signals.ecg[where] = np.nan
    signals.made += PIECE


def _clear(signals: Signals, first: int, count: int) -> None:
    """Begin `count` samples of the ECG at baseline, noise and breath."""
    at = np.arange(first, first + count)
    wander = 3e-5 * np.sin(2 * np.pi * 0.23 * at / HZ)
    noise = _NOISE * signals.rng.standard_normal(count)
    signals.ecg[at % len(signals.ecg)] = wander + noise


def _wraps(signals: Signals, phi: Floats, first: int) -> list[float]:
    """Return the instants [s] at which the phase began anew: the R of each beat."""
    before = np.concatenate([[signals.phase], phi])
    signals.phase = float(phi[-1])
    at = np.flatnonzero(np.diff(before) < -0.5)
    share = (1.0 - before[at]) / (before[at + 1] + 1.0 - before[at])
    return ((first - 1 + at + share) / HZ).tolist()


def _beat(signals: Signals, r: float, no_p: bool) -> None:
    """Add the waves of a beat with its R at `r` [s]."""
    if signals.last_r >= 0.0:
        signals.rr = r - signals.last_r
    signals.last_r = r
    origin = max(0, int((r - AHEAD + 0.05) * HZ))
    piece = np.zeros(int((r + _WAVE) * HZ) - origin)
    waves = NORMAL[1:] if no_p else NORMAL
    add_waves(piece, HZ, r - origin / HZ, waves, signals.rr)
    signals.ecg[np.arange(origin, origin + len(piece)) % len(signals.ecg)] += 1e-3 * piece


def _pulse(signals: Signals, pressure: Floats) -> Floats:
    """Return the plethysmogram [1]: the arterial bed's pressure, later, smoother, no baseline."""
    lag = round(_TRANSIT * HZ)
    line = np.concatenate([signals.late or [pressure[0]] * lag, pressure])
    signals.late = line[-lag:].tolist()
    out = np.empty(len(pressure))
    for i, p in enumerate(line[: len(pressure)]):
        signals.smooth += (p - signals.smooth) / (0.025 * HZ)
        signals.base += (p - signals.base) / (_BASE * HZ)
        out[i] = (signals.smooth - signals.base) / (30.0 * MMHG)
    return out + 0.004 * signals.rng.standard_normal(len(pressure))
