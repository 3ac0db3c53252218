"""The brain out of the head, fluid around it included, from any MR contrast or CT.

The network is MindGrab, trained on images made up from label maps with random contrast, so that it
has no favourite sequence (Fani et al. 2025, "MindGrab for BrainChop"; weights of brainchop, MIT).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, binary_fill_holes

from isosoma.core.errors import RangeError
from isosoma.core.study import Volume
from isosoma.imaging.meshing import largest
from isosoma.imaging.meshnet import MeshNet, apply_meshnet, shipped
from isosoma.imaging.resample import head_grid, resampled
from isosoma.imaging.segmentation import Segmentation

__all__ = ["scaled", "skull_strip"]

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# [m3]; brain and fluid from a small child to a large man, our own wide bounds.
_USUAL = (0.9e-3, 2.0e-3)
_WHOLE = 0.98  # share of the mask that hangs together before the pieces are dropped
_SURE = 0.9  # mean probability within the mask
_CUT = 0.01  # share of the brain's surface that may lie on the image's edge


def skull_strip(volume: Volume, net: MeshNet | None = None) -> Segmentation:
    """Return the brain's mask on the volume's own grid, with its probability.

    Takes about 1.2 GiB and some minutes of one core at 1 mm.

    Parameters
    ----------
    volume : a head, face and all; of several phases the first is used.
    net : two classes, background first; the one that comes with the package where none is given.

    Raises
    ------
    RangeError
        The network finds no brain.
    """
    net = shipped("mindgrab") if net is None else net
    values = volume.values[..., 0]
    fine = head_grid(values, volume.grid)
    image = scaled(resampled(values, volume.grid, fine))
    inside = 1 - apply_meshnet(net, image)[0]
    probability = resampled(inside, fine, volume.grid)
    raw = probability > 0.5
    if not raw.any():
        raise RangeError("the network finds no brain", todo="Give a series that shows the head")
    piece = np.asarray(binary_fill_holes(largest(raw)), np.bool_)
    quality, problems = _checks(piece, raw, probability, volume)
    sure = np.where(piece, np.maximum(probability, 0.5), 1 - probability).astype(np.float32)
    labels = piece.astype(np.uint8)
    made_by = f"skull_strip 1, {net.version}"
    return Segmentation(volume.grid, labels, ("", "brain"), sure, quality, problems, made_by)


def scaled(image: Array) -> Array:
    """Return an image with its 2nd to 98th percentile brought to 0 to 1, and cut there."""
    low, high = np.quantile(image, (0.02, 0.98))
    return np.clip((image - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)


def _checks(
    piece: Mask, raw: Mask, probability: Array, volume: Volume
) -> tuple[float, tuple[str, ...]]:
    """Return the least of the checks and a sentence for each below 1."""
    size = float(piece.sum() * volume.grid.voxel)
    whole = float((piece & raw).sum() / raw.sum())
    sure = float(probability[piece].mean())
    edge = np.ones(piece.shape, np.bool_)
    edge[tuple(slice(1, -1) if n > 2 else slice(None) for n in piece.shape)] = False
    surface = piece & ~np.asarray(binary_erosion(piece, border_value=0), np.bool_)
    cut = float((surface & edge).sum() / surface.sum())
    found = (
        (1.0 if _USUAL[0] < size < _USUAL[1] else 0.2,
         f"{size * 1e6:.0f} ml is no usual brain (900 to 2000): is the head whole, the unit mm?"),
        (1.0 if whole > _WHOLE else whole,
         f"{1 - whole:.0%} of what was found lay apart from the brain and was left out"),
        (1.0 if sure > _SURE else sure,
         f"the mean probability inside is {sure:.2f}: the contrast is unlike those trained on"),
        (1.0 if cut < _CUT else max(0.0, 1 - 5 * cut),
         f"{cut:.0%} of its surface lies on the image's edge: the brain is cut off"),
    )  # fmt: skip
    return min(score for score, _ in found), tuple(text for score, text in found if score < 1)
