"""A folder of DICOM files as the volumes of an examination.

Headers are read first, whatever the files are called; pixels only when they are asked for, a slice
at a time. A folder of two people, or with two different pictures under one name, is refused whole;
a stack with a slice missing, alone.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, IdentityError, LimitError
from isosoma.core.study import Volume
from isosoma.exchange.dicom_header import Header, read_header
from isosoma.exchange.dicom_pixels import decoded
from isosoma.exchange.dicom_series import Refusal, Stack, stacks

__all__ = ["DicomStudy", "read_study", "slices", "volume"]

_MOST_FILES = 200_000
_MOST_BYTES = 3 << 30
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class DicomStudy:
    """What a folder holds.

    Attributes
    ----------
    stacks : of one geometry each, largest first.
    refused : what makes no volume, and why; the stacks beside it stand.
    person : a digest of whom it is of; "" where no file says.
    revealing : what tells of a person or place, each once.
    passed_over : sentences about files that hold no picture.
    """

    stacks: tuple[Stack, ...]
    refused: tuple[Refusal, ...]
    person: str
    revealing: tuple[str, ...]
    passed_over: tuple[str, ...]


def read_study(folder: Path, tell: Progress = lambda done, of: None) -> DicomStudy:
    """Return the stacks of a folder and everything below it; pixels are not read.

    Parameters
    ----------
    tell : called with files done and in all.

    Raises
    ------
    InputError
        A file is damaged, of another person, or contradicts another; or nothing in the folder
        makes a stack: which, and what to do.
    """
    files = sorted(p for p in ([folder] if folder.is_file() else folder.rglob("*")) if p.is_file())
    if len(files) > _MOST_FILES:
        raise LimitError(f"{len(files)} files in one folder", folder.name, "Give one examination")
    headers, passed = list[Header](), list[str]()
    for i, file in enumerate(files):
        header = _header(file, passed)
        if header is not None:
            headers.append(header)
        tell(i + 1, len(files))
    if not headers:
        raise FormatError("holds no DICOM picture", folder.name, "Give a folder of DICOM files")
    person = _one_person(headers)
    _one_picture_a_name(headers)
    revealing = sorted({what for h in headers for what in h.revealing})
    made, refused = stacks(headers)
    if not made:
        raise refused[0].error
    return DicomStudy(tuple(made), tuple(refused), person, tuple(revealing), tuple(passed))


def _header(file: Path, passed: list[str]) -> Header | None:
    """Return a file's header; a file that is no DICOM at all, or holds no picture, is passed."""
    with file.open("rb") as opened:
        head = opened.read(132)
    if head[128:] != b"DICM":
        passed.append(f"{file.name} is no DICOM file")
        return None
    header = read_header(file)
    if header is None:
        passed.append(f"{file.name} holds no picture")
    return header


def _one_person(headers: list[Header]) -> str:
    people = {h.person: h for h in headers if h.person}
    if len(people) > 1:
        names = ", ".join(sorted(h.file.name for h in people.values())[:2])
        said = f"holds pictures of {len(people)} people ({names})"
        raise IdentityError(said, todo="Give a folder of one person")
    return next(iter(people), "")


def _one_picture_a_name(headers: list[Header]) -> None:
    """Refuse two different files under one SOPInstanceUID."""
    named = defaultdict[str, list[Header]](list)
    for header in headers:
        if header.instance:
            named[header.instance].append(header)
    for group in named.values():
        if len(group) > 1 and len({_digest(h.file) for h in group}) > 1:
            names = " and ".join(sorted(h.file.name for h in group)[:2])
            raise FormatError(
                f"{names} are different pictures under one SOPInstanceUID",
                todo="Remove the wrong one",
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def slices(stack: Stack) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the values of each slice, shape (column, row, phase); one slice in memory at a time.

    Raises
    ------
    InputError
        A picture cannot be decoded.
    """
    for row in stack.frames:
        yield np.stack([decoded(h, f).T for h, f in row], axis=-1)


def volume(stack: Stack, tell: Progress = lambda done, of: None) -> Volume:
    """Return a stack with all its values, shape (column, row, slice, phase).

    Raises
    ------
    InputError
        It has no geometry, is too large to hold, or a picture cannot be decoded.
    """
    header = stack.header
    if stack.grid is None:
        said = "does not say where its pictures lie"
        raise FormatError(said, header.file.name, "Only its pixels can be shown")
    shape = (*stack.grid.shape, len(stack.frames[0]))
    if 4 * int(np.prod(shape)) > _MOST_BYTES:
        raise LimitError("is over 3 GiB as a whole", header.file.name, "Read it slice by slice")
    values = np.empty(shape, np.float32)
    for k, held in enumerate(slices(stack)):
        values[:, :, k] = held
        tell(k + 1, shape[2])
    return Volume(
        grid=stack.grid,
        values=values,
        unit="HU" if header.modality == "CT" else "1",
        modality=header.modality,
        phases=stack.phases,
        periods=stack.periods,
        name=header.description,
        decisions=stack.decisions,
    )
