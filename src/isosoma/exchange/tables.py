"""Vitals and waveforms as tables: CSV and Parquet, with the units in the file.

A table has a header of names, a row of UCUM units, and one row per instant. The first column is
the time: an ISO 8601 instant with its zone (unit ``ISO8601``), or a number since 1970-01-01T00:00Z
(unit ``s``, ``ms``, ``us`` or ``ns``). The other names are rows of the vocabulary or LOINC codes,
with an optional channel behind a colon (``ecg:II``). An empty cell means: nothing was measured.
Waveform variables need evenly spaced times. Parquet carries the units in each field's metadata
under the key ``unit``; nulls and the NaN of its floats are empty cells.
Every row of a CSV file ends its line: without that the last number may be cut off.
"""

from __future__ import annotations

import csv
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, InputError, LimitError, TimeError, UnitError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.units import read_unit
from isosoma.core.vocabulary import VOCABULARY, Variable, by_loinc, check_possible, nearest, si

__all__ = [
    "WAVEFORMS",
    "Column",
    "Table",
    "column_of",
    "columns_of",
    "in_si",
    "most_rows",
    "read_csv",
    "readings_of",
]

WAVEFORMS = (
    "ecg", "arterial_pressure", "plethysmogram", "respiration", "pulmonary_artery_pressure",
    "unnamed_signal",
)  # fmt: skip
"""Variables that are read as waveforms, never as single numbers."""

Floats = npt.NDArray[np.float64]

TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Units of a time column that counts since 1970 → nanoseconds."""

_MAX_BYTES = 1 << 30
_MAX_LINE = 1 << 20  # characters
_MAX_COLUMNS = 256
MAX_NUMBERS = 5_000_000
"""Cells that become observations; as many as one delivery may hold."""
MAX_CELLS = 1 << 27
"""Cells of all columns."""
_BLOCK = 60.0  # seconds of a waveform handed on at a time
_SLOW = 600  # samples, where it is slower than 1 Hz: a value every five minutes is one signal
_NUMBER = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,4})?")
_COUNT = re.compile(r"([0-9]{1,19})(?:\.([0-9]{0,18}))?")


@dataclass(frozen=True, slots=True)
class Column:
    """One measured column: its variable, channel, and unit [UCUM]."""

    row: Variable
    channel: str
    unit: str

    @property
    def is_wave(self) -> bool:
        """Whether it is read as a waveform."""
        return self.row.name in WAVEFORMS


@dataclass(slots=True)
class Table:
    """A checked table; lists run over `columns`.

    Attributes
    ----------
    at : instants [ns since 1970]; zone : [min east of UTC].
    values : per column (n,) in SI, NaN where empty.
    given : per column the cells as they came; empty for waveforms.
    """

    columns: list[Column]
    at: array[int] = field(default_factory=lambda: array("q"))
    zone: array[int] = field(default_factory=lambda: array("h"))
    values: list[array[float]] = field(default_factory=list["array[float]"])
    given: list[list[str]] = field(default_factory=list[list[str]])


def column_of(name: str, unit: str, where: str) -> Column:
    """Resolve a column; a unit is required and must fit the variable.

    Raises
    ------
    FormatError, UnitError
        The name or the unit is none.
    """
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
    if not channel.isprintable() or len(channel) > 64:
        raise FormatError(f"the channel of column {plain!r} is no plain name", where, "Rename it")
    if not unit.strip():
        raise UnitError(f"column {name!r} has no unit", where, "Give UCUM units in the second row")
    try:
        code = read_unit(unit).code
        si(row, 1.0, code)
    except UnitError as error:
        raise error.at(f"{where}, column {name}") from error
    return Column(row, channel.strip() or plain, code)


def columns_of(names: Sequence[str], units: Sequence[str], where: str) -> list[Column]:
    """Resolve the columns after the first, which is the time.

    Raises
    ------
    LimitError, FormatError, UnitError
        Too many, too few, two of one name, or one that `column_of` refuses.
    """
    if len(names) > _MAX_COLUMNS:
        raise LimitError(f"{len(names)} columns are too many", where, "Cut it into several")
    if len(units) != len(names):
        raise FormatError(
            f"{len(names)} names but {len(units)} units", where, "Give each column its unit"
        )
    if len({n.strip() for n in names}) != len(names):
        raise FormatError("two columns share a name", where, "Tell them apart: ecg:I, ecg:II")
    if len(names) < 2:
        raise FormatError("has a time but nothing measured", where, "Add a column")
    return [column_of(n, u, where) for n, u in zip(names[1:], units[1:], strict=True)]


def _instant(text: str, unit: str, where: str) -> tuple[int, int]:
    """Read a time cell as (ns since 1970, zone in minutes)."""
    plain = text.strip()
    try:
        at, zone = _counted(plain, TICKS[unit]) if unit in TICKS else _moment(plain)
    except (ValueError, OverflowError) as error:
        raise TimeError(
            f"the time {text[:40]!r} cannot be read", where, "See the unit row"
        ) from error
    if at is None:
        raise TimeError(f"the time {text[:40]!r} has no zone", where, "Write 2026-05-01T08:00Z")
    if not 0 <= at < 1 << 63:
        raise TimeError(f"the time {text[:40]!r} lies outside 1970 to 2262", where, "Correct it")
    return at, zone


def _counted(text: str, ticks: int) -> tuple[int, int]:
    """Ticks since 1970 as nanoseconds, exactly; only plain digits."""
    found = _COUNT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    part = found[2] or ""
    return int(found[1]) * ticks + int(part or "0") * ticks // 10 ** len(part), 0


def _moment(text: str) -> tuple[int | None, int]:
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    if offset is None:
        return None, 0
    days = moment.toordinal() - 719163
    clock = (moment.hour * 60 + moment.minute) * 60 + moment.second
    at = ((days * 86400 + clock) * 10**6 + moment.microsecond) * 1000
    return at - round(offset.total_seconds() * 1e9), round(offset.total_seconds() / 60.0)


def _number(text: str, column: Column, where: str) -> float:
    """Read one cell as it stands; NaN for an empty one."""
    plain = text.strip()
    if not plain:
        return math.nan
    number = float(plain) if _NUMBER.fullmatch(plain) else math.inf
    if math.isinf(number):
        raise FormatError(
            f"{plain[:30]!r} is no number", f"{where}, {column.row.name}", "Leave the cell empty"
        )
    return number


def in_si(column: Column, raw: Floats, name: str, rows: Sequence[int]) -> Floats:
    """Return a column in SI, shape (n,); `rows` are the numbers of its rows in the file.

    Raises
    ------
    RangeError
        A value that no body can have, with its row.
    """
    row = column.row
    with np.errstate(over="ignore"):
        found: Floats = np.asarray(si(row, raw, column.unit))  # pyright: ignore[reportArgumentType]
    bad = np.flatnonzero(~np.isnan(found) & ~((found >= row.low) & (found <= row.high)))
    if len(bad):
        try:
            check_possible(row, float(found[bad[0]]))
        except InputError as error:
            raise error.at(f"{name}, row {rows[int(bad[0])]}") from error
    return found


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, each checked, never the whole file at once."""
    name = path.name
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LimitError("a table of over 1 GiB is not read", name, "Cut it into parts")
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            while line := file.readline(_MAX_LINE):
                if "\0" in line:
                    raise FormatError("holds NUL bytes, so it is no text", name, "Save it as UTF-8")
                if line[-1] not in "\r\n":
                    raise (
                        LimitError("a line of over a million characters", name, "Cut it")
                        if len(line) == _MAX_LINE
                        else FormatError(
                            "the last line has no end, so it may be cut off", name,
                            "Copy the file again, or end its last line",
                        )
                    )  # fmt: skip
                yield line
    except UnicodeDecodeError as error:
        raise FormatError("is not UTF-8", name, "Save it as UTF-8") from error
    except OSError as error:
        raise FormatError("cannot be opened", name, "Check the name") from error


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
    rows = csv.reader(_lines(Path(path)), strict=True)
    try:
        names, units = next(rows, []), next(rows, None)
        if not names or units is None:
            raise FormatError("has no header and unit row", name, "Write names, then units")
        table = Table(columns_of(names, units, name))
        table.values = [array("d") for _ in table.columns]
        table.given = [[] for _ in table.columns]
        most, unit, at_line = most_rows(table.columns), units[0].strip(), array("l")
        for cells in rows:
            if any(c.strip() for c in cells):
                at_line.append(rows.line_num)
                where = f"{name}, row {rows.line_num}"
                _add(table, cells, unit, where)
                if len(table.at) > most:
                    raise LimitError("the table has too many cells", where, "Cut it into parts")
    except csv.Error as error:
        raise FormatError(
            f"is no CSV: {error}", f"{name}, row {rows.line_num}", "Save it as CSV with commas"
        ) from error
    table.values = [
        array("d", in_si(column, np.array(raw), name, at_line).tobytes())
        for column, raw in zip(table.columns, table.values, strict=True)
    ]
    yield from readings_of(table, subject, received, f"csv:{name}")


