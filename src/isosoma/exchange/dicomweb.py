"""Ask an archive for pictures, and give it labels, over DICOMweb (PS3.18: QIDO, WADO, STOW).

What comes is written part by part as it arrives, under numbers: neither a file's name nor an error
ever holds a UID, a name or a password. A study that cannot be had whole leaves no file.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from isosoma.core.errors import FormatError, InputError, LimitError

__all__ = ["Archive", "fetch", "find", "store"]

_MOST_ANSWER = 64 << 20  # [byte] of JSON
_MOST_STUDY = 32 << 30  # [byte]
_PIECE = 1 << 16
_TAKEN = "00081199"  # ReferencedSOPSequence
_UID = re.compile(r"[0-9.]{1,64}")
_SAID = {
    401: "asks for a user and a password, or does not know these",
    403: "does not allow it",
    404: "does not hold it",
    409: "refuses every file",
    413: "says it is too large",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive speaks DICOMweb.

    Attributes
    ----------
    address : http or https, up to what the standard's paths are put behind.
    user, password : of basic authentication; empty where none is asked.
    timeout : without any byte [s].
    """

    address: str
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            said = "is no address of an archive"
            raise FormatError(said, "DICOMweb", "Write http(s)://HOST/PATH, the password apart")


def find(archive: Archive, **wanted: str) -> list[dict[str, str]]:
    """Return the studies whose attributes match, each as keyword -> value.

    Parameters
    ----------
    wanted : keywords of the standard, `StudyDate="20260101-20260131"`, `limit="10"`.
    """
    asked = f"studies?{urlencode(wanted)}" if wanted else "studies"
    with _open(archive, asked, {"Accept": "application/dicom+json"}) as answer:
        held = _json(answer)
    try:
        return [_plain(entry) for entry in held or []]
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise FormatError("answers with no DICOM JSON", "DICOMweb", "Check the address") from error


def _json(answer: IO[bytes]) -> Any:
    """Return an answer of bounded length; None where it is empty."""
    raw = answer.read(_MOST_ANSWER + 1)
    if len(raw) > _MOST_ANSWER:
        raise LimitError("answers with over 64 MiB", "DICOMweb", "Ask for less")
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError) as error:
        raise FormatError("answers with no DICOM JSON", "DICOMweb", "Check the address") from error


def _plain(entry: dict[str, Any]) -> dict[str, str]:
    from pydicom.datadict import keyword_for_tag

    out = dict[str, str]()
    for tag, held in entry.items():
        name = keyword_for_tag(int(tag, 16))
        values = [v.get("Alphabetic", "") if isinstance(v, dict) else v
                  for v in held.get("Value", [])]  # fmt: skip
        if name and values:
            out[name] = "\\".join(map(str, values))
    return out


def fetch(archive: Archive, study: str, folder: Path) -> int:
    """Write the files of a study into a folder that is not there yet; return how many.

    Raises
    ------
    InputError
        The archive cannot be reached, does not hold it, or breaks off; nothing is left then.
    """
    if not _UID.fullmatch(study):
        raise FormatError("is no UID", "the study", "Write its StudyInstanceUID")
    if folder.exists():
        raise FormatError("is there already", folder.name, "Name a new folder")
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as held:
        whole = Path(held) / "study"
        whole.mkdir()
        with _open(archive, f"studies/{study}", {"Accept": accept}) as answer:
            count = _parts(answer, whole)
        shutil.move(whole, folder)
    return count


def store(archive: Archive, files: Sequence[Path]) -> int:
    """Give files to an archive, one a message; return how many it took.

    Raises
    ------
    InputError
        It cannot be reached or refuses one; those before stay there.
    """
    for i, file in enumerate(files, 1):
        mark = f"isosoma-{secrets.token_hex(16)}"  # nothing within a file can end its part
        head = f"--{mark}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        tail = f"\r\n--{mark}--\r\n".encode()
        said = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={mark}',
            "Content-Length": str(len(head) + file.stat().st_size + len(tail)),
            "Accept": "application/dicom+json",
        }
        with _open(archive, "studies", said, _body(head, file, tail)) as answer:
            told = _json(answer)
        if not _taken(told):
            where = f"file {i} of {len(files)}"
            raise InputError("was refused by the archive", where, "See the archive's own log")
    return len(files)


