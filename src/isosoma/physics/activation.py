"""How strongly a chamber contracts over a beat: the double Hill function, without powers.

::

    e(x) = k g1 / (1 + g1) / (1 + g2),   g_i = (x / tau_i)^m_i          (Mynard & Smolich 2015)

x is the time since onset. With s = x / tau_2 the function depends on m1, m2 and tau_1 / tau_2
alone. g1 / (1 + g1) is fitted by a rational s P(s) / Q(s) and s^(m2 / 2^n) by a polynomial, which
is then squared n times: one division instead of two powers. The fits are within 1e-4 of e = 1;
beyond s = 1.6 (ventricles) or 2.2 (atria) e is held where it has fallen under 0.003.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["ATRIAL", "VENTRICULAR", "Fit", "Hill", "double_hill", "fitted", "hill_lines"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hill:
    """Shape of one activation.

    Attributes
    ----------
    m1, m2 : steepness of rise and fall [1].
    tau1, tau2 : of the rise and the fall [share of the cycle].
    """

    m1: float
    m2: float
    tau1: float
    tau2: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients that stand for a shape, lowest first.

    Attributes
    ----------
    above, below : P and Q of the rise s P(s) / Q(s).
    fall : of s^(m2 / 2^n), in a variable that runs from -1 to 1 over the fall.
    """

    above: tuple[float, ...]
    below: tuple[float, ...]
    fall: tuple[float, ...]


VENTRICULAR = Hill(1.32, 27.4, 0.269, 0.452)
ATRIAL = Hill(1.32, 13.1, 0.110, 0.180)
"""Mynard & Smolich 2015 (10.1007/s10439-015-1313-8)."""
_FITS: dict[Hill, Fit] = {
    VENTRICULAR: Fit(
        above=(0.27769395191951907, 174.41701876538772, 7288.337945511063,
               40879.51117607473, 30447.17132173908),
        below=(1.0, 225.22090131097175, 4891.883967003585,
               18943.686043990954, 29802.15440181999, 18364.358014129586),
        fall=(1.0426614878972214, 0.467645509677251, -0.01760575180420063,
              0.0035217234339203927, -0.0009913475986429486, 0.00030556525070319436,
              -0.00010622414687807722, 6.879334346808049e-05, -2.9831377021836988e-05),
    ),
    ATRIAL: Fit(
        above=(0.3148971030103046, 157.1659038072625, 5195.49350761842,
               22870.928887803253, 13231.525573663852),
        below=(1.0, 178.8240475453265, 3086.4410369023494,
               10010.893464854993, 14627.13502402126, 7333.47977684826),
        fall=(1.200451029705318, 0.7469410569602903, -0.051366752650191964,
              0.01589637414913159, -0.0069820351906941, 0.0014866018664540467,
              -0.00015696780164318035, 0.002607712024707484, -0.0018464834633105675),
    ),
}  # fmt: skip
"""What `fitted` gives for them, written down: no kernel then waits for, or hangs on, a fit."""


def _rise(s: Floats, shape: Hill) -> Floats:
    g1 = (s * shape.tau2 / shape.tau1) ** shape.m1
    return g1 / (1.0 + g1)


def _peak(shape: Hill) -> float:
    s = np.linspace(0.0, 2.0, 20001)
    return float((_rise(s, shape) / (1.0 + s**shape.m2)).max())


def double_hill(s: Floats, shape: Hill) -> Floats:
    """Return e at s = time since onset / tau_2 [1]; its maximum is 1."""
    s = np.asarray(s, np.float64)
    return _rise(s, shape) / (1.0 + s**shape.m2) / _peak(shape)


def _nodes(low: float, high: float, count: int = 2000) -> Floats:
    """Return Chebyshev nodes of [low, high], shape (count,)."""
    x = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return low + (x + 1.0) * 0.5 * (high - low)


def _rational(s: Floats, y: Floats, p: int, q: int) -> tuple[list[float], list[float]]:
    """Return P, Q (lowest first, Q_0 = 1) with y close to s P(s) / Q(s), by reweighting."""
    weight = np.ones_like(s)
    top = s[:, None] ** np.arange(1, p + 2)
    bottom = -y[:, None] * s[:, None] ** np.arange(1, q + 1)
    found = np.zeros(p + 1 + q)
    for _ in range(30):
        matrix = np.concatenate([top, bottom], axis=1) * weight[:, None]
        found, *_ = np.linalg.lstsq(matrix, y * weight, rcond=None)
        below = 1.0 + s[:, None] ** np.arange(1, q + 1) @ found[p + 1 :]
        weight = 1.0 / np.abs(below)
    return [float(c) for c in found[: p + 1]], [1.0, *(float(c) for c in found[p + 1 :])]


def _paired(terms: list[str], power: int, u: str) -> str:
    """Return a polynomial summed in pairs (Estrin 1960), so that its terms do not wait in line."""
    if len(terms) == 1:
        return terms[0]
    by = u if power == 1 else f"{u}{power}"
    pairs = [f"({a} + {by} * {b})" for a, b in zip(terms[::2], terms[1::2], strict=False)]
    odd = terms[len(pairs) * 2 :]
    return _paired([*pairs, *odd], 2 * power, u)


def _polynomial(coefficients: Sequence[float], u: str) -> str:
    """Return the polynomial in `u`; its powers u2, u4, u8 are names of their own."""
    return _paired([repr(c) for c in coefficients], 1, u)


def _powers(u: str) -> list[str]:
    return [f"{u}2 = {u} * {u}", f"{u}4 = {u}2 * {u}2", f"{u}8 = {u}4 * {u}4"]


def _fall(shape: Hill) -> tuple[float, float, int]:
    """Return from where to where the fall is fitted [1], and how often its root is squared."""
    first, last = (0.5, 1.6) if shape.m2 > 20.0 else (0.3, 2.2)
    return first, last, math.ceil(math.log2(shape.m2))


def fitted(shape: Hill) -> Fit:
    """Return the coefficients of a shape, by least squares."""
    first, last, doublings = _fall(shape)
    nodes = _nodes(0.0, last, 4000)
    p, q = _rational(nodes, _rise(nodes, shape) / _peak(shape), 4, 5)
    high = _nodes(first, last)
    fall = np.polynomial.Polynomial.fit(high, high ** (shape.m2 / 2**doublings), 8)
    return Fit(tuple(p), tuple(q), tuple(float(c) for c in fall.coef))


def hill_lines(shape: Hill, gives: str, s: str) -> tuple[str, ...]:
    """Return assignments that compute ``gives = e(s)`` in a kernel; 0 for s <= 0.

    Parameters
    ----------
    gives : name of the result.
    s : expression of the time since onset over tau_2.
    """
    first, last, doublings = _fall(shape)
    fit = _FITS.get(shape) or fitted(shape)
    a, v, g = (f"{gives}_{letter}" for letter in "svg")
    above, below = _polynomial(fit.above, a), _polynomial(fit.below, a)
    scale, middle = 2.0 / (last - first), (last + first) / (last - first)
    return (
        f"{a} = min(max({s}, 0.0), {last!r})",
        f"{v} = max({a}, {first!r}) * {scale!r} - {middle!r}",
        *_powers(a)[:2],
        *_powers(v),
        f"{g} = {_polynomial(fit.fall, v)}",
        *[f"{g} = {g} * {g}"] * doublings,
        f"{gives} = {a} * {above} / ({below} * (1.0 + {g}))",
    )
