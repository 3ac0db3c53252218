"""Random beating hearts of known truth: one template, bent, stretched and contracted at random.

A point of the body is carried back to the template and takes its label, so that every plane through
every phase of a heart, and its volumes, are of one truth. Around the long axis of the left
ventricle the way back is radial: inner wall, outer wall and free wall of the right ventricle each
move by their own share, the wall's volume staying; along the axis the base moves towards the apex.
The base is tilted, and the atria are made large or small, each by its own share, so that one
template gives normal, dilated, thick-walled and shrunken hearts with either ventricle the larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter

__all__ = ["AORTA", "ATRIA", "BANDS", "BETWEEN", "LEAFLETS", "LV", "OUTSIDE", "PAPILLARY", "RV",
           "WALL", "Heart", "labels_at", "random_heart", "template", "volumes"]  # fmt: skip

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]

OUTSIDE, WALL, LV, RV, AORTA, PAPILLARY = 0, 1, 3, 5, 6, 8
ATRIA = (2, 4)
BANDS = 9  # muscle in the right ventricle
LEAFLETS = (10, 11)  # of the mitral and the tricuspid valve, cavity of a ventricle all the same
BETWEEN = 12  # outside, in the furrows between chambers: fat and vessels, never lung
_FURROW = 7e-3  # [m]; half as wide a gap between chambers is filled
_WEIGHTS = Path(__file__).parent / "weights"
_ANGLES, _HEIGHTS = 48, 48
_BEYOND = 1.3  # heights of the radial tables reach this many axis lengths
_FADE = 0.05  # [m] above the base over which the base's motion fades
_FAR = 0.05  # [m] beyond the free wall, where contraction no longer pulls


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The template heart, and its frame along the long axis of the left ventricle.

    Attributes
    ----------
    labels, away : label, and distance to the heart [m], shape (i, j, k).
    corner, step : of the cells [m].
    apex : outer tip [m]; axes : rows towards right ventricle, across, and base; length : [m].
    radii : inner, outer and free wall [m] by angle and height, shape (3, angle, height).
    """

    labels: Labels
    away: npt.NDArray[np.float32]
    corner: Floats
    step: float
    apex: Floats
    axes: Floats
    length: float
    radii: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Heart:
    """One random heart, from body to template.

    Attributes
    ----------
    centre : of the ventricles [m]; turn : rotation, shape (3, 3); stretch : along the axes.
    waves : displacement [m], wave numbers [1/m] and phase of each bend, shape (n, 7).
    radii : inner, outer and free wall at end-diastole [m], shape (3, angle, height).
    squeeze : share by which the inner radius shrinks at end-systole, by angle and height.
    shortening : way of the base [m]; rv_squeeze : share of the right ventricle's width.
    papillary : angle, height share, radius share of each muscle, its size [m] and its half
        length as a share of the axis, shape (m, 5).
    bands : the same of the right ventricle's, by share of its width, shape (m, 5).
    base : slopes of the base, and the size of the atria, shape (3,).
    sponge : of the trabeculated layer within the left cavity: depth as a share of the radius, share
        that is muscle at end-diastole, number around, phase, and waves along [1/m], shape (5,). It
        counts as cavity, as readers draw it, and its muscle stays while the blood leaves. With the
        papillary muscles it is 19 +- 6 % of the cavity at end-diastole; in 685 healthy adults 23 +-
        3 % (Chuang et al. 2012, JACC Cardiovasc Imaging, doi:10.1016/j.jcmg.2012.05.015).
    """

    centre: Floats
    turn: Floats
    stretch: Floats
    waves: Floats
    radii: Floats
    squeeze: Floats
    shortening: float
    rv_squeeze: float
    papillary: Floats
    bands: Floats
    base: Floats
    sponge: Floats


@cache
def template() -> Template:
    """Return the template, read once."""
    with np.load(_WEIGHTS / "heart_template.npz") as file:
        labels, affine = file["labels"], file["affine"]
    step, corner = float(affine[0, 0]), affine[:3, 3]
    away = np.asarray(distance_transform_edt(labels == OUTSIDE), np.float32) * np.float32(step)
    cavity = np.argwhere(labels == LV) * step + corner
    to_atrium = np.asarray(distance_transform_edt(labels != ATRIA[0]))[labels == LV] * step
    mitral = cavity[to_atrium < 2 * step].mean(axis=0)
    wall = np.argwhere(labels == WALL) * step + corner
    tip = cavity[np.argmax(np.linalg.norm(cavity - mitral, axis=1))]
    up = (mitral - tip) / np.linalg.norm(mitral - tip)
    apex = mitral + up * ((wall - mitral) @ up).min()
    aside = (np.argwhere(labels == RV) * step + corner).mean(axis=0) - mitral
    right = aside - (aside @ up) * up
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(up, right), up])
    length = float(np.linalg.norm(mitral - apex))
    radii = _radii(labels, corner, step, apex, axes, length)
    return Template(_detailed(labels, away, step), away, corner, step, apex, axes, length, radii)


