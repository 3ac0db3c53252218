"""WFDB records: an independent encoder, real records against their tables, and hostile files."""

from __future__ import annotations

import csv
import lzma
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import (
    FormatError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
)
from isosoma.exchange.annotations import BEAT_SYMBOLS, read_annotations
from isosoma.exchange.wfdb import read_record, read_wfdb

GAIN = "200(1024)/mV"


def pack212(values):
    """Two samples in three bytes, written bit by bit from the words of signal(5)."""
    out = bytearray()
    values = [*values, 0] if len(values) % 2 else list(values)
    for first, second in zip(values[::2], values[1::2], strict=True):
        a, b = first & 0xFFF, second & 0xFFF
        out += bytes((a & 0xFF, (b >> 8) << 4 | a >> 8, b & 0xFF))
    return bytes(out)


def pack16(values):
    return b"".join(int(v).to_bytes(2, "little", signed=True) for v in values)


PACK = {212: pack212, 16: pack16}


def write(
    folder, columns, form=212, per=(1,), *, name="r", hz=100, head="", checksums=True, gain=GAIN
):
    """Write a record whose signals have per[i] samples a frame; returns its header."""
    per = per if len(per) == len(columns) else (1,) * len(columns)
    frames = len(columns[0]) // per[0]
    flat = [
        v for f in range(frames) for c, k in zip(columns, per, strict=True)
        for v in c[f * k : (f + 1) * k]
    ]  # fmt: skip
    (folder / f"{name}.dat").write_bytes(PACK[form](flat))
    rows = [f"{name} {len(columns)} {hz} {frames}{head}"]
    for i, (column, k) in enumerate(zip(columns, per, strict=True)):
        total = (sum(column) + 0x8000 & 0xFFFF) - 0x8000 if checksums else 0
        tail = f" 12 0 {column[0]} {total} 0 {'I' * (i + 1)}" if checksums else ""
        rows.append(f"{name}.dat {form}x{k} {gain}{tail}")
    path = folder / f"{name}.hea"
    path.write_text("\n".join(rows) + "\n")
    return path


def waves(path, subject="p"):
    return list(read_wfdb(path, subject=subject, received=7))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wfdb")


@settings(max_examples=60)
@given(data=st.data())
def test_what_an_encoder_wrote_is_read(folder, data):
    form = data.draw(st.sampled_from([212, 16]))
    low, high = {212: (-2047, 2047), 16: (-32767, 32767)}[form]
    per = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    frames = data.draw(st.integers(1, 30))
    columns = [
        data.draw(st.lists(st.integers(low, high), min_size=frames * k, max_size=frames * k))
        for k in per
    ]
    record = read_record(write(folder, columns, form, per))
    assert [s.samples.tolist() for s in record.signals] == columns
    assert [s.hz for s in record.signals] == [100.0 * k for k in per]
    assert all(s.missing == () and s.gain == 200.0 and s.baseline == 1024 for s in record.signals)


def test_the_packed_bytes_are_those_of_the_manual(tmp_path):
    """Signal(5): 0x123 and -2 lie as 23 F1 FE."""
    assert pack212([0x123, -2]) == bytes.fromhex("23f1fe")
    header = write(tmp_path, [[0x123, -2]])
    assert read_record(header).signals[0].samples.tolist() == [0x123, -2]


def test_values_units_times_and_origin(tmp_path):
    header = write(tmp_path, [[1024, 1224, 824], [1024, 1024, 1025]], head=" 12:30:01.5 2/3/2020")
    first, second = waves(header)
    assert first.values().tolist() == pytest.approx([0.0, 1e-3, -1e-3])
    assert (first.variable, first.channel, second.channel) == ("ecg", "I", "II")
    assert (first.device, first.origin) == ("wfdb:r", "wfdb:r?zone_unknown")
    assert first.start == 1_583_152_201_500_000_000
    assert (first.subject, first.received, first.hz) == ("p", 7, 100.0)
    assert waves(header, None)[0].subject == "r"


