"""Rules on pulse oximetry (signals reference, section 8; ISO 80601-2-61:2017)."""

from __future__ import annotations

import math

from isosoma.core.observation import Observation, Verdict
from isosoma.quality.context import Context
from isosoma.quality.view import Rule, View, agreed, flags_of, unusual

__all__ = [
    "OXIMETRY_RULES",
    "device_status",
    "low_saturation",
    "perfusion",
    "pulse_not_followed",
    "skin_bias",
]

PI_LIMIT = 0.003  # perfusion index of 0.3 %
FAULTS = {  # Bluetooth PLX sensor status words; weights ours (unverified)
    "sensor_disconnected": 0.0,
    "sensor_unconnected": 0.0,
    "low_perfusion": 0.5,
    "poor_signal": 0.5,
    "inadequate_signal": 0.4,
    "erratic_signal": 0.5,
    "questionable_pulse": 0.5,
    "signal_processing_irregularity": 0.5,
    "nonpulsatile_signal": 0.4,
}


def _index(obs: Observation, view: View) -> float | None:
    """Perfusion index [1] read with the saturation, or within the last 30 s by its device."""
    if "perfusion_index" in view.beside:
        return view.beside["perfusion_index"]
    for (device, _), trace in view.traces.get("perfusion_index", {}).items():
        at, value = trace.recent[-1]
        if device == obs.device and 0 <= obs.at - at <= 30_000_000_000:
            return value
    return None


def low_saturation(obs: Observation, view: View) -> Verdict | None:
    """SpO2 under 50 % with no perfusion index: oximeters are not calibrated there."""
    if obs.value >= 0.5:
        return None
    index = _index(obs, view)
    confirmed = (index is not None and index >= PI_LIMIT) or agreed(obs, view, 0.05, 60)
    return unusual(confirmed, f"SpO2 of {100 * obs.value:.0f} %, below the calibrated range")


def perfusion(obs: Observation, view: View) -> Verdict | None:
    """Perfusion index under 0.3 %: too little pulse to measure by."""
    index = _index(obs, view)
    if index is None or index >= PI_LIMIT:
        return None
    return Verdict(f"perfusion index of {100 * index:.1f} %: warm or move the sensor", 0.4)


def pulse_not_followed(obs: Observation, view: View) -> Verdict | None:
    """The oximeter counts another pulse than the ECG: it does not follow the artery."""
    pulse = view.beside.get("pulse_rate")
    if pulse is None or view.context.may_lack_pulse:
        return None
    for trace in view.traces.get("heart_rate", {}).values():
        at, rate = trace.recent[-1]
        if 0 <= obs.at - at <= 30_000_000_000 and abs(rate - pulse) > max(0.25 * rate, 10 / 60):
            told = f"pulse {pulse * 60:.0f} /min against heart rate {rate * 60:.0f} /min"
            return Verdict(f"{told}: the oximeter may not follow the artery", 0.5)
    return None


def device_status(obs: Observation, view: View) -> Verdict | None:
    """Lower the weight where the oximeter itself reports a fault (section 5.1)."""
    if "?" not in obs.origin:
        return None
    found = sorted((FAULTS[f], f) for f in flags_of(obs.origin) if f in FAULTS)
    if not found:
        return None
    names = " and ".join(name.replace("_", " ") for _, name in found)
    return Verdict(f"the oximeter reports {names}", found[0][0])


def skin_bias(value: float, context: Context) -> float:
    """Return the standard uncertainty of the pigment bias [1], kept apart from noise.

    Up to 1 % at 100 % and 3 % at 70 % saturation on the darkest skin, in proportion to the Monk
    tone above 4 (unverified; direction: Sjoding et al. 2020, DOI 10.1056/NEJMc2029240).
    A covariate widens, it never corrects a person's value by group.
    """
    part = min(max((context.monk_skin_tone - 4) / 6, 0.0), 1.0)
    depth = min(max((1.0 - value) / 0.3, 0.0), 1.0)
    return part * math.fsum((0.01, 0.02 * depth))


OXIMETRY_RULES: tuple[Rule, ...] = (low_saturation, perfusion, pulse_not_followed, device_status)
