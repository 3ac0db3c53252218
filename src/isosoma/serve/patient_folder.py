"""A patient's folder: patient.toml, tables, records and pictures beside it, into a log."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isosoma.core.errors import InputError, RangeError
from isosoma.core.observation import Observation
from isosoma.exchange.patient_contradictions import among
from isosoma.exchange.patient_file import PatientFile, read_patient
from isosoma.exchange.sniff import is_companion, is_dicom, read_path
from isosoma.intake import Session, Summary, take, take_paths
from isosoma.intake.ecg_rate import rates_of
from isosoma.record import Log
from isosoma.serve.bedside import check_body, keep_body

__all__ = ["Folder", "read_folder", "take_folder"]

_FILE = "patient.toml"
_PRESSURES = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder describes, its other files, and the arterial pressures in all of them.

    `images` is the folder in it that holds all its DICOM files; None where there are none.
    """

    described: PatientFile
    files: tuple[Path, ...]
    pressures: tuple[Observation, ...] = ()
    images: Path | None = None


def read_folder(folder: Path, store: Path | None, now: int) -> Folder:
    """Return a folder of which a twin can be made; a log that lies in it is no part of it.

    Everything is read once, so that it is taken whole or refused whole.

    Raises
    ------
    InputError
        It describes nobody, no twin can be made of them, or it contradicts itself.
    """
    if not (folder / _FILE).is_file():
        raise InputError(f"holds no {_FILE}", folder.name, "docs/twin.md shows one")
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0] != ".")
    files = tuple(
        p for p in found
        if p != folder / _FILE and not is_companion(p)
        and not (store is not None and _is_of(p.resolve(), store.resolve()))
    )  # fmt: skip
    pictures = [p for p in files if is_dicom(p)]
    files = tuple(p for p in files if p not in set(pictures))
    described = read_patient(folder / _FILE, now)
    found = _checked(described, files, now)
    pressures = tuple(o for o in found if o.variable in _PRESSURES)
    return Folder(described, files, pressures, _holding(pictures))


def _holding(pictures: list[Path]) -> Path | None:
    """Return the deepest folder that holds all files."""
    return Path(os.path.commonpath([p.parent for p in pictures])) if pictures else None


def _is_of(path: Path, store: Path) -> bool:
    """Whether a file is the log, or lies beside it as its keys and checkpoint do."""
    if not path.is_relative_to(store.parent):
        return False
    name = path.relative_to(store.parent).parts[0]
    return name == store.name or name.startswith(f"{store.name}-")


def _checked(described: PatientFile, files: tuple[Path, ...], now: int) -> list[Observation]:
    """Return every reading; refuse all of it where it makes no twin or contradicts itself."""
    try:
        check_body(described, now)
    except InputError as error:
        raise error.at(_FILE) from error
    found = list[Observation](described.observations)
    for path in files:
        read = read_path(path, subject=described.id, received=now)
        found += [r for r in read if isinstance(r, Observation)]
    said = among(found)
    if said:
        raise RangeError("; ".join(said), todo="Correct it and build again; nothing was changed")
    return found


def take_folder(
    folder: Folder, log: Log, now: int, told: Callable[[int], Any] = lambda _: None
) -> Summary:
    """Record a folder and the heart rates of its ECGs in a log; a repetition adds nothing.

    `told` hears how many files are done.
    """
    patient, session = folder.described.id, Session(folder.described.id)
    kept = take(log, folder.described.observations, patient=patient, now=now, session=session)
    for count, path in enumerate(folder.files, 1):
        kept += take_paths([path], log, patient, now=now, session=session, derived=rates_of)
        told(count)
    keep_body(log, folder.described)
    return kept
