"""The ventricles as radii around the long axis of the left one, over a whole beat.

Radius is a product of splines: periodic in angle, cubic in height, and a Fourier series in time
(P-splines, Eilers & Marx 1996, doi:10.1214/ss/1038425655). Height runs from the moving apex, 0, to
the moving base plane, 1; a half ellipse's profile closes the apex. So every slice, long and short,
of every phase speaks to one shape, and what lies between slices is filled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline
from scipy.sparse import csr_array

__all__ = ["Basis", "Frame", "Seen", "fitted", "fourier", "profile", "radii", "series"]

Floats = npt.NDArray[np.float64]

_HUBER = 2e-3  # [m]; a contour farther off counts less
_ROUNDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The long axis: a point on it [m], and rows towards the right ventricle, across, and base."""

    origin: Floats
    axes: Floats

    def to_cylinder(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Return angle [rad], radius [m] and height [m] of points (..., 3)."""
        x, y, z = np.moveaxis((points - self.origin) @ self.axes.T, -1, 0)
        return np.arctan2(y, x), np.hypot(x, y), z

    def to_space(self, angle: Floats, radius: Floats, height: Floats) -> Floats:
        """Return points [m], shape (..., 3)."""
        local = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)
        return local @ self.axes + self.origin


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Points of one contour, a row each: angle [rad], height share, time share, value [m], weight.

    `source` names the cut that each came from, so that cuts can be left out.
    """

    angle: Floats
    height: Floats
    time: Floats
    value: Floats
    weight: Floats
    source: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Basis:
    """How fine a shape is: splines round and up, harmonics, and how smooth it is held.

    Attributes
    ----------
    top : the greatest height share; closed : whether the apex's profile multiplies it.
    """

    around: int = 12
    up: int = 7
    harmonics: int = 5
    top: float = 1.0
    closed: bool = True
    smooth: tuple[float, float, float] = (0.3, 0.3, 0.02)


def fourier(time: Floats, harmonics: int) -> Floats:
    """Return 1, cos and sin of each harmonic, shape (n, 1 + 2 harmonics)."""
    turns = 2 * np.pi * time[:, None] * np.arange(1, harmonics + 1)
    return np.concatenate([np.ones((len(time), 1)), np.cos(turns), np.sin(turns)], axis=1)


def series(time: Floats, value: Floats, weight: Floats, at: Floats, harmonics: int = 5) -> Floats:
    """Return a robust Fourier series through values (n, ...) of one column, at other times."""
    design, wanted = fourier(time, harmonics), fourier(at, harmonics)
    order = np.r_[0.0, np.tile(np.arange(1, harmonics + 1), 2)]
    now = weight.copy()
    found = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        normal = design.T @ (now[:, None] * design)
        normal += np.diag(1e-4 * now.sum() * order**4 + 1e-9 * now.sum())
        found = np.linalg.solve(normal, design.T @ (now * value))
        off = np.abs(design @ found - value)
        now = weight / np.maximum(1, off / _HUBER)
    return wanted @ found


def profile(height: Floats) -> Floats:
    """Return the half ellipse that closes the apex: 0 at height 0, 1 at height 1."""
    return np.sqrt(np.clip(1 - (1 - np.clip(height, 0, 1)) ** 2, 1e-4, 1))


def _around(angle: Floats, count: int) -> csr_array:
    """Return periodic cubic splines of an angle, shape (n, count)."""
    at = np.mod(angle / (2 * np.pi), 1.0) * count
    cell, part = np.floor(at).astype(int), at - np.floor(at)
    values = np.stack(
        [(1 - part) ** 3, 3 * part**3 - 6 * part**2 + 4, -3 * part**3 + 3 * part**2 + 3 * part + 1,
         part**3], axis=1) / 6  # fmt: skip
    columns = (cell[:, None] + np.arange(-1, 3)) % count
    rows = np.repeat(np.arange(len(at)), 4)
    return csr_array((values.ravel(), (rows, columns.ravel())), (len(at), count))


def _up(height: Floats, count: int, top: float) -> csr_array:
    """Return cubic splines of a height share from 0 to `top`, shape (n, count)."""
    knots = np.r_[[0.0] * 3, np.linspace(0, top, count - 2), [top] * 3]
    return csr_array(BSpline.design_matrix(np.clip(height, 0, top * (1 - 1e-9)), knots, 3))


def _design(angle: Floats, height: Floats, time: Floats, basis: Basis) -> Floats:
    """Return the product of the three, shape (n, times * around * up)."""
    one = _around(angle, basis.around).toarray()
    two = _up(height, basis.up, basis.top).toarray()
    three = fourier(time, basis.harmonics)
    both = (one[:, :, None] * two[:, None, :]).reshape(len(angle), -1)
    if basis.closed:
        both = both * profile(height)[:, None]
    return (three[:, :, None] * both[:, None, :]).reshape(len(angle), -1)


def _penalty(basis: Basis) -> Floats:
    """Return second differences around and up, and the fourth power of the harmonic."""
    ring = -2 * np.eye(basis.around) + np.roll(np.eye(basis.around), 1, 0)
    ring += np.roll(np.eye(basis.around), -1, 0)
    column = np.diff(np.eye(basis.up), 2, axis=0)
    order = np.r_[0.0, np.tile(np.arange(1, basis.harmonics + 1), 2)]
    a, h, t = basis.smooth
    grid = np.kron(a * ring.T @ ring, np.eye(basis.up))
    grid += np.kron(np.eye(basis.around), h * column.T @ column)
    tall = np.eye(basis.around * basis.up)
    return np.kron(np.eye(len(order)), grid) + np.kron(np.diag(t * order**4), tall)


def fitted(seen: Seen, basis: Basis, prior: float = 0.0) -> Floats:
    """Return the shape's coefficients by robust penalised least squares.

    Parameters
    ----------
    prior : a value [m] that nothing seen pulls to, weakly.
    """
    design = _design(seen.angle, seen.height, seen.time, basis)
    cells = basis.around * basis.up
    target = np.zeros(design.shape[1])
    target[:cells] = prior
    share = seen.weight.sum() / cells
    held = share * (_penalty(basis) + 1e-3 * np.eye(len(target)))
    weight, found = seen.weight, target
    for _ in range(_ROUNDS):
        normal = design.T @ (design * weight[:, None]) + held
        found = np.linalg.solve(normal, design.T @ (weight * seen.value) + share * 1e-3 * target)
        off = np.abs(design @ found - seen.value)
        weight = seen.weight / np.maximum(1, off / _HUBER)
    return found


def radii(found: Floats, basis: Basis, angle: Floats, height: Floats, time: Floats) -> Floats:
    """Return radii [m] on a grid, shape (time, angle, height)."""
    one, two = _around(angle, basis.around), _up(height, basis.up, basis.top)
    coefficients = found.reshape(1 + 2 * basis.harmonics, basis.around, basis.up)
    space = np.einsum("ai,kij,hj->kah", one.toarray(), coefficients, two.toarray())
    if basis.closed:
        space = space * profile(height)
    return np.einsum("tk,kah->tah", fourier(time, basis.harmonics), space)
