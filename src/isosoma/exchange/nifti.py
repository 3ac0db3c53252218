"""NIfTI-1 and -2 files, RAS in millimetres outside, metres inside (Cox et al. 2004).

The affine is the sform where its code says so, else the qform; a file with neither has no place and
is refused. What looks like it is checked: a spacing of microns or metres is no body.

A fourth axis is taken as the phases of one beat, evenly spaced: the format has no trigger times.
Its step of time gives the beat's length, where the header says one that a heart can have.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError, LimitError, RangeError, UnitError
from isosoma.core.study import Grid, Volume

__all__ = ["Head", "is_nifti", "read_head", "read_nifti", "write_nifti"]

_MOST_BYTES = 3 << 30
_TO_METRES = {"mm": 1e-3, "meter": 1.0, "micron": 1e-6, "unknown": 1e-3}
_TO_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_SPACING = (5e-5, 0.2)  # [m]
_BEAT = (0.2, 3.0)  # [s], 20 to 300 beats a minute; converters also write other steps there
_HEAD = 540  # bytes of the longer header, NIfTI-2


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What the header of a file says.

    Attributes
    ----------
    phases : length of the fourth axis.
    decisions : what was decided of its geometry and phases.
    period : length of the beat [s]; None where the header tells none.
    """

    grid: Grid
    phases: int
    decisions: tuple[str, ...]
    period: float | None = None


def is_nifti(path: Path) -> bool:
    """Whether a file begins as NIfTI-1 or -2 does, packed or not, whatever it is called."""
    try:
        head = _beginning(path)
    except (OSError, EOFError, zlib.error):
        return False
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def read_head(path: Path) -> Head:
    """Return what a file's first bytes say; of a packed file no more is unpacked.

    Raises
    ------
    InputError
        It is damaged, has no geometry, or holds fewer bytes than its header says.
    """
    with _told(path):
        header = _header(_beginning(path))
        head = _head(header, path.name)
        shape = tuple(int(n) for n in header.get_data_shape())
        due = int(header["vox_offset"]) + int(np.prod(shape)) * header.get_data_dtype().itemsize
    if not _packed(path) and path.stat().st_size < due:
        said = f"is cut off: it holds {path.stat().st_size} bytes and says {due}"
        raise FormatError(said, path.name, "Copy it again")
    return head


def read_nifti(path: Path) -> Volume:
    """Return the volume of a file; a fourth axis is taken as phases of a cycle.

    Raises
    ------
    InputError
        It is damaged, cut off, has no geometry, or would not fit into memory.
    """
    import nibabel

    with _told(path):
        data = _bytes(path)
        kind = nibabel.Nifti2Image if _length(data) == 540 else nibabel.Nifti1Image  # pyright: ignore[reportPrivateImportUsage]
        image: Any = kind.from_bytes(data)
        head = _head(image.header, path.name)
        values = np.asarray(image.dataobj, np.float32)
    values = values.reshape((*head.grid.shape, -1))
    periods = np.full(head.grid.shape[2] if head.period else 0, head.period or 0.0)
    even = np.arange(head.phases) / head.phases
    return Volume(head.grid, values, phases=even, periods=periods, decisions=head.decisions)


@contextmanager
def _told(path: Path) -> Generator[None]:
    """Turn what nibabel and the unpacker raise into a sentence."""
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        yield
    except (
        ImageFileError, OSError, EOFError, ValueError, TypeError, LookupError, zlib.error,
        struct.error, HeaderDataError,
    ) as error:  # fmt: skip
        said = "".join(c if c.isprintable() else "?" for c in str(error)[:120])
        raise FormatError(
            f"is a damaged NIfTI file ({said})", path.name, "Copy it again"
        ) from error


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _beginning(path: Path) -> bytes:
    with gzip.open(path) if _packed(path) else path.open("rb") as file:
        return file.read(_HEAD)


def _bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked to the end so that its checksum is compared."""
    with gzip.open(path) if _packed(path) else path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise LimitError("is over 3 GiB as a whole", path.name, "Cut it")
    return data


def _length(data: bytes) -> int:
    """Return the length that a header says it has, in either byte order."""
    return min(struct.unpack("<i", data[:4])[0], struct.unpack(">i", data[:4])[0], key=abs)


def _header(data: bytes) -> Any:
    """Return nibabel's header of a file's first bytes."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    return Nifti2Header(data[:540]) if _length(data) == 540 else Nifti1Header(data[:348])


def _head(header: Any, name: str) -> Head:
    grid, decisions = _grid(header, name)
    shape = header.get_data_shape()
    count = int(shape[3]) if len(shape) > 3 else 1
    if count == 1:
        return Head(grid, 1, decisions)
    step = float(header["pixdim"][4]) * _TO_SECONDS.get(header.get_xyzt_units()[1], 0.0)
    even = f"{count} phases taken as even over one beat: no trigger times are told"
    if not _BEAT[0] <= step * count <= _BEAT[1]:
        return Head(grid, count, (*decisions, even, "no step of time of a beat told: no RR"))
    said = f"RR {step * count * 1e3:.0f} ms by the header's step of time"
    return Head(grid, count, (*decisions, even, said), step * count)


def _grid(header: Any, name: str) -> tuple[Grid, tuple[str, ...]]:
    if "sform_code" not in header:
        raise FormatError("is no NIfTI file", name, "Convert it to NIfTI or give the DICOM files")
    shape = tuple(int(n) for n in header.get_data_shape())
    if not 3 <= len(shape) <= 4 or min(shape) < 1:
        raise FormatError(f"has the shape {shape}", name, "Three or four axes are read")
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        said = "has neither sform nor qform: nobody knows where it lies"
        raise FormatError(said, name, "Export it with its geometry")
    unit = header.get_xyzt_units()[0]
    if unit not in _TO_METRES:
        raise UnitError(f"says its unit of length is {unit!r}", name, "Export it in mm")
    affine = np.array(header.get_sform() if sform else header.get_qform(), float)
    affine[:3] *= _TO_METRES[unit]
    i, j, k = shape[:3]
    grid = Grid((i, j, k), affine)
    if not np.all((grid.spacing > _SPACING[0]) & (grid.spacing < _SPACING[1])):
        said = f"has voxels of {' x '.join(f'{s * 1e3:g}' for s in grid.spacing)} mm"
        raise RangeError(said, name, "Its unit or its affine is wrong: export it again")
    said = f"{'sform' if sform else 'qform'} taken"
    return grid, (said,) if unit != "unknown" else (said, "no unit of length said: mm taken")


def write_nifti(path: Path, volume: Volume) -> None:
    """Write a volume, RAS [mm], with the step of time of its mean beat where it has one.

    Whole numbers below 256 are written as bytes.
    """
    import nibabel

    affine = volume.grid.affine.copy()
    affine[:3] *= 1e3
    values = volume.values if volume.values.shape[3] > 1 else volume.values[..., 0]
    whole = bool(np.all(values == np.round(values))) and values.min() >= 0 and values.max() < 256
    kind: Any = nibabel.Nifti1Image  # pyright: ignore[reportPrivateImportUsage]
    image = kind(values.astype(np.uint8) if whole else values, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    if values.ndim == 4 and len(volume.periods):
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = float(volume.periods.mean()) / values.shape[3]
    image.to_filename(path)
