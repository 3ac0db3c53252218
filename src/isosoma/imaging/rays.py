"""Rims found along rays of a plane: where an image falls below a level, ray by ray.

A contour of a level runs off through every gap of a thin wall; a ray has its own level and its own
place to look, and what it does not see its neighbours tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from isosoma.core.study import Grid
from isosoma.imaging.section import Section, measured, sampled

__all__ = ["RAYS", "Plane", "along", "falls", "polar", "rim"]

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.floating]

RAYS = 180  # of a plane
_STEP = 0.125e-3  # [m] along a ray
_STEADY = 7  # rays whose median a ray takes


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A middle, RAS [m], unit axes in rows with the normal last, and a share of the contrast."""

    centre: Floats
    axes: Floats
    share: float = 0.5


def _directions(plane: Plane) -> Floats:
    """Return the rays' unit vectors, shape (rays, 3)."""
    angle = np.arange(RAYS) * (2 * np.pi / RAYS)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane.axes[:2]


def polar(contour: Floats, plane: Plane) -> Floats:
    """Return the distance of a contour from the plane's middle along each ray [m], (rays,)."""
    flat = (contour - plane.centre) @ plane.axes[:2].T
    angle = np.arctan2(flat[:, 1], flat[:, 0]) % (2 * np.pi)
    order = np.argsort(angle)
    at = np.arange(RAYS) * (2 * np.pi / RAYS)
    radius = np.linalg.norm(flat, axis=1)[order]
    return np.asarray(np.interp(at, angle[order], radius, period=2 * np.pi))


def along(
    image: Values, grid: Grid, plane: Plane, start: Floats, within: tuple[float, float]
) -> Floats:
    """Return values along each ray from `within[0]` to `within[1]` [m] around `start`, (rays, n).

    Parameters
    ----------
    start : distances from the plane's middle [m], shape (rays,).
    """
    radius = np.maximum(start[:, None] + np.arange(*within, _STEP), 0)
    return sampled(image, grid, plane.centre + radius[..., None] * _directions(plane)[:, None])


def falls(
    values: Floats, level: npt.ArrayLike, within: tuple[float, float], stays: float
) -> Floats:
    """Return where each ray falls below its level [m] from the start, NaN where it does not.

    Parameters
    ----------
    values : of `along`. level : of each ray, NaN where none is to be sought.
    stays : length beyond the fall over which the ray stays below [m]; the fall nearest to the
        start is taken.
    """
    levels = np.broadcast_to(np.asarray(level, float), (len(values),))
    pairs = zip(values, levels, strict=True)
    return np.array([_fall(v, a, within[0], round(stays / _STEP)) for v, a in pairs])


def _fall(values: Floats, level: float, first: float, stays: int) -> float:
    dark = values < level
    rows = np.flatnonzero(~dark[:-stays] & dark[1 : len(dark) - stays + 1])
    rows = [int(r) for r in rows if dark[r + 1 : r + 1 + stays].all()]
    exact = [r + (values[r] - level) / (values[r] - values[r + 1]) for r in rows]
    ways = [float(x) * _STEP + first for x in exact]
    return min(ways, key=abs) if ways else float("nan")


def rim(plane: Plane, start: Floats, moved: Floats, waves: int) -> Section:
    """Return the section whose rim lies `moved` [m] beyond `start`, of its first harmonics.

    Rays without a finding take their neighbours' move; without any, the start's rim stays.
    """
    known, at = np.isfinite(moved), np.arange(RAYS)
    filled = np.interp(at, at[known], moved[known], period=RAYS) if known.any() else np.zeros(RAYS)
    radius = start + np.asarray(median_filter(filled, _STEADY, mode="wrap"))
    parts = np.fft.rfft(radius)
    parts[waves + 1 :] = 0
    smooth = np.fft.irfft(parts, RAYS)[:, None] * _directions(plane)
    return measured(plane.centre + smooth, plane.axes[2])
