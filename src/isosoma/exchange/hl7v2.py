"""HL7 v2 observation reports (ORU^R01) and their acknowledgement.

A report names its patient in PID-3, its codes (LOINC or IEEE 11073) in OBX-3 and its units in
OBX-6; nothing of these is guessed. Reference: HL7 International, HL7 Messaging Standard 2.6,
chapters 2 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from isosoma.core.errors import (
    FormatError,
    IdentityError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
)
from isosoma.core.observation import Censoring, Observation
from isosoma.core.units import read_unit
from isosoma.core.vocabulary import Variable, by_loinc, by_mdc, check_possible, si
from isosoma.exchange.mllp import feed

__all__ = ["Report", "acknowledge", "read_hl7", "report_hl7"]

_MAX_MESSAGE = 1 << 20
_MAX_FIELD = 1 << 16
_MAX_SEGMENTS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 1 << 63  # [ns], the year 2262

_CHARSETS = {
    "": "utf-8", "ASCII": "ascii", "UNICODE UTF-8": "utf-8",
    **{f"8859/{n}": f"iso-8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}  # fmt: skip
_TAKEN = {"F": "", "P": "?preliminary", "C": "?corrected"}
_REFUSED = {
    "X": "could not be obtained", "D": "is deleted", "W": "is marked as wrong",
    "I": "is pending", "R": "is not verified", "S": "is partial", "N": "was not asked for",
    "O": "is only ordered", "U": "comes without its value",
}  # fmt: skip
# IEEE 11073-10101 units of measure as devices write them in OBX-6.
_MDC_UNITS = {
    "262688": "%", "263875": "kg", "264274": "mg/dL", "264864": "/min", "264928": "/min",
    "265987": "kPa", "266016": "mm[Hg]", "266866": "mmol/L", "268192": "Cel",
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})")
_CODE_NUMBER = re.compile(r"[0-9]{1,10}")
_TIME = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?(?:([+-])(\d\d)(\d\d))?", re.ASCII
)
_ZONE = re.compile(r"([+-])(\d\d)(\d\d)$", re.ASCII)

Row = tuple[str, ...]
"""One segment; index = number of the field, as the standard counts."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a message held.

    Attributes
    ----------
    observations : taken.
    not_read : one sentence for each OBX that was not taken.
    """

    observations: tuple[Observation, ...]
    not_read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Header:
    """MSH: separators, ids and the sender's zone [min east], None where it names none."""

    field: str
    component: str
    repetition: str
    sender: str
    control: str
    zone: int | None


def _at(row: Row, i: int) -> str:
    return row[i] if i < len(row) else ""


def _separators(message: bytes) -> str:
    """Return the field separator and the four or five of MSH-2, all different, no letters."""
    head = message[:16]
    if head[:3] != b"MSH":
        raise FormatError("the message does not begin with MSH", todo="Send HL7 v2 with its header")
    signs = head[3:8].decode("ascii", "replace")
    if len(set(signs)) != 5 or any(not 33 <= ord(s) <= 126 or s.isalnum() for s in signs):
        raise FormatError(
            f"MSH names {signs!r} as separators, which must be five different signs",
            todo="Send MSH|^~\\&|",
        )
    return signs


def _text(message: bytes, sign: str) -> str:
    """Decode by MSH-18 and refuse what no text field holds."""
    header = re.split(rb"[\r\n]", message, maxsplit=1)[0].split(sign.encode())
    name = header[17].decode("ascii", "replace") if len(header) > 17 else ""
    name = name.split("~")[0].strip()
    if name not in _CHARSETS:
        known = ", ".join(k for k in _CHARSETS if k)
        raise FormatError(f"character set {name[:30]!r} is not read", "MSH-18", f"Send {known}")
    try:
        text = message.decode(_CHARSETS[name])
    except UnicodeDecodeError as error:
        raise FormatError(
            f"byte {error.start} is not {name or 'UTF-8'}", todo="Name the character set in MSH-18"
        ) from None
    if found := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise FormatError(f"control character 0x{ord(found[0]):02X} in the text")
    return text


