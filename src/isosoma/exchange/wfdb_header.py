"""WFDB headers: what a record says of its signals or segments, each number checked for its bounds.

Reference: Moody, WFDB Applications Guide, header(5).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from isosoma.core.errors import FormatError, LimitError, TimeError

__all__ = ["MOST_SAMPLES", "Header", "SignalLine", "read_header"]

MOST_SAMPLES = 1 << 29
"""Samples of all signals of a record together (1 GiB as int16)."""

_MOST_BYTES = 1 << 20
_MOST_SIGNALS = 256
_MOST_PER_FRAME = 10_000
_RATES = (1e-3, 1e6)  # frames per second
_WORD = 1 << 31
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - reads as the epoch it is
_CLOCK = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2}(?:\.\d{1,9})?)")
_FORM = re.compile(r"(\d{1,4})(?:x(\d{1,9}))?(?::(\d{1,9}))?(?:\+(\d{1,9}))?")
_GAIN = re.compile(r"([0-9.eE+-]{1,40})(?:\((-?\d{1,12})\))?(?:/(\S{1,40}))?")


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal line: where its samples lie and what a count means.

    Attributes
    ----------
    format : 16 or 212.
    per_frame : samples in each frame.
    skew : frames by which the samples lie behind those of the other signals.
    offset : bytes before the first sample.
    gain : counts per `unit`; 200 where the header says that it is not known.
    calibrated : whether the header gives a gain.
    checksum : low 16 bits of the sum of all samples; None where not given.
    """

    file: str
    format: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    calibrated: bool
    baseline: int
    unit: str
    checksum: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """A header: of signals, or of segments (name, frames), never both.

    Attributes
    ----------
    hz : frames per second [1/s].
    frames : 0 where the header does not say.
    start : instant of the first frame [ns since 1970]; None where the header has no date.
    """

    name: str
    hz: float
    frames: int
    start: int | None
    lines: tuple[SignalLine, ...]
    segments: tuple[tuple[str, int], ...]
    comments: tuple[str, ...]


def _rows(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FormatError("cannot be opened", path.name, "Check the name") from error
    if len(raw) > _MOST_BYTES:
        raise LimitError("a header of over 1 MiB is none", path.name)
    if b"\0" in raw:
        raise FormatError("holds NUL bytes, so it is no header", path.name, "Copy the file again")
    return [row.strip() for row in raw.decode("latin-1").split("\n")]


def _real(text: str, what: str, where: str) -> float:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"{what} {text[:20]!r} is no number", where, "Copy the header again")
    return value


def _whole(text: str, what: str, where: str, low: int, high: int) -> int:
    """Return a whole number within [low, high]."""
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        raise FormatError(f"{what} {text[:20]!r} is no number", where, "Copy the header again")
    if not low <= int(text) <= high:
        raise LimitError(f"{what} cannot be {text}", where, f"It lies in {low} to {high}")
    return int(text)


def _local_name(name: str, where: str) -> str:
    """Return the name of a file beside the header; nothing elsewhere is ever opened."""
    if Path(name).name != name or name in ("..", "~") or "\\" in name or len(name) > 200:
        raise FormatError(f"{name[:60]!r} does not lie beside the header", where, "Do not use it")
    return name


