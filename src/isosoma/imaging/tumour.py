"""A glioma's compartments from T1, T1 with contrast and FLAIR, grown from a reader's click.

FLAIR gives the whole: the threshold falls until the region leaks into the healthy brain (the
explosion control of Mori et al. 2000, IEEE Trans Med Imaging 19:711). What contrast adds to T1 is
a mixture of two normal populations in it: where the brighter one is likelier it enhances, and what
that surrounds without enhancing is necrosis, its rim being seldom whole.
Each choice is varied, and how far the members disagree is the spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_fill_holes,
    binary_opening,
    gaussian_filter,
    generate_binary_structure,
    label,
)

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.segmentation import Segmentation

__all__ = ["NAMES", "Tumour", "crossing", "segment_tumour"]

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NAMES = ("", "necrosis", "oedema", "enhancing")
_FLAIR_BLUR = 1e-3  # [m]
_CONTRAST_BLUR = 0.5e-3  # [m]
_HIGHEST = 3.0  # thresholds of FLAIR, in spreads of the brain about its median
_LOWEST = 1.2
_STEP = 0.1
_LEAK = 1.25  # growth in one step that no tumour's edge gives
_LARGEST = 0.25  # share of the brain
_HEIGHT = (0.45, 0.5, 0.55)  # of the tumour's height on FLAIR, where its edge is
_CONTRAST = (0.85, 1.0, 1.15)  # of the contrast at which both populations are as likely
_CLOSE = (4, 6, 8)  # [voxel of 1 mm] half of a gap in the enhancing rim that is taken for closed
_BEYOND = 1  # [voxel] by which a rim may lie beyond the edge on FLAIR
_LEAST = 0.05e-6  # [m3] of an enhancing piece
_WIDE = 1.5  # highest over lowest volume of a compartment that is still one answer
_STEPS = 200  # of expectation maximisation
_RISE = 2.0  # robust spreads of the brain around: below, no part enhances for sure


@dataclass(frozen=True, slots=True, eq=False)
class Tumour:
    """Compartments, and the lowest and highest volume [m3] of each among the members."""

    segmentation: Segmentation
    spread: dict[str, tuple[float, float]]


def segment_tumour(
    t1: Array, t1c: Array, flair: Array, brain: Mask, grid: Grid, seed: npt.ArrayLike
) -> Tumour:
    """Return necrosis, oedema and enhancing tumour around a click.

    Parameters
    ----------
    t1, t1c, flair : images on one grid, skull stripped or not, shape (i, j, k).
    brain : where to look.
    seed : a point well inside the tumour, RAS [m].

    Raises
    ------
    RangeError
        Shapes differ, the click lies outside the brain, or nothing is bright on FLAIR there.
    """
    if not t1.shape == t1c.shape == flair.shape == brain.shape == grid.shape:
        raise RangeError("the images differ in shape", todo="Resample them onto one grid")
    at = tuple(int(i) for i in np.round(grid.to_index(seed)))
    if not all(0 <= i < n for i, n in zip(at, grid.shape, strict=True)) or not brain[at]:
        raise RangeError("the click lies outside the brain", todo="Click inside the tumour")
    bright = _standard(_blurred(flair, _FLAIR_BLUR, grid), brain)
    wholes = _wholes(bright, brain, at)
    far = brain & ~wholes[0]
    box = _box(wholes[0])
    gain = t1c[box] / np.median(t1c[far]) - t1[box] / np.median(t1[far])
    gain = _blurred(gain.astype(np.float32), _CONTRAST_BLUR, grid)
    inside, beyond = gain[wholes[0][box]], gain[far[box]]
    base = crossing(inside)
    noise = 1.4826 * float(np.median(np.abs(beyond - np.median(beyond))))
    rise = float(inside[inside > base].mean() - np.median(beyond)) / max(noise, 1e-12)
    least = max(1, round(_LEAST / grid.voxel))
    members = [
        _compartments(whole[box], gain > factor * base, gap, least)
        for whole, factor, gap in product(wholes, _CONTRAST, _CLOSE)
    ]
    return _combined(members, box, grid, float(wholes[0].sum() / brain.sum()), rise)


def _box(mask: Mask) -> tuple[slice, ...]:
    """Return where a mask is, with room for its closing."""
    at = np.argwhere(mask)
    room = max(_CLOSE) + 2
    low = np.maximum(at.min(axis=0) - room, 0)
    return tuple(slice(a, b) for a, b in zip(low, at.max(axis=0) + room + 1, strict=True))


def _blurred(image: Array, sigma: float, grid: Grid) -> Array:
    return np.asarray(gaussian_filter(image, list(sigma / grid.spacing)), np.float32)


def _standard(image: Array, brain: Mask) -> Array:
    """Return an image in robust spreads about the brain's median; zero outside."""
    middle = np.median(image[brain])
    spread = 1.4826 * np.median(np.abs(image[brain] - middle))
    if spread <= 0:
        raise RangeError("FLAIR is the same everywhere", todo="Choose another series")
    return np.where(brain, (image - middle) / spread, 0).astype(np.float32)


