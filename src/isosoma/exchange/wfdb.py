"""WFDB records (PhysioNet's format; wfdb-python is its reference reader).

Read here: single and multi-segment records, signal formats 212 and 16 (with a byte offset, as in
the ``.mat`` files of the Challenges), several samples per frame, skew, and ``.dat.xz``.
Times count from the header's date; a header without one counts from 1970 and says so in `origin`.
A signal whose gain the header does not know stays an `unnamed_signal`: its unit is never guessed.

References: Moody, WFDB Applications Guide, header(5), signal(5); Goldberger 2000,
10.1161/01.CIR.101.23.e215.
"""

from __future__ import annotations

import lzma
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, RangeError, UnitError
from isosoma.core.observation import Waveform
from isosoma.core.units import read_unit, ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.signal_names import variable_of
from isosoma.exchange.wfdb_header import MOST_SAMPLES, Header, SignalLine, read_header

__all__ = [
    "Record",
    "Signal",
    "read_record",
    "read_wfdb",
]

Counts = npt.NDArray[np.int16]
Key = tuple[str, int]  # name of a signal, and which of that name

_CHUNK = 3 << 20  # bytes unpacked at a time; whole groups of format 212
_BLOCK = 60.0  # seconds of signal handed on at a time
# An archive may unpack to _SMALL bytes (a day of a lead that lay still), or to _SWELL times its own
# size: recordings of MIT-BIH swell 2.4 times at most, zeros 7000 times.
_SMALL, _SWELL = 1 << 26, 100


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
    calibrated : whether the header gives the gain.
    """

    name: str
    hz: float
    samples: Counts
    gain: float
    baseline: int
    unit: str
    missing: tuple[tuple[int, int], ...] = ()
    calibrated: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A record: its name, signals, and start [ns since 1970]; None where the header has no date."""

    name: str
    signals: tuple[Signal, ...]
    start: int | None
    comments: tuple[str, ...]


def _size(samples: int, form: int) -> int:
    """Bytes that hold so many samples."""
    return 2 * samples if form == 16 else (3 * samples + 1) // 2


def _bytes(path: Path, most: int) -> bytes:
    """Contents of a signal file, or of the same with ``.xz``; never more than `most` + 1 bytes."""
    packed = path.with_name(path.name + ".xz")
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(min(most, path.stat().st_size) + 1)
        if packed.is_file():
            return _unpacked(packed, most)
    except lzma.LZMAError as error:
        raise FormatError("the archive is damaged", packed.name, "Copy it again") from error
    except OSError as error:
        raise FormatError("cannot be opened", path.name, "Check the file") from error
    raise FormatError("the signal file is missing", path.name, "Copy it beside the header")


def _unpacked(packed: Path, most: int) -> bytes:
    """Unpack one xz stream, piece by piece, and stop beyond `most` bytes, or where it swells."""
    swollen = max(_SWELL * packed.stat().st_size, _SMALL)
    unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 28)
    out = bytearray()
    with packed.open("rb") as file:
        while not unpack.eof and len(out) <= most:
            if len(out) > swollen:
                told = f"unpacks to over {swollen >> 20} MiB, which no signal does"
                raise LimitError(told, packed.name, "Unpack it and look")
            piece = file.read(1 << 16) if unpack.needs_input else b""
            if unpack.needs_input and not piece:
                raise FormatError("the archive is cut off", packed.name, "Copy it again")
            out += unpack.decompress(piece, min(most + 1 - len(out), _CHUNK))
        if len(out) <= most and (unpack.unused_data or file.read(1)):
            raise FormatError("something follows the archive", packed.name, "Copy it again")
    return bytes(out)


