"""What a DICOM file says of its frames, pixels left where they are (PS3.3 C.7.6, C.7.6.16).

A frame is one picture. A single-frame file has one; in an enhanced file what a frame says of itself
goes before what all frames share. Nothing is invented: a frame without orientation, position or
spacing has no geometry.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from isosoma.core.errors import FormatError, LimitError
from isosoma.exchange.dicom_structure import Contents, contents, guarded

__all__ = ["Frame", "Header", "read_header"]

_MOST_FRAMES = 100_000
_WIDEST = 32_768
Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes
    ----------
    file, number : where it is; frames of a file count from 0.
    orientation : direction cosines of a row, then of a column, LPS; empty where not said.
    position : of the first pixel's centre, LPS [mm]; empty where not said.
    spacing : between rows, between columns [mm]; empty where not said.
    slope, intercept : value = stored * slope + intercept.
    trigger, interval : time since the R peak and between R peaks [ms]; NaN where not said.
    echo : echo time [ms]; b_value : diffusion weighting [s/mm2]; NaN where not said.
    order : instance number, or the frame's own.
    """

    file: Path
    number: int
    orientation: Numbers
    position: Numbers
    spacing: Numbers
    slope: float = 1.0
    intercept: float = 0.0
    trigger: float = math.nan
    interval: float = math.nan
    echo: float = math.nan
    b_value: float = math.nan
    order: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """One file.

    Attributes
    ----------
    person : a digest of who it is of, to tell a mixture of people; "" where the file says nobody.
    stored : bytes of uncompressed pixels; -1 where they are compressed.
    revealing : names of attributes filled that tell of a person or a place.
    bits : allocated for a pixel; `signed` and `real` say how they are read.
    """

    file: Path
    syntax: str
    stored: int
    study: str
    series: str
    instance: str
    sop_class: str
    modality: str
    frame_of_reference: str
    number: int
    description: str
    kind: tuple[str, ...]
    rows: int
    columns: int
    bits: int
    samples: int
    person: str
    revealing: tuple[str, ...]
    frames: tuple[Frame, ...]


_REVEALING = (
    "PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "OtherPatientNames",
    "PatientAddress", "AccessionNumber", "InstitutionName", "InstitutionAddress", "StationName",
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "DeviceSerialNumber",
    "StudyDate", "SeriesDate", "AcquisitionDate", "AcquisitionDateTime", "ContentDate",
    "PatientComments", "ImageComments",
)  # fmt: skip
"""Attributes of the basic profile (PS3.15 E.1) that a scanner fills."""


def read_header(path: Path) -> Header | None:
    """Return what a file says; None where it holds no picture (DICOMDIR, reports, curves).

    Raises
    ------
    FormatError, LimitError
        It is no whole DICOM file, or contradicts itself.
    """
    held = contents(path)
    if held.pixels is None:
        return None
    import pydicom

    with guarded(path, "is damaged"):
        source: Any = path if held.inflated is None else BytesIO(path.read_bytes())
        data = pydicom.dcmread(source, stop_before_pixels=held.inflated is None)
        return _header(path, held, data)


