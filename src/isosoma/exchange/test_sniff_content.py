"""Which format a file is: by its content, whatever its name; companions of WFDB headers."""

from __future__ import annotations

import json
from typing import Any

import edfio
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from isosoma.core.errors import FormatError, InputError, LimitError
from isosoma.exchange.sniff import READ, is_companion, read_path

NOW = 1_777_622_400_000_000_000
TIME = "2013-02-05T07:25:00Z"


def fhir():
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": TIME,
            "valueQuantity": {
                "value": 72, "system": "http://unitsofmeasure.org", "code": "/min",
            },
        }
    ).encode()  # fmt: skip


def omh():
    body = {
        "heart_rate": {"value": 72, "unit": "beats/min"},
        "effective_time_frame": {"date_time": TIME},
    }
    return json.dumps([body]).encode()


HL7 = (
    b"MSH|^~\\&|M|W|I|S|20130205072500+0000||ORU^R01|1|P|2.6\rPID|||p\rOBR|1|||x\r"
    b"OBX|1|NM|8867-4^Heart rate^LN||72|/min|||||F|||20130205072500+0000\r"
)
XML = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE HealthData [\n<!-- Version: 11 -->\n'
    b'<!ELEMENT HealthData (Record*)>\n]>\n<HealthData locale="en">'
    b'<Record type="HKQuantityTypeIdentifierHeartRate" unit="count/min" value="72" '
    b'startDate="2013-02-05 07:25:00 +0000"/></HealthData>'
)
CSV = f"time,heart_rate\nISO8601,/min\n{TIME},72\n".encode()


def as_parquet(path):
    fields = [
        pa.field("t", pa.int64(), metadata={"unit": "s"}),
        pa.field("heart_rate", pa.float64(), metadata={"unit": "/min"}),
    ]
    table = pa.table([pa.array([1360049100]), pa.array([72.0])], schema=pa.schema(fields))
    parquet.write_table(table, path)


def as_edf(path):
    signal = edfio.EdfSignal(np.arange(100.0), 100, label="ECG I", physical_dimension="uV")
    edfio.Edf([signal]).write(path)


def read(path) -> list[Any]:
    return list(read_path(path, subject="p", received=NOW))


@pytest.mark.parametrize("name", ["a", "a.txt", "a.bin", "a.csv", "a.hea"])
@pytest.mark.parametrize(
    ("raw", "origin"),
    [
        (fhir(), "fhir:"), (omh(), "openmhealth:"), (HL7, "hl7"), (XML, "healthkit:"),
        (XML.split(b"?>\n")[1], "healthkit:"), (XML.partition(b"]>\n")[2], "healthkit:"),
        (b"\xef\xbb\xbf" + XML, "healthkit:"), (b"\n " + fhir(), "fhir:"), (CSV, "csv:"),
        (b"\xef\xbb\xbf" + CSV, "csv:"),
    ],
)  # fmt: skip
def test_content_tells_the_format(tmp_path, raw, origin, name):
    path = tmp_path / name
    path.write_bytes(raw)
    (found,) = read(path)
    assert found.origin.startswith(origin)
    assert (found.variable, found.value, found.at) == ("heart_rate", 1.2, 1_360_049_100 * 10**9)


def test_binary_formats_are_told_too(tmp_path):
    as_parquet(tmp_path / "x")
    as_edf(tmp_path / "y")
    assert read(tmp_path / "x")[0].origin == "parquet:x"
    with pytest.raises(InputError, match="date"):  # edfio writes an anonymous date
        read(tmp_path / "y")


def test_wfdb_by_its_header_and_what_belongs_to_it(tmp_path):
    (tmp_path / "r.dat").write_bytes(np.arange(6, dtype="<i2").tobytes())
    (tmp_path / "r.hea").write_text("# a note\nr 1 100 6\nr.dat 16 200/mV 16 0 0 15 0 I\n")
    (tmp_path / "m.hea").write_text("m/1 1 100 6\nr 6\n")
    (tmp_path / "r.csv").write_bytes(CSV)
    (wave,) = read(tmp_path / "r.hea")
    assert wave.samples.tolist() == [0, 1, 2, 3, 4, 5]
    assert is_companion(tmp_path / "r.dat")
    assert is_companion(tmp_path / "r.atr")
    assert not is_companion(tmp_path / "r.hea")
    assert not is_companion(tmp_path / "r.csv")
    assert not is_companion(tmp_path / "s.dat")


def test_segments_of_a_chain_are_read_through_it(tmp_path):
    (tmp_path / "m.hea").write_text("m/2 1 100 12\nm_1 6\nm_2 6\n")
    for name in ("m_1", "m_2"):
        (tmp_path / f"{name}.hea").write_text(f"{name} 1 100 6\n{name}.dat 16\n")
        assert is_companion(tmp_path / f"{name}.hea")
        assert is_companion(tmp_path / f"{name}.dat")
    assert not is_companion(tmp_path / "m.hea")
    assert not is_companion(tmp_path / "m_3.hea")


@pytest.mark.parametrize(
    "raw",
    [b"", b"\0" * 5000, b"hello", b"<html></html>", b"<?xml version='1.0'?><svg/>", b"%PDF-1.7",
     b"PK\x03\x04", b"\xfd7zXZ\x00", b"\x1f\x8b\x08", b"PAR1", b"{", b"[", b"MSH|", b"0       ",
     b"<HealthData", b"a,b", b"\xff\xfe{\x00"],
)  # fmt: skip
def test_what_is_no_format_is_told_with_the_files_name(tmp_path, raw):
    path = tmp_path / "what.bin"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"what\.bin|hl7|MSH"):
        read(path)


def test_what_cannot_be_opened(tmp_path):
    for path in (tmp_path, tmp_path / "absent", tmp_path / ("n" * 300)):
        with pytest.raises(FormatError, match="cannot be opened"):
            read(path)


@pytest.mark.parametrize("start", [b"{", b"MSH|"])
def test_a_document_of_a_gigabyte_is_refused_by_its_size(tmp_path, start):
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(1 << 30)
    with pytest.raises(LimitError, match="big"):
        read(path)


def test_the_sentence_names_every_format():
    for word in ("WFDB", "EDF", "CSV", "Parquet", "FHIR", "Open mHealth", "HL7", "Apple Health"):
        assert word in READ


STARTS = [b"", b"{", b"[", b"MSH|^~\\&|", b"0       ", b"PAR1", b"r 1 100\n", b"a,b\n", XML[:60]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250)
@given(st.sampled_from(STARTS), st.binary(max_size=200), st.sampled_from(["x", "x.hea"]))
def test_noise_gives_a_sentence(tmp_path, start, noise, name):
    path = tmp_path / name
    path.write_bytes(start + noise)
    with pytest.raises(InputError):
        read(path)
