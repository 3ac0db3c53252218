"""The thoracic aorta measured where reports measure it: levels, segments, lengths and volumes.

A diameter of the aorta on CT goes from outer edge to outer edge of its wall, in a plane across its
axis (Isselbacher et al. 2022, ACC/AHA guideline, doi:10.1161/CIR.0000000000001106, section 3); a
segmentation follows the blood. Both are given: the lumen by the mask's membership, the outer edge
where rays leave the wall for the fat or lung around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_closing, gaussian_filter
from scipy.spatial import KDTree

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.centreline import Branch, path, wall_distance
from isosoma.imaging.lumens import Blood
from isosoma.imaging.rays import Plane, along, falls, polar, rim
from isosoma.imaging.section import Section, axes_of, whole_cut

__all__ = ["Axis", "Level", "Part", "aortic_axis", "arc_of", "closed", "level_at", "part_between"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.floating]

_BLUR = 0.8  # [voxel] of the membership
_FLAP = 3e-3  # [m] half the widest flap or gap between two lumens that belong together
_SLAB = 12e-3  # [m] of the axis to both sides whose voxels a plane may cut
_REACH = 35e-3  # [m]
_FAT = -80.0  # HU of mediastinal fat; lung is darker still
_WITHIN = (-1e-3, 4.5e-3)  # [m] around the lumen's rim, where the wall's outer edge is sought
_STAYS = 0.75e-3
_WAVES = 8
SEEN = 0.4  # share of the rim from which the rest is told
_TILT = np.deg2rad(3.0) / 1.96  # [rad] as of the annulus
_MEMBERS = 12  # planes of a level


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The aorta's axis from the annulus downstream, and where along it each voxel lies.

    Attributes
    ----------
    line : points a millimetre apart. arcs : way from the annulus to each point [m], (n,).
    aorta : as given, (i, j, k).
    place : arc of the voxels of the aorta and of the flap within [m], NaN outside.
    """

    line: Branch
    arcs: Floats
    grid: Grid
    aorta: Mask
    place: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A named cut across the aorta.

    Attributes
    ----------
    arc : way from the annulus [m]. lumen : of the blood, both lumens and the flap between them.
    outer : of the wall's outer edge; the lumen's where no image was given.
    edge : share of the rim where the outer edge was seen; 0 without an image.
    area_sigma : of the lumen [m2]. diameter_sigma : of its widest caliper [m].
    """

    name: str
    arc: float
    lumen: Section
    outer: Section
    edge: float
    area_sigma: float
    diameter_sigma: float


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment between two levels.

    Attributes
    ----------
    length : along the axis [m]. volume : of the aorta's voxels [m3]. widest : caliper [m].
    true, false : volumes of the lumens [m3], None where they were not told apart.
    """

    name: str
    length: float
    volume: float
    widest: float
    true: float | None = None
    false: float | None = None


def closed(mask: Mask, grid: Grid) -> Mask:
    """Return a mask with gaps of up to two voxels filled: a flap lies within the aorta."""
    half = np.maximum(np.round(_FLAP / grid.spacing), 1).astype(int)
    around = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in half], indexing="ij"), axis=-1)
    ball = np.linalg.norm(around * grid.spacing, axis=-1) <= _FLAP + 1e-9
    pad = int(half.max()) + 1
    filled = binary_closing(np.pad(mask, pad), ball)
    return np.asarray(filled, np.bool_)[pad:-pad, pad:-pad, pad:-pad]


def aortic_axis(aorta: Mask, grid: Grid, root: npt.ArrayLike, end: npt.ArrayLike) -> Axis:
    """Return the axis of a mask of the whole aorta, from the annulus `root` to `end`, RAS [m].

    Raises
    ------
    RangeError
        A point lies outside, or the aorta is not one piece between them.
    """
    whole = closed(aorta, grid)
    line = path(wall_distance(whole, grid), grid, [np.asarray(root), np.asarray(end)])
    steps = np.linalg.norm(np.diff(line.points, axis=0), axis=1)
    arcs = np.r_[0.0, np.cumsum(steps)]
    place = np.full(grid.shape, np.nan, np.float32)
    index = np.argwhere(whole)
    place[whole] = arcs[KDTree(line.points).query(grid.to_space(index))[1]]
    return Axis(line, arcs, grid, aorta, place)


def arc_of(axis: Axis, point: npt.ArrayLike) -> float:
    """Return the way from the annulus to the axis' point nearest to a RAS point [m]."""
    apart = np.linalg.norm(axis.line.points - np.asarray(point, float), axis=1)
    return float(axis.arcs[np.argmin(apart)])


