"""Read a DICOM segmentation onto the pictures it names, as a reader's corrections come back.

A mask is put where its own reference says: on that picture, of that phase. Its position must agree;
order in the file and instance numbers mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError
from isosoma.exchange.dicom_header import Frame, Header, read_header
from isosoma.exchange.dicom_pixels import stored
from isosoma.exchange.dicom_segments import SEGMENTS
from isosoma.exchange.dicom_series import Stack
from isosoma.exchange.dicom_structure import guarded

__all__ = ["Labelled", "read_seg"]

_SEG = "1.2.840.10008.5.1.4.1.1.66.4"
_SAME_PLACE = 0.1  # [mm]
_MOST_SEGMENTS = 255


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Labels on a stack.

    Attributes
    ----------
    labels : shape (column, row, slice, phase); 0 is nothing.
    names : label -> a name of `SEGMENTS`, or "code meaning" of one that it does not hold.
    made_by : label -> what made it, as the file says.
    decisions : what was decided.
    """

    labels: npt.NDArray[np.uint8]
    names: dict[int, str]
    made_by: dict[int, str]
    decisions: tuple[str, ...]


def read_seg(path: Path, stack: Stack) -> Labelled:
    """Return the labels of a stack.

    Raises
    ------
    InputError
        It is damaged, no binary segmentation, or lies on other pictures.
    """
    header = read_header(path)
    if header is None or header.sop_class != _SEG or header.bits != 1:
        raise FormatError("is no binary DICOM segmentation", path.name, "Export it as one")
    due = (stack.header.rows, stack.header.columns)
    if (header.rows, header.columns) != due:
        said = f"has masks of {header.rows} x {header.columns} on pictures of {due[0]} x {due[1]}"
        raise FormatError(said, path.name, "Give the pictures it was drawn on")
    with guarded(path, "is damaged"):
        import pydicom

        data = pydicom.dcmread(path, stop_before_pixels=True)
        names, made_by = _segments(data, path.name)
        masks = list(_masks(data, header, stack))
    labels = np.zeros((due[1], due[0], len(stack.frames), len(stack.frames[0])), np.uint8)
    shared = 0
    for number, k, t, frame in masks:
        if number not in names:
            raise FormatError(f"draws segment {number}, which it does not name", path.name)
        marked = stored(header, frame).T > 0
        shared += int(np.count_nonzero(labels[:, :, k, t][marked]))
        labels[:, :, k, t][marked] = number
    said = (f"{shared} voxels lie in two segments: the later one is kept",) if shared else ()
    return Labelled(labels, names, made_by, said)


def _segments(data: Any, where: str) -> tuple[dict[int, str], dict[int, str]]:
    known = {s.code: name for name, s in SEGMENTS.items()}
    names, made_by = dict[int, str](), dict[int, str]()
    for held in data.SegmentSequence:
        number = int(held.SegmentNumber)
        if not 0 < number <= _MOST_SEGMENTS:
            raise FormatError(f"numbers a segment {number}", where, "255 are read")
        code = held.SegmentedPropertyTypeCodeSequence[0]
        other = f"{code.CodeValue} {code.CodeMeaning}"[:64]
        names[number] = known.get(str(code.CodeValue), other)
        made_by[number] = str(held.get("SegmentAlgorithmName") or held.SegmentAlgorithmType)[:64]
    return names, made_by


def _masks(data: Any, header: Header, stack: Stack) -> Iterator[tuple[int, int, int, Frame]]:
    """Yield segment, slice, phase and frame of every mask."""
    at = {
        (h.instance, f.number + 1 if len(h.frames) > 1 else 0): (k, t, f)
        for k, row in enumerate(stack.frames) for t, (h, f) in enumerate(row)
    }  # fmt: skip
    shared = data.SharedFunctionalGroupsSequence[0]
    for frame, own in zip(header.frames, data.PerFrameFunctionalGroupsSequence, strict=True):
        segment = own.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
        found = [at[key] for key in _references(own, shared) if key in at]
        if len(found) != 1:
            said = f"mask {frame.number + 1} names {len(found)} of the pictures"
            raise FormatError(said, header.file.name, "Give the pictures it was drawn on")
        k, t, under = found[0]
        apart = np.subtract(frame.position or (np.inf,) * 3, under.position)
        if np.abs(apart).max() > _SAME_PLACE:
            said = f"mask {frame.number + 1} lies elsewhere than the picture it names"
            raise FormatError(said, header.file.name, "Export it again")
        yield int(segment[0].ReferencedSegmentNumber), k, t, frame


def _references(own: Any, shared: Any) -> Iterator[tuple[str, int]]:
    """Yield instance and frame (0 where none is named) of the pictures that a mask names."""
    for derived in own.get("DerivationImageSequence") or shared.get("DerivationImageSequence", ()):
        for source in derived.get("SourceImageSequence", ()):
            frames = source.get("ReferencedFrameNumber") or 0
            for number in (frames,) if isinstance(frames, (int, str)) else frames:
                yield str(source.ReferencedSOPInstanceUID), int(number)