def _header(path: Path, held: Contents, data: Any) -> Header:
    rows, columns = int(data.Rows), int(data.Columns)
    count = int(data.get("NumberOfFrames") or 1)
    if not (0 < rows <= _WIDEST and 0 < columns <= _WIDEST and 0 < count <= _MOST_FRAMES):
        said = f"claims {count} pictures of {rows} x {columns}"
        raise LimitError(said, path.name, "Export it again")
    who = "\x1f".join(str(data.get(k) or "").strip() for k in ("PatientID", "PatientBirthDate"))
    named = str(data.get("PatientName") or "").strip()
    return Header(
        file=path,
        syntax=held.syntax,
        stored=held.pixels or 0,
        study=str(data.get("StudyInstanceUID") or ""),
        series=str(data.get("SeriesInstanceUID") or ""),
        instance=str(data.get("SOPInstanceUID") or ""),
        sop_class=str(data.get("SOPClassUID") or ""),
        modality=str(data.get("Modality") or ""),
        frame_of_reference=str(data.get("FrameOfReferenceUID") or ""),
        number=int(data.get("SeriesNumber") or 0),
        description=str(data.get("SeriesDescription") or "")[:64],
        kind=_kind(data),
        rows=rows,
        columns=columns,
        bits=int(data.BitsAllocated),
        samples=int(data.get("SamplesPerPixel") or 1),
        person=_digest(who if who.strip("\x1f") else named),
        revealing=_revealing(data),
        frames=tuple(_frames(path, data, count)),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def _kind(data: Any) -> tuple[str, ...]:
    said = data.get("ImageType") or ()
    return (said,) if isinstance(said, str) else tuple(map(str, said))


def _revealing(data: Any) -> tuple[str, ...]:
    private = sorted({f"private group {e.tag.group:04x}" for e in data if e.tag.is_private})
    filled = [k for k in _REVEALING if str(data.get(k) or "").strip()]
    kept = str(data.get("PatientIdentityRemoved") or "")
    return (*filled, *private, *(["PatientIdentityRemoved is NO"] if kept == "NO" else []))


def _frames(path: Path, data: Any, count: int) -> Iterator[Frame]:
    own = data.get("PerFrameFunctionalGroupsSequence")
    shared = data.get("SharedFunctionalGroupsSequence")
    common = shared[0] if shared else None
    if own is not None and len(own) != count:
        said = f"describes {len(own)} pictures and holds {count}"
        raise FormatError(said, path.name, "Export it again")
    for i in range(count):
        yield _frame(path, i, _Said(data, common, own[i] if own is not None else None))


@dataclass(frozen=True, slots=True)
class _Said:
    """Where a frame's attributes stand: its own group, else the shared one, else the file."""

    data: Any
    shared: Any
    own: Any

    def get(self, group: str, name: str) -> Any:
        """Return an attribute of a functional group; None where nobody says it."""
        for place in (self.own, self.shared):
            macro = place.get(group) if place is not None else None
            if macro and macro[0].get(name) is not None:
                return macro[0].get(name)
        return None if self.own is not None else self.data.get(name)

    def numbers(self, group: str, name: str, count: int) -> Numbers:
        """Return `count` finite numbers; empty where there are none."""
        said = self.get(group, name)
        if said is None or isinstance(said, str) or not hasattr(said, "__len__"):
            return ()
        values = tuple(float(v) for v in said)
        return values if len(values) == count and all(map(math.isfinite, values)) else ()

    def number(self, group: str, name: str, other: float = math.nan) -> float:
        """Return a number, or `other`."""
        said = self.get(group, name)
        return other if said is None or said == "" else float(said)


def _frame(path: Path, number: int, said: _Said) -> Frame:
    transform, timing = "PixelValueTransformationSequence", "CardiacSynchronizationSequence"
    trigger = said.number(timing, "NominalCardiacTriggerDelayTime")
    interval = said.number(timing, "RRIntervalTimeNominal")
    if said.own is None:
        trigger = said.number("", "TriggerTime")
        interval = said.number("", "NominalInterval")
    return Frame(
        path, number,
        orientation=said.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        position=said.numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        spacing=said.numbers("PixelMeasuresSequence", "PixelSpacing", 2),
        slope=said.number(transform, "RescaleSlope", 1.0),
        intercept=said.number(transform, "RescaleIntercept", 0.0),
        trigger=trigger, interval=interval,
        echo=said.number("MREchoSequence", "EffectiveEchoTime", said.number("", "EchoTime")),
        b_value=said.number("MRDiffusionSequence", "DiffusionBValue"),
        order=int(said.data.get("InstanceNumber") or 0) if said.own is None else number,
    )  # fmt: skip
