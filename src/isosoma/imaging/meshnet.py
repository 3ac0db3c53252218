"""MeshNet: a small stack of dilated 3-D convolutions that labels a head voxel by voxel.

Networks are read in the layout that TensorFlow.js saves (``model.json`` beside shards of float32,
little-endian) and run with matrix products alone, so that no framework and no download is needed
(Fedorov et al. 2017, IJCNN, doi:10.1109/IJCNN.2017.7966333; weights of brainchop, MIT,
https://github.com/neuroneural/brainchop).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError

__all__ = ["Layer", "MeshNet", "apply_meshnet", "read_meshnet", "shipped"]

Array = npt.NDArray[np.float32]

_COLUMNS = (
    2048  # voxels a matrix product takes at once: what it reads and writes fits a core's cache
)
_MOST_WEIGHTS = 1 << 24
_MOST_CHANNELS = 256
_MOST_DILATION = 64
_NORMALISED = "_gn"  # brainchop's mark of a layer that GroupNorm follows, one channel a group
_EPSILON = 1e-5  # of that GroupNorm


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One convolution and what follows it.

    Attributes
    ----------
    kernel : shape (kx, ky, kz, in, out).
    bias : shape (out,); zeros where the network has none.
    normalised : whether each channel is brought to mean 0 and variance 1 over the volume.
    activation : ``relu``, ``elu``, ``gelu`` or ``linear``.
    """

    kernel: Array
    bias: Array
    dilation: int
    normalised: bool
    activation: str


@dataclass(frozen=True, slots=True, eq=False)
class MeshNet:
    """A network, the words for its classes, and a name that changes when a weight does."""

    layers: tuple[Layer, ...]
    labels: tuple[str, ...]
    version: str


def shipped(name: str) -> MeshNet:
    """Return a network that comes with the package: ``mindgrab`` or ``model18cls``."""
    return read_meshnet(Path(__file__).parent / "weights" / name)


def read_meshnet(folder: Path) -> MeshNet:
    """Return the network of a folder: ``model.json``, its shards and ``colormap.json``.

    Raises
    ------
    FormatError
        It is no stack of 3-D convolutions, or weights are missing, cut off or not finite.
    LimitError
        It is larger than any MeshNet.
    """
    try:
        said = json.loads((folder / "model.json").read_text("utf-8"))
        shards = said["weightsManifest"][0]
        data = b"".join(_shard(folder, name) for name in shards["paths"])
        weights = _weights(shards["weights"], data)
        described = said["modelTopology"]["model_config"]["config"]["layers"]
        layers = _layers(described, weights)
        names = _labels(folder, len(layers[-1].bias))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise FormatError(
            f"is no MeshNet in the layout of TensorFlow.js ({error})",
            folder.name,
            "It needs model.json, the shards named there, and a colormap*.json with its labels",
        ) from error
    return MeshNet(layers, names, f"{folder.name} {hashlib.sha256(data).hexdigest()[:12]}")


def _shard(folder: Path, name: str) -> bytes:
    """Return a shard's bytes; it lies in the folder itself, whatever its name says."""
    path = folder / Path(name).name
    if path.stat().st_size > 4 * _MOST_WEIGHTS:
        raise LimitError("holds more weights than any MeshNet", path.name, "Choose another network")
    return path.read_bytes()


def _labels(folder: Path, classes: int) -> tuple[str, ...]:
    """Return the words for the classes; of several tables the one that has as many."""
    for path in sorted(folder.glob("colormap*.json")):
        labels = json.loads(path.read_text("utf-8"))["labels"]
        if len(labels) == classes:
            return tuple(str(label) for label in labels)
    raise ValueError(f"no colormap*.json names {classes} classes")


def _weights(described: list[dict[str, Any]], data: bytes) -> dict[str, Array]:
    """Return the arrays by name, cut from the shards in the order described."""
    weights: dict[str, Array] = {}
    at = 0
    for one in described:
        count = int(np.prod(one["shape"]))
        if one["dtype"] != "float32" or at + 4 * count > len(data):
            raise ValueError(f"weight {one['name']} is not there as float32")
        weights[one["name"]] = np.frombuffer(data, "<f4", count, at).reshape(one["shape"])
        if not np.isfinite(weights[one["name"]]).all():
            raise ValueError(f"weight {one['name']} is not finite")
        at += 4 * count
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes of weights belong to no layer")
    return weights


def _layers(described: list[dict[str, Any]], weights: dict[str, Array]) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for one in described:
        config = one["config"]
        if one["class_name"] == "Conv3D":
            layers.append(_convolution(config, weights))
        elif one["class_name"] == "Activation" and config["activation"] in _ACTIVATIONS:
            last = layers.pop()
            made = (last.kernel, last.bias, last.dilation, last.normalised, config["activation"])
            layers.append(Layer(*made))
        elif one["class_name"] != "InputLayer":
            raise ValueError(f"layer {one['class_name']} {config.get('activation', '')}")
    sizes = [1, *(len(layer.bias) for layer in layers)]
    if [layer.kernel.shape[3] for layer in layers] != sizes[:-1]:
        raise ValueError("one layer does not take what the one before gives")
    return tuple(layers)


