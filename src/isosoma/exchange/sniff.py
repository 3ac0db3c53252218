"""Which format a file is, told by its content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from isosoma.core.errors import FormatError, LimitError
from isosoma.core.observation import Observation, Waveform

__all__ = ["READ", "is_companion", "is_dicom", "read_json", "read_path"]

Reading = Observation | Waveform

READ = "WFDB, EDF/EDF+, CSV and Parquet tables, FHIR R4, Open mHealth, HL7 v2 and Apple Health"
_MAX_DOCUMENT = 256 << 20  # of JSON and HL7, which are read whole
_OWN = (".hea", ".csv", ".edf", ".json", ".hl7", ".parquet", ".xml")
_HEADER = re.compile(rb"^(#[^\n]*\n)*\s*[\w.-]+(/\d+)?[ \t]+\d+([ \t]|\r?\n|$)")
_HEALTHKIT = re.compile(rb"(\xef\xbb\xbf)?(<\?xml\s[^>]*\?>\s*)?<(!DOCTYPE\s+)?HealthData[\s>\[]")


def is_companion(path: Path) -> bool:
    """Return whether a file belongs to a WFDB header beside it: signals, marks, or a segment."""
    stem = path.name.split(".")[0]
    beside = path.with_name(stem + ".hea").is_file() and path.suffix not in _OWN
    return beside or _part_of_a_chain(path)


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM by its preamble, whatever it is called."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _part_of_a_chain(path: Path) -> bool:
    """Whether a multi-segment header in the folder lists this header or the header of this file."""
    stem = path.name.split(".")[0]
    for header in path.parent.glob("*.hea"):
        if header.stem != stem and stem.startswith(header.stem):
            with header.open("rb") as file:
                rows = file.read(1 << 16).split()
            if rows and b"/" in rows[0] and stem.encode() in rows:
                return True
    return False


def _document(path: Path) -> bytes:
    if path.stat().st_size > _MAX_DOCUMENT:
        raise LimitError("a document of over 256 MiB is not read", path.name, "Cut it into parts")
    return path.read_bytes()


def read_path(path: str | Path, *, subject: str | None, received: int) -> Iterator[Reading]:
    """Yield every reading of a file, told by its content.

    Parameters
    ----------
    subject : the patient the readings belong to; None takes what the file says.
    received : time of arrival here [ns].

    Raises
    ------
    InputError
        It cannot be read; what, where and what to do. Nothing is yielded before a reader has
        checked its file, except that long waveforms come block by block.
    """
    file = Path(path)
    try:
        with file.open("rb") as opened:
            head = opened.read(4096)
    except OSError as error:
        raise FormatError("cannot be opened", file.name, "Check the name") from error
    if not head:
        raise FormatError("is empty", file.name, "Copy the file again")
    yield from _reader(file, head, subject, received)


def _reader(file: Path, head: bytes, subject: str | None, received: int) -> Iterator[Reading]:
    """Choose the reader; its module is imported only then."""
    plain = head.lstrip(b" \t\r\n")
    if head[:8] == b"0       ":
        from isosoma.exchange.edf import read_edf

        return read_edf(file, subject=subject, received=received)
    if head[:4] == b"PAR1":
        from isosoma.exchange.parquet import read_parquet

        return read_parquet(file, subject=subject, received=received)
    if plain[:1] in (b"{", b"["):
        body = _document(file)
        return iter(read_json(body, subject=subject, received=received, where=file.name))
    if plain[:3] == b"MSH" or head[:1] == b"\x0b":
        from isosoma.exchange.hl7v2 import read_hl7

        return iter(read_hl7(_document(file), subject=subject, received=received))
    if _HEALTHKIT.match(plain):
        from isosoma.exchange.healthkit import read_healthkit

        return read_healthkit(file, subject=subject, received=received)
    if file.suffix == ".hea" and _HEADER.match(head):
        from isosoma.exchange.wfdb import read_wfdb

        return read_wfdb(file, subject=subject, received=received)
    if b"," in head.split(b"\n", 1)[0]:
        from isosoma.exchange.tables import read_csv

        return read_csv(file, subject=subject, received=received)
    raise FormatError("is of no format that is read", file.name, f"Give {READ}")


def read_json(body: bytes, *, subject: str | None, received: int, where: str = "") -> list[Reading]:
    """Return the readings of a JSON document: FHIR where it has a `resourceType`, or Open mHealth.

    Parameters and errors are those of `read_fhir` and `read_openmhealth`.
    """
    if b'"resourceType"' in body:
        from isosoma.exchange.fhir import read_fhir

        return read_fhir(body, subject=subject, received=received, where=where)
    from isosoma.exchange.openmhealth import read_openmhealth

    return list(read_openmhealth(body, subject=subject, received=received, where=where))
