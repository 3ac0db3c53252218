r"""A rigid tube between two vessels: a surgical shunt.

::

    up ──╱╱tube D, l╱╱──► down     dp = R q + K q|q|,   R = 128 mu l / (pi D^4),
                                   K = 1.5 rho / (2 A^2),   A = pi D^2 / 4

Solved in closed form with the inertia of the blood in it; K is the loss at entry and exit.
"""

from __future__ import annotations

import numpy as np

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["TUBE", "tube"]


def tube(dp: float, q: float, r: float, k: float, mass: float) -> float:
    """Return the flow [m3/s] after a step at pressure drop `dp` [Pa]; `mass` is L / h [Pa s/m3]."""
    b = mass * q + dp
    c = mass + r
    size = abs(b)
    root = 2.0 * size / (c + np.sqrt(c * c + 4.0 * k * size))
    return root if b >= 0.0 else -root


TUBE = Kind(
    "tube",
    "edge",
    (
        Symbol("D", "m", "inner diameter"),
        Symbol("l", "m", "length"),
        Symbol("mu", "Pa.s", "viscosity of blood"),
        Symbol("rho", "kg/m3", "density of blood"),
    ),
    tube,
    ("r", "k", "mass"),
    {
        "r": "128.0 * mu * l / (np.pi * D**4)",
        "k": "0.75 * rho * (4.0 / (np.pi * D**2)) ** 2",
        "mass": "rho * l * 4.0 / (np.pi * D**2) / h",
    },
    (Symbol("q", "m3/s", "flow"),),
)
