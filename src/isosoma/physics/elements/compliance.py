"""Vessels that hold blood: an elastic one, and a vein that collapses.

::

    elastic   p = (V - V_u) / C
    vein      the same above V_u;  below, p = (V - V_u) / C (1 + ((V - V_u) / V_c)^2):
              smooth at V_u, and steep as it empties, so that nothing is drawn from an empty vein
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["ELASTIC", "VEIN", "elastic", "vein"]


def elastic(v: float, outside: float, elastance: float, unstressed: float) -> float:
    """Return the pressure [Pa] of volume `v` [m3], with what is outside."""
    return (v - unstressed) * elastance + outside


def vein(
    v: float, outside: float, elastance: float, unstressed: float, per_collapse: float
) -> float:
    """Return the pressure [Pa], with what is outside; steep below the unstressed volume [m3]."""
    full = v - unstressed
    below = min(full, 0.0) * per_collapse
    return full * elastance * (1.0 + below * below) + outside


_SYMBOLS = (
    Symbol("C", "m3/Pa", "compliance"),
    Symbol("V_u", "m3", "unstressed volume"),
)

ELASTIC = Kind("elastic", "node", _SYMBOLS, elastic, ("stiffness", "V_u"), {"stiffness": "1.0 / C"})
VEIN = Kind(
    "vein",
    "node",
    (*_SYMBOLS, Symbol("V_c", "m3", "volume below V_u by which the vein stiffens")),
    vein,
    ("stiffness", "V_u", "per_collapse"),
    {"stiffness": "1.0 / C", "per_collapse": "1.0 / V_c"},
)
