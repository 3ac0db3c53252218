"""The true and the false lumen of a dissected aorta, told apart by contrast of an early phase.

Blood of the true lumen comes straight from the heart and is bright as the root's; that of the false
one comes late through tears. Where both are alike, contrast cannot tell them: that is said, and
nothing is split.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, binary_erosion, binary_opening, gaussian_filter, label

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid

__all__ = ["Blood", "Lumens", "blood_levels", "lumens"]

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.floating]

_BLUR = 0.7  # [voxel] against noise
_LEAST = 0.03  # share of the aorta: a smaller dim part is wall and partial volume
_APART = 3.0  # [sigma of the noise] between the pools' levels


@dataclass(frozen=True, slots=True)
class Blood:
    """Levels of an image: in the contrast-filled lumen, and in the tissue around it [HU]."""

    lumen: float
    tissue: float

    @property
    def half(self) -> float:
        """Return the level of the border [HU]."""
        return (self.lumen + self.tissue) / 2

    def shifted(self, share: float) -> Blood:
        """Return levels whose half is moved by `share` of the contrast."""
        move = share * (self.lumen - self.tissue)
        return Blood(self.lumen + move, self.tissue + move)


@dataclass(frozen=True, slots=True, eq=False)
class Lumens:
    """What belongs to which lumen.

    Attributes
    ----------
    true, false : shape (i, j, k); `false` is empty where there is one lumen, or nothing is told.
    true_volume, false_volume : [m3].
    apart : difference of the two levels in sigmas of the noise [1]; 0 with one lumen.
    said : what was found, and what speaks against it, in a sentence.
    """

    true: Mask
    false: Mask
    true_volume: float
    false_volume: float
    apart: float
    said: str


def blood_levels(values: Values) -> Blood:
    """Return the levels of contrast-filled blood and of soft tissue, from the image [HU].

    Soft tissue is the highest peak of 0 to 120 HU, blood the highest peak above 200 that stands out
    by a quarter of its height: dense contrast in veins and bone make no peak as narrow.

    Raises
    ------
    RangeError
        No blood stands out: the CT has no contrast, or it has not come yet.
    """
    from scipy.signal import find_peaks

    count, edge = np.histogram(values, bins=np.arange(-200.0, 1000.0, 10.0))
    smooth = gaussian_filter(count.astype(float), 1.5)
    middle = (edge[:-1] + edge[1:]) / 2
    soft = (middle >= 0) & (middle <= 120)
    tissue = float(middle[soft][np.argmax(smooth[soft])])
    peaks, facts = find_peaks(smooth, prominence=0)
    stands = (middle[peaks] > 200) & (facts["prominences"] > smooth[peaks] / 4)
    if not stands.any():
        said = "no contrast-filled blood stands out in the image"
        raise RangeError(said, todo="Use a CT angiogram of arterial phase")
    best = peaks[stands][np.argmax(smooth[peaks[stands]])]
    return Blood(float(middle[best]), tissue)


def lumens(values: Values, grid: Grid, aorta: Mask, blood: Blood) -> Lumens:
    """Return the lumens inside the mask of a whole aorta.

    Parameters
    ----------
    values : [HU]. aorta : true and false lumen together, as a segmentation or a reader gives it.
    blood : levels of the image; the true lumen has that of the blood.
    """
    if not aorta.any():
        raise RangeError("the aorta's mask is empty", todo="Segment again")
    smooth = gaussian_filter(values.astype(np.float32), _BLUR)
    core = _core(aorta)  # partial volume at the wall is a third class, and no lumen
    level = _border(np.clip(smooth, blood.tissue - 100, blood.lumen), core if core.any() else aorta)
    dim = aorta & (smooth <= level)
    seed = _piece(np.asarray(binary_opening(dim, iterations=2), np.bool_))
    false = np.asarray(binary_dilation(seed, iterations=3), np.bool_) & dim
    true = _piece(aorta & ~false)
    share = float(false.sum() / aorta.sum())
    noise = float(np.median(np.abs(values[true] - np.median(values[true])))) * 1.4826
    bright, dim = float(np.median(values[true])), _plateau(values, false)
    apart = (bright - dim) / max(noise, 1.0)
    nothing = np.zeros_like(aorta)
    if share < _LEAST or not _thick(false):
        said = "one lumen: no part of the aorta is dim beyond its wall"
        return Lumens(aorta, nothing, aorta.sum() * grid.voxel, 0.0, 0.0, said)
    if apart < _APART:
        said = f"ambiguous: two parts differ by {apart:.1f} sigma of the noise; nothing was split"
        return Lumens(aorta, nothing, aorta.sum() * grid.voxel, 0.0, apart, said)
    true = aorta & ~false
    said = (
        f"two lumens, {bright:.0f} and {dim:.0f} HU, {apart:.1f} sigma of the noise apart; a clot "
        "on the wall looks like a false lumen without flow"
    )
    bright_volume, dim_volume = (float(m.sum() * grid.voxel) for m in (true, false))
    return Lumens(true, false, bright_volume, dim_volume, apart, said)


def _border(smooth: Values, core: Mask) -> float:
    """Return the level between the brightest blood and what is dimmer, in the core of an aorta.

    A false lumen fills from above: its blood may itself have two levels. So three classes are
    tried first (Otsu 1979, doi:10.1109/TSMC.1979.4310076), and two where the upper two are one, or
    where the middle one is a rind: the slope from one lumen to the other, and no blood.
    """
    from skimage.filters import threshold_multiotsu, threshold_otsu

    inside = smooth[core]
    low, high = (float(t) for t in threshold_multiotsu(inside, 3))
    bright, middle = inside[inside > high], inside[(inside > low) & (inside <= high)]
    if min(len(bright), len(middle)) < _LEAST * len(inside):
        return float(threshold_otsu(inside))
    spread = 1.4826 * float(np.median(np.abs(bright - np.median(bright))))
    between = float(np.median(bright) - np.median(middle))
    pool = _thick(core & (smooth > low) & (smooth <= high))
    apart = pool and between > _APART * max(spread, 1.0)
    return high if apart else float(threshold_otsu(inside))


def _piece(mask: Mask) -> Mask:
    """Return the largest piece of a mask; nothing of nothing."""
    names, count = label(mask)  # pyright: ignore[reportGeneralTypeIssues] - untyped in scipy
    if count == 0:
        return np.zeros_like(mask)
    return np.asarray(names == np.argmax(np.bincount(names.ravel())[1:]) + 1)


def _core(mask: Mask) -> Mask:
    return np.asarray(binary_erosion(mask, iterations=2), np.bool_)


def _thick(mask: Mask) -> bool:
    """Say whether a part is more than a rind: a tenth of it is two voxels from its border."""
    return bool(mask.any() and _core(mask).sum() > 0.1 * mask.sum())


def _plateau(values: Values, mask: Mask) -> float:
    core = _core(mask)
    chosen = core if core.any() else mask
    return float(np.median(values[chosen])) if chosen.any() else 0.0
