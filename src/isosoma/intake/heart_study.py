"""From a folder of pictures to the reading of the heart in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isosoma.core.errors import RangeError
from isosoma.core.study import Volume
from isosoma.exchange.dicom import read_study, volume
from isosoma.exchange.dicom_series import Stack
from isosoma.exchange.dicom_subject import Taken, taken
from isosoma.imaging.cine import CineHeart, build
from isosoma.intake.heart_reading import HeartReading, read_heart

__all__ = ["LEAST_PHASES", "HeartStudy", "Opened", "build_heart", "digest_of", "open_study"]

Tell = Callable[[float], Any]

LEAST_PHASES = 8  # of a cine
_HEADERS, _PIXELS, _FOUND = 0.1, 0.15, 0.93  # shares of the way, of the sample study


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The moving pictures of a folder, read but not yet looked at.

    Attributes
    ----------
    digest : of all its files, whatever they are called. pictures : how many.
    volumes : of moving pictures that have a place.
    taken : whose and when.
    stacks : of DICOM, one for each volume; empty where the pictures are of another format.
    refused : what makes no volume, a sentence each.
    """

    digest: str
    pictures: int
    volumes: tuple[Volume, ...]
    taken: Taken
    stacks: tuple[Stack, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HeartStudy:
    """An examination and what was read from it."""

    opened: Opened
    reading: HeartReading


def open_study(folder: Path, tell: Tell = lambda share: None) -> Opened:
    """Return the moving pictures of a folder.

    Raises
    ------
    InputError
        A file is damaged or of another person, or nothing in the folder moves.
    """
    study = read_study(folder, lambda done, of: tell(_HEADERS * done / of))
    moving = [s for s in study.stacks if s.grid is not None and len(s.frames[0]) >= LEAST_PHASES]
    if not moving:
        raise RangeError(
            "holds no moving pictures of eight phases and more", folder.name,
            "Give the cine series of an examination, a short-axis stack and long axes",
        )  # fmt: skip
    made = list[Volume]()
    for k, stack in enumerate(moving):
        made.append(volume(stack))
        tell(_HEADERS + (_PIXELS - _HEADERS) * (k + 1) / len(moving))
    files = sorted({h.file for s in moving for row in s.frames for h, _ in row})
    pictures = sum(len(row) for s in moving for row in s.frames)
    when = taken(moving[0].header.file)
    refused = tuple(str(r.error) for r in study.refused)
    return Opened(digest_of(files), pictures, tuple(made), when, tuple(moving), refused)


def build_heart(
    opened: Opened, tell: Tell = lambda share: None, found: CineHeart | None = None
) -> HeartStudy:
    """Return the reading of the heart in an examination.

    Parameters
    ----------
    found : the heart, where it was built before from the same pictures.

    Raises
    ------
    RangeError
        There is no short-axis stack, no long axis, or no heart in them.
    """
    heart = found or build(
        opened.volumes, lambda done, of: tell(_PIXELS + (_FOUND - _PIXELS) * done / of)
    )
    reading = read_heart(opened.volumes, heart)
    tell(1.0)
    return HeartStudy(opened, reading)


def digest_of(files: list[Path]) -> str:
    """Return one digest of files in any order, under any name."""
    each = list[str]()
    for path in files:
        with path.open("rb") as file:
            each.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256("\n".join(sorted(each)).encode()).hexdigest()
