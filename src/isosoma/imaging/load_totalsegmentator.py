"""Run TotalSegmentator (Wasserthal et al. 2023, doi:10.1148/ryai.230024) on weights that lie here.

Its weights are unpacked nnU-Net folders below one root (`Dataset297_TotalSegmentator.../`). Nothing
is fetched: without the folder it is refused. Code is Apache-2.0; weights of some tasks (heart
chambers, aorta, body statistics) have a licence of their own, which the user must hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError
from isosoma.core.study import Volume
from isosoma.imaging.load_nnunet import NnUNet, read_nnunet
from isosoma.imaging.model_files import needed, require_trust
from isosoma.imaging.segmentation import Segmentation
from isosoma.imaging.user_network import quality_of

__all__ = ["load_totalsegmentator", "weights_of"]


def weights_of(root: Path) -> tuple[NnUNet, ...]:
    """Return the trained models below a weights root.

    Raises
    ------
    FormatError
        There is none, or only archives.
    """
    folders = sorted(p.parent for p in root.glob("Dataset*/*/plans.json"))
    if not folders:
        packed = " (a zip is there: unpack it)" if any(root.glob("*.zip")) else ""
        said = f"holds no Dataset*/ folder of TotalSegmentator{packed}"
        raise FormatError(said, root.name, "Give the folder of its unpacked weights")
    return tuple(read_nnunet(p) for p in folders)


def load_totalsegmentator(
    root: Path, task: str = "total", fast: bool = True, *, trusted: bool
) -> Callable[[Volume], Segmentation]:
    """Return a function that segments a CT with the weights below `root`.

    The probability is 1 everywhere: TotalSegmentator gives labels only, and the quality says so.

    Parameters
    ----------
    trusted : whether the user said that code of the weights may run.

    Raises
    ------
    AccessError
        The user did not say so: it reads them as nnU-Net does, see `load_nnunet`.
    FormatError
        No weights lie there, or TotalSegmentator is not installed.
    """
    models = weights_of(root)
    require_trust(
        trusted, "its checkpoints are pickles, which run code as they are read", root.name
    )
    api = needed("totalsegmentator.python_api", "totalsegmentator", root.name)
    maps = needed("totalsegmentator.map_to_binary", "totalsegmentator", root.name)
    nibabel: Any = needed("nibabel", "totalsegmentator", root.name)
    names = ("", *(str(maps.class_map[task][n]) for n in sorted(maps.class_map[task])))
    made_by = f"TotalSegmentator {task}, " + "; ".join(m.made_by for m in models)

    def segment(volume: Volume) -> Segmentation:
        os.environ["TOTALSEG_WEIGHTS_PATH"] = str(root)
        affine = volume.grid.affine.copy()
        affine[:3] *= 1e3
        image = nibabel.Nifti1Image(volume.values[..., 0], affine)
        found = api.totalsegmentator(image, None, task=task, fast=fast, device="cpu", ml=True)
        labels = np.asarray(found.dataobj).astype(np.uint8)
        sure = np.ones(labels.shape, np.float32)
        quality, problems = quality_of(labels, sure, names)
        told = "labels only: how sure each voxel is was not given"
        return Segmentation(
            volume.grid, labels, names, sure, min(quality, 0.9), (*problems, told), made_by
        )  # fmt: skip

    return segment
