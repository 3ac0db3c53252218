"""Contours of the ventricles along rays from the long axis, out of a network's probabilities.

Where a ray leaves a region is the length over which the region's probability, made to fall
outward, sums up: below a pixel where the network is sure, and the middle where it is not. Muscles
within the cavity so count as blood, as readers draw them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from isosoma.core.errors import RangeError
from isosoma.imaging.cine_crop import Cut
from isosoma.imaging.render import PIXEL, SIDE
from isosoma.imaging.shape4d import Frame

__all__ = ["Contours", "contours", "ends", "long_axis"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_LV, _WALL, _RV, _ATRIA = 1, 2, 3, 4
_STEP = 0.9e-3  # [m] along a ray
_REACH = 0.075  # [m]
_ANGLES = 32  # rays of a short axis
_HEIGHTS = np.arange(-0.02, 0.13, 0.003)  # [m] of long-axis rays above the frame's origin
_COLUMNS = np.linspace(-0.018, 0.018, 9)  # [m] beside the axis, where the ends are sought
_OUT = 0.3  # of the heart's probability: below, the ray has left it
_ALONG = 0.4  # cosine of axis and normal: above, a long-axis picture is too oblique to use
_BESIDE = 0.015  # [m]; a long-axis picture farther from the axis does not show the ends


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """What rays saw, one row each and one column a phase.

    Attributes
    ----------
    inner, outer : points where the cavity and the wall end [m], shape (n, phase, 3).
    width : of the right ventricle beyond the wall [m], shape (n, phase).
    source : cut of each ray; short_axis : whether that is of the stack.
    """

    inner: Floats
    outer: Floats
    width: Floats
    source: npt.NDArray[np.int64]
    short_axis: npt.NDArray[np.bool_]


def _points(cut: Cut) -> Floats:
    at = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL
    return (
        cut.plane.middle + at[None, :, None] * cut.plane.along + at[:, None, None] * cut.plane.down
    )


def _centroid(weight: Floats, points: Floats) -> Floats:
    return (weight[..., None] * points).sum(axis=(0, 1)) / max(float(weight.sum()), 1e-12)


def long_axis(cuts: Sequence[Cut], shares: Sequence[Singles]) -> Frame:
    """Return the long axis: a line through the short-axis middles of the left ventricle.

    Parameters
    ----------
    shares : probabilities of each cut, shape (phase, class, row, column).

    Raises
    ------
    RangeError
        The left ventricle shows in fewer than three short-axis slices, or no atrium or right
        ventricle shows anywhere.
    """
    sums = np.zeros(5)
    middles = np.zeros((5, 3))
    line, mass = list[Floats](), list[float]()
    for cut, share in zip(cuts, shares, strict=True):
        mean, points = share.mean(axis=0).astype(float), _points(cut)
        for k in range(1, 5):
            middles[k] += mean[k].sum() * _centroid(mean[k], points)
            sums[k] += mean[k].sum()
        heart = mean[_LV] + mean[_WALL]
        heart = np.where(heart > 0.5, heart, 0)
        if cut.short_axis and heart.sum() * PIXEL**2 > 4e-4:
            line.append(_centroid(heart, points))
            mass.append(float(heart.sum()))
    if len(line) < 3 or min(sums[1:]) * PIXEL**2 < 1e-4:
        said = f"the left ventricle shows in {len(line)} short-axis slices"
        raise RangeError(said, todo="Three are needed, and long axes with an atrium")
    middles = middles / np.maximum(sums, 1e-12)[:, None]
    weight = np.sqrt(np.array(mass))
    origin = np.average(line, axis=0, weights=weight)
    _, _, rows = np.linalg.svd((np.array(line) - origin) * weight[:, None])
    up = rows[0] if rows[0] @ (middles[_ATRIA] - middles[_LV]) > 0 else -rows[0]
    aside = middles[_RV] - origin
    right = aside - (aside @ up) * up
    right /= np.linalg.norm(right)
    lowest = min(float((p - origin) @ up) for p in line)
    return Frame(origin + lowest * up, np.stack([right, np.cross(up, right), up]))


def _rays(cut: Cut, frame: Frame) -> tuple[Floats, Floats]:
    """Return starts and unit directions [m] of a cut's rays, shape (n, 3) each."""
    axis, normal = frame.axes[2], cut.plane.normal
    tilt = float(axis @ normal)
    if cut.short_axis:
        start = frame.origin + ((cut.plane.middle - frame.origin) @ normal) / tilt * axis
        turn = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
        along = np.cos(turn)[:, None] * cut.plane.along + np.sin(turn)[:, None] * cut.plane.down
        return np.repeat(start[None], _ANGLES, axis=0), along
    if not _shows_axis(cut, frame):
        return np.zeros((0, 3)), np.zeros((0, 3))
    foot, within = _axis_in(cut, frame)
    across = np.cross(normal, within)
    starts = foot + _HEIGHTS[:, None] * within
    both = np.concatenate([starts, starts])
    return both, np.repeat(np.stack([across, -across]), len(_HEIGHTS), axis=0)


