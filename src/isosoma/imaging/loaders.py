"""The one door for networks of the user's own: tells their kind by what lies on the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from isosoma.core.errors import FormatError
from isosoma.core.study import Volume
from isosoma.imaging.load_monai import load_monai
from isosoma.imaging.load_nnunet import load_nnunet
from isosoma.imaging.load_onnx import load_onnx
from isosoma.imaging.load_totalsegmentator import load_totalsegmentator
from isosoma.imaging.segmentation import Segmentation
from isosoma.imaging.user_network import segment_with

__all__ = ["kind_of", "load_model"]


def kind_of(path: Path) -> str:
    """Return ``onnx``, ``nnunet``, ``monai`` or ``totalsegmentator``.

    Raises
    ------
    FormatError
        It is none of them.
    """
    if path.is_file() and path.suffix == ".onnx":
        return "onnx"
    if (path / "plans.json").is_file() or (path / "dataset.json").is_file():
        return "nnunet"
    if (path / "configs").is_dir():
        return "monai"
    if path.is_dir() and any(path.glob("Dataset*")):
        return "totalsegmentator"
    said = "is no model that is known: NAME.onnx beside NAME.toml, a trained-model folder of "
    said += "nnU-Net v2, a MONAI bundle, or a folder of TotalSegmentator's weights"
    raise FormatError(said, path.name, "Check the path, or unpack the archive")


def load_model(path: Path, *, trusted: bool = False) -> Callable[[Volume], Segmentation]:
    """Return a function that segments a volume with a model of the user's.

    Parameters
    ----------
    trusted : whether the user said that code of the model may run; an ONNX network brings none.

    Raises
    ------
    AccessError
        It brings code, and the user did not say so.
    FormatError
        The model is of no known kind or damaged, or its extra is not installed.
    """
    kind = kind_of(path)
    if kind == "nnunet":
        return load_nnunet(path, trusted=trusted)
    if kind == "totalsegmentator":
        return load_totalsegmentator(path, trusted=trusted)
    onnx = kind == "onnx"
    recipe, predict = load_onnx(path) if onnx else load_monai(path, trusted=trusted)
    return partial(segment_with, recipe=recipe, predict=predict)
