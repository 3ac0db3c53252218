"""A moving surface as a GLB file: glTF 2.0 (ISO/IEC 12113:2022) with a morph target per phase.

glTF is in metres with Y up and the front towards +Z: RAS (x, y, z) becomes (-x, z, y), a rotation.
What the format has no word for (frame of reference, source) stands in the asset's `extras`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.core.triangles import check_triangles

__all__ = ["Moving", "glb", "scene"]

_JSON, _BIN = 0x4E4F534A, 0x004E4942
_FLOAT, _UINT32, _UINT16, _INT16 = 5126, 5125, 5123, 5122
_VERTICES, _INDICES = 34962, 34963
_WHOLE = 32767  # of a normalised short


def glb(
    phases: npt.NDArray[np.float64],
    triangles: npt.NDArray[np.int64],
    *,
    name: str,
    frame: str,
    source: str,
) -> bytes:
    """Return a GLB file of one surface.

    Parameters
    ----------
    phases : points in RAS [m], shape (phase, n, 3); the first is the mesh, the others its morphs.
    triangles : rows of the points, shape (m, 3), anticlockwise from outside.
    name : of the part of the body.
    frame : FrameOfReferenceUID of the images.
    source : digest of what the surface was made from.

    Raises
    ------
    RangeError
        The arrays are no surface.
    """
    if phases.ndim != 3:
        said = f"points have the shape {phases.shape}, not (phase, n, 3)"
        raise RangeError(said, todo="Give the points of each phase")
    check_triangles(phases, triangles)
    turned = _upright(phases)
    parts = [turned[0], *(turned[1:] - turned[0])]
    blocks = [part.astype("<f4") for part in parts] + [triangles.astype("<u4")]
    primitive: dict[str, Any] = {"attributes": {"POSITION": 0}, "indices": len(parts), "mode": 4}
    mesh: dict[str, Any] = {"name": name, "primitives": [primitive]}
    if len(parts) > 1:
        primitive["targets"] = [{"POSITION": k} for k in range(1, len(parts))]
        mesh["weights"] = [0.0] * (len(parts) - 1)
    document = {
        "asset": {
            "version": "2.0",
            "generator": "isosoma",
            "extras": {"unit": "m", "frame_of_reference": frame, "source": source},
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name}],
        "meshes": [mesh],
        "accessors": [_accessor(k, block) for k, block in enumerate(blocks)],
        "bufferViews": _views(blocks),
        "buffers": [{"byteLength": sum(block.nbytes for block in blocks)}],
    }
    return _packed(document, b"".join(block.tobytes() for block in blocks))


def _upright(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return RAS points in the axes of glTF."""
    return np.stack([-points[..., 0], points[..., 2], points[..., 1]], axis=-1)


def _accessor(view: int, block: npt.NDArray[Any]) -> dict[str, Any]:
    """Return how a block is read; bounds are those of the numbers as written."""
    if block.dtype.kind == "u":
        kind = _UINT16 if block.itemsize == 2 else _UINT32
        return {"bufferView": view, "componentType": kind, "count": block.size, "type": "SCALAR"}
    return {
        "bufferView": view,
        "componentType": _FLOAT,
        "count": len(block),
        "type": "VEC3",
        "min": block.min(axis=0).tolist(),
        "max": block.max(axis=0).tolist(),
    }


def _views(blocks: list[npt.NDArray[Any]]) -> list[dict[str, int]]:
    """Return where each block lies; all are of four-byte numbers, so each starts aligned."""
    views: list[dict[str, int]] = []
    start = 0
    for block in blocks:
        target = _INDICES if block.dtype.kind == "u" else _VERTICES
        views.append(
            {"buffer": 0, "byteOffset": start, "byteLength": block.nbytes, "target": target}
        )
        start += block.nbytes
    return views


