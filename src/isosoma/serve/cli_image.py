"""`isosoma image info`: what images a folder holds, where they lie, what they tell of a person."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isosoma.core.errors import FormatError
from isosoma.core.study import Grid
from isosoma.serve.progress import progress

if TYPE_CHECKING:
    from isosoma.exchange.dicom_series import Refusal

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Tell about a folder, a DICOM file or a NIfTI file."""
    from isosoma.exchange.nifti import is_nifti

    path = Path(arguments.folder)
    if not path.exists():
        raise FormatError("does not exist", path.name, "Check the name")
    told = _nifti(path) if path.is_file() and is_nifti(path) else _dicom(path)
    if arguments.json:
        print(json.dumps(told, allow_nan=False))
    else:
        print("\n".join(_lines(told)))
    return 0


def _nifti(path: Path) -> dict[str, Any]:
    from isosoma.exchange.nifti import read_head

    head = read_head(path)
    rr = [] if head.period is None else [round(head.period * 1e3, 1)]
    stack = _placed(head.grid) | {
        "name": path.name, "modality": "", "phases": head.phases, "rr_ms": rr,
        "decisions": list(head.decisions),
    }  # fmt: skip
    return {"stacks": [stack], "refused": [], "reveals": [], "passed_over": []}


def _dicom(path: Path) -> dict[str, Any]:
    from isosoma.exchange.dicom import read_study

    with progress("headers", 1.0) as tell:
        study = read_study(path, lambda done, of: tell(done / of))
    stacks = list[dict[str, Any]]()
    for stack in study.stacks:
        header = stack.header
        shape = [header.columns, header.rows, len(stack.frames)]
        placed = _placed(stack.grid) if stack.grid is not None else {"shape": shape}
        series = sorted({h.number for row in stack.frames for h, _ in row})
        stacks.append(placed | {
            "name": header.description, "modality": header.modality, "series": series,
            "phases": len(stack.frames[0]), "rr_ms": np.round(stack.periods * 1e3, 1).tolist(),
            "decisions": list(stack.decisions),
        })  # fmt: skip
    return {
        "stacks": stacks,
        "refused": [_refusal(r) for r in study.refused],
        "reveals": list(study.revealing),
        "passed_over": list(study.passed_over),
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    header = refusal.header
    return {
        "name": header.description, "modality": header.modality, "series": header.number,
        "pictures": refusal.pictures, "reason": str(refusal.error),
    }  # fmt: skip


def _placed(grid: Grid) -> dict[str, Any]:
    """Return a grid as people of the field write it: RAS, mm."""
    affine = grid.affine.copy()
    affine[:3] *= 1e3
    return {
        "shape": list(grid.shape),
        "spacing_mm": np.round(grid.spacing * 1e3, 4).tolist(),
        "affine_ras_mm": np.round(affine, 6).tolist(),
        "looks": _looks(grid),
    }


def _looks(grid: Grid) -> str:
    """Return how a stack's slices lie in the body, by their normal."""
    normal = grid.affine[:3, 2] / np.linalg.norm(grid.affine[:3, 2])
    names = ("sagittal", "coronal", "axial")
    axis = int(np.argmax(np.abs(normal)))
    return names[axis] if abs(normal[axis]) > 0.95 else f"oblique, nearest {names[axis]}"


def _lines(told: dict[str, Any]) -> list[str]:
    out = list[str]()
    for stack in told["stacks"]:
        shape = " x ".join(str(n) for n in stack["shape"])
        name = stack["name"] or "no name"
        out.append(f"{name}: {stack['modality'] or 'image'} {shape}, {_moving(stack)}")
        if "spacing_mm" in stack:
            known = stack["spacing_mm"][: 3 if stack["shape"][2] > 1 else 2]
            spacing = " x ".join(f"{s:.2f}" for s in known)
            out.append(f"  {spacing} mm, {stack['looks']}")
        out += [f"  {sentence}" for sentence in stack["decisions"]]
    for refusal in told["refused"]:
        name = refusal["name"] or "no name"
        out.append(f"{name}: {refusal['pictures']} pictures of series {refusal['series']} refused")
        out.append(f"  {refusal['reason']}")
    if told["reveals"]:
        out.append(f"Tells of a person or place: {', '.join(told['reveals'])}")
    out += told["passed_over"][:5]
    if len(told["passed_over"]) > 5:
        out.append(f"and {len(told['passed_over']) - 5} more files that hold no picture")
    return out


def _moving(stack: dict[str, Any]) -> str:
    if stack["phases"] == 1:
        return "still"
    phases, times = f"{stack['phases']} phases", sorted(stack["rr_ms"])
    if not times:
        return f"{phases} of an unknown cycle"
    span = f"{times[0]:.0f}" if times[0] == times[-1] else f"{times[0]:.0f} to {times[-1]:.0f}"
    return f"{phases}, RR {span} ms"
