"""What was measured against what is simulated: a number that a sensor gainsays is not shown.

The filter decides what it may learn; this decides what may be said meanwhile, from raw readings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from isosoma.core.observation import Observation
from isosoma.core.quantity import show_unit
from isosoma.core.units import convert, to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.quality import Finding
from isosoma.serve.numbers import Predicted

__all__ = ["disbelief"]

_APART: Mapping[str, float] = {
    "mean_arterial_pressure": 0.2,
    "systolic_pressure": 0.2,
    "heart_rate": 0.25,
    "oxygen_saturation": 0.06,
}
"""Share of what is simulated by which a reading must differ to gainsay it (unverified)."""
_SIGMAS = 4.0
_OFFSET = {
    "systolic_pressure": to_si(3.0, "mm[Hg]"),
    "mean_arterial_pressure": to_si(3.0, "mm[Hg]"),
}
"""What a sensor's own offset may add [SI] (unverified)."""
_FRESH = 90 * 10**9  # [ns] for which a reading speaks for now


def disbelief(
    found: Predicted | None, seen: Iterable[Observation], faults: Sequence[Finding], now: int
) -> str:
    """Return why the simulated numbers are not to be believed, or nothing.

    Parameters
    ----------
    seen : what was read. faults : of the set-up; what they touch gainsays nothing.
    """
    if found is None or not len(found.members):
        return ""
    newest = dict[tuple[str, str], Observation]()
    for o in seen:
        fresh = o.variable in _APART and now - o.at <= _FRESH
        if fresh and not any(f.touches(o.variable, o.device, o.channel, o.at) for f in faults):
            key = (o.variable, o.device)
            newest[key] = max(newest.get(key, o), o, key=lambda x: x.at)
    far = [(_far(o, found), o) for o in newest.values()]
    worst, o = max(far, key=lambda f: f[0], default=(0.0, None))
    return "" if o is None or worst <= 1.0 else _said(o, found)


def _far(o: Observation, found: Predicted) -> float:
    """Return how far a reading lies from what is simulated; above 1 it gainsays it."""
    members = found.of(o.variable)
    middle, spread = float(np.median(members)), float(members.std(ddof=1))
    sigma = math.hypot(spread, o.sigma, _OFFSET.get(o.variable, 0.0))
    apart = abs(o.value - middle)
    return min(apart / (_SIGMAS * sigma), apart / (_APART[o.variable] * abs(middle)))


def _said(o: Observation, found: Predicted) -> str:
    row = VOCABULARY[o.variable]
    read, simulated = (
        f"{convert(v, row.unit, row.shown):.0f} {show_unit(row.shown)}"
        for v in (o.value, float(np.median(found.of(o.variable))))
    )
    return (
        f"the {o.device or 'sensor'} reads a {row.label} of {read}, the twin says {simulated}: "
        "simulated numbers are withheld until it has followed; look at the patient"
    )
