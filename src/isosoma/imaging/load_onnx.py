"""Run a user's network from one ONNX file with ONNX Runtime, on the processor.

One input (1, 1, i, j, k), float32, and one output of class scores (1, classes, i, j, k), or one
score (1, 1, i, j, k) where the activation is a sigmoid. The sidecar `NAME.toml` says the rest.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from isosoma.core.errors import FormatError
from isosoma.imaging.model_recipe import read_recipe
from isosoma.imaging.user_network import Predict, Recipe

__all__ = ["activated", "load_onnx"]

Array = npt.NDArray[np.float32]


def load_onnx(path: Path) -> tuple[Recipe, Predict]:
    """Return what a network was trained on and a function that runs one window.

    Raises
    ------
    FormatError
        It is no ONNX network of this shape, has no sidecar, or ONNX Runtime is not installed.
    """
    recipe, activation = read_recipe(path.with_suffix(".toml"), path)
    try:
        runtime: Any = importlib.import_module("onnxruntime")
    except ImportError as error:
        said = "ONNX Runtime is not installed"
        raise FormatError(
            said, path.name, 'Install the extra: pip install "isosoma[onnx]"'
        ) from error
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base
        said = f"ONNX Runtime cannot load it: {str(error).splitlines()[0][:200]}"
        raise FormatError(said, path.name, "Export the network again") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0].shape) != 5:
        said = f"{len(inputs)} inputs, {len(outputs)} outputs, input of {inputs[0].shape}"
        raise FormatError(said, path.name, "Export one input (1, 1, i, j, k) and one output")

    def predict(window: Array) -> Array:
        (scores,) = session.run(None, {inputs[0].name: np.ascontiguousarray(window)})
        return activated(np.asarray(scores), activation)

    return recipe, predict


def activated(scores: npt.NDArray[np.floating], activation: str) -> Array:
    """Return probabilities (classes, i, j, k) of scores (1, classes or 1, i, j, k)."""
    if activation == "sigmoid":
        share = expit(scores[0, :1])
        return np.concatenate([1 - share, share]).astype(np.float32)
    return np.asarray(
        softmax(scores[0], axis=0) if activation == "softmax" else scores[0], np.float32
    )
