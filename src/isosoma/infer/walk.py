"""How an unknown may wander between readings: a walk that reverts to its prior, for any interval.

::

    phi = exp(-dt / tau)        z <- mean + phi (z - mean) + sd sqrt(1 - phi²) eps

Bounded where nothing is observed; intervals widen strictly with the age of the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import ModelError
from isosoma.infer.elementary import exp
from isosoma.infer.philox import fill_normals

__all__ = ["Walk", "open_rows", "opening", "tau_of", "walk_rows"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Walk:
    """The wandering of one coordinate.

    Attributes
    ----------
    tau : time in which it forgets [s]; infinite: it is constant.
    mean, sd : where it reverts to and its spread there [prior standard deviations].
    """

    tau: float
    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        if not self.tau > 0.0 or not 0.0 <= self.sd < math.inf or not math.isfinite(self.mean):
            raise ModelError(
                f"a walk with tau {self.tau} s, mean {self.mean}, sd {self.sd} is none",
                todo="Give tau > 0 (infinite for a constant), a finite mean and sd >= 0",
            )


def tau_of(step_sd: float, dt: float, sd: float = 1.0) -> float:
    """Return the tau [s] at which a step of `dt` [s] has noise `step_sd`, of a spread `sd`."""
    if not 0.0 < step_sd < sd:
        raise ModelError(f"the noise of a step lies between 0 and {sd}, not at {step_sd}")
    return -dt / (0.5 * math.log1p(-((step_sd / sd) ** 2)))


@njit(cache=True, nogil=True, error_model="numpy")
def walk_rows(
    rows: Floats,
    table: Floats,
    dt: float,
    key: npt.NDArray[np.uint64],
    step: int,
    noise: Floats,
) -> None:
    """Advance `rows` (n, N) in place by `dt` [s].

    Parameters
    ----------
    table : tau [s], mean and sd of each row (n, 3).
    key : (2,) patient and stream. noise : scratch (n, N).
    """
    fill_normals(key[0], key[1], np.uint64(step), noise)
    for j in range(rows.shape[0]):
        phi = exp(-dt / table[j, 0])
        mean = table[j, 1]
        sd = table[j, 2] * np.sqrt(max(1.0 - phi * phi, 0.0))
        for i in range(rows.shape[1]):
            rows[j, i] = mean + phi * (rows[j, i] - mean) + sd * noise[j, i]


@njit(cache=True, nogil=True, error_model="numpy")
def open_rows(
    rows: Floats,
    table: Floats,
    extra: Floats,
    key: npt.NDArray[np.uint64],
    step: int,
    noise: Floats,
) -> None:
    """Widen `rows` (n, N) in place by variances `extra` (n,) [sd² of each row's walk].

    No row becomes wider than the prior, however often the patient is suspected. Arguments as those
    of `walk_rows`.
    """
    fill_normals(key[0], key[1], np.uint64(step), noise)
    N = rows.shape[1]
    for j in range(rows.shape[0]):
        sd2 = table[j, 2] * table[j, 2]
        total, squares = 0.0, 0.0
        for i in range(N):
            total += rows[j, i]
        for i in range(N):
            squares += (rows[j, i] - total / N) ** 2
        room = max(sd2 - squares / (N - 1), 0.0)
        width = np.sqrt(min(extra[j] * sd2, room))
        for i in range(N):
            rows[j, i] += width * noise[j, i]


def opening(table: Floats, seconds: Floats, boost: float) -> Floats:
    """Return what a `boost`-fold walk over `seconds` (n,) adds in variance (n,) [sd² of each]."""
    extra = np.empty(len(table))
    for j, (tau, _, _) in enumerate(table):
        phi = exp(-seconds[j] / tau)
        extra[j] = (boost - 1.0) * (1.0 - phi * phi)
    return extra
