"""A place whose pressure is given from outside: a wall outlet, a pump, an upstream vessel.

::

    p = P     whatever flows; it holds no blood of the network
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["SOURCE", "source"]


def source(outside: float, pressure: float) -> float:
    """Return the pressure [Pa] that is given, with what is outside."""
    return pressure + outside


SOURCE = Kind("source", "node", (Symbol("P", "Pa", "pressure given"),), source, ("P",), holds=False)
