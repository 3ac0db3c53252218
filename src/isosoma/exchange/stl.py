"""A surface as binary STL (3D Systems 1988); the format has no unit, so the header says mm."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from isosoma.core.triangles import check_triangles

__all__ = ["stl"]

_HEADER = b"isosoma; unit mm; axes RAS"  # not "solid", by which readers take a file for text
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def stl(points: npt.NDArray[np.float64], triangles: npt.NDArray[np.int64]) -> bytes:
    """Return an STL file, in millimetres.

    Parameters
    ----------
    points : RAS [m], shape (n, 3).
    triangles : rows of `points`, shape (m, 3), anticlockwise from outside.

    Raises
    ------
    RangeError
        The arrays are no surface.
    """
    check_triangles(points, triangles)
    corners = points[triangles] * 1e3
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    facets = np.zeros(len(triangles), _FACET)
    facets["corners"] = corners
    facets["normal"] = normal / np.where(length > 0, length, 1.0)
    return _HEADER.ljust(80) + struct.pack("<I", len(facets)) + facets.tobytes()
