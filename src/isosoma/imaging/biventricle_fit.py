"""The surface model bent to marks on its parts, over a whole beat.

At each phase a similarity lays the mean heart on landmarks; then it is bent in steps, each a
penalised least squares from every mark to the nearest spot of its part (Mauger et al. 2018, STACOM,
doi:10.1007/978-3-030-12029-0_3), stiff at first. Steps of all phases are made one smooth motion,
and a slice taken in another breath-hold is moved within its plane to where the beat's shape is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack
from scipy.spatial import KDTree

from isosoma.core.errors import RangeError
from isosoma.imaging.biventricle import Kind, biventricle

__all__ = ["Marks", "bent", "surfaces"]

Floats = npt.NDArray[np.float64]

_STIFF = (1e3, 1e3, 1e3, 300.0, 100.0, 30.0, 10.0, 10.0, 3.0, 3.0)  # penalty of each step
_TYPICAL = 1700  # marks of a phase that these penalties are for
_SHIFTED = range(5)  # steps after which slices are moved: while the shape is stiff
_HUBER = 3e-3  # [m]; a mark farther off counts less
_STILL = 1e-4  # penalty of the fourth power of a harmonic
_HARMONICS = 8
_LANDMARKS = {
    Kind.APEX: Kind.APEX, Kind.MITRAL: Kind.MITRAL_RING, Kind.MITRAL_RING: Kind.MITRAL_RING,
    Kind.TRICUSPID: Kind.TRICUSPID_RING, Kind.TRICUSPID_RING: Kind.TRICUSPID_RING,
    Kind.RV_INNER: Kind.RV_INNER, Kind.SEPTUM: Kind.SEPTUM,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Points known to lie on a part of the heart.

    Attributes
    ----------
    points : RAS [m], shape (n, 3); kind, phase, source : of each, shape (n,): part of the heart,
        number of the phase, number of the slice.
    weight : shape (n,).
    normals : of each slice, shape (slice, 3); zero where a slice stays where it is.
    """

    points: Floats
    kind: npt.NDArray[np.int64]
    phase: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    weight: Floats
    normals: Floats

    def without(self, source: int) -> Marks:
        """Return all marks but those of one slice."""
        keep = self.source != source
        return replace(
            self, points=self.points[keep], kind=self.kind[keep], phase=self.phase[keep],
            source=self.source[keep], weight=self.weight[keep],
        )  # fmt: skip


def bent(marks: Marks, phases: Floats) -> tuple[Floats, Floats]:
    """Return control points [m], shape (phase, 388, 3), and each slice's move [m], (slice, 3).

    Raises
    ------
    RangeError
        A phase has no apex, no mitral valve, or no right ventricle.
    """
    smooth = _smoother(phases)
    groups = [np.flatnonzero(marks.phase == t) for t in range(len(phases))]
    control = np.stack([_posed(marks, rows, t) for t, rows in enumerate(groups)])
    control = np.tensordot(smooth, control, 1)
    moved = np.zeros((len(marks.normals), 3))
    for number, stiff in enumerate(_STIFF):
        there = marks.points + moved[marks.source]
        off = np.zeros_like(there)
        made = list[Floats]()
        for t, rows in enumerate(groups):
            step, left = _step(control[t], there[rows], marks, rows, stiff)
            made.append(control[t] + step)
            off[rows] = left
        control = np.tensordot(smooth, np.stack(made), 1)
        if number in _SHIFTED:
            moved = moved + _moves(marks, off)
    return control, moved


def surfaces(control: Floats) -> Floats:
    """Return the vertices [m] of control points, shape (phase, 5810, 3)."""
    matrix = biventricle().matrix
    return np.stack([matrix @ points for points in control])


