"""A transducer that was moved against the heart: the mean steps, the pulse does not.

Hydrostatics: ΔP = ρ g Δh, about 0.77 mmHg per cm of blood column (0.74 for saline). A move that is
undone adds up to none, so that what is told is where the transducer lies at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding
from isosoma.quality.view import MMHG, SECOND

__all__ = ["PER_CM", "levelling", "stepped"]

PER_CM = 0.77 * MMHG  # [Pa/cm] 1.055 g/cm3 × 9.81 m/s2
SIDE = 8  # readings at most on each side of a step
FIRST, AGAIN = 4, 2
"""Least readings on each side of a first move; readings on each side of one after it.

Who moved a transducer is expected to move it back. That may be seen in few readings, whatever else
the patient does meanwhile: to take a sensor's fault back explains nothing away.
"""
LEAST = 5 * MMHG  # [Pa] smaller steps are indistinguishable from physiology
_FLOOR = 0.5 * MMHG  # [Pa] least error of a median, whatever few readings agree by chance
_CUFF = 4 * MMHG  # [Pa] noise of one cuff (AAMI: at most 8 of it and the patient together)
_SUDDEN, _SOON = 0.5, 10 * SECOND
"""log10 odds that a step between readings so near [ns] is no patient's: the heart, the vessels and
their reflexes take some beats, so that readings on the way would show them (ours, unverified)."""
TOUCHED = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure", "arterial_pressure")

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """What was read at each instant `at` [ns]; `cuff` and `rate` hold their last value."""

    at: npt.NDArray[np.int64]
    mean: Array
    pulse: Array
    rate: Array
    cuff: Array | None


@dataclass(frozen=True, slots=True)
class _Step:
    """A move between readings `k` - 1 and `k`: its size and error [Pa], and log10 of its odds."""

    k: int
    size: float
    error: float
    evidence: float


@dataclass(frozen=True, slots=True)
class _Sides:
    """Readings `first` to `k` before a jump, `k` to `last` after it."""

    first: int
    k: int
    last: int

    def change(self, x: Array, only: npt.NDArray[np.bool_] | None = None) -> tuple[float, float]:
        """Return the change of the median and its standard error; `only` : of those after."""
        before, after = x[self.first : self.k], x[self.k : self.last]
        after = after if only is None else after[only]
        a, b = float(np.median(before)), float(np.median(after))
        spread = 1.4826 * float(np.median(np.abs(np.concatenate([before - a, after - b]))))
        # A median's variance is pi/2 of a mean's; readings of one patient wander together (1.5).
        part = 0.5 * math.pi * (1.0 / before.size + 1.0 / after.size)
        return b - a, 1.5 * spread * math.sqrt(part)


def _log_ratio(value: float, error: float, other_sd: float) -> float:
    """log10 of N(value; 0, error²) over N(value; 0, error² + other_sd²)."""
    narrow, wide = error**2, error**2 + other_sd**2
    return -0.5 * (value**2 / narrow - value**2 / wide + math.log(narrow / wide)) / math.log(10)


def _evidence(sides: _Sides, step: float, series: _Series) -> float:
    """log10 odds of a moved transducer against a patient whose pressure changed so fast."""
    part = step / max(float(np.median(series.mean[sides.first : sides.k])), 20 * MMHG)
    told = 0.0
    # A patient's step moves pulse pressure and rate by about 40 % and 25 % of its own share
    # (baroreflex and arterial stiffness; ours, unverified); a transducer moves neither.
    for x, share in ((series.pulse, 0.4), (series.rate, 0.25)):
        fresh = _fresh(x, sides)
        if fresh.any():
            d, e = sides.change(x, fresh)
            e = max(e, 0.01 * float(np.median(x)))
            told += min(_log_ratio(d, e, share * 2 * abs(part) * float(np.median(x))), 3.0)
    return told + _by_cuff(sides, step, series)


def _fresh(x: Array, sides: _Sides) -> npt.NDArray[np.bool_]:
    """Which values after a jump were read after it: what is only held says nothing of it."""
    return np.logical_or.accumulate(np.diff(x[sides.k - 1 : sides.last]) != 0.0)


def _by_cuff(sides: _Sides, step: float, series: _Series) -> float:
    """log10 odds from a cuff that was read after the jump: a transducer does not move it."""
    if series.cuff is None:
        return 0.0
    fresh = _fresh(series.cuff, sides)
    if not fresh.any():
        return 0.0
    d, e = sides.change(series.cuff - series.mean, fresh)
    reads = np.unique(series.cuff[sides.k : sides.last][fresh]).size
    e = math.hypot(e, _CUFF * math.sqrt(0.5 + 1.0 / reads))
    return (d * d - (d + step) ** 2) / (2 * e * e) / math.log(10)


def _jumps(mean: Array) -> list[int]:
    """Return where two neighbouring readings differ by most of the least step."""
    return (1 + np.flatnonzero(np.abs(np.diff(mean)) > 0.7 * LEAST)).tolist()


def _in_force(series: _Series) -> list[_Step]:
    """Return the moves that have not been undone by the end, in order."""
    jumps = _jumps(series.mean)
    found, since = list[_Step](), 0
    for k in jumps:
        step = _back(series, k, found) if found else _first(series, k, jumps, since)
        if step is not None:
            found.append(step)
            since = k
        if abs(sum(s.size for s in found)) < LEAST:
            found = []
    return found


def _first(series: _Series, k: int, jumps: Sequence[int], since: int) -> _Step | None:
    """Return the move at a jump where a level is kept before and after it; else None."""
    mean = series.mean
    large = 0.5 * abs(float(mean[k] - mean[k - 1]))
    ends = [j for j in jumps if j > k and abs(float(mean[j] - mean[j - 1])) > large]
    sides = _Sides(max(since, k - SIDE), k, min([mean.size, k + SIDE, *ends[:1]]))
    if min(k - sides.first, sides.last - k) < FIRST:
        return None
    size, error = sides.change(mean)
    error = max(error, _FLOOR)
    # At least 70 % of the step lies between two neighbouring readings.
    abrupt = abs(float(mean[k] - mean[k - 1])) > 0.7 * abs(size)
    if not abrupt or abs(size) < max(LEAST, 3 * error):
        return None
    told = _evidence(sides, size, series)
    told += _SUDDEN if series.at[k] - series.at[k - 1] <= _SOON else 0.0
    return _Step(k, size, error, told) if told >= 1.0 else None


def _back(series: _Series, k: int, found: Sequence[_Step]) -> _Step | None:
    """Return the move at a jump against those of before; a pulse that jumps with it is a patient.

    What is left by less than its error is none.
    """
    if k - found[-1].k < AGAIN or series.mean.size - k < AGAIN:
        return None
    off, error = sum(s.size for s in found), math.hypot(*(s.error for s in found))
    sides = _Sides(k - AGAIN, k, k + AGAIN)
    size, pulse = sides.change(series.mean)[0], sides.change(series.pulse)[0]
    if abs(size) < LEAST or size * off > 0.0 or abs(pulse) > 0.4 * abs(size):
        return None
    near = abs(off + size) < max(0.3 * abs(off), 3 * error)
    return _Step(k, -off if near else size, error, 0.0)


def stepped(mean: Sequence[float], pulse_pressure: Sequence[float]) -> bool:
    """Whether the newest of a line's readings stepped as a moved transducer's would.

    It may be too early to tell: who learns from the line waits until `levelling` can.
    """
    m, p = np.asarray(mean, np.float64), np.asarray(pulse_pressure, np.float64)
    for k in _jumps(m[-FIRST - 1 :]):
        at = max(m.size - FIRST - 1, 0) + k
        step = float(m[at] - m[at - 1])
        if abs(step) >= LEAST and abs(float(p[at] - p[at - 1])) < 0.4 * abs(step):
            return True
    return False


def levelling(
    at: Sequence[int],
    mean: Sequence[float],
    pulse_pressure: Sequence[float],
    heart_rate: Sequence[float],
    cuff_mean: Sequence[float] | None = None,
    device: str = "",
    channel: str = "",
) -> Finding | None:
    """Return by how much a transducer lies off its earlier level at the end, or None.

    Parameters
    ----------
    at : [ns]. mean, pulse_pressure : of the line [Pa]. heart_rate : [Hz].
    cuff_mean : mean pressure by cuff [Pa], the last one held; decides once it was read again.

    Notes
    -----
    Valid for readings 1 to 60 s apart, simultaneous series of one length; a change of posture with
    the transducer fixed to the bed looks the same and needs the same act: level and zero again.
    """
    series = _Series(
        np.asarray(at, np.int64),
        np.asarray(mean, np.float64),
        np.asarray(pulse_pressure, np.float64),
        np.asarray(heart_rate, np.float64),
        None if cuff_mean is None else np.asarray(cuff_mean, np.float64),
    )
    moved = _in_force(series)
    if not moved:
        return None
    told = max(s.evidence for s in moved)
    off, error = sum(s.size for s in moved), math.hypot(*(s.error for s in moved))
    return _finding(at[moved[0].k], off, error, told, device, channel)


def _finding(
    since: int, step: float, error: float, told: float, device: str, channel: str
) -> Finding:
    """Say it: a transducer too low reads too high."""
    # The patient's own drift over the 16 readings adds to their scatter (1.4, by simulation).
    height, width = -step / PER_CM, 1.96 * math.hypot(1.4 * error, 0.04 * step) / PER_CM
    side = "below" if step > 0 else "above"
    reason = (
        f"mean arterial pressure stepped by {step / MMHG:+.0f} mmHg with pulse pressure and rate "
        f"unchanged: the transducer may lie {abs(height):.0f} ± {width:.0f} cm {side} its earlier "
        "level; level it with the heart and zero it"
    )
    return Finding(
        "levelling",
        reason,
        told,
        1.0,
        abs(step),
        TOUCHED,
        device,
        channel,
        since,
        height,
        height - width,
        height + width,
        "cm",
    )
