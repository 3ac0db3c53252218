"""Write the heart that pictures are rendered from, out of a surface template of the whole heart.

    .venv/bin/python tools/heart_template.py whole_heart_with_ao.vtp.gz

The template (linflonet 0.6.0, MIT, (c) 2023 Arjun Narayanan) has closed surfaces of the wall of the
left ventricle, four chambers, aorta and pulmonary artery, in a unit cube, x to the left, y to the
back, z to the head. Out comes `src/isosoma/imaging/weights/heart_template.npz`.
"""

from __future__ import annotations

import base64
import gzip
import re
import struct
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

TARGET = Path(__file__).parents[1] / "src/isosoma/imaging/weights/heart_template.npz"
EXTENT = 0.2  # [m] of the unit cube: the left ventricle then holds 119 ml, as an adult's does
CELLS = 128
WALL, OPEN_ROOT = 1, 8


def blocks(raw: bytes) -> dict[int, bytes]:
    """Return the appended arrays of a .vtp file by their offset."""
    start = raw.index(b"_", raw.index(b"<AppendedData")) + 1
    text = raw[start : raw.index(b"</AppendedData")].strip()
    offsets = {int(o) for o in re.findall(rb'offset="(\d+)"', raw)}
    return {o: _block(text[o:]) for o in offsets}


def _block(text: bytes) -> bytes:
    """Return one array: a head of counts and sizes, then zlib pieces, each part in base64."""
    (count,) = struct.unpack("<I", base64.b64decode(text[:16])[:4])
    size = 4 * (3 + count)
    coded = -(-size // 3) * 4
    sizes = struct.unpack(f"<{3 + count}I", base64.b64decode(text[:coded])[:size])[3:]
    body = base64.b64decode(text[coded : coded + -(-sum(sizes) // 3) * 4])
    ends = np.cumsum((0, *sizes))
    return b"".join(zlib.decompress(body[a:b]) for a, b in pairwise(ends))


@njit
def filled(points: Floats, triangles: Indices, cells: int) -> npt.NDArray[np.uint8]:
    """Return which cells lie inside closed surfaces: parity of crossings along the last axis."""
    inside = np.zeros((cells, cells, cells), np.uint8)
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        double = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1])
        if double == 0.0:
            continue
        for i in range(int(np.ceil(min(a[0], b[0], c[0]))), int(max(a[0], b[0], c[0])) + 1):
            for j in range(int(np.ceil(min(a[1], b[1], c[1]))), int(max(a[1], b[1], c[1])) + 1):
                u = ((b[1] - c[1]) * (i - c[0]) + (c[0] - b[0]) * (j - c[1])) / double
                v = ((c[1] - a[1]) * (i - c[0]) + (a[0] - c[0]) * (j - c[1])) / double
                if u < 0 or v < 0 or u + v > 1:
                    continue
                first = int(np.ceil(u * a[2] + v * b[2] + (1 - u - v) * c[2]))
                for k in range(max(first, 0), cells):
                    inside[i, j, k] ^= 1
    return inside


def main(path: str) -> None:
    """Write the template's labels and affine."""
    arrays = blocks(gzip.decompress(Path(path).read_bytes()))
    by_size = [arrays[k] for k in sorted(arrays, key=lambda k: -len(arrays[k]))]
    triangles = np.frombuffer(by_size[0], np.int64).reshape(-1, 3)
    region = np.frombuffer(arrays[0], np.int64)
    count = len(region)
    raw = next(b for b in by_size if len(b) == 12 * count)
    cube = np.frombuffer(raw, np.float32).reshape(-1, 3).astype(float)
    points = EXTENT * cube * [-1, -1, 1]  # LPS to RAS
    step = (np.ptp(points, axis=0).max() + 0.02) / CELLS
    corner = points.min(axis=0) - 0.01
    index = (points - corner) / step + 1e-6
    labels = np.zeros((CELLS,) * 3, np.uint8)
    for part in (2, 3, 4, 5, 6, 7, WALL):
        inside = filled(index, triangles[region[triangles[:, 0]] == part], CELLS) > 0
        labels[inside & (labels == 0)] = part
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = corner
    np.savez_compressed(TARGET, labels=labels, affine=affine)


if __name__ == "__main__":
    main(sys.argv[1])
