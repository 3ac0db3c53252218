"""Volumes moved onto other grids, heads onto the 1 mm grid that brain networks learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, binary_opening, gaussian_filter

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.meshing import largest

__all__ = ["head_grid", "resampled"]

Array = npt.NDArray[np.float32]

_STEP = 1e-3  # [m]
_MARGIN = 6e-3  # [m] around the head
_LONGEST = 0.256  # [m] of a head; below it, the neck is left out
# Voxel axes to the left, downwards and to the front: the order of the networks' training images.
_LIA = np.array([[-1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def resampled(
    values: Array, source: Grid, target: Grid, *, order: int = 1, edge: bool = False
) -> Array:
    """Return values of one grid on another; where the first does not reach zero, or its edge.

    Before it is thinned an axis is blurred, so that fine detail does not fold into coarse.
    """
    to_source = np.linalg.inv(source.affine) @ target.affine
    step = np.abs(to_source[:3, :3]).max(axis=1)
    if (step > 1.5).any():
        blur = [float(s / 2.355) if s > 1.5 else 0.0 for s in step]
        values = np.asarray(gaussian_filter(values, blur), np.float32)
    out = np.empty(target.shape, np.float32)
    offset: Any = to_source[:3, 3]
    beyond = "nearest" if edge else "constant"
    affine_transform(values, to_source[:3, :3], offset, target.shape, out, order, beyond)
    return out


def head_grid(values: Array, grid: Grid) -> Grid:
    """Return the 1 mm grid around the head of an image, neck cut off where the image is long.

    Raises
    ------
    RangeError
        Nothing in the image stands out from its background.
    """
    from skimage.filters import threshold_otsu

    if float(values.max()) <= float(values.min()):
        raise RangeError("the image is the same everywhere", todo="Choose another series")
    bright = values > 0.5 * threshold_otsu(values)
    opened = np.asarray(binary_opening(bright), np.bool_)
    at = np.argwhere(largest(opened if opened.any() else bright))
    corners = np.array([at.min(axis=0), at.max(axis=0)])
    box = np.array(np.meshgrid(*corners.T)).reshape(3, -1).T
    points = grid.to_space(box)
    low, high = points.min(axis=0) - _MARGIN, points.max(axis=0) + _MARGIN
    low = np.maximum(low, high - _LONGEST)
    anchor = grid.affine[:3, 3]  # a grid that is 1 mm already keeps its voxels
    low = anchor + np.floor((low - anchor) / _STEP) * _STEP
    shape = np.ceil((high - low) / _STEP).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = _LIA * _STEP
    affine[:3, 3] = (low[0] + (shape[0] - 1) * _STEP, low[1], low[2] + (shape[2] - 1) * _STEP)
    return Grid((int(shape[0]), int(shape[2]), int(shape[1])), affine, grid.frame)
