"""The aortic annulus: its plane, its area and perimeter finer than a voxel, and how sure each is.

The plane is the one that lies nearest to a landmark's voxels or to the leaflets' hinge points. In
it the rim is where the landmark's interpolated membership is a half, or, where an image is given,
where each ray from the middle falls half way from blood to the wall that it meets. No hull of
voxels is taken: of tilted disks of known area the hull of voxel centres is low by 5 to 10 %, grown
by half a voxel high by 2 to 9 %, and a valve's size is 20 % of area. Sizing by area and by
perimeter: Blanke et al. 2019, J Cardiovasc Comput Tomogr 13:1-20, doi:10.1016/j.jcct.2018.11.008.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.lumens import Blood
from isosoma.imaging.rays import RAYS, Plane, along, falls, polar, rim
from isosoma.imaging.section import Section, axes_of, cut

__all__ = ["Annulus", "annulus", "annulus_of_hinges", "chances", "nearest_plane"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.floating]

_TILT = np.deg2rad(3.0) / 1.96  # [rad] sd of the plane's angles: readers agree within 3 degrees
_LEVEL = 0.05  # sd of the share of the contrast at which the rim is set
_THIN = 1.75  # [voxel] of a landmark's thickness: below, its mid-plane area is low by up to 8 %
_REACH = 30e-3  # [m] half the side of the square that is searched
_WITHIN = (-3e-3, 4e-3)  # [m] around the landmark's rim, where the image's is sought
_STAYS = 0.75e-3  # [m] beyond its rim a wall is dark: a leaflet's edge is thinner
_CONTRAST = 0.4  # of the image's, that a ray needs to have an edge
_WAVES = 5  # harmonics of an image's rim: a ring of muscle and fibre has no finer corners
_SEEN = 0.75  # share of the rays with an edge that makes an image's rim


@dataclass(frozen=True, slots=True, eq=False)
class Annulus:
    """The ring that a valve is sized by.

    Attributes
    ----------
    section : contour, area [m2], perimeter [m] and calipers [m] in the best plane.
    areas, perimeters, widest, across : of the sampled planes, levels and centres, [m2] and [m],
        shape (members,) each.
    by_image : whether the image's edge was used, or the landmark's membership.
    seen : share of the rim where the image has an edge; 0 without one.
    problems : a sentence for what makes the numbers worse.
    """

    section: Section
    areas: Floats
    perimeters: Floats
    widest: Floats
    across: Floats
    by_image: bool
    seen: float
    problems: tuple[str, ...] = ()

    @property
    def area_sigma(self) -> float:
        """Return the standard deviation of the area [m2]."""
        return float(self.areas.std())

    @property
    def perimeter_sigma(self) -> float:
        """Return the standard deviation of the perimeter [m]."""
        return float(self.perimeters.std())

    @property
    def eccentricity(self) -> float:
        """Return 1 - smallest caliper / largest: 0 of a circle [1]."""
        return 1 - self.section.across / self.section.widest

    @property
    def eccentricity_sigma(self) -> float:
        """Return the standard deviation of the eccentricity [1]."""
        return float((1 - self.across / self.widest).std())


# Gives a plane's rim, and the share of it that an image shows.
Rim = Callable[[Plane], tuple[Section, float]]


def nearest_plane(points: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the middle [m] and the unit normal of the plane nearest to points, RAS [m], (n, 3).

    Raises
    ------
    RangeError
        Fewer than three points, or all on a line.
    """
    given = np.atleast_2d(np.asarray(points, float))
    if len(given) < 3:
        said = f"{len(given)} points make no plane"
        raise RangeError(said, todo="Give the hinge points of the three leaflets")
    middle = given.mean(axis=0)
    _, size, axes = np.linalg.svd(given - middle, full_matrices=False)
    if size[1] < 1e-3 * max(float(size[0]), 1e-12):
        raise RangeError("the points lie on a line", todo="Give one hinge point of each leaflet")
    return middle, np.asarray(axes[2])


