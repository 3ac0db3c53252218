"""What every surface of triangles holds to: points that are there, and finite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError

__all__ = ["check_triangles"]


def check_triangles(points: npt.NDArray[np.float64], triangles: npt.NDArray[np.int64]) -> None:
    """Refuse arrays that are no surface.

    Parameters
    ----------
    points : shape (..., n, 3).
    triangles : rows of the points, shape (m, 3).

    Raises
    ------
    RangeError
        A shape is another, a point is not finite, or a triangle names none.
    """
    todo = "Make the surface again"
    if points.ndim < 2 or points.shape[-1] != 3 or 0 in points.shape:
        raise RangeError(f"points have the shape {points.shape}, not (n, 3)", todo=todo)
    if not np.isfinite(points).all():
        raise RangeError("a point is not finite", todo=todo)
    if triangles.shape[1:] != (3,) or not triangles.size:
        raise RangeError("triangles of three points are not there", todo=todo)
    if triangles.min() < 0 or triangles.max() >= points.shape[-2]:
        raise RangeError("triangles name points that are not there", todo=todo)
