"""Where the beating heart lies in a cine examination, and its pictures all cut and turned alike.

What beats changes once a beat: the first harmonic over the phases is largest in the heart (Lin,
Cowan & Young 2006, MICCAI, doi:10.1007/11866565_23).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid, Volume
from isosoma.imaging.render import SIDE, Plane, canonical, plane_points

__all__ = ["Cut", "cut_numbers", "cuts", "heart_middle", "short_axis"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_BLUR = 6e-3  # [m], of the harmonic: over vessels and noise
_LEAST_SLICES = 3
_LEAST_PHASES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A slice cut around the heart.

    Attributes
    ----------
    plane : its place; frames : shape (phase, row, column).
    short_axis : whether it is of the short-axis stack; volume, slice : where it came from.
    """

    plane: Plane
    frames: Singles
    short_axis: bool
    volume: int
    slice: int


def short_axis(volumes: Sequence[Volume]) -> int:
    """Return which volume is the short-axis stack: the moving one of most slices.

    Raises
    ------
    RangeError
        None has three slices and eight phases.
    """

    def slices(k: int) -> int:
        shape = volumes[k].values.shape
        return shape[2] if shape[3] >= _LEAST_PHASES else 0

    best = max(range(len(volumes)), key=slices, default=-1)
    if best < 0 or slices(best) < _LEAST_SLICES:
        raise RangeError(
            "no cine stack of three slices and eight phases", todo="Add the short axis"
        )
    return best


def heart_middle(stack: Volume) -> Floats:
    """Return the middle of what beats [m]."""
    harmonic = np.abs(np.fft.rfft(stack.values, axis=3)[..., 1])
    pixels = _BLUR / stack.grid.spacing[:2]
    energy = np.stack(
        [gaussian_filter(harmonic[:, :, k], pixels) for k in range(harmonic.shape[2])], 2
    )
    flat = energy.sum(axis=2)
    weight = np.where(flat > flat.max() / 2, flat, 0)
    i, j = (float((weight.sum(axis=1 - a) * np.arange(weight.shape[a])).sum()) for a in (0, 1))
    i, j = i / weight.sum(), j / weight.sum()
    per_slice = (energy * (weight > 0)[:, :, None]).sum(axis=(0, 1))
    k = float((per_slice * np.arange(len(per_slice))).sum() / per_slice.sum())
    return stack.grid.to_space(np.array([i, j, k]))


def cuts(volumes: Sequence[Volume], middle: Floats) -> list[Cut]:
    """Return every moving slice around the heart, in one orientation rule and pixel size.

    All have the phases of the short-axis stack; another count is resampled by share of the beat.
    """
    stack = short_axis(volumes)
    phases = volumes[stack].phases
    made = list[Cut]()
    for v, k in cut_numbers(volumes):
        plane = _plane(volumes[v].grid, k, middle)
        frames = _by_phase(_sampled(volumes[v], k, plane), volumes[v].phases, phases)
        made.append(Cut(plane, frames, v == stack, v, k))
    return made


def cut_numbers(volumes: Sequence[Volume]) -> dict[tuple[int, int], int]:
    """Return the number of each moving slice by its volume and place in it, in their order."""
    moving = [v for v, volume in enumerate(volumes) if volume.values.shape[3] >= _LEAST_PHASES]
    pairs = [(v, k) for v in moving for k in range(volumes[v].values.shape[2])]
    return {pair: number for number, pair in enumerate(pairs)}


def _plane(grid: Grid, k: int, middle: Floats) -> Plane:
    """Return the plane of slice k, around the foot of the heart's middle."""
    i, j = grid.affine[:3, 0], grid.affine[:3, 1]
    normal = np.cross(i, j)
    normal /= np.linalg.norm(normal)
    corner = grid.to_space([0.0, 0.0, float(k)])
    foot = middle - ((middle - corner) @ normal) * normal
    along, down = canonical(normal)
    return Plane(foot, along, down, normal)


def _sampled(volume: Volume, k: int, plane: Plane) -> Singles:
    index = volume.grid.to_index(plane_points(plane).reshape(-1, 3))[:, :2].T
    frames = [
        map_coordinates(volume.values[:, :, k, t], index, order=1, mode="constant", cval=0.0)
        for t in range(volume.values.shape[3])
    ]
    return np.stack(frames).reshape(-1, SIDE, SIDE).astype(np.float32)


def _by_phase(frames: Singles, has: Floats, wants: Floats) -> Singles:
    """Return frames at other shares of the beat, linearly and round the beat."""
    if len(has) == len(wants) and np.allclose(has, wants, atol=0.01):
        return frames
    at = np.interp(wants, np.r_[has, has[0] + 1], np.arange(len(has) + 1))
    low = np.floor(at).astype(int)
    part = (at - low).astype(np.float32)[:, None, None]
    made = frames[low % len(has)] * (1 - part) + frames[(low + 1) % len(has)] * part
    return made.astype(np.float32)
