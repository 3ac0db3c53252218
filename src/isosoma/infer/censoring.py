"""A limit instead of a value ("LOW", "HIGH"): what it teaches, as an equivalent reading.

The reading o ~ N(ybar, S), S = s² + R, is only known to lie below (or above) L. The moments of that
truncated normal replace the value: a pseudo reading y* with variance R* whose Kalman update has the
exact first two moments of the Gaussian model (a Tobit update). Far on the right side, R* is large:
a limit that was expected teaches nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from isosoma.infer.elementary import hazard

__all__ = ["equivalent"]

_LEAST = 1e-9  # relative loss of variance below which a limit teaches nothing


@njit(cache=True, nogil=True, error_model="numpy")
def equivalent(
    limit: float, side: int, mean: float, spread2: float, R: float
) -> tuple[float, float]:
    """Return the pseudo value and its error variance; infinite variance: nothing is learned.

    Parameters
    ----------
    limit : the sensor's bound. side : -1 the truth lies below it, +1 above.
    mean, spread2 : predicted observation, its variance without noise. R : variance of the noise.
    """
    S = spread2 + R
    root = np.sqrt(S)
    a = side * (limit - mean) / root  # the standard reading exceeds a, mirrored where below
    h = hazard(a)
    lost = h * (h - a)  # 1 - variance of the truncated standard normal
    if not lost > _LEAST:
        return mean, np.inf
    extra = S * (1.0 - lost) / lost
    return mean + side * h * root * (S + extra) / S, R + extra
