"""Bodies of requests: bounded before they are read, and whole or not at all."""

from __future__ import annotations

import json

import pytest

from isosoma.core.errors import FormatError, IdentityError, InputError, LimitError
from isosoma.intake.body import LARGEST_BODY, limited, take_body
from isosoma.record import open_log

NOW = 1_771_830_000_000_000_000
HEART = {
    "resourceType": "Observation", "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-02-20T07:00:00Z",
    "valueQuantity": {"value": 72, "system": "http://unitsofmeasure.org", "code": "/min"},
}  # fmt: skip
HL7 = b"MSH|^~\\&|||||20260220||ORU^R01|1|P|2.6\r"


def test_a_gigabyte_is_refused_after_32_mebibytes():
    read = 0

    def stream():
        nonlocal read
        for _ in range(1024):
            read += 1
            yield bytes(1 << 20)

    with pytest.raises(LimitError, match="longer than 32 MiB"):
        limited(stream())
    assert read == 33


def test_a_body_of_exactly_the_limit_is_whole():
    assert limited([b"ab", b"", b"cd"], 4) == b"abcd"
    with pytest.raises(LimitError):
        limited([b"ab", b"cde"], 4)


def test_fhir_is_taken_once(tmp_path):
    body = json.dumps(HEART).encode()
    with open_log(tmp_path / "log") as log:
        kind = "application/fhir+json; charset=utf-8"
        assert take_body(log, body, kind, patient="p", now=NOW).accepted == 1
        assert take_body(log, body, "Application/JSON", patient="p", now=NOW).duplicates == 1


def test_open_mhealth_is_taken_as_plain_json_but_never_as_fhir(tmp_path):
    point = {
        "heart_rate": {"value": 72, "unit": "beats/min"},
        "effective_time_frame": {"date_time": "2026-02-20T07:00:00Z"},
    }
    body = json.dumps([point, point]).encode()
    with open_log(tmp_path / "log") as log:
        done = take_body(log, body, "application/json", patient="p", now=NOW)
        assert (done.accepted, done.duplicates) == (1, 1)
        with pytest.raises(FormatError, match="fhir: "):
            take_body(log, body, "application/fhir+json", patient="p", now=NOW)


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (json.dumps(HEART).encode(), "text/plain", FormatError),
        (json.dumps({**HEART, "subject": {"reference": "Patient/q"}}).encode(),
         "application/json", IdentityError),
        (b'{"resourceType": "Observation"', "application/json", FormatError),
        (HL7, "application/hl7-v2", InputError),
        (b'{"heart_rate": {"value": 72}}', "application/json", InputError),
        (bytes(LARGEST_BODY + 1), "application/json", LimitError),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_leaves_the_log_as_it_was(tmp_path, body, kind, error):
    with open_log(tmp_path / "log") as log:
        before = log.checkpoint()
        with pytest.raises(error):
            take_body(log, body, kind, patient="p", now=NOW)
        assert (log.checkpoint(), list(log.entries())) == (before, [])
