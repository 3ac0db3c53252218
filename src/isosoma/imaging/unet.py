"""A small U-Net run by numpy alone (Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28).

Its weights come from `tools/train_cine.py`, which sees rendered hearts only. A 3 x 3 convolution is
nine matrix products, one for each shift of the picture.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["STAGES", "WIDTHS", "normalised", "probabilities", "version"]

Singles = npt.NDArray[np.float32]

WIDTHS = (16, 32, 64, 128)
STAGES = len(WIDTHS)
_FILE = Path(__file__).parent / "weights" / "cine_unet.npz"
_MIDDLE = 0.3  # of the picture's side: a disc that surely holds blood
_BRIGHT = 95  # percentile that blood reaches there


def normalised(frames: npt.NDArray[np.floating]) -> tuple[Singles, Singles]:
    """Return frames (phase, row, column) with blood near 1, and their spread over the beat."""
    side = frames.shape[-1]
    at = (np.arange(side) - (side - 1) / 2) / side
    disc = np.hypot(at[:, None], at) < _MIDDLE
    bright = max(float(np.percentile(frames[:, disc], _BRIGHT)), 1e-9)
    scaled = np.clip(frames / bright, 0, 2).astype(np.float32)
    return scaled, scaled.std(axis=0)


@cache
def _weights() -> dict[str, Singles]:
    with np.load(_FILE) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


@cache
def version() -> str:
    """Return what names these weights: the start of their file's SHA-256."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()[:12]


def probabilities(pictures: Singles) -> Singles:
    """Return each class's probability, shape (n, class, row, column).

    Parameters
    ----------
    pictures : frame and spread of `normalised`, shape (n, 2, row, column); sides a multiple of 8.
    """
    return np.concatenate([_one(picture) for picture in pictures])


def _one(picture: Singles) -> Singles:
    """Return the probabilities of one picture, shape (1, class, row, column)."""
    kept = list[Singles]()
    x, number = np.ascontiguousarray(picture.transpose(1, 2, 0)), 0
    for stage in range(STAGES):
        if stage:
            h, w, c = x.shape
            x = x.reshape(h // 2, 2, w // 2, 2, c).max(axis=(1, 3))
        x, number = _convolved(_convolved(x, number), number + 1), number + 2
        kept.append(x)
    for stage in reversed(range(STAGES - 1)):
        x = np.concatenate([x.repeat(2, axis=0).repeat(2, axis=1), kept[stage]], axis=2)
        x, number = _convolved(_convolved(x, number), number + 1), number + 2
    logits = x @ _weights()["kh"][:, :, 0, 0].T + _weights()["bh"]
    share = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (share / share.sum(axis=2, keepdims=True)).transpose(2, 0, 1)[None]


def _convolved(x: Singles, number: int) -> Singles:
    """Return a 3 x 3 convolution of (row, column, channel) and its positive part."""
    kernel, bias = _weights()[f"k{number}"], _weights()[f"b{number}"]
    h, w, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    columns = np.concatenate([padded[i : i + h, j : j + w] for i in range(3) for j in range(3)], 2)
    matrix = kernel.transpose(2, 3, 1, 0).reshape(-1, len(bias))
    return np.maximum(columns.reshape(h * w, -1) @ matrix + bias, 0).reshape(h, w, -1)
