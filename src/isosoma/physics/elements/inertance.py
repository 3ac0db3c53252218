r"""A vessel whose blood has inertia.

::

    up ──/\/\/──(L)──► down     L dq/dt = dp - R q,  resistance implicit
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["INERTANCE", "inertance"]


def inertance(dp: float, q: float, kept: float, push: float) -> float:
    """Return the flow [m3/s] after a step at pressure drop `dp` [Pa]: ``kept q + push dp``."""
    return kept * q + push * dp


INERTANCE = Kind(
    "inertance",
    "edge",
    (Symbol("R", "Pa.s/m3", "resistance"), Symbol("L", "Pa.s2/m3", "inertance")),
    inertance,
    ("kept", "push"),
    {"kept": "L / (L + h * R)", "push": "h / (L + h * R)"},
    (Symbol("q", "m3/s", "flow"),),
)