def _membership(axis: Axis, arc: float) -> tuple[npt.NDArray[np.float32], Grid]:
    """Return the blurred membership of the aorta near an arc, and the grid of that block.

    Voxels farther along the axis are left out, so that no plane of the arch meets another limb.
    """
    near = np.abs(axis.place - arc) < _SLAB
    if not near.any():
        raise RangeError("no aorta lies at that level", todo="Choose a level within the mask")
    index = np.argwhere(near)
    low = np.maximum(index.min(axis=0) - 4, 0)
    high = np.minimum(index.max(axis=0) + 5, near.shape)
    block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    affine = axis.grid.affine.copy()
    affine[:3, 3] = axis.grid.to_space(low)
    soft = np.asarray(gaussian_filter(near[block].astype(np.float32), _BLUR), np.float32)
    shape = tuple(int(n) for n in soft.shape)
    return soft, Grid((shape[0], shape[1], shape[2]), affine, axis.grid.frame)


def level_at(
    axis: Axis, name: str, arc: float, image: Values | None = None, blood: Blood | None = None,
    seed: int = 1,
) -> Level:  # fmt: skip
    """Return the cut at an arc [m]; sigma by planes tilted within 3 degrees and levels of 5 %.

    Raises
    ------
    RangeError
        The aorta does not reach there, or the plane cuts no closed lumen.
    """
    row = int(np.argmin(np.abs(axis.arcs - arc)))
    point, tangent = axis.line.points[row], axis.line.tangents[row]
    soft, grid = _membership(axis, float(axis.arcs[row]))
    lumen = whole_cut(soft, grid, point, tangent, 0.5, _REACH)
    rng, table = np.random.default_rng(seed), list[tuple[float, float]]()
    u, v, w = axes_of(tangent)
    for _ in range(_MEMBERS):
        normal = w + np.tan(rng.normal(0, _TILT, 2)) @ np.stack([u, v])
        one = whole_cut(soft, grid, point, normal, 0.5 + rng.normal(0, 0.05), _REACH)
        table.append((one.area, one.widest))
    area, widest = np.std(np.array(table), axis=0)
    outer, edge = lumen, 0.0
    if image is not None and blood is not None:
        outer, edge = _outer(image, axis.grid, lumen, blood)
    return Level(name, float(axis.arcs[row]), lumen, outer, edge, float(area), float(widest))


def _outer(image: Values, grid: Grid, lumen: Section, blood: Blood) -> tuple[Section, float]:
    """Return the wall's outer edge around a lumen, half way from wall to fat."""
    plane = Plane(lumen.centre, axes_of(lumen.normal))
    start = polar(lumen.contour, plane)
    values = along(image, grid, plane, start, _WITHIN)
    moved = falls(values, (blood.tissue + _FAT) / 2, _WITHIN, _STAYS)
    seen = float(np.isfinite(moved).mean())
    if seen < SEEN:
        return lumen, seen
    typical = float(np.nanmedian(moved))
    return rim(plane, start, np.where(np.isnan(moved), typical, moved), _WAVES), seen


def grown(level: Level, wall: float) -> Level:
    """Return a level whose outer edge lies `wall` [m] beyond its lumen, where none was seen."""
    plane = Plane(level.lumen.centre, axes_of(level.lumen.normal))
    start = polar(level.lumen.contour, plane)
    return replace(level, outer=rim(plane, start, np.full(len(start), wall), _WAVES))


def part_between(
    axis: Axis, name: str, first: float, last: float, true: Mask | None = None,
    false: Mask | None = None,
) -> Part:  # fmt: skip
    """Return the segment between two arcs [m]; the first is the lower one.

    `widest` is the largest caliper of cuts every 5 mm, the ends left out by a radius.
    """
    here = axis.aorta & (axis.place >= first) & (axis.place < last)
    within = np.flatnonzero((axis.arcs >= first) & (axis.arcs <= last))
    if len(within) < 2:
        said = f"{name} begins where it ends"
        raise RangeError(said, todo="Give landmarks in the order of the flow")
    widths = list[float]()
    for row in within[::5]:
        try:
            soft, grid = _membership(axis, float(axis.arcs[row]))
            tangent = axis.line.tangents[row]
            widths.append(whole_cut(soft, grid, axis.line.points[row], tangent, 0.5, _REACH).widest)
        except RangeError:
            continue  # an end of the mask has no closed cut
    volume = float(here.sum() * axis.grid.voxel)
    lumens = [None if m is None else float((m & here).sum() * axis.grid.voxel)
              for m in (true, false)]  # fmt: skip
    length = float(axis.arcs[within[-1]] - axis.arcs[within[0]])
    return Part(name, length, volume, max(widths, default=float("nan")), *lumens)