def _wholes(bright: Array, brain: Mask, at: tuple[int, ...]) -> list[Mask]:
    """Return the whole tumour at about half its height, where a blurred step has its edge.

    Largest first; none is below the last threshold before the leak.
    """
    edge = min(_HIGHEST, float(bright[at]) - _STEP)
    size = 0
    while edge > _LOWEST:
        grown = int(_around(bright > edge, at).sum())
        if size > 0 and grown > _LEAK * size:
            edge += _STEP
            break
        size = grown
        edge -= _STEP
    whole = _around(bright > edge, at)
    height = float(np.median(bright[whole])) if whole.any() else 0.0
    found = [_around(bright > max(edge, share * height), at) for share in _HEIGHT]
    if size == 0 or not found[0].any():
        said = f"FLAIR at the click is {float(bright[at]):.1f} spreads above the brain's median"
        raise RangeError(said, todo="Click where it is bright, or draw the tumour")
    return [_solid(mask, 2) & brain for mask in found if mask.any()]


def _solid(mask: Mask, gap: int) -> Mask:
    """Return a mask without its holes and its gaps [voxel]."""
    closed = binary_closing(mask, generate_binary_structure(3, 1), iterations=gap)
    return np.asarray(binary_fill_holes(closed), np.bool_)


def _around(bright: Mask, at: tuple[int, ...]) -> Mask:
    """Return the piece that holds the click, thin bridges cut."""
    pieces = _pieces(np.asarray(binary_opening(bright), np.bool_))
    return (pieces == pieces[at]) & (pieces > 0)


def _pieces(mask: Mask) -> npt.NDArray[np.int32]:
    """Return the number of the piece that each voxel belongs to, 0 outside."""
    pieces, _ = label(mask)  # pyright: ignore[reportGeneralTypeIssues] - untyped in scipy
    return np.asarray(pieces, np.int32)


def crossing(values: Array) -> float:
    """Return where the higher of two normal populations becomes the likelier one.

    Expectation maximisation, each with its own spread; started from the median and the highest
    twentieth. Unlike Otsu's threshold it does not move when one population is small.
    """
    x = np.asarray(values, float).ravel()
    mean = np.array([np.median(x), np.percentile(x, 95)])
    spread, share = np.full(2, x.std() / 2 + 1e-12), np.array([0.7, 0.3])
    for _ in range(_STEPS):
        likely = share / spread * np.exp(-0.5 * ((x[:, None] - mean) / spread) ** 2) + 1e-300
        own = likely / likely.sum(axis=1, keepdims=True)
        total = own.sum(axis=0)
        share, mean = total / x.size, own.T @ x / total
        spread = np.sqrt((own * (x[:, None] - mean) ** 2).sum(axis=0) / total) + 1e-12
    at = np.linspace(mean[0], mean[1], 1001)
    odds = share / spread * np.exp(-0.5 * ((at[:, None] - mean) / spread) ** 2)
    return float(at[np.argmax(odds[:, 1] >= odds[:, 0])])


def _compartments(whole: Mask, gains: Mask, gap: int, least: int) -> npt.NDArray[np.uint8]:
    """Return the labels of one member, as `NAMES` counts them."""
    near = np.asarray(binary_dilation(whole, iterations=_BEYOND), np.bool_)
    pieces = _pieces(near & gains)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    enhancing = (sizes >= least)[pieces]
    result = np.where(whole, 2, 0).astype(np.uint8)
    result[_solid(enhancing, gap) & near] = 1
    result[enhancing] = 3
    return result


def _combined(
    members: list[npt.NDArray[np.uint8]],
    box: tuple[slice, ...],
    grid: Grid,
    share: float,
    rise: float,
) -> Tumour:
    """Return the vote of the members; ties go to the label that counts first."""
    stack = np.stack(members)
    votes = np.stack([(stack == c).sum(axis=0) for c in range(len(NAMES))])
    labels = np.zeros(grid.shape, np.uint8)
    labels[box] = votes.argmax(axis=0)
    sure = np.ones(grid.shape, np.float32)
    sure[box] = votes.max(axis=0) / len(members)
    sizes = {
        name: np.array([(m == c).sum() for m in members]) * grid.voxel
        for c, name in enumerate(NAMES) if name
    }  # fmt: skip
    spread = {name: (float(s.min()), float(s.max())) for name, s in sizes.items()}
    agreed = float(sure[labels > 0].mean()) if (labels > 0).any() else 0.0
    wide = tuple(
        (low / high, f"{name} may be {low * 1e6:.1f} to {high * 1e6:.1f} ml: draw it by hand")
        for name, (low, high) in spread.items()
        if high > _WIDE * low
    )
    found = (
        *wide,
        (1.0 if share < _LARGEST else 0.2,
         f"{share:.0%} of the brain is bright on FLAIR: it leaked, draw the tumour"),
        (1.0 if rise > _RISE else 0.3,
         f"contrast lifts the brightest part {rise:.1f} spreads over brain: none may enhance"),
        (1.0 if agreed > 0.8 else agreed,
         f"the members agree on {agreed:.0%} only: take the spread, not the middle"),
    )  # fmt: skip
    quality = min(score for score, _ in found)
    problems = tuple(text for score, text in found if score < 1)
    made_by = f"segment_tumour 2, {len(members)} members"
    return Tumour(Segmentation(grid, labels, NAMES, sure, quality, problems, made_by), spread)