def _smoother(phases: Floats) -> Floats:
    """Return the matrix that makes a course over the beat a smooth one, shape (phase, phase)."""
    count = min(_HARMONICS, (len(phases) - 1) // 2)
    turns = 2 * np.pi * phases[:, None] * np.arange(1, count + 1)
    design = np.concatenate([np.ones((len(phases), 1)), np.cos(turns), np.sin(turns)], axis=1)
    order = np.r_[0.0, np.tile(np.arange(1, count + 1), 2)]
    normal = design.T @ design + np.diag(_STILL * len(phases) * order**4)
    return design @ np.linalg.solve(normal, design.T)


def _posed(marks: Marks, rows: npt.NDArray[np.int64], phase: int) -> Floats:
    """Return the mean heart's control points laid on the landmarks of a phase."""
    model = biventricle()
    here, there, weight = list[Floats](), list[Floats](), list[float]()
    for kind, spot in _LANDMARKS.items():
        mine = rows[marks.kind[rows] == kind]
        if len(mine):
            here.append(marks.points[mine].mean(axis=0))
            there.append((model.spots[spot] @ model.control).mean(axis=0))
            weight.append(0.3 if kind in (Kind.RV_INNER, Kind.SEPTUM) else 1.0)
    if len(here) < 3:
        said = f"phase {phase + 1} shows {len(here)} of the landmarks that lay the heart"
        raise RangeError(said, todo="Apex, mitral valve and right ventricle must be seen")
    scale, turn, shift = _similarity(np.array(there), np.array(here), np.array(weight))
    control = scale * model.control @ turn.T + shift
    for _ in range(3):
        nearest, _ = _nearest(control, marks.points[rows], marks.kind[rows])
        target, weight_of = marks.points[rows], marks.weight[rows]
        scale, turn, shift = _similarity(nearest @ control, target, weight_of)
        control = scale * control @ turn.T + shift
    return control


def _similarity(points: Floats, target: Floats, weight: Floats) -> tuple[float, Floats, Floats]:
    """Return scale, rotation and shift to a target (Umeyama 1991, doi:10.1109/34.88573)."""
    share = weight / weight.sum()
    a, b = share @ points, share @ target
    u, s, v = np.linalg.svd((share[:, None] * (target - b)).T @ (points - a))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    turn = u @ (flip[:, None] * v)
    scale = float((s * flip).sum() / (share @ ((points - a) ** 2).sum(axis=1)))
    return scale, turn, b - scale * turn @ a


def _nearest(
    control: Floats, points: Floats, kind: npt.NDArray[np.int64]
) -> tuple[csr_array, npt.NDArray[np.int64]]:
    """Return the model's rows of the spot nearest to each point, and the order of the points."""
    model = biventricle()
    rows, order = list[csr_array](), list[npt.NDArray[np.int64]]()
    for name in np.unique(kind):
        mine = np.flatnonzero(kind == name)
        spots = model.spots[Kind(int(name))]
        _, at = KDTree(spots @ control).query(points[mine])
        rows.append(spots[at])
        order.append(mine)
    back = np.argsort(np.concatenate(order))
    return csr_array(vstack(rows, format="csr"))[back], back


def _step(
    control: Floats, points: Floats, marks: Marks, rows: npt.NDArray[np.int64], stiff: float
) -> tuple[Floats, Floats]:
    """Return how control points move in one step, and how far each mark is off before it [m]."""
    nearest, _ = _nearest(control, points, marks.kind[rows])
    off = points - nearest @ control
    weight = marks.weight[rows] / np.maximum(1, np.linalg.norm(off, axis=1) / _HUBER)
    weighted = nearest.multiply(weight[:, None]).tocsr()
    normal = (weighted.T @ nearest).toarray()
    held = stiff * float(marks.weight[rows].sum()) / _TYPICAL
    normal += held * biventricle().smooth + 1e-6 * np.eye(len(normal))
    return np.linalg.solve(normal, weighted.T @ off), off


def _moves(marks: Marks, off: Floats) -> Floats:
    """Return by how much each slice should move within its plane [m], the mean move being none."""
    weight = marks.weight / np.maximum(1, np.linalg.norm(off, axis=1) / _HUBER)
    count = np.bincount(marks.source, weight, len(marks.normals))
    total = np.stack(
        [np.bincount(marks.source, weight * off[:, k], len(marks.normals)) for k in range(3)], 1
    )
    move = -total / np.maximum(count, 1e-9)[:, None]
    move -= (move * marks.normals).sum(axis=1, keepdims=True) * marks.normals
    move[(np.abs(marks.normals).sum(axis=1) == 0) | (count == 0)] = 0
    return move - (count / count.sum()) @ move
