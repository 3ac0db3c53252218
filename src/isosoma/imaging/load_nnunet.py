"""Run a trained-model folder of nnU-Net v2 (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).

::

    Dataset042_Liver/nnUNetTrainer__nnUNetPlans__3d_fullres/
        dataset.json   labels, channels        plans.json   spacing, patch, normalisation
        fold_0/checkpoint_final.pth            fold_1/ ...

nnU-Net resamples, scales and slides by its own code (the extra ``nnunet``) and takes axes as they
are stored; the image is turned to RAS before, as most training sets are, and the result back.
Folds (`fold_0` .., or `fold_all`) are averaged. A cascade's second stage, regions and several
channels are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError
from isosoma.core.study import Volume
from isosoma.imaging.model_files import borrowed, needed, read_json, require_trust
from isosoma.imaging.model_recipe import digest
from isosoma.imaging.segmentation import Segmentation
from isosoma.imaging.user_network import quality_of

__all__ = ["NnUNet", "from_ras", "load_nnunet", "read_nnunet", "to_ras"]

Array = npt.NDArray[np.float32]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class NnUNet:
    """What a trained-model folder says.

    Attributes
    ----------
    names : of the labels, background first and empty.
    folds : that have a checkpoint, as nnU-Net takes them.
    made_by : dataset, configuration and digest of the weights.
    """

    folder: Path
    names: tuple[str, ...]
    folds: tuple[int | str, ...]
    made_by: str


def read_nnunet(folder: Path) -> NnUNet:
    """Return what a trained-model folder says, without running it.

    Raises
    ------
    FormatError
        A file is missing or damaged, or it is a model of a kind that is not run here.
    """
    dataset, plans = read_json(folder / "dataset.json"), read_json(folder / "plans.json")
    try:
        named = {str(k): v for k, v in dataset["labels"].items() if k != "ignore"}
        channels = len(dataset["channel_names"])
        kind = folder.name.rpartition("__")[2]
        cascade = plans["configurations"][kind].get("previous_stage")
        regions = any(isinstance(v, list) for v in named.values())
        labels = {} if regions else {int(v): k for k, v in named.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"dataset.json or plans.json lacks what nnU-Net v2 writes: {error}"
        raise FormatError(
            said, folder.name, "Give the trained-model folder as it was made"
        ) from error
    _refuse(folder.name, channels, labels, cascade)
    weights = sorted(folder.glob("fold_*/checkpoint_final.pth"))
    numbered = [p for p in weights if p.parent.name.removeprefix("fold_").isdigit()]
    weights = numbered or [p for p in weights if p.parent.name == "fold_all"]
    if not weights:
        said = "no fold holds a checkpoint_final.pth"
        raise FormatError(said, folder.name, "Unpack the weights; a zip is not read")
    made_by = f"{plans.get('dataset_name', folder.parent.name)} {kind}, weights {digest(*weights)}"
    names = ("", *(labels[n] for n in range(1, len(labels))))
    folds = tuple(p.parent.name.removeprefix("fold_") for p in weights)
    return NnUNet(folder, names, tuple(int(f) if f.isdigit() else f for f in folds), made_by)


def _refuse(where: str, channels: int, labels: dict[int, str], cascade: object) -> None:
    if channels != 1:
        said = f"the network wants {channels} channels"
        raise FormatError(said, where, "One image goes in: use a network of one channel")
    if len(labels) < 2 or sorted(labels) != list(range(len(labels))):
        said = "the labels are not 0, 1, 2 and on: region-based training is not run here"
        raise FormatError(said, where, "Use a network of plain labels")
    if cascade:
        said = f"it is the second stage of a cascade, after {cascade}"
        raise FormatError(said, where, "Use a network that stands alone, such as 3d_fullres")


def to_ras(volume: Volume) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    """Return the first phase with its axes to the right, front and head; and how it was turned.

    The axes' order and those that were flipped undo it, see `from_ras`.
    """
    axes = volume.grid.affine[:3, :3] / volume.grid.spacing
    free, order = [0, 1, 2], list[int]()
    for axis in range(3):
        own = max(free, key=lambda a: abs(axes[axis, a]))
        free.remove(own)
        order.append(own)
    flipped = tuple(n for n, own in enumerate(order) if axes[n, own] < 0)
    return np.flip(volume.values[..., 0].transpose(order), flipped), tuple(order), flipped


def from_ras(
    values: npt.NDArray[Scalar], order: tuple[int, ...], flipped: tuple[int, ...]
) -> npt.NDArray[Scalar]:
    """Return values (i, j, k) turned back to the axes that they came from."""
    return np.flip(values, flipped).transpose(np.argsort(order))


def load_nnunet(folder: Path, *, trusted: bool) -> Callable[[Volume], Segmentation]:
    """Return a function that segments a volume with a trained-model folder.

    Parameters
    ----------
    trusted : whether the user said that code of the model may run.

    Raises
    ------
    AccessError
        The user did not say so: nnU-Net unpickles checkpoints (`weights_only=False`).
    FormatError
        As `read_nnunet`; or nnU-Net is not installed.
    """
    model = read_nnunet(folder)
    require_trust(
        trusted, "its checkpoints are pickles, which run code as they are read", folder.name
    )
    predictor = needed("nnunetv2.inference.predict_from_raw_data", "nnunet", folder.name)
    torch = needed("torch", "nnunet", folder.name)
    with borrowed(folder.name):
        runner: Any = predictor.nnUNetPredictor(
            device=torch.device("cpu"), perform_everything_on_device=False, allow_tqdm=False
        )
        runner.initialize_from_trained_model_folder(
            str(model.folder), use_folds=model.folds, checkpoint_name="checkpoint_final.pth"
        )

    def segment(volume: Volume) -> Segmentation:
        image, order, flipped = to_ras(volume)
        spacing = [float(volume.grid.spacing[n]) * 1e3 for n in order][::-1]
        stored = np.ascontiguousarray(image.T[None])
        with borrowed(folder.name):
            found, shares = runner.predict_single_npy_array(
                stored, {"spacing": spacing}, None, None, True
            )
        labels = from_ras(np.asarray(found, np.uint8).T, order, flipped)
        best = from_ras(np.asarray(shares, np.float32).max(axis=0).T, order, flipped)
        quality, problems = quality_of(labels, best, model.names)
        return Segmentation(
            volume.grid, labels, model.names, best, quality, problems, model.made_by
        )  # fmt: skip

    return segment
