"""White matter, cortex, ventricles and deep nuclei of a T1 image, by a network that is shipped.

Turned axes still give a fine brain while every nucleus vanishes: nuclei are the check of place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Grid, Volume
from isosoma.imaging.meshnet import MeshNet, apply_meshnet, shipped
from isosoma.imaging.resample import head_grid, resampled
from isosoma.imaging.segmentation import Segmentation
from isosoma.imaging.skull_strip import scaled

__all__ = ["brain_tissue"]

_NUCLEI = ("Thalamus", "Caudate", "Putamen", "Pallidum")
_LEAST = 0.3e-6  # [m3] of a nucleus: less is none
_BALANCE = 0.7  # smaller over larger half of a nucleus
_THICK = 2e-3  # [m]; the network learned from 1 mm


def brain_tissue(volume: Volume, net: MeshNet | None = None) -> Segmentation:
    """Return tissue labels on the volume's own grid, named as the network names them.

    Ventricles are ``Lateral-Ventricle``, ``Inferior-Lateral-Ventricle``, ``3rd-Ventricle`` and
    ``4th-Ventricle``. Takes about 1.7 GiB and two minutes of a core at 1 mm.

    Parameters
    ----------
    volume : T1 without contrast, head and all; of several phases the first is used.
    net : background first; ``model18cls`` of the package where none is given.
    """
    net = shipped("model18cls") if net is None else net
    values = volume.values[..., 0]
    fine = head_grid(values, volume.grid)
    shares = apply_meshnet(net, scaled(resampled(values, volume.grid, fine)))
    labels = np.zeros(volume.grid.shape, np.uint8)
    best = resampled(shares[0], fine, volume.grid)
    for label in range(1, len(shares)):
        share = resampled(shares[label], fine, volume.grid)
        labels[share > best] = label
        best = np.maximum(best, share)
    quality, problems = _checks(labels, net.labels, volume.grid)
    made_by = f"brain_tissue 1, {net.version}"
    return Segmentation(volume.grid, labels, net.labels, best, quality, problems, made_by)


def _checks(
    labels: npt.NDArray[np.uint8], names: tuple[str, ...], grid: Grid
) -> tuple[float, tuple[str, ...]]:
    """Return the least of the checks and a sentence for each below 1."""
    found: list[tuple[float, str]] = []
    at = grid.to_space(np.argwhere(labels > 0))
    middle = float(at[:, 0].mean()) if len(at) else 0.0
    for name in (n for n in _NUCLEI if n in names):
        where = grid.to_space(np.argwhere(labels == names.index(name)))
        right = int((where[:, 0] > middle).sum())
        sides = sorted((right, len(where) - right))
        if len(where) * grid.voxel < _LEAST:
            said = f"no {name} was found: are the axes turned, or is this no T1 of a whole head?"
            found.append((0.0, said))
        elif sides[0] < _BALANCE * sides[1]:
            said = f"the halves of {name} are as {sides[0]} to {sides[1]}: turned head, or disease"
            found.append((sides[0] / sides[1], said))
    if grid.spacing.max() > _THICK:
        said = f"slices are {grid.spacing.max() * 1e3:.1f} mm apart, the network learned from 1 mm"
        found.append((0.5, said))
    return min((score for score, _ in found), default=1.0), tuple(text for _, text in found)
