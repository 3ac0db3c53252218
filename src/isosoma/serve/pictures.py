"""The pictures of a patient as the page shows them: slices, phases, and the heart found in them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import AccessError, BusyError, VocabularyError
from isosoma.core.study import Volume
from isosoma.imaging.cine import CineHeart
from isosoma.imaging.cine_crop import cut_numbers, short_axis
from isosoma.imaging.outline import outlines
from isosoma.imaging.reader_contours import ReaderContour, fitted_again

__all__ = ["STRUCTURES", "Pictures"]

STRUCTURES = ("left", "outer", "right")
"""Parts of a `CineHeart` that are drawn as contours."""
_CORRECTED = ", corrected by "
_FULL = 65535  # of a picture's values as they are sent
_USUAL = (1.0, 99.5)  # percentiles between which a picture is shown at first


@dataclass(slots=True, eq=False)
class Pictures:
    """What is shown of one examination.

    Attributes
    ----------
    volumes : stacks, in the order in which they are listed.
    heart : what was found in them; None until it is, or where nothing was.
    said : why there is no heart, or how far its finding is.
    told_of : hears of each heart that was fitted again to a reader's contours.
    drawn : those contours, oldest first.
    date : of the pictures, empty where it is not told. source : digest of their files.
    """

    volumes: tuple[Volume, ...]
    heart: CineHeart | None = None
    said: str = ""
    told_of: Callable[[CineHeart], Any] = lambda heart: None
    drawn: list[ReaderContour] = field(default_factory=list[ReaderContour])
    date: str = ""
    source: str = ""
    _fitting: threading.Lock = field(default_factory=threading.Lock)

    def told(self) -> dict[str, Any]:
        """Return the list of stacks: shape, place [mm, RAS], phases, range of values."""
        return {
            "stacks": [
                _stack(v) | {"corrected": self._correctable(n)} for n, v in enumerate(self.volumes)
            ],
            "heart": None if self.heart is None else _figures(self.heart),
            "said": self.said,
            "corrections": len(self.drawn),
        }

    def values(self, stack: int, k: int) -> bytes:
        """Return slice `k` at all phases: little-endian uint16, (phase, row, column), scaled to
        the range of its stack.

        Raises
        ------
        VocabularyError
            There is no such slice.
        """
        volume = self._volume(stack, k)
        low, high = _range(volume)
        share = (volume.values[:, :, k] - low) / max(high - low, 1e-30)
        whole = np.round(np.clip(share, 0, 1) * _FULL).astype("<u2")
        return np.ascontiguousarray(np.moveaxis(whole, (2, 1, 0), (0, 1, 2))).tobytes()

    def contours(self, stack: int, k: int) -> dict[str, Any]:
        """Return the heart's contours in a slice, by structure and phase: loops of (x, y) [pixel].

        Raises
        ------
        VocabularyError
            There is no such slice.
        """
        volume = self._volume(stack, k)
        if self.heart is None:
            return {}
        when, moved = nearest(volume.phases, self.heart.phases), self._moved(stack, k)
        found = dict[str, Any]()
        for name in STRUCTURES:
            part = getattr(self.heart, name)
            loops = [outlines(p - moved, part.triangles, volume.grid, k) for p in part.points]
            found[name] = [[loop.round(2).tolist() for loop in loops[t]] for t in when]
        return found

    def correct(self, contour: ReaderContour) -> None:
        """Fit the heart again to a reader's contour, beside those that were drawn before.

        Raises
        ------
        InputError
            The contour cannot be used; nothing is changed.
        AccessError
            There is no heart to correct.
        BusyError
            It is being fitted already.
        """
        others = [c for c in self.drawn if _where(c) != _where(contour)]
        self._fit([*others, contour])

    def undo(self) -> None:
        """Take the last contour back, and fit again."""
        if not self.drawn:
            raise AccessError("nothing was corrected", "pictures")
        self._fit(self.drawn[:-1])

    def _fit(self, drawn: list[ReaderContour]) -> None:
        old = self.heart
        if old is None or old.marks is None:
            raise AccessError("there is no heart to correct", "pictures", "Wait until it is found")
        if not self._fitting.acquire(blocking=False):
            raise BusyError("the heart is being fitted", "pictures", "Wait until it is done")
        try:
            made_by = old.made_by.partition(_CORRECTED)[0]
            if drawn:
                made_by += _CORRECTED + ", ".join(dict.fromkeys(c.by for c in drawn))
            self.heart = fitted_again(old, drawn, self.volumes, made_by)
            self.drawn = drawn
            self.told_of(self.heart)
        finally:
            self._fitting.release()

    def _correctable(self, stack: int) -> bool:
        if self.heart is None or self.heart.marks is None:
            return False
        return stack == short_axis(self.volumes)

    def _moved(self, stack: int, k: int) -> npt.NDArray[np.float64]:
        """Return by how much the heart was moved [m] from where this slice shows it."""
        number = cut_numbers(self.volumes).get((stack, k))
        if self.heart is None or self.heart.moved is None or number is None:
            return np.zeros(3)
        return self.heart.moved[number]

    def _volume(self, stack: int, k: int) -> Volume:
        if not 0 <= stack < len(self.volumes):
            said = f"there is no stack {stack}"
            raise VocabularyError(said, "pictures", f"There are {len(self.volumes)}, from 0")
        volume = self.volumes[stack]
        if not 0 <= k < volume.grid.shape[2]:
            said = f"stack {stack} has no slice {k}"
            raise VocabularyError(said, "pictures", f"It has {volume.grid.shape[2]}, from 0")
        return volume


def nearest(asked: npt.NDArray[np.float64], known: npt.NDArray[np.float64]) -> list[int]:
    """Return for each share of the beat the index of the nearest known one, round the beat."""
    apart = np.abs(asked[:, None] - known[None])
    return np.minimum(apart, 1 - apart).argmin(axis=1).tolist()


def _where(contour: ReaderContour) -> tuple[int, int, int, str]:
    return contour.volume, contour.slice, contour.phase, contour.structure


def _range(volume: Volume) -> tuple[float, float]:
    return float(volume.values.min()), float(volume.values.max())


def _stack(volume: Volume) -> dict[str, Any]:
    low, high = _range(volume)
    some = volume.values[:, :, :: max(1, volume.values.shape[2] // 8)]
    affine = volume.grid.affine.copy()
    affine[:3] *= 1e3
    rr = volume.periods
    return {
        "name": volume.name or volume.modality or "pictures",
        "modality": volume.modality,
        "unit": volume.unit,
        "shape": list(volume.grid.shape),
        "spacing_mm": np.round(volume.grid.spacing * 1e3, 4).tolist(),
        "affine_ras_mm": affine.round(6).tolist(),
        "phases": volume.phases.round(4).tolist(),
        "cycle_s": float(np.mean(rr)) if len(rr) else None,
        "range": [low, high],
        "window": np.percentile(some, _USUAL).tolist(),
        "decisions": list(volume.decisions),
    }


def _figures(heart: CineHeart) -> dict[str, Any]:
    """Return the curves [mL] and what they rest on."""
    return {
        "phases": heart.phases.round(4).tolist(),
        "left_ml": (heart.left.volume * 1e6).round(1).tolist(),
        "right_ml": (heart.right.volume * 1e6).round(1).tolist(),
        "half_width_ml": round(heart.sigma["edv"] * 1e6, 1),
        "systolic_half_width_ml": round(heart.sigma["esv"] * 1e6, 1),
        "ejection_fraction": round(heart.ejection_fraction, 3),
        "ejection_fraction_half_width": round(heart.sigma["ef"], 3),
        "quality": round(heart.quality, 2),
        "doubts": list(heart.doubts),
        "made_by": heart.made_by,
    }