def _taken(told: Any) -> bool:
    """Whether an archive names what it took; Orthanc may name a file neither taken nor failed."""
    return isinstance(told, dict) and bool(told.get(_TAKEN, {}).get("Value"))


def _body(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
    yield tail


class _Stay(HTTPRedirectHandler):
    """Follows no redirection: a password would go along to another host."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Return no further request."""


@contextmanager
def _open(
    archive: Archive, path: str, headers: dict[str, str], body: Iterator[bytes] | None = None
) -> Generator[IO[bytes]]:
    """Open an address of the archive; what goes wrong becomes a sentence without address."""
    request = Request(f"{archive.address.rstrip('/')}/{path}", body, headers)  # noqa: S310
    if archive.user:
        pair = base64.b64encode(f"{archive.user}:{archive.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
    host = urlsplit(archive.address).hostname or ""
    try:
        with build_opener(_Stay).open(request, timeout=archive.timeout) as answer:
            yield answer
    except HTTPError as error:
        error.close()
        said = _SAID.get(error.code, f"answers {error.code}")
        raise InputError(said, host, "Check the address and the study") from None
    except (URLError, HTTPException, OSError) as error:
        said = f"cannot be reached, or broke off ({type(error).__name__})"
        raise InputError(said, host, "Check the address, then try again") from None


def _parts(answer: Any, folder: Path) -> int:
    """Write each part of a multipart answer as it comes (RFC 2046); memory holds one piece."""
    mark = answer.headers.get_param("boundary")
    if answer.headers.get_content_type() != "multipart/related" or not isinstance(mark, str):
        raise FormatError("answers with no files", "DICOMweb", "Check the address")
    held = _Stream(answer, b"\r\n--" + mark.encode())
    held.until_mark(None)
    count = 0
    while not held.closed():
        held.headers()
        count += 1
        with (folder / f"{count:06d}.dcm").open("wb") as file:
            held.until_mark(file)
    if not count:
        raise FormatError("answers with no files", "DICOMweb", "Check the study")
    return count


class _Stream:
    """A multipart body read piece by piece."""

    def __init__(self, answer: Any, mark: bytes) -> None:
        self.answer, self.mark, self.taken = answer, mark, 0
        self.kept = b"\r\n"  # so that the first mark looks like the others

    def _more(self) -> None:
        piece = self.answer.read(_PIECE)
        if not piece:
            raise FormatError("breaks off before the end", "DICOMweb", "Try again")
        self.taken += len(piece)
        if self.taken > _MOST_STUDY:
            raise LimitError("sends over 32 GiB", "DICOMweb", "Fetch fewer pictures")
        self.kept += piece

    def until_mark(self, file: IO[bytes] | None) -> None:
        """Write what stands before the next mark, and pass the mark."""
        while (at := self.kept.find(self.mark)) < 0:
            safe = max(len(self.kept) - len(self.mark), 0)
            if file is not None:
                file.write(self.kept[:safe])
            self.kept = self.kept[safe:]
            self._more()
        if file is not None:
            file.write(self.kept[:at])
        self.kept = self.kept[at + len(self.mark) :]

    def closed(self) -> bool:
        """Whether the mark just passed is the last one."""
        while len(self.kept) < 2:
            self._more()
        return self.kept.startswith(b"--")

    def headers(self) -> None:
        """Pass a part's own headers."""
        while (at := self.kept.find(b"\r\n\r\n")) < 0:
            if len(self.kept) > _PIECE:
                raise FormatError("sends a part without end of header", "DICOMweb", "Try again")
            self._more()
        self.kept = self.kept[at + 4 :]
