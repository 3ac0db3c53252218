"""The heart's own blood: supply, demand, and what a shortfall does to its strength.

::

    demand  = m mean(p_lv)                       (pressure-time per beat; Sarnoff 1958)
    supply  = coronary flow x arterial oxygen x share the muscle can extract
    tone    widens the coronary arteries until supply meets demand, up to the reserve
    strength follows min(1, supply / demand) once the reserve is spent

Under stenosis and anaesthesia this can spiral: low pressure starves the heart, and a starved heart
makes less pressure; raised in time, it recovers.
"""

from __future__ import annotations

from isosoma.organs.circulation.reflex import approach

__all__ = ["strength", "tone"]


def tone(now: float, supply: float, demand: float, reserve: float, lag: float, dt: float) -> float:
    """Return the factor on coronary conductance [1] after `dt` [s]; 0.4 to `reserve`."""
    wanted = now * demand / max(supply, 0.05 * demand)
    return approach(now, min(max(wanted, 0.4), reserve), lag, dt)


def strength(
    now: float, supply: float, demand: float, onset: float, recovery: float, dt: float
) -> float:
    """Return the share of its contractility that the heart has [1]."""
    met = min(1.05 * supply / max(demand, 1e-30), 1.0)
    target = met * met
    return approach(now, target, onset if target < now else recovery, dt)
