"""Pressure reflexes: carotid and cardiopulmonary receptors to heart, resistance and veins.

::

    f_cs = (f_min + f_max e^x) / (1 + e^x),            x = (P~ - P_n) / k_a
    f_es = f_inf + (f_0 - f_inf) exp(-k_es f_cs)       f_ev = (f_ev0 + f_ev,inf e^z) / (1 + e^z)
    sigma = G ln(f_es(t - D) - f_min + 1);   d theta / dt = (sigma - theta) / tau

Ursino 1998 (Am J Physiol 275:H1733), with the beds lumped. The drive to vessels also falls with
the firing of cardiopulmonary receptors, a logistic of the transmural right atrial pressure; a lack
of oxygen in the arteries adds to both drives.
"""

from __future__ import annotations

from isosoma.physics.elementary import exp_moderate, log_moderate

__all__ = ["answer", "approach", "carotid", "sympathetic", "vagal"]


def carotid(p: float, middle: float, width: float, low: float, high: float) -> float:
    """Return the firing of the carotid sinus nerve [Hz] at filtered pressure `p` [Pa]."""
    e = exp_moderate((p - middle) / width)
    return (low + high * e) / (1.0 + e)


def sympathetic(
    firing: float, added: float, rest: float, full: float, fall: float, ceiling: float
) -> float:
    """Return sympathetic firing [Hz]; `added` [Hz] is what other senses contribute."""
    return min(rest + (full - rest) * exp_moderate(-fall * firing) + added, ceiling)


def vagal(firing: float, low: float, high: float, middle: float, width: float) -> float:
    """Return vagal firing [Hz] at carotid firing [Hz]."""
    e = exp_moderate((firing - middle) / width)
    return (low + high * e) / (1.0 + e)


def answer(drive: float, least: float, unit: float) -> float:
    """Return the effectors' answer [1] to a sympathetic drive: ln((f - f_least) / unit + 1)."""
    return log_moderate(max(drive - least, 0.0) / unit + 1.0)


def approach(value: float, target: float, lag: float, dt: float) -> float:
    """Return `value` after `dt` [s] of a first-order approach with time constant `lag` [s]."""
    return value + (target - value) * dt / (lag + dt)
