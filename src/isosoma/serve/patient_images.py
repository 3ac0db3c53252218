"""The pictures in a patient's folder: the heart is built once, its reading kept in the log.

What names a person or tells them apart (PatientID, day of birth, UIDs) stands in the encrypted log
only. A heart that may be another person's is taken, and every number of it says so for ever.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.errors import IdentityError, RangeError
from isosoma.core.observation import Observation
from isosoma.core.study import Volume
from isosoma.exchange.dicom_subject import taken
from isosoma.exchange.patient_file import PatientFile
from isosoma.exchange.sniff import is_dicom
from isosoma.imaging.cine import CineHeart
from isosoma.imaging.cine_file import packed, unpacked
from isosoma.imaging.reader_contours import ReaderContour
from isosoma.imaging.unet import version
from isosoma.intake import Summary, take
from isosoma.intake.heart_reading import observations
from isosoma.intake.heart_study import HeartStudy, Opened, build_heart, open_study
from isosoma.record import Draft, Log, get_blob, put_blob
from isosoma.serve.bedside import day_of
from isosoma.serve.heart_files import told_of
from isosoma.serve.pictures import Pictures

__all__ = [
    "COMPOSITE",
    "Imaged",
    "Kept",
    "kept_heart",
    "look",
    "names_other",
    "show",
    "take_correction",
    "take_heart",
]

COMPOSITE = "composite"
"""Flag of a reading's origin, which every export carries: it may be another person's."""
_KIND = "heart"
Tell = Callable[[float], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A heart as the log keeps it: the reading's numbers, its meshes, and what readers drew."""

    told: dict[str, Any]
    heart: CineHeart
    drawn: tuple[ReaderContour, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Imaged:
    """What became of a folder's pictures.

    Attributes
    ----------
    opened : the pictures. found : the reading made now; None where the log had it.
    kept : the reading that the log had; None where it had none.
    other : whether the pictures name another patient than the folder.
    said : why there is no heart; empty where there is one.
    """

    opened: Opened | None
    found: HeartStudy | None = None
    kept: Kept | None = None
    other: bool = False
    said: str = ""

    @property
    def told(self) -> dict[str, Any] | None:
        """Return the reading's numbers; None where there is no heart."""
        if self.found is not None:
            return told_of(self.found)
        return None if self.kept is None else self.kept.told

    @property
    def heart(self) -> CineHeart | None:
        """Return the heart; None where there is none."""
        if self.found is not None:
            return self.found.reading.heart
        return None if self.kept is None else self.kept.heart

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """Return the moving pictures."""
        return () if self.opened is None else self.opened.volumes


def look(images: Path, described: PatientFile, log: Log, tell: Tell = lambda share: None) -> Imaged:
    """Return the heart in a folder of pictures, built unless the log holds it; nothing is recorded.

    Pictures without a cine heart are no fault of the folder: the sentence says what is missing.

    Raises
    ------
    InputError
        A file is damaged, of two people, or of somebody born on another day.
    """
    try:
        opened = open_study(images, tell)
    except RangeError as error:
        return Imaged(None, said=str(error))
    other = _whose(opened, described)
    kept = kept_heart(log, described.id, opened.digest)
    if kept is not None and version() in kept.told["made_by"]:
        tell(1.0)
        return Imaged(opened, kept=kept, other=other)
    try:
        return Imaged(opened, build_heart(opened, tell), other=other)
    except RangeError as error:
        return Imaged(opened, other=other, said=str(error))


def _whose(opened: Opened, described: PatientFile) -> bool:
    """Return whether the pictures name another patient; refuse those of another birth or sex."""
    who, born = opened.taken, "" if described.born is None else day_of(described.born)
    if who.born and born and who.born != born:
        said = "the pictures are of somebody born on another day"
        raise IdentityError(said, "images", "Give this patient's pictures, or correct born")
    if who.sex in ("f", "m") and described.sex and who.sex != described.sex[0].lower():
        raise IdentityError(
            "the pictures are of somebody of the other sex", "images",
            "Give this patient's pictures, or correct sex",
        )  # fmt: skip
    return who.patient not in ("", described.id)


def names_other(images: Path, patient: str) -> bool:
    """Return whether the first picture of a folder names another patient; only its header is read.

    Raises
    ------
    FormatError
        It cannot be read.
    """
    first = min(p for p in images.rglob("*") if p.is_file() and is_dicom(p))
    return taken(first).patient not in ("", patient)


def show(imaged: Imaged, pictures: Pictures) -> None:
    """Give the page what a folder's pictures are and what was found in them."""
    told = imaged.told or {}
    pictures.date, pictures.source = told.get("date", ""), told.get("source_sha256", "")
    pictures.volumes, pictures.said = imaged.volumes, imaged.said
    pictures.heart = imaged.heart
    pictures.drawn = [] if imaged.kept is None else list(imaged.kept.drawn)


def take_heart(
    imaged: Imaged, log: Log, patient: str, now: int, drawn: Sequence[ReaderContour] = ()
) -> Summary:
    """Record the reading of a heart made now, its meshes, and what of it teaches the twin.

    A reading of pictures that were read before takes the place of the older one; the log keeps
    both. `drawn` are the contours of readers that it rests on.
    """
    if imaged.found is None:
        return Summary()
    opened, told = imaged.found.opened, told_of(imaged.found)
    when = opened.taken
    kept = {
        _KIND: told, "names": when.patient, "born": when.born, "other": imaged.other,
        "study": opened.stacks[0].header.study, "drawn": [_plain(c) for c in drawn],
    }  # fmt: skip
    count = len(list(_told(log, patient, opened.digest)))
    mesh = put_blob(log, patient, packed(imaged.found.reading.heart), {"what": _KIND})
    key = f"{_KIND}:{opened.digest}:{count}".encode()
    done = log.append(patient, [Draft("reading", kept | {"mesh": mesh}, key=key, blobs=(mesh,))])
    done.result()
    if when.at is None:
        return Summary()
    like = Observation(
        patient, "", when.at, now, 0.0, 0.0, zone=when.zone, device="cmr",
        origin=f"reading:{_KIND}:{opened.digest[:16]}", seq=count,
    )  # fmt: skip
    flags = [COMPOSITE] if imaged.other else []
    return take(log, observations(imaged.found.reading, like, flags), patient=patient, now=now)


def kept_heart(log: Log, patient: str, digest: str = "") -> Kept | None:
    """Return the newest heart in a log, or that of the pictures of a digest."""
    newest = deque(_told(log, patient, digest), maxlen=1)
    if not newest:
        return None
    found = newest[0]
    drawn = tuple(_contour(c) for c in found.get("drawn", ()))
    return Kept(found[_KIND], unpacked(get_blob(log, patient, found["mesh"])), drawn)


def take_correction(
    kept: Imaged, heart: CineHeart, drawn: Sequence[ReaderContour], log: Log, patient: str, now: int
) -> Summary:
    """Record the reading of a heart that was fitted again to readers' contours."""
    if kept.opened is None:
        return Summary()
    study = build_heart(kept.opened, found=heart)
    return take_heart(Imaged(kept.opened, study, other=kept.other), log, patient, now, drawn)


def _told(log: Log, patient: str, digest: str) -> Iterator[dict[str, Any]]:
    """Yield what the log tells of hearts, the oldest first; any pictures' without a digest."""
    for entry in log.entries(patient, ["reading"]):
        told: dict[str, Any] = json.loads(entry.payload)
        if _KIND in told and digest in ("", told[_KIND]["source_sha256"]):
            yield told


def _plain(contour: ReaderContour) -> dict[str, Any]:
    return {
        "volume": contour.volume, "slice": contour.slice, "phase": contour.phase,
        "structure": contour.structure, "points": contour.points.tolist(), "by": contour.by,
    }  # fmt: skip


def _contour(told: dict[str, Any]) -> ReaderContour:
    points = np.array(told["points"], float)
    return ReaderContour(
        told["volume"], told["slice"], told["phase"], told["structure"], points, told["by"]
    )