def _rows(text: str, sign: str) -> list[Row]:
    """Return the segments, each as its fields from the segment's name on.

    Split here, not by the `hl7` package, which splits every field to its last part and takes 6 s
    for 1 MB of separators; a test holds the two to the same fields.
    """
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    if len(lines) > _MAX_SEGMENTS:
        raise LimitError(f"a message of over {_MAX_SEGMENTS} segments", todo="Send it in parts")
    if any(len(field) > _MAX_FIELD for line in lines for field in line.split(sign)):
        raise LimitError(f"a field of over {_MAX_FIELD} characters", todo="Send numbers, not files")
    first, *others = (tuple(line.split(sign)) for line in lines)
    return [(first[0], sign, *first[1:]), *others]  # MSH-1 is the separator itself


def _header(rows: list[Row], signs: str) -> _Header:
    row = rows[0]
    kind = _at(row, 9).split(signs[1])
    if kind[:2] != ["ORU", "R01"]:
        got = _at(row, 9)[:20]
        raise FormatError(f"a message of type {got!r} is not read", "MSH-9", "Send ORU^R01")
    found = _ZONE.search(_at(row, 7))
    zone = _minutes(*found.groups()) if found else None
    sender = _at(row, 3).split(signs[1])[0]
    return _Header(signs[0], signs[1], signs[2], sender[:64], _at(row, 10)[:199], zone)


def _minutes(sign: str, hours: str, minutes: str) -> int:
    zone = int(hours) * 60 + int(minutes)
    if zone > 14 * 60 or int(minutes) > 59:
        raise TimeError(f"no clock is {sign}{hours}{minutes} from UTC")
    return -zone if sign == "-" else zone