def _signal_line(row: str, where: str) -> SignalLine:
    """Read ``file format[xK][:skew][+offset] gain[(baseline)][/unit] bits zero initial sum …``."""
    parts = row.split(None, 8)
    if len(parts) < 2:
        raise FormatError(f"the line {row[:40]!r} names no format", where, "Copy the header again")
    form = _FORM.fullmatch(parts[1])
    if form is None or int(form[1]) not in (16, 212):
        raise FormatError(
            f"signal format {parts[1][:20]!r} is not read", where, "Convert it to format 16 or 212"
        )
    gain = _GAIN.fullmatch(parts[2] if parts[2:] else "0")
    if gain is None:
        raise FormatError(f"the gain {parts[2][:30]!r} cannot be read", where)
    zero = _whole(parts[4], "the zero", where, -_WORD, _WORD - 1) if parts[4:] else 0
    base = zero if gain[2] is None else _whole(gain[2], "the baseline", where, -_WORD, _WORD - 1)
    value = _real(gain[1], "the gain", where)
    name = parts[8] if parts[8:] else ""
    if not name.isprintable():
        raise FormatError("a signal's name holds control characters", where)
    return SignalLine(
        file=_local_name(parts[0], where),
        format=int(form[1]),
        per_frame=_whole(form[2] or "1", "samples per frame", where, 1, _MOST_PER_FRAME),
        skew=_whole(form[3] or "0", "the skew", where, 0, MOST_SAMPLES),
        offset=int(form[4] or 0),
        gain=value or 200.0,  # header(5): zero is "not calibrated", for which 200 may be assumed
        calibrated=bool(value),
        baseline=base,
        unit=gain[3] or "mV",  # header(5)
        checksum=_whole(parts[6], "the checksum", where, -_WORD, _WORD) if parts[6:] else None,
        name=name,
    )


def _start(parts: list[str], where: str) -> int | None:
    """Instant of the first frame from ``hh:mm:ss dd/mm/yyyy``; None without a date."""
    if len(parts) < 6:
        return None
    said = " ".join(parts[4:6])[:40]
    clock = _CLOCK.fullmatch(parts[4])
    day = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", parts[5])
    if clock is None or day is None:
        raise TimeError(f"the time {said!r} cannot be read", where, "Write hh:mm:ss dd/mm/yyyy")
    hours, minutes, seconds = int(clock[1] or 0), int(clock[2] or 0), float(clock[3])
    try:
        date = datetime(int(day[3]), int(day[2]), int(day[1]), tzinfo=timezone.utc)  # noqa: UP017
    except ValueError:
        raise TimeError(f"there is no day {said!r}", where, "Correct the date") from None
    at = (date - _EPOCH) // timedelta(seconds=1) * 10**9
    at += (hours * 60 + minutes) * 60 * 10**9 + round(seconds * 1e9)
    if hours > 23 or minutes > 59 or seconds >= 60.0 or not 0 <= at < 1 << 63:
        raise TimeError(f"{said!r} is no time from 1970 to 2262", where, "Correct the date")
    return at


def read_header(path: Path) -> Header:
    """Read a header file.

    Raises
    ------
    FormatError, LimitError, TimeError
        It is damaged, cut off, or claims what cannot be.
    """
    where = path.name
    rows = _rows(path)
    comments = tuple(r[1:].strip() for r in rows if r.startswith("#"))
    rows = [r for r in rows if r and not r.startswith("#")]
    head = rows[0].split() if rows else []
    if len(head) < 2:
        raise FormatError("names no signals", where, "Copy the header again")
    name, mark, chain = head[0].partition("/")
    count = _whole(head[1], "the number of signals", where, 0, _MOST_SIGNALS)
    rate = re.split(r"[/(]", head[2])[0] if head[2:] else "250"
    hz = _real(rate, "the rate", where)
    if not _RATES[0] <= hz <= _RATES[1]:
        raise LimitError(f"a rate of {hz:g} Hz cannot be", where, "Correct the header")
    frames = _whole(head[3], "the length", where, 0, MOST_SAMPLES) if head[3:] else 0
    due = _whole(chain, "the number of segments", where, 1, 1 << 16) if mark else count
    if len(rows) - 1 != due:
        raise FormatError(
            f"has {len(rows) - 1} lines after the first, not {due}", where, "Copy the header again"
        )
    lines = () if mark else tuple(_signal_line(row, where) for row in rows[1:])
    segments = tuple(_segment(row, where) for row in rows[1:]) if mark else ()
    return Header(name, hz, frames, _start(head, where), lines, segments, comments)


def _segment(row: str, where: str) -> tuple[str, int]:
    words = row.split()
    if len(words) != 2:
        raise FormatError(f"the line {row[:40]!r} is no segment with its length", where)
    name = words[0] if words[0] == "~" else _local_name(words[0], where)
    return name, _whole(words[1], "the length", where, 0, MOST_SAMPLES)
