"""A patient of our own making: ECG, arterial pressure and plethysmogram with known beats.

Waves are Gaussians around each R as in McSharry et al. 2003 (10.1109/TBME.2003.808805, table 1,
amplitudes scaled to a lead II of 1.1 mV); the interval follows breathing and Mayer waves. The
pressure is a systolic lobe, a dicrotic lobe and an exponential run-off, the shape of a pulse and
not a model of the circulation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.serve.recording import Channel, Recording

__all__ = ["MMHG", "NORMAL", "add_waves", "simulate"]

Floats = npt.NDArray[np.float64]

MMHG = 133.322  # [Pa]
# (height [mV], centre [s from R at RR = 1 s], width [s]); P, Q, R, S, T.
NORMAL = (
    (0.13, -0.170, 0.024),
    (-0.10, -0.028, 0.009),
    (1.10, 0.0, 0.010),
    (-0.24, 0.026, 0.010),
    (0.32, 0.270, 0.052),
)
_VENTRICULAR = ((1.45, 0.012, 0.034), (-0.62, 0.090, 0.040), (-0.48, 0.290, 0.070))


def _intervals(seconds: float, rate: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """R instants [s] and whether each beat is ventricular (1) or not (0)."""
    instants: list[float] = []
    kinds: list[float] = []
    at, since = 0.6, 0
    while at < seconds - 0.6:
        ventricular = since > 14 and rng.random() < 0.08
        if ventricular:  # comes early, and a longer wait follows
            at -= 0.35 * 60.0 / rate
        instants.append(at)
        kinds.append(float(ventricular))
        since = 0 if ventricular else since + 1
        usual = 60.0 / rate
        wave = 0.035 * np.sin(2 * np.pi * 0.25 * at) + 0.02 * np.sin(2 * np.pi * 0.095 * at)
        step = usual * (1 + wave + 0.006 * rng.standard_normal())
        at += 1.35 * step if ventricular else step
    return np.array(instants), np.array(kinds)


def add_waves(
    out: Floats, hz: float, at: float, waves: tuple[tuple[float, ...], ...], rr: float
) -> None:
    """Add Gaussians around instant `at` [s]; what lies far from R scales with the root of RR."""
    stretch = float(np.sqrt(np.clip(rr, 0.4, 1.5)))
    a, b = max(0, int((at - 0.4) * hz)), min(len(out), int((at + 0.7) * hz))
    t = np.arange(a, b) / hz - at
    for height, centre, width in waves:
        scale = stretch if abs(centre) > 0.15 else 1.0
        out[a:b] += height * np.exp(-0.5 * ((t - centre * scale) / width) ** 2)


def _pulse(phase: Floats) -> Floats:
    """One pulse, 0 to 1, over time since its foot [s]: upstroke, notch and run-off."""
    rise = 1.0 - np.exp(-phase / 0.045)
    lobe = rise * np.exp(-np.maximum(phase - 0.10, 0.0) / 0.42)
    notch = -0.10 * np.exp(-0.5 * ((phase - 0.315) / 0.016) ** 2)
    return lobe + notch + 0.05 * np.exp(-0.5 * ((phase - 0.375) / 0.035) ** 2)


def _pulses(n: int, hz: float, beats: Floats, kinds: Floats, transit: float) -> Floats:
    """Pulse train, shape (n,) [1], arriving `transit` [s] after R; ventricular ones are weaker."""
    t = np.arange(n) / hz
    at = np.searchsorted(beats + transit, t, side="right") - 1
    phase = t - (beats[np.maximum(at, 0)] + transit)
    strength = np.where(kinds[np.maximum(at, 0)] > 0, 0.68, 1.0)
    return np.where(at >= 0, _pulse(np.maximum(phase, 0.0)) * strength, 0.4)


def _smooth(x: Floats, width: int) -> Floats:
    return np.convolve(x, np.full(width, 1.0 / width), mode="same")


def simulate(
    seconds: float = 3600.0, hz: float = 250.0, rate: float = 72.0, seed: int = 1
) -> Recording:
    """Return a recording of `seconds` [s] at `hz` [1/s] with mean heart rate `rate` [1/min]."""
    rng = np.random.default_rng(seed)
    n = int(seconds * hz)
    beats, kinds = _intervals(seconds, rate, rng)
    rr = np.append(np.diff(beats), 60.0 / rate)
    ecg = np.zeros(n)
    for at, kind, interval in zip(beats, kinds, rr, strict=True):
        add_waves(ecg, hz, at, _VENTRICULAR if kind else NORMAL, interval)
    t = np.arange(n) / hz
    ecg += 0.03 * np.sin(2 * np.pi * 0.25 * t) + 0.012 * rng.standard_normal(n)
    breath = np.sin(2 * np.pi * 0.25 * t)
    pressure = 76 + 46 * _smooth(_pulses(n, hz, beats, kinds, 0.16), 5) + 1.5 * breath
    pleth = _smooth(_pulses(n, hz, beats, kinds, 0.22), int(0.06 * hz)) + 0.02 * breath
    channels = (
        Channel("II", "ecg", ecg * 1e-3),
        Channel("ABP", "arterial_pressure", pressure * MMHG),
        Channel("PLETH", "plethysmogram", pleth),
    )
    truth: npt.NDArray[np.int64] = np.round(beats * hz).astype(np.int64)
    return Recording("synthetic", "simulated", hz, channels, 0, truth)
