"""Arterial lines that ring or smother: a second-order system between artery and transducer.

Gardner 1981, DOI 10.1097/00000542-198103000-00010: natural frequency and damping from the
oscillations after a fast flush. Gain at frequency f, with r = f / fn:
|H| = 1 / sqrt((1 - r²)² + (2 ζ r)²).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.quality.finding import Finding
from isosoma.quality.view import MMHG

__all__ = ["Response", "damping_by_cuff", "damping_finding", "fast_flush", "gain"]

Array = npt.NDArray[np.float64]
EXTREMES = ("systolic_pressure", "diastolic_pressure")


@dataclass(frozen=True, slots=True)
class Response:
    """Natural frequency `fn` [Hz] and damping ratio `zeta` [1]; `fn` 0 where nothing rang."""

    fn: float
    zeta: float


def gain(response: Response, f: float) -> float:
    """Return |H| at `f` [Hz]."""
    r = f / response.fn
    return 1 / math.hypot(1 - r * r, 2 * response.zeta * r)


def _extrema(x: Array) -> list[int]:
    """Indices of alternating turning points of `x`."""
    slope = np.sign(np.diff(x))
    keep = np.flatnonzero(slope != 0)
    turns = keep[1:][slope[keep[1:]] != slope[keep[:-1]]]
    return [int(i) for i in turns]


def _vertex(x: Array, i: int) -> float:
    """Sub-sample place of an extremum by a parabola."""
    if not 0 < i < x.size - 1:
        return float(i)
    a, b, c = x[i - 1], x[i], x[i + 1]
    low = a - 2 * b + c
    return i + (0.5 * (a - c) / low if low else 0.0)


def fast_flush(pressure: Sequence[float] | Array, hz: float) -> Response | None:
    """Return the response after a fast flush found in `pressure`, shape (n,) [Pa], or None.

    A flush is a plateau over 200 mmHg for 0.3 s. Damping follows from successive half swings:
    ζ = δ / sqrt(π² + δ²), δ = ln(swing_i / swing_i+1); fn = fd / sqrt(1 - ζ²).
    Needs `hz` over six times the natural frequency; a line that does not swing is ζ ≥ 1, fn 0.
    """
    x = np.asarray(pressure, np.float64)
    high = x > 200 * MMHG
    edges = np.flatnonzero(np.diff(np.concatenate(([0], high, [0]))))
    ends = [int(b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 0.3 * hz]
    if not ends or ends[-1] + 0.2 * hz > x.size:
        return None
    after = x[ends[-1] : ends[-1] + int(0.6 * hz)]
    turns = _extrema(after)
    swings = [abs(after[b] - after[a]) for a, b in itertools.pairwise(turns)]
    big = [i for i, s in enumerate(swings) if s > 4 * MMHG]
    # Heart beats swing too: only turns closer than 0.12 s (over 4 Hz) can be the line.
    fast = [i for i in big if (turns[i + 1] - turns[i]) / hz < 0.12]
    if len(fast) < 2 or fast[0] > 1:
        return Response(0.0, 1.0)
    i, j = fast[0], fast[1]
    delta = math.log(swings[i] / swings[j])
    if delta <= 0:
        return Response(0.0, 1.0)
    zeta = delta / math.hypot(math.pi, delta)
    half = (_vertex(after, turns[j]) - _vertex(after, turns[i])) / hz
    return Response(1 / (2 * half) / math.sqrt(1 - zeta**2), zeta)


def _worst(response: Response, rate: float) -> tuple[float, float]:
    """Least and largest gain over the first eight harmonics of the heart rate [Hz]."""
    gains = [gain(response, k * rate) for k in range(1, 9)]
    return min(gains[:5]), max(gains)


def damping_finding(
    response: Response,
    heart_rate: float,
    pulse_pressure: float = 40 * MMHG,
    device: str = "",
    channel: str = "",
    since: int = 0,
) -> Finding | None:
    """Return what a flush response means at this `heart_rate` [Hz], None where it is adequate.

    Adequate: gain within 0.85 over five harmonics and at most 1.3 over eight (limits ours, after
    Gardner's frequency-damping chart). The bias is a tenth of the pulse pressure [Pa] for each
    0.4 of excess gain, a model value (unverified).
    """
    if response.fn <= 0:
        low, top, told = 0.5, 1.0, "did not swing back after the flush"
    else:
        low, top = _worst(response, heart_rate)
        told = f"has a natural frequency of {response.fn:.0f} Hz and damping {response.zeta:.2f}"
    if top > 1.3:
        kind, effect = "underdamped", "systolic reads too high and diastolic too low"
        todo = "shorten the tubing or add a damper"
    elif low < 0.85:
        kind, effect = "overdamped", "systolic reads too low and diastolic too high"
        todo = "look for bubbles, clots and kinks, then flush"
    else:
        return None
    bias = pulse_pressure * min(0.3, 0.25 * max(top - 1, 1 - low))
    reason = f"the arterial line {told}: {effect}, the mean holds; {todo}"
    return Finding(
        kind,
        reason,
        2.0,
        1.5,
        bias,
        EXTREMES,
        device,
        channel,
        since,
        response.zeta,
        0.0,
        1.0,
        "1",
    )


def damping_by_cuff(
    line: Sequence[tuple[float, float, float]],
    cuff: Sequence[tuple[float, float, float]],
    device: str = "",
    channel: str = "",
    since: int = 0,
) -> Finding | None:
    """Judge damping without a flush, from n ≥ 3 pairs of (SYS, DIA, MAP) [Pa] by line and cuff.

    The stretch s is the mean of (SYS_line - SYS_cuff) and (DIA_cuff - DIA_line). A line that rings
    stretches both ways about a kept mean; s over 8 mmHg with both parts of its sign is told.
    Peripheral amplification also lifts SYS, but not with a falling DIA.
    """
    if min(len(line), len(cuff)) < 3:
        return None
    d = np.asarray(line, np.float64)[: len(cuff)] - np.asarray(cuff, np.float64)[: len(line)]
    up, down, mean = d[:, 0], -d[:, 1], d[:, 2]
    error = 6.5 * MMHG / math.sqrt(2 * len(d))  # cuff noise 4.5 and line noise of two readings
    s = float(np.mean(0.5 * (up + down)))
    kept = abs(float(np.mean(mean))) < 8 * MMHG
    signs = np.sign(float(np.mean(up))) == np.sign(float(np.mean(down))) == np.sign(s)
    least = min(abs(float(np.mean(up))), abs(float(np.mean(down)))) > 3 * MMHG
    evidence = 0.5 * (s / math.hypot(error, 2.5 * MMHG)) ** 2 / math.log(10)
    if not (kept and signs and least) or abs(s) < 8 * MMHG or evidence < 1:
        return None
    kind = "underdamped" if s > 0 else "overdamped"
    todo = "do a fast-flush test, then " + (
        "shorten the tubing" if s > 0 else "look for bubbles, clots and kinks"
    )
    reason = (
        f"the line's pulse pressure is {abs(2 * s) / MMHG:.0f} mmHg "
        f"{'wider' if s > 0 else 'narrower'} than the cuff's with the mean kept: {kind}; {todo}"
    )
    width = 1.96 * error
    return Finding(
        kind,
        reason,
        evidence,
        1.5,
        abs(s),
        EXTREMES,
        device,
        channel,
        since,
        s,
        s - width,
        s + width,
        "Pa",
    )
