"""Cine MR pictures rendered from random hearts: any plane, any phase, random looks, known truth.

Looks are random on purpose, far beyond what a scanner gives (domain randomisation, Tobin et al.
2017, IROS, doi:10.1109/IROS.2017.8202133): what learns from these pictures must not care about
contrast, noise, the coil's bias, blur, fat, lung, liver, flow, or where the picture ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

from isosoma.imaging.synthetic_heart import (
    AORTA,
    ATRIA,
    LV,
    OUTSIDE,
    PAPILLARY,
    RV,
    WALL,
    Heart,
    labels_at,
    template,
)

__all__ = ["CLASSES", "PIXEL", "SIDE", "Looks", "Plane", "canonical", "classes_at", "picture",
           "plane_points", "random_looks", "random_plane"]  # fmt: skip

Floats = npt.NDArray[np.float64]

SIDE, PIXEL = 96, 1.8e-3  # pixels and [m]: 173 mm, a heart with its atria
CLASSES = ("background", "left ventricle", "wall", "right ventricle", "atria")
_CLASS = np.zeros(9, np.uint8)
_CLASS[[LV, PAPILLARY, WALL, RV, *ATRIA]] = [1, 1, 2, 3, 4, 4]
_SUPER = np.array([[-0.25, -0.25], [-0.25, 0.25], [0.25, -0.25], [0.25, 0.25]])  # [pixel]
_THROUGH = np.array([-0.375, 0.125, -0.125, 0.375])  # [thickness] of each subpixel


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A picture's place: middle [m], and unit vectors along columns, rows and through it."""

    middle: Floats
    along: Floats
    down: Floats
    normal: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """How a scene looks: everything but the heart's shape.

    Attributes
    ----------
    signal : of labels 0 to 8, of fat, muscle, lung, liver and stomach; shape (14,).
    fat : thickness around the heart [m]; thorax : half widths right, front [m] and layers [m].
    dome : height of the diaphragm under the heart's middle [m], its slopes, stomach's edge [m].
    bias, noise, blur, texture : strengths; thickness : of the slice [m].
    seed : of what is drawn per picture.
    """

    signal: Floats
    fat: float
    thorax: Floats
    dome: Floats
    bias: float
    noise: float
    blur: float
    texture: float
    thickness: float
    seed: int


def canonical(normal: Floats, turn: float = 0.0) -> tuple[Floats, Floats]:
    """Return columns and rows of a picture: to the person's left, then to back and feet.

    One rule for every plane, whichever way the scanner turned the picture.
    """
    left = np.array([-1.0, 0.0, 0.0])
    along = left - (left @ normal) * normal
    if np.linalg.norm(along) < 0.15:  # a sagittal plane: columns to the front
        along = np.array([0.0, 1.0, 0.0]) - normal[1] * normal
    along = along / np.linalg.norm(along)
    down = np.cross(normal, along)
    down = down if down @ np.array([0.0, -1.0, -1.0]) > 0 else -down
    return (
        np.cos(turn) * along + np.sin(turn) * down,
        np.cos(turn) * down - np.sin(turn) * along,
    )


def plane_points(plane: Plane, side: int = SIDE, pixel: float = PIXEL) -> Floats:
    """Return where the pixels lie [m], shape (side, side, 3), rows first."""
    at = (np.arange(side) - (side - 1) / 2) * pixel
    return plane.middle + at[None, :, None] * plane.along + at[:, None, None] * plane.down


def frame_of(heart: Heart) -> tuple[Floats, Floats, float]:
    """Return a heart's apex, its axes as rows, and its length to the base [m]."""
    t = template()
    axes = t.axes @ heart.turn.T
    length = t.length * heart.stretch[2]
    return heart.centre - 0.6 * length * axes[2], axes, length


def random_plane(heart: Heart, rng: np.random.Generator) -> Plane:
    """Return a short axis (half of them), a long axis or any plane through the heart."""
    apex, axes, length = frame_of(heart)
    kind = rng.random()
    if kind < 0.55:
        height = rng.uniform(-0.15, 1.3) * length
        middle = apex + height * axes[2]
        middle = middle + 0.015 * axes[0]
        normal = axes[2] + rng.normal(0, 0.12, 3)
    else:
        turn = rng.uniform(0, np.pi)
        normal = np.cos(turn) * axes[0] + np.sin(turn) * axes[1] + rng.normal(0, 0.1, 3)
        middle = apex + 0.65 * length * axes[2] + 0.01 * axes[0]
        middle = middle + normal * rng.normal(0, 0.007 if kind < 0.9 else 0.025)
    normal = normal / np.linalg.norm(normal)
    along, down = canonical(normal, rng.normal(0, 0.25))
    jitter = rng.normal(0, 0.011, 2)
    return Plane(middle + jitter[0] * along + jitter[1] * down, along, down, normal)


