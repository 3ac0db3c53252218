"""Marks on the parts of the heart, out of a network's probabilities in every picture and phase.

A region ends where its probability falls through a level; what lies just outside says which part of
the heart that edge is: cavity against muscle is the inner wall, against an atrium the valve, muscle
against the right ventricle the septum. The level is a half, but for the wall of the left ventricle
(`_LEVELS`). An edge against what has no name (the aorta's root, the pulmonary artery, the picture's
end) marks nothing. Muscles within the cavity count as blood, as readers draw them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_fill_holes, gaussian_filter, map_coordinates
from skimage.measure import find_contours
from skimage.measure import label as pieces_of

from isosoma.core.errors import RangeError
from isosoma.imaging.biventricle import Kind
from isosoma.imaging.biventricle_fit import Marks
from isosoma.imaging.cine_crop import Cut
from isosoma.imaging.heart_axes import Frame
from isosoma.imaging.render import PIXEL, SIDE, plane_points

__all__ = ["long_axis", "marked", "shows_axis"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_NONE, _LV, _WALL, _RV, _ATRIA = range(5)
_BESIDE = np.array([1.5, 2.5])  # [pixel] from an edge, where what lies beside it is asked
_OBLIQUE = 0.4  # cosine of axis and normal: above, a long-axis picture is too oblique to use
_ASIDE = 0.015  # [m]; a long-axis picture farther from the axis is of a view nothing learnt
_EVERY = 2  # points of an edge, one of which is kept
_LEAST = 12  # pixels of a region; smaller ones are noise
_MARGIN = 2.5  # [pixel] of the picture's rim, where an edge is that of the picture
_KINDS = {
    (_LV, _WALL): Kind.LV_INNER, (_LV, _ATRIA): Kind.MITRAL, (_WALL, _NONE): Kind.LV_OUTER,
    (_WALL, _RV): Kind.SEPTUM, (_RV, _NONE): Kind.RV_INNER, (_RV, _ATRIA): Kind.TRICUSPID,
}  # fmt: skip
# A pixel that is fat or blood in part is none of a reader's wall: the contour points of the one
# real study lie where the network gives the wall 0.67 (inner), 0.81 and 0.74 on average, the half
# up to 1 mm away (`share_at_contours` of benchmarks/imaging_cine.py). The inner level stands
# between that and the 0.5 that is the truth of rendered hearts.
_LEVELS = {
    Kind.LV_INNER: 0.4, Kind.LV_OUTER: 0.85, Kind.SEPTUM: 0.75,
    Kind.MITRAL: 0.5, Kind.RV_INNER: 0.5, Kind.TRICUSPID: 0.5,
}  # fmt: skip
"""Probability of cavity, of cavity and wall (twice), or of a cavity at which an edge lies."""


def marked(cuts: Sequence[Cut], shares: Sequence[Singles], frame: Frame) -> Marks:
    """Return marks of every phase of every cut that shows the axis or lies across it.

    Parameters
    ----------
    shares : probabilities of each cut, shape (phase, class, row, column).
    frame : the long axis; the lowest marks of the cavity along it are the apex.
    """
    points, kind, phase, source = list[Floats](), list[Kind](), list[int](), list[int]()
    for number, (cut, share) in enumerate(zip(cuts, shares, strict=True)):
        for t, picture in enumerate(share if shows_axis(cut, frame) else ()):
            for name, there in _edges(picture.astype(float)):
                points.append(_placed(cut, there))
                kind += [name] * len(there)
                phase += [t] * len(there)
                source += [number] * len(there)
    normals = np.array([cut.plane.normal for cut in cuts])
    every = Marks(
        np.concatenate(points), np.array(kind, int), np.array(phase), np.array(source),
        np.ones(len(kind)), normals,
    )  # fmt: skip
    return _with_apex(every, frame)


def shows_axis(cut: Cut, frame: Frame) -> bool:
    """Say whether a cut is of the short axis, or near enough to the long one."""
    middle = frame.origin + 0.04 * frame.axes[2]
    far = abs(float((cut.plane.middle - middle) @ cut.plane.normal))
    oblique = abs(float(frame.axes[2] @ cut.plane.normal))
    return cut.short_axis or (far <= _ASIDE and oblique <= _OBLIQUE)


def _edges(share: Floats) -> Iterator[tuple[Kind, Floats]]:
    """Yield each kind of edge in a picture with its points, rows and columns [pixel]."""
    for inside in (_LV, _WALL, _RV):
        region = share[_LV] + share[_WALL] if inside == _WALL else share[inside]
        region = _one_piece(region)
        smooth = np.asarray(gaussian_filter(region, 1.0))
        slope = np.stack([np.gradient(smooth, axis=0), np.gradient(smooth, axis=1)])
        mine = {other: kind for (of, other), kind in _KINDS.items() if of == inside}
        for level in sorted({_LEVELS[kind] for kind in mine.values()}):
            for line in find_contours(region, level):
                there, within, beyond = _sides(line, share, slope)
                for other, kind in mine.items():
                    if _LEVELS[kind] == level:
                        yield kind, there[(within == inside) & (beyond == other)]


def _sides(
    line: Floats, share: Floats, slope: Floats
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return points of an edge, and the class on either side of each: within and beyond."""
    line = line[::_EVERY]
    line = line[((line > _MARGIN) & (line < SIDE - 1 - _MARGIN)).all(axis=1)]
    out = -_at(slope, line)
    out /= np.maximum(np.linalg.norm(out, axis=0), 1e-9)
    return line, _beside(share, line, -out.T), _beside(share, line, out.T)


