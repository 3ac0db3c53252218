"""EDF and EDF+ files through edfio (Kemp & Olivan 2003, 10.1016/S1388-2457(03)00123-8).

Samples stay the 16-bit counts of the file. EDF stores local time without a zone: the zone is an
argument, and UTC is noted in `origin` where none is given.
"""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, RangeError, TimeError, UnitError
from isosoma.core.observation import Waveform
from isosoma.core.units import read_unit, ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.signal_names import variable_of

__all__ = ["read_edf"]

_MAX_BYTES = 1 << 30
_MAX_SIGNALS = 512
_BLOCK = 60.0
_RATES = (1e-3, 1e6)  # [1/s]
_LONGEST = 1e10  # [s]
_ONSET = re.compile(rb"[+-][0-9]{1,15}(\.[0-9]{0,15})?\x14")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - reads as the epoch it is


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things lie: header bytes, records of `width` [s], samples per record of each signal.

    `date` is the plain ``dd.mm.yy`` of EDF, which EDF+ repeats in words.
    """

    header: int
    records: int
    width: float
    date: str
    per: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all signals of a file share; `width` is a record's length [s], `onsets` of EDF+D."""

    file: Path
    start: int
    subject: str
    received: int
    zone: int
    note: str
    width: float
    onsets: npt.NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class _Scale:
    """What one signal's counts mean: (count - base) * factor is in SI."""

    variable: str
    channel: str
    hz: float
    factor: float
    base: int


@contextmanager
def _strict(where: str) -> Generator[None]:
    """Turn what edfio raises, or only warns of, into a sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    except OSError as error:
        raise FormatError("cannot be opened", where, "Check the name") from error
    except (
        ValueError, LookupError, TypeError, ArithmeticError, AttributeError, Warning, StopIteration,
    ) as error:  # fmt: skip
        said = "".join(c if c.isprintable() else "?" for c in str(error)[:120])
        raise FormatError(f"is a damaged EDF file ({said})", where, "Copy it again") from error


def _count(field: bytes, where: str) -> int:
    if not re.fullmatch(rb"-?[0-9]{1,8} *", field):
        raise FormatError("the EDF header is damaged", where, "Copy it again")
    return int(field)


def _layout(path: Path) -> _Layout:
    """Compare the header's promise with the size before anything is allocated."""
    where = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(256)
            rest = file.read(256 * _MAX_SIGNALS)
    except OSError as error:
        raise FormatError("cannot be opened", where, "Check the name") from error
    if size > _MAX_BYTES:
        raise LimitError("an EDF file of over 1 GiB is not read", where, "Cut it")
    header, records, signals = (
        _count(head[a:b], where) for a, b in ((184, 192), (236, 244), (252, 256))
    )
    if records < 0:
        raise FormatError("the recording was not ended", where, "Close it in the recorder")
    if not (0 < signals <= _MAX_SIGNALS and header == 256 * (signals + 1) <= size and records > 0):
        raise FormatError("the EDF header contradicts itself", where, "Copy it again")
    per = tuple(_count(rest[216 * signals + 8 * i :][:8], where) for i in range(signals))
    need = header + 2 * sum(per) * records
    if min(per) < 1 or need != size:
        what = "is cut off" if need > size else "holds more than its header says"
        raise FormatError(f"{what}: {size} of {need} bytes", where, "Copy the file again")
    width = re.fullmatch(rb"([0-9]{1,8}(?:\.[0-9]{0,7})?) *", head[244:252])
    if width is None or not float(width[1]):
        raise FormatError("its records have no duration", where, "Export it again")
    labels = tuple(rest[16 * i :][:16].decode("latin-1").strip() for i in range(signals))
    date = head[168:176].decode("latin-1")
    return _Layout(header, records, float(width[1]), date, per, labels)


def _onsets(path: Path, layout: _Layout) -> npt.NDArray[np.float64]:
    """Return the start of each record [s after the first], from its first annotation (EDF+D)."""
    own = layout.labels.index("EDF Annotations")
    skip, length = 2 * sum(layout.per[:own]), 2 * layout.per[own]
    out = np.empty(layout.records)
    with path.open("rb") as file:
        for i in range(layout.records):
            file.seek(layout.header + 2 * sum(layout.per) * i + skip)
            found = _ONSET.match(file.read(length))
            if found is None:
                raise FormatError("the time of a record is damaged", path.name, "Export it again")
            out[i] = float(found[0][:-1])
    if np.any(np.diff(out) < layout.width - 1e-6) or out[-1] - out[0] > _LONGEST:
        raise FormatError("its records do not follow each other", path.name, "Export it again")
    return out - out[0]


