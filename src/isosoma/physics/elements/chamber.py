"""The heart's chambers: time-varying elastance with an exponential wall at rest.

::

    ventricle  p = r + e max(E (V - V0) - r, 0),   r = P0 (exp(k (V - V0)) - 1)
    atrium     p = (E_b + E_a e) (V - V0)

which is e E (V - V0) + (1 - e) r as printed, save that a muscle too weak to exceed its wall at
rest does not soften it: a dying heart does not pump by relaxing.

e is the activation, 0 to 1, given by the graph's clock (`isosoma.physics.activation`).
"""

from __future__ import annotations

from isosoma.physics.elementary import exp_of_eighths
from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["ATRIUM", "VENTRICLE", "atrium", "ventricle"]


def ventricle(
    v: float, e: float, outside: float, elastance: float, v0: float, p0: float, eighth: float
) -> float:
    """Return the pressure of the free wall and what is outside of it [Pa].

    `eighth` is k/8; the exponent is capped at 6. Nothing waits for the resting pressure: the
    longest chain of a step leads through here.
    """
    over = v - v0
    stiffened = exp_of_eighths(eighth * over, 0.75)
    rest = p0 * stiffened - p0
    more = (elastance * over + p0) - p0 * stiffened
    return (rest + outside) + e * max(more, 0.0)


def atrium(v: float, e: float, outside: float, passive: float, active: float, v0: float) -> float:
    """Return the pressure of the wall and what is outside of it [Pa]."""
    return (passive + active * e) * (v - v0) + outside


VENTRICLE = Kind(
    "ventricle",
    "node",
    (
        Symbol("E", "Pa/m3", "end-systolic elastance"),
        Symbol("V0", "m3", "volume at zero pressure"),
        Symbol("P0", "Pa", "scale of the wall at rest"),
        Symbol("k", "m-3", "stiffness of the wall at rest"),
    ),
    ventricle,
    ("E", "V0", "P0", "eighth"),
    {"eighth": "0.125 * k"},
    active=True,
)

ATRIUM = Kind(
    "atrium",
    "node",
    (
        Symbol("E_b", "Pa/m3", "elastance at rest"),
        Symbol("E_a", "Pa/m3", "elastance that contraction adds"),
        Symbol("V0", "m3", "volume at zero pressure"),
    ),
    atrium,
    ("E_b", "E_a", "V0"),
    active=True,
)
