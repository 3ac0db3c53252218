"""Triangle surfaces and what they enclose; open ones are capped before they are measured.

A chamber's wall ends at its valves. Its volume is that of the wall and of a fan over each rim
(a sum of signed tetrahedra: Zhang & Chen 2001, ICIP, doi:10.1109/ICIP.2001.958278), and it means
something only after every triangle is wound alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from isosoma.core.errors import RangeError
from isosoma.core.triangles import check_triangles

__all__ = ["Enclosed", "Loop", "Surface", "enclosed", "euler", "is_closed", "loops", "repaired"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SAME = 1e-6  # points this near, as a share of the surface's extent, are one
_MEND = "Export the mesh again, or mend it where more than two triangles meet"


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles in space.

    Attributes
    ----------
    points : RAS [m], shape (n, 3).
    triangles : rows of `points`, shape (m, 3); anticlockwise as seen from outside.
    """

    points: Floats
    triangles: Indices

    def __post_init__(self) -> None:
        """Refuse what is no surface."""
        if self.points.ndim != 2:
            said = f"points have the shape {self.points.shape}, not (n, 3)"
            raise RangeError(said, todo="Give the points of one phase")
        check_triangles(self.points, self.triangles)


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A rim: a closed chain of edges with a triangle on one side only.

    Attributes
    ----------
    points : rows of the surface's points, in the direction of its triangles, shape (k,).
    area : that it spans, seen along its own normal [m2].
    """

    points: Indices
    area: float


@dataclass(frozen=True, slots=True, eq=False)
class Enclosed:
    """What a surface encloses once its rims are capped.

    Attributes
    ----------
    volume : [m3].
    loops : the capped rims, the longest first.
    """

    volume: float
    loops: tuple[Loop, ...]


def repaired(surface: Surface) -> Surface:
    """Return the surface with double points merged and all triangles wound outward.

    Raises
    ------
    RangeError
        More than two triangles meet at an edge, or the surface has one side only (Möbius).
    """
    return _outward(_wound_alike(_merged(surface)))


def _merged(surface: Surface) -> Surface:
    """Return the surface without double or unused points and without triangles that are lines."""
    reach = _SAME * float(np.linalg.norm(np.ptp(surface.points, axis=0)))
    pairs = KDTree(surface.points).query_pairs(reach, output_type="ndarray")
    _, name = _components(len(surface.points), pairs[:, 0], pairs[:, 1])
    _, first = np.unique(name, return_index=True)
    triangles = name[surface.triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    if len(triangles) == 0:
        raise RangeError("every triangle of the surface is a line", todo="Export the mesh again")
    used, triangles = np.unique(triangles, return_inverse=True)
    return Surface(surface.points[first[used]], triangles.reshape(-1, 3))


def _components(nodes: int, a: Indices, b: Indices) -> tuple[int, Indices]:
    """Return how many parts a graph has, and the part of each node."""
    count, name = connected_components(coo_array((np.ones(len(a)), (a, b)), (nodes, nodes)), False)
    return count, np.asarray(name, np.int64)


def _edges(triangles: Indices) -> Indices:
    """Return directed edges, shape (3 m, 2): row 3 t + s is side s of triangle t."""
    return np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2)


def _sides(triangles: Indices) -> tuple[Indices, Indices]:
    """Return the rows of the directed edges that lie on each other, and those that lie alone."""
    undirected = np.sort(_edges(triangles), axis=1)
    _, name, count = np.unique(undirected, axis=0, return_inverse=True, return_counts=True)
    if count.max() > 2:
        said = f"{int((count > 2).sum())} edges have more than two triangles"
        raise RangeError(said, todo=_MEND)
    order = np.argsort(name, kind="stable")
    alone = count[name[order]] == 1
    return order[~alone].reshape(-1, 2), order[alone]


def _wound_alike(surface: Surface) -> Surface:
    """Return the surface with neighbours wound alike: a flood fill over both sides at once.

    Each triangle is two nodes, as it is and turned over; neighbours are joined node to node where
    they agree. An orientable part floods into two pieces, and its first triangle chooses one.
    """
    triangles, m = surface.triangles, len(surface.triangles)
    (first, second), edges = _sides(triangles)[0].T, _edges(triangles)
    turned = np.where(edges[first, 0] == edges[second, 0], m, 0)
    a, b = first // 3, second // 3
    _, name = _components(2 * m, np.r_[a, a + m], np.r_[b + turned, b + m - turned])
    if (name[:m] == name[m:]).any():
        raise RangeError("the surface has one side only", todo=_MEND)
    flip = name[:m] > name[m:]
    return Surface(surface.points, np.where(flip[:, None], triangles[:, ::-1], triangles))


def _outward(surface: Surface) -> Surface:
    """Return a surface wound alike with each part's capped volume positive."""
    triangles = surface.triangles
    _, part = _components(len(surface.points), triangles[:, 0], triangles[:, 1])
    result = triangles.copy()
    for one in np.unique(part[triangles[:, 0]]):
        mine = part[triangles[:, 0]] == one
        if enclosed(Surface(surface.points, triangles[mine])).volume < 0:
            result[mine] = triangles[mine, ::-1]
    return Surface(surface.points, result)


