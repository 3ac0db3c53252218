"""How far the automatic heart is from the truth of rendered examinations, new to the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from skimage.measure import marching_cubes

from isosoma.core.errors import IsosomaError
from isosoma.imaging.cine import CineHeart, heart_from, shares_of
from isosoma.imaging.cine_crop import cuts, heart_middle
from isosoma.imaging.render import classes_at
from isosoma.imaging.rendered_study import RenderedStudy, rendered_study, true_shares

__all__ = ["FIRST", "series", "study_errors"]

Floats = npt.NDArray[np.float64]

FIRST = 50_000  # seed of the first; training counts its own from pairs of numbers
PARTS = ("left", "wall", "right")
STEP = 2.5e-3  # [m] of the grid on which the true surface is found


def study_errors(seed: int, *, true_parts: bool) -> dict[str, Any]:
    """Return one examination's errors, as shares of the truth; `failed` says why there are none."""
    study = rendered_study(seed)
    every = cuts(study.volumes, heart_middle(study.volumes[0]))
    truth = [true_shares(study, cut) for cut in every]
    shares = truth if true_parts else [shares_of(cut) for cut in every]
    try:
        heart = heart_from(every, shares, study.volumes[0].phases)
    except IsosomaError as error:
        return {"seed": seed, "failed": str(error)}
    both = [(s.argmax(axis=1), t.argmax(axis=1)) for s, t in zip(shares, truth, strict=True)]
    dice = {f"dice_{name}": _dice(both, k + 1) for k, name in enumerate(PARTS)}
    return {"seed": seed, **_volumes(heart, study), **dice, "surface_mm": _surface(heart, study)}


def _volumes(heart: CineHeart, study: RenderedStudy) -> dict[str, Any]:
    """Return errors of volumes, and whether the intervals hold the truth."""
    edv, esv, wall = study.full[0], study.empty[0], study.full[1]
    ef = 1 - esv / edv
    off = {
        "edv": heart.end_diastolic_volume - edv, "esv": heart.end_systolic_volume - esv,
        "ef": heart.ejection_fraction - ef, "mass": float(heart.mass.mean()) - 1050 * wall,
    }  # fmt: skip
    return {
        "edv_error": off["edv"] / edv, "esv_error": off["esv"] / esv,
        "ef_error_points": 100 * off["ef"], "ef": ef, "mass_error": off["mass"] / (1050 * wall),
        "rv_edv_error": float(heart.right.volume.max()) / study.full[2] - 1,
        "rv_esv_error": float(heart.right.volume.min()) / study.empty[2] - 1,
        "held": {k: abs(v) <= heart.sigma[k] for k, v in off.items()},
    }  # fmt: skip


def _dice(both: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]], name: int) -> float:
    """Return the overlap of one part in all pictures."""
    common = sum(int(((a == name) & (b == name)).sum()) for a, b in both)
    return 2 * common / max(1, sum(int((a == name).sum() + (b == name).sum()) for a, b in both))


def _surface(heart: CineHeart, study: RenderedStudy) -> float:
    """Return the mean distance of the left cavity's true surface from ours, end-diastole [mm]."""
    side = np.arange(-0.08, 0.08, STEP)
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1) + study.heart.centre
    cavity = (classes_at(study.heart, grid, 0.0) == 1).astype(float)
    points = marching_cubes(cavity, 0.5)[0] * STEP + grid[0, 0, 0]
    part = heart.left
    mine = part.points[0][part.triangles].mean(axis=1)
    return 1e3 * float(KDTree(np.concatenate([mine, part.points[0]])).query(points)[0].mean())


def series(count: int, *, true_parts: bool = False, first: int = FIRST) -> dict[str, Any]:
    """Print each examination's errors and return those of all."""
    rows = list[dict[str, Any]]()
    for seed in range(first, first + count):
        row = study_errors(seed, true_parts=true_parts)
        print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
        rows.append(row)
    good = [row for row in rows if "failed" not in row]
    if not good:
        return {"synthetic_failed": len(rows)}
    column = {k: np.array([row[k] for row in good]) for k in good[0] if k not in ("seed", "held")}
    held = {k: float(np.mean([row["held"][k] for row in good])) for k in good[0]["held"]}
    named = {f"synthetic_{k}": round(float(np.mean(v)), 3) for k, v in column.items() if k != "ef"}
    ef, sizes = column["ef_error_points"], ("edv_error", "esv_error", "mass_error")
    return named | {
        "synthetic_studies": len(good), "synthetic_failed": len(rows) - len(good),
        "synthetic_ef_error_mean": round(float(ef.mean()), 2),
        "synthetic_ef_error_sd": round(float(ef.std()), 2),
        "synthetic_error_p90": {k: round(float(np.quantile(np.abs(column[k]), 0.9)), 3)
                                for k in (*sizes, "ef_error_points")},
        "synthetic_held": {k: round(v, 3) for k, v in held.items()},
    }  # fmt: skip
