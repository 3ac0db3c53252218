"""Where a drug goes: three compartments and the site of its effect, linear.

::

    A1' = rate - (k10 + k12 + k13) A1 + k21 A2 + k31 A3;   A2' = k12 A1 - k21 A2;   A3' likewise
    Ce' = ke0 (A1 / V1 - Ce)

The peripheral compartments and the elimination are implicit: stable for any step.
"""

from __future__ import annotations

__all__ = ["effect_site", "emax", "peripheral", "plasma"]


def plasma(
    a1: float, a2: float, a3: float, rate: float, k10: float, k12: float, k21: float, k13: float,
    k31: float, dt: float,
) -> float:  # fmt: skip
    """Return the central amount [kg] after `dt` [s] of infusion `rate` [kg/s]."""
    given = a1 + dt * (rate + k21 * a2 + k31 * a3)
    return given / (1.0 + dt * (k10 + k12 + k13))


def peripheral(a: float, central: float, inward: float, outward: float, dt: float) -> float:
    """Return a peripheral amount [kg] after `dt` [s]; rates [1/s]."""
    return (a + dt * inward * central) / (1.0 + dt * outward)


def effect_site(ce: float, concentration: float, ke0: float, dt: float) -> float:
    """Return the concentration at the site of effect [kg/m3] after `dt` [s]."""
    return (ce + dt * ke0 * concentration) / (1.0 + dt * ke0)


def emax(ce: float, c50: float) -> float:
    """Return the share of the full effect [1] at `ce`, Hill exponent 1."""
    return ce / (ce + c50)