def test_long_signals_come_in_blocks_that_join(tmp_path):
    column = [int(v) for v in np.arange(15_000) % 2000]
    found = waves(write(tmp_path, [column], 16))
    assert [(len(w.samples), w.seq, w.start) for w in found] == [
        (6000, 0, 0), (6000, 1, 60 * 10**9), (3000, 2, 120 * 10**9),
    ]  # fmt: skip
    assert np.concatenate([w.samples for w in found]).tolist() == column
    assert found[0].origin == "wfdb:r?relative_time"


@pytest.mark.parametrize(("form", "lost"), [(212, -2048), (16, -32768)])
def test_samples_marked_as_lost(tmp_path, form, lost):
    header = write(tmp_path, [[lost, 1, lost, lost, 5]], form)
    assert read_record(header).signals[0].missing == ((0, 1), (2, 4))
    (wave,) = waves(header)
    assert np.isnan(wave.values()).tolist() == [True, False, True, True, False]


def test_skew_brings_signals_in_line_and_marks_the_end(tmp_path):
    header = write(tmp_path, [[1, 2, 3, 4], [11, 12, 13, -2048]])
    header.write_text(header.read_text().replace("212x1 200", "212:2 200", 1))
    first, second = read_record(header).signals
    assert (first.samples.tolist(), first.missing) == ([3, 4, 0, 0], ((2, 4),))
    assert (second.samples.tolist()[:3], second.missing) == ([11, 12, 13], ((3, 4),))


def test_a_signal_of_unknown_gain_is_never_given_a_unit(tmp_path):
    for gain in ("0", "0(5)/mV"):
        (wave,) = waves(write(tmp_path, [[1, 2]], gain=gain))
        assert wave.variable == "unnamed_signal"
        assert wave.origin.endswith(",uncalibrated")


def test_an_offset_skips_a_prolog(tmp_path):
    header = write(tmp_path, [[5, 6, 7]], 16)
    body = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(b"24 bytes of a .mat header"[:24] + body)
    header.write_text(header.read_text().replace("16x1", "16+24"))
    assert read_record(header).signals[0].samples.tolist() == [5, 6, 7]


def test_two_signals_of_one_name_stay_two(tmp_path):
    header = write(tmp_path, [[1, 2], [3, 4]])
    header.write_text(header.read_text().replace(" II\n", " I\n"))
    assert [w.channel for w in waves(header)] == ["I#0", "I#1"]


def chain(folder, rows, frames, hz=100):
    path = folder / "m.hea"
    path.write_text(f"m/{len(rows)} 1 {hz} {frames}\n" + "\n".join(rows) + "\n")
    return path


def test_segments_and_gaps_follow_each_other(tmp_path):
    write(tmp_path, [[1, 2, 3, 4], [9, 9]], per=(2, 1), name="a")
    write(tmp_path, [[5, 6]], per=(2,), name="b")
    first, second = read_record(chain(tmp_path, ["a 2", "~ 3", "b 1"], 6)).signals
    assert first.samples.tolist() == [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 5, 6]
    assert (first.missing, first.hz) == (((4, 10),), 200.0)
    assert second.samples.tolist() == [9, 9, 0, 0, 0, 0]
    assert (second.missing, second.hz) == (((2, 5), (5, 6)), 100.0)


@pytest.mark.parametrize(
    ("rows", "frames", "error", "why"),
    [
        (["a 2", "b 1"], 4, FormatError, "3 frames, not 4"),
        (["a 3"], 3, FormatError, "has 2 frames"),
        (["m 2"], 2, FormatError, "within segments"),
        (["../a 2"], 2, FormatError, "beside"),
        (["a"], 2, FormatError, "no segment"),
        (["~ 536870000", "a 2"], 536870002, LimitError, "gaps"),
        (["~ 9999999999"], 0, LimitError, "length"),
        (["c 2"], 2, FormatError, "opened"),
        (["a 2", "d 1"], 3, FormatError, "differently"),
        (["a 2", "e 1"], 3, FormatError, "Hz"),
        (["~ 5"], 5, FormatError, "no samples"),
    ],
)
def test_segments_that_lie_are_refused(tmp_path, rows, frames, error, why):
    write(tmp_path, [[1, 2, 3, 4]], per=(2,), name="a")
    write(tmp_path, [[5, 6]], per=(2,), name="b")
    write(tmp_path, [[5, 6]], per=(2,), name="d", gain="100(1024)/mV")
    write(tmp_path, [[5, 6]], per=(2,), name="e", hz=101)
    with pytest.raises(error, match=why):
        waves(chain(tmp_path, rows, frames))


