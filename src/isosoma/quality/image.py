"""Whether images carry what is read from them: each doubt with its number, limit, source, effect.

A doubt widens what the image yields or withholds it; it never corrects. Lengths are in metres,
volumes in cubic metres; arrays are (i, j, k).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from isosoma.core.study import Grid

__all__ = [
    "ImageVerdict",
    "contrast",
    "coverage",
    "noise",
    "orientation",
    "resolution",
    "sharpness",
    "stroke_volumes",
]

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    """A doubt about an image.

    Attributes
    ----------
    kind : ``coverage``, ``resolution``, ``noise``, ``sharpness``, ``contrast``,
        ``orientation`` or ``stroke_volumes``.
    reason : a sentence: what, how much, what to do.
    value, limit : the number and what it should not pass, in `unit` (UCUM).
    source : where the limit is from.
    sigma_factor : the noise of what is read from the image is multiplied by this.
    withheld : nothing must be read from it.
    differential : what else explains it, likeliest not implied.
    """

    kind: str
    reason: str
    value: float
    limit: float
    unit: str
    source: str
    sigma_factor: float = 1.0
    withheld: bool = False
    differential: tuple[str, ...] = ()


_CROSS = ndimage.generate_binary_structure(2, 1)[:, :, None]  # neighbours within a slice
_CUT_SHARE = 0.5
_ACROSS = 3.0
_ROSE = 5.0  # Rose 1948, J Opt Soc Am 38:196: a structure is seen from five times the noise
_EDGE_VOXELS = 4.0
_ARTERIAL_HU = 200.0
_SV_GAP = 0.10


def coverage(mask: Mask) -> ImageVerdict | None:
    """Return a doubt where a structure ends with the stack's first or last slice.

    What is cut has more than half its largest area in the slice at the edge; an apex or a tip that
    tapers out has not.
    """
    areas = mask.sum(axis=(0, 1)).astype(float)
    if not areas.any():
        reason = "the structure is not in the images: take others, or segment again"
        return ImageVerdict("coverage", reason, 1.0, _CUT_SHARE, "1", "own rule", withheld=True)
    share = float(max(areas[0], areas[-1]) / areas.max())
    if len(areas) > 1 and share <= _CUT_SHARE:
        return None
    reason = (
        f"the outermost slice still shows {share:.0%} of the structure's largest section: what "
        "lies beyond is not measured, so its volume is a lower bound; take more slices"
    )
    return ImageVerdict("coverage", reason, share, _CUT_SHARE, "1", "own rule", withheld=True)


def resolution(grid: Grid, size: float, axes: tuple[int, ...] = (0, 1, 2)) -> ImageVerdict | None:
    """Return a doubt where fewer than three voxels lie across a structure.

    Parameters
    ----------
    size : its smallest extent, a diameter or a wall's thickness [m].
    axes : of the grid along which it is measured; a wall across the slices, along the first two.
    """
    coarsest = float(grid.spacing[list(axes)].max())
    across = size / coarsest
    if across >= _ACROSS:
        return None
    reason = (
        f"{across:.1f} voxels of {coarsest * 1e3:.1f} mm lie across {size * 1e3:.1f} mm: partial "
        "volume decides what is measured; take thinner slices"
    )
    source = "own rule: a voxel at each edge is mixed, so one of three is pure"
    factor = _ACROSS / across
    return ImageVerdict("resolution", reason, across, _ACROSS, "1", source, factor, across < 1.0)


def noise(image: Image, mask: Mask) -> ImageVerdict | None:
    """Return a doubt where a structure hardly stands out of the noise around it.

    The noise is that of a second difference, which anatomy passes little of (Immerkaer 1996, Comput
    Vis Image Underst 64:300), by its median.
    """
    ratio = contrast_to_noise(image, mask)
    if ratio >= _ROSE:
        return None
    reason = (
        f"the structure stands {ratio:.1f} times the noise above what surrounds it: its edge is "
        "uncertain; average more, or measure again"
    )
    source = "Rose 1948, J Opt Soc Am 38:196"
    factor = _ROSE / max(ratio, 0.5)
    return ImageVerdict("noise", reason, ratio, _ROSE, "1", source, factor, ratio < 1.0)


def contrast_to_noise(image: Image, mask: Mask) -> float:
    """Return |inside - around| over the standard deviation of the noise."""
    _, around, far = _rings(mask)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)[:, :, None]
    second = ndimage.convolve(image.astype(float), kernel)
    sigma = 1.4826 * float(np.median(np.abs(second[around | far]))) / 6.0
    return _gap(image, mask) / sigma if sigma > 0.0 else np.inf


def _rings(mask: Mask) -> tuple[Mask, Mask, Mask]:
    """Return core, surroundings two to four steps off the edge, and all within; in the slices."""
    near, far = _grown(mask, 2), _grown(mask, 4)
    core = _inner(mask, 2)
    return core if core.any() else mask, far & ~near, near


def _grown(mask: Mask, steps: int) -> Mask:
    return np.asarray(ndimage.binary_dilation(mask, _CROSS, iterations=steps), bool)


def _inner(mask: Mask, steps: int) -> Mask:
    return np.asarray(ndimage.binary_erosion(mask, _CROSS, iterations=steps), bool)


def _gap(image: Image, mask: Mask) -> float:
    core, around, _ = _rings(mask)
    return abs(float(np.median(image[core])) - float(np.median(image[around])))


def sharpness(image: Image, mask: Mask) -> ImageVerdict | None:
    """Return a doubt where a structure's edge is drawn out over more than four voxels.

    The edge's width is the structure's contrast over the slope at its surface, the median of all; a
    step between two voxels has a width of 2.
    """
    edge = mask & ~_inner(mask, 1)
    slopes = [ndimage.sobel(image.astype(float), axis) / 32.0 for axis in (0, 1)]
    slope = float(np.median(np.hypot(*slopes)[edge]))
    width = _gap(image, mask) / slope if slope > 0.0 else np.inf
    if width <= _EDGE_VOXELS:
        return None
    reason = (
        f"the structure's edge is drawn out over {width:.1f} voxels: motion or a soft kernel; its "
        "size is less certain, so trigger, hold the breath, or reconstruct sharper"
    )
    return ImageVerdict(
        "sharpness", reason, width, _EDGE_VOXELS, "1", "own rule, from a good CT's 2 to 3",
        sigma_factor=width / _EDGE_VOXELS, withheld=not np.isfinite(width),
    )  # fmt: skip


def contrast(image: Image, lumen: Mask) -> ImageVerdict | None:
    """Return a doubt where a lumen holds too little contrast for an arterial phase [HU]."""
    found = float(np.median(image[lumen]))
    if found >= _ARTERIAL_HU:
        return None
    reason = (
        f"the lumen has {found:.0f} HU: no arterial phase, so a vessel's edge is not where it "
        "seems; take a contrast examination"
    )
    source = "lumen of 200 HU and more in diagnostic CT angiography (unverified)"
    return ImageVerdict("contrast", reason, found, _ARTERIAL_HU, "[hnsf'U]", source, withheld=True)


def orientation(grid: Grid, left: Mask, right: Mask) -> ImageVerdict | None:
    """Return a doubt where the right ventricle does not lie to the right and front of the left.

    Parameters
    ----------
    left, right : cavities.
    """
    apart = _centre(grid, right) - _centre(grid, left)
    share = float((apart[0] + apart[1]) / (np.sqrt(2.0) * np.linalg.norm(apart)))
    if share > 0.0:
        return None
    reason = (
        f"the right ventricle lies {np.linalg.norm(apart) * 1e3:.0f} mm to the left or behind of "
        "the left one: nothing with a side is read until a person has looked"
    )
    other = ("images turned or mirrored", "labels exchanged", "dextrocardia or inverted ventricles")
    return ImageVerdict(
        "orientation", reason, share, 0.0, "1", "usual situs", withheld=True, differential=other
    )


def _centre(grid: Grid, mask: Mask) -> npt.NDArray[np.float64]:
    return grid.to_space(np.argwhere(mask).mean(axis=0))


def stroke_volumes(
    left: float, right: float, sigma_left: float, sigma_right: float
) -> ImageVerdict | None:
    """Return a doubt where the ventricles' stroke volumes differ beyond their noise and a tenth.

    The blood that one side moves more goes back through a valve or across a shunt, unless a
    contour is wrong; the images alone do not tell which.

    Parameters
    ----------
    left, right : stroke volumes, with their standard uncertainties [m3].
    """
    gap, mean = left - right, (left + right) / 2
    share = abs(gap) / mean if mean > 0.0 else np.inf
    if share <= _SV_GAP:
        return None
    sigmas = abs(gap) / float(np.hypot(sigma_left, sigma_right) or 1e-12)
    more, valves = ("left", "aortic or mitral") if gap > 0 else ("right", "pulmonary or tricuspid")
    shunt = (
        "a shunt behind the left ventricle (ventricular septum, open duct)" if gap > 0
        else "a shunt before the right ventricle (atrial septum, pulmonary veins)"
    )  # fmt: skip
    reason = (
        f"the {more} ventricle ejects {abs(gap) * 1e6:.1f} ml more, {share:.0%} of the mean and "
        f"{sigmas:.1f} times its uncertainty: look at the basal contours, then measure the flow"
    )
    other = (
        f"{valves} regurgitation",
        shunt,
        "a contour error, at the base of the right ventricle above all",
    )
    return ImageVerdict(
        "stroke_volumes", reason, share, _SV_GAP, "1", "gate of 10 % (unverified)",
        sigma_factor=max(1.0, sigmas), differential=other,
    )  # fmt: skip
