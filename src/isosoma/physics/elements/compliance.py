"""Vessels that hold blood: an elastic one, and a vein that collapses.

::

    elastic   p = (V - V_u) / C
    vein      the same above V_u;  below, p = (V_u / C) (1 - V_u / V): smooth at V_u, and falling
              without bound as the vein empties, so that no volume becomes negative
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["ELASTIC", "VEIN", "elastic", "vein"]


def elastic(v: float, elastance: float, unstressed: float) -> float:
    """Return the transmural pressure [Pa] of volume `v` [m3]."""
    return (v - unstressed) * elastance


def vein(v: float, elastance: float, unstressed: float) -> float:
    """Return the transmural pressure [Pa]; hyperbolic below the unstressed volume [m3]."""
    full = v - unstressed
    return full * elastance if full >= 0.0 else full * elastance * unstressed / v


_SYMBOLS = (
    Symbol("C", "m3/Pa", "compliance"),
    Symbol("V_u", "m3", "unstressed volume"),
)

_STIFF = {"stiffness": "1.0 / C"}
ELASTIC = Kind("elastic", "node", _SYMBOLS, elastic, ("stiffness", "V_u"), _STIFF)
VEIN = Kind("vein", "node", _SYMBOLS, vein, ("stiffness", "V_u"), _STIFF)
