"""Beat-synchronous features of arterial pressure and plethysmogram.

Between one R and the next, the steepest rise marks the upstroke; the foot is where its tangent
meets the level of the trough before it (intersecting tangents: Chiu et al. 1991,
10.1016/0002-8703(91)90009-H; Gaddum et al. 2013, 10.1007/s10439-013-0854-y).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError

__all__ = ["PlethBeats", "PressureBeats", "pleth_beats", "pressure_beats"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class PressureBeats(NamedTuple):
    """One row per beat that has a pulse; every array has shape (n,).

    Attributes
    ----------
    beat : index into the R samples given.
    foot : foot of the wave [samples]; `transit` : from R to the foot [s].
    systolic, diastolic, mean, pulse_pressure : [Pa], the mean over the beat from foot to foot.
    steepest : largest rise [Pa/s].
    area : systolic area above diastolic, foot to the notch, estimated as foot to 0.3 s of the root
        of RR after it (Bazett's scaling of ejection time) [Pa s].
    """

    beat: Ints
    foot: Floats
    transit: Floats
    systolic: Floats
    diastolic: Floats
    mean: Floats
    pulse_pressure: Floats
    steepest: Floats
    area: Floats


class PlethBeats(NamedTuple):
    """One row per beat that has a pulse; every array has shape (n,).

    Attributes
    ----------
    beat : index into the R samples given.
    foot, peak : [samples]; `transit` : from R to the foot, the pulse arrival time [s].
    amplitude : foot to peak, unit of the signal.
    """

    beat: Ints
    foot: Floats
    peak: Floats
    transit: Floats
    amplitude: Floats


def _smooth(x: Floats, hz: float) -> Floats:
    """Mean over about 20 ms, so that the slope is that of the wave and not of the noise."""
    width = 2 * max(0, round(0.01 * hz)) + 1
    padded = np.pad(x, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1.0 / width), "valid")


class _Wave(NamedTuple):
    """One beat's wave: its index, foot [samples], trough, top, steepest rise per sample."""

    beat: int
    foot: float
    trough: float
    top: float
    peak: int
    rise: float


def _waves(x: Floats, r: Ints, hz: float) -> list[_Wave]:
    """Find the wave of every beat; a beat without a rise of its own, or beside NaN, has none."""
    out, slope = list[_Wave](), np.gradient(x)
    rises = list[float]()
    for i in range(len(r) - 1):
        a = int(r[i])
        b = int(min(r[i + 1] + 0.25 * hz, a + 0.75 * hz, len(x) - 1))
        if a < 0 or b - a < 0.2 * hz or not np.isfinite(x[a:b]).all():
            continue
        up = a + int(np.argmax(slope[a:b]))
        start = max(up - int(0.25 * hz), a - int(0.1 * hz), 0)
        trough = start + int(np.argmin(x[start : up + 1]))
        stop = min(up + int(0.35 * hz), len(x))
        peak = up + int(np.argmax(x[up:stop]))
        if slope[up] <= 0.0 or x[peak] <= x[trough]:
            continue
        foot = up - (x[up] - x[trough]) / slope[up]
        out.append(_Wave(i, float(foot), float(x[trough]), float(x[peak]), peak, float(slope[up])))
        rises.append(float(x[peak] - x[trough]))
    least = 0.2 * float(np.median(rises)) if rises else 0.0
    return [w for w in out if w.top - w.trough > least]


def _checked(x: Floats, r: Ints, hz: float) -> Floats:
    if not 40.0 <= hz <= 2000.0:
        raise RangeError(f"no pulse wave can be read at {hz:g} Hz", todo="Give 40 to 2000 Hz")
    if len(r) and (np.diff(r) <= 0).any():
        raise RangeError("the R samples do not increase", todo="Sort them")
    return _smooth(np.asarray(x, np.float64), hz)


def pressure_beats(x: Floats, r: Ints, hz: float) -> PressureBeats:
    """Return the features of an arterial pressure wave.

    Parameters
    ----------
    x : shape (n,) [Pa]; NaN where lost.
    r : R samples on the same clock, increasing, shape (beats,); a beat needs the next one.
    hz : samples per second [1/s], 40 to 2000.

    Raises
    ------
    RangeError
        The rate or the order of the R samples makes no sense.
    """
    y = _checked(x, r, hz)
    waves = _waves(y, r, hz)
    rows = list[tuple[float, ...]]()
    for wave, after in pairwise(waves):
        a, b = round(wave.foot), round(after.foot)
        if after.beat != wave.beat + 1 or not np.isfinite(y[a:b]).all() or b - a < 2:
            continue
        ejection = a + int(0.3 * np.sqrt((b - a) / hz) * hz)
        area = float(np.sum(y[a:ejection] - wave.trough)) / hz
        rows.append((
            wave.beat, wave.foot, (wave.foot - r[wave.beat]) / hz, wave.top, wave.trough,
            float(np.mean(y[a:b])), wave.top - wave.trough, wave.rise * hz, area,
        ))  # fmt: skip
    c = np.array(rows, np.float64).reshape(-1, 9).T
    return PressureBeats(c[0].astype(np.int64), c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8])


def pleth_beats(x: Floats, r: Ints, hz: float) -> PlethBeats:
    """Return the features of a plethysmogram; parameters as in `pressure_beats`, any unit."""
    waves = _waves(_checked(x, r, hz), r, hz)
    rows = [
        (w.beat, w.foot, float(w.peak), (w.foot - r[w.beat]) / hz, w.top - w.trough) for w in waves
    ]
    c = np.array(rows, np.float64).reshape(-1, 5).T
    return PlethBeats(c[0].astype(np.int64), c[1], c[2], c[3], c[4])
