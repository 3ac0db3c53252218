"""Activations of svZeroDSolver's chambers, and its tables, as numbers at given times.

The coefficients of the 25-mode elastance are those of svZeroDSolver's closed-loop heart
(BSD-3-Clause, Copyright Stanford University, the Regents of the University of California, and
others; after Menon 2023), which its files do not repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, InputError, RangeError
from isosoma.exchange.svzerod_document import Series

__all__ = ["ACTIVATIONS", "atrial", "elastance", "interpolated", "sampled"]

Floats = npt.NDArray[np.float64]
Values = Mapping[str, float]

# cos(2 pi i t / T) and minus sin(2 pi i t / T), i = 0 to 24
FOURIER = (
    (0.283748803, 0.000000000),
    (0.031830626, -0.374299825),
    (-0.209472400, -0.018127770),
    (0.020520047, 0.073971113),
    (0.008316883, -0.047249597),
    (-0.041677660, 0.003212163),
    (0.000867323, 0.019441411),
    (-0.001675379, -0.005565534),
    (-0.011252277, 0.003401432),
    (-0.000414677, 0.008376795),
    (0.000253749, -0.000071880),
    (-0.002584966, 0.001566861),
    (0.000584752, 0.003143555),
    (0.000028502, -0.000024787),
    (0.000022961, -0.000007476),
    (0.000018735, -0.000001281),
    (0.000015573, 0.000001781),
    (0.000013133, 0.000003494),
    (0.000011199, 0.000004507),
    (0.000009634, 0.000005117),
    (0.000008343, 0.000005481),
    (0.000007265, 0.000005687),
    (0.000006354, 0.000005789),
    (0.000005575, 0.000005821),
    (0.000004903, 0.000005805),
)


def elastance(t: Floats, period: float) -> Floats:
    """Return the 25-mode ventricular elastance [1] at times `t` [s]."""
    x = 2.0 * np.pi * t / period
    modes = enumerate(FOURIER)
    return np.sum([c * np.cos(i * x) - s * np.sin(i * x) for i, (c, s) in modes], axis=0)


def _fourier(t: Floats, period: float, given: Values) -> Floats:
    """Return the 25-mode elastance scaled to 0 to 1, over a cycle of 1000 points at least."""
    del given
    whole = elastance(np.linspace(0.0, period, 10_001), period)
    low, high = float(whole.min()), float(whole.max())
    return (elastance(t, period) - low) / (high - low)


def atrial(t: Floats, period: float, given: Values) -> Floats:
    """Return the cosine that begins before the end of one cycle and ends in the next [1]."""
    long, peak = period * given["Tsa"], period / given["tpwave"]
    into = np.mod(t, period)
    early = 0.5 * (1.0 - np.cos(2.0 * np.pi * (into - peak + long) / long))
    late = 0.5 * (1.0 - np.cos(2.0 * np.pi * (into - peak - (period - long)) / long))
    return np.where(into <= peak, early, np.where(into >= period - long + peak, late, 0.0))


def _half_cosine(t: Floats, period: float, given: Values) -> Floats:
    since = np.mod(t, period) - given["t_active"]
    wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * since / given["t_twitch"])
    return np.where((since >= 0.0) & (since <= given["t_twitch"]), wave, 0.0)


def _piecewise_cosine(t: Floats, period: float, given: Values) -> Floats:
    rise = np.mod(t - given["contract_start"], period) / given["contract_duration"]
    fall = np.mod(t - given["relax_start"], period) / given["relax_duration"]
    falling = np.where(fall < 1.0, 0.5 * (1.0 + np.cos(np.pi * fall)), 0.0)
    return np.where(rise < 1.0, 0.5 * (1.0 - np.cos(np.pi * rise)), falling)


def _two_hill(t: Floats, period: float, given: Values) -> Floats:
    def raw(since: Floats) -> Floats:
        g1 = (since / given["tau_1"]) ** given["m1"]
        g2 = (since / given["tau_2"]) ** given["m2"]
        return g1 / (1.0 + g1) / (1.0 + g2)

    peak = float(raw(np.linspace(0.0, period, 100_001)).max())
    return raw(np.mod(t - given["t_shift"], period)) / peak


ACTIVATIONS: Mapping[str, tuple[Callable[[Floats, float, Values], Floats], tuple[str, ...]]] = {
    "half_cosine": (_half_cosine, ("t_active", "t_twitch")),
    "piecewise_cosine": (
        _piecewise_cosine,
        ("contract_start", "relax_start", "contract_duration", "relax_duration"),
    ),
    "two_hill": (_two_hill, ("t_shift", "tau_1", "tau_2", "m1", "m2")),
    "wrapping_cosine": (atrial, ("Tsa", "tpwave")),
    "fourier": (_fourier, ()),
}
"""Kind of activation: its function of (times [s], period [s], values), and the values it needs."""

_MAY_BE_ZERO = frozenset(("t_active", "t_shift", "contract_start", "relax_start"))


def sampled(kind: str, given: Values, t: Floats, period: float, where: str) -> Floats:
    """Return the activation [1] of a chamber at times `t` [s].

    Raises
    ------
    InputError
        A kind that is not covered; a value that is missing or not above 0.
    """
    if kind not in ACTIVATIONS:
        raise InputError(f"activation {kind!r} is not covered", where,
                         f"Covered are {', '.join(ACTIVATIONS)}")  # fmt: skip
    function, needed = ACTIVATIONS[kind]
    for key in needed:
        if key not in given:
            raise FormatError(f"{key!r} is missing", where, f"Give {key!r}")
        if given[key] < 0.0 or (given[key] == 0.0 and key not in _MAY_BE_ZERO):
            raise RangeError(f"{key!r} is {given[key]:g}", where, "Give a number above 0")
    return function(t, period, given)


def interpolated(series: Series, t: Floats) -> Floats:
    """Return a table at times `t` [s], repeated every cycle, by straight lines."""
    start, end = series.times[0], series.times[-1]
    return np.interp(start + np.mod(t - start, end - start), series.times, series.values)
