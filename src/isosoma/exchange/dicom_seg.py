"""Write labels as a DICOM segmentation that names, frame by frame, the picture it lies on.

Segmentation IOD of PS3.3 A.51. A cine's labels carry the phase they belong to twice: the reference
to that phase's own picture, and the trigger time; viewers that see neither draw the first mask over
the whole beat. Same labels, same file: UIDs are made from what is written.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, VocabularyError
from isosoma.exchange.dicom_header import Frame, Header
from isosoma.exchange.dicom_segments import SEGMENTS, Segment
from isosoma.exchange.dicom_series import Stack
from isosoma.exchange.dicom_structure import guarded

__all__ = ["Maker", "write_seg"]

Labels = npt.NDArray[np.uint8]
_SEG = "1.2.840.10008.5.1.4.1.1.66.4"
_EXPLICIT = "1.2.840.10008.1.2.1"
_MOST_PIXELS = 1 << 32  # of all frames: half a GiB of bits
_DIMENSIONS = (
    (0x0062000B, 0x0062000A),  # segment
    (0x00200032, 0x00209113),  # position of the plane
    (0x00209128, 0x00209111),  # phase
)
"""Attribute and functional group of each index of a frame."""
_OF_THE_STUDY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Type 2 attributes by which an archive puts the labels to the pictures' study."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What drew the labels.

    Attributes
    ----------
    name, version : of the algorithm.
    kind : SEMIAUTOMATIC where a reader corrected it, MANUAL where one drew it.
    made : when.
    """

    name: str
    version: str
    made: datetime
    kind: Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"] = "AUTOMATIC"


@dataclass(frozen=True, slots=True)
class _Mask:
    """One frame to write: a segment on one picture; places and phases count from 1."""

    number: int
    place: int
    phase: int
    header: Header
    frame: Frame


