"""Centrelines of vessels: minimal paths through the middle of a lumen, joined into a tree.

A path is the cheapest way where a step costs 1 / d^2, d the distance from the wall (Deschamps &
Cohen 2001, Med Image Anal 5:281-299, doi:10.1016/S1361-8415(01)00046-9). A tree takes the farthest
voxel that no branch explains yet, until none is left (TEASAR: Sato et al. 2000,
doi:10.1109/PCCGA.2000.883951). Radii are those of circles of the area that a plane cuts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import splev, splprep
from scipy.ndimage import distance_transform_edt

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.section import Section, axes_of, cut

__all__ = [
    "Branch",
    "branch_angle",
    "cuts",
    "inscribed",
    "path",
    "refined",
    "tree",
    "wall_distance",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_STEP = 1e-3  # [m] between points of a centreline
_EXPLAINED = 1.5  # radii around a branch that belong to it
_SIDE = 1.5e-3  # [m] that an inscribed sphere's middle may lie beside a path through voxels
_LEAST = 3.0  # radii: a twig shorter than that beyond its parent's axis is the wall's unevenness


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A centreline between a root or a junction and a tip.

    Attributes
    ----------
    points : RAS [m], shape (n, 3), a millimetre apart, downstream.
    tangents : unit vectors, shape (n, 3). curvature : [1/m], shape (n,).
    radius : of the circle of the cut's area, before `refined` of the inscribed sphere [m], (n,);
        NaN where a plane cuts no closed lumen.
    parent : index of the branch that it leaves, -1: none. joint : row of the parent's points.
    """

    points: Floats
    tangents: Floats
    curvature: Floats
    radius: Floats
    parent: int = -1
    joint: int = 0

    @property
    def length(self) -> float:
        """Return the length along the points [m]."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


def wall_distance(mask: Mask, grid: Grid) -> Floats:
    """Return the distance of each voxel of a lumen from its wall [m], 0 outside.

    The wall lies half a voxel before the first voxel outside.
    """
    far = distance_transform_edt(np.pad(mask, 1), grid.spacing.tolist())
    inside = np.asarray(far)[1:-1, 1:-1, 1:-1] - grid.spacing.min() / 2
    return np.where(mask, inside, 0.0)


def _walker(distance: Floats, grid: Grid) -> Any:
    from skimage.graph import MCP_Geometric

    top = distance.max()
    costs = np.where(distance > 0, (top / np.maximum(distance, top * 1e-3)) ** 2, -1.0)
    return MCP_Geometric(costs, sampling=tuple(grid.spacing))


def _inside(distance: Floats, grid: Grid, point: npt.ArrayLike) -> tuple[int, ...]:
    """Return the voxel of the lumen nearest to a RAS point [m]."""
    index = np.argwhere(distance > 0)
    if len(index) == 0:
        raise RangeError("the lumen is empty", todo="Choose another threshold or seed")
    apart = np.linalg.norm(grid.to_space(index) - np.asarray(point, float), axis=1)
    if apart.min() > 10e-3:
        said = f"a seed lies {apart.min() * 1e3:.0f} mm outside the lumen"
        raise RangeError(said, todo="Set the seed into the vessel")
    return tuple(int(i) for i in index[np.argmin(apart)])


def path(distance: Floats, grid: Grid, seeds: npt.ArrayLike) -> Branch:
    """Return the centreline through `seeds`, RAS [m], shape (n, 3), in their order.

    Parameters
    ----------
    distance : of `wall_distance` [m]; the path keeps to where it is above 0.

    Raises
    ------
    RangeError
        A seed lies outside the lumen, or the lumen is not one piece between them.
    """
    voxels = [_inside(distance, grid, seed) for seed in np.atleast_2d(np.asarray(seeds, float))]
    walker, way = _walker(distance, grid), [voxels[0]]
    for start, end in pairwise(voxels):
        reached, _ = walker.find_costs([start], [end])
        if not np.isfinite(reached[end]):
            said = "no way through the lumen joins the seeds"
            raise RangeError(said, todo="Lower the threshold, or add seeds")
        way += walker.traceback(end)[1:]
    return _branch(np.array(way), distance, grid)


def tree(distance: Floats, grid: Grid, root: npt.ArrayLike) -> tuple[Branch, ...]:
    """Return the branches of the lumen that holds `root`, RAS [m]; parents stand before children.

    The first branch runs from the root to the farthest point, and goes on through its junctions.
    """
    start = _inside(distance, grid, root)
    walker = _walker(distance, grid)
    reached, _ = walker.find_costs([start])
    far = _way_lengths(distance, grid, start)
    free = np.isfinite(reached) & (distance > 0)
    ways: list[npt.NDArray[np.int64]] = []
    made: list[Branch] = []
    while free.any():
        tip = np.unravel_index(np.argmax(np.where(free, far, -1.0)), free.shape)
        whole = np.array(walker.traceback(tip))
        parent, joint, fresh = _joined(ways, whole)
        _explain(free, whole[fresh:], distance, grid)
        free[tuple(tip)] = False
        twig = whole[max(fresh - 1, 0) :]
        if made and _too_short(twig, distance, grid):
            continue
        ways.append(whole)
        branch = _branch(twig, distance, grid)
        if parent >= 0:
            place = grid.to_space(ways[parent][joint])
            apart = np.linalg.norm(made[parent].points - place, axis=1)
            branch = replace(branch, parent=parent, joint=int(np.argmin(apart)))
        made.append(branch)
    return tuple(made)


def _way_lengths(distance: Floats, grid: Grid, start: tuple[int, ...]) -> Floats:
    """Return the length of the shortest way inside the lumen from `start` to each voxel [m]."""
    from skimage.graph import MCP_Geometric

    costs = np.where(distance > 0, 1.0, -1.0)
    return MCP_Geometric(costs, sampling=tuple(grid.spacing)).find_costs([start])[0]


def _joined(
    ways: list[npt.NDArray[np.int64]], whole: npt.NDArray[np.int64]
) -> tuple[int, int, int]:
    """Return the way that shares the most of `whole`, the last shared row, and the first new."""
    best = (-1, 0, 0)
    for i, way in enumerate(ways):
        n = min(len(way), len(whole))
        alike = (way[:n] == whole[:n]).all(axis=1)
        shared = n if alike.all() else int(np.argmin(alike))
        if shared > best[2]:
            best = (i, shared - 1, shared)
    return best


def _explain(free: Mask, way: npt.NDArray[np.int64], distance: Floats, grid: Grid) -> None:
    """Take away from `free` what lies within the reach of a way's voxels."""
    for voxel in way[::2]:
        reach = _EXPLAINED * distance[tuple(voxel)] + 2 * grid.spacing.max()
        half = np.ceil(reach / grid.spacing).astype(int)
        low = np.maximum(voxel - half, 0)
        high = np.minimum(voxel + half + 1, free.shape)
        block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        index = np.stack(np.meshgrid(*[np.arange(s.start, s.stop) for s in block], indexing="ij"))
        apart = (index - voxel.reshape(3, 1, 1, 1)) * grid.spacing.reshape(3, 1, 1, 1)
        free[block] &= (apart**2).sum(axis=0) > reach**2


