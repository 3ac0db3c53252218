"""Vitals and waveforms as tables: CSV and Parquet, with the units in the file.

A table has a header of names, a row of UCUM units, and one row per instant. The first column is
the time: an ISO 8601 instant with its zone (unit ``ISO8601``), or a number since 1970-01-01T00:00Z
(unit ``s``, ``ms``, ``us`` or ``ns``). The other names are rows of the vocabulary or LOINC codes,
with an optional channel behind a colon (``ecg:II``). An empty cell means: nothing was measured.
Waveform variables need evenly spaced times. Parquet carries the units in each field's metadata
under the key ``unit``.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, InputError, LimitError, TimeError, UnitError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.units import read_unit
from isosoma.core.vocabulary import VOCABULARY, Variable, by_loinc, check_possible, nearest, si

__all__ = ["WAVEFORMS", "read_csv", "read_parquet"]

WAVEFORMS = (
    "ecg", "arterial_pressure", "plethysmogram", "respiration", "pulmonary_artery_pressure",
    "unnamed_signal",
)  # fmt: skip
"""Variables that are read as waveforms, never as single numbers."""

_TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_FUTURE = 300 * 10**9
_MAX_BYTES = 1 << 30
_MAX_COLUMNS = 256


@dataclass(frozen=True, slots=True)
class _Column:
    row: Variable
    channel: str
    unit: str


def _column(name: str, unit: str, where: str) -> _Column:
    """Resolve a column; a unit is required and must fit the variable."""
    plain, _, channel = name.strip().partition(":")
    row = VOCABULARY.get(plain) or by_loinc(plain)
    if row is None:
        close = nearest(plain)
        meant = f"Rename it, to {close.name} if that is meant" if close else "Rename it"
        raise FormatError(
            f"column {name[:40]!r} is neither a vocabulary name nor a LOINC code",
            where,
            f"{meant} (docs/nomenclature.md lists the names)",
        )
    if not unit.strip():
        raise UnitError(f"column {name!r} has no unit", where, "Give UCUM units in the second row")
    try:
        code = read_unit(unit).code
        si(row, 1.0, code)
    except UnitError as error:
        raise error.at(f"{where}, column {name}") from error
    return _Column(row, channel.strip() or plain, code)


def _columns(names: Sequence[str], units: Sequence[str], where: str) -> list[_Column]:
    if len(names) > _MAX_COLUMNS:
        raise LimitError(f"{len(names)} columns are too many", where)
    if len(units) != len(names):
        raise FormatError(
            f"{len(names)} names but {len(units)} units", where, "Give each column its unit"
        )
    if len(set(names)) != len(names):
        raise FormatError("two columns share a name", where, "Tell them apart: ecg:I, ecg:II")
    return [_column(n, u, where) for n, u in zip(names[1:], units[1:], strict=True)]


def _instant(text: str, unit: str, where: str, received: int) -> tuple[int, int]:
    """Read a time cell as (ns since 1970, zone in minutes)."""
    zone = 0
    try:
        if unit in _TICKS:
            whole, _, part = text.strip().partition(".")
            at = int(whole) * _TICKS[unit] + _fraction(part, _TICKS[unit])
        else:
            moment = datetime.fromisoformat(text.strip())
            offset = moment.utcoffset()
            if offset is None:
                raise TimeError(f"the time {text!r} has no zone", where, "Write 2026-05-01T08:00Z")
            zone = round(offset.total_seconds() / 60.0)
            days = moment.toordinal() - 719163
            clock = (moment.hour * 60 + moment.minute) * 60 + moment.second
            at = ((days * 86400 + clock) * 10**6 + moment.microsecond) * 1000
            at -= round(offset.total_seconds() * 1e9)
    except (ValueError, OverflowError) as error:
        raise TimeError(
            f"the time {text[:40]!r} cannot be read", where, "See the unit row"
        ) from error
    if not 0 <= at <= received + _FUTURE:
        raise TimeError(f"the time {text[:40]!r} lies before 1970 or ahead of now", where)
    return at, zone


def _fraction(part: str, ticks: int) -> int:
    """Value of the decimals in ticks, exactly; only plain digits."""
    if part and not (part.isascii() and part.isdigit()):
        raise ValueError(part)
    return int(part or "0") * ticks // 10 ** len(part)


def _value(text: str, column: _Column, where: str) -> float | None:
    """Read one cell as SI; None for an empty one."""
    plain = text.strip()
    if not plain:
        return None
    try:
        number = float(plain) if plain.isascii() and "_" not in plain else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FormatError(
            f"{plain[:30]!r} is no number", f"{where}, {column.row.name}", "Leave the cell empty"
        )
    value = si(column.row, number, column.unit)
    try:
        return check_possible(column.row, value)
    except InputError as error:
        raise error.at(where) from error


def _text(path: Path) -> io.StringIO:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise LimitError("a table of over 1 GiB is not read", path.name, "Cut it into parts")
        if b"\0" in raw:
            raise FormatError("holds NUL bytes, so it is no text", path.name)
        return io.StringIO(raw.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise FormatError(
            "is not UTF-8", f"{path.name}, byte {error.start}", "Save it as UTF-8"
        ) from error
    except OSError as error:
        raise FormatError("cannot be opened", path.name, "Check the name") from error


def read_csv(
    path: str | Path, *, subject: str | None, received: int
) -> Iterator[Observation | Waveform]:
    """Yield every reading of a CSV table; the whole file is checked before the first one.

    Raises
    ------
    InputError
        The first fault, with row and column.
    """
    name = Path(path).name
    rows = csv.reader(_text(Path(path)), strict=True)
    try:
        names, units = next(rows), next(rows)
        body = [(i, cells) for i, cells in enumerate(rows, 3) if any(c.strip() for c in cells)]
    except StopIteration:
        raise FormatError("has no header and unit row", name, "Write names, then units") from None
    except csv.Error as error:
        raise FormatError(f"is no CSV: {error}", name, "Save it as CSV with commas") from error
    columns = _columns(names, units, name)
    times: list[tuple[int, int]] = []
    table: list[list[float | None]] = []
    for number, cells in body:
        where = f"{name}, row {number}"
        if len(cells) != len(names):
            raise FormatError(f"{len(cells)} cells under {len(names)} names", where)
        times.append(_instant(cells[0], units[0].strip(), where, received))
        table.append([_value(c, k, where) for c, k in zip(cells[1:], columns, strict=True)])
    given = [[c.strip() for c in cells[1:]] for _, cells in body]
    yield from _readings(columns, times, table, given, subject, received, f"csv:{name}")


def read_parquet(
    path: str | Path, *, subject: str | None, received: int
) -> Iterator[Observation | Waveform]:
    """Yield every reading of a Parquet table.

    The time column is a timestamp with a zone, or an integer with a ``unit`` of s, ms, us or ns.

    Raises
    ------
    InputError
        The first fault, with row and column.
    """
    import pyarrow as pa
    from pyarrow import parquet

    name = Path(path).name
    try:
        frame = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FormatError("is no readable Parquet file", name, "Write it again") from error
    if frame.num_columns * frame.num_rows > 1 << 28:
        raise LimitError("holds more than 268 million cells", name, "Cut it into parts")
    fields: list[Any] = [frame.schema.field(i) for i in range(frame.num_columns)]
    units = [(f.metadata or {}).get(b"unit", b"").decode("utf-8", "replace") for f in fields]
    if not fields:
        raise FormatError("has no columns", name)
    columns = _columns([f.name for f in fields], units, name)
    instants = _arrow_times(frame.column(0), fields[0].type, units[0], name)
    times = [_instant(t, "ns", f"{name}, row {i}", received) for i, t in enumerate(instants, 1)]
    cells = [[_cell(v) for v in frame.column(i).to_pylist()] for i in range(1, len(fields))]
    given = [list(row) for row in zip(*cells, strict=True)] or [[] for _ in times]
    table = [
        [_value(c, k, f"{name}, row {i}") for c, k in zip(row, columns, strict=True)]
        for i, row in enumerate(given, 1)
    ]
    yield from _readings(columns, times, table, given, subject, received, f"parquet:{name}")


def _cell(value: Any) -> str:
    """Bring a Parquet cell to the text that a CSV would hold; nulls and floats' NaN are empty."""
    if value is None or value != value:
        return ""
    return "" if isinstance(value, bool) else repr(value) if not isinstance(value, str) else value


