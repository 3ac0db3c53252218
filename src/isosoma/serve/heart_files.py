"""The heart of an examination as files: numbers, moving meshes, labels on the pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Volume
from isosoma.exchange.dicom_seg import Maker, write_seg
from isosoma.exchange.glb import Moving, scene
from isosoma.exchange.nifti import write_nifti
from isosoma.exchange.stl import stl
from isosoma.imaging.cine import CineHeart
from isosoma.imaging.raster import rasterised
from isosoma.intake.heart_reading import plain
from isosoma.intake.heart_study import HeartStudy
from isosoma.serve.whole_folder import whole_folder

__all__ = ["PARTS", "date_of", "heart_glb", "labels_on", "told_of", "write_heart"]

Floats = npt.NDArray[np.float64]

PARTS = {"left": "left_ventricle", "outer": "left_ventricle_outside", "right": "right_ventricle"}
"""Parts of a `CineHeart` and what their meshes are called."""
_LARGEST = 980_000  # bytes of points and triangles in a GLB file; its words come to that
_LABELS = {1: "left_ventricle", 2: "left_ventricular_myocardium", 3: "right_ventricle"}


def heart_glb(heart: CineHeart, frame: str, source: str, date: str) -> bytes:
    """Return the moving meshes as one GLB file, of less than 1 MB.

    Phases that lie nearest to the line between their neighbours are left out for that; extras tell
    which are there, and how far a point of those left out lies off that line at most.

    Parameters
    ----------
    frame : names the coordinate system. source : digest of the pictures. date : of them.
    """
    kept, off = _kept_phases(heart)
    parts = [
        Moving(name, getattr(heart, part).points[kept], getattr(heart, part).triangles)
        for part, name in PARTS.items()
    ]
    extras = {
        "frame_of_reference": frame,
        "source": source,
        "date": date,
        "made_by": heart.made_by,
        "phases": heart.phases[kept].round(5).tolist(),
        "left_out_within_mm": round(off * 1e3, 3),
        "lv_ml": (heart.left.volume[kept] * 1e6).round(3).tolist(),
        "rv_ml": (heart.right.volume[kept] * 1e6).round(3).tolist(),
        "origin": heart.frame.origin.round(7).tolist(),
        "axes": heart.frame.axes.round(8).tolist(),
    }
    return scene(parts, extras)


def _kept_phases(heart: CineHeart) -> tuple[list[int], float]:
    """Return the phases that a small file keeps, and how far one left out lies off at most [m]."""
    every = np.concatenate([getattr(heart, part).points for part in PARTS], axis=1)
    room = _LARGEST - 6 * sum(len(getattr(heart, part).triangles) for part in PARTS)
    most = max(3, room // (8 * every.shape[1]))
    kept = list(range(len(every)))
    volume = heart.left.volume
    held = {0, len(every) - 1, int(volume.argmax()), int(volume.argmin())}
    while len(kept) > most and len(kept) > len(held):
        free = [n for n in range(1, len(kept) - 1) if kept[n] not in held]
        off = [_off(every, heart.phases, kept[n - 1], kept[n + 1]) for n in free]
        del kept[free[int(np.argmin(off))]]
    pairs = pairwise(kept)
    return kept, max((_off(every, heart.phases, a, b) for a, b in pairs), default=0.0)


def _off(points: Floats, phases: Floats, a: int, b: int) -> float:
    """Return how far a point of the phases between two lies off the line between them at most."""
    worst = 0.0
    for t in range(a + 1, b):
        share = (phases[t] - phases[a]) / (phases[b] - phases[a])
        between = points[a] + share * (points[b] - points[a])
        worst = max(worst, float(np.linalg.norm(points[t] - between, axis=1).max()))
    return worst


def labels_on(volume: Volume, heart: CineHeart) -> npt.NDArray[np.uint8]:
    """Return the heart as labels on pictures, shape (i, j, k, phase); `_LABELS` names them."""
    labels = np.zeros(volume.values.shape, np.uint8)
    for t, phase in enumerate(volume.phases):
        apart = np.abs(heart.phases - phase)
        when = int(np.minimum(apart, 1 - apart).argmin())
        inside, outside, right = (
            rasterised(p.points[when], p.triangles, volume.grid)
            for p in (heart.left, heart.outer, heart.right)
        )
        shown = labels[..., t]
        shown[right] = 3
        shown[outside] = 2
        shown[inside] = 1
    return labels


def told_of(found: HeartStudy) -> dict[str, Any]:
    """Return what `heart.json` holds; nothing of the person, and no UID of the pictures."""
    opened = found.opened
    frame = opened.volumes[0].grid.frame
    return {
        "date": date_of(found),
        "pictures": opened.pictures,
        "stacks": [{"name": v.name, "shape": list(v.values.shape)} for v in opened.volumes],
        "source_sha256": opened.digest,
        "frame_of_reference": hashlib.sha256(frame.encode()).hexdigest() if frame else "",
        "decisions": list(opened.taken.decisions),
        "refused": list(opened.refused),
        **plain(found.reading),
    }


def date_of(found: HeartStudy) -> str:
    """Return the day of the pictures, empty where none is told."""
    at = found.opened.taken.at
    if at is None:
        return ""
    east = timezone(timedelta(minutes=found.opened.taken.zone))
    return datetime.fromtimestamp(at * 1e-9, east).date().isoformat()


def write_heart(
    found: HeartStudy, out: Path, made: datetime, tell: Callable[[float], Any]
) -> dict[str, int]:
    """Write all files of a heart into a folder that is new, whole or not at all.

    Returns
    -------
    dict
        Name and bytes of each file.

    Raises
    ------
    InputError
        The folder is there already, or cannot be written.
    """
    with whole_folder(out) as part:
        _written(found, part, made, tell)
    return {p.name: p.stat().st_size for p in sorted(out.iterdir())}


def _written(found: HeartStudy, out: Path, made: datetime, tell: Callable[[float], Any]) -> None:
    heart, opened = found.reading.heart, found.opened
    told = told_of(found)
    (out / "heart.json").write_text(json.dumps(told, indent=1, allow_nan=False), "utf-8")
    frame = told["frame_of_reference"]
    (out / "heart.glb").write_bytes(heart_glb(heart, frame, opened.digest, told["date"]))
    end = int(heart.left.volume.argmax())
    for part, name in PARTS.items():
        mesh = getattr(heart, part)
        (out / f"{name}.stl").write_bytes(stl(mesh.points[end], mesh.triangles))
    maker = Maker("isosoma cine", heart.made_by.rpartition(" ")[2], made)
    for k, volume in enumerate(opened.volumes):
        labels = labels_on(volume, heart)
        if labels.any():
            name = f"labels_{k + 1}"
            held = Volume(volume.grid, labels.astype(np.float32), phases=volume.phases)
            write_nifti(out / f"{name}.nii.gz", held)
            if opened.stacks:
                write_seg(out / f"{name}.dcm", opened.stacks[k], labels, _LABELS, maker)
        tell((k + 1) / len(opened.volumes))