def _packed(document: dict[str, Any], data: bytes) -> bytes:
    """Return header, JSON chunk and BIN chunk, each filled to four bytes."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(data))
    parts = [head, struct.pack("<II", len(text), _JSON), text]
    return b"".join([*parts, struct.pack("<II", len(data), _BIN), data])


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """A surface over the beat: points in RAS [m], shape (phase, n, 3), and rows of them."""

    name: str
    phases: npt.NDArray[np.float64]
    triangles: npt.NDArray[np.int64]


def scene(parts: Sequence[Moving], extras: Mapping[str, Any]) -> bytes:
    """Return a GLB file of several surfaces that move together, in 16-bit numbers.

    Numbers are shares of the scene's extent (`KHR_mesh_quantization`), each node scales and moves
    them back: half the size, off by 2 micrometres at most in a heart.

    Parameters
    ----------
    parts : of one count of phases.
    extras : of the asset, beside the unit: frame of reference, source, phases, what made it.

    Raises
    ------
    RangeError
        The arrays are no surfaces, or of unlike counts of phases.
    """
    if not parts or len({len(p.phases) for p in parts}) > 1:
        raise RangeError("the surfaces have unlike phases", todo="Give each at the same phases")
    for part in parts:
        check_triangles(part.phases, part.triangles)
    turned = [_upright(part.phases) for part in parts]
    every = np.concatenate([points.reshape(-1, 3) for points in turned])
    middle = (every.min(axis=0) + every.max(axis=0)) / 2
    reach = float(np.ptp(every, axis=0).max()) or 1.0  # a morph goes no farther than the extent
    buffer, views, accessors = bytearray(), list[dict[str, int]](), list[dict[str, Any]]()

    def kept(block: npt.NDArray[Any]) -> int:
        views.append(_view(block, len(buffer)))
        accessors.append(_shares(len(views) - 1, block))
        buffer.extend(_padded(block))
        return len(accessors) - 1

    meshes = list[dict[str, Any]]()
    for part, points in zip(parts, turned, strict=True):
        whole = np.round((points - middle) / reach * _WHOLE).astype("<i2")
        at = [kept(block) for block in [whole[0], *(whole[1:] - whole[0])]]
        indices = kept(_named(part.triangles))
        primitive: dict[str, Any] = {
            "attributes": {"POSITION": at[0]},
            "indices": indices,
            "mode": 4,
        }
        primitive["targets"] = [{"POSITION": k} for k in at[1:]]
        meshes.append(
            {"name": part.name, "primitives": [primitive], "weights": [0.0] * (len(at) - 1)}
        )
    placed = {"translation": middle.tolist(), "scale": [reach] * 3}
    document = {
        "asset": {"version": "2.0", "generator": "isosoma", "extras": {"unit": "m", **extras}},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": list(range(len(parts)))}],
        "nodes": [{"mesh": k, "name": p.name, **placed} for k, p in enumerate(parts)],
        "meshes": meshes,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(buffer)}],
    }
    return _packed(document, bytes(buffer))


def _named(triangles: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return triangles in a row, in two bytes a point where these name all."""
    return triangles.reshape(-1).astype("<u2" if triangles.max() < 1 << 16 else "<u4")


def _view(block: npt.NDArray[Any], start: int) -> dict[str, int]:
    """Return where a block lies; three shorts are filled to eight bytes, as glTF aligns them."""
    if block.dtype.kind == "u":
        return {"buffer": 0, "byteOffset": start, "byteLength": block.nbytes, "target": _INDICES}
    size = 8 * len(block)
    whole = {"buffer": 0, "byteOffset": start, "byteLength": size, "byteStride": 8}
    return whole | {"target": _VERTICES}


def _padded(block: npt.NDArray[Any]) -> bytes:
    whole = (block if block.ndim == 1 else np.pad(block, ((0, 0), (0, 1)))).tobytes()
    return whole + b"\0" * (-len(whole) % 4)


def _shares(view: int, block: npt.NDArray[Any]) -> dict[str, Any]:
    """Return how a block of normalised shorts, or of indices, is read."""
    if block.dtype.kind == "u":
        return _accessor(view, block)
    return {
        "bufferView": view,
        "componentType": _INT16,
        "normalized": True,
        "count": len(block),
        "type": "VEC3",
        "min": block.min(axis=0).tolist(),
        "max": block.max(axis=0).tolist(),
    }
