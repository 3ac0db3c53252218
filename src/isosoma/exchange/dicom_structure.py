"""Walk a DICOM file's elements before anything is built of them: lengths, depth, end (PS3.5).

A reader of DICOM trusts lengths. So they are compared with the file first, by a walk that allocates
nothing and does not recurse: what claims more than there is, nests without end, or stops early is
refused with a sentence.
"""

from __future__ import annotations

import logging
import mmap
import struct
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from isosoma.core.errors import FormatError, LimitError

__all__ = ["Contents", "contents", "guarded"]

_DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT = "1.2.840.10008.1.2"
_BIG = "1.2.840.10008.1.2.2"
_LARGEST = 4 << 30
_INFLATED = 1 << 30
_DEEPEST = 64
_MOST = 2_000_000
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR",
                   b"UT", b"UV"))  # fmt: skip
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_PIXELS = ((0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010))
_CUT = "is cut off: {} reaches beyond the end of the file"

Data = bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class _Syntax:
    """How elements are written."""

    order: str
    explicit: bool


def _element(data: Data, at: int, syntax: _Syntax) -> tuple[tuple[int, int], bytes, int, int]:
    """Return tag, value representation, length and where the value begins."""
    group, element = struct.unpack_from(f"{syntax.order}HH", data, at)
    tag = (group, element)
    if group == 0xFFFE or not syntax.explicit:
        (length,) = struct.unpack_from(f"{syntax.order}I", data, at + 4)
        return tag, b"", length, at + 8
    kind = bytes(data[at + 4 : at + 6])
    if kind in _LONG:
        (length,) = struct.unpack_from(f"{syntax.order}I", data, at + 8)
        return tag, kind, length, at + 12
    (length,) = struct.unpack_from(f"{syntax.order}H", data, at + 6)
    return tag, kind, length, at + 8


def _meta(data: Data, where: str) -> tuple[str, int]:
    """Return the transfer syntax and where the data set begins."""
    if len(data) < 140 or bytes(data[128:132]) != b"DICM":
        raise FormatError("is no DICOM file: it lacks the mark DICM", where, "Export it again")
    at, found = 132, ""
    plain = _Syntax("<", explicit=True)
    while at + 8 <= len(data) and data[at : at + 2] == b"\x02\x00":
        tag, _, length, begin = _element(data, at, plain)
        if begin + length > len(data):
            raise FormatError(_CUT.format("its header"), where, "Copy it again")
        if tag == (0x0002, 0x0010):
            found = bytes(data[begin : begin + length]).decode("ascii", "replace").strip("\0 ")
        at = begin + length
    if not found:
        raise FormatError("does not say its transfer syntax", where, "Export it again")
    return found, at


def _inflated(data: Data, at: int, where: str) -> bytes:
    """Return a deflated data set, or refuse one that grows without end."""
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = unpack.decompress(data[at:], _INFLATED)
    except zlib.error as error:
        raise FormatError("its deflated part is damaged", where, "Copy it again") from error
    if unpack.unconsumed_tail or len(out) >= _INFLATED:
        raise LimitError("inflates to over 1 GiB", where, "Export it uncompressed")
    if not unpack.eof:
        raise FormatError(_CUT.format("its deflated part"), where, "Copy it again")
    return out


