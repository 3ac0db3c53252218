r"""A narrowed vessel whose loss grows with flow.

::

    up ──/\/\/──)(──(L)──► down     L dq/dt = dp - R q - S q|q|

The step solves the quadratic in closed form; without inertance the flow follows at once.
S may be had from areas: S = Kt rho / (2 A0^2) (A0 / As - 1)^2 (Young & Tsai 1973).
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol
from isosoma.physics.elements.tube import tube

__all__ = ["STENOSIS"]

STENOSIS = Kind(
    "stenosis",
    "edge",
    (
        Symbol("R", "Pa.s/m3", "resistance"),
        Symbol("S", "Pa.s2/m6", "loss by the square of flow"),
        Symbol("L", "Pa.s2/m3", "inertance"),
    ),
    tube,
    ("R", "S", "mass"),
    {"mass": "L / h"},
    (Symbol("q", "m3/s", "flow"),),
)
