"""exp and log by polynomials: the same bits on every machine, and open to vectorisation.

The C library's versions differ between platforms in the last bit and stop a loop over members
from being compiled to vector instructions.
"""

from __future__ import annotations

import numpy as np

__all__ = ["exp_moderate", "log_moderate", "wave"]


def exp_moderate(x: float) -> float:
    """Return e^x for -16 <= x <= 8; outside, the value at the nearer bound.

    Taylor series of degree 7 in x/16, squared four times: relative error below 1e-6 at |x| = 8,
    below 1e-9 at |x| < 4; below 1e-4 down to -16, where the value is under 2e-7.
    """
    y = min(max(x, -16.0), 8.0) * 0.0625
    a = 1 / 24 + y * (1 / 120 + y * (1 / 720 + y * (1 / 5040)))
    p = 1.0 + y * (1.0 + y * (1 / 2 + y * (1 / 6 + y * a)))
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
