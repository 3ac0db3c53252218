"""The ventricles of a cine examination, found without anybody's help, over the whole beat.

A network that learnt from rendered hearts gives probabilities (`unet`), rays from the long axis
contours, and all of them one shape that beats (`shape4d`). Volumes are those of its closed meshes,
which keep their triangles over the beat. Beside each stands an interval: refits without single
pictures, and never less than readers differ (Suinesiaputra et al. 2015, the lowest of its ranges,
doi:10.1186/s12968-015-0170-9; unverified).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Volume
from isosoma.imaging.cine_contours import Contours, contours, ends, long_axis
from isosoma.imaging.cine_crop import cuts, heart_middle, short_axis
from isosoma.imaging.shape4d import Basis, Frame, Seen, fitted, radii, series
from isosoma.imaging.surface import Surface, repaired
from isosoma.imaging.unet import normalised, probabilities, version

__all__ = ["CineHeart", "Part", "build", "shape_of"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_ANGLES, _HEIGHTS = 48, 24  # of a mesh: GLB of 25 phases below 1 MB
_RV_ANGLES, _RV_TOP = 36, 1.3
_DENSITY = 1050.0  # [kg/m3] of muscle
_LONG = 1.15e-2  # [m] that long-axis base points may lie off a plane
_READERS = {"edv": 15.2e-6, "esv": 14.0e-6, "ef": 0.046, "mass": 0.0202}
_LV = Basis()
_EPI = Basis(smooth=(1.0, 0.5, 0.05))
_RV = Basis(around=20, up=8, top=1.4, closed=False)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A closed mesh that keeps its triangles over the beat.

    Attributes
    ----------
    points : RAS [m], shape (phase, n, 3); triangles : rows of them, anticlockwise from outside.
    volume : enclosed at each phase [m3].
    """

    points: Floats
    triangles: npt.NDArray[np.int64]
    volume: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CineHeart:
    """What a cine examination shows of the ventricles.

    Attributes
    ----------
    phases : share of the beat; frame : the long axis.
    left, outer, right : cavity of the left ventricle, its outer wall, cavity of the right.
    mass : of the left ventricle's wall [kg] at each phase.
    sigma : half width of the 90 % interval of ``edv`` and ``esv`` [m3], ``ef`` and ``mass`` [kg].
    quality : 0 to 1, mean certainty of the network within the heart.
    doubts : sentences about what does not fit.
    made_by : name and version of the method.
    """

    phases: Floats
    frame: Frame
    left: Part
    outer: Part
    right: Part
    mass: Floats
    sigma: dict[str, float]
    quality: float
    doubts: tuple[str, ...]
    made_by: str

    @property
    def end_diastolic_volume(self) -> float:
        """Return the largest volume of the left ventricle [m3]."""
        return float(self.left.volume.max())

    @property
    def end_systolic_volume(self) -> float:
        """Return its smallest volume [m3]."""
        return float(self.left.volume.min())

    @property
    def ejection_fraction(self) -> float:
        """Return its ejection fraction."""
        return 1 - self.end_systolic_volume / self.end_diastolic_volume


Tell = Callable[[int, int], None]


def build(volumes: Sequence[Volume], tell: Tell = lambda done, of: None) -> CineHeart:
    """Return the ventricles of a cine examination.

    Raises
    ------
    RangeError
        There is no short-axis stack, no long axis, or no heart in them.
    """
    stack = short_axis(volumes)
    every = cuts(volumes, heart_middle(volumes[stack]))
    shares = list[Singles]()
    for k, cut in enumerate(every):
        frames, spread = normalised(cut.frames)
        both = np.stack([frames, np.broadcast_to(spread, frames.shape)], axis=1)
        shares.append(probabilities(both))
        tell(k + 1, len(every) + 1)
    frame = long_axis(every, shares)
    seen = contours(every, shares, frame)
    base, apex = ends(every, shares, frame)
    phases = volumes[stack].phases
    whole = shape_of(seen, base, apex, frame, phases)
    spread_of = _jackknife(seen, base, apex, frame, phases)
    tell(len(every) + 1, len(every) + 1)
    return _heart(whole, spread_of, shares, frame, phases)


Shape = tuple[Part, Part, Part]


def shape_of(
    seen: Contours, base: Floats, apex: Floats, frame: Frame, phases: Floats, *, right: bool = True
) -> Shape:
    """Return the meshes of cavity, outer wall and right cavity that fit the contours."""
    plane = _base_plane(base, frame, phases)
    low = _apex(apex, phases)
    inner = _fit(seen.inner, seen, low[0], plane, frame, phases, _LV)
    outer = _fit(seen.outer, seen, low[1], plane, frame, phases, _EPI)
    angle = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    height = np.linspace(0, 1, _HEIGHTS + 1)[1:] ** 1.3
    small = radii(inner, _LV, angle, height, phases)
    large = radii(outer, _EPI, angle, height, phases)
    small = np.minimum(np.maximum(small, 5e-4), np.maximum(large - 1e-3, 5e-4))
    left_part = _cup(small, low[0], plane, frame, angle, height)
    outer_part = _cup(large, low[1], plane, frame, angle, height)
    if not right:
        return left_part, outer_part, left_part
    return left_part, outer_part, _right(seen, outer, low[1], plane, frame, phases)