HEAD = "r 1 100 4\n"
LINE = "r.dat 212 200(1024)/mV 12 0 1 10 0 I\n"
HOSTILE = {
    "empty": ("", FormatError), "blank": ("\n\n# only a comment\n", FormatError),
    "no line": (HEAD, FormatError), "more lines": (HEAD + LINE + LINE, FormatError),
    "too few frames told": (HEAD.replace("4", "2") + LINE, FormatError),
    "too many frames told": (HEAD.replace("4", "5") + LINE, FormatError),
    "ten billion frames": (HEAD.replace("4", "9999999999") + LINE, LimitError),
    "a negative length": (HEAD.replace("4", "-4") + LINE, LimitError),
    "a broken length": (HEAD.replace("4", "4.5") + LINE, FormatError),
    "many signals": (HEAD.replace(" 1 ", " 999999 ") + LINE, LimitError),
    "no rate": (HEAD.replace("100", "0") + LINE, LimitError),
    "a negative rate": (HEAD.replace("100", "-1") + LINE, LimitError),
    "rate NaN": (HEAD.replace("100", "nan") + LINE, FormatError),
    "rate 1e999": (HEAD.replace("100", "1e999") + LINE, FormatError),
    "a rate of no number": (HEAD.replace("100", "١٠٠") + LINE, FormatError),
    "NUL": (HEAD + LINE.replace("r.dat", "r\0.dat"), FormatError),
    "above": (HEAD + LINE.replace("r.dat", "../../etc/passwd"), FormatError),
    "absolute": (HEAD + LINE.replace("r.dat", "/etc/passwd"), FormatError),
    "parent": (HEAD + LINE.replace("r.dat", ".."), FormatError),
    "backslash": (HEAD + LINE.replace("r.dat", "..\\x"), FormatError),
    "long name": (HEAD + LINE.replace("r.dat", "r" * 5000), FormatError),
    "no such file": (HEAD + LINE.replace("r.dat", "q.dat"), FormatError),
    "format 8": (HEAD + LINE.replace("212", "8"), FormatError),
    "format unknown": (HEAD + LINE.replace("212", "212y"), FormatError),
    "huge frames": (HEAD + LINE.replace("212", "212x999999999"), LimitError),
    "no samples a frame": (HEAD + LINE.replace("212", "212x0"), LimitError),
    "offset beyond": (HEAD + LINE.replace("212", "212+999999999"), FormatError),
    "checksum": (HEAD + LINE.replace(" 10 ", " 11 "), FormatError),
    "gain NaN": (HEAD + LINE.replace("200", "--"), FormatError),
    "gain 1e999": (HEAD + LINE.replace("200", "1e999"), FormatError),
    "tiny gain": (HEAD + LINE.replace("200", "1e-300"), RangeError),
    "huge baseline": (HEAD + LINE.replace("1024", "99999999999"), LimitError),
    "huge zero": (HEAD + LINE.replace(" 12 0 ", " 12 99999999999 "), LimitError),
    "unit of pressure": (HEAD + LINE.replace("/mV", "/mmHg").replace(" I\n", " ECG\n"), UnitError),
    "no unit at all": (HEAD + LINE.replace("/mV", "/furlong").replace(" I\n", " ABP\n"), UnitError),
    "name": (HEAD + LINE.replace(" I\n", " I\x07\n"), FormatError),
    "segments of none": ("r/x 1 100 4\n" + LINE, FormatError),
    "clock": ("r 1 100 4 99:00:00 1/1/2020\n" + LINE, TimeError),
    "clock NaN": ("r 1 100 4 nan 1/1/2020\n" + LINE, TimeError),
    "day": ("r 1 100 4 10:00:00 31/2/2020\n" + LINE, TimeError),
    "year 9999": ("r 1 100 4 23:59:59 31/12/9999\n" + LINE, TimeError),
    "year 1969": ("r 1 100 4 23:59:59 31/12/1969\n" + LINE, TimeError),
    "two formats in one file": (
        HEAD.replace(" 1 ", " 2 ") + LINE + LINE.replace("212", "16"), FormatError),
}  # fmt: skip


