"""`isosoma image segment`: label a volume: the aorta, or what a network of the user's finds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isosoma.core.errors import FormatError, InputError
from isosoma.core.study import Volume
from isosoma.serve.progress import progress
from isosoma.serve.whole_folder import whole_folder

if TYPE_CHECKING:
    from isosoma.imaging.segmentation import Segmentation

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Segment one volume and write labels, probability and what was found."""
    folder, out = Path(arguments.folder), Path(arguments.out)
    if not folder.exists():
        raise InputError("does not exist", folder.name, "Check the name")
    if out.exists():
        raise InputError("is there already", out.name, "Give a folder that is new")
    click = None if arguments.at is None else _click(arguments.at)
    with progress("segment", 2) as tell:
        volume = _volume(folder, arguments.stack)
        tell(1)
        found = _found(volume, arguments.model, arguments.trust_model, click)
        tell(2)
    told = _told(found)
    _write(found, told, out)
    print(json.dumps(told, allow_nan=False) if arguments.json else "\n".join(_lines(told, out)))
    return 0


def _click(text: str) -> list[float]:
    """Return a RAS point [m] of `R,A,S` in millimetres."""
    try:
        values = [float(x) * 1e-3 for x in text.split(",")]
    except ValueError as error:
        raise FormatError(f"--at {text} is no point", todo="Write R,A,S in mm") from error
    if len(values) != 3 or not np.isfinite(values).all():
        raise FormatError(f"--at {text} is no point", todo="Write R,A,S in mm: 12,-30,80.5")
    return values


def _volume(path: Path, chosen: int | None) -> Volume:
    """Return the NIfTI file's volume, or the stack of a DICOM folder."""
    from isosoma.exchange.dicom import read_study, volume
    from isosoma.exchange.nifti import is_nifti, read_nifti

    if path.is_file() and is_nifti(path):
        return read_nifti(path)
    stacks = read_study(path).stacks
    number = 1 if chosen is None and len(stacks) == 1 else chosen
    if number is None or not 1 <= number <= len(stacks):
        names = "; ".join(f"{i} {s.header.description}" for i, s in enumerate(stacks, start=1))
        raise InputError(f"holds {len(stacks)} stacks", path.name, f"Choose --stack of {names}")
    return volume(stacks[number - 1])


def _found(volume: Volume, model: str, trusted: bool, click: list[float] | None) -> Segmentation:
    from isosoma.imaging.aorta_find import find_aorta
    from isosoma.imaging.loaders import load_model

    if model == "aorta":
        return find_aorta(volume.values[..., 0], volume.grid, click)[0]
    path = Path(model)
    if not path.exists():
        raise InputError("does not exist", path.name, 'Give a model, or the word "aorta"')
    return load_model(path, trusted=trusted)(volume)


def _told(found: Segmentation) -> dict[str, Any]:
    volumes = {name: round(found.volume(name) * 1e6, 3) for name in found.names[1:]}
    return {
        "volumes_ml": volumes, "quality": round(found.quality, 3),
        "problems": list(found.problems), "made_by": found.made_by,
    }  # fmt: skip


def _write(found: Segmentation, told: dict[str, Any], out: Path) -> None:
    """Write three files; what breaks off leaves nothing."""
    from isosoma.exchange.nifti import write_nifti

    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(out) as part:
        labels = found.labels.astype(np.float32)[..., None]
        write_nifti(part / "labels.nii.gz", Volume(found.grid, labels))
        write_nifti(part / "probability.nii.gz", Volume(found.grid, found.probability[..., None]))
        names = {str(n): name for n, name in enumerate(found.names) if n}
        text = json.dumps(told | {"labels": names}, indent=1, allow_nan=False)
        (part / "segmentation.json").write_text(text + "\n", "utf-8")


def _lines(told: dict[str, Any], out: Path) -> list[str]:
    lines = [f"{name}: {ml:.1f} ml" for name, ml in told["volumes_ml"].items() if ml]
    lines = lines or ["nothing was found"]
    lines.append(f"quality {told['quality']:.2f}, by {told['made_by']}")
    return [*lines, *(f"  {p}" for p in told["problems"]), f"Written to {out}"]