class _Walk:
    """A walk over elements with a stack of the ends of what it is in."""

    def __init__(self, data: Data, begin: int, syntax: _Syntax, where: str) -> None:
        self.data, self.at, self.where, self.count = data, begin, where, 0
        self.syntax = [syntax]
        self.ends = [(len(data), b"")]
        self.pixels: int | None = None

    def run(self) -> None:
        """Walk to the end; raises InputError where that cannot be."""
        while True:
            while len(self.ends) > 1 and 0 <= self.ends[-1][0] <= self.at:
                self._leave()
            if len(self.ends) == 1 and self.at >= len(self.data):
                break
            self._step()

    def _leave(self) -> None:
        self.ends.pop()
        self.syntax.pop()

    def _step(self) -> None:
        self.count += 1
        if self.count > _MOST:
            raise LimitError("holds over two million elements", self.where, "Cut it")
        try:
            tag, kind, length, begin = _element(self.data, self.at, self.syntax[-1])
        except struct.error as error:
            raise FormatError(_CUT.format("an element"), self.where, "Copy it again") from error
        if tag in (_ITEM_END, _SEQUENCE_END):
            self._close(begin)
        elif length == _UNDEFINED:
            self._open(tag, kind, begin)
        elif begin + length > len(self.data):
            said = f"element {tag[0]:04x},{tag[1]:04x} of {length} bytes"
            raise FormatError(_CUT.format(said), self.where, "Copy it again")
        elif tag == _ITEM and self.ends[-1][1] == b"SQ":
            self._enter(begin + length, b"", begin)
        else:
            self._note(tag, length)
            self.at = begin + length

    def _close(self, begin: int) -> None:
        if len(self.ends) == 1:
            raise FormatError("closes a sequence that it never opened", self.where, "Export again")
        self._leave()
        self.at = begin

    def _open(self, tag: tuple[int, int], kind: bytes, begin: int) -> None:
        if tag in _PIXELS:
            self._note(tag, -1)
            self._enter(-1, b"pixels", begin)
        elif tag == _ITEM:
            self._enter(-1, b"", begin)
        else:
            hidden = kind == b"UN"  # of undefined length: implicit within (PS3.5 6.2.2)
            self._enter(-1, b"SQ", begin, _Syntax("<", explicit=False) if hidden else None)

    def _note(self, tag: tuple[int, int], length: int) -> None:
        """Keep the length of the file's own pixels; those of an icon lie deeper."""
        if tag in _PIXELS and len(self.ends) == 1:
            self.pixels = length

    def _enter(self, end: int, kind: bytes, begin: int, syntax: _Syntax | None = None) -> None:
        if len(self.ends) >= _DEEPEST:
            raise LimitError(f"nests deeper than {_DEEPEST} sequences", self.where, "Export again")
        self.ends.append((end, kind))
        self.syntax.append(syntax or self.syntax[-1])
        self.at = begin


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds.

    Attributes
    ----------
    pixels : bytes of uncompressed pixels, -1 of compressed ones; None where there are none.
    inflated : the data set, where that was deflated.
    """

    syntax: str
    pixels: int | None
    inflated: bytes | None = None


def contents(path: Path) -> Contents:
    """Return what the structure of a file tells.

    Raises
    ------
    FormatError, LimitError
        It is no DICOM file, cut off, nested without end, or claims more than it holds.
    """
    where = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size < 140:
                raise FormatError("is no DICOM file: too short", where, "Copy it again")
            if size > _LARGEST:
                raise LimitError("a DICOM file of over 4 GiB is not read", where, "Cut it")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _walked(data, where)
    except OSError as error:
        raise FormatError("cannot be opened", where, "Check the name") from error


def _walked(data: Data, where: str) -> Contents:
    syntax, at = _meta(data, where)
    inflated = _inflated(data, at, where) if syntax == _DEFLATED else None
    order = ">" if syntax == _BIG else "<"
    walk = _Walk(
        data if inflated is None else inflated, at if inflated is None else 0,
        _Syntax(order, explicit=syntax != _IMPLICIT), where,
    )  # fmt: skip
    walk.run()
    return Contents(syntax, walk.pixels, inflated)


@contextmanager
def guarded(path: Path, what: str) -> Generator[None]:
    """Turn what pydicom and its decoders raise into a sentence, and keep them from logging.

    Their warnings and errors quote values, which may name a person; so no error is kept as the
    cause of the sentence, which `--debug` would print. The walk has judged the structure already.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    heard = logging.getLogger("pydicom")
    before = heard.disabled
    heard.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (
        BytesLengthException, InvalidDicomError, ValueError, TypeError, LookupError, AttributeError,
        ArithmeticError, RuntimeError, EOFError, OSError, zlib.error, struct.error,
    ) as error:  # fmt: skip
        raise FormatError(f"{what} ({type(error).__name__})", path.name, "Export again") from None
    finally:
        heard.disabled = before