def write_seg(
    path: Path, stack: Stack, labels: Labels, names: Mapping[int, str], maker: Maker
) -> None:
    """Write the labels of a stack.

    Parameters
    ----------
    labels : shape (column, row, slice, phase) as `dicom.volume` gives it; 0 is nothing.
    names : label -> a name of `SEGMENTS`; the file numbers them from 1 in the order of labels.

    Raises
    ------
    InputError
        The labels do not fit the stack, are unnamed, or mark nothing.
    """
    order = _checked(stack, labels, names, path.name)
    masks = list(_masks(stack, labels, order))
    if len(masks) * stack.header.rows * stack.header.columns > _MOST_PIXELS:
        raise LimitError("over 4 billion pixels of masks", path.name, "Write fewer phases")
    with guarded(stack.header.file, "cannot be read again"):
        import pydicom

        source = pydicom.dcmread(stack.header.file, stop_before_pixels=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with guarded(path, "cannot be written"):  # a warning would quote the patient's attributes
            segments = [SEGMENTS[names[n]] for n in order]
            data = _file(stack, source, masks, segments, maker)
            data.PixelData = _bits(labels, order, masks)
            _named(data, stack, maker)
            data.save_as(part, enforce_file_format=True)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _checked(stack: Stack, labels: Labels, names: Mapping[int, str], where: str) -> list[int]:
    """Return the labels in use, or refuse what cannot be written."""
    if stack.grid is None:
        raise FormatError("labels need pictures that say where they lie", where)
    due = (*stack.grid.shape, len(stack.frames[0]))
    if labels.shape != due:
        said = f"labels of {labels.shape} on pictures of {due}"
        raise FormatError(said, where, "Label the stack as it was read")
    used = [int(n) for n in np.unique(labels) if n]
    if not used:
        raise FormatError("no voxel is labelled", where, "Segment first")
    strange = [n for n in used if names.get(n) not in SEGMENTS]
    if strange:
        said = f"label {strange[0]} means {names.get(strange[0], 'nothing')!r}"
        raise VocabularyError(said, where, f"Name it one of {', '.join(SEGMENTS)}")
    return used


def _masks(stack: Stack, labels: Labels, order: list[int]) -> Iterator[_Mask]:
    """Yield the masks that mark anything, by segment, slice and phase."""
    for number, label in enumerate(order, 1):
        marked = np.any(labels == label, axis=(0, 1))
        for k, t in np.argwhere(marked):
            header, frame = stack.frames[k][t]
            yield _Mask(number, int(k) + 1, int(t) + 1, header, frame)


def _bits(labels: Labels, order: list[int], masks: list[_Mask]) -> bytes:
    """Return the masks as one run of bits, frames not aligned to bytes (PS3.5 8.1.1)."""
    columns, rows = labels.shape[:2]
    out, rest = bytearray(), np.zeros(0, bool)
    for mask in masks:
        label, shown = order[mask.number - 1], labels[:, :, mask.place - 1, mask.phase - 1].T
        run = np.concatenate([rest, (shown == label).reshape(rows * columns)])
        whole = len(run) - len(run) % 8
        out += np.packbits(run[:whole], bitorder="little").tobytes()
        rest = run[whole:]
    out += np.packbits(rest, bitorder="little").tobytes()
    return bytes(out) + b"\0" * (len(out) % 2)


def _item(**said: Any) -> Any:
    """Return a data set of these attributes."""
    from pydicom.dataset import Dataset

    out = Dataset()
    for name, value in said.items():
        setattr(out, name, value)
    return out


def _code(value: str, scheme: str, meaning: str) -> list[Any]:
    return [_item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def _file(
    stack: Stack, source: Any, masks: list[_Mask], segments: list[Segment], maker: Maker
) -> Any:
    """Return the whole data set but for pixels and UIDs."""
    header = stack.header
    data = _item(**{k: source.get(k, "") for k in _OF_THE_STUDY})
    said = {
        "SOPClassUID": _SEG, "Modality": "SEG", "SeriesNumber": 1000 + header.number % 9000,
        "InstanceNumber": 1, "StudyInstanceUID": header.study,
        "FrameOfReferenceUID": header.frame_of_reference, "PositionReferenceIndicator": "",
        "Manufacturer": "isosoma", "ManufacturerModelName": maker.name, "DeviceSerialNumber": "0",
        "SoftwareVersions": version("isosoma"), "ContentDate": f"{maker.made:%Y%m%d}",
        "ContentTime": f"{maker.made:%H%M%S}", "SeriesDescription": f"{maker.name} labels"[:64],
        "ContentLabel": "LABELS", "ContentDescription": "", "ContentCreatorName": "",
        "ImageType": ["DERIVED", "PRIMARY"], "SegmentationType": "BINARY",
        "LossyImageCompression": "00", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": header.rows,
        "Columns": header.columns, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0,
        "PixelRepresentation": 0, "NumberOfFrames": len(masks),
        "SegmentSequence": [_segment(n, s, maker) for n, s in enumerate(segments, 1)],
        "SharedFunctionalGroupsSequence": [_shared(stack)],
        "PerFrameFunctionalGroupsSequence": [_own(m) for m in masks],
        "ReferencedSeriesSequence": _references(masks),
    }  # fmt: skip
    for name, value in said.items():
        setattr(data, name, value)
    return data


def _segment(number: int, segment: Segment, maker: Maker) -> Any:
    part = ("49755003", "Morphologically Abnormal Structure")
    kind = part if segment.altered else ("123037004", "Body structure")
    out = _item(
        SegmentNumber=number,
        SegmentLabel=segment.meaning,
        SegmentAlgorithmType=maker.kind,
        SegmentedPropertyCategoryCodeSequence=_code(kind[0], "SCT", kind[1]),
        SegmentedPropertyTypeCodeSequence=_code(segment.code, "SCT", segment.meaning),
    )
    if maker.kind != "MANUAL":
        out.SegmentAlgorithmName = f"{maker.name} {maker.version}"[:64]
    return out


def _shared(stack: Stack) -> Any:
    assert stack.grid is not None  # checked at the door  # noqa: S101
    frame = stack.frames[0][0][1]
    step = float(stack.grid.spacing[2] * 1e3)
    measures = _item(
        PixelSpacing=[_short(v) for v in frame.spacing],
        SliceThickness=_short(step),
        SpacingBetweenSlices=_short(step),
    )
    turned = _item(ImageOrientationPatient=[_short(v) for v in frame.orientation])
    return _item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[turned])


def _short(value: float) -> str:
    """Return a number in the 16 characters of a decimal string, as exact as they allow."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(float(value))


def _own(mask: _Mask) -> Any:
    frame = mask.frame
    out = _item(
        FrameContentSequence=[
            _item(
                DimensionIndexValues=[mask.number, mask.place, mask.phase],
                StackID="1",
                InStackPositionNumber=mask.place,
                TemporalPositionIndex=mask.phase,
            )
        ],
        PlanePositionSequence=[_item(ImagePositionPatient=[_short(v) for v in frame.position])],
        SegmentIdentificationSequence=[_item(ReferencedSegmentNumber=mask.number)],
        DerivationImageSequence=[_derived(mask)],
    )
    if not math.isnan(frame.trigger):
        timing = _item(NominalCardiacTriggerDelayTime=frame.trigger)
        if not math.isnan(frame.interval):
            timing.RRIntervalTimeNominal = frame.interval
        out.CardiacSynchronizationSequence = [timing]
    return out


def _derived(mask: _Mask) -> Any:
    """Return the reference to the picture that a mask lies on."""
    what = _code("121322", "DCM", "Source image for image processing operation")
    source = _item(
        ReferencedSOPClassUID=mask.header.sop_class,
        ReferencedSOPInstanceUID=mask.header.instance,
        PurposeOfReferenceCodeSequence=what,
    )
    if len(mask.header.frames) > 1:
        source.ReferencedFrameNumber = mask.frame.number + 1
    return _item(
        SourceImageSequence=[source],
        DerivationCodeSequence=_code("113076", "DCM", "Segmentation"),
    )


def _references(masks: list[_Mask]) -> list[Any]:
    series = dict[str, dict[str, Header]]()
    for mask in masks:
        series.setdefault(mask.header.series, {})[mask.header.instance] = mask.header
    return [
        _item(
            SeriesInstanceUID=uid,
            ReferencedInstanceSequence=[
                _item(ReferencedSOPClassUID=h.sop_class, ReferencedSOPInstanceUID=h.instance)
                for h in held.values()
            ],
        )
        for uid, held in series.items()
    ]


def _named(data: Any, stack: Stack, maker: Maker) -> None:
    """Give the file its UIDs, made from what it says, and the index of its dimensions."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, generate_uid

    marked = hashlib.sha256(data.PixelData).hexdigest()
    seed = [stack.header.instance, maker.name, maker.version, f"{maker.made.isoformat()}", marked]
    series, instance, dimension = (
        generate_uid(entropy_srcs=[*seed, k]) for k in ("series", "instance", "dimension")
    )
    data.SeriesInstanceUID, data.SOPInstanceUID = series, instance
    data.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=dimension)]
    data.DimensionIndexSequence = [
        _item(DimensionOrganizationUID=dimension, DimensionIndexPointer=a, FunctionalGroupPointer=b)
        for a, b in _DIMENSIONS
    ]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, instance
    meta.TransferSyntaxUID = UID(_EXPLICIT)
    data.file_meta = meta
