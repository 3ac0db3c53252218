"""Write tiny ONNX networks byte by byte, as protobuf lays them out, without the onnx library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_FLOAT, _INTS = 1, 7


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def _number(field: int, n: int) -> bytes:
    return _varint(field << 3) + _varint(n)


def _bytes(field: int, content: bytes | str) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(_number(1, n) for n in values.shape)
    return dims + _number(2, _FLOAT) + _bytes(8, name) + _bytes(9, values.astype("<f4").tobytes())


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, n) if isinstance(n, int) else _bytes(2, n)) for n in shape)
    kind = _bytes(1, _number(1, _FLOAT) + _bytes(2, dims))
    return _bytes(1, name) + _bytes(2, kind)


def write_convolution(path: Path, kernel: np.ndarray, bias: np.ndarray) -> Path:
    """Write a network of one 3-D convolution, kernel (out, in, i, j, k), that keeps the shape."""
    pads = [(n - 1) // 2 for n in kernel.shape[2:]] * 2
    ints = b"".join(_number(8, n) for n in pads)
    attribute = _bytes(5, _bytes(1, "pads") + ints + _number(20, _INTS))
    inputs = b"".join(_bytes(1, name) for name in ("image", "kernel", "bias"))
    node = inputs + _bytes(2, "scores") + _bytes(4, "Conv") + attribute
    outside = [1, kernel.shape[1], "i", "j", "k"], [1, kernel.shape[0], "i", "j", "k"]
    graph = _bytes(1, node) + _bytes(2, "tiny")
    graph += _bytes(5, _tensor("kernel", kernel)) + _bytes(5, _tensor("bias", bias))
    graph += _bytes(11, _value("image", outside[0])) + _bytes(12, _value("scores", outside[1]))
    opset = _bytes(8, _bytes(1, "") + _number(2, 13))
    path.write_bytes(_number(1, 8) + opset + _bytes(7, graph))
    return path