def _add(table: Table, cells: list[str], unit: str, where: str) -> None:
    if len(cells) != len(table.columns) + 1:
        raise FormatError(
            f"{len(cells)} cells under {len(table.columns) + 1} names", where, "Complete the row"
        )
    at, zone = _instant(cells[0], unit, where)
    table.at.append(at)
    table.zone.append(zone)
    for column, cell, values, given in zip(
        table.columns, cells[1:], table.values, table.given, strict=True
    ):
        values.append(_number(cell, column, where))
        if not column.is_wave:
            given.append(cell.strip())


def most_rows(columns: list[Column]) -> int:
    """Return how many rows memory and one delivery can hold."""
    numbers = sum(not c.is_wave for c in columns)
    return min(MAX_NUMBERS // max(1, numbers), MAX_CELLS // len(columns))


def readings_of(
    table: Table, subject: str | None, received: int, origin: str
) -> Iterator[Observation | Waveform]:
    """Yield what a checked table holds.

    Raises
    ------
    FormatError
        It holds nothing, or the times of a waveform are not evenly spaced.
    """
    at = np.array(table.at, np.int64)
    filled = [np.array(v, np.float64) for v in table.values]
    if all(np.isnan(v).all() for v in filled):
        raise FormatError("holds no value", origin.partition(":")[2], "Give a table with rows")
    waves = [
        wave
        for column, values in zip(table.columns, filled, strict=True)
        if column.is_wave
        for wave in _waveforms(
            column, at, values,
            Waveform(
                subject or "", column.row.name, 0, received, 0.0, np.empty(0, np.int16), 1.0,
                channel=column.channel, origin=origin, zone=table.zone[0],
            ),
        )
    ]  # fmt: skip
    yield from waves
    for column, values, given in zip(table.columns, filled, table.given, strict=True):
        if column.is_wave:
            continue
        for i in np.flatnonzero(~np.isnan(values)).tolist():
            yield Observation(
                subject or "", column.row.name, table.at[i], received, float(values[i]),
                column.row.sigma, column.row.bias, channel=column.channel, origin=origin,
                zone=table.zone[i], given=f"{given[i]} {column.unit}",
            )  # fmt: skip


def _waveforms(
    column: Column, at: npt.NDArray[np.int64], x: Floats, like: Waveform
) -> Iterator[Waveform]:
    """Make evenly sampled blocks of 60 s of a column; empty cells are marked as lost."""
    where = like.origin.partition(":")[2]
    if len(at) < 2:
        raise FormatError(f"{column.row.name} needs two rows at least", where, "Give more rows")
    step = float(at[-1] - at[0]) / (len(at) - 1)
    if step <= 0.0 or np.abs(np.diff(at) - step).max() > max(0.25 * step, 1e6):
        raise FormatError(
            f"the times of {column.row.name} are not evenly spaced",
            where,
            "Give one file per stretch without a gap, or leave cells empty",
        )
    counts, scale = _counts(x)
    empty = np.isnan(x)
    size = int(_BLOCK * 1e9 / step) if step <= 1e9 else _SLOW
    for a in range(0, len(x), size):
        edges = np.flatnonzero(np.diff(np.r_[False, empty[a : a + size], False])).reshape(-1, 2)
        yield replace(
            like, start=int(at[0]) + round(a * step), hz=1e9 / step, samples=counts[a : a + size],
            scale=scale, seq=a // size, missing=tuple((int(p), int(q)) for p, q in edges),
        )  # fmt: skip


def _counts(x: Floats) -> tuple[npt.NDArray[np.int16], float]:
    """Quantise to int16: by the table's own step where it has one, else to 1/32767 of the range."""
    whole = np.nan_to_num(x)
    largest = float(np.abs(whole).max(initial=0.0))
    if not largest:
        return np.zeros(len(x), np.int16), 1.0
    steps = np.abs(whole[whole != 0.0])
    scale = max(float(steps.min()), largest / 32767.0)
    ratio = whole / scale
    if np.abs(ratio - np.round(ratio)).max() >= 1e-6:
        scale = largest / 32767.0
    return np.round(whole / scale).astype(np.int16), scale
