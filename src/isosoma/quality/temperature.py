"""Rules on body temperature (signals reference, section 8)."""

from __future__ import annotations

from isosoma.core.observation import Observation, Verdict
from isosoma.quality.view import SECOND, Rule, View, agreed, unusual

__all__ = ["TEMPERATURE_RULES", "temperature_range", "temperature_step"]

ZERO = 273.15  # [K] at 0 °C
COOLED = frozenset({"hypothermia", "bypass", "ecmo", "arrest"})


def temperature_range(obs: Observation, view: View) -> Verdict | None:
    """Under 30 or over 43 °C: survived both ways; 18 °C is a cooled patient on bypass.

    13.7 °C was survived (Gilbert et al. 2000, DOI 10.1016/S0140-6736(00)01021-7).
    """
    value = obs.value - ZERO
    if 30 <= value <= 43 or (value < 30 and not view.context.flags.isdisjoint(COOLED)):
        return None
    confirmed = agreed(obs, view, 1.0, 1800)
    return unusual(confirmed, f"temperature of {value:.1f} °C, a displaced probe or a grave state")


def temperature_step(obs: Observation, view: View) -> Verdict | None:
    """Over 0.5 K/min and 1 K: a body has too much heat capacity; the probe moved (unverified)."""
    if view.trace is None or not view.context.flags.isdisjoint(COOLED):
        return None
    at, before = view.trace.recent[-1]
    minutes = (obs.at - at) / (60 * SECOND)
    change = obs.value - before
    if abs(change) <= max(1.0, 0.5 * minutes):
        return None
    return Verdict(
        f"temperature changed by {change:+.1f} K in {minutes:.0f} min: see the probe", 0.4
    )


TEMPERATURE_RULES: tuple[Rule, ...] = (temperature_range, temperature_step)
