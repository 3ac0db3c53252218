"""EDF and EDF+ files through edfio (Kemp & Olivan 2003, 10.1016/S1388-2457(03)00123-8).

Samples stay the 16-bit counts of the file. EDF stores local time without a zone: the zone is an
argument, and UTC is noted in `origin` where none is given.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, UnitError
from isosoma.core.observation import Waveform
from isosoma.core.units import read_unit, ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.signal_names import variable_of

__all__ = ["read_edf"]

_MAX_BYTES = 1 << 30
_BLOCK = 60.0


def _open(path: Path) -> tuple[Any, _Layout]:
    import edfio

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LimitError("an EDF file of over 1 GiB is not read", path.name, "Cut it")
        layout = _layout(path)
        return edfio.read_edf(path, lazy_load_data=False), layout
    except OSError as error:
        raise FormatError("cannot be opened", path.name, "Check the name") from error
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, ArithmeticError) as error:
        raise FormatError(f"is a damaged EDF file ({error})", path.name, "Copy it again") from error


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things lie in the file: header bytes, records, samples per record of each signal."""

    header: int
    records: int
    per: tuple[int, ...]
    labels: tuple[str, ...]


def _layout(path: Path) -> _Layout:
    """Compare the header's promise with the size before anything is allocated."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(256)
        rest = file.read(256 * 512)
    try:
        header, records, signals = int(head[184:192]), int(head[236:244]), int(head[252:256])
        per = tuple(int(rest[216 * signals + 8 * i :][:8]) for i in range(signals))
    except ValueError as error:
        raise FormatError("the EDF header is damaged", path.name, "Copy it again") from error
    if not (0 < signals <= 512 and header == 256 * (signals + 1) and records >= 0 < min(per)):
        raise FormatError("the EDF header contradicts itself", path.name, "Copy it again")
    if header + 2 * sum(per) * records > size:
        need = header + 2 * sum(per) * records
        raise FormatError(f"is cut off: {size} of {need} bytes", path.name, "Copy the file again")
    labels = tuple(rest[16 * i :][:16].decode("latin-1").strip() for i in range(signals))
    return _Layout(header, records, per, labels)


def _onsets(path: Path, layout: _Layout) -> npt.NDArray[np.float64]:
    """Return the start of each record [s after the file's], from its first annotation (EDF+D)."""
    try:
        own = layout.labels.index("EDF Annotations")
    except ValueError:
        raise FormatError("has gaps but no timekeeping", path.name, "Export it again") from None
    skip, length = 2 * sum(layout.per[:own]), 2 * layout.per[own]
    out = np.empty(layout.records)
    with path.open("rb") as file:
        for i in range(layout.records):
            file.seek(layout.header + 2 * sum(layout.per) * i + skip)
            text = file.read(length).split(b"\x14", 1)[0]
            try:
                out[i] = float(text)
            except ValueError as error:
                raise FormatError("the time of a record is damaged", path.name) from error
    if not np.all(np.diff(out) > 0.0):
        raise FormatError("its records do not follow each other", path.name, "Export it again")
    return out


def read_edf(
    path: str | Path, *, subject: str | None, received: int, zone: int | None = None
) -> Iterator[Waveform]:
    """Yield the signals in blocks of 60 s.

    Parameters
    ----------
    zone : offset of the recorder's clock [min east of UTC].

    Raises
    ------
    FormatError, LimitError, UnitError
        The file is damaged, too large, or a signal has a unit that is none of its variable.
    """
    file = Path(path)
    edf, layout = _open(file)
    note = "" if zone is not None else "?zone_unknown"
    start = _start(edf, file.name) - (zone or 0) * 60 * 10**9
    width = float(edf.data_record_duration)
    onsets = None if edf.is_continuous else _onsets(file, layout)
    frame = _Frame(file, start, subject or "", received, zone or 0, note, width, onsets)
    for index, signal in enumerate(edf.signals):
        yield from _blocks(signal, index, frame)


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


def _start(edf: Any, where: str) -> int:
    try:
        at = datetime.combine(edf.startdate, edf.starttime, timezone.utc)  # noqa: UP017
    except (ValueError, AttributeError) as error:
        raise FormatError(
            "has no start date", where, "Restore the date of the recording"
        ) from error
    seconds = at - datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
    return round(seconds / timedelta(microseconds=1)) * 1000


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


def _blocks(signal: Any, index: int, frame: _Frame) -> Iterator[Waveform]:
    where = f"{frame.file.name}, signal {signal.label}"
    unit = signal.physical_dimension.strip()
    variable = variable_of(signal.label, unit)
    counts = np.asarray(signal.digital, np.int16)
    low, high = signal.digital_min, signal.digital_max
    if high <= low or signal.physical_max == signal.physical_min:
        raise FormatError("the scale of the signal is empty", where, "Restore its header")
    gain = (signal.physical_max - signal.physical_min) / (high - low)
    # A block keeps an integer count at zero: what is left shifts the signal by half a count.
    base = round(low - signal.physical_min / gain)
    hz, stem = float(signal.sampling_frequency), frame.file.stem
    for i, (a, b, onset) in enumerate(_stretches(len(counts), hz, frame)):
        yield Waveform(
            frame.subject, variable, frame.start + round(onset * 1e9), frame.received, hz,
            counts[a:b].copy(), gain * _factor(variable, unit, where), base,
            device=f"edf:{stem}", channel=signal.label or f"signal {index}", seq=i,
            origin=f"edf:{stem}{frame.note}", zone=frame.zone,
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
