"""From NIfTI files to the moving pictures of a heart: nobody's, of no day, of no ECG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isosoma.core.errors import RangeError
from isosoma.core.study import Volume
from isosoma.exchange.dicom_subject import Taken
from isosoma.exchange.nifti import is_nifti, read_head, read_nifti
from isosoma.exchange.sniff import is_dicom
from isosoma.intake.heart_study import LEAST_PHASES, Opened, Tell, digest_of

__all__ = ["holds_nifti", "open_nifti"]

_READ = 0.15  # share of the way, as `heart_study` has it
_FEW = 32  # different values of a file of labels at most; pictures have hundreds


def holds_nifti(folder: Path) -> bool:
    """Whether a folder, or a file, is of NIfTI and nothing in it of DICOM."""
    found = False
    for path in _files(folder):
        if is_dicom(path):
            return False
        found = found or is_nifti(path)
    return found


def open_nifti(folder: Path, tell: Tell = lambda share: None) -> Opened:
    """Return the moving pictures among NIfTI files, each a short-axis stack or a long axis.

    Raises
    ------
    InputError
        A file is damaged, or nothing moves.
    """
    moving = [p for p in _files(folder) if is_nifti(p) and read_head(p).phases >= LEAST_PHASES]
    pictures, labels = list[Path](), list[str]()
    volumes = list[Volume]()
    for k, path in enumerate(moving):
        volume = read_nifti(path)
        if len(np.unique(volume.values)) <= _FEW:
            labels.append(f"{path.name} holds labels, no pictures")
        else:
            pictures.append(path)
            volumes.append(volume)
        tell(_READ * (k + 1) / len(moving))
    if not volumes:
        raise RangeError(
            "holds no moving pictures of eight phases and more", folder.name,
            "Give cine files of four axes, a short-axis stack and long axes",
        )  # fmt: skip
    count = sum(v.grid.shape[2] * len(v.phases) for v in volumes)
    return Opened(digest_of(pictures), count, tuple(volumes), _taken(volumes), (), tuple(labels))


def _taken(volumes: list[Volume]) -> Taken:
    """Return what NIfTI leaves open, a sentence each: person, day, and the beat."""
    said = ["the pictures tell no date", "NIfTI names no person: whose they are is not checked"]
    said += dict.fromkeys(d for v in volumes for d in v.decisions)
    return Taken("", None, 0, tuple(said))


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in ([folder] if folder.is_file() else folder.rglob("*")) if p.is_file())
