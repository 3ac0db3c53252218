"""A heart of known shape in pictures of known kind, for tests of what is made of one."""

from __future__ import annotations

import numpy as np

from isosoma.core.study import Grid, Volume
from isosoma.imaging.cine import CineHeart, Part
from isosoma.imaging.heart_axes import Frame

PHASES = np.arange(10) / 10
AXIS = np.array([0.5, -0.59, 0.64]) / np.linalg.norm([0.5, -0.59, 0.64])
MIDDLE = np.array([-0.03, 0.05, 0.02])


def frame() -> Frame:
    """The long axis to the base, and across it the way to the right ventricle."""
    towards = np.array([0.83, 0.52, 0.0])
    towards -= towards @ AXIS * AXIS
    towards /= np.linalg.norm(towards)
    return Frame(MIDDLE, np.stack([towards, np.cross(AXIS, towards), AXIS]))


def egg(radius: np.ndarray, length: np.ndarray, aside: float = 0.0) -> Part:
    """Half ellipsoids, apex down, lid at the base: (phase,) radii and lengths [m]."""
    around, up, f = 32, 16, frame()
    angle, share = np.arange(around) * 2 * np.pi / around, np.arange(1, up + 1) / up
    rings = np.sqrt(1 - (1 - share) ** 2)
    x = np.cos(angle)[:, None] * rings
    y = np.sin(angle)[:, None] * rings
    z = np.broadcast_to(share - 1, x.shape)
    wall = np.stack([x, y, z], -1).reshape(-1, 3)
    local = np.concatenate([wall, [[0, 0, -1.0]], [[0, 0, 0.0]]])
    size = np.stack([radius, radius, length], -1)
    points = local[None] * size[:, None] + np.array([aside, 0, 0])
    n = np.arange(around * up).reshape(around, up)
    m = np.roll(n, -1, axis=0)
    quads = np.stack([n[:, :-1], m[:, :-1], m[:, 1:], n[:, :-1], m[:, 1:], n[:, 1:]], -1)
    tip = np.stack([n[:, 0], np.full(around, n.size), m[:, 0]], 1)
    lid = np.stack([n[:, -1], m[:, -1], np.full(around, n.size + 1)], 1)
    triangles = np.concatenate([quads.reshape(-1, 3), tip, lid])
    placed = points @ f.axes + f.origin
    return Part(placed, triangles, 2 / 3 * np.pi * radius**2 * length)


def heart(right: float = 1.0, wall: float = 0.008) -> CineHeart:
    """A beating heart; `right` scales the right ventricle's radius, `wall` is its thickness [m]."""
    beat = 1 - 0.25 * np.sin(np.pi * PHASES) ** 2
    inner, length = 0.025 * beat, 0.085 * beat**0.3
    left = egg(inner, length)
    muscle = 2 / 3 * np.pi * ((inner[0] + wall) ** 2 * (length[0] + wall)) - left.volume[0]
    outer_length = length + wall
    outer = egg(np.sqrt((left.volume + muscle) * 1.5 / np.pi / outer_length), outer_length)
    other = egg(right * 0.025 * beat, length, aside=0.065)
    sigma = {"edv": 10e-6, "esv": 9e-6, "ef": 0.05, "mass": 0.015}
    mass = 1050 * (outer.volume - left.volume)
    return CineHeart(PHASES, frame(), left, outer, other, mass, sigma, 0.9, (), "test 1")


def stack(step: float = 0.010, slices: int = 12, periods: float = 0.0) -> Volume:
    """Short-axis pictures of that heart: bright blood, sharp edges, a little noise."""
    f, pixel = frame(), 1.5e-3
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = f.axes[0] * pixel, f.axes[1] * pixel
    affine[:3, 2] = -f.axes[2] * step
    affine[:3, 3] = f.origin + np.array([-48 * pixel, -48 * pixel, 0.01]) @ f.axes
    grid = Grid((120, 96, slices), affine, "1.2.3")
    from isosoma.imaging.raster import rasterised

    shown, draw = heart(), np.random.default_rng(1)
    values = np.empty((*grid.shape, len(PHASES)), np.float32)
    for t in range(len(PHASES)):
        image = np.full(grid.shape, 60.0)
        for part, light in ((shown.outer, 90.0), (shown.left, 300.0), (shown.right, 300.0)):
            image[rasterised(part.points[t], part.triangles, grid)] = light
        values[..., t] = image + draw.normal(0, 5, grid.shape)
    rr = 0.85 + periods * np.linspace(-0.5, 0.5, slices)
    return Volume(grid, values, modality="MR", phases=PHASES, periods=rr, name="sax")