def _arrow_times(column: Any, kind: Any, unit: str, name: str) -> list[str]:
    """Time column as texts of nanoseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise TimeError("the time column has no zone", name, "Write timestamps with a zone")
        values = column.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64()).to_pylist()
        scale = 1
    elif pa.types.is_integer(kind) and unit in _TICKS:
        values, scale = column.to_pylist(), _TICKS[unit]
    else:
        raise TimeError(
            "the time column is no timestamp", name, "Give timestamps with a zone, or a unit of ns"
        )
    if any(v is None for v in values):
        raise TimeError("the time column has empty cells", name, "Fill them or drop the rows")
    return [str(v * scale) for v in values]


def _readings(
    columns: list[_Column],
    times: list[tuple[int, int]],
    table: list[list[float | None]],
    given: list[list[str]],
    subject: str | None,
    received: int,
    origin: str,
) -> Iterator[Observation | Waveform]:
    who = subject or ""
    for j, column in enumerate(columns):
        if column.row.name in WAVEFORMS:
            values = [row[j] for row in table]
            yield from _waveforms(column, times, values, who, received, origin)
            continue
        for i, row in enumerate(table):
            value = row[j]
            if value is not None:
                yield Observation(
                    who, column.row.name, times[i][0], received, value, column.row.sigma,
                    column.row.bias, channel=column.channel, origin=origin, zone=times[i][1],
                    given=f"{given[i][j]} {column.unit}",
                )  # fmt: skip


def _waveforms(
    column: _Column,
    times: list[tuple[int, int]],
    values: list[float | None],
    subject: str,
    received: int,
    origin: str,
) -> Iterator[Waveform]:
    """Make one evenly sampled block of a column; empty cells are marked as lost."""
    if len(times) < 2:
        raise FormatError(f"{column.row.name} needs two rows at least", origin)
    at = np.array([t for t, _ in times], np.int64)
    step = (at[-1] - at[0]) / (len(at) - 1)
    if step <= 0.0 or np.abs(np.diff(at) - step).max() > max(0.25 * step, 1e6):
        raise FormatError(
            f"the times of {column.row.name} are not evenly spaced",
            origin,
            "Give one file per stretch without a gap, or leave cells empty",
        )
    x = np.array([math.nan if v is None else v for v in values])
    counts, scale = _counts(x)
    edges = np.flatnonzero(np.diff(np.r_[False, np.isnan(x), False])).reshape(-1, 2)
    missing = tuple((int(a), int(b)) for a, b in edges)
    yield Waveform(
        subject, column.row.name, int(at[0]), received, 1e9 / step, counts, scale,
        channel=column.channel, seq=0, origin=origin, zone=times[0][1], missing=missing,
    )  # fmt: skip


def _counts(x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int16], float]:
    """Quantise to int16: by the table's own step where it has one, else to 1/32767 of the range."""
    whole = np.nan_to_num(x)
    largest = float(np.abs(whole).max(initial=0.0))
    steps = np.unique(np.abs(whole[whole != 0.0]))
    scale = float(steps[0]) if len(steps) else 1.0
    ratio = whole / scale
    even = np.abs(ratio - np.round(ratio)).max(initial=0.0) < 1e-6
    if not even or largest / scale > 32767:
        scale = largest / 32767.0
    return np.round(whole / scale).astype(np.int16), scale
