"""Formats are told by content: each door once, and what is of no format."""

from __future__ import annotations

import json

import pytest

from isosoma.core.errors import FormatError, IdentityError, InputError
from isosoma.core.observation import Observation
from isosoma.exchange.sniff import READ, is_companion, read_json, read_path

NOW = 1_771_830_000_000_000_000
RECORD = (
    b'<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" unit="count/min" '
    b'value="72" startDate="2026-02-20 08:00:00 +0100" endDate="2026-02-20 08:00:00 +0100"/>'
)
EXPORT = b'<HealthData locale="de_DE">%b</HealthData>' % RECORD
DOCTYPE = b"<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n]>\n"
FHIR = {
    "resourceType": "Observation", "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-02-20T08:00:00+01:00",
    "valueQuantity": {"value": 72, "system": "http://unitsofmeasure.org", "code": "/min"},
}  # fmt: skip
OPEN_MHEALTH = {
    "heart_rate": {"value": 72, "unit": "beats/min"},
    "effective_time_frame": {"date_time": "2026-02-20T08:00:00+01:00"},
}
HL7 = (
    b"MSH|^~\\&|||||20260220080000+0100||ORU^R01|1|P|2.6\rPID|1||p\r"
    b"OBR|1||||||20260220080000\rOBX|1|NM|8867-4^HR^LN||72|/min|||||F\r"
)


def read(folder, body, name="file.bin"):
    path = folder / name
    path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return list(read_path(path, subject="p", received=NOW))


@pytest.mark.parametrize(
    ("body", "door"),
    [
        (EXPORT, "healthkit"),
        (DOCTYPE + EXPORT, "healthkit"),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n' + DOCTYPE + EXPORT, "healthkit"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>' + EXPORT, "healthkit"),
        (FHIR, "fhir"),
        (OPEN_MHEALTH, "openmhealth"),
        ([OPEN_MHEALTH], "openmhealth"),
        (HL7, "hl7"),
        (b"\x0b" + HL7 + b"\x1c\r", "hl7"),
        (b"time,heart_rate\nISO8601,/min\n2026-02-20T08:00:00+01:00,72\n", "csv"),
    ],
)
def test_every_door_gives_the_same_reading_whatever_the_file_is_called(tmp_path, body, door):
    (found,) = read(tmp_path, body)
    assert isinstance(found, Observation)
    assert (found.variable, found.value, found.zone) == ("heart_rate", 1.2, 60)
    assert found.at == 1_771_570_800_000_000_000
    assert found.origin.partition(":")[0] == door


@pytest.mark.parametrize(
    "body",
    [
        b"<html><HealthData></HealthData></html>", b'<?xml version="1.0"?><ClinicalDocument/>',
        b"<HealthDataset/>", b"plain words", b"\x89PNG\r\n", bytes(5000), b"100 1 360\n",
    ],
)  # fmt: skip
def test_what_is_of_no_format_is_told_which_are_read(tmp_path, body):
    with pytest.raises(FormatError, match="no format that is read") as said:
        read(tmp_path, body)
    assert READ in str(said.value)
    assert "Apple Health" in READ
    assert "Open mHealth" in READ


def test_a_file_must_be_there_and_hold_something(tmp_path):
    with pytest.raises(FormatError, match="is empty"):
        read(tmp_path, b"")
    with pytest.raises(FormatError, match="cannot be opened"):
        list(read_path(tmp_path / "none", subject="p", received=NOW))


def test_json_without_a_name_of_its_kind_is_open_mhealth(tmp_path):
    assert read_json(json.dumps(FHIR).encode(), subject="p", received=NOW)[0].device == ""
    with pytest.raises(IdentityError, match="fhir"):
        read_json(json.dumps(FHIR).encode(), subject="q", received=NOW)
    for body in (b"{}", b"[]", b"[7]", b'{"resource": 1}'):
        with pytest.raises(InputError, match=r"^own\.json: Open mHealth"):
            read_json(body, subject="p", received=NOW, where="own.json")


def test_only_files_of_a_record_are_companions(tmp_path):
    for name in ("r.hea", "r.dat", "r.dat.xz", "r.csv", "s.dat"):
        (tmp_path / name).write_bytes(b"r 1 250\n")
    found = [p.name for p in sorted(tmp_path.iterdir()) if is_companion(p)]
    assert found == ["r.dat", "r.dat.xz"]


def test_a_header_listed_by_a_record_of_segments_is_its_companion(tmp_path):
    (tmp_path / "r.hea").write_text("r/2 1 250 20\nr1 10\nr2 10\n")
    for name in ("r1.hea", "r2.hea", "r3.hea"):
        (tmp_path / name).write_text(f"{name[:2]} 1 250 10\n")
    found = [p.name for p in sorted(tmp_path.iterdir()) if is_companion(p)]
    assert found == ["r1.hea", "r2.hea"]
