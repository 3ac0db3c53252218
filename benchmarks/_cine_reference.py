"""The reference of the one real cine study: fitted surfaces of all phases, and a reader's points.

Both are of biv-me (see SOURCES.md beside the data). The surfaces were fitted to these points, so
that they are a reading of their own, not a truth.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from scipy.spatial import KDTree

from isosoma.core.study import Volume
from isosoma.imaging.biventricle import Kind
from isosoma.imaging.biventricle_fit import Marks
from isosoma.imaging.cine import CineHeart, Part, heart_of, heart_with, shares_of
from isosoma.imaging.cine_crop import cuts, heart_middle, short_axis
from isosoma.imaging.heart_axes import Frame
from isosoma.imaging.render import PIXEL, SIDE
from isosoma.imaging.wall_segments import segment_thickness

__all__ = ["as_hearts", "share_at_contours", "surface_error", "thickness_error"]

Floats = npt.NDArray[np.float64]

PHASES = np.arange(25) / 25
TO_RAS = np.array([-1e-3, -1e-3, 1e-3])  # from LPS [mm]
SAMPLES = np.array([[i, j, 4 - i - j] for i in range(5) for j in range(5 - i)]) / 4
EVERY = 4  # phases, one of which is compared
IN_PLANE = 1e-3  # [m] from a slice, within which a point was drawn on it
KINDS = {
    "SAX_LV_ENDOCARDIAL": Kind.LV_INNER, "LAX_LV_ENDOCARDIAL": Kind.LV_INNER,
    "SAX_LV_EPICARDIAL": Kind.LV_OUTER, "LAX_LV_EPICARDIAL": Kind.LV_OUTER,
    "SAX_RV_EPICARDIAL": Kind.RV_OUTER, "LAX_RV_EPICARDIAL": Kind.RV_OUTER,
    "SAX_RV_FREEWALL": Kind.RV_INNER, "LAX_RV_FREEWALL": Kind.RV_INNER,
    "SAX_RV_SEPTUM": Kind.SEPTUM, "LAX_RV_SEPTUM": Kind.SEPTUM, "APEX_POINT": Kind.APEX,
    "MITRAL_VALVE": Kind.MITRAL_RING, "TRICUSPID_VALVE": Kind.TRICUSPID_RING,
    "AORTA_VALVE": Kind.AORTIC_RING, "PULMONARY_VALVE": Kind.PULMONARY_RING,
}  # fmt: skip


def _lines(archive: Path, part: str) -> dict[str, list[str]]:
    """Return the lines of each file whose name has a part."""
    with tarfile.open(archive) as held:
        found = {Path(m.name).name: held.extractfile(m) for m in held if part in m.name}
        return {k: f.read().decode().splitlines() for k, f in sorted(found.items()) if f}


def as_hearts(folder: Path, frame: Frame) -> tuple[CineHeart, CineHeart]:
    """Return the reference's heart, and ours from its reader's points."""
    files = _lines(folder / "fitted_models_patient1.tar.xz", "model_frame_")
    control = np.stack(
        [np.loadtxt(lines, delimiter=",", skiprows=1)[:, :3] * TO_RAS for lines in files.values()]
    )
    reference = heart_with(control, frame, PHASES, 1.0, "biv-me")
    return reference, heart_of(_guide_points(folder), frame, PHASES, 1.0, "given contours")


def _guide_points(folder: Path) -> Marks:
    """Return the reader's points; a frame is that of the file's name."""
    archive = folder / "guidepoints_patient1.tar.xz"
    rows = [
        (*(float(v) for v in words[:3]), KINDS[words[3]], t, int(words[4]))
        for t, lines in enumerate(_lines(archive, "GPFile_").values())
        for words in map(str.split, lines[1:])
        if words[3] in KINDS
    ]
    table = np.array(rows, float)
    normals = np.zeros((int(table[:, 5].max()) + 1, 3))
    for line in _lines(archive, "SliceInfo")["SliceInfoFile.txt"]:
        words = line.split()
        at = words.index("ImageOrientationPatient")
        along, down = np.array(words[at + 1 : at + 7], float).reshape(2, 3) * np.sign(TO_RAS)
        normals[int(words[2])] = np.cross(along, down)
    whole = table[:, 3:].astype(int)
    return Marks(
        table[:, :3] * TO_RAS, whole[:, 0], whole[:, 1], whole[:, 2], np.ones(len(table)), normals
    )


def share_at_contours(volumes: Sequence[Volume], folder: Path) -> dict[str, float]:
    """Return the mean probability of the wall, by the network, at the reader's short-axis points.

    At the inner wall it is what is no cavity, else what is cavity or wall.
    """
    marks, seen = _guide_points(folder), dict[str, list[float]]()
    for cut in cuts(volumes, heart_middle(volumes[short_axis(volumes)])):
        shares = shares_of(cut) if cut.short_axis else ()
        for t, share in enumerate(shares):
            for kind in (Kind.LV_INNER, Kind.LV_OUTER, Kind.SEPTUM):
                away = marks.points[(marks.kind == kind) & (marks.phase == t)] - cut.plane.middle
                away = away[np.abs(away @ cut.plane.normal) < IN_PLANE]
                at = np.stack([away @ cut.plane.down, away @ cut.plane.along]) / PIXEL
                inner = kind == Kind.LV_INNER
                wall = 1 - share[1] if inner else share[1] + share[2]
                found = map_coordinates(wall.astype(float), at + (SIDE - 1) / 2, order=1)
                seen.setdefault(kind.name, []).extend(found.tolist())
    return {name: round(float(np.mean(v)), 2) for name, v in seen.items()}


def surface_error(found: Part, truth: Part) -> float:
    """Return the mean distance of two surfaces, both ways and over the beat [m]."""
    distances = list[float]()
    for mine, other in zip(found.points[::EVERY], truth.points[::EVERY], strict=True):
        distances.append(float(KDTree(_dense(other, truth)).query(mine)[0].mean()))
        distances.append(float(KDTree(_dense(mine, found)).query(other)[0].mean()))
    return float(np.mean(distances))


def _dense(points: Floats, part: Part) -> Floats:
    """Return points all over a mesh's triangles, less than a millimetre apart."""
    return np.einsum("wk,tkc->twc", SAMPLES, points[part.triangles]).reshape(-1, 3)


def thickness_error(found: CineHeart, truth: CineHeart) -> tuple[float, float]:
    """Return mean absolute and mean difference of the 16 segments at both ends of the beat [m]."""
    phases = (int(truth.left.volume.argmax()), int(truth.left.volume.argmin()))
    off = [segment_thickness(found, t) - segment_thickness(truth, t) for t in phases]
    return float(np.nanmean(np.abs(off))), float(np.nanmean(off))