def _convolution(config: dict[str, Any], weights: dict[str, Array]) -> Layer:
    name = config["name"]
    kernel = weights[f"{name}/kernel"]
    bias = weights.get(f"{name}/bias", np.zeros(kernel.shape[-1], np.float32))
    (dilation,) = set(config.get("dilation_rate", [1]))
    same = config["padding"] == "same" and set(config.get("strides", [1])) == {1}
    (size,) = set(kernel.shape[:3])
    if not (same and size in (1, 3) and 1 <= dilation <= _MOST_DILATION):
        raise ValueError(f"convolution {name} of size {size}, dilation {dilation}")
    if kernel.ndim != 5 or max(kernel.shape[3:]) > _MOST_CHANNELS:
        raise ValueError(f"convolution {name} of shape {kernel.shape}")
    return Layer(kernel, bias, int(dilation), name.endswith(_NORMALISED), config["activation"])


def _relu(x: Array) -> Array:
    return np.maximum(x, 0, out=x)


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _gelu(x: Array) -> Array:
    """Return the form by tanh (Hendrycks & Gimpel 2016, arXiv:1606.08415), used in training."""
    inner = x * (np.float32(0.7978845608) * (1 + np.float32(0.044715) * x * x))
    return np.float32(0.5) * x * (1 + np.tanh(inner))


def _linear(x: Array) -> Array:
    return x


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": _relu, "elu": _elu, "gelu": _gelu, "linear": _linear,
}  # fmt: skip


def apply_meshnet(net: MeshNet, image: Array) -> Array:
    """Return the probability of each class, shape (class, i, j, k), of an image (i, j, k).

    What lies outside the image counts as zero, as in training.
    """
    gap = max(layer.dilation for layer in net.layers)
    block = _Block(image.shape[0], image.shape[1], image.shape[2], gap)
    flat = np.zeros((1, block.guarded), np.float32)
    block.inner(flat)[0] = image
    for layer in net.layers:
        flat = _layer(layer, flat, block)
    scores = block.inner(flat)
    scores = np.exp(scores - scores.max(axis=0))
    return scores / scores.sum(axis=0)


@dataclass(frozen=True, slots=True)
class _Block:
    """A volume laid out in one row, with a gap of zeros after each line and each slice.

    A shift by any tap of a kernel is then a shift along the row: a slice's convolution is a sum of
    plain matrix products.
    """

    i: int
    j: int
    k: int
    gap: int

    @property
    def line(self) -> int:
        return self.k + self.gap

    @property
    def slice(self) -> int:
        return (self.j + self.gap) * self.line

    @property
    def guard(self) -> int:
        return self.gap * self.line + self.gap

    @property
    def guarded(self) -> int:
        return self.i * self.slice + 2 * self.guard

    def inner(self, flat: Array) -> Array:
        """Return the voxels without gaps, a view of shape (channel, i, j, k)."""
        body = flat[:, self.guard : self.guard + self.i * self.slice]
        whole = body.reshape(len(flat), self.i, self.j + self.gap, self.line)
        return whole[:, :, : self.j, : self.k]


def _layer(layer: Layer, flat: Array, block: _Block) -> Array:
    """Return a layer's output in the layout of its input."""
    result = np.zeros((len(layer.bias), block.guarded), np.float32)
    for i in range(block.i):
        _convolve_slice(layer, flat, result, block, i)
    inner = block.inner(result)
    activate = _ACTIVATIONS[layer.activation]
    for channel, values in enumerate(inner):
        if layer.normalised:
            mean = values.mean(dtype=np.float64)
            variance = np.square(values - np.float32(mean)).mean(dtype=np.float64)
            scale = np.float32(1 / np.sqrt(variance + _EPSILON))
            for part in values:
                part[:] = activate((part - np.float32(mean)) * scale)
        else:
            for part in values:
                part[:] = activate(part + layer.bias[channel])
    return result


def _convolve_slice(layer: Layer, flat: Array, result: Array, block: _Block, i: int) -> None:
    """Add up the taps of one slice; gaps are overwritten with zeros again."""
    size, reach = layer.kernel.shape[0], layer.kernel.shape[0] // 2
    taps: list[tuple[Array, int]] = []
    for a, b, c in np.ndindex(size, size, size):
        step = np.array((a - reach, b - reach, c - reach)) * layer.dilation
        if 0 <= i + step[0] < block.i:
            shift = int(step @ (block.slice, block.line, 1))
            taps.append((np.ascontiguousarray(layer.kernel[a, b, c].T), shift))
    first = block.guard + i * block.slice
    last = first + block.j * block.line
    part = np.empty((len(layer.bias), _COLUMNS), np.float32)
    for start in range(first, last, _COLUMNS):
        stop = min(start + _COLUMNS, last)
        total = result[:, start:stop]
        for weight, shift in taps:
            np.matmul(weight, flat[:, start + shift : stop + shift], out=part[:, : stop - start])
            total += part[:, : stop - start]
    lines = result[:, first : first + block.slice].reshape(len(result), -1, block.line)
    lines[:, :, block.k :] = 0
