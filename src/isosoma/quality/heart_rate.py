"""Rules on heart rate, pulse rate and RR intervals (signals reference, section 8)."""

from __future__ import annotations

from isosoma.core.observation import Observation, Verdict
from isosoma.quality.view import SECOND, Rule, View, agreed, flags_of, unusual

__all__ = ["RATE_RULES", "RR_RULES", "contact", "jump", "pause", "rate_range", "too_short"]

NO_CONTACT = frozenset({"no_contact", "contact_lost", "no_skin_contact", "lead_off"})
OTHER = {"heart_rate": "pulse_rate", "pulse_rate": "heart_rate"}
BEAT_WINDOW = 30.0  # [s] in which another rate must agree


def _supported(obs: Observation, view: View) -> bool:
    """Another channel, or the last RR interval, tells the same rate within 15 %."""
    tolerance = max(0.15 * obs.value, 3 / 60)
    if agreed(obs, view, tolerance, BEAT_WINDOW, OTHER[obs.variable]):
        return True
    oldest = obs.at - 10 * SECOND
    beats = [t.recent[-1] for t in view.traces.get("rr_interval", {}).values()]
    return any(
        oldest <= at <= obs.at and rr > 0 and abs(1 / rr - obs.value) <= tolerance
        for at, rr in beats
    )


def _contradicted(obs: Observation, view: View) -> bool:
    """Another channel told a rate over 40 % and 10 /min away within 30 s."""
    oldest = obs.at - int(BEAT_WINDOW * SECOND)
    for name in (obs.variable, OTHER[obs.variable]):
        for key, trace in view.traces.get(name, {}).items():
            at, rate = trace.recent[-1]
            other = name != obs.variable or key != (obs.device, obs.channel)
            if other and at >= oldest and abs(rate - obs.value) > max(0.4 * rate, 10 / 60):
                return True
    return False


def rate_range(obs: Observation, view: View) -> Verdict | None:
    """HR under 20 or over 300 /min, zero included: arrest and flutter are patients."""
    rate = obs.value * 60
    if 20 <= rate <= 300:
        return None
    tolerance = max(0.15 * obs.value, 3 / 60)
    confirmed = _supported(obs, view) or (
        agreed(obs, view, tolerance, BEAT_WINDOW) and not _contradicted(obs, view)
    )
    return unusual(confirmed, f"heart rate of {rate:.0f} /min")


def jump(obs: Observation, view: View) -> Verdict | None:
    """A change over 40 % from one reading to the next needs the support of another signal."""
    if view.trace is None:
        return None
    at, before = view.trace.recent[-1]
    gap = (obs.at - at) / SECOND
    if gap > 10 or before <= 0 or abs(obs.value - before) <= 0.4 * before:
        return None
    what = f"heart rate from {before * 60:.0f} to {obs.value * 60:.0f} /min in {gap:.0f} s"
    return unusual(_supported(obs, view), what)


def contact(obs: Observation, view: View) -> Verdict | None:
    """Without skin contact a rate of zero is no measurement, any other is doubtful."""
    if "?" not in obs.origin or flags_of(obs.origin).isdisjoint(NO_CONTACT):
        return None
    return Verdict("the sensor reports no skin contact: refit it", 0.0 if obs.value == 0 else 0.4)


def too_short(obs: Observation, view: View) -> Verdict | None:
    """RR under 200 ms: shorter than the heart's refractory time, or ventricular fibrillation."""
    if obs.value >= 0.2:
        return None
    return Verdict("RR interval under 200 ms: a wave counted twice, or fibrillation", 0.3)


def pause(obs: Observation, view: View) -> Verdict | None:
    """RR over 3 s: a pause or a missed beat."""
    if obs.value <= 3:
        return None
    return unusual(agreed(obs, view, 0.3 * obs.value, 30), f"RR interval of {obs.value:.1f} s")


RATE_RULES: tuple[Rule, ...] = (rate_range, jump, contact)
RR_RULES: tuple[Rule, ...] = (too_short, pause, contact)