def _detailed(labels: Labels, away: npt.NDArray[np.float32], step: float) -> Labels:
    """Return labels with leaflets, a cell thick, and with the furrows between chambers."""
    made = labels.copy()
    for atrium, ventricle, leaflet in zip(ATRIA, (LV, RV), LEAFLETS, strict=True):
        made[binary_dilation(labels == atrium) & (labels == ventricle)] = leaflet
    deep = np.asarray(distance_transform_edt(away < _FURROW)) * step > _FURROW
    made[(labels == OUTSIDE) & deep] = BETWEEN
    return made


def _radii(
    labels: Labels, corner: Floats, step: float, apex: Floats, axes: Floats, length: float
) -> Floats:
    """Return the farthest inner wall, outer wall and right ventricle along rays from the axis."""
    angle = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    height = np.linspace(0, _BEYOND * length, _HEIGHTS)
    reach = np.arange(0, 0.1, 5e-4)
    along = np.cos(angle)[:, None] * axes[0] + np.sin(angle)[:, None] * axes[1]
    points = (
        apex
        + height[None, :, None, None] * axes[2]
        + reach[None, None, :, None] * along[:, None, None]
    )
    index = np.clip(np.rint((points - corner) / step).astype(int), 0, np.array(labels.shape) - 1)
    seen = labels[tuple(np.moveaxis(index, -1, 0))]
    inner = np.where(seen == LV, reach, 0).max(axis=2)
    outer = np.maximum(np.where(seen == WALL, reach, 0).max(axis=2), inner + 1e-3)
    free = np.maximum(np.where(seen == RV, reach, 0).max(axis=2), outer + 4e-3)
    ring = np.concatenate([np.stack([inner, outer, free])] * 3, axis=1)  # the angle is periodic
    return np.asarray(gaussian_filter(ring, (0.0, 1.0, 1.0)))[:, _ANGLES : 2 * _ANGLES]


def _harmonics(rng: np.random.Generator, size: float) -> Floats:
    """Return 1 plus a random smooth function of angle and height, shape (angle, height)."""
    angle = np.arange(_ANGLES)[:, None] * 2 * np.pi / _ANGLES
    height = np.linspace(0, 1, _HEIGHTS)[None, :]
    total = np.ones((_ANGLES, _HEIGHTS))
    for k in (1, 2, 3):
        a, b = rng.normal(0, size / k, 2)
        total += a * np.cos(k * angle + rng.uniform(0, 6.3) + b * 3 * height)
    return total


def random_heart(rng: np.random.Generator) -> Heart:
    """Return a random adult heart, well or ill, in its usual place turned by up to some 20 deg."""
    t = template()
    inner, outer, free = t.radii
    wall = np.maximum((outer - inner) * rng.uniform(0.4, 1.3) * _harmonics(rng, 0.12), 1.5e-3)
    inner = inner * rng.uniform(0.75, 1.25) * _harmonics(rng, 0.04)
    outer_new = inner + wall
    free = outer_new + (free - outer) * rng.uniform(0.45, 1.25) * _harmonics(rng, 0.08)
    strength = rng.uniform(0.05, 0.55)
    waves = np.column_stack(
        [rng.normal(0, 1.6e-3, (5, 3)), rng.normal(0, 45.0, (5, 3)), rng.uniform(0, 6.3, 5)]
    )
    return Heart(
        centre=t.apex + 0.6 * t.length * t.axes[2],
        turn=_rotation(rng.normal(0, 0.2, 3)),
        stretch=rng.uniform(0.82, 1.3) * rng.normal(1, 0.06, 3),
        waves=waves,
        radii=np.stack([inner, outer_new, free]),
        squeeze=np.clip(strength * _harmonics(rng, 0.15), 0.0, 0.7),
        shortening=t.length * (0.03 + 0.25 * strength) * rng.uniform(0.7, 1.5),
        rv_squeeze=rng.uniform(0.05, 0.55),
        papillary=_papillary(rng),
        bands=_strands(rng, int(rng.integers(0, 14)), (-1.6, 1.6), (0.0, 1.0)),
        base=np.array([*rng.normal(0, 0.12, 2), rng.uniform(0.75, 1.5)]),
        sponge=np.array(
            [
                rng.uniform(0.1, 0.6),
                rng.uniform(0.15, 0.7),
                float(rng.integers(7, 16)),
                rng.uniform(0, 6.3),
                rng.uniform(50, 250),
            ]
        ),
    )


