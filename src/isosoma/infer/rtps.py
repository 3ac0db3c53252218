"""Relaxation to prior spread: z'_a *= 1 + alpha (s_b - s_a) / s_a.

Whitaker & Hamill 2012, Mon Weather Rev 140:3078. Unlike multiplicative inflation it does nothing
where nothing was observed, so the spread there cannot run away. `etkf.apply` does it in passing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["relax"]

Floats = npt.NDArray[np.float64]


def relax(analysis: Floats, prior: Floats, alpha: float) -> Floats:
    """Return `analysis` (N, n) with a share `alpha` of the lost spread of `prior` given back."""
    mean = analysis.mean(axis=0)
    after, before = analysis.std(axis=0), prior.std(axis=0)
    safe = np.where(after > 0.0, after, 1.0)
    factor = np.where(after > 0.0, 1.0 + alpha * (before - after) / safe, 1.0)
    return mean + factor * (analysis - mean)
