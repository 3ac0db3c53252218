"""A valve without leaflets: one resistance forward, another one backward.

::

    up ──|>|──(L)──► down     L dq/dt = dp - R q,   R = R_open where q > 0, else R_shut

The sign of the flow after a step is that of what drives it, so that the step is in closed form.
With R_shut infinite and an inertance it opens when dp > 0 and shuts when its flow has ended.

`R_fill` is what the step itself adds: h (E_up + E_down), the pressures by which the flow of one
step empties and fills the chambers it joins. Without it a small R between stiff chambers is
unstable at steps above R / E.
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["DIODE", "diode"]


def diode(dp: float, q: float, opened: float, shut: float, fill: float, mass: float) -> float:
    """Return the flow [m3/s] after a step at pressure drop `dp` [Pa]; `mass` is L / h."""
    b = mass * q + dp
    return b / ((opened if b > 0.0 else shut) + fill + mass)


DIODE = Kind(
    "diode",
    "edge",
    (
        Symbol("R_open", "Pa.s/m3", "resistance forward"),
        Symbol("R_shut", "Pa.s/m3", "resistance backward"),
        Symbol("R_fill", "Pa.s/m3", "resistance that a step's own filling adds"),
        Symbol("L", "Pa.s2/m3", "inertance"),
    ),
    diode,
    ("R_open", "R_shut", "R_fill", "mass"),
    {"mass": "L / h"},
    (Symbol("q", "m3/s", "flow"),),
)