def _papillary(rng: np.random.Generator) -> Floats:
    """Return two muscles on the side away from the septum, and strands near the wall."""
    muscles = [
        [np.pi + side * rng.uniform(0.5, 1.1), rng.uniform(0.35, 0.55), rng.uniform(0.55, 0.9),
         rng.uniform(0.002, 0.0075), rng.uniform(0.15, 0.25)]
        for side in (-1, 1)
    ]  # fmt: skip
    return np.r_[muscles, _strands(rng, int(rng.integers(0, 18)), (0.0, 6.3), (0.75, 1.05))]


def _strands(
    rng: np.random.Generator, count: int, angle: tuple[float, float], share: tuple[float, float]
) -> Floats:
    """Return trabeculae: thin, as long as they come, shape (count, 5)."""
    return np.column_stack(
        [rng.uniform(*angle, count), rng.uniform(0.05, 0.65, count), rng.uniform(*share, count),
         rng.uniform(0.5e-3, 4e-3, count), rng.uniform(0.05, 0.3, count)]
    )  # fmt: skip


def _rotation(vector: Floats) -> Floats:
    """Return the rotation about a vector by its length [rad] (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector / max(angle, 1e-12)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def _contracted(heart: Heart, contraction: float) -> Floats:
    """Return the radii [m] at a share of the way from end-diastole to end-systole."""
    inner, outer, free = heart.radii
    length = template().length
    height = np.linspace(0, _BEYOND, _HEIGHTS)
    within = np.clip((_BEYOND - 0.05 - height) / 0.2, 0, 1)  # the atria do not squeeze
    small = inner * (1 - contraction * heart.squeeze * within)
    thicker = length / (length - contraction * heart.shortening)
    large = np.sqrt(small**2 + (outer**2 - inner**2) * (1 + (thicker - 1) * within))
    width = (free - outer) * (1 - contraction * heart.rv_squeeze * within)
    return np.stack([small, large, large + width])


def labels_at(heart: Heart, points: Floats, contraction: float) -> tuple[Labels, Floats]:
    """Return the label of each point and its distance [m] from the heart (of the template).

    Parameters
    ----------
    points : RAS [m], shape (n, 3).
    contraction : 0 at end-diastole, 1 at end-systole.
    """
    t = template()
    now = np.concatenate([_contracted(heart, contraction), heart.radii[2:]])
    sponge = heart.sponge.copy()
    emptied = float((heart.radii[0] ** 2).mean() / (now[0] ** 2).mean())
    emptied *= t.length / (t.length - contraction * heart.shortening)
    sponge[1] = min(0.97, sponge[1] * emptied)
    return _carried(
        np.ascontiguousarray(points, np.float64), heart.centre, heart.turn, heart.stretch,
        heart.waves, now, t.radii, contraction * heart.shortening, heart.papillary, heart.bands,
        heart.base, sponge,
        t.labels, t.away, t.corner, t.step, t.apex, t.axes, t.length,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _table(table: Floats, angle: float, height: float) -> float:
    """Return a table by angle (periodic, in cells) and height (held at its ends, in cells)."""
    n, m = table.shape
    height = min(max(height, 0.0), m - 1.001)
    i, j = int(angle) % n, int(height)
    a, b = angle - int(angle), height - j
    k = (i + 1) % n
    low = table[i, j] * (1 - a) + table[k, j] * a
    return low * (1 - b) + (table[i, j + 1] * (1 - a) + table[k, j + 1] * a) * b


@njit(cache=True, nogil=True)
def _unbent(point: Floats, waves: Floats) -> Floats:
    """Return a point without the body's bends."""
    straight = point.copy()
    for w in range(len(waves)):
        sway = np.sin((waves[w, 3:6] * point).sum() + waves[w, 6])
        straight += waves[w, :3] * sway
    return straight


@njit(cache=True, nogil=True)
def _uncontracted(z: float, moved: float, length: float) -> float:
    """Return a height of the template: the base has come down, what is above it follows less."""
    base = length - moved
    if z > base:
        return z + moved * np.exp(-(z - base) / _FADE)
    return z * length / base if z > 0 else z


