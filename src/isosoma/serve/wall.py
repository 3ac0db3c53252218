"""How thick a ventricle's wall is at a volume: a shell of constant volume around the cavity.

::

    h = (3 (V + W) / 4 pi)^(1/3) - (3 V / 4 pi)^(1/3)

The wall W keeps its volume, as muscle does, so that it thickens while the cavity V empties. Both
cavities are spheres here, which is a drawing's shape: a measured wall is another number. W is the
median muscle of a healthy body (Kawel-Boehm et al. 2020, 10.1186/s12968-020-00683-3, rounded,
unverified) and no unknown of the twin.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from isosoma.organs.circulation.body import Person

__all__ = ["surface", "thickness", "wall_volume"]

Floats = npt.NDArray[np.float64]

_DENSITY = 1050.0  # [kg/m3] of myocardium
_INDEX = {"lv": (0.058, 0.050), "rv": (0.020, 0.018)}
"""Mass of muscle over body surface [kg/m2], men and women (unverified)."""


def surface(person: Person) -> float:
    """Return the body surface [m2] of Haycock et al. 1978 (10.1016/S0022-3476(78)80601-5)."""
    return 0.024265 * person.weight**0.5378 * (100.0 * person.height) ** 0.3964


def wall_volume(person: Person, side: str) -> float:
    """Return the volume of muscle [m3] around the ventricle `side`, ``lv`` or ``rv``."""
    return _INDEX[side][person.female] * surface(person) / _DENSITY


def thickness(volume: Floats, wall: float) -> Floats:
    """Return the thickness [m] of `wall` [m3] around a cavity of `volume` [m3], any shape."""
    per = 3.0 / (4.0 * math.pi)
    return np.cbrt(per * (volume + wall)) - np.cbrt(per * volume)