def _base_plane(base: Floats, frame: Frame, phases: Floats) -> Floats:
    """Return height [m] of the base on the axis and its two slopes, shape (3, phase).

    The slopes are those of the whole beat: a single phase shows too little of them.
    """
    local = (base[..., :3] - frame.origin) @ frame.axes.T
    x, y, z = np.moveaxis(local, -1, 0)
    middle = np.median(z, axis=0)
    off = z - middle
    weight = np.where(np.abs(off) < 2.5 * _LONG, 1.0, 0.0)
    slopes = np.zeros(3)
    for _ in range(5):
        design = np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1)
        w = weight.ravel()
        normal = design.T @ (w[:, None] * design) + np.diag([1e-9, 1e-3, 1e-3])
        slopes = np.linalg.solve(normal, design.T @ (w * off.ravel()))
        left = np.abs(off - (slopes[0] + slopes[1] * x + slopes[2] * y))
        weight = 1 / np.maximum(1, left / 3e-3) ** 2
    level = np.sum(weight * (z - slopes[1] * x - slopes[2] * y), axis=0) / weight.sum(axis=0)
    smooth = series(phases, level, np.ones(len(phases)), phases)
    return np.stack([smooth, *np.repeat(slopes[1:, None], len(phases), axis=1)])


def _apex(apex: Floats, phases: Floats) -> Floats:
    """Return inner and outer lowest heights [m] at each phase, shape (2, phase).

    A picture off the apex sees it too high: the lower half of the pictures says.
    """
    heights = np.sort(apex[..., :2], axis=0)
    lowest = heights[: max(1, (len(heights) + 1) // 2)].mean(axis=0)
    one = np.ones(len(phases))
    low = np.stack([series(phases, lowest[:, k], one, phases, harmonics=3) for k in (0, 1)])
    return np.stack([np.maximum(low[0], low[1] + 2e-3), low[1]])


def _share(height: Floats, x: Floats, y: Floats, low: Floats, plane: Floats) -> Floats:
    """Return heights as shares of the way from apex to base; the last axis is the phase."""
    top = plane[0] + plane[1] * x + plane[2] * y
    return (height - low) / (top - low)


def _seen(
    points: Floats,
    value: Floats,
    seen: Contours,
    low: Floats,
    plane: Floats,
    frame: Frame,
    phases: Floats,
    top: float,
) -> Seen:
    angle, radius, height = frame.to_cylinder(points)
    share = _share(height, radius * np.cos(angle), radius * np.sin(angle), low, plane)
    time = np.broadcast_to(phases, share.shape)
    good = (share > 0.04) & (share < top) & (value < 0.07)
    weight = np.ones(share.shape)
    source = np.broadcast_to(seen.source[:, None], share.shape)
    return Seen(angle[good], share[good], time[good], value[good], weight[good], source[good])


def _fit(
    points: Floats,
    seen: Contours,
    low: Floats,
    plane: Floats,
    frame: Frame,
    phases: Floats,
    basis: Basis,
) -> Floats:
    """Return the coefficients of one wall's radius."""
    radius = frame.to_cylinder(points)[1]
    return fitted(_seen(points, radius, seen, low, plane, frame, phases, 0.97), basis, prior=0.02)


def _cup(
    radius: Floats, low: Floats, plane: Floats, frame: Frame, angle: Floats, height: Floats
) -> Part:
    """Return the closed mesh of radii (phase, angle, height): apex, rings and a lid."""
    x, y = radius * np.cos(angle)[:, None], radius * np.sin(angle)[:, None]
    top = plane[0][:, None, None] + plane[1][:, None, None] * x + plane[2][:, None, None] * y
    z = low[:, None, None] + height * (top - low[:, None, None])
    wall = np.stack([x, y, z], axis=-1)
    phase, around, up = radius.shape
    tip = np.zeros((phase, 1, 3))
    tip[:, 0, 2] = low
    lid = wall[:, :, -1].mean(axis=1, keepdims=True)
    points = np.concatenate([wall.reshape(phase, -1, 3), tip, lid], axis=1)
    number = np.arange(around * up).reshape(around, up)
    beside = np.roll(number, -1, axis=0)
    quads = _quads(number[:, :-1], beside[:, :-1], beside[:, 1:], number[:, 1:])
    n = around * up
    bottom = np.stack([number[:, 0], np.full(around, n), beside[:, 0]], axis=1)
    cover = np.stack([number[:, -1], beside[:, -1], np.full(around, n + 1)], axis=1)
    return _part(points @ frame.axes + frame.origin, np.concatenate([quads, bottom, cover]))


Numbers = npt.NDArray[np.int64]


def _quads(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> Numbers:
    """Return two triangles for each four corners."""
    corners = np.stack([a, b, c, a, c, d], axis=-1)
    return corners.reshape(-1, 3)


def _part(points: Floats, triangles: Numbers) -> Part:
    """Return a closed mesh, wound outward, with its volume at each phase."""
    wound = repaired(Surface(points[0], triangles)).triangles
    if len(wound) != len(triangles):
        wound = triangles
    middle = points.mean(axis=1, keepdims=True)
    a, b, c = np.moveaxis((points - middle)[:, wound], 2, 0)
    return Part(points, wound, np.einsum("tij,tij->t", a, np.cross(b, c)) / 6)


def _right(
    seen: Contours, outer: Floats, low: Floats, plane: Floats, frame: Frame, phases: Floats
) -> Part:
    """Return the closed mesh of the right cavity: a sheet on the septum and one outside."""
    rays = _seen(seen.outer, seen.width, seen, low, plane, frame, phases, _RV_TOP)
    found = fitted(rays, _RV, prior=0.0)
    angle = np.linspace(-2.3, 2.3, _RV_ANGLES)
    height = np.linspace(0.02, _RV_TOP, _HEIGHTS)
    width = np.clip(radii(found, _RV, angle, height, phases), 3e-4, 0.07)
    septum = radii(outer, _EPI, angle, np.minimum(height, 1.0), phases)
    sheets = np.stack([septum, septum + width], axis=1)
    x, y = sheets * np.cos(angle)[:, None], sheets * np.sin(angle)[:, None]
    base = (plane[k][:, None, None, None] for k in range(3))
    level, slope_x, slope_y = base
    bottom = low[:, None, None, None]
    z = bottom + height * (level + slope_x * x + slope_y * y - bottom)
    points = np.stack([x, y, z], axis=-1)
    phase = len(points)
    number = np.arange(2 * len(angle) * len(height)).reshape(2, len(angle), len(height))
    near, far = number
    faces = [
        _quads(far[:-1, :-1], far[1:, :-1], far[1:, 1:], far[:-1, 1:]),
        _quads(near[:-1, :-1], near[:-1, 1:], near[1:, 1:], near[1:, :-1]),
    ]
    rim = np.concatenate(
        [
            np.stack([near, far])[:, :-1, 0],
            np.stack([near, far])[:, -1, :-1],
            np.stack([near, far])[:, :0:-1, -1],
            np.stack([near, far])[:, 0, :0:-1],
        ],
        1,
    )
    after = np.roll(rim, -1, axis=1)
    faces.append(_quads(rim[0], after[0], after[1], rim[1]))
    local = points.reshape(phase, -1, 3)
    return _part(local @ frame.axes + frame.origin, np.concatenate(faces))


def _figures(left: Part, outer: Part) -> dict[str, float]:
    """Return the figures that a report has."""
    high, low = float(left.volume.max()), float(left.volume.min())
    mass = _DENSITY * float((outer.volume - left.volume).mean())
    return {"edv": high, "esv": low, "ef": 1 - low / high, "mass": mass}


def _jackknife(
    seen: Contours, base: Floats, apex: Floats, frame: Frame, phases: Floats
) -> dict[str, float]:
    """Return standard errors of the figures: refits without one long axis, or one short, each."""
    long = np.unique(base[:, 0, 3])
    found = list[dict[str, float]]()
    for number in long if len(long) > 1 else []:
        keep = seen.source != number
        less = Contours(
            seen.inner[keep], seen.outer[keep], seen.width[keep], seen.source[keep],
            seen.short_axis[keep],
        )  # fmt: skip
        few = shape_of(
            less, base[base[:, 0, 3] != number], apex[apex[:, 0, 2] != number], frame, phases,
            right=False,
        )  # fmt: skip
        found.append(_figures(*few[:2]))
    n = len(found)
    return {
        k: float(np.sqrt((n - 1) * np.var([f[k] for f in found]))) if n else np.inf
        for k in _READERS
    }


def _heart(
    shape: Shape, error: dict[str, float], shares: Sequence[Singles], frame: Frame, phases: Floats
) -> CineHeart:
    left, outer, right = shape
    sigma = {k: float(np.hypot(floor, 1.645 * error[k])) for k, floor in _READERS.items()}
    sure = np.concatenate([s.max(axis=1)[s[:, 1:4].sum(axis=1) > 0.5].ravel() for s in shares])
    quality = float(sure.mean())
    return CineHeart(
        phases, frame, left, outer, right, _DENSITY * (outer.volume - left.volume), sigma, quality,
        _doubts(left, outer, right), f"isosoma cine, network {version()}",
    )  # fmt: skip


def _doubts(left: Part, outer: Part, right: Part) -> tuple[str, ...]:
    """Return what does not fit, with what may explain it."""
    said = list[str]()
    strokes = [float(np.ptp(part.volume)) for part in (left, right)]
    gap = abs(strokes[0] - strokes[1]) / max(strokes)
    if gap > 0.1:
        said.append(
            f"stroke volumes of the ventricles differ by {gap:.0%}: regurgitation, a shunt, or a "
            "contour error"
        )
    wall = outer.volume - left.volume
    change = float(np.ptp(wall) / wall.mean())
    if change > 0.1:
        said.append(f"the wall's volume changes by {change:.0%} over the beat, yet muscle does not")
    return tuple(said)
