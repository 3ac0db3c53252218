"""Combined standard uncertainty after the GUM (JCGM 100:2008)."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = [
    "combined",
    "effective_degrees",
    "from_half_width",
    "from_resolution",
    "mean_pressure",
]


def from_resolution(step: float) -> float:
    """Return the standard uncertainty of rounding to `step`: a / sqrt(12), same unit."""
    return step / math.sqrt(12)


def from_half_width(half: float) -> float:
    """Return the standard uncertainty of a uniform ±`half`: a / sqrt(3), same unit."""
    return half / math.sqrt(3)


def combined(
    sensitivities: Sequence[float],
    uncertainties: Sequence[float],
    covariances: Sequence[tuple[int, int, float]] = (),
) -> float:
    """Return u_c, u_c² = Σ (c_i u_i)² + 2 Σ c_i c_j cov_ij, pairs (i, j, cov) with i < j.

    Raises
    ------
    ValueError
        The lengths differ.
    """
    own = math.fsum((c * u) ** 2 for c, u in zip(sensitivities, uncertainties, strict=True))
    shared = math.fsum(2 * sensitivities[i] * sensitivities[j] * c for i, j, c in covariances)
    return math.sqrt(max(own + shared, 0.0))


def effective_degrees(contributions: Sequence[float], degrees: Sequence[float]) -> float:
    """Return Welch–Satterthwaite degrees of freedom: u_c⁴ / Σ (u_i⁴ / ν_i); u_i = c_i u(x_i)."""
    total = math.fsum(u * u for u in contributions)
    below = math.fsum(u**4 / v for u, v in zip(contributions, degrees, strict=True))
    return total * total / below if below > 0 else math.inf


def mean_pressure(
    systolic: float, diastolic: float, u_systolic: float, u_diastolic: float
) -> tuple[float, float]:
    """Return MAP = DIA + PP / 3 and its standard uncertainty, all in one unit."""
    value = diastolic + (systolic - diastolic) / 3
    return value, combined((1 / 3, 2 / 3), (u_systolic, u_diastolic))