@pytest.mark.parametrize(("text", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_headers(tmp_path, text, error):
    (tmp_path / "r.dat").write_bytes(pack212([1, 2, 3, 4]))
    path = tmp_path / "r.hea"
    path.write_text(text)
    with pytest.raises(error) as caught:
        waves(path)
    assert "r.hea" in str(caught.value) or "dat" in str(caught.value)


@settings(max_examples=80)
@given(cut=st.integers(0, 10**6), form=st.sampled_from([212, 16]), packed=st.booleans())
def test_a_signal_file_cut_anywhere_is_refused(folder, cut, form, packed):
    header = write(folder, [[3, 1, 4, 1, 5, 9, 2, 6]], form, name="cut")
    path = folder / "cut.dat"
    whole = path.read_bytes()
    for old in folder.glob("cut.dat*"):
        old.unlink()
    if packed:
        whole = lzma.compress(whole)
        path = folder / "cut.dat.xz"
        path.write_bytes(whole)
        assert read_record(header).signals[0].samples.tolist() == [3, 1, 4, 1, 5, 9, 2, 6]
    path.write_bytes(whole[: cut % len(whole)])
    with pytest.raises(InputError):
        read_record(header)


@settings(max_examples=80)
@given(cut=st.integers(1, 10**6))
def test_a_header_cut_anywhere_is_refused_or_says_the_same(folder, cut):
    """Only the end of the last name may be lost unseen."""
    whole = write(folder, [[3, 1, 4], [1, 5, 9]], name="h")
    text = whole.read_text()
    part = folder / "hcut.hea"
    part.write_text(text[: len(text) - cut % len(text)])
    try:
        record = read_record(part)
    except InputError:
        return
    assert [s.samples.tolist() for s in record.signals] == [[3, 1, 4], [1, 5, 9]]


@settings(max_examples=150)
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_of_a_header_gives_a_sentence_or_a_record(folder, at, byte):
    text = bytearray(write(folder, [[3, 1, 4], [1, 5, 9]], name="b").read_bytes())
    text[at % len(text)] = byte
    (folder / "bb.hea").write_bytes(text)
    try:
        found = waves(folder / "bb.hea")
    except InputError:
        return
    assert found
    assert all(np.isfinite(w.scale) and w.hz > 0 for w in found)


def test_without_a_length_a_torn_frame_is_refused(tmp_path):
    header = write(tmp_path, [[1, 2, 3], [4, 5, 6]], 16, checksums=False)
    header.write_text(header.read_text().replace(" 100 3\n", " 100\n"))
    assert read_record(header).signals[1].samples.tolist() == [4, 5, 6]
    path = tmp_path / "r.dat"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(FormatError, match="more than the 2 frames"):
        read_record(header)


@pytest.mark.parametrize(
    "spoil", [lambda b: b + b"\0" * 3, lambda b: b + b, lambda b: b"x" + b[1:]]
)
def test_an_archive_is_one_stream_and_whole(tmp_path, spoil):
    header = write(tmp_path, [[1, 2, 3, 4]])
    path = tmp_path / "r.dat"
    (tmp_path / "r.dat.xz").write_bytes(spoil(lzma.compress(path.read_bytes())))
    path.unlink()
    with pytest.raises(FormatError, match=r"r\.dat\.xz"):
        read_record(header)


@pytest.mark.parametrize("length", ["4", "0"])
def test_a_bomb_is_not_unpacked(tmp_path, length, monkeypatch):
    """64 MB of zeros in 10 kB; memory stays near what the header or the limit allows."""
    monkeypatch.setattr("isosoma.exchange.wfdb.MOST_SAMPLES", 1 << 20)
    header = write(tmp_path, [[1, 2, 3, 4]])
    header.write_text(header.read_text().replace(" 100 4\n", f" 100 {length}\n"))
    (tmp_path / "r.dat").unlink()
    (tmp_path / "r.dat.xz").write_bytes(lzma.compress(bytes(64 << 20), preset=0))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="more than"):
            read_record(header)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_many_segments_of_one_big_file_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("isosoma.exchange.wfdb.MOST_SAMPLES", 1000)
    write(tmp_path, [[1] * 400, [2] * 400], name="a")
    with pytest.raises(LimitError, match="too many"):
        read_record(chain(tmp_path, ["a 400", "a 400"], 800))


def test_a_claim_of_gigabytes_allocates_nothing(tmp_path):
    (tmp_path / "r.dat").write_bytes(pack212([1, 2]))
    header = tmp_path / "r.hea"
    header.write_text("r 1 100 536870912\nr.dat 212 200 12 0 1 3 0 I\n")
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="cut off: 2 of 536870912"):
            read_record(header)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


