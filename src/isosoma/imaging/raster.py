"""Closed meshes as masks on the voxels of pictures: a voxel is in where its centre is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Grid
from isosoma.imaging.outline import outlines

__all__ = ["filled", "rasterised"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def rasterised(points: Floats, triangles: npt.NDArray[np.int64], grid: Grid) -> Mask:
    """Return which voxels lie in a closed mesh, shape of the grid.

    Parameters
    ----------
    points : RAS [m], shape (n, 3). triangles : rows of `points`, shape (m, 3).
    """
    made = np.zeros(grid.shape, bool)
    for k in range(grid.shape[2]):
        made[:, :, k] = filled(outlines(points, triangles, grid, k), grid.shape[:2])
    return made


def filled(loops: Sequence[Floats], shape: tuple[int, int]) -> Mask:
    """Return which pixel centres (i, j) lie in loops of corners, by the even-odd rule.

    A row of pixels is crossed by an edge where its corners lie on two sides, a corner in the row
    counting as above it; every pixel behind a crossing changes sides.
    """
    turns = np.zeros((shape[0] + 1, shape[1]), np.int64)
    for loop in loops:
        i, j = loop.T
        i2, j2 = np.roll(loop, -1, axis=0).T
        first = np.clip(np.ceil(np.minimum(j, j2)), 0, shape[1]).astype(int)
        count = np.clip(np.ceil(np.maximum(j, j2)), 0, shape[1]).astype(int) - first
        edge = np.repeat(np.arange(len(loop)), count)
        rows = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
        cross = np.ceil(i[edge] + (rows - j[edge]) * (i2 - i)[edge] / (j2 - j)[edge])
        np.add.at(turns, (np.clip(cross, 0, shape[0]).astype(int), rows), 1)
    return np.asarray(np.cumsum(turns, axis=0)[:-1] % 2 == 1)
