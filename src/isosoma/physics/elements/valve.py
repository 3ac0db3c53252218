"""A heart valve with an opening state, after Mynard et al. 2012 (10.1002/cnm.1466).

::

    up ──►│zeta│──► down        dp = p_up - p_down
    d zeta/dt = (1 - zeta) Kvo dp  (dp > 0)  |  zeta Kvc dp  (dp < 0)
    A = A_min + (A_max - A_min) zeta;  B = rho / (2 A^2);  L = rho l / A;  L dq/dt = dp - B q|q|

A stenosis is a small A_max (effective orifice area, never the planimetric one), a leak is an
A_min (effective regurgitant orifice area). The step is exact for zeta at frozen dp, and solves the
flow's quadratic in closed form: no iteration, no chatter.
"""

from __future__ import annotations

import numpy as np

from isosoma.physics.elementary import exp_of_sixteenths
from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["VALVE", "orifice_flow", "valve"]


def orifice_flow(
    dp: float, q: float, area: float, mass: float, rho2: float, shut: float, per_shut: float
) -> float:
    """Return the flow [m3/s] after a step through an orifice of effective `area` [m2].

    Root of ``B q|q| + c q = b`` with every term multiplied by A^2, so that a step costs one
    division and one square root. Below `shut` [m2] the drive fades: a shut valve is shut.
    `mass` is rho l / h [kg/(m2 s)], `rho2` is 2 rho [kg/m3].
    """
    a = max(area, shut)
    drive = min(area * per_shut, 1.0)
    inertia = mass * a
    b = inertia * q + a * a * drive * dp
    c = inertia * max(2.0 - area * per_shut, 1.0)
    return 2.0 * b / (c + np.sqrt(c * c + rho2 * abs(b)))


def valve(
    dp: float, q: float, zeta: float, a_span: float, a_min: float, opening: float, closing: float,
    mass: float, rho2: float, shut: float, per_shut: float,
) -> tuple[float, float]:  # fmt: skip
    """Return flow [m3/s] and opening [1] after a step at pressure drop `dp` [Pa].

    `a_span` is A_max - A_min, `opening` and `closing` are -Kvo h/16 and Kvc h/16 [1/Pa]: the lesser
    of the two products is the exponent of the one that is at work.
    """
    end = 1.0 if dp >= 0.0 else 0.0
    left = exp_of_sixteenths(min(opening * dp, closing * dp))
    opened = end + (zeta - end) * left
    flow = orifice_flow(dp, q, a_min + a_span * opened, mass, rho2, shut, per_shut)
    return flow, max(opened, 1e-9)  # below lie slow denormal numbers


VALVE = Kind(
    "valve",
    "edge",
    (
        Symbol("A_max", "m2", "effective orifice area when open"),
        Symbol("A_min", "m2", "effective regurgitant orifice area"),
        Symbol("l", "m", "effective length of the blood column"),
        Symbol("Kvo", "Pa-1.s-1", "opening rate"),
        Symbol("Kvc", "Pa-1.s-1", "closing rate"),
        Symbol("rho", "kg/m3", "density of blood"),
        Symbol("A_shut", "m2", "area below which the drive fades to nothing"),
    ),
    valve,
    ("span", "A_min", "opening", "closing", "mass", "rho2", "A_shut", "per_shut"),
    {
        "span": "A_max - A_min",
        "opening": "-0.0625 * Kvo * h",
        "closing": "0.0625 * Kvc * h",
        "mass": "rho * l / h",
        "rho2": "2.0 * rho",
        "per_shut": "1.0 / A_shut",
    },
    (Symbol("q", "m3/s", "flow"), Symbol("zeta", "1", "opening, 0 to 1")),
)
