"""A patient's own limits of the arterial pressure: by age, and by what was usual of them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation
from isosoma.exchange.patient_file import PatientFile
from isosoma.signals.pressure_limits import PressureLimits, pressure_limits

__all__ = ["own_limits", "usual"]

ENOUGH = 3
"""Readings, at least, of which a usual pressure is the median: one may be a fright."""
_YEAR = 365.25 * 86400.0  # [s]


def own_limits(described: PatientFile, readings: Sequence[Observation], now: int) -> PressureLimits:
    """Return the limits of a patient at an instant [ns].

    Raises
    ------
    RangeError
        The age is no age of a living person.
    """
    age = described.age
    if described.born is not None:
        age = (now - described.born) * 1e-9
    try:
        return pressure_limits(
            None if age is None else age / _YEAR,
            usual(readings, "mean_arterial_pressure"),
            usual(readings, "systolic_pressure"),
        )
    except RangeError as error:
        raise error.at(described.id) from error


def usual(readings: Sequence[Observation], variable: str) -> float | None:
    """Return the median reading of a pressure [Pa]; None where there are too few.

    A mean that nobody measured is the diastolic and a third of the pulse pressure.
    """
    found = [o.value for o in readings if o.variable == variable]
    if variable == "mean_arterial_pressure":
        pulses = dict[int, dict[str, float]]()
        for o in readings:
            if o.variable in ("systolic_pressure", "diastolic_pressure"):
                pulses.setdefault(o.at, {})[o.variable] = o.value
        pairs = [(p["systolic_pressure"], p["diastolic_pressure"]) for p in pulses.values()
                 if len(p) == 2]  # fmt: skip
        found = found if len(found) >= ENOUGH else [(s + 2.0 * d) / 3.0 for s, d in pairs]
    return median(found) if len(found) >= ENOUGH else None
