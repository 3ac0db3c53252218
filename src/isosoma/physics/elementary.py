"""exp and log by polynomials: the same bits on every machine, and open to vectorisation.

The C library's versions differ between platforms in the last bit and stop a loop over members
from being compiled to vector instructions.
"""

from __future__ import annotations

import numpy as np

__all__ = ["exp_moderate", "exp_of_eighths", "exp_of_sixteenths", "log_moderate", "wave"]


def exp_moderate(x: float) -> float:
    """Return e^x for -16 <= x <= 8; outside, the value at the nearer bound."""
    return exp_of_eighths(0.125 * x, 1.0)


def exp_of_eighths(eighth: float, top: float) -> float:
    """Return e^(8 y) for -2 <= y <= `top` <= 1; outside, the value at the nearer bound.

    Taylor series of degree 6 in y, squared three times: with x = 8 y, relative error below 1e-3 at
    x = 6, below 1e-6 for |x| < 2.5; below 5e-6 in absolute terms for x < 0. Summed in pairs, so
    that its terms do not wait for each other.
    """
    y = min(max(eighth, -2.0), top)
    y2 = y * y
    low = (1.0 + y) + y2 * (1 / 2 + y * (1 / 6))
    high = (1 / 24 + y * (1 / 120)) + y2 * (1 / 720)
    p = low + (y2 * y2) * high
    p2 = p * p
    p4 = p2 * p2
    return p4 * p4


def exp_of_sixteenths(sixteenth: float) -> float:
    """Return e^(16 y) for -1 <= y <= 0, and e^-16 below: what is left after a decay.

    Taylor series of degree 4 in y, squared four times: absolute error below 4e-6.
    """
    y = max(sixteenth, -1.0)
    y2 = y * y
    p = (1.0 + y) + y2 * ((1 / 2 + y * (1 / 6)) + y2 * (1 / 24))
    p2 = p * p
    p4 = p2 * p2
    p8 = p4 * p4
    return p8 * p8


def log_moderate(x: float) -> float:
    """Return ln x for 1 <= x <= 16; outside, the value at the nearer bound.

    ln x = 8 artanh((y - 1) / (y + 1)) with y the fourth root: absolute error below 4e-6.
    """
    y = np.sqrt(np.sqrt(min(max(x, 1.0), 16.0)))
    z = (y - 1.0) / (y + 1.0)
    w = z * z
    return 8.0 * z * (1.0 + w * (1 / 3 + w * (1 / 5 + w * (1 / 7 + w * (1 / 9)))))


def wave(phase: float) -> float:
    """Return a smooth oscillation of amplitude 1 over phase 0 to 1: two parabolas, as a sine."""
    u = 2.0 * phase - 1.0
    return 4.0 * u * (abs(u) - 1.0)
