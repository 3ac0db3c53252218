"""What is estimated of a person: the unknowns, their priors, and all parameters from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle, Parameter, Source
from isosoma.core.prior import LogNormal
from isosoma.organs.circulation.body import Person, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.parameters import PARAMETERS

__all__ = ["FREED", "UNKNOWNS", "theta_at", "unknowns"]

Floats = npt.NDArray[np.float64]

UNKNOWNS: dict[str, float] = {
    "systemic_resistance": 0.25,
    "arterial_compliance": 0.25,
    "lv_elastance": 0.25,
    "rv_elastance": 0.2,
    "lv_stiffness": 0.15,
    "blood_volume": 0.08,
    "venous_compliance": 0.15,
    "period": 0.1,
    "baroreflex_gain": 0.2,
    "baroreflex_setpoint": 0.08,
    "pulmonary_resistance": 0.25,
    "lung_shunt": 0.5,
    "haemoglobin_start": 0.1,
}
"""What is estimated of a person, with the sd of its logarithm.

Spreads of the table, and wider ones where patients differ more than healthy people of a size: blood
volume (dry or full), the veins, and the pressure that the reflex defends. The latter three are
chosen here (unverified).
"""
FREED: dict[str, tuple[float, float]] = {
    "aortic_area": (0.4, 0.5),
    "mitral_area": (0.4, 0.5),
    "lv_elastance": (0.6, 0.6),
    "lv_stiffness": (0.8, 0.3),
    "lvot_diameter": (1.0, 0.1),
}
"""What a diagnosis or a reading frees: its median as a share of the sound one, sd of its logarithm.

A stenosed aortic valve of 0.6 to 3 cm2 in nine of ten; a ventricle that fails, weak and widened; an
outflow tract of which the body's size tells a tenth (chosen here, unverified).
"""
_CHOSEN = Source("Spread chosen for patients rather than healthy people", verified=False)


def unknowns(person: Person, freed: Sequence[str] = ()) -> tuple[Parameter, ...]:
    """Return what is estimated of a person, its prior around the medians of `theta_of`.

    Parameters
    ----------
    freed : of `FREED`: they are unknown too, or more widely than in the healthy.
    """
    strange = [n for n in freed if n not in FREED]
    if strange:
        raise ModelError(f"{strange[0]} is never freed", todo=f"Choose among {', '.join(FREED)}")
    medians = theta_of(person)
    medians |= {n: FREED[n][0] * medians[n] for n in freed}
    spreads = UNKNOWNS | {n: FREED[n][1] for n in freed}
    return tuple(_unknown(name, medians[name], spread) for name, spread in spreads.items())


def _unknown(name: str, median: float, spread: float) -> Parameter:
    row = PARAMETERS[name]
    own = isinstance(row.prior, LogNormal) and row.prior.sd == spread
    return Parameter(name, row.unit, LogNormal(median, spread), row.source if own else _CHOSEN)


def theta_at(model: Circulation, person: Person, z: Floats, freed: Sequence[str] = ()) -> Bundle:
    """Return all parameters [SI] of members at coordinates `z` (N, n) of `unknowns`."""
    sought = unknowns(person, freed)
    if z.ndim != 2 or z.shape[1] != len(sought):
        raise ModelError(
            f"coordinates {z.shape} for {len(sought)} unknowns",
            todo="Give one row a member and one column an unknown, in the order of `unknowns`",
        )
    medians = theta_of(person)
    theta = {p.name: np.full(len(z), medians[p.name]) for p in model.parameters}
    return theta | {p.name: p.prior.real(z[:, i]) for i, p in enumerate(sought)}
