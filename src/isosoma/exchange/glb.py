"""A moving surface as a GLB file: glTF 2.0 (ISO/IEC 12113:2022) with a morph target per phase.

glTF is in metres with Y up and the front towards +Z: RAS (x, y, z) becomes (-x, z, y), a rotation.
What the format has no word for (frame of reference, source) stands in the asset's `extras`.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.core.triangles import check_triangles

__all__ = ["glb"]

_JSON, _BIN = 0x4E4F534A, 0x004E4942
_FLOAT, _UINT32 = 5126, 5125
_VERTICES, _INDICES = 34962, 34963


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
    turned = np.stack([-phases[..., 0], phases[..., 2], phases[..., 1]], axis=-1)
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


def _accessor(view: int, block: npt.NDArray[Any]) -> dict[str, Any]:
    """Return how a block is read; bounds are those of the numbers as written."""
    if block.dtype.kind == "u":
        return {"bufferView": view, "componentType": _UINT32, "count": block.size, "type": "SCALAR"}
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