# Real records.


def expected(shared_data):
    with (shared_data / "signals" / "expected" / "mitdb_expected.csv").open() as file:
        return list(csv.DictReader(file))


CLASSES = {
    **dict.fromkeys("NLRejB", "N"), **dict.fromkeys("AaJSn", "S"), **dict.fromkeys("VEr", "V"),
    "F": "F", **dict.fromkeys("/fQ?", "Q"),
}  # fmt: skip
"""AAMI EC57 classes of the beat symbols."""


def test_every_record_equals_the_table(shared_data):
    rows = expected(shared_data)
    folder = shared_data / "signals" / "mitdb"
    assert len(rows) == 25
    for row in rows:
        marks = read_annotations(folder / f"{row['record']}.atr")
        beat = np.isin(marks.symbol, list(BEAT_SYMBOLS))
        classes = Counter(CLASSES[s] for s in np.array(marks.symbol)[beat])
        told = {k: int(row[k]) for k in "NSVFQ"}
        assert {k: classes.get(k, 0) for k in "NSVFQ"} == told, row["record"]
        assert beat.sum() == int(row["beats"])
        rate = 60.0 * 360.0 / np.diff(marks.sample[beat])
        assert np.median(rate) == pytest.approx(float(row["median_hr"]), abs=0.01)
        labels = {a for a in marks.aux if a.startswith("(")}
        # The table takes what lies before the first label as sinus rhythm.
        assert labels | {"(N"} == set(row["rhythms"].split(";")) | {"(N"}, row["record"]
        assert af_share(marks) == pytest.approx(float(row["af_pct"]), abs=0.01)


def af_share(marks):
    """Share of time [%] from the first to the last rhythm label of 30 min that is AFIB."""
    at = [(int(t), a) for t, a in zip(marks.sample, marks.aux, strict=True) if a.startswith("(")]
    ends = [t for t, _ in at[1:]] + [650_000]
    af = sum(e - t for (t, a), e in zip(at, ends, strict=True) if a == "(AFIB")
    return 100.0 * af / 650_000


@pytest.mark.parametrize("name", ["100", "102", "208", "230"])
def test_leads_and_length_of_records(shared_data, name):
    record = read_record(shared_data / "signals" / "mitdb" / f"{name}.hea")
    row = next(r for r in expected(shared_data) if r["record"] == name)
    assert [s.name for s in record.signals] == [row["lead0"], row["lead1"]]
    assert {len(s.samples) for s in record.signals} == {650_000}
    assert {(s.gain, s.baseline, s.unit, s.hz) for s in record.signals} == {(200, 1024, "mV", 360)}


def test_several_samples_a_frame_and_skew_of_a_real_record(shared_data):
    record = read_record(shared_data / "signals" / "icu_waveforms" / "03700181.hea")
    ecg, pressure, breath = record.signals
    assert [(s.hz, len(s.samples)) for s in record.signals] == [
        (500.0, 300_000), (125.0, 75_000), (125.0, 75_000),
    ]  # fmt: skip
    assert (ecg.gain, pressure.baseline, pressure.unit) == (2963.77, -1605, "mmHg")
    assert breath.missing == ((74_996, 75_000),)  # a skew of 4 frames
    assert record.start == 776_971_665_000_000_000


def test_a_real_chain_is_its_segments(shared_data):
    folder = shared_data / "signals" / "icu_waveforms"
    whole = read_record(folder / "041s.hea")
    first, second = (read_record(folder / f"041s0{i}.hea") for i in (1, 2))
    assert [s.name for s in whole.signals] == ["III", "I", "V", "ABP", "PAP", "PLETH", "RESP"]
    for a, b, c in zip(whole.signals, first.signals, second.signals, strict=True):
        assert np.array_equal(a.samples, np.r_[b.samples, c.samples])
        assert a.hz == b.hz
