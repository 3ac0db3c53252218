"""Parquet tables of vitals and waveforms, by the same rules as CSV (see `tables`).

What the footer claims is checked before a page is unpacked: size, number of rows, flat numeric
columns only. Pages are then read in batches, and no more rows than claimed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.tables import (
    MAX_CELLS,
    TICKS,
    Column,
    Table,
    columns_of,
    in_si,
    most_rows,
    readings_of,
)

__all__ = ["read_parquet"]

_MAX_BYTES = 1 << 30
_MAX_TEXT = 1 << 20  # bytes of one text in the footer
_BATCH = 1 << 16  # rows
_PER_CELL = 16  # bytes unpacked, with its level and its share of a dictionary


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

    place = Path(path)
    try:
        if place.stat().st_size > _MAX_BYTES:
            raise LimitError("a table of over 1 GiB is not read", place.name, "Cut it into parts")
        with parquet.ParquetFile(
            place, thrift_string_size_limit=_MAX_TEXT, thrift_container_size_limit=_MAX_TEXT
        ) as file:
            table = _table(file, place.name)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise FormatError("is no readable Parquet file", place.name, "Write it again") from error
    yield from readings_of(table, subject, received, f"parquet:{place.name}")


def _table(file: Any, name: str) -> Table:
    """Check the footer, then unpack batch by batch."""
    told = file.metadata
    if told.num_columns > 256:  # leaves of nested columns count too
        raise LimitError(f"{told.num_columns} columns are too many", name, "Cut it into several")
    fields: list[Any] = list(file.schema_arrow)
    units = [(f.metadata or {}).get(b"unit", b"").decode("utf-8", "replace") for f in fields]
    columns = columns_of([f.name for f in fields], units, name)
    scale = _time_scale(fields[0].type, units[0], name)
    for one, column in zip(fields[1:], columns, strict=True):
        _check_type(one.type, column, name)
    if told.num_rows > most_rows(columns):
        raise LimitError("the table has too many cells", name, "Cut it into parts")
    _check_groups(told, name)
    at: list[npt.NDArray[np.int64]] = []
    cells: list[list[Any]] = [[] for _ in columns]
    rows = 0
    for batch in file.iter_batches(_BATCH):
        rows += batch.num_rows
        if rows > told.num_rows:
            break
        at.append(_times(batch.column(0), scale, name, rows - batch.num_rows))
        for i, kept in enumerate(cells):
            kept.append(batch.column(i + 1))
    if rows != told.num_rows:
        raise FormatError(f"does not hold the {told.num_rows} rows it claims", name, "Write again")
    table = Table(columns, array("q", np.concatenate(at).tobytes() if at else b""))
    table.zone = array("h", bytes(2 * rows))
    for column, kept in zip(columns, cells, strict=True):
        values, given = _values(kept, column, name)
        table.values.append(array("d", values.tobytes()))
        table.given.append(given)
    return table


def _check_groups(told: Any, name: str) -> None:
    """Refuse what unpacks to more than its rows can need."""
    groups = [told.row_group(i) for i in range(told.num_row_groups)]
    most = _PER_CELL * told.num_rows * told.num_columns + (1 << 20) * max(1, len(groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > most or told.num_rows * told.num_columns > MAX_CELLS:
        raise LimitError(f"unpacks to {unpacked} bytes", name, "Cut it into parts")
    if sum(group.num_rows for group in groups) != told.num_rows:
        raise FormatError("its parts have other rows than the whole", name, "Write it again")


def _check_type(kind: Any, column: Column, name: str) -> None:
    import pyarrow as pa

    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        raise FormatError(
            f"column {column.row.name} is of type {str(kind)[:40]}, not of numbers", name,
            "Write it as float64",
        )  # fmt: skip


def _time_scale(kind: Any, unit: str, name: str) -> int:
    """Nanoseconds of one count of the time column."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise TimeError("the time column has no zone", name, "Write timestamps with a zone")
        return TICKS[kind.unit]
    if pa.types.is_integer(kind) and unit in TICKS:
        return TICKS[unit]
    raise TimeError(
        "the time column is no timestamp", name, "Give timestamps with a zone, or a unit of ns"
    )


def _times(column: Any, scale: int, name: str, first: int) -> npt.NDArray[np.int64]:
    """Instants of a batch [ns]."""
    import pyarrow as pa

    if column.null_count:
        raise TimeError("the time column has empty cells", name, "Fill them or drop the rows")
    counts: npt.NDArray[np.int64] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    bad = np.flatnonzero((counts < 0) | (counts >= (1 << 63) // scale))
    if len(bad):
        raise TimeError(
            "the time lies outside 1970 to 2262", f"{name}, row {first + bad[0] + 1}", "Correct it"
        )
    return counts.astype(np.int64) * scale


def _values(
    kept: list[Any], column: Column, name: str
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Return the cells of a column in SI, and as they came where they are no waveform."""
    given: list[str] = []
    parts = [np.empty(0)]
    for part in kept:
        if not column.is_wave:
            given += ["" if v is None or v != v else repr(v) for v in part.to_pylist()]
        parts.append(part.to_numpy(zero_copy_only=False).astype(np.float64))
    raw = np.concatenate(parts)
    infinite = np.flatnonzero(np.isinf(raw))
    if len(infinite):
        raise FormatError(
            "an infinite value is no number", f"{name}, row {infinite[0] + 1}, {column.row.name}",
            "Leave the cell empty",
        )  # fmt: skip
    return in_si(column, raw, name, range(1, len(raw) + 1)), given
