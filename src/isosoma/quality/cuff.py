"""Rules on blood pressure from a cuff or a line.

A cuff measures by the pulse; without one it has measured nothing. A line measures without a pulse.
Bounds: signals reference, section 8; oscillometry: ISO 81060-2:2018.
"""

from __future__ import annotations

import re
from functools import lru_cache

from isosoma.core.observation import Observation, Verdict
from isosoma.quality.view import MMHG, SECOND, Rule, View, agreed, flags_of, unusual

__all__ = [
    "PRESSURE_RULES",
    "flow_without_pulse",
    "is_cuff",
    "is_line",
    "mean_between",
    "mean_fraction",
    "pulse_pressure",
    "status_bits",
    "systolic_over_diastolic",
    "systolic_range",
    "too_soon",
]

SYS, DIA, MAP = "systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"
LINE_WORDS = ("abp", "art", "line", "ibp", "invasive")
CUFF_WORDS = ("cuff", "nibp", "2a35", "bloodpressure", "blood-pressure", "blood_pressure")
_CUFF = re.compile("|".join(CUFF_WORDS), re.IGNORECASE)
STATUS = {  # Bluetooth Blood Pressure Service 1.1, measurement status; weights ours (unverified)
    "movement": (0.5, "the arm moved"),
    "cuff_loose": (0.35, "the cuff was loose"),
    "irregular_pulse": (0.7, "the pulse was irregular: take the mean of three readings"),
    "pulse_range": (0.5, "the pulse rate was outside the cuff's range"),
    "position": (0.5, "the arm was not at heart level"),
}
ALIASES = {
    "body_movement": "movement",
    "loose": "cuff_loose",
    "loose_cuff": "cuff_loose",
    "irregular": "irregular_pulse",
    "pulse_high": "pulse_range",
    "pulse_low": "pulse_range",
    "pulse_above_range": "pulse_range",
    "pulse_below_range": "pulse_range",
    "improper_position": "position",
    "position_improper": "position",
}


@lru_cache(maxsize=1024)
def _own_name(device: str, channel: str) -> bool | None:
    """Whether device and channel name a cuff (True), a line (False), or neither (None)."""
    own = f"{channel} {device}".lower()
    if any(word in own for word in CUFF_WORDS):
        return True
    return False if any(word in own for word in LINE_WORDS) else None


def is_cuff(obs: Observation) -> bool:
    """Whether the source names itself a cuff; a source that names nothing is no cuff."""
    named = _own_name(obs.device, obs.channel)
    return _CUFF.search(obs.origin) is not None if named is None else named


def is_line(obs: Observation) -> bool:
    """Whether a reading is a pressure of a source that names itself an arterial line."""
    return obs.variable in (SYS, DIA, MAP) and _own_name(obs.device, obs.channel) is False


def _pair(view: View) -> tuple[float, float] | None:
    """Systolic and diastolic read at one instant by one device [Pa]."""
    high, low = view.beside.get(SYS), view.beside.get(DIA)
    return None if high is None or low is None else (high, low)


def systolic_over_diastolic(obs: Observation, view: View) -> Verdict | None:
    """DIA > SYS contradicts both words; DIA = SYS is impossible for a cuff, a still line may."""
    pair = _pair(view)
    if pair is None or pair[0] > pair[1]:
        return None
    high, low = pair
    if low > high + 2 * MMHG:
        return Verdict("diastolic exceeds systolic pressure: check which value is which", 0.0)
    if is_cuff(obs):
        return Verdict("the cuff gives no pulse pressure, without which it measures nothing", 0.0)
    if view.context.may_lack_pulse:
        return None
    return unusual(agreed(obs, view, 5 * MMHG, 60), "pressure without a pulse", 0.6)


def pulse_pressure(obs: Observation, view: View) -> Verdict | None:
    """Pulse pressure under 10 or over 150 mmHg: tamponade and aortic regurgitation do that."""
    pair = _pair(view)
    if pair is None or view.context.may_lack_pulse:
        return None
    pulse = (pair[0] - pair[1]) / MMHG
    if pulse <= 0 or 10 <= pulse <= 150:
        return None
    return unusual(agreed(obs, view, 10 * MMHG, 900), f"pulse pressure of {pulse:.0f} mmHg")


def mean_between(obs: Observation, view: View) -> Verdict | None:
    """A mean outside its extremes is arithmetic, not a patient (2 mmHg for rounding)."""
    pair, mean = _pair(view), view.beside.get(MAP)
    if pair is None or mean is None or pair[1] - 2 * MMHG <= mean <= pair[0] + 2 * MMHG:
        return None
    return Verdict("mean pressure lies outside systolic and diastolic: check the channels", 0.0)


def mean_fraction(obs: Observation, view: View) -> Verdict | None:
    """Cuff MAP outside DIA + 0.2 PP … DIA + 0.5 PP: oscillometric fit failed (section 8)."""
    pair, mean = _pair(view), view.beside.get(MAP)
    if pair is None or mean is None:
        return None
    pulse = pair[0] - pair[1]
    slack = 1.5 * MMHG  # three values rounded to 1 mmHg
    if pulse <= 0 or pair[1] + 0.2 * pulse - slack <= mean <= pair[1] + 0.5 * pulse + slack:
        return None
    if "iabp" in view.context.flags or not is_cuff(obs):
        return None
    part = (mean - pair[1]) / pulse
    return Verdict(
        f"mean pressure at {part:.2f} of the pulse pressure: the cuff's fit is poor", 0.4
    )


def systolic_range(obs: Observation, view: View) -> Verdict | None:
    """SYS outside 50–270 mmHg (newborn 25, infant 35; unverified) is rare, not impossible."""
    if obs.variable != SYS:
        return None
    age = view.context.age_years
    low = 50.0 if age is None or age >= 1 else 35.0 if age >= 28 / 365.25 else 25.0
    value = obs.value / MMHG
    if low <= value <= 270 or (value < low and view.context.may_lack_pulse):
        return None
    return unusual(agreed(obs, view, 15 * MMHG, 900), f"systolic pressure of {value:.0f} mmHg")


def too_soon(obs: Observation, view: View) -> Verdict | None:
    """Two inflations within a minute leave the veins full (ESH 2021: wait 1 min)."""
    if view.trace is None:
        return None
    gap = (obs.at - view.trace.recent[-1][0]) / SECOND
    if not 0 < gap < 60 or not is_cuff(obs):
        return None
    return Verdict(f"second cuff reading after {gap:.0f} s: wait a minute between readings", 0.6)


def status_bits(obs: Observation, view: View) -> Verdict | None:
    """Lower the weight where the cuff itself reports a fault (section 5.1)."""
    if "?" not in obs.origin:
        return None
    names = {ALIASES.get(f, f) for f in flags_of(obs.origin)} & STATUS.keys()
    if not names:
        return None
    told = sorted(STATUS[n] for n in names)
    return Verdict("the cuff reports that " + " and ".join(t for _, t in told), told[0][0])


def flow_without_pulse(obs: Observation, view: View) -> Verdict | None:
    """A cuff on bypass, ECMO or a ventricular assist device hardly finds a pulse."""
    if not view.context.may_lack_pulse or not is_cuff(obs):
        return None
    return Verdict("a cuff is unsure where flow has little pulse: use an arterial line", 0.4)


PRESSURE_RULES: tuple[Rule, ...] = (
    systolic_over_diastolic,
    pulse_pressure,
    mean_between,
    mean_fraction,
    systolic_range,
    too_soon,
    status_bits,
    flow_without_pulse,
)
