"""CSV and Parquet tables: units in the file, exact times, and hostile cells, rows and footers."""

from __future__ import annotations

import datetime as dt
import io
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from isosoma.core.errors import (
    FormatError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
)
from isosoma.core.observation import Waveform
from isosoma.exchange.parquet import read_parquet
from isosoma.exchange.tables import read_csv

NOW = 1_777_622_400_000_000_000
HEAD = "time,heart_rate,systolic_pressure:nibp\nISO8601,/min,mm[Hg]\n"
ROW = "2026-05-01T08:00:00+02:00,72,128.5\n"


def csv_of(folder, text) -> list[Any]:
    path = folder / "v.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_csv(path, subject="p", received=NOW))


def parquet_of(folder, arrays, units, names=None, **more) -> list[Any]:
    names = names or ["time", *(f"heart_rate:{i}" for i in range(1, len(arrays)))]
    fields = [
        pa.field(n, a.type, metadata={"unit": u} if u else None)
        for n, a, u in zip(names, arrays, units, strict=True)
    ]
    path = folder / "v.parquet"
    parquet.write_table(pa.table(arrays, schema=pa.schema(fields)), path, **more)
    return list(read_parquet(path, subject="p", received=NOW))


def numbers(found):
    return [(o.variable, o.channel, o.at, o.value, o.given, o.zone) for o in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def test_a_table_of_vitals(tmp_path):
    found = csv_of(tmp_path, HEAD + ROW + "2026-05-01T06:00:01Z,,130\n\n")
    at = NOW - 2 * 3600 * 10**9
    assert numbers(found) == [
        ("heart_rate", "heart_rate", at, 1.2, "72 /min", 120),
        ("systolic_pressure", "nibp", at, 128.5 * 133.322387415, "128.5 mm[Hg]", 120),
        ("systolic_pressure", "nibp", at + 10**9, 130 * 133.322387415, "130 mm[Hg]", 0),
    ]
    assert {o.origin for o in found} == {"csv:v.csv"}
    assert {o.subject for o in found} == {"p"}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, (1 << 63) // 10**9 - 1),
            st.integers(0, 999_999_999),
            st.none() | st.integers(0, 6000).map(lambda v: v / 10),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_times_and_numbers_are_exact_in_both_formats(folder, rows):
    rows = [*rows, (1, 5, 60.0)]
    text = "t,heart_rate\ns,/min\n" + "".join(
        f"{s}.{n:09d},{'' if v is None else v}\n" for s, n, v in rows
    )
    a = csv_of(folder, text)
    assert [(o.at, o.value) for o in a] == [
        (s * 10**9 + n, pytest.approx(v / 60.0)) for s, n, v in rows if v is not None
    ]
    columns = [
        pa.array([s * 10**9 + n for s, n, _ in rows], pa.int64()),
        pa.array([v for *_, v in rows], pa.float64()),
    ]
    b = parquet_of(folder, columns, ["ns", "/min"], ["t", "heart_rate"])
    assert [(o.at, o.value, o.given) for o in a] == [(o.at, o.value, o.given) for o in b]


@settings(max_examples=40)
@given(
    st.lists(st.none() | st.integers(-32767, 32767), min_size=2, max_size=200),
    st.sampled_from([1e-3, 0.005, 0.01]),
)
def test_waveforms_keep_their_own_steps(folder, counts, step):
    counts = [*counts, 1]  # the table's step is seen where one count is one step
    rows = [f"{i * 4},{'' if c is None else repr(c * step)}\n" for i, c in enumerate(counts)]
    (wave,) = csv_of(folder, "t,ecg:II\nms,mV\n" + "".join(rows))
    expected = np.array([np.nan if c is None else c * step * 1e-3 for c in counts])
    assert wave.values() == pytest.approx(expected, nan_ok=True, abs=1e-9)
    assert (wave.hz, wave.start, wave.channel) == (250.0, 0, "II")


def test_a_long_waveform_comes_in_blocks_beside_numbers(tmp_path):
    rows = [f"{i},{i % 7},{72 if i == 0 else ''}\n" for i in range(130)]
    found = csv_of(tmp_path, "t,plethysmogram,heart_rate\ns,1,/min\n" + "".join(rows))
    waves = [w for w in found if isinstance(w, Waveform)]
    assert [(w.start, w.seq, len(w.samples)) for w in waves] == [
        (0, 0, 60), (60 * 10**9, 1, 60), (120 * 10**9, 2, 10),
    ]  # fmt: skip
    assert len(found) == 4


def test_flat_and_tiny_waveforms_do_not_break_the_scale(tmp_path):
    for cells in (["0"] * 3, ["1e-300", "300", "0"], ["5e-324", "0", "0"], ["", "", "3"]):
        rows = "".join(f"{i},{c}\n" for i, c in enumerate(cells))
        (wave,) = csv_of(tmp_path, "t,plethysmogram\ns,1\n" + rows)
        assert np.isfinite(wave.scale)
        assert np.nanmax(np.abs(wave.values() - [float(c or "nan") for c in cells])) <= 0.005


CELLS = {
    "NaN": FormatError, "nan": FormatError, "Infinity": FormatError, "-inf": FormatError,
    "1e999": FormatError, '"""72"""': FormatError, "'72'": FormatError, "72 bpm": FormatError,
    "1_0": FormatError, "٧٢": FormatError, "0x48": FormatError, "72,5": FormatError,
    "-1": RangeError, "601": RangeError, "1e300": RangeError, "=72": FormatError,
}  # fmt: skip


@pytest.mark.parametrize(("cell", "error"), CELLS.items(), ids=CELLS.keys())
def test_what_is_no_number_of_a_body_is_refused_with_its_row(tmp_path, cell, error):
    with pytest.raises(error, match=r"v\.csv, row 3"):
        csv_of(tmp_path, HEAD + f"2026-05-01T08:00:00Z,{cell},128\n")


@pytest.mark.parametrize(
    ("unit", "cell"),
    [
        ("ISO8601", "2026-05-01T08:00:00"), ("ISO8601", "9999-12-31T23:59:59Z"),
        ("ISO8601", "1969-12-31T23:59:59Z"), ("ISO8601", "2026-02-30T08:00:00Z"),
        ("ISO8601", "0001-01-01T00:00:00+14:00"), ("ISO8601", "now"), ("ISO8601", ""),
        ("s", "-0.5"), ("s", "1_000"), ("s", "1e9"), ("s", "9" * 19), ("s", "nan"),
        ("ns", "9223372036854775808"), ("s", "9" * 5000), ("h", "7"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_are_refused_with_their_row(tmp_path, unit, cell):
    with pytest.raises(TimeError, match=r"v\.csv, row 3"):
        csv_of(tmp_path, f"t,heart_rate\n{unit},/min\n{cell},72\n")


HOSTILE = {
    "empty": ("", FormatError),
    "header only": ("time,heart_rate\n", FormatError),
    "no rows": (HEAD, FormatError),
    "only empty cells": (HEAD + "2026-05-01T08:00:00Z,,\n", FormatError),
    "time only": ("time\nISO8601\n2026-05-01T08:00:00Z\n", FormatError),
    "no unit": ("time,heart_rate\nISO8601,\n" + ROW, UnitError),
    "unit of another thing": ("time,heart_rate\nISO8601,kg\n" + ROW, UnitError),
    "unit unknown": ("time,heart_rate\nISO8601,beats\n" + ROW, UnitError),
    "units missing": ("time,heart_rate\nISO8601\n" + ROW, FormatError),
    "unknown column": ("time,pulse of mine\nISO8601,/min\n" + ROW, FormatError),
    "a name twice": ("time,heart_rate, heart_rate\nISO8601,/min,/min\n" + ROW, FormatError),
    "channel": ("time,heart_rate:\x07\nISO8601,/min\n", FormatError),
    "short row": (HEAD + "2026-05-01T08:00:00Z,72\n", FormatError),
    "long row": (HEAD + "2026-05-01T08:00:00Z,72,128,1\n", FormatError),
    "NUL": (HEAD.encode() + b"2026-05-01T08:00:00Z,7\x002,128\n", FormatError),
    "not UTF-8": (HEAD.encode() + b"2026-05-01T08:00:00Z,\xff,128\n", FormatError),
    "open quote": (HEAD + '2026-05-01T08:00:00Z,"72,128\n', FormatError),
    "quote inside": (HEAD + '2026-05-01T08:00:00Z,"7"2,128\n', FormatError),
    "cut in its last number": (HEAD + ROW[:-2], FormatError),
    "a million columns": ("time" + ",heart_rate" * 90_000 + "\n" + "s" * 9 + "\n", LimitError),
    "a long line": ("time," + "x" * (1 << 20) + "\n", LimitError),
    "a long field": (HEAD + '"' + "x" * 200_000 + '",72,128\n', FormatError),
    "one row of a waveform": ("t,ecg\ns,mV\n0,1\n", FormatError),
    "uneven": ("t,ecg\ns,mV\n0,1\n1,1\n3,1\n4,1\n", FormatError),
    "all at once": ("t,ecg\ns,mV\n5,1\n5,1\n", FormatError),
    "backwards": ("t,ecg\ns,mV\n5,1\n4,1\n", FormatError),
}  # fmt: skip


@pytest.mark.parametrize(("text", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_csv(tmp_path, text, error):
    with pytest.raises(error, match=r"v\.csv"):
        csv_of(tmp_path, text)


@settings(max_examples=120)
@given(st.integers(1, 10**6))
def test_a_csv_cut_anywhere_but_after_a_row_is_refused(folder, cut):
    rows = [HEAD, ROW, ROW.replace("72", "73"), ROW.replace("128.5", "129")]
    whole = "".join(rows)
    ends = {len("".join(rows[:i])) for i in (2, 3)}
    kept = whole[: len(whole) - 1 - cut % (len(whole) - 1)]
    if len(kept) in ends:
        assert len(csv_of(folder, kept)) == 2 * (kept.count("\n") - 2)
        return
    with pytest.raises(InputError):
        csv_of(folder, kept)


def test_a_wide_file_is_refused_at_its_header_and_with_little_memory(tmp_path):
    path = tmp_path / "v.csv"
    with path.open("w") as file:
        file.write("time" + ",heart_rate" * 300 + "\n")
        file.write(("s" + ",/min" * 300 + "\n") * 10_000)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="301 columns"):
            list(read_csv(path, subject="p", received=NOW))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_too_many_cells_and_too_large_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("isosoma.exchange.tables.MAX_NUMBERS", 5)
    with pytest.raises(LimitError, match="row 5"):
        csv_of(tmp_path, HEAD + ROW * 3)
    path = tmp_path / "v.csv"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(LimitError, match="1 GiB"):
        list(read_csv(path, subject="p", received=NOW))


def test_a_replay_needs_no_time_of_arrival(tmp_path):
    """Whether a clock runs ahead is for intake to say, which knows when the file came."""
    (tmp_path / "v.csv").write_text(HEAD + ROW)
    assert len(list(read_csv(tmp_path / "v.csv", subject="p", received=0))) == 2


# Parquet.

TIMES = pa.array([0, 10**9], pa.int64())
RATES = pa.array([72.0, 73.0])


def test_a_parquet_table_with_timestamps(tmp_path):
    zone = dt.timezone(dt.timedelta(hours=2))
    at = pa.array(
        [dt.datetime(2026, 5, 1, 8, i, tzinfo=zone) for i in range(3)], pa.timestamp("us", "UTC")
    )
    found = parquet_of(tmp_path, [at, pa.array([72, None, 74], pa.int16())], ["", "/min"])
    start = NOW - 2 * 3600 * 10**9
    assert [(o.at, o.value, o.given) for o in found] == [
        (start, 1.2, "72 /min"), (start + 120 * 10**9, 74 / 60, "74 /min"),
    ]  # fmt: skip


def test_a_parquet_waveform_with_nan(tmp_path):
    n = 20_000
    at = pa.array(np.arange(n) * 4, pa.int64())
    x = np.where(np.arange(n) == 7, np.nan, np.arange(n) % 50 * 0.01)
    found = parquet_of(tmp_path, [at, pa.array(x)], ["ms", "mV"], ["t", "ecg:V1"])
    assert [len(w.samples) for w in found] == [15_000, 5_000]
    assert np.concatenate([w.values() for w in found]) == pytest.approx(x * 1e-3, nan_ok=True)
    assert found[0].missing == ((7, 8),)


BAD = {
    "texts": ([TIMES, pa.array(["72", "73"])], ["ns", "/min"], FormatError),
    "truth": ([TIMES, pa.array([True, False])], ["ns", "/min"], FormatError),
    "dictionary": ([TIMES, pa.array(["72", "72"]).dictionary_encode()], ["ns", "/min"],
                   FormatError),
    "lists": ([TIMES, pa.array([[1.0], [2.0]])], ["ns", "/min"], FormatError),
    "structs": ([TIMES, pa.array([{"a": 1.0}, {"a": 2.0}])], ["ns", "/min"], FormatError),
    "no unit": ([TIMES, RATES], ["ns", ""], UnitError),
    "other unit": ([TIMES, RATES], ["ns", "kg"], UnitError),
    "infinite": ([TIMES, pa.array([72.0, np.inf])], ["ns", "/min"], FormatError),
    "negative": ([TIMES, pa.array([72.0, -1.0])], ["ns", "/min"], RangeError),
    "enormous": ([TIMES, pa.array([72.0, 1e308])], ["ns", "/min"], RangeError),
    "time of no unit": ([TIMES, RATES], ["", "/min"], TimeError),
    "time of reals": ([pa.array([0.0, 1.0]), RATES], ["s", "/min"], TimeError),
    "time without zone": ([TIMES.cast(pa.timestamp("ns")), RATES], ["", "/min"], TimeError),
    "time empty": ([pa.array([0, None], pa.int64()), RATES], ["ns", "/min"], TimeError),
    "time below": ([pa.array([0, -1], pa.int64()), RATES], ["ns", "/min"], TimeError),
    "year 9999": ([pa.array([0, 253402300799]), RATES], ["s", "/min"], TimeError),
    "only a time": ([TIMES], ["ns"], FormatError),
    "no rows": ([TIMES[:0], RATES[:0]], ["ns", "/min"], FormatError),
    "only nulls": ([TIMES, pa.nulls(2, pa.float64())], ["ns", "/min"], FormatError),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "units", "error"), BAD.values(), ids=BAD.keys())
def test_hostile_parquet(tmp_path, arrays, units, error):
    with pytest.raises(error, match=r"v\.parquet"):
        parquet_of(tmp_path, arrays, units)


def test_nested_types_of_many_leaves_and_many_columns(tmp_path):
    deep = pa.array([{"a": {"b": {"c": [[[1.0]]]}}}] * 2)
    with pytest.raises(FormatError, match="not of numbers"):
        parquet_of(tmp_path, [TIMES, deep], ["ns", "/min"])
    with pytest.raises(LimitError, match="columns"):
        parquet_of(tmp_path, [TIMES, *[RATES] * 300], ["ns", *["/min"] * 300])


def test_a_few_bytes_of_many_rows_are_not_unpacked(tmp_path):
    """Six million equal rows lie in a few kilobytes."""
    n = 6_000_000
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array([72.0]))
    schema = pa.schema(
        [
            pa.field("t", pa.int64(), metadata={"unit": "ns"}),
            pa.field("heart_rate", pa.float64(), metadata={"unit": "/min"}),
        ]
    )
    table = pa.table([pa.array(np.zeros(n, np.int64)), same.cast(pa.float64())], schema=schema)
    path = tmp_path / "v.parquet"
    parquet.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 1 << 20
    with pytest.raises(LimitError, match="too many cells"):
        list(read_parquet(path, subject="p", received=NOW))


def whole_parquet():
    sink = io.BytesIO()
    fields = [
        pa.field("t", pa.int64(), metadata={"unit": "ns"}),
        pa.field("heart_rate", pa.float64(), metadata={"unit": "/min"}),
    ]
    parquet.write_table(pa.table([TIMES, RATES], schema=pa.schema(fields)), sink)
    return sink.getvalue()


PARQUET = whole_parquet()


@settings(max_examples=60)
@given(cut=st.integers(0, len(PARQUET) - 1))
def test_a_parquet_file_cut_anywhere_is_refused(folder, cut):
    path = folder / "cut.parquet"
    path.write_bytes(PARQUET[:cut])
    with pytest.raises(InputError):
        list(read_parquet(path, subject="p", received=NOW))


@settings(max_examples=200)
@given(at=st.integers(4, len(PARQUET) - 9), byte=st.integers(0, 255))
def test_a_changed_byte_of_a_parquet_file_gives_a_sentence_or_rows(folder, at, byte):
    """Also of the footer: counts of rows and bytes that lie."""
    raw = bytearray(PARQUET)
    raw[at] = byte
    path = folder / "byte.parquet"
    path.write_bytes(raw)
    try:
        found = list(read_parquet(path, subject="p", received=NOW))
    except InputError:
        return
    assert 1 <= len(found) <= 2


def test_absent_files_are_told(tmp_path):
    for read, name in ((read_csv, "a.csv"), (read_parquet, "a.parquet")):
        with pytest.raises(FormatError, match=name):
            list(read(tmp_path / name, subject="p", received=NOW))
