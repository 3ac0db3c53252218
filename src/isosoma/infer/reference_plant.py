"""A six-compartment circulation with a shunt: the plant of the reference twin experiment.

A validation problem, not an organ of the product: small, published in full with the numbers it
must give, so that a filter can be judged against a hidden truth. Volumes in mL, pressures in mmHg
and times in s, as the reference prints them.

::

    pv ─.015─> lv ─.012─> a ─Rs─> v ─.015─> rv ─.012─> pa ─.09─> pv
       valve      valve               valve      valve
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["MEAN", "OUTPUTS", "SD", "advance", "baseline", "members", "start"]

Floats = npt.NDArray[np.float64]

OUTPUTS = ("systolic", "diastolic", "mean", "cardiac output", "oxygen saturation")
"""[mmHg], [mmHg], [mmHg], [L/min], [%] of the last beat."""
MEAN: Floats = np.array([np.log(1.05), np.log(1.5), np.log(2.4), np.log(1020.0), -2.94])
"""Prior means of ln Rs [mmHg s/mL], ln Ca [mL/mmHg], ln Emax [mmHg/mL], ln Vs [mL], logit shunt."""
SD: Floats = np.array([0.25, 0.25, 0.25, 0.13, 0.6])
"""Prior standard deviations of the same."""

_STEPS = 160  # of a beat, RK4
_SHARES = np.array([120.0, 130.0, 480.0, 120.0, 60.0, 90.0])  # [mL] lv, a, v, rv, pa, pv


@njit(cache=True, nogil=True, error_model="numpy")
def _activation(t: float, period: float) -> float:
    """Double-Hill activation, 0 to about 1; 0 at the end of the beat."""
    if t >= period:
        return 0.0
    tn = t / (0.32 * np.sqrt(period))
    g = (tn / 0.708) ** 1.9
    h = (tn / 1.18) ** 21.9
    return 1.55 * g / (1.0 + g) / (1.0 + h)


@njit(cache=True, nogil=True, error_model="numpy")
def _slope(V: Floats, e: float, p: Floats, out: Floats) -> float:
    """Write dV/dt [mL/s] to `out`; return the flow through the aortic valve [mL/s]."""
    p_lv = (0.06 + (p[2] - 0.06) * e) * (V[0] - 10.0)
    p_a, p_v = V[1] / p[1], V[2] / 80.0
    p_rv = (0.05 + 0.5 * e) * (V[3] - 10.0)
    p_pa, p_pv = V[4] / 4.0, V[5] / 10.0
    mitral = max(p_pv - p_lv, 0.0) / 0.015
    aortic = max(p_lv - p_a, 0.0) / 0.012
    systemic = (p_a - p_v) / p[0]
    tricuspid = max(p_v - p_rv, 0.0) / 0.015
    pulmonary = max(p_rv - p_pa, 0.0) / 0.012
    lung = (p_pa - p_pv) / 0.09
    out[0] = mitral - aortic
    out[1] = aortic - systemic
    out[2] = systemic - tricuspid
    out[3] = tricuspid - pulmonary
    out[4] = pulmonary - lung
    out[5] = lung - mitral
    return aortic


@njit(cache=True, nogil=True, error_model="numpy")
def _stage(V: Floats, h: float, k: Floats, e: float, p: Floats, at: Floats, out: Floats) -> float:
    """Write the slope at ``V + h k`` with activation `e` to `out`; `at` is scratch."""
    for i in range(6):
        at[i] = V[i] + h * k[i]
    return _slope(at, e, p, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _beat(V: Floats, p: Floats, period: float, out: Floats) -> None:
    """Advance volumes by one beat; write SBP, DBP, MAP [mmHg] and CO [L/min] of it to `out`."""
    h = period / _STEPS
    K, at = np.zeros((4, 6)), np.empty(6)
    high, low, total, ejected = -np.inf, np.inf, 0.0, 0.0
    e = 0.0
    for i in range(_STEPS):
        half, last = _activation((i + 0.5) * h, period), _activation((i + 1) * h, period)
        last = 0.0 if i == _STEPS - 1 else last
        f1 = _stage(V, 0.0, K[0], e, p, at, K[0])
        _stage(V, 0.5 * h, K[0], half, p, at, K[1])
        _stage(V, 0.5 * h, K[1], half, p, at, K[2])
        _stage(V, h, K[2], last, p, at, K[3])
        for j in range(6):
            V[j] += h / 6.0 * (K[0, j] + 2.0 * K[1, j] + 2.0 * K[2, j] + K[3, j])
        ejected += f1
        e = last
        pressure = V[1] / p[1]
        high, low, total = max(high, pressure), min(low, pressure), total + pressure
    out[0], out[1], out[2] = high, low, total / _STEPS
    out[3] = ejected * h / period * 0.06


def start(z: Floats) -> Floats:
    """Return resting volumes (6,) [mL] that sum to the stressed volume of parameters `z` (5,)."""
    return _SHARES / _SHARES.sum() * np.exp(z[3])


@njit(cache=True, nogil=True, error_model="numpy")
def advance(volumes: Floats, z: Floats, hr: float, beats: int, out: Floats) -> None:
    """Advance `volumes` (6,) [mL] in place by `beats` at `hr` [1/min]; write `OUTPUTS` to `out`.

    `z` (5,) are the parameters as `MEAN` lists them; the volumes are scaled to its total first.
    """
    p = np.exp(z)
    volumes *= p[3] / volumes.sum()
    for _ in range(beats):
        _beat(volumes, p, 60.0 / hr, out)
    shunt = 1.0 / (1.0 + np.exp(-z[4]))
    extraction = 250.0 / (201.0 * max(out[3], 0.5))
    saturation = 0.985 - shunt * extraction / (1.0 - shunt)
    out[4] = 100.0 * min(max(saturation, 0.5), 1.0)


def members(theta: Floats, hr: Floats, beats: int = 30) -> Floats:
    """Return `OUTPUTS` (N, 5) from rest for coordinates `theta` (N, 5) and rates `hr` (N,)."""
    out = np.empty((len(theta), 5))
    for row, x, rate in zip(out, theta, hr, strict=True):
        z = MEAN + SD * x
        advance(start(z), z, rate, beats, row)
    return out


def baseline() -> Floats:
    """Return `OUTPUTS` (5,) of the prior mean at 72/min after 20 beats."""
    return members(np.zeros((1, 5)), np.array([72.0]), 20)[0]