def _too_short(twig: npt.NDArray[np.int64], distance: Floats, grid: Grid) -> bool:
    steps = np.linalg.norm(np.diff(grid.to_space(twig), axis=0), axis=1)
    return bool(steps.sum() < _LEAST * distance[tuple(twig[0])])


def _branch(way: npt.NDArray[np.int64], distance: Floats, grid: Grid) -> Branch:
    points = grid.to_space(way)
    noise = float(grid.spacing.max()) / 2
    radius = distance[tuple(way.T)]
    return _splined(points, radius, noise)


def _splined(points: Floats, radius: Floats, noise: float) -> Branch:
    """Return a smooth branch through points that are known to `noise` [m]."""
    keep = np.r_[True, np.linalg.norm(np.diff(points, axis=0), axis=1) > 0]
    points, radius = points[keep], radius[keep]
    if len(points) < 5:
        raise RangeError("a centreline of less than five points", todo="Set its seeds apart")
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    spline, _ = splprep(points.T, u=length, s=3 * len(points) * noise**2)
    at = np.linspace(0, length[-1], max(round(length[-1] / _STEP), 4) + 1)
    place, d1, d2 = (np.stack(splev(at, spline, der=k), axis=1) for k in range(3))
    speed = np.linalg.norm(d1, axis=1)
    curvature = np.linalg.norm(np.cross(d1, d2), axis=1) / speed**3
    return Branch(place, d1 / speed[:, None], curvature, np.interp(at, length, radius))