def _shows_axis(cut: Cut, frame: Frame) -> bool:
    """Say whether a long-axis picture is near the axis from the apex to the middle."""
    middle = frame.origin + 0.04 * frame.axes[2]
    far = abs(float((cut.plane.middle - middle) @ cut.plane.normal))
    oblique = abs(float(frame.axes[2] @ cut.plane.normal)) > _ALONG
    return not (cut.short_axis or oblique or far > _BESIDE)


def _axis_in(cut: Cut, frame: Frame) -> tuple[Floats, Floats]:
    """Return the foot [m] of the frame's origin in a long-axis plane, and the axis within it."""
    normal, axis = cut.plane.normal, frame.axes[2]
    within = axis - (axis @ normal) * normal
    within = within / np.linalg.norm(within)
    return frame.origin + ((cut.plane.middle - frame.origin) @ normal) * normal, within


def _sampled(cut: Cut, share: Singles, points: Floats) -> Floats:
    """Return the probabilities at points (..., 3), shape (phase, class, ...)."""
    offset = points - cut.plane.middle
    row = offset @ cut.plane.down / PIXEL + (SIDE - 1) / 2
    column = offset @ cut.plane.along / PIXEL + (SIDE - 1) / 2
    found = [
        map_coordinates(image, np.stack([row, column]), order=1, mode="constant", cval=0.0)
        for frame in share
        for image in frame
    ]
    return np.stack(found).reshape(*share.shape[:2], *points.shape[:-1]).astype(float)


def _length(share: Floats) -> Floats:
    """Return how far a region reaches along the last axis [m], its probability falling outward."""
    return np.flip(np.maximum.accumulate(np.flip(share, -1), -1), -1).sum(axis=-1) * _STEP


def contours(cuts: Sequence[Cut], shares: Sequence[Singles], frame: Frame) -> Contours:
    """Return where rays from the axis leave cavity and wall, and the right ventricle's width."""
    reach = np.arange(0, _REACH, _STEP)
    inner, outer, width, source, short = list[Floats](), list[Floats](), list[Floats](), [], []
    for number, (cut, share) in enumerate(zip(cuts, shares, strict=True)):
        start, along = _rays(cut, frame)
        if len(start) == 0:
            continue
        seen = _sampled(cut, share, start[:, None] + reach[:, None] * along[:, None])
        heart = seen[:, _LV] + seen[:, _WALL]
        gone = np.maximum.accumulate((heart < _OUT) & (reach > 0.004), axis=-1)
        cavity = _length(np.where(gone, 0, seen[:, _LV]))
        wall = _length(np.where(gone, 0, heart))
        inner.append(np.moveaxis(start + cavity[..., None] * along, 0, 1))
        outer.append(np.moveaxis(start + wall[..., None] * along, 0, 1))
        beyond = np.where(reach > wall[..., None] - 0.003, seen[:, _RV], 0)
        width.append((beyond.sum(axis=-1) * _STEP).T)
        source += [number] * len(start)
        short += [cut.short_axis] * len(start)
    return Contours(
        np.concatenate(inner), np.concatenate(outer), np.concatenate(width),
        np.array(source), np.array(short),
    )  # fmt: skip


def ends(cuts: Sequence[Cut], shares: Sequence[Singles], frame: Frame) -> tuple[Floats, Floats]:
    """Return where columns along the axis leave the cavity: points at base, and heights at apex.

    Returns
    -------
    base : (n, phase, 3) points [m], with the cut's number in the last column, so (n, phase, 4).
    apex : inner and outer lowest height [m] of each long-axis cut, shape (cut, phase, 3), the
        last being the cut's number.

    Raises
    ------
    RangeError
        No long axis shows the base.
    """
    base, apex = list[Floats](), list[Floats]()
    for number, (cut, share) in enumerate(zip(cuts, shares, strict=True)):
        if not _shows_axis(cut, frame):
            continue
        foot, within = _axis_in(cut, frame)
        across = np.cross(cut.plane.normal, within)
        start = foot + _COLUMNS[:, None] * across + 0.03 * within
        reach = np.arange(0, 0.1, _STEP)
        up = _sampled(cut, share, start[:, None] + reach[:, None] * within)
        gone = np.maximum.accumulate((up[:, _LV] + up[:, _WALL] < _OUT) & (reach > 0.004), axis=-1)
        top = _length(np.where(gone, 0, up[:, _LV]))
        points = np.moveaxis(start + top[..., None] * within, 0, 1)
        base.append(np.concatenate([points, np.full((*points.shape[:2], 1), float(number))], 2))
        middle = start[2:-2]
        down = _sampled(cut, share, middle[:, None] - reach[:, None] * within)
        whole = down[:, _LV] + down[:, _WALL]
        gone = np.maximum.accumulate((whole < _OUT) & (reach > 0.004), axis=-1)
        lows = [
            0.03 - np.max(_length(np.where(gone, 0, part)), axis=-1)
            for part in (down[:, _LV], whole)
        ]
        apex.append(np.stack([*lows, np.full(len(share), float(number))], axis=-1))
    if not base:
        said = "no long-axis cine shows where the ventricle ends"
        raise RangeError(said, todo="Add a four- or two-chamber cine")
    return np.concatenate(base), np.stack(apex)
