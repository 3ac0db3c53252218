r"""A vessel whose flow follows the pressure drop at once.

::

    up ──/\/\/──► down     q = dp / R     (Poiseuille)
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["CONDUCTANCE", "RESISTANCE", "conductance"]


def conductance(dp: float, g: float) -> float:
    """Return the flow [m3/s] at pressure drop `dp` [Pa] through conductance `g` [m3/(s Pa)]."""
    return dp * g


RESISTANCE = Kind(
    "resistance",
    "edge",
    (Symbol("R", "Pa.s/m3", "resistance"),),
    conductance,
    ("G",),
    {"G": "1.0 / R"},
)

CONDUCTANCE = Kind(
    "conductance",
    "edge",
    (Symbol("G", "m3.s-1.Pa-1", "conductance, where a controller sets it"),),
    conductance,
    ("G",),
)
