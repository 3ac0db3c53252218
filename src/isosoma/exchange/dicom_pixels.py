"""Decode a frame's pixels, one at a time and never more than it claims (PS3.5 8.2, A.4).

Decoders: pydicom with openjpeg, CharLS and GDCM, so that one that fails has a second. Two kinds
that none of them reads are read here: run lengths of 1-bit pixels, and frames deflated one by one;
so are plain 1-bit frames, of which pydicom's reader cuts off those that lie over one byte more.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError
from isosoma.exchange.dicom_header import Frame, Header
from isosoma.exchange.dicom_structure import guarded

__all__ = ["decoded", "stored"]

_RLE = "1.2.840.10008.1.2.5"
_DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
_PLAIN = {"1.2.840.10008.1.2": 8, "1.2.840.10008.1.2.1": 12}  # syntax -> bytes before a value
_MOST_PIXELS = 1 << 28


def stored(header: Header, frame: Frame) -> npt.NDArray[Any]:
    """Return the stored numbers of a frame, shape (rows, columns); colours are refused.

    Raises
    ------
    FormatError, LimitError
        The pixels are not what the header says, or no decoder reads them.
    """
    if header.rows * header.columns > _MOST_PIXELS:
        raise LimitError("a picture of over 268 million pixels", header.file.name, "Cut it")
    if header.samples != 1:
        raise FormatError("is a colour picture", header.file.name, "Only grey ones are read")
    with guarded(header.file, f"its picture {frame.number + 1} cannot be decoded"):
        found = _pixels(header, frame)
    if found.shape != (header.rows, header.columns):
        said = f"its pixels are {found.shape}, its header says {(header.rows, header.columns)}"
        raise FormatError(said, header.file.name, "Export it again")
    return found


def decoded(header: Header, frame: Frame) -> npt.NDArray[np.float32]:
    """Return the values of a frame, shape (rows, columns), rescaled as it says."""
    values = np.asarray(stored(header, frame), np.float64)
    return (values * frame.slope + frame.intercept).astype(np.float32)


def _pixels(header: Header, frame: Frame) -> npt.NDArray[Any]:
    by_us = header.bits == 1 and header.syntax == _RLE
    if by_us or header.syntax == _DEFLATED_FRAMES:
        return _own(header, frame.number)
    _native_size(header)
    if header.bits == 1 and header.syntax in _PLAIN:
        return _plain_bits(header, frame.number)
    from pydicom.pixels.utils import pixel_array

    return np.asarray(pixel_array(header.file, index=frame.number, raw=True))


def _plain_bits(header: Header, number: int) -> npt.NDArray[np.uint8]:
    """Return one frame of bits; frames follow each other without regard to bytes (PS3.5 8.1.1)."""
    import pydicom

    size = header.rows * header.columns
    first, past = number * size, (number + 1) * size
    with header.file.open("rb") as file:
        pydicom.dcmread(file, stop_before_pixels=True)
        file.seek(_PLAIN[header.syntax] + first // 8, 1)
        raw = np.frombuffer(file.read(-(-past // 8) - first // 8), np.uint8)
    bits = np.unpackbits(raw, bitorder="little")[first % 8 :][:size]
    return bits.reshape(header.rows, header.columns)


def _native_size(header: Header) -> None:
    """Refuse rows and columns that uncompressed pixels contradict, both ways."""
    if header.stored < 0:
        return
    pixels = header.rows * header.columns * header.samples * len(header.frames)
    due = -(-pixels * header.bits // 8)
    if header.stored not in (due, due + due % 2):
        said = f"holds {header.stored} bytes of pixels, {due} by its rows, columns and frames"
        raise FormatError(said, header.file.name, "Export it again")


def _own(header: Header, number: int) -> npt.NDArray[np.uint8]:
    """Return a frame of 1-bit run lengths, or of a deflated frame."""
    import pydicom
    from pydicom.encaps import get_frame

    data = pydicom.dcmread(header.file)
    raw = get_frame(data.PixelData, number, number_of_frames=len(header.frames))
    size = -(-header.rows * header.columns * header.bits // 8)
    plain = _runs(raw, size) if header.syntax == _RLE else _deflated(raw, size)
    if header.bits != 1:
        kinds: dict[int, type[np.unsignedinteger[Any]]] = {8: np.uint8, 16: np.uint16}
        return np.frombuffer(plain, kinds[header.bits]).reshape(header.rows, header.columns)
    bits = np.unpackbits(np.frombuffer(plain, np.uint8), bitorder="little")
    return bits[: header.rows * header.columns].reshape(header.rows, header.columns)


def _deflated(raw: bytes, size: int) -> bytes:
    out = zlib.decompressobj(-15).decompress(raw, size + 2)
    if not size <= len(out) <= size + 1:
        raise ValueError(f"{len(out)} bytes where {size} are due")
    return out[:size]


def _runs(raw: bytes, size: int) -> bytes:
    """Return the one segment of a run-length frame (PackBits, PS3.5 G.3)."""
    segments, begin = (int.from_bytes(raw[i : i + 4], "little") for i in (0, 4))
    if segments != 1:
        raise ValueError(f"{segments} segments where one is due")
    out, at = bytearray(), begin
    while len(out) < size and at < len(raw):
        head = raw[at]
        if head < 128:
            out += raw[at + 1 : at + head + 2]
            at += head + 2
        else:
            out += raw[at + 1 : at + 2] * (257 - head if head > 128 else 0)
            at += 2 if head > 128 else 1
    if len(out) < size:
        raise ValueError(f"{len(out)} bytes where {size} are due")
    return bytes(out[:size])
