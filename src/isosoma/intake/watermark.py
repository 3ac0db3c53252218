"""How late a reading may come: on time, late (a fold rolls back), or beyond the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from isosoma.core.observation import Observation, Waveform

__all__ = ["HORIZON", "Lateness", "channel_of", "instant_of", "lag_of", "lateness"]

_SECOND = 10**9
HORIZON = 48 * 3600 * _SECOND
"""A reading older than this [ns] behind its channel's newest informs smoothers only."""

# Allowed lag behind the newest reading of the same channel [ns].
_LAG: Mapping[str, int] = {
    "ecg": 2 * _SECOND,
    "arterial_pressure": 2 * _SECOND,
    "plethysmogram": 2 * _SECOND,
    "respiration": 2 * _SECOND,
    "interstitial_glucose": 900 * _SECOND,
    "systolic_pressure": HORIZON,
    "diastolic_pressure": HORIZON,
    "mean_arterial_pressure": HORIZON,
    "body_weight": HORIZON,
}
_VITALS = 30 * _SECOND

Lateness = Literal["on_time", "late", "beyond"]
Reading = Observation | Waveform


def instant_of(reading: Reading) -> int:
    """Return the event time of a reading [ns]."""
    return reading.start if isinstance(reading, Waveform) else reading.at


def channel_of(reading: Reading) -> tuple[str, str, str]:
    """Return what a watermark belongs to: (device, channel, variable)."""
    return reading.device, reading.channel, reading.variable


def lag_of(variable: str) -> int:
    """Return the allowed lag of a variable [ns]; 30 s where the table says nothing else."""
    return _LAG.get(variable, _VITALS)


def lateness(reading: Reading, newest: int | None) -> Lateness:
    """Compare a reading with the newest event time [ns] of its channel; None before the first."""
    if newest is None:
        return "on_time"
    behind = newest - instant_of(reading)
    if behind > HORIZON:
        return "beyond"
    return "late" if behind > lag_of(reading.variable) else "on_time"
