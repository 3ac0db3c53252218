"""Thickness of the left ventricle's wall in the 16 segments that cardiologists speak of.

Segments are thirds of the long axis, sixths (at the apex quarters) round it from the middle of the
septum (Cerqueira et al. 2002, Circulation 105:539-542, doi:10.1161/hc0402.102975); thickness is the
length of Laplace paths (`thickness`). The apical cap, segment 17, has no thickness of its own here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Grid
from isosoma.imaging.cine import CineHeart
from isosoma.imaging.raster import rasterised
from isosoma.imaging.thickness import wall_thickness

__all__ = ["SEGMENTS", "segment_thickness"]

Floats = npt.NDArray[np.float64]

SEGMENTS = (
    "basal anterior", "basal anteroseptal", "basal inferoseptal", "basal inferior",
    "basal inferolateral", "basal anterolateral", "mid anterior", "mid anteroseptal",
    "mid inferoseptal", "mid inferior", "mid inferolateral", "mid anterolateral",
    "apical anterior", "apical septal", "apical inferior", "apical lateral",
)  # fmt: skip
"""Names in the standard's order, 1 to 16."""
_VOXEL = 1.5e-3  # [m]: a wall of 8 mm has five, and the method's error stays below a quarter voxel
_CAP = 0.08  # share of the cavity's length at the tip where no wall stands beside the cavity
_LEAST = 20  # voxels of a segment


def segment_thickness(heart: CineHeart, phase: int) -> Floats:
    """Return each segment's median thickness [m], shape (16,); not a number where none is.

    Parameters
    ----------
    phase : which of the heart's phases.
    """
    grid, tip = _grid(heart, phase)
    inside = rasterised(heart.left.points[phase], heart.left.triangles, grid)
    wall = rasterised(heart.outer.points[phase], heart.outer.triangles, grid) & ~inside
    thickness = wall_thickness(wall, inside, grid)
    at = np.argwhere(wall)
    angle, _, height = heart.frame.to_cylinder(grid.to_space(at))
    top = float(height.max())
    share = (height - tip) / (top - tip)
    number = _segment(angle * _towards_front(heart), share)
    found = thickness[wall]
    # A median: at the rim, and where both meshes touch, single paths run along the wall.
    return np.array([_middle(found[(number == k) & (share > _CAP)]) for k in range(len(SEGMENTS))])


def _grid(heart: CineHeart, phase: int) -> tuple[Grid, float]:
    """Return voxels along the heart's own axes, cut at the base, and the cavity's lowest height."""
    local = (heart.outer.points[phase] - heart.frame.origin) @ heart.frame.axes.T
    cavity = (heart.left.points[phase] - heart.frame.origin) @ heart.frame.axes.T
    # The last point of a mesh is the middle of its lid; the lid's rim lies round it.
    low, high = local.min(axis=0) - 2 * _VOXEL, local.max(axis=0) + 2 * _VOXEL
    rim = cavity[cavity[:, 2] > cavity[-1, 2] - 0.25 * np.ptp(cavity[:, 2])]
    spread = np.hypot(*(rim[:, :2] - cavity[-1, :2]).T)
    high[2] = min(high[2], float(np.quantile(rim[spread > 0.5 * spread.max(), 2], 0.5)))
    shape = np.ceil((high - low) / _VOXEL).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = heart.frame.axes.T * _VOXEL
    affine[:3, 3] = low @ heart.frame.axes + heart.frame.origin
    i, j, k = (int(n) for n in shape)
    return Grid((i, j, k), affine), float(cavity[:, 2].min())


def _towards_front(heart: CineHeart) -> float:
    """Return 1 where angles grow from the septum to the front and head, else -1."""
    return 1.0 if heart.frame.axes[1] @ np.array([0.0, 1.0, 1.0]) > 0.0 else -1.0


def _segment(angle: Floats, share: Floats) -> npt.NDArray[np.int64]:
    """Return segments, from 0, of angles from mid septum to the front [rad] and of heights."""
    turn = np.mod(angle, 2 * np.pi)
    sixths = np.array([1, 0, 5, 4, 3, 2])[np.minimum((turn / (np.pi / 3)).astype(int), 5)]
    quarter = (np.mod(turn + np.pi / 4, 2 * np.pi) // (np.pi / 2)).astype(int) % 4
    fourths = np.array([13, 12, 15, 14])[quarter]
    ring = np.where(share > 2 / 3, sixths, sixths + 6)
    return np.where(share < 1 / 3, fourths, ring)


def _middle(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) >= _LEAST else float("nan")
