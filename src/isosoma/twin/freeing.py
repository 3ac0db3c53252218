"""What a reading frees: unknowns that are given, or known more closely, until it speaks of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from isosoma.core.observation import Observation, effective_sigma
from isosoma.core.units import to_si
from isosoma.infer.belief import Reading

__all__ = ["FREEING", "assumed_tract", "freed_by", "of_tract"]

_TRACT, _VTI = "lvot_diameter", "lvot_velocity_time_integral"
FREEING: Mapping[str, tuple[float, float, tuple[str, ...]]] = {
    "aortic_valve_area": (0.0, math.inf, ("aortic_area",)),
    "mitral_valve_area": (0.0, math.inf, ("mitral_area",)),
    "aortic_valve_mean_gradient": (to_si(20.0, "mm[Hg]"), math.inf, ("aortic_area",)),
    "mitral_valve_mean_gradient": (to_si(5.0, "mm[Hg]"), math.inf, ("mitral_area",)),
    "left_ventricular_ejection_fraction": (0.0, 0.5, ("lv_elastance", "lv_stiffness")),
    _TRACT: (0.0, math.inf, (_TRACT,)),
}
"""Output → from and up to which reading [SI] it frees which unknowns.

Moderate stenosis begins at such gradients (Baumgartner et al. 2009, 10.1093/ejechocard/jen303), a
reduced ejection fraction below one half (Bozkurt et al. 2021, 10.1002/ejhf.2115); both unverified.
"""


def freed_by(readings: Iterable[Reading], freed: Collection[str] = ()) -> tuple[str, ...]:
    """Return the unknowns that readings free, and those freed already, in order of their names."""
    # Of a valve believed sound the area is given, so that no reading could teach it.
    names = set(freed)
    for r in readings:
        low, high, unknowns = FREEING.get(r.observation.variable, (math.inf, -math.inf, ()))
        heard = effective_sigma(r.observation.sigma, r.verdict) < math.inf
        names.update(unknowns if heard and low <= r.observation.value < high else ())
    return tuple(sorted(names))


def assumed_tract(outputs: Collection[str], freed: Collection[str]) -> tuple[str, ...]:
    """Return the outflow tract's diameter if a time integral was read and it was not."""
    return (_TRACT,) if _VTI in outputs and _TRACT not in freed else ()


def of_tract(o: Observation, freed: Collection[str]) -> Observation:
    """Return the observation; a time integral has no offset where its diameter is an unknown."""
    return replace(o, bias=0.0) if o.variable == _VTI and _TRACT in freed else o
