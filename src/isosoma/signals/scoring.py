"""How well beats were found: the rule by which every figure of the beat detectors is made.

Channel 0 and the whole record count (stricter than ANSI/AAMI EC57, which leaves out the first five
minutes). Beats and detections inside fibrillation are dropped. Both sorted lists are walked: a
pair within the tolerance matches, one to one; where the next detection is nearer to the same beat,
the current one is skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["Score", "drop", "f1", "match", "roc_area", "score"]

Ints = npt.NDArray[np.int64]


class Score(NamedTuple):
    """Counts of one record or many: matches, beats, detections."""

    matched: int
    beats: int
    detections: int

    def __add__(self, other: object) -> Score:
        if not isinstance(other, Score):
            return NotImplemented
        return Score(*(a + b for a, b in zip(self, other, strict=True)))


@njit(cache=True, nogil=True)
def _walk(beats: Ints, found: Ints, reach: int, pair: Ints) -> None:
    i, j = 0, 0
    while i < len(beats) and j < len(found):
        away = abs(found[j] - beats[i])
        if away <= reach:
            if j + 1 < len(found) and abs(found[j + 1] - beats[i]) < away:
                j += 1
                continue
            pair[i] = j
            i, j = i + 1, j + 1
        elif found[j] < beats[i]:
            j += 1
        else:
            i += 1


def match(beats: Ints, found: Ints, reach: int) -> Ints:
    """Return for each beat the index of its detection, -1 where it was missed.

    Parameters
    ----------
    beats, found : sorted sample numbers, shapes (b,) and (d,).
    reach : tolerance [samples], inclusive.
    """
    pair = np.full(len(beats), -1, np.int64)
    _walk(np.asarray(beats, np.int64), np.asarray(found, np.int64), reach, pair)
    return pair


def drop(samples: Ints, spans: Iterable[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Return which of `samples`, shape (n,), lie in none of the closed `spans`."""
    keep = np.ones(len(samples), np.bool_)
    for a, b in spans:
        keep &= (samples < a) | (samples > b)
    return keep


def score(beats: Ints, found: Ints, reach: int, without: Sequence[tuple[int, int]] = ()) -> Score:
    """Count matches; beats and detections inside `without` do not count."""
    beats, found = np.sort(beats), np.sort(found)
    beats, found = beats[drop(beats, without)], found[drop(found, without)]
    return Score(int((match(beats, found, reach) >= 0).sum()), len(beats), len(found))


def f1(counted: Score) -> float:
    """Return 2 TP / (beats + detections); 1 where there was nothing to find and nothing found."""
    whole = counted.beats + counted.detections
    return 2.0 * counted.matched / whole if whole else 1.0


def roc_area(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    """Return the area under the ROC curve, ties counting half (Mann & Whitney 1947)."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.sum() / (2.0 * len(positive) * len(negative)))
