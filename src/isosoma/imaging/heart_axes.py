"""The frame that a left ventricle is described in: its long axis, and towards the right one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Frame"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The long axis: a point on it [m], and rows towards the right ventricle, across, and base."""

    origin: Floats
    axes: Floats

    def to_cylinder(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Return angle [rad], radius [m] and height [m] of points (..., 3)."""
        x, y, z = np.moveaxis((points - self.origin) @ self.axes.T, -1, 0)
        return np.arctan2(y, x), np.hypot(x, y), z

    def to_space(self, angle: Floats, radius: Floats, height: Floats) -> Floats:
        """Return points [m], shape (..., 3)."""
        local = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)
        return local @ self.axes + self.origin
