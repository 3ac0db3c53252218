"""A whole cine examination of a rendered heart, whose truth is known at every point and phase.

A short-axis stack with gaps and a few long axes, as a department would plan them: not quite along
the heart's axes, each slice in a breath-hold of its own (the heart lies elsewhere, McLeish et al.
2002, doi:10.1109/TMI.2002.804427) and in beats of another length, so that systole takes another
share of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Grid, Volume
from isosoma.imaging.cine_crop import Cut
from isosoma.imaging.render import (
    CLASSES,
    Looks,
    Plane,
    canonical,
    classes_at,
    frame_of,
    picture,
    plane_points,
    random_looks,
)
from isosoma.imaging.synthetic_heart import Heart, random_heart, volumes

__all__ = ["RenderedStudy", "contraction_at", "rendered_study", "true_shares"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_SIDE, _PIXEL = 112, 1.8e-3  # pixels and [m] of a slice
_BREATH = np.array([1.0e-3, 1.2e-3, 2.5e-3])  # [m] to the right, front, head (McLeish et al. 2002)
_LONG = (0.1, -1.0, -0.55)  # [rad] about the axis: four-, two- and three-chamber view, roughly
_ADULT = (60e-6, 320e-6)  # [m3] of a left ventricle whose examination is rendered
_ADULT_EF = (0.15, 0.80)


@dataclass(frozen=True, slots=True, eq=False)
class RenderedStudy:
    """An examination and its truth.

    Attributes
    ----------
    heart : what was rendered; volumes : as a scanner would give them, the stack first.
    contractions : of each slice of each volume at each phase, shapes (slice, phase).
    shifts : where the heart lay in each slice's breath-hold [m], shapes (slice, 3).
    full, empty : left ventricle, its wall and right ventricle [m3] at either end of the beat.
    """

    heart: Heart
    volumes: tuple[Volume, ...]
    contractions: tuple[Floats, ...]
    shifts: tuple[Floats, ...]
    full: tuple[float, float, float]
    empty: tuple[float, float, float]


def contraction_at(share: Floats, systole: float) -> Floats:
    """Return contraction 0 to 1 at shares of the beat: down in systole, up again, then rest."""
    down = np.clip(share / systole, 0, 1)
    up = np.clip((share - systole) / (0.45 - 0.3 * (systole - 0.35)), 0, 1)
    return np.where(share <= systole, 0.5 - 0.5 * np.cos(np.pi * down), 0.5 + 0.5 * np.cos(np.pi * up))  # fmt: skip  # noqa: E501


def rendered_study(seed: int, phases: int = 10) -> RenderedStudy:
    """Return the examination of a random adult heart; the same seed gives the same one."""
    rng = np.random.default_rng([seed, 77])
    heart, full, empty = _adult(rng)
    looks = random_looks(rng)
    planes = [_stack(heart, rng), *([plane] for plane in _long_axes(heart, rng))]
    share, systole = np.arange(phases) / phases, rng.uniform(0.3, 0.42)
    made, times, moved = list[Volume](), list[Floats](), list[Floats]()
    for number, slices in enumerate(planes):
        shifts = rng.normal(0, 1, (len(slices), 3)) * _BREATH
        beats = np.stack([contraction_at(share, systole + d) for d in rng.normal(0, 0.015, len(slices))])  # fmt: skip  # noqa: E501
        made.append(_volume(heart, looks, slices, shifts, beats, share, f"plane {number}"))
        times.append(beats)
        moved.append(shifts)
    return RenderedStudy(heart, tuple(made), tuple(times), tuple(moved), full, empty)


def _adult(
    rng: np.random.Generator,
) -> tuple[Heart, tuple[float, float, float], tuple[float, float, float]]:
    """Return a heart of an adult's size and ejection fraction, with its volumes."""
    while True:
        heart = random_heart(rng)
        full, empty = volumes(heart, 0.0, 2e-3), volumes(heart, 1.0, 2e-3)
        ef = 1 - empty[0] / full[0]
        if _ADULT[0] < full[0] < _ADULT[1] and _ADULT_EF[0] < ef < _ADULT_EF[1]:
            return heart, full, empty


def _stack(heart: Heart, rng: np.random.Generator) -> list[Plane]:
    """Return short-axis planes from below the apex to the atria, apart as departments have them."""
    apex, axes, length = frame_of(heart)
    normal = axes[2] + rng.normal(0, 0.07, 3)
    normal = normal / np.linalg.norm(normal)
    gap = rng.uniform(0.008, 0.018)
    heights = np.arange(-0.1 * length + rng.uniform(0, gap), 1.15 * length, gap)
    along, down = canonical(normal)
    start = apex + 0.012 * axes[0] + rng.normal(0, 0.006, 3)
    return [Plane(start + h * normal, along, down, normal) for h in heights]


def _long_axes(heart: Heart, rng: np.random.Generator) -> list[Plane]:
    """Return two to four long axes, the first of four chambers."""
    apex, axes, length = frame_of(heart)
    made = list[Plane]()
    for k in range(int(rng.integers(2, 5))):
        turn = np.pi / 2 + _LONG[k % 3] + rng.normal(0, 0.15)
        normal = np.cos(turn) * axes[0] + np.sin(turn) * axes[1] + rng.normal(0, 0.05, 3)
        normal /= np.linalg.norm(normal)
        along, down = canonical(normal)
        middle = apex + 0.6 * length * axes[2] + 0.01 * axes[0] + rng.normal(0, 0.003) * normal
        made.append(Plane(middle, along, down, normal))
    return made


def _volume(
    heart: Heart,
    looks: Looks,
    slices: Sequence[Plane],
    shifts: Floats,
    beats: Floats,
    share: Floats,
    name: str,
) -> Volume:
    frames = np.stack(
        [
            picture(heart, looks, Plane(p.middle + s, p.along, p.down, p.normal), b, _SIDE, _PIXEL)
            for p, s, b in zip(slices, shifts, beats, strict=True)
        ]
    )
    first = slices[0]
    step = slices[1].middle - first.middle if len(slices) > 1 else looks.thickness * first.normal
    affine = np.eye(4)
    affine[:3, :3] = np.stack([_PIXEL * first.along, _PIXEL * first.down, step], axis=1)
    affine[:3, 3] = plane_points(first, _SIDE, _PIXEL)[0, 0]
    values = np.ascontiguousarray(frames.transpose(3, 2, 0, 1))
    grid = Grid((_SIDE, _SIDE, len(slices)), affine, "rendered")
    return Volume(grid, values, "1", "MR", share, np.full(len(slices), 0.8), name)


def true_shares(study: RenderedStudy, cut: Cut) -> Singles:
    """Return what a perfect network would say of a cut, shape (phase, class, row, column)."""
    at = plane_points(cut.plane) + study.shifts[cut.volume][cut.slice]
    beats = study.contractions[cut.volume][cut.slice]
    said = np.stack([classes_at(study.heart, at, float(c)) for c in beats])
    return np.stack([said == k for k in range(len(CLASSES))], axis=1).astype(np.float32)
