"""EDF and EDF+: files of edfio and files written field by field, gaps, and hostile headers."""

from __future__ import annotations

import datetime as dt
import math

import edfio
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
from isosoma.exchange.edf import read_edf

START = 1_588_320_000_000_000_000  # 2020-05-01T08:00:00Z


def field(text, width):
    raw = str(text).encode("latin-1")
    assert len(raw) <= width
    return raw.ljust(width)


def signal(label="ECG I", unit="uV", low=-3276.8, high=3276.7, per=4, digital=(-32768, 32767)):
    return {
        "label": label, "unit": unit, "low": low, "high": high, "dmin": digital[0],
        "dmax": digital[1], "per": per,
    }  # fmt: skip


def edf(
    signals, records, *, duration=1, reserved="", date="01.05.20", clock="08.00.00", count=None
):
    """An EDF file field by field, as the specification lays it out; records of samples or bytes."""
    n = len(signals)
    head = field("0", 8) + field("X X X X", 80)
    head += field("Startdate 01-MAY-2020 X X X" if reserved else "X", 80)
    head += field(date, 8) + field(clock, 8) + field(256 * (n + 1), 8) + field(reserved, 44)
    head += field(len(records) if count is None else count, 8) + field(duration, 8) + field(n, 4)
    layout = [
        ("label", 16), (None, 80), ("unit", 8), ("low", 8), ("high", 8), ("dmin", 8), ("dmax", 8),
        (None, 80), ("per", 8), (None, 32),
    ]  # fmt: skip
    for name, width in layout:
        head += b"".join(field(s[name] if name else "", width) for s in signals)
    body = bytearray()
    for record in records:
        for one, values in zip(signals, record, strict=True):
            raw = values if isinstance(values, bytes) else np.array(values, "<i2").tobytes()
            body += raw.ljust(2 * one["per"], b"\0")
    return head + bytes(body)


ANNOTATIONS = signal("EDF Annotations", "", -1, 1, 8)


def times(*onsets):
    """Records of one signal 1 2 3 4 with the time of each; EDF+."""
    return [[[1, 2, 3, 4], f"+{t}\x14\x14".encode()] for t in onsets]


def read(folder, raw, **more):
    path = folder / "r.edf"
    path.write_bytes(raw)
    return list(read_edf(path, subject="p", received=7, **more))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("edf")


@settings(max_examples=40)
@given(data=st.data())
def test_counts_and_values_are_those_of_the_file(folder, data):
    records = data.draw(st.integers(1, 4))
    per = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    counts = st.integers(-32768, 32767)
    rows = [
        [data.draw(st.lists(counts, min_size=k, max_size=k)) for k in per] for _ in range(records)
    ]
    signals = [signal(f"ECG {i}", "uV", per=k) for i, k in enumerate(per)]
    found = read(folder, edf(signals, rows))
    assert [w.samples.tolist() for w in found] == [
        [v for row in rows for v in row[i]] for i in range(len(per))
    ]
    assert [(w.hz, w.start, w.variable) for w in found] == [(float(k), START, "ecg") for k in per]
    for w in found:
        assert w.values() == pytest.approx(w.samples * 0.1e-6, abs=0.06e-6)


def test_what_edfio_writes_is_read(tmp_path):
    t = np.arange(500) / 250.0
    made = edfio.Edf(
        [
            edfio.EdfSignal(np.sin(9 * t), 250, label="ECG II", physical_dimension="mV"),
            edfio.EdfSignal(90 + 9 * np.sin(t), 250, label="ABP", physical_dimension="mmHg"),
            edfio.EdfSignal(np.sin(t)[::10], 25, label="RESP", physical_dimension=""),
        ],
        recording=edfio.Recording(startdate=dt.date(2020, 5, 1)),
        starttime=dt.time(8, 0, 0, 250_000),
        annotations=[edfio.EdfAnnotation(0.5, None, "hello")],
    )
    made.write(tmp_path / "m.edf")
    ecg, abp, resp = read_edf(tmp_path / "m.edf", subject=None, received=7, zone=120)
    assert ecg.values() == pytest.approx(1e-3 * np.sin(9 * t), abs=1e-7)
    assert abp.values() == pytest.approx((90 + 9 * np.sin(t)) * 133.322387415, abs=0.1)
    assert (abp.variable, resp.variable, resp.hz) == ("arterial_pressure", "respiration", 25.0)
    assert (ecg.start, ecg.zone, ecg.origin) == (START + 250_000_000 - 7200 * 10**9, 120, "edf:m")
    assert (ecg.subject, ecg.device, ecg.channel) == ("", "edf:m", "ECG II")


def test_gaps_of_a_discontinuous_file_are_kept(tmp_path):
    raw = edf([signal(), ANNOTATIONS], times("0.5", "1.5", "10.5"), reserved="EDF+D")
    first, second = read(tmp_path, raw)
    assert first.samples.tolist() == [1, 2, 3, 4, 1, 2, 3, 4]
    assert second.samples.tolist() == [1, 2, 3, 4]
    assert (first.start, second.start) == (START + 5 * 10**8, START + 105 * 10**8)
    assert (first.seq, second.seq) == (0, 1)


def test_a_file_that_says_it_is_continuous_is_read_by_its_times(tmp_path):
    raw = edf([signal(), ANNOTATIONS], times("0", "3"), reserved="EDF+C")
    assert [w.start - START for w in read(tmp_path, raw)] == [0, 3 * 10**9]


