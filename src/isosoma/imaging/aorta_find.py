"""The lumen of the aorta out of an angiogram, without a network.

A seed comes from a click or from the longest chain of round bright discs in axial slices, read one
slice at a time. `find_aorta` follows the vessel plane by plane; `find_lumen` takes a tree, all that
exceeds the half level and hangs together by more than thin bridges. That is right for an abdomen
or a limb; in a thorax it fills the heart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, binary_erosion, find_objects, label
from scipy.special import expit

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.aorta_track import Track, follow, tube_mask
from isosoma.imaging.lumens import Blood, blood_levels
from isosoma.imaging.segmentation import Segmentation

__all__ = [
    "Disc",
    "auto_seed",
    "chain_of_discs",
    "find_aorta",
    "find_lumen",
    "levels_around",
    "round_discs",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.floating]

_VERSION = "aorta_find 1"
_AREA = (1.0e-4, 16e-4)  # [m2] of the disc of an aorta: 11 to 45 mm across
_ROUND = 0.72  # area of the disc by that of the circle around its longest side
_SHIFT = 6e-3  # [m] between neighbouring slices' middles, at most
_NEAR = 25e-3  # [m] around a seed where levels are taken
_BRIDGE = 1.5e-3  # [m] radius of the thinnest way that joins the lumen to itself
_USUAL = (5e-6, 900e-6)  # [m3] of a lumen, from a child's segment to a wide aneurysm
_WHOLE = 0.15  # [m] followed: less is a part of the aorta
_RIM = 0.15  # share of the contrast over which a voxel's membership changes


@dataclass(frozen=True, slots=True)
class Disc:
    """A round bright region of an axial slice: its middle as (i, j), and its area [m2]."""

    slice: int
    i: float
    j: float
    area: float


def round_discs(
    slices: Iterable[Values], level: float, pixel: tuple[float, float]
) -> Iterator[Disc]:
    """Yield the discs above `level` of axial slices, one slice in memory at a time.

    Parameters
    ----------
    slices : of shape (i, j), from the lowest to the highest. pixel : sides [m].
    """
    for k, plane in enumerate(slices):
        names, _ = label(plane > level)  # pyright: ignore[reportGeneralTypeIssues] - untyped
        for n, box in enumerate(find_objects(names), start=1):
            part = names[box] == n
            area = float(part.sum() * pixel[0] * pixel[1])
            longest = max(part.shape[0] * pixel[0], part.shape[1] * pixel[1])
            if _AREA[0] < area < _AREA[1] and area > _ROUND * np.pi / 4 * longest**2:
                i, j = (float(np.mean(x)) + box[a].start for a, x in enumerate(np.nonzero(part)))
                yield Disc(k, i, j, area)


def chain_of_discs(discs: Iterable[Disc], pixel: tuple[float, float]) -> tuple[Disc, ...]:
    """Return the longest chain of discs over neighbouring slices, each near the one before.

    Raises
    ------
    RangeError
        No chain runs through three slices.
    """
    chains: list[list[Disc]] = []
    for disc in discs:
        for chain in chains:
            last = chain[-1]
            apart = np.hypot((disc.i - last.i) * pixel[0], (disc.j - last.j) * pixel[1])
            alike = 0.6 < disc.area / last.area < 1.6
            if disc.slice == last.slice + 1 and apart < _SHIFT and alike:
                chain.append(disc)
                break
        else:
            chains.append([disc])
    best = max(chains, key=lambda c: (len(c), c[0].area), default=[])
    if len(best) < 3:
        said = "no round vessel runs through three slices"
        raise RangeError(said, todo="Click into the aorta, or use an angiogram")
    return tuple(best)


def levels_around(image: Values, grid: Grid, seed: npt.ArrayLike) -> Blood:
    """Return the levels of blood at a seed, RAS [m], and of the tissue around its vessel.

    Raises
    ------
    RangeError
        The seed lies outside the image, or what is there is no brighter than what is around it.
    """
    at = np.rint(grid.to_index(seed)).astype(int)
    if (at < 0).any() or (at >= grid.shape).any():
        raise RangeError("the seed lies outside the image", todo="Give it in RAS metres")
    reach = np.ceil(_NEAR / grid.spacing).astype(int)
    block = image[tuple(slice(max(int(a - n), 0), int(a + n + 1))
                        for a, n in zip(at, reach, strict=True))]  # fmt: skip
    core = image[tuple(slice(max(int(a) - 1, 0), int(a) + 2) for a in at)]
    lumen = float(np.median(core))
    dark = block[block < lumen / 2 + float(np.median(block)) / 2]
    tissue = float(np.median(dark)) if len(dark) else lumen
    if lumen - tissue < 4 * float(np.std(core)) or lumen <= float(np.median(block)):
        said = "the seed is no brighter than what lies around it"
        raise RangeError(said, todo="Click into contrast-filled blood")
    return Blood(lumen, tissue)


def find_lumen(
    image: Values, grid: Grid, seeds: npt.ArrayLike, blood: Blood | None = None
) -> Segmentation:
    """Return the lumen that holds the seeds, RAS [m], shape (n, 3).

    The probability of a voxel goes from 0 to 1 over the half level, over `0.15` of the contrast: it
    says how far a voxel is from the rim, and is not calibrated.

    Raises
    ------
    RangeError
        No lumen holds the seeds.
    """
    points = np.atleast_2d(np.asarray(seeds, float))
    blood = levels_around(image, grid, points[0]) if blood is None else blood
    bright = np.asarray(image > blood.half)
    lumen = _joined(bright, grid, points)
    contrast = blood.lumen - blood.tissue
    sure = expit((image - blood.half) / (_RIM / 4 * contrast)).astype(np.float32)
    probability = np.where(lumen, np.maximum(sure, 0.5), np.where(bright, 0.5, 1 - sure))
    quality, problems = _checks(lumen, grid)
    return Segmentation(
        grid, lumen.astype(np.uint8), ("", "aorta"), probability.astype(np.float32), quality,
        problems, _VERSION,
    )  # fmt: skip


def auto_seed(image: Values, grid: Grid, level: float) -> Floats:
    """Return the middle of the longest chain of discs, RAS [m].

    Raises
    ------
    RangeError
        The third axis is not the body's, or no vessel runs along it.
    """
    normal = grid.affine[:3, 2] / grid.spacing[2]
    if abs(normal[2]) < 0.9:
        raise RangeError("the slices are not axial", todo="Click into the aorta instead")
    order = range(grid.shape[2]) if normal[2] > 0 else range(grid.shape[2] - 1, -1, -1)
    pixel = (float(grid.spacing[0]), float(grid.spacing[1]))
    chain = chain_of_discs(round_discs((image[..., k] for k in order), level, pixel), pixel)
    middle = chain[len(chain) // 2]
    return grid.to_space([middle.i, middle.j, order[middle.slice]])


def find_aorta(
    image: Values, grid: Grid, seed: npt.ArrayLike | None = None, blood: Blood | None = None
) -> tuple[Segmentation, Track]:
    """Return the aorta's lumen as far as it can be followed from a click, and its sections.

    Parameters
    ----------
    image : [HU] of an arterial phase. seed : RAS [m]; the longest chain of discs without one.
    blood : levels; those of the whole CT without a seed, else those around the seed.

    Raises
    ------
    RangeError
        No vessel is found, or the CT has no contrast.
    """
    if blood is None:
        blood = blood_levels(image) if seed is None else levels_around(image, grid, seed)
    start = auto_seed(image, grid, blood.half) if seed is None else np.asarray(seed, float)
    track = follow(image, grid, start, blood)
    lumen = tube_mask(image, grid, track, blood)
    sure = expit((image - blood.half) / (_RIM / 4 * (blood.lumen - blood.tissue)))
    probability = np.where(lumen, np.maximum(sure, 0.5), 0.5).astype(np.float32)
    far = image < blood.half
    probability[far] = 1 - sure[far].astype(np.float32)
    problems = tuple(
        f"followed from ({', '.join(f'{x * 1e3:.0f}' for x in end)}) mm, where {why}"
        for end, why in zip(track.points[[0, -1]], track.ended, strict=True)
        if why != "the image ends"
    )
    quality = 1.0 if track.length > _WHOLE else max(0.2, track.length / _WHOLE)
    found = Segmentation(
        grid, lumen.astype(np.uint8), ("", "aorta"), probability, quality, problems, _VERSION
    )
    return found, track


def _joined(bright: Mask, grid: Grid, points: Floats) -> Mask:
    """Return the part of what is bright that holds the points, thin bridges cut."""
    half = np.maximum(np.floor(_BRIDGE / grid.spacing), 0).astype(int)
    around = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in half], indexing="ij"), axis=-1)
    ball = np.linalg.norm(around * grid.spacing, axis=-1) <= _BRIDGE
    thick = np.asarray(binary_erosion(bright, ball), np.bool_)
    names, _ = label(thick)  # pyright: ignore[reportGeneralTypeIssues] - untyped in scipy
    index = np.argwhere(thick)
    if len(index) == 0:
        raise RangeError("nothing as bright as the seed is thick enough", todo="Click elsewhere")
    places = grid.to_space(index)
    chosen = set[int]()
    for point in points:
        apart = np.linalg.norm(places - point, axis=1)
        if apart.min() > 5e-3:
            said = f"a seed lies {apart.min() * 1e3:.0f} mm outside of what is bright"
            raise RangeError(said, todo="Click into the vessel's middle")
        chosen.add(int(names[tuple(index[np.argmin(apart)])]))
    core = np.isin(names, list(chosen))
    return np.asarray(binary_dilation(core, ball), np.bool_) & bright


def _checks(lumen: Mask, grid: Grid) -> tuple[float, tuple[str, ...]]:
    """Return the least of the checks and a sentence for each below 1."""
    volume = float(lumen.sum() * grid.voxel)
    touches = np.ones(lumen.shape, np.bool_)
    touches[tuple(slice(1, -1) if n > 2 else slice(None) for n in lumen.shape)] = False
    solid, longest = _shape(lumen, grid)
    found = (
        (1.0 if _USUAL[0] < volume < _USUAL[1] else 0.2,
         f"{volume * 1e6:.0f} ml is no usual lumen (5 to 900): did it run off, is the unit mm?"),
        (1.0 if solid < longest else 0.3,
         "it is as wide as a chamber somewhere: it ran off into the heart or into bone, cut it"),
    )  # fmt: skip
    return min(s for s, _ in found), tuple(text for s, text in found if s < 1)


def _shape(lumen: Mask, grid: Grid) -> tuple[float, float]:
    """Return the largest inscribed radius [m], and the most that an aorta has."""
    from isosoma.imaging.centreline import wall_distance

    return float(wall_distance(lumen, grid).max()), 28e-3
