"""An aorta followed plane by plane from a click, so that it does not run off into the heart.

Each step cuts a plane across the way so far, takes the closed lumen around it, and goes on from its
middle. It ends where the lumen opens into a chamber, forks, or leaves the image; why is kept.
Region growing alone fills the heart as soon as the valve stands open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.lumens import Blood
from isosoma.imaging.section import Section, cut

__all__ = ["Track", "follow", "tube_mask"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.floating]

_STEP = 2e-3  # [m]
_MOST = 400  # steps to each side: 80 cm
_SHARES = (0.5, 0.6, 0.7, 0.8)  # of the contrast: levels that are tried
_VEIN = 0.3  # of the contrast above the aorta's blood: beyond is a vein of injection, or metal
_MEMORY = 6  # steps whose middles give the direction
_WIDER, _NARROWER = 1.5, 0.5  # of the median area so far: a chamber, or a branch taken by mistake
_LONG = 2.2  # largest caliper by that across: two vessels in one contour
_REACH = 35e-3  # [m]
_BEYOND = 1.5e-3  # [m] beyond a section's rim that a voxel of the lumen may lie


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Sections from one end to the other.

    Attributes
    ----------
    sections : in order. ended : why it ended at the first and at the last.
    """

    sections: tuple[Section, ...]
    ended: tuple[str, str]

    @property
    def points(self) -> Floats:
        """Return the middles, RAS [m], shape (n, 3)."""
        return np.array([s.centre for s in self.sections])

    @property
    def length(self) -> float:
        """Return the length along the middles [m]."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


def follow(
    image: Values, grid: Grid, start: npt.ArrayLike, blood: Blood,
    direction: npt.ArrayLike = (0.0, 0.0, 1.0),
) -> Track:  # fmt: skip
    """Return the vessel around a click, RAS [m], followed to both sides.

    Parameters
    ----------
    direction : of the vessel there, roughly; towards the head of most of the aorta.

    Raises
    ------
    RangeError
        No closed lumen lies around the click.
    """
    image = _folded(image, blood)
    seed = cut(image, grid, start, direction, blood.half, _REACH)
    if np.linalg.norm(seed.centre - np.asarray(start, float)) > seed.diameter:
        raise RangeError("no vessel lies around the click", todo="Click into the vessel's middle")
    up = np.asarray(direction, float) / np.linalg.norm(direction)
    there, last = _one_way(image, grid, seed, up, blood)
    back, first = _one_way(image, grid, seed, -up, blood)
    return Track((*reversed(back), seed, *there), (first, last))


def _folded(image: Values, blood: Blood) -> Values:
    """Return an image where what is far brighter than the aorta's blood is dark.

    Veins that the contrast is injected into touch the aorta, and are twice as bright.
    """
    most = blood.lumen + _VEIN * (blood.lumen - blood.tissue)
    return np.where(image > most, 2 * most - image, image).astype(np.float32)


def _one_way(
    image: Values, grid: Grid, seed: Section, direction: Floats, blood: Blood
) -> tuple[list[Section], str]:
    """Return the sections beyond the seed, and why they end.

    Where the half level joins a neighbour through a thin wall, higher levels are tried in turn.
    """
    found, way = [seed], direction
    for _ in range(_MOST):
        here = found[-1].centre + _STEP * way
        index = grid.to_index(here)
        if (index < 1).any() or (index > np.array(grid.shape) - 2).any():
            return found[1:], "the image ends"
        usual = float(np.median([s.area for s in found[-10:]]))
        why = ""
        for share in _SHARES:
            level = blood.tissue + share * (blood.lumen - blood.tissue)
            one, why = _next(image, grid, here, way, level, usual)
            if one is not None:
                found.append(one)
                break
        if why:
            return found[1:], why
        way = _direction(found, way)
    return found[1:], "the most steps were taken"


def _next(
    image: Values, grid: Grid, here: Floats, way: Floats, level: float, usual: float
) -> tuple[Section | None, str]:
    """Return the section at a place, or why there is none that goes on the vessel."""
    try:
        one = cut(image, grid, here, way, level, _REACH)
    except RangeError:
        return None, "no closed lumen: it opens into a chamber or beside another vessel"
    if one.area > _WIDER * usual or one.widest > _LONG * one.across:
        return None, "it opens: a chamber, a fork, or a vessel that touches it"
    if one.area < _NARROWER * usual:
        return None, "it narrows to less than half, or has no closed lumen of its own"
    if np.linalg.norm(one.centre - here) > 0.6 * one.diameter:
        return None, "the next lumen lies beside it"
    return one, ""


def _direction(found: list[Section], way: Floats) -> Floats:
    """Return the direction of the last middles, never turned by more than a little."""
    last = np.array([s.centre for s in found[-_MEMORY:]])
    chord = last[-1] - last[0]
    new = 0.5 * way + 0.5 * chord / max(float(np.linalg.norm(chord)), 1e-9)
    return new / np.linalg.norm(new)


def tube_mask(image: Values, grid: Grid, track: Track, blood: Blood) -> Mask:
    """Return the bright voxels that lie within the followed sections, shape (i, j, k)."""
    points = track.points
    reach = np.array([s.widest / 2 for s in track.sections]) + _BEYOND
    index = grid.to_index(points)
    margin = reach.max() / grid.spacing
    low = np.maximum(np.floor(index.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(index.max(axis=0) + margin) + 1, grid.shape).astype(int)
    block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    inside = np.argwhere(image[block] > blood.half) + low
    places = grid.to_space(inside)
    apart, nearest = KDTree(points).query(places)
    normal = np.array([s.normal for s in track.sections])[nearest]
    along = np.abs(((places - points[nearest]) * normal).sum(axis=1))
    kept = inside[(apart < reach[nearest]) & (along < 1.5 * _STEP)]
    mask = np.zeros(grid.shape, np.bool_)
    mask[tuple(kept.T)] = True
    return mask
