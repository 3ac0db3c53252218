"""From where on an arterial pressure is an alarm: by age, and by what is usual of the patient.

The table is `pressure_limits.toml`. A patient's own usual value moves a limit by at most a quarter:
who lives with a high pressure is warned earlier of a low one, and a usual value that was read wrong
silences nothing.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from isosoma.core.errors import RangeError
from isosoma.core.units import to_si

__all__ = ["ADULT", "PressureLimits", "limit_at", "pressure_limits"]

ADULT = 40.0
"""Age [a] whose limits hold where none is known."""
_FALL, _RISE = 0.75, 1.3
"""Shares of the usual pressure that are a low and a high one: a fall by a quarter lies between the
20 and 30 % that studies of anaesthesia take (Bijker et al. 2007,
10.1097/01.anes.0000270724.40897.8e) (unverified); the rise is chosen here (unverified)."""
_OWN = 0.25  # share of the age's limit by which a usual value may move it
_VERY = 0.7
"""Of the low limit, below which it is a matter of minutes: 45 mmHg in adults, the pressure at which
autoregulation of heart and kidney is surely left (unverified)."""


@dataclass(frozen=True, slots=True)
class PressureLimits:
    """Limits of mean and systolic arterial pressure [Pa]."""

    very_low_mean: float
    low_mean: float
    high_mean: float
    low_systolic: float
    high_systolic: float


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return ages [a] and limits [Pa] by name."""
    text = files("isosoma.signals").joinpath("pressure_limits.toml").read_text("utf-8")
    return {
        name: (
            tuple(float(age) for age, _ in row["rows"]),
            tuple(to_si(float(limit), row["unit"]) for _, limit in row["rows"]),
        )
        for name, row in tomllib.loads(text).items()
    }


def limit_at(name: str, age: float) -> float:
    """Return a limit of the table [Pa] at an age [a], read in between over the root of age.

    Raises
    ------
    RangeError
        The age is no age of a living person.
    """
    if not 0.0 <= age <= 130.0:
        raise RangeError(f"{age:g} years is no age", "pressure limits", "Give 0 to 130 years")
    ages, limits = _table()[name]
    return float(np.interp(math.sqrt(age), np.sqrt(ages), limits))


def pressure_limits(
    age: float | None = None, mean: float | None = None, systolic: float | None = None
) -> PressureLimits:
    """Return the limits for a patient.

    Parameters
    ----------
    age : [a]; None where it is not known: an adult's limits then.
    mean, systolic : pressures that are usual of the patient [Pa]; None where they are not known.

    Raises
    ------
    RangeError
        The age is no age of a living person.
    """
    years = ADULT if age is None else age

    def own(name: str, usual: float | None, share: float) -> float:
        limit = limit_at(name, years)
        if usual is None:
            return limit
        return min(max(share * usual, (1.0 - _OWN) * limit), (1.0 + _OWN) * limit)

    low = own("low_mean", mean, _FALL)
    return PressureLimits(
        _VERY * low,
        low,
        own("high_mean", mean, _RISE),
        own("low_systolic", systolic, _FALL),
        own("high_systolic", systolic, _RISE),
    )