def random_looks(rng: np.random.Generator) -> Looks:
    """Return random looks: mostly those of a steady-state cine, at times of none."""
    blood = rng.uniform(0.8, 1.2, 9)
    wild = rng.random() < 0.15
    wall = rng.uniform(0.08, 0.65)
    others = np.array(
        [rng.uniform(0.4, 2.2), rng.uniform(0.1, 0.5), rng.uniform(0.0, 0.2),
         rng.uniform(0.1, 0.7), rng.uniform(0.05, 0.9)]
    )  # fmt: skip
    signal = np.r_[0.1, wall, blood[2:8], wall * rng.uniform(0.9, 1.5)]
    signal = np.r_[signal, rng.uniform(0, 1.2, 5) if wild else others]
    return Looks(
        signal=signal,
        fat=max(0.0, rng.normal(0.002, 0.003)),
        thorax=np.array([rng.uniform(0.11, 0.17), rng.uniform(0.07, 0.12),
                         rng.uniform(0.005, 0.03), rng.uniform(0.005, 0.05)]),
        dome=np.array([rng.uniform(-0.06, -0.02), *rng.normal(0, 0.25, 2),
                       rng.normal(-0.02, 0.04)]),
        bias=rng.uniform(0, 0.5),
        noise=rng.uniform(0.005, 0.07),
        blur=rng.uniform(0.3, 1.0),
        texture=rng.uniform(0.02, 0.2),
        thickness=rng.uniform(0.004, 0.010),
        seed=int(rng.integers(1 << 31)),
    )  # fmt: skip


def classes_at(heart: Heart, points: Floats, contraction: float) -> npt.NDArray[np.uint8]:
    """Return the class (of `CLASSES`) of points (..., 3)."""
    labels, _ = labels_at(heart, points.reshape(-1, 3), contraction)
    return _CLASS[labels].reshape(points.shape[:-1])


def _smooth(rng: np.random.Generator, side: int, cells: int) -> Floats:
    """Return a random smooth picture of unit spread."""
    coarse = rng.normal(0, 1, (cells + 3, cells + 3))
    return np.asarray(zoom(coarse, side / (cells + 1), order=3))[:side, :side]


def _surroundings(looks: Looks, offset: Floats, rng: np.random.Generator) -> Floats:
    """Return the signal of what is not heart, at offsets [m] from its middle, shape (..., 3)."""
    _, muscle, lung, liver, stomach = looks.signal[9:]
    fat = looks.signal[9]
    x, y, z = np.moveaxis(offset, -1, 0)
    side = x.shape[0]
    bump = 0.006 * _smooth(rng, side, 4)
    out = np.full(x.shape, lung)
    vessels = _smooth(rng, side, int(rng.integers(14, 26)))
    out[vessels > 2.1] = looks.signal[AORTA]
    under = z < looks.dome[0] + looks.dome[1] * (x - 0.03) + looks.dome[2] * y + bump
    left = x + bump < looks.dome[3]
    out[under] = np.where(left, stomach, liver)[under]
    spots = _smooth(rng, side, int(rng.integers(8, 20)))
    out[under & (spots > 1.9)] = rng.uniform(0.3, 1.2)
    wide, deep, muscles, fats = looks.thorax
    far = np.hypot((x - 0.03) / wide, (y + 0.02) / deep)
    beyond = (far - 1) * min(wide, deep) + bump
    ribs = _smooth(rng, side, 10) > 0.9
    out = np.where(beyond > 0, np.where(ribs, rng.uniform(0, 0.7), muscle), out)
    out = np.where(beyond > muscles, fat, out)
    out = np.where(beyond > muscles + fats, 0.0, out)
    aorta = np.hypot(x - rng.normal(-0.005, 0.012), y - rng.normal(-0.075, 0.01))
    out = np.where(aorta < 0.011, looks.signal[AORTA], out)
    spine = np.hypot(x - 0.03, y + 0.105)
    return np.where((spine < 0.022) & (aorta > 0.012), rng.uniform(0.2, 0.7), out)


def picture(
    heart: Heart,
    looks: Looks,
    plane: Plane,
    contractions: Floats,
    side: int = SIDE,
    pixel: float = PIXEL,
) -> npt.NDArray[np.float32]:
    """Return pictures of one plane, a phase each, shape (phase, row, column), blood near 1."""
    rng = np.random.default_rng(looks.seed)
    grid = plane_points(plane, side, pixel)
    offset = _SUPER[:, 0, None] * plane.along + _SUPER[:, 1, None] * plane.down
    fine = (
        grid + (pixel * offset + looks.thickness * _THROUGH[:, None] * plane.normal)[:, None, None]
    )
    around = _surroundings(looks, grid - heart.centre, rng)
    rough = looks.texture * _smooth(rng, side, side // 3) * np.where(around > 0.02, 1, 0)
    flow = looks.texture * _smooth(rng, side, int(rng.integers(6, 16)))
    dots = rng.uniform(0.0, 1.0) < 0.5
    field = np.exp(looks.bias * _smooth(rng, side, 1) + 0.3 * looks.bias * _smooth(rng, side, 3))
    rim = looks.fat * (1 + 0.8 * _smooth(rng, side, 5))
    signal = looks.signal[:9]
    made = list[Floats]()
    for contraction in contractions:
        labels, away = labels_at(heart, fine.reshape(-1, 3), float(contraction))
        labels = labels.reshape(fine.shape[:-1])
        away = away.reshape(labels.shape)
        near = np.where(away < 0.0016, looks.signal[10], looks.signal[9])
        fat = (away < np.maximum(rim, 0.0016)) & (labels == OUTSIDE)
        value = np.where(labels == OUTSIDE, np.where(fat, near, around), signal[labels])
        value = value.mean(axis=0)
        inside = (labels != OUTSIDE).mean(axis=0)
        stir = flow + (looks.texture * _smooth(rng, side, 12) if dots else 0.0)
        value = value * (1 + inside * stir + (1 - inside) * rough)
        value = gaussian_filter(value, looks.blur) * field
        noise = rng.normal(0, looks.noise, (2, side, side))
        made.append(np.hypot(np.maximum(value, 0) + noise[0], noise[1]))
    return np.array(made, np.float32)
