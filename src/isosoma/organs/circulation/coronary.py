"""The heart's own blood: supply, demand, and what a shortfall does to its strength.

::

    ao ─┬─ ostium ─ left territory ──┬─ co      p = q R / (share x tone) + k q^2
        └─ ostium ─ right territory ─┘          k of a narrowed ostium; 0 of an open one

    demand  = m mean(p_lv)                       (pressure-time per beat; Sarnoff 1958)
    supply  = coronary flow x arterial oxygen x share the muscle can extract
    tone    widens the coronary arteries until supply meets demand, up to the reserve
    strength follows min(1, supply / demand) once the reserve is spent

Each territory has a tone and a strength of its own, so that a shut left coronary is not fed by the
right one; both drain into one bed in the wall. Under stenosis and anaesthesia this can spiral: low
pressure starves the heart, and a starved heart makes less pressure; raised in time, it recovers.
"""

from __future__ import annotations

import numpy as np

from isosoma.organs.circulation.reflex import approach

__all__ = ["conductance", "loss", "strength", "tone"]


def loss(opening: float, diameter: float, density: float) -> float:
    """Return k of the pressure k q^2 that an ostium narrowed to a share of its area costs [kg/m7].

    k = (K_t rho / 2) (1 / A_s - 1 / A_0)^2 with K_t = 1.52: Young and Tsai 1973,
    10.1016/0021-9290(73)90099-7. An ostium is never tighter than a thousandth of its area.
    """
    area = 0.25 * 3.141592653589793 * diameter * diameter
    narrowed = (1.0 / max(opening, 1e-3) - 1.0) / area
    return 0.76 * density * narrowed * narrowed


def conductance(
    share: float, tone: float, resistance: float, loss: float, pressure: float
) -> float:
    """Return the conductance of a territory behind its ostium [m3/(s.Pa)].

    Parameters
    ----------
    share : of both territories' conductance at rest [1]. resistance : of both together [Pa.s/m3].
    pressure : mean difference from aorta to the vessels in the wall [Pa], 0 or more.
    """
    free = share * tone / resistance
    return 2.0 * free / (1.0 + np.sqrt(1.0 + 4.0 * loss * free * free * pressure))


def tone(now: float, supply: float, demand: float, reserve: float, lag: float, dt: float) -> float:
    """Return the factor on coronary conductance [1] after `dt` [s]; 0.4 to `reserve`."""
    wanted = now * demand / max(supply, 0.05 * demand)
    return approach(now, min(max(wanted, 0.4), reserve), lag, dt)


def strength(
    now: float, supply: float, demand: float, onset: float, recovery: float, dt: float
) -> float:
    """Return the share of its contractility that a territory has [1]."""
    met = min(1.05 * supply / max(demand, 1e-30), 1.0)
    target = met * met
    return approach(now, target, onset if target < now else recovery, dt)