def _instant(text: str, zone: int | None) -> tuple[int, int]:
    """Return an HL7 time as [ns since 1970 UTC] and its zone [min east]."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise TimeError(f"{text[:30]!r} is no time to the minute", todo="Write YYYYMMDDHHMMSS+ZZZZ")
    year, month, day, hour, minute, second, part, *offset = found.groups()
    east = _minutes(*offset) if offset[0] else zone
    if east is None:
        raise TimeError(
            f"{text} names no zone, nor does MSH-7", todo="Send +ZZZZ, or give the sender's zone"
        )
    try:
        numbers = (int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
        local = datetime(*numbers, tzinfo=UTC)
    except ValueError:
        raise TimeError(f"{text} is no date and time", todo="Set the sender's clock") from None
    whole = (local - _EPOCH) // timedelta(seconds=1) - east * 60
    instant = whole * 1_000_000_000 + int((part or "0").ljust(9, "0"))
    if not 0 <= instant < _LAST:
        raise TimeError(f"{text} lies outside 1970 to 2262", todo="Set the sender's clock")
    return instant, east


def _patient(
    rows: list[Row], header: _Header, subject: str | None, known_as: frozenset[str]
) -> str:
    """Return whose report it is; every PID of the message must name the same patient."""
    found: list[frozenset[str]] = []
    first = ""
    for row in rows:
        if row[0] == "PID":
            ids = [r.split(header.component)[0] for r in _at(row, 3).split(header.repetition)]
            ids = [i for i in ids if i and i != '""']
            first = first or (ids[0] if ids else "")
            found.append(frozenset(ids))
    if not found or not all(found):
        raise IdentityError(
            "the message names no patient", "PID-3", "Send the patient's identifier"
        )
    if any(ids.isdisjoint(found[0]) for ids in found):
        raise IdentityError("the message mixes patients", "PID-3", "Send one patient at a time")
    if subject is None:
        return first
    if found[0].isdisjoint(known_as | {subject}):
        raise IdentityError(
            f"the message is about patient {first[:40]!r}, not {subject!r}",
            "PID-3",
            "Send it to that patient's record, or give this identifier in known_as",
        )
    return subject


def _variable(field: str, header: _Header) -> Variable | None:
    """Return the row of the first code that is known: LOINC (LN) or IEEE 11073 (MDC)."""
    parts = [*field.split(header.component), "", "", ""]
    for code, system in ((parts[0], parts[2]), (parts[3], parts[5] if len(parts) > 5 else "")):
        row = None
        if system == "LN":
            row = by_loinc(code)
        elif system == "MDC" and _CODE_NUMBER.fullmatch(code):
            row = by_mdc(int(code))
        if row is not None:
            return row
    return None


def _unit(field: str, header: _Header) -> str:
    code, _, rest = field.partition(header.component)
    if not code:
        raise UnitError("no unit", "OBX-6", "Send the UCUM unit")
    system = rest.split(header.component)[1] if header.component in rest else ""
    if system == "MDC":
        if code not in _MDC_UNITS:
            raise UnitError(f"MDC unit {code[:20]!r} is not known", "OBX-6", "Send the UCUM unit")
        return _MDC_UNITS[code]
    return read_unit(code).code


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise FormatError(
            f"{text[:30]!r} is no number", "OBX-5", "Send digits with a decimal point"
        )
    return float(text)


def _refusal(row: Row, variable: Variable | None) -> str:
    """Return why an OBX is not taken; empty where it is."""
    kind, status, name = _at(row, 2), _at(row, 11), _at(row, 3)[:60]
    if kind != "NM":
        return f"{name} is of type {kind[:10] or '(none)'}, only NM is read"
    if status not in _TAKEN:
        return f"{name} {_REFUSED.get(status, f'has status {status[:5]!r}')}"
    if _at(row, 5) in ("", '""'):
        return f"{name} has no value"
    if variable is None:
        return f"{name} has no code the vocabulary holds"
    return ""


def _observation(
    row: Row,
    variable: Variable,
    taken_at: str,
    header: _Header,
    like: Observation,
    zone: int | None,
) -> Observation:
    unit = _unit(_at(row, 6), header)
    number = _number(_at(row, 5))
    value = check_possible(variable, si(variable, number, unit))
    at, east = _instant(_at(row, 14) or taken_at, header.zone if header.zone is not None else zone)
    limits: dict[str, Censoring] = {"<": "below", ">": "above"}
    return Observation(
        like.subject, variable.name, at, like.received, value, variable.sigma, variable.bias,
        censoring=limits.get(_at(row, 8), "none"),
        device=_at(row, 18).split(header.component)[0][:64] or header.sender,
        channel=_at(row, 4)[:64],
        origin=f"hl7:{header.control}/OBX-{_at(row, 1)[:10]}{_TAKEN[_at(row, 11)]}",
        zone=east,
        given=f"{_at(row, 5)} {unit}",
    )  # fmt: skip


def _one(
    message: bytes, subject: str | None, received: int, zone: int | None, known_as: frozenset[str]
) -> Report:
    if len(message) > _MAX_MESSAGE:
        raise LimitError("a message of over 1 MiB", todo="Send fewer observations in a message")
    signs = _separators(message)
    rows = _rows(_text(message, signs[0]), signs[0])
    header = _header(rows, signs)
    like = Observation(_patient(rows, header, subject, known_as), "", received, received, 0.0, 0.0)
    observations: list[Observation] = []
    not_read: list[str] = []
    taken_at = ""
    for row in rows:
        if row[0] == "OBR":
            taken_at = _at(row, 7)
        elif row[0] == "OBX":
            variable = _variable(_at(row, 3), header)
            why = _refusal(row, variable)
            if variable is None or why:
                not_read.append(f"OBX-{_at(row, 1)[:10]}: {why}")
                continue
            try:
                observations.append(_observation(row, variable, taken_at, header, like, zone))
            except InputError as error:
                raise error.at(f"OBX {_at(row, 1)[:10]}") from None
    return Report(tuple(observations), tuple(not_read))


def _messages(data: bytes) -> Iterator[bytes]:
    """Yield the messages of an MLLP stream, or of a file with one MSH after another."""
    if data[:1] == b"\x0b":
        whole, rest = feed(b"", data, limit=_MAX_MESSAGE)
        if rest:
            raise FormatError("the last frame has no end", "mllp", "Send 0x1C 0x0D after it")
        yield from whole
    else:
        yield from re.split(rb"(?<=[\r\n])(?=MSH[^\w\s])", data.strip())


def report_hl7(
    message: bytes,
    *,
    subject: str | None,
    received: int,
    zone: int | None = None,
    known_as: Iterable[str] = (),
) -> Report:
    """Return what a report holds, and a sentence for each OBX that was not taken.

    Parameters
    ----------
    message : ORU^R01, with or without its MLLP frame; several one after another are read alike.
    subject : the patient it must be about; None takes the first identifier of PID-3.
    received : time of arrival [ns since 1970 UTC].
    zone : of the sender [min east of UTC], for times that name none, where MSH-7 names none either.
    known_as : further identifiers of the subject.

    Raises
    ------
    FormatError, LimitError, UnitError, TimeError, RangeError
        Not such a message, or one of its numbers cannot be; nothing of it is taken.
    IdentityError
        No patient, several, or another.
    """
    if zone is not None and not -12 * 60 <= zone <= 14 * 60:
        raise RangeError(f"no clock is {zone} min east of UTC", todo="Give minutes, not hours")
    observations: list[Observation] = []
    not_read: list[str] = []
    try:
        for one in _messages(message):
            found = _one(one, subject, received, zone, frozenset(known_as))
            if len({o.subject for o in (*observations[:1], *found.observations[:1])}) > 1:
                raise IdentityError("the messages are about several patients", "PID-3")
            observations += found.observations
            not_read += found.not_read
    except InputError as error:
        raise error.at("hl7") from None
    return Report(tuple(observations), tuple(not_read))


def read_hl7(
    message: bytes, *, subject: str | None, received: int, zone: int | None = None
) -> list[Observation]:
    """Return the observations of a report; parameters and errors are those of `report_hl7`.

    Raises
    ------
    FormatError
        Also where not one OBX could be taken; it says why the first was not.
    """
    report = report_hl7(message, subject=subject, received=received, zone=zone)
    if not report.observations:
        why = report.not_read[0] if report.not_read else "it has no OBX"
        raise FormatError(f"the message holds no number to take: {why}", "hl7", "Send NM values")
    return list(report.observations)


def acknowledge(message: bytes, code: Literal["AA", "AE", "AR"], text: str, now: int) -> bytes:
    """Return the acknowledgement of a message, unframed, UTF-8.

    Parameters
    ----------
    code : AA taken; AE refused for its content; AR not processed, send it again.
    text : for the sender's operator; empty with AA.
    now : [ns since 1970 UTC]; also the acknowledgement's own control id.

    Raises
    ------
    FormatError
        The message has no header to answer to.
    """
    signs = _separators(message)
    line = re.split(rb"[\r\n]", message[:4096], maxsplit=1)[0].decode("utf-8", "replace")
    clean = "".join(c for c in line if c.isprintable())
    row = ("MSH", *clean.split(signs[0]))
    stamp = (_EPOCH + timedelta(seconds=now // 1_000_000_000)).strftime("%Y%m%d%H%M%S+0000")
    kind = f"ACK{signs[1]}R01"
    head = [
        "MSH", signs[1:], _at(row, 5), _at(row, 6), _at(row, 3), _at(row, 4), stamp, "", kind,
        str(now), _at(row, 11) or "P", _at(row, 12) or "2.6", "", "", "", "", "", "UNICODE UTF-8",
    ]  # fmt: skip
    answer = ["MSA", code, _at(row, 10), _escaped(text, signs)]
    return "\r".join(signs[0].join(fields) for fields in (head, answer, [])).encode()


def _escaped(text: str, signs: str) -> str:
    """Return `text` with the separators written as HL7 escapes, in one line."""
    names = dict(zip(signs, "FSRET", strict=True))
    plain = "".join(c if c.isprintable() else " " for c in text[:500])
    return "".join(f"{signs[3]}{names[c]}{signs[3]}" if c in names else c for c in plain)
