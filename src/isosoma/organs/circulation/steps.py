"""Which step of the network keeps every clinical index within 1 % of the solution at 10 us.

The limits are read off the measured table docs/circulation-accuracy.md, which a script renews.
"""

from __future__ import annotations

import math

from isosoma.core.errors import RangeError

__all__ = ["LIMITS", "step_for"]

LIMITS: dict[bool, tuple[tuple[float, float], ...]] = {
    False: ((170.0, 1e-3), (190.0, 5e-4), (math.inf, 2.5e-4)),
    True: ((100.0, 1e-3), (180.0, 5e-4), (math.inf, 2.5e-4)),
}
"""By whether a valve leaks (0.2 cm2 or more in an adult): highest rate [/min] of each step [s]."""


def step_for(rate: float, leaking: bool = False) -> float:
    """Return the step [s] for a heart rate [Hz], the highest that a run will see.

    Raises
    ------
    RangeError
        The rate is no positive number.
    """
    if not 0.0 < rate < math.inf:
        raise RangeError(
            f"a heart rate of {rate:g} Hz is none", "step_for", "Give it in Hz, above 0"
        )
    return next(step for limit, step in LIMITS[leaking] if 60.0 * rate <= limit)
