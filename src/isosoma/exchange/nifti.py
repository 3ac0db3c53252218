"""NIfTI-1 and -2 files, RAS in millimetres outside, metres inside (Cox et al. 2004).

The affine is the sform where its code says so, else the qform; a file with neither has no place and
is refused. What looks like it is checked: a spacing of microns or metres is no body.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError, LimitError, RangeError, UnitError
from isosoma.core.study import Grid, Volume

__all__ = ["read_nifti", "write_nifti"]

_MOST_BYTES = 3 << 30
_TO_METRES = {"mm": 1e-3, "meter": 1.0, "micron": 1e-6, "unknown": 1e-3}
_SPACING = (5e-5, 0.2)  # [m]


def read_nifti(path: Path) -> Volume:
    """Return the volume of a file; a fourth axis is taken as phases of a cycle.

    Raises
    ------
    InputError
        It is damaged, cut off, has no geometry, or would not fit into memory.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        data = _bytes(path)
        kind = nibabel.Nifti2Image if _head(data) == 540 else nibabel.Nifti1Image  # pyright: ignore[reportPrivateImportUsage]
        image: Any = kind.from_bytes(data)
        grid, decisions = _grid(image, path.name)
        values = np.asarray(image.dataobj, np.float32)
    except (
        ImageFileError, OSError, EOFError, ValueError, TypeError, LookupError, zlib.error,
        struct.error, HeaderDataError,
    ) as error:  # fmt: skip
        said = "".join(c if c.isprintable() else "?" for c in str(error)[:120])
        raise FormatError(
            f"is a damaged NIfTI file ({said})", path.name, "Copy it again"
        ) from error
    values = values.reshape((*grid.shape, -1))
    count = values.shape[3]
    return Volume(grid, values, phases=np.arange(count) / count, decisions=decisions)


def _bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked to the end so that its checksum is compared."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise LimitError("is over 3 GiB as a whole", path.name, "Cut it")
    return data


def _head(data: bytes) -> int:
    """Return the length that a header says it has, in either byte order."""
    return min(struct.unpack("<i", data[:4])[0], struct.unpack(">i", data[:4])[0], key=abs)


def _grid(image: Any, name: str) -> tuple[Grid, tuple[str, ...]]:
    if not hasattr(image, "header") or "sform_code" not in image.header:
        raise FormatError("is no NIfTI file", name, "Convert it to NIfTI or give the DICOM files")
    if not 3 <= len(image.shape) <= 4 or min(image.shape) < 1:
        raise FormatError(f"has the shape {image.shape}", name, "Three or four axes are read")
    sform, qform = int(image.header["sform_code"]), int(image.header["qform_code"])
    if not sform and not qform:
        said = "has neither sform nor qform: nobody knows where it lies"
        raise FormatError(said, name, "Export it with its geometry")
    unit = image.header.get_xyzt_units()[0]
    if unit not in _TO_METRES:
        raise UnitError(f"says its unit of length is {unit!r}", name, "Export it in mm")
    affine = np.array(image.get_sform() if sform else image.get_qform(), float)
    affine[:3] *= _TO_METRES[unit]
    i, j, k = (int(n) for n in image.shape[:3])
    grid = Grid((i, j, k), affine)
    if not np.all((grid.spacing > _SPACING[0]) & (grid.spacing < _SPACING[1])):
        said = f"has voxels of {' x '.join(f'{s * 1e3:g}' for s in grid.spacing)} mm"
        raise RangeError(said, name, "Its unit or its affine is wrong: export it again")
    said = f"{'sform' if sform else 'qform'} taken"
    return grid, (said,) if unit != "unknown" else (said, "no unit of length said: mm taken")


def write_nifti(path: Path, volume: Volume) -> None:
    """Write a volume, RAS [mm]; whole numbers below 256 as bytes."""
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
    image.to_filename(path)
