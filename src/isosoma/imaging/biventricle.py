"""A subdivision surface of both ventricles: 388 control points give closed meshes of every part.

The tables are those of biv-me (Apache-2.0; Mauger et al. 2018, STACOM,
doi:10.1007/978-3-030-12029-0_3), made smaller by `tools/biventricle.py`. A surface is a fixed
matrix times the control points, so that meshes keep their triangles from phase to phase and from
heart to heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from isosoma.imaging.surface import Surface, repaired

__all__ = ["Biventricle", "Kind", "biventricle", "enclosed"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_FILE = Path(__file__).parent / "weights" / "biventricle.npz"


class Kind(IntEnum):
    """What a point of a contour lies on."""

    LV_INNER = 0
    LV_OUTER = 1
    SEPTUM = 2
    RV_INNER = 3
    RV_OUTER = 4
    MITRAL = 5
    TRICUSPID = 6
    AORTIC = 7
    PULMONARY = 8
    APEX = 9
    MITRAL_RING = 10
    TRICUSPID_RING = 11
    AORTIC_RING = 12
    PULMONARY_RING = 13


_MATERIAL = {
    Kind.LV_INNER: "LV_ENDOCARDIAL", Kind.LV_OUTER: "LV_EPICARDIAL", Kind.SEPTUM: "RV_SEPTUM",
    Kind.RV_INNER: "RV_FREEWALL", Kind.RV_OUTER: "RV_EPICARDIAL", Kind.MITRAL: "MITRAL_VALVE",
    Kind.TRICUSPID: "TRICUSPID_VALVE", Kind.AORTIC: "AORTA_VALVE",
    Kind.PULMONARY: "PULMONARY_VALVE",
}  # fmt: skip
_CAVITY = {
    Kind.MITRAL: ["LV_ENDOCARDIAL"], Kind.AORTIC: ["LV_ENDOCARDIAL"],
    Kind.TRICUSPID: ["RV_FREEWALL", "RV_SEPTUM"], Kind.PULMONARY: ["RV_FREEWALL", "RV_SEPTUM"],
}  # fmt: skip
_RINGS = {
    Kind.MITRAL_RING: Kind.MITRAL, Kind.TRICUSPID_RING: Kind.TRICUSPID,
    Kind.AORTIC_RING: Kind.AORTIC, Kind.PULMONARY_RING: Kind.PULMONARY,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Biventricle:
    """The model.

    Attributes
    ----------
    matrix : control points to vertices, shape (5810, 388); smooth : penalty, shape (388, 388).
    control : the mean heart's control points [m], shape (388, 3).
    left, outer, right, whole : triangles of closed meshes: cavity of the left ventricle, its outer
        wall, cavity of the right, and the outer surface of both; wound outward.
    spots : by kind, matrix from control points to points of that surface, shape (n, 388).
    lids : vertex amid the mitral and the tricuspid valve.
    """

    matrix: csr_array
    smooth: Floats
    control: Floats
    left: Indices
    outer: Indices
    right: Indices
    whole: Indices
    spots: dict[Kind, csr_array]
    lids: tuple[int, int]


@cache
def biventricle() -> Biventricle:
    """Return the model, read once."""
    with np.load(_FILE) as file:
        kept = {name: file[name] for name in file.files}
    control = kept["control"].astype(float)
    shape = (len(kept["rows"]) - 1, len(control))
    parts = (kept["data"].astype(float), kept["columns"].astype(int), kept["rows"].astype(int))
    matrix = csr_array(parts, shape)
    triangles, names = kept["triangles"].astype(int), kept["names"][kept["material"]]
    points = matrix @ control

    def closed(*wanted: str, more: Indices | None = None) -> Indices:
        faces = triangles[np.isin(names, wanted)]
        faces = faces if more is None else np.concatenate([faces, more])
        return np.unique(faces)[repaired(Surface(points, faces)).triangles]  # it numbers anew

    valves = ("MITRAL_VALVE", "AORTA_VALVE")
    right_valves = ("TRICUSPID_VALVE", "PULMONARY_VALVE")
    strips = ("MITRAL_VALVE_CUT", "AORTA_VALVE_CUT")
    right_strips = ("TRICUSPID_VALVE_CUT", "PULMONARY_VALVE_CUT")
    across = kept["across"].astype(int)
    spots = {kind: _spots(matrix, triangles[names == _MATERIAL[kind]]) for kind in _MATERIAL}
    inner = np.unique(triangles[names == "LV_ENDOCARDIAL"])
    for ring, valve in _RINGS.items():
        beside = triangles[np.isin(names, _CAVITY[valve])]
        spots[ring] = matrix[np.intersect1d(triangles[names == _MATERIAL[valve]], beside)]
    mitral = (spots[Kind.MITRAL_RING] @ control).mean(axis=0)
    apex = int(inner[np.argmax(np.linalg.norm(points[inner] - mitral, axis=1))])
    spots[Kind.APEX] = matrix[[apex]]
    return Biventricle(
        matrix, kept["smooth"].astype(float), control,
        closed("LV_ENDOCARDIAL", *valves),
        closed("LV_EPICARDIAL", "RV_SEPTUM", *valves, *strips, more=across),
        closed("RV_FREEWALL", "RV_SEPTUM", *right_valves),
        closed("LV_EPICARDIAL", "RV_EPICARDIAL", *valves, *strips, *right_valves, *right_strips),
        spots,
        (_amid(triangles[names == valves[0]]), _amid(triangles[names == right_valves[0]])),
    )  # fmt: skip


def _spots(matrix: csr_array, triangles: Indices) -> csr_array:
    """Return the rows of a surface's vertices and middles of triangles."""
    middles = (matrix[triangles[:, 0]] + matrix[triangles[:, 1]] + matrix[triangles[:, 2]]) / 3
    return csr_array(vstack([matrix[np.unique(triangles)], middles]))


def _amid(fan: Indices) -> int:
    """Return the vertex that all triangles of a valve share."""
    return int(np.bincount(fan.ravel()).argmax())


def enclosed(points: Floats, triangles: Indices) -> Floats:
    """Return the volume [m3] that closed meshes enclose at each phase; points (phase, n, 3)."""
    a, b, c = np.moveaxis((points - points.mean(axis=1, keepdims=True))[:, triangles], 2, 0)
    return np.einsum("tij,tij->t", a, np.cross(b, c)) / 6