def _decode(data: bytes, form: int) -> Counts:
    """Samples of format 16 (int16, little endian) or 212 (two 12-bit samples in three bytes)."""
    if form == 16:
        return np.frombuffer(data, "<i2", len(data) // 2).astype(np.int16, copy=False)
    pairs = -(-len(data) // 3)
    out = np.empty((pairs, 2), np.int16)
    for at in range(0, len(data), _CHUNK):
        part = data[at : at + _CHUNK]
        raw = np.frombuffer(part + b"\0" * (-len(part) % 3), np.uint8).reshape(-1, 3)
        whole = raw.astype(np.int16)
        pair = out[at // 3 : at // 3 + len(whole)]
        pair[:, 0] = ((whole[:, 1] & 0x0F) << 8) | whole[:, 0]
        pair[:, 1] = ((whole[:, 1] & 0xF0) << 4) | whole[:, 2]
        pair[pair > 2047] -= 4096
    return out.reshape(-1)[: len(data) * 2 // 3]


def _lost(counts: Counts, form: int) -> tuple[tuple[int, int], ...]:
    """Ranges of the value that marks a lost sample: the most negative one (signal(5))."""
    bad = np.flatnonzero(np.diff(np.r_[False, counts == (-32768 if form == 16 else -2048), False]))
    return tuple((int(a), int(b)) for a, b in bad.reshape(-1, 2))


def _table(group: list[SignalLine], folder: Path, frames: int, where: str) -> Counts:
    """Return one file's samples, shape (frames, samples in a frame of this file).

    Raises
    ------
    FormatError
        It holds fewer or more frames than the header says.
    LimitError
        Too many to be read; the excess is never unpacked.
    """
    name, form, offset = group[0].file, group[0].format, group[0].offset
    per = sum(line.per_frame for line in group)
    most = offset + _size(frames * per if frames else MOST_SAMPLES, form)
    data = _bytes(folder / name, most + 1)  # format 212 may fill up its last three bytes
    counts = _decode(data[offset:], form)
    have, over = divmod(len(counts), per)
    if frames and have < frames:
        raise FormatError(
            f"{name} is cut off: {have} of {frames} frames", where, "Copy the file again"
        )
    if not frames and len(data) > most:
        raise LimitError(f"{name} holds more than {MOST_SAMPLES} samples", where, "Cut it up")
    padded = form == 212 and have * per % 2 == 1
    if len(data) > most + (form == 212) if frames else over > padded:
        raise FormatError(
            f"{name} holds more than the {frames or have} frames of the header", where,
            "Correct the length in the header",
        )  # fmt: skip
    return counts[: (frames or have) * per].reshape(-1, per)


def _signals(header: Header, folder: Path, where: str) -> list[Signal]:
    out: list[Signal] = []
    total = header.frames * sum(line.per_frame for line in header.lines)
    if total > MOST_SAMPLES:
        raise LimitError(f"{total} samples are too many", where, "Cut the record into segments")
    for name in dict.fromkeys(line.file for line in header.lines):
        group = [line for line in header.lines if line.file == name]
        if len({(line.format, line.offset) for line in group}) > 1:
            raise FormatError(f"the signal file {name!r} is not described properly", where)
        table = _table(group, folder, header.frames, where)
        total += 0 if header.frames else table.size
        if total > MOST_SAMPLES:
            raise LimitError("too many samples", where, "Cut the record into segments")
        column = 0
        for line in group:
            own = table[:, column : column + line.per_frame].reshape(-1)
            column += line.per_frame
            _check(own, line, where)
            out.append(_signal(own, line, header.hz))
    return out


def _signal(own: Counts, line: SignalLine, hz: float) -> Signal:
    """Bring a skewed signal in line with the others; its end was never received (signal(5))."""
    lost = _lost(own, line.format)
    late = min(line.skew * line.per_frame, len(own))
    if late:
        n = len(own)
        own = np.r_[own[late:], np.zeros(late, np.int16)]
        kept = ((max(a - late, 0), b - late) for a, b in lost if b > late)
        lost = (*kept, (n - late, n))
    return Signal(
        line.name, hz * line.per_frame, own.copy(), line.gain, line.baseline, line.unit, lost,
        line.calibrated,
    )  # fmt: skip


def _check(counts: Counts, line: SignalLine, where: str) -> None:
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


def read_record(path: str | Path) -> Record:
    """Read a record from its header (``100.hea``).

    Raises
    ------
    FormatError, TimeError
        The header or a signal file is damaged, cut off, or of a format that is not read.
    LimitError
        It is too large to be one; no more than its header claims is ever unpacked.
    """
    place = Path(path)
    header = read_header(place)
    if header.segments:
        signals = _joined(header, place)
    else:
        signals = tuple(_signals(header, place.parent, place.name))
    return Record(header.name, signals, header.start, header.comments)


def _joined(header: Header, place: Path) -> tuple[Signal, ...]:
    """Put segments one after the other; gaps (``~``) and missing signals are marked as lost."""
    where = place.name
    parts: list[tuple[int, dict[Key, Signal]]] = []
    told = sum(length for _, length in header.segments)
    if told > MOST_SAMPLES or (header.frames and told != header.frames):
        raise FormatError(
            f"its segments have {told} frames, not {header.frames}", where, "Copy the header again"
        )
    budget = MOST_SAMPLES
    for name, length in header.segments:
        found = {} if name == "~" else _part(place.with_name(name + ".hea"), header, length)
        budget -= sum(len(s.samples) for s in found.values())
        if budget < 0:
            raise LimitError("too many samples", where, "Read the segments one by one")
        parts.append((length, found))
    keys = dict.fromkeys(key for _, part in parts for key in part)
    rates = {key: next(p[key].hz for _, p in parts if key in p) for key in keys}
    if sum(rates.values()) / header.hz * told > MOST_SAMPLES:
        raise LimitError("its gaps are too long", where, "Read the segments one by one")
    return tuple(_chain(key, parts, header.hz, where) for key in keys)


def _part(place: Path, whole: Header, length: int) -> dict[Key, Signal]:
    """Read one segment; of several signals with one name each keeps its place."""
    header = read_header(place)
    if header.segments:
        raise FormatError("segments within segments", place.name, "Give the inner record")
    if header.hz != whole.hz or header.frames != length:
        raise FormatError(
            f"has {header.frames} frames at {header.hz:g} Hz, not {length} at {whole.hz:g} Hz",
            place.name, "Copy the headers again",
        )  # fmt: skip
    seen: Counter[str] = Counter()
    out: dict[Key, Signal] = {}
    for signal in _signals(header, place.parent, place.name):
        out[signal.name, seen[signal.name]] = signal
        seen[signal.name] += 1
    return out


def _chain(key: Key, parts: list[tuple[int, dict[Key, Signal]]], hz: float, where: str) -> Signal:
    first = next(p[key] for _, p in parts if key in p)
    pieces: list[Counts] = []
    missing: list[tuple[int, int]] = []
    at = 0
    for length, signals in parts:
        own = signals.get(key)
        n = round(length * first.hz / hz)
        if own is None:
            missing.append((at, at + n))
            pieces.append(np.zeros(n, np.int16))
        elif (own.gain, own.baseline, own.unit, own.hz) != (
            first.gain, first.baseline, first.unit, first.hz,
        ):  # fmt: skip
            raise FormatError(
                f"the segments scale {key[0]} differently", where, "Read the segments one by one"
            )
        else:
            missing += [(at + a, at + b) for a, b in own.missing]
            pieces.append(own.samples)
        at += n
    return replace(first, samples=np.concatenate(pieces), missing=tuple(missing))


def read_wfdb(path: str | Path, *, subject: str | None, received: int) -> Iterator[Waveform]:
    """Yield the signals of a record in blocks of 60 s.

    Raises
    ------
    FormatError, LimitError, TimeError
        As `read_record`; also a record without any sample.
    UnitError, RangeError
        A signal has a unit that is none of its variable, or a gain that cannot be.
    """
    header = Path(path)
    record = read_record(header)
    if not any(len(s.samples) for s in record.signals):
        raise FormatError("holds no samples", header.name, "Give a record with signals")
    names = Counter(s.name for s in record.signals)
    scaled = [(s, *_scale(s, header.name)) for s in record.signals]
    for i, (signal, variable, scale) in enumerate(scaled):
        channel = signal.name or variable
        if names[signal.name] > 1:
            channel = f"{channel}#{i}"
        yield from _blocks(
            signal,
            Waveform(
                subject or record.name, variable, record.start or 0, received, signal.hz,
                signal.samples, scale, signal.baseline, device=f"wfdb:{record.name}",
                channel=channel, origin=f"wfdb:{header.stem}{_flags(signal, record)}",
            ),
        )  # fmt: skip


def _flags(signal: Signal, record: Record) -> str:
    note = "?zone_unknown" if record.start is not None else "?relative_time"
    return note if signal.calibrated else f"{note},uncalibrated"


def _blocks(signal: Signal, whole: Waveform) -> Iterator[Waveform]:
    step = max(1, int(_BLOCK * signal.hz))
    for a in range(0, len(signal.samples), step):
        b = min(a + step, len(signal.samples))
        lost = tuple((max(x, a) - a, min(y, b) - a) for x, y in signal.missing if x < b and y > a)
        yield replace(
            whole, start=whole.start + round(a / signal.hz * 1e9), samples=signal.samples[a:b],
            seq=a // step, missing=lost,
        )  # fmt: skip


def _scale(signal: Signal, where: str) -> tuple[str, float]:
    """Return the variable of a signal and its SI units per count."""
    place = f"{where}, signal {signal.name}"
    if not signal.calibrated:
        return "unnamed_signal", 1.0 / signal.gain
    row = VOCABULARY[variable_of(signal.name, signal.unit)]
    factor = 1.0
    if row.unit != "1":
        try:
            unit = read_unit(signal.unit)
        except UnitError as error:
            raise error.at(place) from error
        if unit.dimensions != ucum(row.unit).dimensions:
            raise UnitError(
                f"{signal.unit} is no unit of {row.name}", place, "Correct the unit in the header"
            )
        factor = unit.factor
    if abs(signal.gain) * (row.high - row.low) < factor:  # one count is more than all there can be
        raise RangeError(f"a gain of {signal.gain:g} cannot be", place, "Correct the header")
    return row.name, factor / signal.gain
