"""What a segmentation says: labels, how sure each is, how good it looks, and what made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid

__all__ = ["Segmentation", "dice"]


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Labels on a grid.

    Attributes
    ----------
    labels : shape (i, j, k) of the grid; 0 is what nobody named.
    names : word of each label, `names[0]` of what nobody named.
    probability : of the label that each voxel has, shape (i, j, k), 0 to 1.
    quality : 0 (do not use) to 1 (nothing to object), the least of the checks.
    problems : a sentence for each check that fell short: what, and what it means.
    made_by : name and version of the method, with the digest of its weights.
    """

    grid: Grid
    labels: npt.NDArray[np.uint8]
    names: tuple[str, ...]
    probability: npt.NDArray[np.float32]
    quality: float
    problems: tuple[str, ...]
    made_by: str

    def mask(self, name: str) -> npt.NDArray[np.bool_]:
        """Return where a label is."""
        if name not in self.names:
            known = ", ".join(self.names[1:])
            raise RangeError(f"no label is called {name!r}", todo=f"Choose one of {known}")
        return self.labels == self.names.index(name)

    def volume(self, name: str) -> float:
        """Return the volume of a label [m3]."""
        return float(self.mask(name).sum() * self.grid.voxel)


def dice(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    """Return the overlap of two masks, 2 |a b| / (|a| + |b|) (Dice 1945, doi:10.2307/1932409)."""
    return float(2 * np.count_nonzero(a & b) / max(np.count_nonzero(a) + np.count_nonzero(b), 1))