def _one_piece(region: Floats) -> Floats:
    """Return a region's probability in its largest piece, holes filled; elsewhere none."""
    pieces = np.asarray(pieces_of(region > 0.5, connectivity=1))
    if pieces.max() == 0:
        return np.zeros_like(region)
    sizes = np.bincount(pieces.ravel())[1:]
    if sizes.max() < _LEAST:
        return np.zeros_like(region)
    mine = pieces == 1 + int(np.argmax(sizes))
    filled = binary_fill_holes(mine)
    others = (pieces > 0) & ~mine
    return np.where(filled & ~mine, 1.0, np.where(others, 0.0, region))


def _at(images: Floats, points: Floats) -> Floats:
    """Return images (n, row, column) at points (m, 2), shape (n, m)."""
    return np.stack([map_coordinates(image, points.T, order=1, mode="nearest") for image in images])


def _beside(share: Floats, line: Floats, out: Floats) -> npt.NDArray[np.int64]:
    """Return the class that lies on one side of an edge."""
    seen = [_at(share, line + far * out) for far in _BESIDE]
    return np.sum(seen, axis=0).argmax(axis=0)


def _placed(cut: Cut, points: Floats) -> Floats:
    """Return where pixels lie [m]."""
    row, column = ((points - (SIDE - 1) / 2) * PIXEL).T
    return cut.plane.middle + column[:, None] * cut.plane.along + row[:, None] * cut.plane.down


def _with_apex(marks: Marks, frame: Frame) -> Marks:
    """Return marks with the apex of each phase added: the lowest of the cavity in any picture."""
    tips = list[Floats]()
    phases = np.unique(marks.phase)
    for t in phases:
        inner = marks.points[(marks.phase == t) & (marks.kind == Kind.LV_INNER)]
        height = (inner - frame.origin) @ frame.axes[2]
        tips.append(inner[np.argsort(height)[: max(1, len(inner) // 100)]].mean(axis=0))
    n = len(phases)
    return Marks(
        np.concatenate([marks.points, tips]), np.r_[marks.kind, np.full(n, int(Kind.APEX))],
        np.r_[marks.phase, phases], np.r_[marks.source, np.full(n, len(marks.normals))],
        np.r_[marks.weight, np.full(n, 1e-3)], np.concatenate([marks.normals, np.zeros((1, 3))]),
    )  # fmt: skip


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
        mean, points = share.mean(axis=0).astype(float), plane_points(cut.plane)
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
