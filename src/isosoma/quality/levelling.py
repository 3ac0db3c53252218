"""A transducer that was moved against the heart: the mean steps, the pulse does not.

Hydrostatics: ΔP = ρ g Δh, about 0.77 mmHg per cm of blood column (0.74 for saline).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding
from isosoma.quality.view import MMHG

__all__ = ["PER_CM", "levelling"]

PER_CM = 0.77 * MMHG  # [Pa/cm] 1.055 g/cm3 × 9.81 m/s2
SIDE = 8  # readings on each side of a step
LEAST = 5 * MMHG  # [Pa] smaller steps are indistinguishable from physiology
TOUCHED = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure", "arterial_pressure")

Array = npt.NDArray[np.float64]


def _change(x: Array, k: int) -> tuple[float, float]:
    """Change of the median at index `k` and its standard error, from SIDE readings each side."""
    before, after = x[k - SIDE : k], x[k : k + SIDE]
    spread = (
        1.4826
        * 0.5
        * float(
            np.median(np.abs(before - np.median(before)))
            + np.median(np.abs(after - np.median(after)))
        )
    )
    # A median's variance is pi/2 of a mean's; readings of one patient wander together (1.5).
    error = 1.5 * max(spread, 1e-9) * math.sqrt(math.pi / SIDE)
    return float(np.median(after) - np.median(before)), error


def _log_ratio(value: float, error: float, shift: float, other_sd: float) -> float:
    """log10 of N(value; shift, error²) over N(value; 0, error² + other_sd²)."""
    narrow, wide = error**2, error**2 + other_sd**2
    log = -0.5 * ((value - shift) ** 2 / narrow - value**2 / wide + math.log(narrow / wide))
    return log / math.log(10)


def _evidence(
    k: int, step: float, error: float, series: tuple[Array, Array, Array], cuff: Array | None
) -> float:
    """log10 odds of a moved transducer against a patient whose pressure changed so fast."""
    mean, pulse, rate = series
    part = step / max(float(np.median(mean[k - SIDE : k])), 20 * MMHG)
    told = 0.0
    # A patient's step moves pulse pressure and rate by about 40 % and 25 % of its own share
    # (baroreflex and arterial stiffness; ours, unverified); a transducer moves neither.
    for x, share in ((pulse, 0.4), (rate, 0.25)):
        d, e = _change(x, k)
        e = max(e, 0.01 * float(np.median(x)))
        told += min(_log_ratio(d, e, 0.0, share * 2 * abs(part) * float(np.median(x))), 3.0)
    if cuff is not None:
        d, e = _change(cuff - mean, k)
        e = math.hypot(e, 2 * MMHG)
        told += (d * d - (d + step) ** 2) / (2 * e * e) / math.log(10)
    return told


def _abrupt(mean: Array, k: int, step: float) -> bool:
    """At least 70 % of the step lies between two neighbouring readings."""
    return abs(mean[k] - mean[k - 1]) > 0.7 * abs(step)


def levelling(
    at: Sequence[int],
    mean: Sequence[float],
    pulse_pressure: Sequence[float],
    heart_rate: Sequence[float],
    cuff_mean: Sequence[float] | None = None,
    device: str = "",
    channel: str = "",
) -> Finding | None:
    """Return the gravest levelling step in simultaneous series, each of n ≥ 16, or None.

    Parameters
    ----------
    at : [ns]. mean, pulse_pressure : of the line [Pa]. heart_rate : [Hz].
    cuff_mean : mean pressure by cuff [Pa], the last one held; decides where it is known.

    Notes
    -----
    Valid for readings 1 to 60 s apart; a change of posture with the transducer fixed to the bed
    looks the same and needs the same act: level and zero again.
    """
    series = tuple(np.asarray(x, np.float64) for x in (mean, pulse_pressure, heart_rate))
    m, p, r = series
    cuff = None if cuff_mean is None else np.asarray(cuff_mean, np.float64)
    best: Finding | None = None
    for k in range(SIDE, m.size - SIDE + 1):
        step, error = _change(m, k)
        error = max(error, 0.3 * MMHG)
        if abs(step) < max(LEAST, 3 * error) or not _abrupt(m, k, step):
            continue
        told = _evidence(k, step, error, (m, p, r), cuff)
        if told >= 1.0 and (best is None or told > best.evidence):
            best = _finding(at[k], step, error, told, device, channel)
    return best


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
