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
    BANDS,
    BETWEEN,
    LEAFLETS,
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
_CLASS = np.zeros(BETWEEN + 1, np.uint8)
_CLASS[[LV, PAPILLARY, LEAFLETS[0], WALL]] = [1, 1, 1, 2]
_CLASS[[RV, BANDS, LEAFLETS[1], *ATRIA]] = [3, 3, 3, 4, 4]
_FAT, _MUSCLE, _LUNG, _LIVER, _STOMACH = range(BETWEEN + 1, BETWEEN + 6)  # after the labels
_THIN = 1.6e-3  # [m], of a wall that is thinner than the template's cells
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
    signal : of labels 0 to 12, of fat, muscle, lung, liver and stomach; shape (18,).
    fat : thickness around the heart [m]; thorax : half widths right, front [m] and layers [m].
    dome : height of the diaphragm under the heart's middle [m], its slopes, stomach's edge [m].
    bias, noise, blur, texture : strengths; thickness : of the slice [m].
    ink : 1 where fat is against water's phase, so that a pixel of both is dark; -1 where it adds.
    bands : depth of the dark bands that a steady state off resonance has.
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
    ink: float
    bands: float
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
    wild = rng.random() < 0.12
    return Looks(
        signal=_signals(rng, wild),
        fat=float(rng.exponential(0.003)),
        thorax=np.array([rng.uniform(0.10, 0.17), rng.uniform(0.06, 0.12),
                         rng.uniform(0.005, 0.03), rng.uniform(0.005, 0.05)]),
        dome=np.array([rng.uniform(-0.055, -0.015), *rng.normal(0, 0.25, 2),
                       rng.normal(-0.02, 0.04)]),
        bias=rng.uniform(0, 0.6),
        noise=rng.uniform(0.005, 0.06),
        blur=rng.uniform(0.3, 0.9),
        texture=rng.uniform(0.02, 0.2),
        thickness=rng.uniform(0.004, 0.010),
        ink=float(rng.choice([-1.0, 1.0])),
        bands=rng.uniform(0.2, 0.9) if rng.random() < 0.25 else 0.0,
        seed=int(rng.integers(1 << 31)),
    )  # fmt: skip


def _signals(rng: np.random.Generator, wild: bool) -> Floats:
    """Return the signal of each label and tissue, blood near 1; muscle and liver may be alike."""
    blood = rng.uniform(0.7, 1.2, 6)
    wall = rng.uniform(0.06, 0.6)
    thin = rng.uniform(wall, 1.0, 2)  # a leaflet fills a part of the slice
    fat, muscle, lung, stomach = rng.uniform([0.4, 0.1, 0.0, 0.05], [2.2, 0.5, 0.15, 0.9])
    liver = wall * rng.uniform(0.6, 1.5) if rng.random() < 0.6 else rng.uniform(0.1, 0.7)
    heart = [0.1, wall, *blood, wall * rng.uniform(0.9, 1.6), wall * rng.uniform(1.0, 2.5), *thin]
    furrow = rng.choice([fat, wall, rng.uniform(wall, 1.0)])
    around = rng.uniform(0, 1.2, 5) if wild else [fat, muscle, lung, liver, stomach]
    return np.array([*heart, furrow, *around])


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
    fat, muscle, lung, liver, stomach = looks.signal[_FAT:]
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
    field = field * _banding(looks, side, rng)
    rim = looks.fat * (1 + 0.8 * _smooth(rng, side, 5))
    made = list[Floats]()
    for contraction in contractions:
        labels, away = labels_at(heart, fine.reshape(-1, 3), float(contraction))
        labels = labels.reshape(fine.shape[:-1])
        value = _mixed(looks, labels, away.reshape(labels.shape), around, rim)
        inside = (labels != OUTSIDE).mean(axis=0)
        stir = flow + (looks.texture * _smooth(rng, side, 12) if dots else 0.0)
        value = value * (1 + inside * stir + (1 - inside) * rough)
        value = gaussian_filter(value, looks.blur) * field
        noise = rng.normal(0, looks.noise, (2, side, side))
        made.append(np.hypot(np.maximum(value, 0) + noise[0], noise[1]))
    return np.array(made, np.float32)


def _mixed(
    looks: Looks, labels: npt.NDArray[np.uint8], away: Floats, around: Floats, rim: Floats
) -> Floats:
    """Return the signal of pixels (subpixel, row, column): water and fat, of one phase or not."""
    signal = looks.signal
    outside, furrow = labels == OUTSIDE, labels == BETWEEN
    thin = (outside | furrow) & (away < _THIN)  # the wall of all but the left ventricle
    fat = (outside & (away < rim)) | (furrow & (signal[BETWEEN] == signal[_FAT]))
    value = np.where(outside, around, signal[labels])
    value = np.where(thin, signal[_MUSCLE], np.where(fat, signal[_FAT], value))
    share = np.where(fat & ~thin, -looks.ink, 1.0)
    return np.abs((value * share).mean(axis=0))


def _banding(looks: Looks, side: int, rng: np.random.Generator) -> Floats:
    """Return the factor of dark bands along lines where a smooth field passes through zero."""
    off = _smooth(rng, side, 2) + rng.normal(0, 1)
    return 1 - looks.bands * np.exp(-((off / 0.12) ** 2))
