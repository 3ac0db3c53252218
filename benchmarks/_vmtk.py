"""Read the two formats of the public vmtk test data: MetaImage (LPS) and VTK polylines (RAS)."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Grid


def read_mha(path: Path) -> tuple[npt.NDArray[np.float32], Grid]:
    """Return values, shape (i, j, k), and their grid, RAS [m]."""
    raw = path.read_bytes()
    head, _, body = raw.partition(b"ElementDataFile = LOCAL\n")
    found = dict(re.findall(r"^(\w+) = (.*)$", head.decode(), re.MULTILINE))
    shape = [int(n) for n in found["DimSize"].split()]
    spacing = np.array([float(n) for n in found["ElementSpacing"].split()]) * 1e-3
    offset = np.array([float(n) for n in found["Offset"].split()]) * 1e-3
    turn = np.array([float(n) for n in found["TransformMatrix"].split()]).reshape(3, 3).T
    values = np.frombuffer(zlib.decompress(body), "<f4").reshape(shape[::-1]).T
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1, -1, 1]) @ (turn * spacing)
    affine[:3, 3] = np.array([-1, -1, 1]) * offset
    return values, Grid((shape[0], shape[1], shape[2]), affine)


def _array(node: ET.Element) -> npt.NDArray[np.generic]:
    kind = {"Float64": "<f8", "Float32": "<f4", "Int64": "<i8", "Int32": "<i4"}[node.attrib["type"]]
    text = (node.text or "").strip()
    blocks = struct.unpack("<I", base64.b64decode(text[:8])[:4])[0]
    size = (4 * (3 + blocks) + 2) // 3 * 4
    lengths = struct.unpack(f"<{3 + blocks}I", base64.b64decode(text[:size])[: 4 * (3 + blocks)])
    body, parts, at = base64.b64decode(text[size:]), list[bytes](), 0
    for n in lengths[3:]:
        parts.append(zlib.decompress(body[at : at + n]))
        at += n
    return np.frombuffer(b"".join(parts), kind)


def read_lines(path: Path) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Return each polyline's points, RAS [m], shape (n, 3), and its inscribed radius [m], (n,)."""
    piece = ET.parse(path).getroot().find(".//Piece")
    assert piece is not None
    arrays = {n.attrib.get("Name", ""): _array(n) for n in piece.iter("DataArray")}
    points = arrays["Points"].astype(float).reshape(-1, 3) * 1e-3
    radius = arrays["MaximumInscribedSphereRadius"].astype(float) * 1e-3
    ends = list(piece.find("Lines") or [])
    table = {n.attrib["Name"]: _array(n).astype(int) for n in ends}
    rows = np.split(table["connectivity"], table["offsets"][:-1])
    return [(points[r], radius[r]) for r in rows]