@njit(cache=True, nogil=True)
def _radius_back(
    r: float, z: float, angle: float, level: float, now: Floats, then: Floats
) -> float:
    """Return the template's radius: between walls, in the same share of the way."""
    fade = 1.0 if z > 0 else max(0.0, 1.0 + z / 0.02)
    mine, theirs = 0.0, 0.0  # the knot below, in this heart and in the template
    for k in range(4):
        beyond = _FAR if k == 3 else 0.0
        knot_then = _table(then[min(k, 2)], angle, level) + beyond
        knot_now = _table(now[k], angle, level) + beyond
        knot_now = max(knot_then + fade * (knot_now - knot_then), mine + 1e-5)
        knot_then = max(knot_then, theirs + 1e-5)
        if r <= knot_now:
            return theirs + (r - mine) * (knot_then - theirs) / (knot_now - mine)
        mine, theirs = knot_now, knot_then
    return r - mine + theirs


@njit(cache=True, nogil=True)
def _in_muscle(
    x: float, y: float, share: float, start: float, end: float, papillary: Floats
) -> bool:
    """Say whether a point is within a muscle that stands at a share between two radii."""
    for m in range(len(papillary)):
        long = (share - papillary[m, 1]) / papillary[m, 4]
        if abs(long) < 1:
            far = start + papillary[m, 2] * (end - start)
            dx = x - far * np.cos(papillary[m, 0])
            dy = y - far * np.sin(papillary[m, 0])
            if dx * dx + dy * dy < papillary[m, 3] ** 2 * (1 - long * long):
                return True
    return False


@njit(cache=True, nogil=True)
def _carried(
    points: Floats,
    centre: Floats,
    turn: Floats,
    stretch: Floats,
    waves: Floats,
    now: Floats,
    then: Floats,
    moved: float,
    papillary: Floats,
    bands: Floats,
    base: Floats,
    sponge: Floats,
    labels: Labels,
    away: npt.NDArray[np.float32],
    corner: Floats,
    step: float,
    apex: Floats,
    axes: Floats,
    length: float,
) -> tuple[Labels, Floats]:
    n = len(points)
    result = np.zeros(n, np.uint8)
    distance = np.full(n, 0.1)
    height_cell = _BEYOND * length / (_HEIGHTS - 1)
    to_axis = axes @ np.ascontiguousarray(turn.T)
    first = axes @ (centre - apex)
    for p in range(n):
        x, y, z = to_axis @ (_unbent(points[p], waves) - centre) + first
        x, y = x / stretch[0], y / stretch[1]
        z = (z - 0.6 * length) / stretch[2] + 0.6 * length
        high = min(max(z / length - 0.4, 0.0), 0.6) / 0.6
        z = _uncontracted(z - high * (base[0] * x + base[1] * y), moved, length)
        over = min(max(z / length - 0.95, 0.0) / 0.15, 1.0)
        x, y = x / (1 + over * (base[2] - 1)), y / (1 + over * (base[2] - 1))
        r = np.sqrt(x * x + y * y)
        angle = np.arctan2(y, x) / (2 * np.pi) * _ANGLES
        angle = angle + _ANGLES if angle < 0 else angle
        level = z / height_cell
        scale = _radius_back(r, z, angle, level, now, then) / max(r, 1e-9)
        there = apex + axes[0] * (x * scale) + axes[1] * (y * scale) + axes[2] * z
        cell = np.rint((there - corner) / step).astype(np.int64)
        if cell.min() < 0 or cell.max() >= labels.shape[0]:
            continue
        label = labels[cell[0], cell[1], cell[2]]
        distance[p] = away[cell[0], cell[1], cell[2]]
        if label == LV:
            inner = _table(now[0], angle, level)
            if _in_muscle(x, y, z / length, 0.0, inner, papillary):
                label = PAPILLARY
            elif z < 0.8 * length and r > (1 - sponge[0]) * inner:
                wave = sponge[2] * angle * 2 * np.pi / _ANGLES + sponge[3]
                if np.sin(wave + 2 * np.sin(sponge[4] * z)) > np.cos(np.pi * sponge[1]):
                    label = PAPILLARY
        elif label == RV:
            outer, free = _table(now[1], angle, level), _table(now[2], angle, level)
            if _in_muscle(x, y, z / length, outer, free, bands):
                label = BANDS
        result[p] = label
    return result, distance


def volumes(heart: Heart, contraction: float, step: float = 1.5e-3) -> tuple[float, float, float]:
    """Return the truth: left ventricle, its wall and right ventricle [m3], on cells of `step`."""
    side = np.arange(-0.11, 0.11, step)
    points = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    labels, _ = labels_at(heart, points + heart.centre, contraction)
    count = np.bincount(labels, minlength=BETWEEN + 1) * step**3
    left = float(count[LV] + count[PAPILLARY] + count[LEAFLETS[0]])
    return left, float(count[WALL]), float(count[RV] + count[BANDS] + count[LEAFLETS[1]])
