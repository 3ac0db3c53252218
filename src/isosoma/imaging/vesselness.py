"""How much a place looks like a bright tube, over several calibres.

Frangi et al. 1998 (MICCAI, LNCS 1496:130-137, doi:10.1007/BFb0056195): the eigenvalues of the
Hessian |l1| <= |l2| <= |l3| tell a tube (l1 small, l2 and l3 large and negative) from a plate and a
blob.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.ndimage import gaussian_filter

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid

__all__ = ["SCALES", "frangi"]

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SCALES = (0.5e-3, 0.8e-3, 1.2e-3, 1.9e-3, 3.0e-3)  # [m]
_ALPHA = 0.5
_BETA = 0.5
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


def frangi(
    image: Array, grid: Grid, mask: Mask | None = None, scales: Sequence[float] = SCALES
) -> Array:
    """Return the vesselness of bright tubes, 0 to 1, the most over the scales.

    Scales below half a voxel's longest side are left out: the grid does not hold them.

    Parameters
    ----------
    image : shape (i, j, k) of the grid.
    mask : where to look and to take the strength of structure from; everywhere where none is given.
    scales : of the Gaussian [m]; a tube of radius r answers most near r / sqrt(2).

    Raises
    ------
    RangeError
        Shapes differ, the grid's axes are not perpendicular, or no scale fits the grid.
    """
    mask = np.ones(image.shape, np.bool_) if mask is None else mask
    axes = grid.affine[:3, :3] / grid.spacing
    if not image.shape == mask.shape == grid.shape:
        raise RangeError("image, mask and grid differ in shape", todo="Give them on one grid")
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        raise RangeError("the grid's axes are not perpendicular", todo="Resample the image first")
    usable = [s for s in scales if s >= grid.spacing.max() / 2]
    if not usable:
        said = f"voxels of {grid.spacing.max() * 1e3:.1f} mm hold no tube of these scales"
        raise RangeError(said, todo="Use finer images or larger scales")
    best = np.zeros(image.shape, np.float32)
    for sigma in usable:
        best[mask] = np.maximum(best[mask], _at_scale(image, grid.spacing, mask, sigma))
    return best


def _at_scale(
    image: Array, spacing: npt.NDArray[np.float64], mask: Mask, sigma: float
) -> npt.NDArray[np.float64]:
    """Return V at one scale, of the mask's voxels."""
    second = np.empty((int(mask.sum()), 6))
    for column, (a, b) in enumerate(_PAIRS):
        order: Any = [int(n) for n in np.bincount((a, b), minlength=3)]
        derived = gaussian_filter(image, list(sigma / spacing), order, mode="nearest")
        second[:, column] = derived[mask] * (sigma**2 / (spacing[a] * spacing[b]))
    strength = np.sqrt((second[:, :3] ** 2).sum(axis=1) + 2 * (second[:, 3:] ** 2).sum(axis=1))
    half = float(strength.max()) / 2
    result = np.zeros(len(second))
    if half > 0:
        _tubes(second, strength, half, result)
    return result


@njit(cache=True, nogil=True)
def _tubes(
    second: npt.NDArray[np.float64],
    strength: npt.NDArray[np.float64],
    c: float,
    result: npt.NDArray[np.float64],
) -> None:
    """Put V (their equation 13) into `result`."""
    for v in range(len(second)):
        a, b, d = _eigenvalues(second[v])
        if abs(a) > abs(b):
            a, b = b, a
        if abs(b) > abs(d):
            b, d = d, b
        if abs(a) > abs(b):
            a, b = b, a
        if b < 0.0 and d < 0.0:
            plate, blob = b / d, abs(a) / math.sqrt(b * d)
            result[v] = (
                (1 - math.exp(-(plate**2) / (2 * _ALPHA**2)))
                * math.exp(-(blob**2) / (2 * _BETA**2))
                * (1 - math.exp(-(strength[v] ** 2) / (2 * c**2)))
            )


@njit(cache=True, nogil=True)
def _eigenvalues(h: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Return those of a symmetric matrix xx, yy, zz, xy, xz, yz (Smith 1961, Comm ACM 4:168)."""
    q = (h[0] + h[1] + h[2]) / 3
    off = h[3] ** 2 + h[4] ** 2 + h[5] ** 2
    p = math.sqrt(((h[0] - q) ** 2 + (h[1] - q) ** 2 + (h[2] - q) ** 2 + 2 * off) / 6)
    if p == 0.0:
        return q, q, q
    x, y, z = (h[0] - q) / p, (h[1] - q) / p, (h[2] - q) / p
    s, t, u = h[3] / p, h[4] / p, h[5] / p
    half = (x * (y * z - u * u) - s * (s * z - u * t) + t * (s * u - y * t)) / 2
    angle = math.acos(min(1.0, max(-1.0, half))) / 3
    first = q + 2 * p * math.cos(angle)
    last = q + 2 * p * math.cos(angle + 2 * math.pi / 3)
    return first, 3 * q - first - last, last
