"""Thickness of a wall, by the paths from its inner to its outer side.

Paths follow the gradient of a harmonic function u, 0 on one side and 1 on the other, so that they
never cross; thickness is the length of the path through a voxel. The lengths to both sides come
from T . grad L0 = 1 and -T . grad L1 = 1, upwind (Yezzi & Prince 2003, IEEE Trans Med Imaging
22:1332-1339, doi:10.1109/TMI.2003.817775).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid

__all__ = ["wall_thickness"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_OVER = 1.8  # successive over-relaxation, good for walls of some ten voxels
_STEADY = 1e-7  # of u, whose range is 1
_SWEEPS = 5000
_PASSES = 50
_FLAT = 1e-6  # [1/voxel] of u: below, a piece of wall touches one side only


class _Wall(NamedTuple):
    """Wall voxels in a row: `beside` names both neighbours along each axis, shape (n, 3, 2).

    n stands for the inner side, n + 1 for the outer, a voxel's own number for the grid's edge.
    """

    beside: Indices
    spacing: Floats


def wall_thickness(wall: Mask, inside: Mask, grid: Grid) -> Floats:
    """Return the thickness [m] at each wall voxel; not a number elsewhere.

    Where the grid ends the wall is taken to go on: cut the grid at the valve plane. A piece of wall
    that touches one side only has no thickness.

    Parameters
    ----------
    wall, inside : of one shape, the grid's; what is neither lies outside.

    Raises
    ------
    RangeError
        The masks overlap or are of another shape, or the grid's axes are not perpendicular.
    """
    _check(wall, inside, grid)
    row = _row(wall, inside, grid)
    n = len(row.beside)
    result = np.full(wall.shape, np.nan)
    if n == 0:
        return result
    u = np.r_[np.full(n, 0.5), 0.0, 1.0]
    _relax(u, row.beside, row.spacing**-2.0)
    slope = (u[row.beside[:, :, 1]] - u[row.beside[:, :, 0]]) / (2 * row.spacing)
    steep = np.linalg.norm(slope, axis=1)
    known = steep * row.spacing.min() > _FLAT
    along = slope / np.where(known, steep, 1.0)[:, None]
    order = np.argsort(u[:n], kind="stable")
    inward = _travelled(order, along, row)
    outward = _travelled(order[::-1], -along, row)
    result[wall] = np.where(known, inward + outward, np.nan)
    return result


def _check(wall: Mask, inside: Mask, grid: Grid) -> None:
    if not wall.shape == inside.shape == grid.shape:
        said = f"the masks have {wall.shape} and {inside.shape} voxels, the grid {grid.shape}"
        raise RangeError(said, todo="Give the grid that they were drawn on")
    if (wall & inside).any():
        said = f"{int((wall & inside).sum())} voxels are wall and inside at once"
        raise RangeError(said, todo="Take the inside out of the wall")
    axes = grid.affine[:3, :3] / grid.spacing
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        raise RangeError("the grid's axes are not perpendicular", todo="Resample the images first")


def _row(wall: Mask, inside: Mask, grid: Grid) -> _Wall:
    """Return the wall's voxels and their neighbours."""
    n = int(wall.sum())
    number = np.where(inside, n, n + 1)
    number[wall] = np.arange(n)
    number = np.pad(number, 1, constant_values=-1)
    at = np.argwhere(wall) + 1
    beside = np.empty((n, 3, 2), np.int64)
    for axis, step in np.ndindex(3, 2):
        beside[:, axis, step] = number[tuple((at + np.eye(3, dtype=int)[axis] * (2 * step - 1)).T)]
    own = np.arange(n)[:, None, None]
    return _Wall(np.where(beside < 0, own, beside), grid.spacing)


@njit(cache=True, nogil=True)
def _relax(u: Floats, beside: Indices, weight: Floats) -> None:
    """Solve Laplace's equation in place by successive over-relaxation (Young 1954)."""
    total = 2.0 * weight.sum()
    for _ in range(_SWEEPS):
        most = 0.0
        for v in range(len(beside)):
            mean = 0.0
            for a in range(3):
                mean += weight[a] * (u[beside[v, a, 0]] + u[beside[v, a, 1]])
            change = _OVER * (mean / total - u[v])
            u[v] += change
            most = max(most, abs(change))
        if most < _STEADY:
            return


def _travelled(order: Indices, along: Floats, row: _Wall) -> Floats:
    """Return the way [m] from where `along` comes from to each voxel, shape (n,)."""
    step = np.where(along > 0, 0, 1)[:, :, None]
    upwind = np.take_along_axis(row.beside, step, axis=2)[:, :, 0]
    rate = np.abs(along) / row.spacing
    rate[upwind == np.arange(len(along))[:, None]] = 0.0  # nothing changes over the grid's edge
    way = np.zeros(len(along))
    _march(way, order, upwind, rate, -np.abs(along) * row.spacing / 2)
    return way


@njit(cache=True, nogil=True)
def _march(way: Floats, order: Indices, upwind: Indices, rate: Floats, start: Floats) -> None:
    """Solve along . grad(way) = 1 in place, Gauss-Seidel in the order of u.

    The surface lies between voxel centres, anywhere between with equal chance: a voxel of the side
    starts at minus half a spacing, as long as that is along the path, |T_a| h_a / 2. A whole half
    spacing whatever the path's direction makes a tilted wall 0.25 voxel too thin.
    """
    n = len(way)
    for _ in range(_PASSES):
        most = 0.0
        for v in order:
            above, below = 1.0, 0.0
            for a in range(3):
                source = upwind[v, a]
                above += rate[v, a] * (way[source] if source < n else start[v, a])
                below += rate[v, a]
            if below > 0.0:
                most = max(most, abs(above / below - way[v]))
                way[v] = above / below
        if most < 1e-9:
            return
