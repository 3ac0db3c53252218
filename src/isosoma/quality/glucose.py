"""Rules on continuous and strip glucose (signals reference, section 8)."""

from __future__ import annotations

from isosoma.core.observation import Observation, Verdict
from isosoma.quality.view import SECOND, Rule, View

__all__ = [
    "CGM_RULES",
    "MG_DL",
    "cgm_sigma",
    "compression_low",
    "first_day",
    "flat_sensor",
    "rate_of_change",
    "reporting_range",
]

MG_DL = 0.01 / 0.18016  # [mol/m3] of 1 mg/dL of glucose, 0.18016 kg/mol
MINUTE = 60 * SECOND  # [ns]
LOWEST = 39.0  # [mg/dL] commercial sensors report no less


def cgm_sigma(value: float) -> float:
    """Return the noise of a sensor reading [mol/m3]: max(7 mg/dL, 9 %) (section 8)."""
    return max(7 * MG_DL, 0.09 * value)


def _before(obs: Observation, view: View) -> tuple[float, float] | None:
    """Minutes and change [mg/dL] since the newest reading at least 4 min old, at most 20."""
    recent = view.trace.recent if view.trace is not None else ()
    for at, value in reversed(recent):
        minutes = (obs.at - at) / MINUTE
        if minutes > 20:
            return None
        if minutes >= 4:
            return minutes, (obs.value - value) / MG_DL
    return None


def rate_of_change(obs: Observation, view: View) -> Verdict | None:
    """Faster than 6 mg/dL/min: tissue glucose cannot; the sensor stepped."""
    past = _before(obs, view)
    if past is None or abs(past[1]) <= 6 * past[0]:
        return None
    return Verdict(f"glucose changed by {past[1] / past[0]:+.1f} mg/dL per minute: the sensor", 0.2)


def flat_sensor(obs: Observation, view: View) -> Verdict | None:
    """The same number for over 20 min is doubtful, for over an hour the sensor stands still."""
    if view.trace is None or obs.censoring != "none" or view.trace.recent[-1][1] != obs.value:
        return None
    flat = (obs.at - view.trace.since) / MINUTE
    if flat <= 20:
        return None
    weight = 0.2 if flat > 60 else 0.6
    return Verdict(f"glucose has read the same for {flat:.0f} min: the sensor may hang", weight)


def compression_low(obs: Observation, view: View) -> Verdict | None:
    """Falling fast below 70 mg/dL at night: someone lies on the sensor, or is hypoglycaemic.

    Baysal et al. 2014, DOI 10.1177/1932296814541215 (limits ours, unverified). Never withheld.
    """
    hour = (obs.at // (3600 * SECOND) + obs.zone // 60) % 24
    past = _before(obs, view)
    if past is None or 7 <= hour < 23 or obs.value >= 70 * MG_DL or past[1] > -2 * past[0]:
        return None
    return Verdict("fast night-time fall, perhaps by lying on the sensor: check by finger", 0.4)


def first_day(obs: Observation, view: View) -> Verdict | None:
    """A sensor is less exact in its first 24 h; without its start nothing is said."""
    started = view.context.cgm_started
    if not started or not 0 <= obs.at - started < 24 * 60 * MINUTE:
        return None
    return Verdict("the glucose sensor is in its first day", 0.7)


def reporting_range(obs: Observation, view: View) -> Verdict | None:
    """At or past the sensor's limits a number is a bound; it must come as censored."""
    if obs.censoring != "none":
        return None
    value = obs.value / MG_DL
    if LOWEST <= value <= view.context.cgm_high_mg_dl:
        return None
    side = "at most" if value < LOWEST else "at least"
    return Verdict(f"{value:.0f} mg/dL is past the sensor's range: read it as {side} that", 0.3)


CGM_RULES: tuple[Rule, ...] = (
    rate_of_change,
    flat_sensor,
    compression_low,
    first_day,
    reporting_range,
)
