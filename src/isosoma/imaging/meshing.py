"""A mask made into a closed surface: smoothed membership, marching cubes, Taubin smoothing.

The mask is blurred before its half level is sought, since marching cubes on zeros and ones gives
stairs and tunnels (Lewiner et al. 2003, J Graph Tools 8:1-15, doi:10.1080/10867651.2003.10487582).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import (
    binary_closing,
    binary_fill_holes,
    gaussian_filter,
    generate_binary_structure,
    label,
)
from scipy.sparse import coo_array

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.surface import Surface, euler, repaired

__all__ = ["from_mask", "largest", "smoothed"]

Mask = npt.NDArray[np.bool_]

_PAD = 2  # voxels around the mask, so that what touches the image's edge closes
_BLUR = 0.8  # [voxel]; the least that rids the surface of stairs, at 1 % of a vessel's volume
_LEAST = 27  # voxels: below, a surface says more of the grid than of the body


def largest(mask: Mask) -> Mask:
    """Return the largest piece of a mask, voxels joined over their faces."""
    pieces, count = label(mask)  # pyright: ignore[reportGeneralTypeIssues] - untyped in scipy
    if count == 0:
        raise RangeError("the mask is empty", todo="Choose another label, or segment again")
    return np.asarray(pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1)


def from_mask(mask: Mask, grid: Grid) -> Surface:
    """Return the closed surface of the largest piece of a mask, without its cavities.

    A tunnel up to two voxels wide is taken for noise and closed; a wider one stays, and `euler`
    tells of it.

    Parameters
    ----------
    mask : shape (i, j, k) of the grid.

    Raises
    ------
    RangeError
        The mask is empty, of another shape, or too small to have a surface.
    """
    if mask.shape != grid.shape:
        said = f"the mask has {mask.shape} voxels, its grid {grid.shape}"
        raise RangeError(said, todo="Give the grid that it was drawn on")
    piece = largest(mask)
    if piece.sum() < _LEAST:
        said = f"the largest piece of the mask has {int(piece.sum())} voxels"
        raise RangeError(said, todo=f"A surface needs {_LEAST}: use finer images")
    corner = np.array([where.min() for where in np.nonzero(piece)])
    inside = tuple(slice(where.min(), where.max() + 1) for where in np.nonzero(piece))
    solid = np.asarray(binary_fill_holes(np.pad(piece[inside], _PAD)), np.bool_)
    surface = _half_level(solid, grid, corner - _PAD)
    if euler(surface) != 2:
        closed = binary_closing(solid, generate_binary_structure(3, 1))
        surface = _half_level(np.asarray(closed, np.bool_), grid, corner - _PAD)
    return surface


def _half_level(solid: Mask, grid: Grid, corner: npt.NDArray[np.int64]) -> Surface:
    """Return where the blurred mask is a half; `corner` is its first voxel within the grid."""
    from skimage.measure import marching_cubes

    membership = gaussian_filter(solid.astype(np.float32), _BLUR)
    index, triangles, _, _ = marching_cubes(membership, 0.5)
    return repaired(Surface(grid.to_space(index + corner), triangles.astype(np.int64)))


def smoothed(
    surface: Surface, *, passes: int = 15, step: float = 0.5, pass_band: float = 0.05
) -> Surface:
    """Return a closed surface without its ripples, at the same volume.

    Each pass goes `step` towards the neighbours' mean and a little further back, so that long waves
    stay: mu = 1 / (pass_band - 1 / step), Taubin 1995 (SIGGRAPH, doi:10.1145/218380.218473).
    """
    a, b = surface.triangles.ravel(), np.roll(surface.triangles, -1, axis=1).ravel()
    n = len(surface.points)
    # A closed surface has each edge once in each direction: no edge counts twice.
    neighbours = coo_array((np.ones(len(a)), (a, b)), (n, n)).tocsr()
    degree = np.bincount(a, minlength=n)[:, None]
    points = surface.points
    for factor in (step, 1 / (pass_band - 1 / step)) * passes:
        points = points + factor * (neighbours @ points / degree - points)
    return Surface(points, surface.triangles)
