"""Bright vessels of the brain from T1 with contrast or an MR angiogram, by their tube likeness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.segmentation import Segmentation
from isosoma.imaging.vesselness import frangi

__all__ = ["brain_vessels"]

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_SURE = 0.5
_MAYBE = 0.2  # a vessel goes on down to here where it hangs on what is sure
_RIM = 3e-3  # [m] of the brain's surface left out: dura takes up contrast too


def brain_vessels(image: Array, grid: Grid, brain: Mask) -> Segmentation:
    """Return vessels and their vesselness, 0 to 1, in `probability` at every voxel.

    Vesselness orders voxels; it is not calibrated to how often a vessel is there.

    Raises
    ------
    RangeError
        The mask holds no inside, or the voxels are too coarse for vessels.
    """
    from skimage.filters import apply_hysteresis_threshold

    rim = max(1, round(_RIM / float(grid.spacing.min())))
    inside = np.asarray(binary_erosion(brain, iterations=rim), np.bool_)
    if not inside.any():
        raise RangeError("the brain's mask has no inside", todo="Strip the skull again")
    likeness = frangi(image, grid, inside)
    labels = np.asarray(apply_hysteresis_threshold(likeness, _MAYBE, _SURE), np.uint8)
    uneven = float(grid.spacing.max() / grid.spacing.min())
    problems = () if uneven < 2 else (f"voxels are {uneven:.1f} times longer than wide",)
    names, quality = ("", "vessel"), 1.0 if uneven < 2 else 0.5
    return Segmentation(grid, labels, names, likeness, quality, problems, "brain_vessels 1")
