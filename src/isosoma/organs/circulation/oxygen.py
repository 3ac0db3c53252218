"""Oxygen: from the air to haemoglobin, with the blood, and into the tissues.

Saturation is carried, well mixed, in every compartment (`isosoma.physics.transport`). Blood leaves
the lung's capillaries saturated with the alveolar gas but for a shunted share; the body's and the
heart's muscle take what they use out of the veins they drain to.

::

    S(P) = 1 / (1 + 23400 / (P^3 + 150 P)),  P in mmHg          (Severinghaus 1979)
    V_lung dP_A/dt = ventilation (P_inspired - P_A) - 863 mmHg uptake
"""

from __future__ import annotations

__all__ = ["alveolar", "extracted", "saturation"]

# Severinghaus' 23400 and 150 with P in units of P50 = 26.86 mmHg.
_CUBE, _LINE = 1.20757, 0.20792


def saturation(pressure: float, half: float) -> float:
    """Return the saturation of haemoglobin [1] at oxygen pressure [Pa], P50 = `half` [Pa]."""
    x = pressure / half
    raised = x * (x * x + _LINE)
    return raised / (raised + _CUBE)


def alveolar(
    pressure: float, inspired: float, ventilation: float, uptake: float, gas: float, volume: float,
    dt: float,
) -> float:  # fmt: skip
    """Return the alveolar oxygen pressure [Pa] after `dt` [s], implicit in the washout.

    `uptake` [m3/s STPD] is what the blood carries off, `gas` [Pa] is 863 mmHg.
    """
    rate = dt / volume
    return max(
        (pressure + rate * (ventilation * inspired - gas * uptake)) / (1.0 + rate * ventilation),
        0.0,
    )


def extracted(saturation: float, use: float, capacity: float, volume: float, dt: float) -> float:
    """Return the saturation [1] after the tissue took `use` [m3/s STPD] for `dt` [s].

    Use fades below 10 % saturation: what is not there cannot be taken.
    """
    taken = use * dt / (capacity * volume)
    return max(saturation - taken * min(saturation * 10.0, 1.0), 0.0)
