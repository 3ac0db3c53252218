"""Plane cuts through a vessel: contour, area, perimeter and calipers, finer than a voxel.

Voxels are never counted: a cut is resampled at a quarter of a millimetre and its contour lies where
the values cross a level, so that no half voxel is lost at the rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from scipy.spatial import ConvexHull

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid

__all__ = ["Section", "axes_of", "cut", "measured", "sampled", "whole_cut"]

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.floating]

_STEP = 0.25e-3  # [m] between samples of a plane
_POINTS = 256  # of a contour
_PIECE = 0.1  # of the largest piece's area: smaller ones are no lumen
_SOLID = 0.95  # share of its hull that a lumen without a cleft fills
_WAVES = 12  # harmonics of a contour that are kept: beyond is noise, and adds to the perimeter


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A closed contour in a plane.

    Attributes
    ----------
    centre : of the area, RAS [m], shape (3,).
    normal : unit vector, shape (3,).
    contour : points in order, RAS [m], shape (n, 3).
    area : [m2]. perimeter : [m].
    widest : largest caliper [m]. across : caliper at a right angle to the widest [m].
    """

    centre: Floats
    normal: Floats
    contour: Floats
    area: float
    perimeter: float
    widest: float
    across: float

    @property
    def diameter(self) -> float:
        """Return the diameter of the circle of the same area [m]."""
        return float(2 * np.sqrt(self.area / np.pi))

    @property
    def perimeter_diameter(self) -> float:
        """Return the diameter of the circle of the same perimeter [m]."""
        return self.perimeter / np.pi


def axes_of(normal: npt.ArrayLike) -> Floats:
    """Return unit vectors u, v, w, shape (3, 3), right-handed, with w along `normal`."""
    w = np.asarray(normal, float) / np.linalg.norm(normal)
    u = np.cross(w, np.eye(3)[np.argmin(np.abs(w))])
    u = u / np.linalg.norm(u)
    return np.stack([u, np.cross(w, u), w]).astype(np.float64)


def sampled(values: Values, grid: Grid, points: Floats) -> Floats:
    """Return values at RAS points [m], shape (..., 3), trilinear; the edge goes on outside."""
    index = np.moveaxis(grid.to_index(points), -1, 0)
    return np.asarray(map_coordinates(values, index, np.float64, order=1, mode="nearest"))


def cut(
    values: Values, grid: Grid, centre: npt.ArrayLike, normal: npt.ArrayLike, level: float,
    reach: float = 40e-3,
) -> Section:  # fmt: skip
    """Return the section where values exceed `level`: the widest around `centre`, or the nearest.

    Parameters
    ----------
    values : of an image, or the membership of a blurred mask; shape (i, j, k).
    centre, normal : of the plane, RAS [m]. level : in the unit of the values.
    reach : half the side of the square that is searched [m].

    Raises
    ------
    RangeError
        No closed contour of that level lies in the square.
    """
    found, axes, origin = _contours(values, grid, centre, normal, level, reach)
    around = [c for c in found if _winds(c)]
    one = max(around, key=_area) if around else min(found, key=_apart)
    return measured(origin + np.pad(one, ((0, 0), (0, 1))) @ axes, axes[2])


def whole_cut(
    values: Values, grid: Grid, centre: npt.ArrayLike, normal: npt.ArrayLike, level: float,
    reach: float = 40e-3,
) -> Section:  # fmt: skip
    """Return the section of a vessel that a flap parts: the hull of its pieces.

    One piece without a cleft is taken as it is. Parameters and errors are those of `cut`; all that
    exceeds `level` within reach must belong to the vessel.
    """
    found, axes, origin = _contours(values, grid, centre, normal, level, reach)
    most = max(_area(c) for c in found)
    pieces = [c for c in found if _area(c) > _PIECE * most]
    points = np.concatenate(pieces)
    hull = ConvexHull(points)
    one = points[hull.vertices]
    if len(pieces) == 1 and most > _SOLID * hull.volume:
        one = pieces[0]
    return measured(origin + np.pad(one, ((0, 0), (0, 1))) @ axes, axes[2])


def _contours(
    values: Values, grid: Grid, centre: npt.ArrayLike, normal: npt.ArrayLike, level: float,
    reach: float,
) -> tuple[list[Floats], Floats, Floats]:  # fmt: skip
    """Return flat closed contours around high values [m], the plane's axes and its origin."""
    from skimage.measure import find_contours

    axes, origin = axes_of(normal), np.asarray(centre, float)
    ticks = np.arange(-reach, reach + _STEP / 2, _STEP)
    flat = np.stack([*np.meshgrid(ticks, ticks, indexing="ij"), np.zeros((len(ticks),) * 2)], -1)
    plane = sampled(values, grid, origin + flat @ axes)
    chains = find_contours(plane, level, positive_orientation="high")
    found = [c[:-1] * _STEP - reach for c in chains if (c[0] == c[-1]).all()]
    found = [c for c in found if len(c) > 8 and _area(c) > 0]  # the high values are inside
    if not found:
        said = f"the plane at {np.round(origin * 1e3, 1).tolist()} mm cuts no closed lumen"
        raise RangeError(said, todo="Move the plane, or look whether the image ends there")
    return found, axes, origin


def _apart(flat: Floats) -> float:
    """Return the distance of a flat contour from the origin."""
    return float(np.linalg.norm(flat, axis=1).min())


def _winds(contour: Floats) -> bool:
    """Say whether a flat contour goes around the origin."""
    angle = np.unwrap(np.arctan2(contour[:, 1], contour[:, 0]))
    turn = angle[-1] - angle[0]
    return bool(abs(turn) > np.pi)


def _area(flat: Floats) -> float:
    """Return the signed area of a flat polygon, shape (n, 2)."""
    x, y = flat.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def measured(contour: Floats, normal: Floats) -> Section:
    """Return the measures of a closed chain of points [m] in a plane, shape (n, 3)."""
    axes, origin = axes_of(normal), contour.mean(axis=0)
    flat = _smooth(((contour - origin) @ axes.T)[:, :2])
    area = abs(_area(flat))
    x, y = flat.T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    middle = ((flat + np.roll(flat, -1, axis=0)) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    perimeter = float(np.linalg.norm(np.roll(flat, -1, axis=0) - flat, axis=1).sum())
    widest, across = _calipers(flat)
    space = origin + np.pad(flat, ((0, 0), (0, 1))) @ axes
    return Section(
        origin + middle @ axes[:2], axes[2], space, area, perimeter, widest, across
    )  # fmt: skip


def _smooth(flat: Floats) -> Floats:
    """Return a flat contour at equal steps of its length, of its first harmonics only."""
    closed = np.concatenate([flat, flat[:1]])
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    at = np.linspace(0, length[-1], _POINTS, endpoint=False)
    z = np.interp(at, length, closed[:, 0]) + 1j * np.interp(at, length, closed[:, 1])
    waves = np.fft.fft(z)
    waves[np.abs(np.fft.fftfreq(_POINTS, 1 / _POINTS)) > _WAVES] = 0
    z = np.fft.ifft(waves)
    return np.stack([z.real, z.imag], axis=1)


def _calipers(flat: Floats) -> tuple[float, float]:
    """Return the largest caliper, and that at a right angle to it."""
    angle = np.arange(360) * np.pi / 360
    width = np.ptp(flat @ np.stack([np.cos(angle), np.sin(angle)]), axis=0)
    best = int(np.argmax(width))
    return float(width[best]), float(width[(best + 180) % 360])