def read_edf(
    path: str | Path, *, subject: str | None, received: int, zone: int | None = None
) -> Iterator[Waveform]:
    """Yield the signals in blocks of 60 s.

    Parameters
    ----------
    zone : offset of the recorder's clock [min east of UTC].

    Raises
    ------
    FormatError, LimitError, TimeError, UnitError, RangeError
        The file is damaged, too large, undated, or a signal has a scale or unit that is none of its
        variable.
    """
    import edfio

    file = Path(path)
    layout = _layout(file)
    with _strict(file.name):
        edf = edfio.read_edf(file, lazy_load_data=True, header_encoding="latin-1")
        even = edf.is_continuous
        signals: list[Any] = list(edf.signals)
    if not signals:
        raise FormatError("holds no signals", file.name, "Give a recording with signals")
    names = Counter(s.label for s in signals)
    scales = [_scale(s, i, names[s.label] > 1, file.name) for i, s in enumerate(signals)]
    frame = _Frame(
        file, _start(edf, layout, file.name) - (zone or 0) * 60 * 10**9, subject or "", received,
        zone or 0,
        "" if zone is not None else "?zone_unknown", layout.width,
        None if even else _onsets(file, layout),
    )  # fmt: skip
    for signal, scale in zip(signals, scales, strict=True):
        yield from _blocks(np.asarray(signal.digital, np.int16), scale, frame)


def _start(edf: Any, layout: _Layout, where: str) -> int:
    try:
        with _strict(where):
            at = datetime.combine(edf.startdate, edf.starttime, timezone.utc)  # noqa: UP017
    except FormatError as error:
        raise TimeError("has no start date", where, "Restore the date of the recording") from error
    if re.fullmatch(r"[0-9.]{8}", layout.date) and at.strftime("%d.%m.%y") != layout.date:
        raise TimeError(f"has two dates, {layout.date} and {at:%d.%m.%y}", where, "Correct one")
    return round((at - _EPOCH) / timedelta(microseconds=1)) * 1000


def _scale(signal: Any, index: int, twin: bool, where: str) -> _Scale:
    label = str(signal.label)
    place = f"{where}, signal {index}"
    if not label.isprintable():
        raise FormatError("a signal's name holds control characters", place, "Rename it")
    with _strict(place):
        unit, hz = str(signal.physical_dimension).strip(), float(signal.sampling_frequency)
        low, high = int(signal.digital_min), int(signal.digital_max)
        least, most = float(signal.physical_min), float(signal.physical_max)
    if not (high > low and math.isfinite(least) and math.isfinite(most) and most != least):
        raise FormatError("the scale of the signal is empty", place, "Restore its header")
    variable = variable_of(label, unit)
    row, gain = VOCABULARY[variable], (most - least) / (high - low)
    factor = gain * _factor(variable, unit, place)
    # A block keeps an integer count at zero: what is left shifts the signal by half a count.
    base = low - least / gain if gain else math.inf
    if not (abs(base) < 1 << 31 and 0.0 < abs(factor) <= row.high - row.low):
        raise RangeError(f"a scale of {least:g} to {most:g} {unit} cannot be", place, "Correct it")
    if not _RATES[0] <= hz <= _RATES[1]:
        raise RangeError(f"a rate of {hz:g} Hz cannot be", place, "Correct the header")
    channel = label or f"signal {index}"
    return _Scale(variable, f"{channel}#{index}" if twin else channel, hz, factor, round(base))


def _stretches(n: int, hz: float, frame: _Frame) -> Iterator[tuple[int, int, float]]:
    """Yield (first, last + 1, start [s]) of at most 60 s, cut where EDF+D has a gap."""
    step = max(1, int(_BLOCK * hz))
    if frame.onsets is None:
        for a in range(0, n, step):
            yield a, min(a + step, n), a / hz
        return
    per = round(frame.width * hz)
    gaps = np.flatnonzero(np.abs(np.diff(frame.onsets) - frame.width) > 0.5 / hz) + 1
    edges = [0, *gaps.tolist(), len(frame.onsets)]
    for first, last in itertools.pairwise(edges):
        for a in range(first * per, last * per, step):
            onset = float(frame.onsets[first]) + (a - first * per) / hz
            yield a, min(a + step, last * per), onset


def _blocks(counts: npt.NDArray[np.int16], scale: _Scale, frame: _Frame) -> Iterator[Waveform]:
    stem = frame.file.stem
    for i, (a, b, onset) in enumerate(_stretches(len(counts), scale.hz, frame)):
        yield Waveform(
            frame.subject, scale.variable, frame.start + round(onset * 1e9), frame.received,
            scale.hz, counts[a:b].copy(), scale.factor, scale.base, device=f"edf:{stem}",
            channel=scale.channel, seq=i, origin=f"edf:{stem}{frame.note}", zone=frame.zone,
        )  # fmt: skip


def _factor(variable: str, unit: str, where: str) -> float:
    """SI units per `unit` of the signal; 1 on an arbitrary scale."""
    if VOCABULARY[variable].unit == "1":
        return 1.0
    try:
        found = read_unit(unit)
    except UnitError as error:
        raise error.at(where) from error
    if found.dimensions != ucum(VOCABULARY[variable].unit).dimensions:
        raise UnitError(f"{unit} is no unit of {variable}", where, "Correct the unit")
    return found.factor