def cuts(branch: Branch, membership: npt.NDArray[np.floating], grid: Grid, level: float = 0.5,
         every: int = 1) -> list[Section | None]:  # fmt: skip
    """Return the section at each point of a branch, None where a plane cuts no closed lumen."""
    reach = float(np.clip(3 * np.nanmax(branch.radius), 5e-3, 50e-3))
    made: list[Section | None] = []
    for point, tangent in zip(branch.points[::every], branch.tangents[::every], strict=True):
        try:
            made.append(cut(membership, grid, point, tangent, level, reach))
        except RangeError:
            made.append(None)
    return made


def refined(
    branch: Branch, membership: npt.NDArray[np.floating], grid: Grid, level: float = 0.5
) -> Branch:
    """Return a branch moved to the middle of its cuts, with the radius of their areas.

    A cut whose centre leaps more than a radius (at a junction, at an end) does not move its point.
    """
    sections = cuts(branch, membership, grid, level)
    points = branch.points.copy()
    for i, section in enumerate(sections):
        near = section and np.linalg.norm(section.centre - points[i]) < branch.radius[i]
        if section and near:
            points[i] = section.centre
    moved = _splined(points, branch.radius, float(grid.spacing.max()) / 5)
    moved = replace(moved, parent=branch.parent, joint=branch.joint)
    found = cuts(moved, membership, grid, level)
    return replace(moved, radius=np.array([s.diameter / 2 if s else np.nan for s in found]))


def inscribed(branch: Branch, values: npt.NDArray[np.floating], grid: Grid, level: float) -> Branch:
    """Return a branch on the middles of its largest inscribed spheres, with their radii [m].

    The wall is the surface where values cross `level`, finer than voxels: distances between voxels
    are low by half a voxel. Each point moves within its plane, up to `_SIDE`, to where it lies
    farthest from the wall.

    Raises
    ------
    RangeError
        The values do not cross the level near the branch.
    """
    from scipy.spatial import KDTree
    from skimage.measure import marching_cubes

    index = grid.to_index(branch.points)
    margin = (2.5 * float(np.nanmax(branch.radius)) + _SIDE) / grid.spacing
    low = np.maximum(np.floor(index.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(index.max(axis=0) + margin) + 1, grid.shape).astype(int)
    block = values[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]
    if not float(block.min()) < level < float(block.max()):
        said = f"the values around the centreline do not cross {level:g}"
        raise RangeError(said, todo="Choose a level between lumen and wall")
    wall = KDTree(grid.to_space(marching_cubes(block, level)[0] + low))
    ticks = np.linspace(-_SIDE, _SIDE, 13)
    flat = np.stack([*np.meshgrid(ticks, ticks, indexing="ij"), np.zeros((13, 13))], axis=-1)
    points, radius = branch.points.copy(), branch.radius.copy()
    for i, tangent in enumerate(branch.tangents):
        around = branch.points[i] + flat.reshape(-1, 3) @ axes_of(tangent)
        apart = np.asarray(wall.query(around)[0])
        points[i], radius[i] = around[np.argmax(apart)], apart.max()
    return replace(branch, points=points, radius=radius)


def branch_angle(branches: tuple[Branch, ...], i: int) -> float:
    """Return the angle between branch `i` and how its parent goes on [rad].

    Directions are those of chords from 1.5 to 4 of the parent's radii beyond the junction, so
    that the bend inside the junction does not count.
    """
    child, parent = branches[i], branches[branches[i].parent]
    if child.parent < 0:
        raise RangeError("the first branch leaves no other", todo="Ask for another branch")
    radius = float(np.nanmedian(parent.radius))
    a = _chord(child.points, radius)
    b = _chord(parent.points[child.joint :], radius)
    return float(np.arccos(np.clip(a @ b, -1, 1)))


def _chord(points: Floats, radius: float) -> Floats:
    apart = np.linalg.norm(points - points[0], axis=1)
    last = len(points) - 1
    near = min(int(np.searchsorted(apart, 1.5 * radius)), last - 1)
    far = min(int(np.searchsorted(apart, 4 * radius)), last)
    chord = points[far] - points[near]
    return chord / np.linalg.norm(chord)
