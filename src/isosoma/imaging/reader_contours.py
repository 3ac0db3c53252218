"""A reader's contours in the place of the network's: the same fit, made anew.

A contour replaces all marks of its structure in its picture and phase, and counts as much as ten of
the network's, since the reader has looked. Only short-axis slices are taken: in a long axis a
closed contour has the valve plane in it, which is no wall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from isosoma.core.errors import RangeError
from isosoma.core.study import Volume
from isosoma.imaging.biventricle import Kind
from isosoma.imaging.biventricle_fit import Marks
from isosoma.imaging.cine import CineHeart, heart_of
from isosoma.imaging.cine_crop import cut_numbers, short_axis

__all__ = ["ReaderContour", "Structure", "fitted_again", "with_contours"]

Floats = npt.NDArray[np.float64]
Structure = Literal["left", "outer", "right"]

_WEIGHT = 10.0
_STEP = 1.5e-3  # [m] between marks of a contour
_ON_SEPTUM = 5e-3  # [m]; what lies nearer to the left ventricle's outer wall is the septum
_OF_PICTURES = ": not used"  # ends a doubt about pictures, which no contour changes (`cine`)
_KINDS: dict[Structure, tuple[Kind, ...]] = {
    "left": (Kind.LV_INNER,), "outer": (Kind.LV_OUTER,), "right": (Kind.RV_INNER, Kind.SEPTUM),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ReaderContour:
    """A closed contour that a reader drew.

    Attributes
    ----------
    volume, slice, phase : of the examination's volumes, numbered as they are listed.
    structure : cavity of the left ventricle, its outer wall, cavity of the right.
    points : voxel coordinates (i, j) in order, shape (n, 2); the last joins the first.
    by : who drew it.
    """

    volume: int
    slice: int
    phase: int
    structure: Structure
    points: Floats
    by: str


def fitted_again(
    old: CineHeart, contours: Sequence[ReaderContour], volumes: Sequence[Volume], made_by: str
) -> CineHeart:
    """Return a heart fitted to the marks of an old one, in which contours stand for some.

    What was doubted of the pictures stays; what is doubted of the shape is that of the new one. The
    marks are those of the old one, so that a contour can be taken back.

    Raises
    ------
    RangeError
        The old heart has no marks, or as `with_contours`.
    """
    if old.marks is None:
        raise RangeError("the heart does not say what it was fitted to", todo="Build it again")
    marks = with_contours(old.marks, contours, volumes)
    made = heart_of(marks, old.frame, old.phases, old.quality, made_by)
    kept = [said for said in old.doubts if said.endswith(_OF_PICTURES)]
    return replace(made, marks=old.marks, doubts=(*made.doubts, *kept))


def with_contours(
    marks: Marks, contours: Sequence[ReaderContour], volumes: Sequence[Volume]
) -> Marks:
    """Return marks in which contours stand for what the network saw there.

    Raises
    ------
    RangeError
        A contour is of no short-axis slice or phase, has fewer than three corners, leaves the
        picture, or goes round nothing.
    """
    for one in contours:
        marks = _with(marks, one, volumes)
    return marks


def _with(marks: Marks, one: ReaderContour, volumes: Sequence[Volume]) -> Marks:
    volume = _checked(one, volumes)
    number = cut_numbers(volumes)[one.volume, one.slice]
    level = np.full((len(one.points), 1), float(one.slice))
    drawn = _even(volume.grid.to_space(np.concatenate([one.points, level], axis=1)))
    kind = np.full(len(drawn), int(_KINDS[one.structure][0]))
    here = (marks.source == number) & (marks.phase == one.phase)
    if one.structure == "right":
        kind[_near(drawn, marks.points[here & (marks.kind == Kind.LV_OUTER)])] = Kind.SEPTUM
        kind[_near(drawn, marks.points[here & (marks.kind == Kind.SEPTUM)])] = Kind.SEPTUM
    keep = ~(here & np.isin(marks.kind, [int(k) for k in _KINDS[one.structure]]))
    n = len(drawn)
    return replace(
        marks,
        points=np.concatenate([marks.points[keep], drawn]),
        kind=np.r_[marks.kind[keep], kind],
        phase=np.r_[marks.phase[keep], np.full(n, one.phase)],
        source=np.r_[marks.source[keep], np.full(n, number)],
        weight=np.r_[marks.weight[keep], np.full(n, _WEIGHT)],
    )


def _checked(one: ReaderContour, volumes: Sequence[Volume]) -> Volume:
    """Return the volume of a contour that can be used."""
    if one.volume != short_axis(volumes):
        said = "contours are corrected in the short axis only"
        raise RangeError(said, "contour", "Choose a slice of the short-axis stack")
    volume = volumes[one.volume]
    wide, high, slices, phases = volume.values.shape
    if not (0 <= one.slice < slices and 0 <= one.phase < phases):
        raise RangeError("there is no such slice or phase", "contour", "Read the list of pictures")
    points = np.asarray(one.points, float)
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
        raise RangeError("a contour has three corners or more", "contour", "Draw round it")
    inside = np.isfinite(points) & (points >= -0.5) & (points <= np.array([wide, high]) - 0.5)
    if not inside.all():
        raise RangeError("the contour leaves the picture", "contour", "Keep it inside")
    x, y = points.T
    area = 0.5 * abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)))
    if area < 4.0:  # pixels
        raise RangeError("the contour goes round nothing", "contour", "Draw round the structure")
    return volume


def _even(corners: Floats) -> Floats:
    """Return points [m] at even steps along a closed contour."""
    closed = np.concatenate([corners, corners[:1]])
    length = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    count = max(8, round(float(length[-1]) / _STEP))
    at = np.arange(count) * length[-1] / count
    return np.stack([np.interp(at, length, closed[:, k]) for k in range(3)], axis=1)


def _near(points: Floats, others: Floats) -> npt.NDArray[np.bool_]:
    if not len(others):
        return np.zeros(len(points), np.bool_)
    return np.asarray(KDTree(others).query(points)[0] < _ON_SEPTUM)