def test_long_signals_come_in_blocks(tmp_path):
    found = read(tmp_path, edf([signal()], [[[i, 0, 0, 0]] for i in range(130)]))
    assert [(len(w.samples), w.seq, w.start - START) for w in found] == [
        (240, 0, 0), (240, 1, 60 * 10**9), (40, 2, 120 * 10**9),
    ]  # fmt: skip
    assert found[0].origin == "edf:r?zone_unknown"


def test_two_signals_of_one_name_stay_two(tmp_path):
    found = read(tmp_path, edf([signal(), signal()], [[[1] * 4, [2] * 4]]))
    assert [w.channel for w in found] == ["ECG I#0", "ECG I#1"]


def test_latin_units_are_read(tmp_path):
    (found,) = read(tmp_path, edf([signal(unit="µV")], [[[1000] * 4]]))
    assert found.values()[0] == pytest.approx(1e-4, rel=1e-3)


ONE = [[[1, 2, 3, 4]]]
HOSTILE = {
    "empty": (b"", FormatError),
    "header only": (edf([signal()], ONE)[:512], FormatError),
    "no records": (edf([signal()], []), FormatError),
    "never ended": (edf([signal()], ONE, count=-1), FormatError),
    "more records told": (edf([signal()], ONE, count=2), FormatError),
    "fewer records told": (edf([signal()], [*ONE, *ONE], count=1), FormatError),
    "99999999 records told": (edf([signal()], ONE, count=99_999_999), FormatError),
    "a count of words": (edf([signal()], ONE, count="1_0"), FormatError),
    "trailing bytes": (edf([signal()], ONE) + b"x", FormatError),
    "no samples": (edf([signal(per=0)], [[[]]]), FormatError),
    "many samples": (edf([signal()], ONE).replace(b"4       ", b"99999999", 1), FormatError),
    "no duration": (edf([signal()], ONE, duration=0), FormatError),
    "duration NaN": (edf([signal()], ONE, duration="nan"), FormatError),
    "duration below": (edf([signal()], ONE, duration=-1), FormatError),
    "rate": (edf([signal()], ONE, duration="0.000001"), RangeError),
    "no scale": (edf([signal(low=1, high=1)], ONE), FormatError),
    "scale NaN": (edf([signal(low="nan")], ONE), FormatError),
    "scale 1e999": (edf([signal(high="1e999")], ONE), FormatError),
    "scale of words": (edf([signal(high='"72"')], ONE), FormatError),
    "digital turned": (edf([signal(digital=(5, -5))], ONE), FormatError),
    "huge scale": (edf([signal(low=-1e99, high=1e99)], ONE), RangeError),
    "far base": (edf([signal(low="1e5", high="100000.1")], ONE), RangeError),
    "other unit": (edf([signal(unit="mmHg", label="ECG")], ONE), UnitError),
    "no unit": (edf([signal(unit="", label="ABP")], ONE), UnitError),
    "unit unknown": (edf([signal(unit="furlong", label="ABP")], ONE), UnitError),
    "label": (edf([signal(label="ECG\x07")], ONE), FormatError),
    "NUL in label": (edf([signal(label="ECG\0I")], ONE), FormatError),
    "date": (edf([signal()], ONE, date="31.02.20"), TimeError),
    "no date": (edf([signal()], ONE, date=""), TimeError),
    "clock": (edf([signal()], ONE, clock="25.00.00"), TimeError),
    "two dates": (edf([signal(), ANNOTATIONS], times("0"), reserved="EDF+C", date="02.05.20"),
                  TimeError),
    "no times": (edf([signal(), ANNOTATIONS], [[[1] * 4, b"x"]] * 2, reserved="EDF+D"),
                 FormatError),
    "times back": (edf([signal(), ANNOTATIONS], times("5", "1"), reserved="EDF+D"), FormatError),
    "times overlap": (edf([signal(), ANNOTATIONS], times("0", ".5"), reserved="EDF+D"),
                      FormatError),
    "times far": (edf([signal(), ANNOTATIONS], times("0", "99999999999"), reserved="EDF+D"),
                  FormatError),
    "annotations only": (edf([ANNOTATIONS], [[b"+0\x14\x14"]], reserved="EDF+C"), FormatError),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(tmp_path, raw, error):
    with pytest.raises(error, match=r"r\.edf"):
        read(tmp_path, raw)


WHOLE = edf([signal(), ANNOTATIONS], times("0", "1", "5"), reserved="EDF+D")


@settings(max_examples=80)
@given(cut=st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_refused(folder, cut):
    with pytest.raises(InputError):
        read(folder, WHOLE[:cut])


@settings(max_examples=250)
@given(at=st.integers(0, 767), byte=st.integers(0, 255))
def test_a_changed_byte_of_the_header_gives_a_sentence_or_signals(folder, at, byte):
    raw = bytearray(WHOLE)
    raw[at] = byte
    try:
        found = read(folder, bytes(raw))
    except InputError:
        return
    assert sum(len(w.samples) for w in found) in (12, 36)  # 36: the annotations, renamed
    assert all(math.isfinite(w.scale) and w.hz > 0 for w in found)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "r.edf"
    path.write_bytes(WHOLE)
    with path.open("r+b") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(LimitError, match=r"r\.edf"):
        list(read_edf(path, subject="p", received=0))
    with pytest.raises(FormatError, match="opened"):
        list(read_edf(tmp_path / "absent.edf", subject="p", received=0))
