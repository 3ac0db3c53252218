"""WFDB records (PhysioNet's format; wfdb-python is its reference reader).

Read here: headers (single and multi-segment), signal formats 212 and 16 (with a byte offset, as in
the ``.mat`` files of the Challenges), several samples per frame, and ``.dat.xz``.
Times count from the header's date; a header without one counts from 1970 and says so in `origin`.

References: Moody, WFDB Applications Guide, header(5), signal(5); Goldberger 2000,
10.1161/01.CIR.101.23.e215.
"""

from __future__ import annotations

import lzma
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, UnitError
from isosoma.core.observation import Waveform
from isosoma.core.units import read_unit, ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.signal_names import variable_of

__all__ = [
    "Record",
    "Signal",
    "read_record",
    "read_wfdb",
]

Counts = npt.NDArray[np.int16]

_MAX_BYTES = 1 << 30  # of one signal file, unpacked
_MAX_SIGNALS = 256
_MAX_HEADER = 1 << 20
_BLOCK = 60.0  # seconds of signal handed on at a time


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One signal of a record.

    Attributes
    ----------
    name : as in the header; empty where it gives none.
    hz : samples per second [1/s].
    samples : shape (n,), counts as stored.
    gain : counts per `unit`.
    baseline : count at physical zero.
    unit : as in the header, ``mV`` where it gives none.
    missing : half-open index ranges of samples marked as lost.
    """

    name: str
    hz: float
    samples: Counts
    gain: float
    baseline: int
    unit: str
    missing: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A record: its name, signals, and start [ns since 1970]; None where the header has no date."""

    name: str
    signals: tuple[Signal, ...]
    start: int | None
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One signal line of a header."""

    file: str
    format: int
    per_frame: int
    offset: int
    gain: float
    baseline: int
    unit: str
    checksum: int | None
    name: str


def _lines(path: Path) -> tuple[list[str], tuple[str, ...]]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_HEADER + 1)
    except OSError as error:
        raise FormatError("cannot be opened", str(path), "Check the name") from error
    if len(raw) > _MAX_HEADER:
        raise LimitError("a header of over 1 MiB is none", str(path))
    rows = [r.strip() for r in raw.decode("latin-1").splitlines()]
    comments = tuple(r[1:].strip() for r in rows if r.startswith("#"))
    kept = [r for r in rows if r and not r.startswith("#")]
    if not kept:
        raise FormatError("the header is empty", str(path), "Copy the file again")
    return kept, comments


def _number(text: str, what: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"{what} {text[:20]!r} is no number", where, "Copy the header again")
    return value


def _signal_line(row: str, where: str) -> _Line:
    """Read ``file format[xK][:skew][+offset] gain[(baseline)][/unit] bits zero initial sum …``."""
    parts = row.split(None, 8)
    if len(parts) < 2:
        raise FormatError(f"the line {row[:40]!r} names no format", where, "Copy the header again")
    form = re.fullmatch(r"(\d+)(?:x(\d+))?(?::\d+)?(?:\+(\d+))?", parts[1])
    if form is None or int(form[1]) not in (16, 212):
        raise FormatError(
            f"signal format {parts[1]!r} is not read", where, "Convert it to format 16 or 212"
        )
    gain = re.fullmatch(r"([0-9.eE+-]+)(?:\((-?\d+)\))?(?:/(\S+))?", parts[2] if parts[2:] else "0")
    if gain is None:
        raise FormatError(f"the gain {parts[2][:30]!r} cannot be read", where)
    zero = int(_number(parts[4], "the zero", where)) if len(parts) > 4 else 0
    value = _number(gain[1], "the gain", where) or 200.0  # signal(5): zero means 200, uncalibrated
    return _Line(
        parts[0], int(form[1]), max(1, int(form[2] or 1)), int(form[3] or 0), value,
        int(gain[2]) if gain[2] is not None else zero, gain[3] or "mV",
        int(_number(parts[6], "the checksum", where)) if len(parts) > 6 else None,
        parts[8] if len(parts) > 8 else "",
    )  # fmt: skip


def _start(parts: list[str], where: str) -> int | None:
    """Instant of the first sample from ``hh:mm:ss dd/mm/yyyy``; None without a date."""
    if len(parts) < 6:
        return None
    try:
        day = datetime.strptime(parts[5], "%d/%m/%Y").replace(tzinfo=timezone.utc)  # noqa: UP017
        clock = [float(x) for x in parts[4].split(":")]
    except ValueError as error:
        raise FormatError(f"the time {' '.join(parts[4:6])!r} cannot be read", where) from error
    seconds = 0.0
    for value in clock:
        seconds = seconds * 60.0 + value
    at = day + timedelta(seconds=seconds)
    return round(at.timestamp() * 1e6) * 1000


def _frames(text: str, where: str) -> int:
    value = _number(text, "the length", where)
    if not 0 <= value <= 1e10:
        raise LimitError(f"a length of {text} samples is none", where)
    return int(value)


def _bytes(path: Path) -> bytes:
    """Contents of a signal file, or of the same with ``.xz``, at most 1 GiB unpacked."""
    packed = path.with_name(path.name + ".xz")
    try:
        if path.is_file():
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        elif packed.is_file():
            unpack = lzma.LZMADecompressor(memlimit=1 << 28)
            data = unpack.decompress(packed.read_bytes(), _MAX_BYTES + 1)
        else:
            raise FormatError("the signal file is missing", str(path), "Copy it beside the header")
    except lzma.LZMAError as error:
        raise FormatError("the archive is damaged", str(packed), "Copy it again") from error
    if len(data) > _MAX_BYTES:
        raise LimitError("holds more than 1 GiB of samples", str(path), "Cut it into segments")
    return data


def _decode(data: bytes, form: int) -> Counts:
    """Samples of format 16 (int16, little endian) or 212 (two 12-bit samples in three bytes)."""
    if form == 16:
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
    whole = np.frombuffer(data + b"\0" * (-len(data) % 3), np.uint8).reshape(-1, 3).astype(np.int16)
    out = np.empty((len(whole), 2), np.int16)
    out[:, 0] = ((whole[:, 1] & 0x0F) << 8) | whole[:, 0]
    out[:, 1] = ((whole[:, 1] & 0xF0) << 4) | whole[:, 2]
    out[out > 2047] -= 4096
    flat = out.reshape(-1)
    return flat[: len(data) * 2 // 3]


def _lost(counts: Counts, form: int) -> tuple[tuple[int, int], ...]:
    """Ranges of the value that marks a lost sample: the most negative one (signal(5))."""
    bad = np.flatnonzero(np.diff(np.r_[False, counts == (-32768 if form == 16 else -2048), False]))
    return tuple((int(a), int(b)) for a, b in bad.reshape(-1, 2))


def _signals(lines: list[_Line], folder: Path, hz: float, frames: int, where: str) -> list[Signal]:
    out: list[Signal] = []
    for name in dict.fromkeys(line.file for line in lines):
        group = [line for line in lines if line.file == name]
        if len({line.format for line in group}) > 1 or Path(name).name != name:
            raise FormatError(f"the signal file {name!r} is not described properly", where)
        per = sum(line.per_frame for line in group)
        counts = _decode(_bytes(folder / name)[group[0].offset :], group[0].format)
        have = len(counts) // per
        if have < frames:
            raise FormatError(
                f"{name} is cut off: {have} of {frames} frames", where, "Copy the file again"
            )
        table = counts[: (frames or have) * per].reshape(-1, per)
        column = 0
        for line in group:
            own = table[:, column : column + line.per_frame].reshape(-1)
            column += line.per_frame
            _check(own, line, where)
            out.append(
                Signal(line.name, hz * line.per_frame, own.copy(), line.gain, line.baseline,
                       line.unit, _lost(own, line.format))
            )  # fmt: skip
    return out


def _check(counts: Counts, line: _Line, where: str) -> None:
    """Compare the 16-bit checksum of a signal, where the header gives one."""
    if line.checksum is None:
        return
    total = int(counts.sum(dtype=np.int64))
    if (total - line.checksum) & 0xFFFF:
        raise FormatError(
            f"the checksum of signal {line.name or line.file} does not match its samples",
            where,
            "Copy the record again",
        )


def read_record(path: str | Path, depth: int = 0) -> Record:
    """Read a record from its header (``100.hea``).

    Raises
    ------
    FormatError
        The header or a signal file is damaged, cut off, or of a format that is not read.
    LimitError
        It is too large to be one.
    """
    header = Path(path)
    where = header.name
    rows, comments = _lines(header)
    head = rows[0].split()
    if len(head) < 2:
        raise FormatError("the first line names no signals", where, "Copy the header again")
    name, _, segments = head[0].partition("/")
    count = int(_number(head[1], "the number of signals", where))
    hz = _number(head[2].split("/")[0].split("(")[0], "the rate", where) if head[2:] else 250.0
    frames = _frames(head[3], where) if len(head) > 3 else 0
    if not (0 <= count <= _MAX_SIGNALS and 0.0 < hz <= 1e6):
        raise LimitError(f"{count} signals at {hz:g} Hz are none", where)
    if len(rows) - 1 < (int(segments) if segments.isdigit() else count):
        raise FormatError("the header is cut off", where, "Copy the file again")
    if segments:
        signals = _joined(header, rows[1:], depth)
    else:
        lines = [_signal_line(row, where) for row in rows[1 : count + 1]]
        signals = tuple(_signals(lines, header.parent, hz, frames, where))
    return Record(name, signals, _start(head, where), comments)


def _joined(header: Path, rows: list[str], depth: int) -> tuple[Signal, ...]:
    """Put segments one after the other; gaps (``~``) and missing signals are marked as lost."""
    if depth:
        raise FormatError("segments within segments", header.name, "Give the inner record")
    parts: list[tuple[int, dict[str, Signal]]] = []
    for row in rows:
        words = row.split()
        name, length = words[0], _frames(words[1], header.name) if words[1:] else 0
        if Path(name).name != name:
            raise FormatError(f"the segment {name!r} lies elsewhere", header.name)
        found = read_record(header.with_name(name + ".hea"), 1).signals if name != "~" else ()
        parts.append((length, {s.name: s for s in found}))
    names = dict.fromkeys(n for _, p in parts for n in p)
    return tuple(_chain(name, parts, header.name) for name in names)


def _chain(name: str, parts: list[tuple[int, dict[str, Signal]]], where: str) -> Signal:
    first = next(p[name] for _, p in parts if name in p)
    base = next((s.hz for _, p in parts for s in p.values()), first.hz)
    pieces: list[Counts] = []
    missing: list[tuple[int, int]] = []
    at = 0
    for length, signals in parts:
        own = signals.get(name)
        if own is None or not len(own.samples):
            n = round(length * first.hz / base)
            missing.append((at, at + n))
            pieces.append(np.zeros(n, np.int16))
        elif (own.gain, own.baseline, own.unit, own.hz) != (
            first.gain, first.baseline, first.unit, first.hz,
        ):  # fmt: skip
            raise FormatError(
                f"the segments scale {name} differently", where, "Read the segments one by one"
            )
        else:
            n = len(own.samples)
            missing += [(at + a, at + b) for a, b in own.missing]
            pieces.append(own.samples)
        at += n
    return Signal(name, first.hz, np.concatenate(pieces), first.gain, first.baseline, first.unit,
                  tuple(missing))  # fmt: skip


def read_wfdb(path: str | Path, *, subject: str | None, received: int) -> Iterator[Waveform]:
    """Yield the signals of a record in blocks of 60 s.

    Raises
    ------
    FormatError, LimitError
        As `read_record`.
    UnitError
        A signal has a unit that is none of its variable.
    """
    header = Path(path)
    record = read_record(header)
    note = "?zone_unknown" if record.start is not None else "?relative_time"
    for signal in record.signals:
        variable = variable_of(signal.name, signal.unit)
        scale = _si_scale(signal, variable, header.name)
        step = max(1, int(_BLOCK * signal.hz))
        for a in range(0, len(signal.samples), step):
            b = min(a + step, len(signal.samples))
            lost = tuple(
                (max(x, a) - a, min(y, b) - a) for x, y in signal.missing if x < b and y > a
            )
            yield Waveform(
                subject or record.name, variable, (record.start or 0) + round(a / signal.hz * 1e9),
                received, signal.hz, signal.samples[a:b], scale, signal.baseline,
                device=f"wfdb:{record.name}", channel=signal.name or variable, seq=a // step,
                origin=f"wfdb:{header.stem}{note}", missing=lost,
            )  # fmt: skip


def _si_scale(signal: Signal, variable: str, where: str) -> float:
    if VOCABULARY[variable].unit == "1":
        return 1.0 / signal.gain
    try:
        unit = read_unit(signal.unit)
    except UnitError as error:
        raise error.at(f"{where}, signal {signal.name}") from error
    if unit.dimensions != ucum(VOCABULARY[variable].unit).dimensions:
        raise UnitError(
            f"{signal.unit} is no unit of {variable}",
            f"{where}, signal {signal.name}",
            "Correct the unit in the header",
        )
    return unit.factor / signal.gain