def annulus(
    landmark: Mask, grid: Grid, image: Values | None = None, blood: Blood | None = None,
    members: int = 200, seed: int = 1,
) -> Annulus:  # fmt: skip
    """Return the annulus that a flat landmark marks.

    Parameters
    ----------
    landmark : a disk of voxels that fills the ring, shape (i, j, k).
    image, blood : [HU], and its levels; without them the landmark's own rim is taken.
    members : planes, levels and centres that are sampled. seed : of the sampling.

    Raises
    ------
    RangeError
        The landmark is empty or of another shape, or no closed rim is found.
    """
    if landmark.shape != grid.shape:
        said = f"the landmark has {landmark.shape} voxels, its grid {grid.shape}"
        raise RangeError(said, todo="Give the grid that it was drawn on")
    index = np.argwhere(landmark)
    if len(index) < 3:
        raise RangeError("the annulus' landmark is empty", todo="Segment again, or give hinges")
    middle, normal = nearest_plane(grid.to_space(index))
    plane, values = Plane(middle, axes_of(normal)), landmark.astype(np.float32)
    own = cut(values, grid, middle, normal, 0.5, _REACH)
    voxel = grid.voxel ** (1 / 3)
    deep = len(index) * grid.voxel / own.area / voxel
    problems = [f"the landmark is only {deep:.1f} voxels thick: its area is low by up to 8 %"]
    problems = problems if deep < _THIN else []
    if image is not None and blood is not None:
        start = polar(own.contour, plane)
        if _edge(image, grid, plane, start, blood)[1] >= _SEEN:
            by_image = partial(_edge, image, grid, start=start, blood=blood)
            return _sampled(by_image, plane, voxel, members, seed, problems)
        problems.append("the image shows too little of the rim: the landmark's own was taken")

    def by_landmark(plane: Plane) -> tuple[Section, float]:
        return cut(values, grid, plane.centre, plane.axes[2], plane.share, _REACH), 0.0

    return _sampled(by_landmark, plane, voxel, members, seed, problems)


def annulus_of_hinges(
    hinges: npt.ArrayLike, image: Values, grid: Grid, blood: Blood, members: int = 200,
    seed: int = 1,
) -> Annulus:  # fmt: skip
    """Return the annulus through the lowest points of the leaflets, RAS [m], shape (n >= 3, 3).

    Raises
    ------
    RangeError
        The points make no plane, or the image has no edge around them.
    """
    points = np.atleast_2d(np.asarray(hinges, float))
    middle, normal = nearest_plane(points)
    plane = Plane(middle, axes_of(normal))
    radius = float(np.linalg.norm(points - middle, axis=1).mean())
    section, seen = _edge(image, grid, plane, np.full(RAYS, radius), blood)
    if seen < _SEEN:
        said = f"the image has an edge on {seen:.0%} of the rays from the hinges' middle"
        raise RangeError(said, todo="Mark the hinges again, or use a CT angiogram")
    start = polar(section.contour, plane)
    by_image = partial(_edge, image, grid, start=start, blood=blood)
    return _sampled(by_image, plane, grid.voxel ** (1 / 3), members, seed, [])


def chances(areas: Floats, sizes: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return for each size the share of sampled areas [m2] within its range [m2].

    Ranges may overlap and leave gaps, so shares need not add to 1.
    """
    return {
        name: float(np.mean((areas >= low) & (areas < high))) for name, (low, high) in sizes.items()
    }


def _sampled(
    rim_of: Rim, plane: Plane, voxel: float, members: int, seed: int, problems: list[str]
) -> Annulus:
    """Return the annulus in the best plane, and in `members` planes that might be it.

    The middle's height is known to a voxel's rounding, voxel / sqrt(12).
    """
    rng = np.random.default_rng(seed)
    best, seen = rim_of(plane)
    found: list[Section] = []
    for _ in range(members):
        u, v, w = plane.axes
        normal = w + np.tan(rng.normal(0, _TILT, 2)) @ np.stack([u, v])
        centre = plane.centre + rng.normal(0, voxel / np.sqrt(12)) * w
        share = 0.5 + rng.normal(0, _LEVEL)
        found.append(rim_of(Plane(centre, _beside(normal, u), share))[0])
    table = np.array([[s.area, s.perimeter, s.widest, s.across] for s in found])
    return Annulus(best, *table.T, by_image=seen > 0, seen=seen, problems=tuple(problems))


def _beside(normal: Floats, u: Floats) -> Floats:
    """Return unit axes with the third along `normal` and the first as near to `u` as can be."""
    w = normal / np.linalg.norm(normal)
    first = u - (u @ w) * w
    first = first / np.linalg.norm(first)
    return np.stack([first, np.cross(w, first), w])


def _edge(
    image: Values, grid: Grid, plane: Plane, start: Floats, blood: Blood
) -> tuple[Section, float]:
    """Return the rim where each ray falls through its own half level, and how much was seen."""
    values = along(image, grid, plane, start, _WITHIN)
    wall = values.min(axis=1)
    clear = blood.lumen - wall > _CONTRAST * (blood.lumen - blood.tissue)
    level = np.where(clear, wall + plane.share * (blood.lumen - wall), np.nan)
    moved = falls(values, level, _WITHIN, _STAYS)
    return rim(plane, start, moved, _WAVES), float(np.isfinite(moved).mean())
