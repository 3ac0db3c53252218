"""A fixed hole between two chambers or vessels: septal defect, duct, fenestration, leak.

::

    up ──►)(──► down     q = Cd A sqrt(2 |dp| / rho) sign(dp), with the inertia of the blood in it

The valve's step with the opening held at 1: no square-root singularity at dp = 0.
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol
from isosoma.physics.elements.valve import orifice_flow

__all__ = ["ORIFICE"]


ORIFICE = Kind(
    "orifice",
    "edge",
    (
        Symbol("A", "m2", "anatomical area"),
        Symbol("Cd", "1", "discharge coefficient"),
        Symbol("l", "m", "effective length of the blood column"),
        Symbol("rho", "kg/m3", "density of blood"),
        Symbol("A_shut", "m2", "area below which the drive fades to nothing"),
    ),
    orifice_flow,
    ("area", "mass", "rho2", "A_shut", "per_shut"),
    {"area": "A * Cd", "mass": "rho * l / h", "rho2": "2.0 * rho", "per_shut": "1.0 / A_shut"},
    (Symbol("q", "m3/s", "flow"),),
)
