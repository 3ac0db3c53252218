"""A patient of our own making, with known truth: ECG, arterial pressure, plethysmogram.

Each wave is a Gaussian around R, after McSharry et al. 2003 (10.1109/TBME.2003.808805; table 1,
amplitudes scaled to a lead II of 1.1 mV); distances to R stretch with the root of RR. Intervals
follow breathing and Mayer waves as there; ectopic beats come early and pause after; in atrial
fibrillation intervals are independent and there is no P wave. Asystole is baseline and noise;
fibrillation a sum of sines between 3 and 6 Hz. Pulse waves are the shape of a pulse, not a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError

__all__ = ["Episode", "Plan", "Synthetic", "synthesise"]

Floats = npt.NDArray[np.float64]
Kind = Literal["af", "asystole", "vf", "vt", "flat", "lost"]

_PA_PER_MMHG = 133.322
# Height [V], centre [s from R at RR = 1 s], width [s] of P, Q, R, S, T.
_NORMAL = (
    (0.13e-3, -0.170, 0.024),
    (-0.10e-3, -0.028, 0.009),
    (1.10e-3, 0.0, 0.010),
    (-0.24e-3, 0.026, 0.010),
    (0.32e-3, 0.270, 0.052),
)
_VENTRICULAR = ((1.45e-3, 0.0, 0.034), (-0.62e-3, 0.078, 0.040), (-0.48e-3, 0.278, 0.070))


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that lasts from `start` to `stop` [s]: ``lost`` is a lead off (NaN)."""

    kind: Kind
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What the patient does.

    Attributes
    ----------
    rate : mean heart rate [1/s].
    variability : scale of the heart-rate waves [1]; 1 is a healthy adult at rest.
    ventricular, supraventricular : share of ectopic beats [1].
    noise, wander : muscle noise (standard deviation) and baseline wander (amplitude) [V].
    episodes : in any order, not overlapping.
    """

    rate: float = 1.2
    variability: float = 1.0
    ventricular: float = 0.0
    supraventricular: float = 0.0
    noise: float = 12e-6
    wander: float = 40e-6
    episodes: Sequence[Episode] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, eq=False)
class Synthetic:
    """What was made, with its truth.

    Attributes
    ----------
    hz : samples per second [1/s] of the three waveforms, each of shape (n,).
    ecg [V], pressure [Pa], plethysmogram [1].
    r : shape (beats,), instants of R [s].
    kinds : shape (beats,), letters N, S, V.
    """

    hz: float
    ecg: Floats
    pressure: Floats
    plethysmogram: Floats
    r: Floats
    kinds: npt.NDArray[np.str_]


def synthesise(seconds: float, hz: float, seed: int, plan: Plan | None = None) -> Synthetic:
    """Make `seconds` [s] of waveforms at `hz` [1/s]; the same seed gives the same patient.

    Raises
    ------
    RangeError
        The rate of the heart or of the samples is not one a waveform can be made of.
    """
    plan = plan or Plan()
    if not 0.2 <= plan.rate <= 5.0 or not 50.0 <= hz <= 5000.0 or seconds <= 0.0:
        raise RangeError(
            f"no waveform of {seconds:g} s at {hz:g} Hz with {plan.rate:g} beats per second",
            todo="Give 0.2 to 5 beats per second and 50 to 5000 Hz",
        )
    rng = np.random.Generator(np.random.Philox(key=seed))
    n = int(seconds * hz)
    r, kinds = _beats(seconds, plan, rng)
    t = np.arange(n) / hz
    ecg = _beat_waves(n, hz, r, kinds, plan)
    ecg += plan.wander * np.sin(2 * np.pi * 0.25 * t + rng.uniform(0, 6.28))
    ecg += _noise(n, hz, plan.noise, rng)
    for one in plan.episodes:
        _overlay(ecg, t, one, rng)
    breath = np.sin(2 * np.pi * 0.25 * t)
    pulses = _pulses(t, r, kinds, 0.16)
    pressure = _PA_PER_MMHG * (76.0 + 46.0 * pulses + 1.5 * breath)
    soft = np.convolve(_pulses(t, r, kinds, 0.22), np.full(w := max(1, int(0.06 * hz)), 1 / w))
    return Synthetic(hz, ecg, pressure, soft[:n] + 0.02 * breath, r, kinds)


def _during(plan: Plan, at: float) -> str:
    for one in plan.episodes:
        if one.start <= at < one.stop:
            return one.kind
    return ""


def _beats(
    seconds: float, plan: Plan, rng: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.str_]]:
    """Instants of R [s] and their kinds; none during asystole and fibrillation."""
    at, out, kinds, before = 0.6, list[float](), list[str](), "N"
    while at < seconds - 0.6:
        state = _during(plan, at)
        if state in ("asystole", "vf", "flat"):
            at = next(e.stop for e in plan.episodes if e.start <= at < e.stop) + 0.5
            continue
        kind, wait = _next(state, at, before, plan, rng)
        if before == "N" and kind != "N" and state == "" and out:
            at -= (0.35 if kind == "V" else 0.28) / plan.rate  # early, measured from its own time
        out.append(at)
        kinds.append(kind)
        at, before = at + wait, kind
    return np.array(out), np.array(kinds, np.str_)


def _next(
    state: str, at: float, before: str, plan: Plan, rng: np.random.Generator
) -> tuple[str, float]:
    """Kind of the beat due now and the wait after it [s]."""
    usual = 1.0 / plan.rate
    if state == "vt":
        return "V", 0.36 + 0.01 * rng.standard_normal()
    if state == "af":
        return "N", float(np.clip(usual * (0.8 + 0.22 * rng.standard_normal()), 0.32, 1.8))
    wave = 0.035 * np.sin(2 * np.pi * 0.25 * at) + 0.02 * np.sin(2 * np.pi * 0.095 * at)
    step = usual * (1.0 + plan.variability * (wave + 0.006 * rng.standard_normal()))
    draw = rng.random()
    if before != "N" or draw > plan.ventricular + plan.supraventricular:
        return "N", step
    return ("V", 1.35 * step) if draw < plan.ventricular else ("S", 1.05 * step)


def _beat_waves(n: int, hz: float, r: Floats, kinds: npt.NDArray[np.str_], plan: Plan) -> Floats:
    out = np.zeros(n)
    intervals = np.clip(np.append(np.diff(r), 1.0 / plan.rate), 0.4, 1.5)
    for at, kind, rr in zip(r, kinds, intervals, strict=True):
        waves = _VENTRICULAR if kind == "V" else _NORMAL
        if kind == "N" and _during(plan, at) == "af":
            waves = waves[1:]
        a, b = max(0, int((at - 0.4) * hz)), min(n, int((at + 0.7) * hz))
        t = np.arange(a, b) / hz - at
        for height, centre, width in waves:
            far = np.sqrt(rr) if abs(centre) > 0.15 else 1.0
            out[a:b] += height * np.exp(-0.5 * ((t - centre * far) / width) ** 2)
    return out


def _noise(n: int, hz: float, size: float, rng: np.random.Generator) -> Floats:
    """Muscle noise of standard deviation `size`, band-limited by a 10 ms mean."""
    w = max(1, int(0.01 * hz))
    white = rng.standard_normal(n + w - 1)
    return size * np.sqrt(w) * np.convolve(white, np.full(w, 1.0 / w), "valid")


def _overlay(ecg: Floats, t: Floats, one: Episode, rng: np.random.Generator) -> None:
    """Put fibrillation, an exact flat line, or a loss into the ECG, in place."""
    inside = (t >= one.start) & (t < one.stop)
    if one.kind == "lost":
        ecg[inside] = np.nan
    elif one.kind == "flat":
        ecg[inside] = 0.0
    elif one.kind == "vf":
        s = t[inside] - one.start
        for hz, share in zip(rng.uniform(3.4, 5.2, 4), (1.0, 0.5, 0.4, 0.3), strict=True):
            drift = 0.6 * np.sin(2 * np.pi * 0.2 * s + rng.uniform(0, 6.28))
            ecg[inside] += 0.35e-3 * share * np.sin(2 * np.pi * hz * s + drift)


def _pulses(t: Floats, r: Floats, kinds: npt.NDArray[np.str_], transit: float) -> Floats:
    """Pulse train, shape of `t` [1], arriving `transit` [s] after R; ventricular ones weaker."""
    if not len(r):
        return np.zeros(len(t))
    at = np.maximum(np.searchsorted(r + transit, t, side="right") - 1, 0)
    phase = t - (r[at] + transit)
    strength = np.where(kinds[at] == "V", 0.68, 1.0)
    p = np.maximum(phase, 0.0)
    lobe = (1.0 - np.exp(-p / 0.045)) * np.exp(-np.maximum(p - 0.10, 0.0) / 0.42)
    notch = -0.10 * np.exp(-0.5 * ((p - 0.315) / 0.016) ** 2)
    wave = lobe + notch + 0.05 * np.exp(-0.5 * ((p - 0.375) / 0.035) ** 2)
    return np.where(phase >= 0.0, wave * strength, 0.0)
