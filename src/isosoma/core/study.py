"""Images of one examination: voxels, where they lie in the body, and when within the beat.

Space is RAS, as NIfTI has it, in metres: x grows to the person's right, y to the front, z to the
head. A voxel's coordinates (i, j, k) mean its centre; an affine is 4 x 4, voxel to space.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError

__all__ = ["Grid", "Volume"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where voxels lie.

    Attributes
    ----------
    shape : voxels along i, j, k.
    affine : voxel to RAS [m], shape (4, 4).
    frame : FrameOfReferenceUID, or another name of the coordinate system; grids of different
        frames must not be compared.
    """

    shape: tuple[int, int, int]
    affine: Floats
    frame: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no grid."""
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all():
            raise RangeError("an affine is 4 x 4 finite numbers", todo="Export the images again")
        if abs(np.linalg.det(self.affine[:3, :3])) < 1e-18:
            raise RangeError("the affine is flat: a voxel has no volume", todo="Export them again")

    @property
    def spacing(self) -> Floats:
        """Return the distance of neighbouring voxels along i, j, k [m]."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel(self) -> float:
        """Return the volume of a voxel [m3]."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_space(self, index: npt.ArrayLike) -> Floats:
        """Return RAS points [m], shape (..., 3), of voxel coordinates (..., 3)."""
        return np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, points: npt.ArrayLike) -> Floats:
        """Return voxel coordinates, shape (..., 3), of RAS points [m]."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(points, float) @ inverse[:3, :3].T + inverse[:3, 3]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Numbers on a grid, at one or more phases of the beat.

    Attributes
    ----------
    values : float32, shape (i, j, k, phase); one phase where nothing moves.
    unit : ``HU`` of CT, ``1`` of what has no unit (MR signal, probability).
    modality : of DICOM, ``CT``, ``MR``; empty where a format does not say.
    phases : share of the cycle since the R peak, shape (phase,).
    periods : RR interval of each slice [s], shape (k,); empty where nothing moves. Slices of a cine
        are taken in different beats: phases agree between them, times do not.
    name : what the examination calls it; free text, never a plane detector.
    decisions : what the reader decided, and what it left out and why.
    """

    grid: Grid
    values: npt.NDArray[np.float32]
    unit: str = "1"
    modality: str = ""
    phases: Floats = field(default_factory=lambda: np.zeros(1))
    periods: Floats = field(default_factory=lambda: np.zeros(0))
    name: str = ""
    decisions: tuple[str, ...] = ()
