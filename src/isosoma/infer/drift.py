"""Whether a parameter moves faster than its walk allows: a cumulative sum of its own corrections.

While the walk is right, the corrections an analysis makes to a coordinate are white: shift over
sqrt(s_b² - s_a²) is a standard normal. A bleed shows as small corrections of one sign, none of
which a gate would call a surprise. Page's two-sided sum (1954, doi:10.1093/biomet/41.1-2.100)
adds them up; past its limit, the coordinate's walk variance is opened for the whole time since the
sum left zero, and the analysis is done again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import ModelError

__all__ = ["Drift", "accumulate", "drifting", "halved", "quiet"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """Settings of the sum.

    Attributes
    ----------
    slack : taken off each standardised correction. limit : where the walk is opened; infinite: off.
    boost : factor on the walk's variance since the onset.
    """

    slack: float = 0.5
    limit: float = 3.5
    boost: float = 25.0

    def __post_init__(self) -> None:
        if self.slack < 0.0 or not self.limit > 0.0 or self.boost < 1.0:
            raise ModelError(
                f"a drift test with slack {self.slack}, limit {self.limit} and boost {self.boost} "
                "cannot work",
                todo="Give slack >= 0, limit > 0 (infinity: off) and boost >= 1",
            )


def quiet(count: int) -> Floats:
    """Return the state of `count` coordinates at rest (count, 4): up, down, seconds since each."""
    return np.zeros((count, 4))


def accumulate(state: Floats, moved: Floats, dt: float, drift: Drift) -> Floats:
    """Return the state (n, 4) after an analysis.

    Parameters
    ----------
    moved : shift of the mean, variance before and after (n, 3), of `etkf.apply`.
    dt : time since the last analysis [s].
    """
    out = np.empty_like(state)
    _add(state, moved, dt, drift.slack, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _add(state: Floats, moved: Floats, dt: float, slack: float, out: Floats) -> None:
    """Write the state after corrections `moved` to `out`; see `accumulate`."""
    for j in range(len(state)):
        lost = moved[j, 1] - moved[j, 2]
        if not lost > 1e-9 * moved[j, 1]:  # nothing was learned of it
            out[j] = state[j]
            continue
        step = moved[j, 0] / np.sqrt(lost)
        for side in range(2):
            total = max(state[j, side] + (step if side == 0 else -step) - slack, 0.0)
            out[j, side] = total
            out[j, side + 2] = state[j, side + 2] + dt if total > 0.0 else 0.0


def drifting(state: Floats, drift: Drift) -> tuple[tuple[int, float], ...]:
    """Return (coordinate, seconds since the onset) of each that passed the limit."""
    found: list[tuple[int, float]] = []
    if not np.any(state[:, :2] > drift.limit):
        return ()
    for j, (up, down, since_up, since_down) in enumerate(state):
        if max(up, down) > drift.limit:
            found.append((j, float(since_up if up >= down else since_down)))
    return tuple(found)


def halved(state: Floats, drift: Drift) -> Floats:
    """Return the state after the walk was opened: sums past the limit go back to half of it."""
    out = state.copy()
    out[:, :2] = np.where(state[:, :2] > drift.limit, 0.5 * drift.limit, state[:, :2])
    return out
