"""Run TotalSegmentator (Wasserthal et al. 2023, doi:10.1148/ryai.230024) on weights that lie here.

Its weights are unpacked nnU-Net folders below one root (`Dataset297_TotalSegmentator.../`). Left to
itself TotalSegmentator fetches weights that are missing, deletes those that it calls old, and tells
a server of its makers about each run. None of this happens here: the two functions that do it are
taken out while it runs, and a version without them is refused. Only the task ``total`` is run, by
the 3 mm network where it lies there, else by the five of 1.5 mm, else by the 6 mm one. Code and
these weights are Apache-2.0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError
from isosoma.core.study import Volume
from isosoma.imaging.load_nnunet import NnUNet, read_nnunet
from isosoma.imaging.model_files import borrowed, needed, require_trust
from isosoma.imaging.segmentation import Segmentation
from isosoma.imaging.user_network import quality_of

__all__ = ["load_totalsegmentator", "weights_of"]

# Numbers of the data sets of each resolution of the task `total`, and the switch that asks for it.
_TOTAL = (
    ((297,), {"fast": True}),
    ((291, 292, 293, 294, 295), {}),
    ((298,), {"fastest": True}),
)  # fmt: skip
_VARIABLES = (
    "TOTALSEG_WEIGHTS_PATH", "TOTALSEG_HOME_DIR",
    "nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results",
)  # fmt: skip
_CONFIG = {
    "totalseg_id": "", "send_usage_stats": False, "prediction_counter": 0,
    "statistics_disclaimer_shown": True,
}  # fmt: skip


def weights_of(root: Path) -> tuple[tuple[NnUNet, ...], dict[str, bool]]:
    """Return the trained models of the task `total` below a root, and how they are asked for.

    Raises
    ------
    FormatError
        There are none, or only archives.
    """
    for numbers, switch in _TOTAL:
        found = [_plans(root, n) for n in numbers]
        if all(found):
            return tuple(read_nnunet(p.parent) for plans in found for p in plans[:1]), switch
    packed = " (a zip is there: unpack it)" if any(root.glob("*.zip")) else ""
    said = (
        f"holds no Dataset297, no Dataset291 to 295 and no Dataset298 of TotalSegmentator{packed}"
    )
    raise FormatError(said, root.name, "Give the folder of its unpacked weights of the task total")


def _plans(root: Path, number: int) -> list[Path]:
    return sorted(root.glob(f"Dataset{number:03d}_*/*/plans.json"))


@contextmanager
def _kept_to_itself(api: Any, root: Path, models: tuple[NnUNet, ...]) -> Generator[None]:
    """Let TotalSegmentator neither fetch, nor delete, nor tell; and see these models alone.

    nnU-Net refuses two folders of one number, so the models are linked into a folder of their own,
    which is TotalSegmentator's home as well: nothing is written into the user's.
    """

    def here(number: int) -> None:
        if not _plans(root, number):
            said = f"it asks for Dataset{number}, which is not there"
            raise FormatError(said, root.name, "Unpack these weights there too")

    def silent(*_: object, **__: object) -> None:
        return None

    instead = {"download_pretrained_weights": here, "send_usage_stats": silent}
    if not all(hasattr(api, name) for name in instead):
        said = "this version of TotalSegmentator may fetch weights or tell its makers of the run"
        raise FormatError(said, root.name, "Install one that docs/imaging.md names")
    was = {name: getattr(api, name) for name in instead}
    before = {name: os.environ.get(name) for name in _VARIABLES}
    with TemporaryDirectory() as home:
        for folder in {m.folder.parent.absolute() for m in models}:
            (Path(home) / folder.name).symlink_to(folder, target_is_directory=True)
        (Path(home) / "config.json").write_text(json.dumps(_CONFIG), "utf-8")
        try:
            for name, function in instead.items():
                setattr(api, name, function)
            os.environ.update(TOTALSEG_WEIGHTS_PATH=home, TOTALSEG_HOME_DIR=home)
            yield
        finally:
            for name, function in was.items():
                setattr(api, name, function)
            for name, value in before.items():
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})


def load_totalsegmentator(root: Path, *, trusted: bool) -> Callable[[Volume], Segmentation]:
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
    models, switch = weights_of(root)
    require_trust(
        trusted, "its checkpoints are pickles, which run code as they are read", root.name
    )
    api = needed("totalsegmentator.python_api", "totalsegmentator", root.name)
    maps = needed("totalsegmentator.map_to_binary", "totalsegmentator", root.name)
    nibabel: Any = needed("nibabel", "totalsegmentator", root.name)
    classes: dict[int, str] = maps.class_map["total"]
    names = ("", *(str(classes[n]) for n in range(1, len(classes) + 1)))
    made_by = "TotalSegmentator total, " + "; ".join(m.made_by for m in models)

    def segment(volume: Volume) -> Segmentation:
        affine = volume.grid.affine.copy()
        affine[:3] *= 1e3
        image = nibabel.Nifti1Image(volume.values[..., 0], affine)
        with borrowed(root.name), _kept_to_itself(api, root, models):
            found = api.totalsegmentator(
                image, None, task="total", device="cpu", ml=True, quiet=True, **switch
            )
            labels = np.asarray(found.dataobj).astype(np.uint8)
        sure = np.ones(labels.shape, np.float32)
        quality, problems = quality_of(labels, sure, names)
        told = "labels only: how sure each voxel is was not given"
        return Segmentation(
            volume.grid, labels, names, sure, min(quality, 0.9), (*problems, told), made_by
        )  # fmt: skip

    return segment
