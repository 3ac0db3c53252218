"""Where the planes of pictures cut a closed mesh: what a reader sees as contours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Grid

__all__ = ["outlines", "plane_loops"]

Floats = npt.NDArray[np.float64]


def outlines(points: Floats, triangles: npt.NDArray[np.int64], grid: Grid, k: int) -> list[Floats]:
    """Return the loops in which slice `k` of a grid cuts a closed mesh.

    Parameters
    ----------
    points : RAS [m], shape (n, 3). triangles : rows of `points`, shape (m, 3).

    Returns
    -------
    list of arrays, shape (corners, 2)
        Voxel coordinates (i, j) of each loop, in order; the last corner joins the first.
    """
    return [loop[:, :2] for loop in plane_loops(grid.to_index(points), triangles, float(k))]


def plane_loops(points: Floats, triangles: npt.NDArray[np.int64], level: float) -> list[Floats]:
    """Return the loops in which the plane z = `level` cuts a closed mesh, shape (corners, 3) each.

    A corner that lies in the plane counts as above it, so that every triangle is cut in two edges
    or not at all, and loops close.
    """
    above = points[:, 2] >= level
    count = above[triangles].sum(axis=1)
    cut = triangles[(count == 1) | (count == 2)]
    if not len(cut):
        return []
    edges = np.stack([cut, np.roll(cut, -1, axis=1)], axis=-1)  # (triangle, side, end)
    crossed = above[edges[..., 0]] != above[edges[..., 1]]
    pairs = np.sort(edges[crossed].reshape(-1, 2), axis=1)
    named, number = np.unique(pairs, axis=0, return_inverse=True)
    a, b = points[named[:, 0]], points[named[:, 1]]
    share = (level - a[:, 2]) / (b[:, 2] - a[:, 2])
    corners = a + share[:, None] * (b - a)
    return [corners[loop] for loop in _chained(number.reshape(-1, 2), len(named))]


def _chained(segments: npt.NDArray[np.int64], count: int) -> list[list[int]]:
    """Return the corners of each loop in order; a loop that does not close is left open."""
    beside = [list[int]() for _ in range(count)]
    for a, b in segments.tolist():
        beside[a].append(b)
        beside[b].append(a)
    free, loops = set(range(count)), list[list[int]]()
    while free:
        now, loop = min(free), list[int]()
        while now in free:
            free.discard(now)
            loop.append(now)
            now = next((n for n in beside[now] if n in free), -1)
        if len(loop) > 2:
            loops.append(loop)
    return loops