def is_closed(surface: Surface) -> bool:
    """Say whether every edge has two triangles, wound alike."""
    return len(_sides(surface.triangles)[1]) == 0 and _is_wound_alike(surface)


def _is_wound_alike(surface: Surface) -> bool:
    """Say whether two triangles of one edge run along it in opposite directions."""
    starts = _edges(surface.triangles)[_sides(surface.triangles)[0], 0]
    return bool((starts[:, 0] != starts[:, 1]).all())


def euler(surface: Surface) -> int:
    """Return points - edges + triangles: 2 for each closed part without a tunnel."""
    pairs, alone = _sides(surface.triangles)
    edges = len(pairs) + len(alone)
    return len(np.unique(surface.triangles)) - edges + len(surface.triangles)


def loops(surface: Surface) -> tuple[Loop, ...]:
    """Return the rims of a surface wound alike, the longest chain first.

    Raises
    ------
    RangeError
        Rims touch, or the surface is not wound alike: `repaired` mends the latter.
    """
    if not _is_wound_alike(surface):
        raise RangeError("the triangles are not wound alike", todo="Repair the surface first")
    rim = _edges(surface.triangles)[_sides(surface.triangles)[1]]
    after = dict(rim.tolist())
    if len(after) != len(rim):
        raise RangeError("the surface's rims touch", todo=_MEND)
    chains: list[list[int]] = []
    while after:
        chain = [next(iter(after))]
        while (point := after.pop(chain[-1])) != chain[0]:
            chain.append(point)
        chains.append(chain)
    chains.sort(key=len, reverse=True)
    return tuple(Loop(np.array(c), _spanned(surface.points[c])) for c in chains)


def _spanned(rim: Floats) -> float:
    """Return the area [m2] that a rim [m] spans: of its vector area, the same for every cap."""
    spokes = rim - rim.mean(axis=0)
    return float(np.linalg.norm(np.cross(spokes, np.roll(spokes, -1, axis=0)).sum(axis=0)) / 2)


def enclosed(surface: Surface) -> Enclosed:
    """Return what a surface encloses once every rim is capped; negative where wound inward.

    Raises
    ------
    RangeError
        It is not wound alike: `repaired` mends that.
    """
    points = surface.points - surface.points.mean(axis=0)  # far from the origin digits are lost
    rims = loops(surface)
    volume = _signed(points[surface.triangles])
    for rim in rims:
        ends = points[rim.points]
        middle = np.broadcast_to(ends.mean(axis=0), ends.shape)
        volume += _signed(np.stack([np.roll(ends, -1, axis=0), ends, middle], axis=1))
    return Enclosed(volume, rims)


def _signed(corners: Floats) -> float:
    """Return the volume [m3] of the tetrahedra from the origin to triangles, shape (m, 3, 3)."""
    a, b, c = corners.transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
