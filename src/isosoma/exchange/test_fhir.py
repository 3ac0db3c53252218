"""FHIR observations and bundles: what is taken, what is told, what is refused and where."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isosoma.core.errors import (
    FormatError,
    IdentityError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
)
from isosoma.core.observation import Observation
from isosoma.exchange.fhir import LARGEST, Report, read_fhir, report_fhir
from isosoma.exchange.sniff import read_path

NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z
UCUM = "http://unitsofmeasure.org"
Json = dict[str, Any]


def coded(code: str, system: str = "http://loinc.org") -> Json:
    return {"coding": [{"system": system, "code": code, "display": "words"}]}


def amount(value: object, code: str, **more: object) -> Json:
    return {"value": value, "unit": "words", "system": UCUM, "code": code, **more}


def heart(**changes: object) -> Json:
    """A heart rate; a change to None removes the field."""
    whole = {
        "resourceType": "Observation",
        "id": "7",
        "status": "final",
        "code": coded("8867-4"),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-02-23T07:45:10.25+01:00",
        "valueQuantity": amount(72, "/min"),
        **changes,
    }
    return {k: v for k, v in whole.items() if v is not None}


def pressures(**changes: object) -> Json:
    parts = [
        {"code": coded("8480-6"), "valueQuantity": amount(120, "mm[Hg]")},
        {"code": coded("8462-4"), "valueQuantity": amount(10.6, "kPa")},
    ]
    return heart(**{"code": coded("85354-9"), "valueQuantity": None, "component": parts, **changes})


def bundle(*resources: Json, kind: str = "collection", **more: object) -> Json:
    entries: list[Json] = [{"resource": r} for r in resources]
    if kind in ("transaction", "batch"):
        for e in entries:
            e["request"] = {"method": "POST", "url": e["resource"]["resourceType"]}
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **more}


def report(document: Json | bytes | str, subject: str | None = "p1") -> Report:
    body = json.dumps(document) if isinstance(document, dict) else document
    return report_fhir(
        body if isinstance(body, bytes) else body.encode(), subject=subject, received=NOW
    )


def read(document: Json | bytes | str, subject: str | None = "p1") -> list[Observation]:
    found = report(document, subject)
    assert not found.not_read
    assert all(isinstance(r, Observation) for r in found.readings)
    return [r for r in found.readings if isinstance(r, Observation)]


# ---- what is taken


def test_a_heart_rate() -> None:
    (found,) = read(heart(device={"reference": "Device/mon1"}))
    assert found == Observation(
        "p1", "heart_rate", NOW - 15 * 60 * 10**9 + 10_250_000_000, NOW, 72 / 60, 2 / 60,
        device="Device/mon1", origin="fhir:Observation/7", zone=60, given="72 /min",
    )  # fmt: skip


def test_a_panel_gives_each_component_with_its_own_unit() -> None:
    high, low = read(pressures())
    assert (high.variable, low.variable) == ("systolic_pressure", "diastolic_pressure")
    assert high.value == pytest.approx(120 * 133.322387415, rel=1e-15)
    assert low.value == pytest.approx(10_600.0)
    assert (low.origin, low.given) == ("fhir:Observation/7/component[1]", "10.6 kPa")
    assert high.at == low.at


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "searchset"])
def test_kinds_of_bundles_and_the_resources_beside(kind: str) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "x"}]}
    found = report(bundle(patient, heart(), pressures(id="8"), kind=kind))
    assert len(found.readings) == 3
    assert found.not_read == ("Bundle.entry[0].resource: a Patient holds no reading",)


def test_a_message_begins_with_its_header() -> None:
    head = {"resourceType": "MessageHeader", "eventCoding": {"code": "x"}}
    assert len(report(bundle(head, heart(), kind="message")).readings) == 1
    with pytest.raises(FormatError, match="MessageHeader"):
        report(bundle(heart(), kind="message"))


def test_a_unit_is_converted_once_and_the_digits_are_kept() -> None:
    (found,) = read(
        json.dumps(
            heart(code=coded("2339-0"), valueQuantity=amount("@", "mg/dL", comparator="<"))
        ).replace('"@"', "40.50")
    )
    assert (found.given, found.censoring) == ("40.50 mg/dL", "below")
    assert found.value == pytest.approx(40.5 / 18.016, rel=1e-12)


@pytest.mark.parametrize(
    ("sign", "side"), [("<", "below"), ("<=", "below"), (">", "above"), (">=", "above")]
)
def test_comparators_are_limits(sign: str, side: str) -> None:
    assert read(heart(valueQuantity=amount(30, "/min", comparator=sign)))[0].censoring == side


def test_status_and_period_are_told_in_the_origin() -> None:
    for status in ("amended", "corrected", "preliminary"):
        assert read(heart(status=status))[0].origin == f"fhir:Observation/7?{status}"
    period = {"start": "2026-02-23T07:00:00Z", "end": "2026-02-23T07:01:00Z"}
    (found,) = read(heart(effectiveDateTime=None, effectivePeriod=period, status="amended"))
    assert (found.at, found.origin) == (NOW, "fhir:Observation/7?amended,period")


def test_codes_of_other_systems_and_second_codings() -> None:
    mdc = coded("150456", "urn:iso:std:iso:11073:10101")
    assert read(heart(code=mdc, valueQuantity=amount(97, "%")))[0].value == 0.97
    both = {"coding": [*coded("HR", "urn:x")["coding"], *coded("8867-4")["coding"]]}
    assert read(heart(code=both))[0].variable == "heart_rate"


def test_ids_make_the_origin_and_a_repeat_gives_the_same_readings() -> None:
    named = heart(id=None, identifier=[{"value": "A?1"}])
    assert read(named)[0].origin == "fhir:Observation/A_1"
    assert read(heart(id=None))[0].origin == "fhir:Observation"
    assert read(bundle(heart())) == read(bundle(heart(), kind="transaction")) == read(heart())


def test_every_r4_field_may_stand_there() -> None:
    word = coded("x", "urn:x")
    more = {
        "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/heartrate"]},
        "language": "en", "text": {"status": "generated", "div": "<div/>"}, "category": [word],
        "extension": [{"url": "urn:x", "valueCode": "y"}], "basedOn": [{"reference": "CarePlan/1"}],
        "partOf": [{"reference": "Procedure/1"}], "encounter": {"reference": "Encounter/1"},
        "issued": "2026-02-23T07:46:00Z", "performer": [{"reference": "Practitioner/1"}],
        "interpretation": [word], "note": [{"text": "resting"}], "bodySite": coded("arm", "urn:x"),
        "method": word, "specimen": {"reference": "Specimen/1"}, "_status": {"id": "s"},
        "referenceRange": [{"low": amount(60, "/min")}],
        "hasMember": [{"reference": "Observation/2"}],
        "derivedFrom": [{"reference": "Observation/3"}], "_issued": {"id": "i"},
        "identifier": [{"use": "official", "system": "urn:x", "value": "1", "type": word}],
    }  # fmt: skip
    (found,) = read(heart(**more))
    assert found.channel == "arm"


# ---- times


@pytest.mark.parametrize(
    ("text", "at", "zone"),
    [
        ("2026-02-23T07:00:00Z", NOW, 0),
        ("2026-02-23T02:30:00-04:30", NOW, -270),
        ("2026-02-23T07:00:00.0000000019+00:00", NOW + 1, 0),
        ("2026-02-23T06:59:60Z", NOW, 0),
    ],
)
def test_instants(text: str, at: int, zone: int) -> None:
    for field in ("effectiveDateTime", "effectiveInstant"):
        (found,) = read(heart(**{"effectiveDateTime": None, field: text}))
        assert (found.at, found.zone) == (at, zone)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-02-23T07:00:00", "names no zone"),
        ("9999-12-31T23:59:59Z", "outside 1970 to 2262"),
        ("1969-12-31T23:59:59Z", "outside 1970"),
        ("2026-02-30T07:00:00Z", "no date"),
        ("2026-02-23T24:00:00Z", "no date"),
        ("2026-02-23T07:00:00+14:01", "beyond every zone"),
        ("2026-02-23 07:00:00Z", "no time"),
        ("2026-02-23T07:00Z", "no time"),
        ("٢٠٢٦-02-23T07:00:00Z", "no time"),
        ("2026-02-23T07:00:00." + "1" * 99 + "Z", "no time"),
    ],
)
def test_times_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(TimeError, match=words) as caught:
        report(heart(effectiveDateTime=text))
    assert caught.value.where == "fhir: Observation.effectiveDateTime"


def test_times_that_are_no_instant_are_told() -> None:
    for text in ("2026-02-23", "2026-02", "2026"):
        assert "a day but no instant" in report(heart(effectiveDateTime=text)).not_read[0]
    assert "no time" in report(heart(effectiveDateTime=None)).not_read[0]
    with pytest.raises(FormatError, match="two times"):
        report(heart(effectiveInstant="2026-02-23T07:00:00Z"))
    for start, end in (
        ("2026-02-23T07:00:00Z", "2026-02-23T06:59:59Z"),
        ("2026-02-23", "2026-02-22"),
    ):
        with pytest.raises(TimeError, match="ends before it starts"):
            report(heart(effectiveDateTime=None, effectivePeriod={"start": start, "end": end}))


# ---- whose, and by which device


def test_whose_it_is() -> None:
    assert read(heart(), None)[0].subject == "p1"
    for text in ("https://a.example/fhir/Patient/p1", "Patient/p1/_history/3"):
        assert read(heart(subject={"reference": text}))[0].subject == "p1"
    named = {"identifier": {"system": "urn:mrn", "value": "44"}}
    assert read(heart(subject=named), "44")[0].subject == "44"
    for changes, words in [
        ({"subject": {"reference": "Patient/p2"}}, "'p2', not 'p1'"),
        ({"subject": {"reference": "Group/p1"}}, "about a Group"),
        ({"subject": {"display": "Ann"}}, "names no patient"),
        ({"subject": {"reference": "Patient?name=x"}}, "names no patient"),
        ({"subject": None}, "names no patient"),
    ]:
        with pytest.raises(IdentityError, match=words) as caught:
            report(heart(**changes))
        assert caught.value.where == "fhir: Observation.subject"


def test_mixed_patients_are_refused_even_where_one_gives_no_reading() -> None:
    other = heart(id="8", subject={"reference": "Patient/p2"}, status="cancelled")
    with pytest.raises(IdentityError, match="mixes patients") as caught:
        report(bundle(heart(), other))
    assert caught.value.where == "fhir: Bundle.entry[1].resource.subject"
    servers = [heart(id=host, subject={"reference": f"https://{host}/Patient/p1"}) for host in "ab"]
    with pytest.raises(IdentityError, match="mixes"):
        report(bundle(*servers))


def urn(n: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{n:012d}"


def transaction(*, patient: Json | None = None, device: Json | None = None) -> Json:
    own = (
        {"resourceType": "Patient", "identifier": [{"value": "p1"}]} if patient is None else patient
    )
    box = {"resourceType": "Device", "serialNumber": "SN9"} if device is None else device
    found = heart(id=None, subject={"reference": urn(1)}, device={"reference": urn(2)})
    whole = bundle(own, box, found, kind="transaction")
    for n, entry in enumerate(whole["entry"], 1):
        entry["fullUrl"] = urn(n)
    return whole


def test_urns_lead_through_the_bundle() -> None:
    (found,) = report(transaction()).readings
    assert (found.subject, found.device) == ("p1", "SN9")
    named = transaction(
        patient={"resourceType": "Patient", "id": "p1"},
        device={"resourceType": "Device", "id": "d"},
    )
    assert report(named).readings[0].device == "Device/d", "as a plain reference would name it"
    lost = transaction()
    del lost["entry"][1]
    with pytest.raises(FormatError, match="leads nowhere"):
        report(lost)
    wrong = transaction()
    wrong["entry"][2]["resource"]["subject"]["reference"] = urn(2)
    with pytest.raises(IdentityError, match="about a Device"):
        report(wrong)
    with pytest.raises(IdentityError, match="names no patient"):
        report(transaction(patient={"resourceType": "Patient"}))


def test_contained_resources_are_found_by_their_id() -> None:
    inside = [
        {"resourceType": "Patient", "id": "a", "identifier": [{"value": "p1"}]},
        {"resourceType": "Device", "id": "b", "identifier": [{"value": "watch"}]},
    ]
    own = {"contained": inside, "subject": {"reference": "#a"}, "device": {"reference": "#b"}}
    (found,) = read(heart(**own))
    assert (found.subject, found.device) == ("p1", "watch")
    for changes in (
        {"device": {"reference": "#c"}},
        {"contained": [*inside, inside[1]]},
        {"contained": [*inside, {"resourceType": "Foo", "id": "f"}]},
    ):
        with pytest.raises(FormatError):
            report(heart(**{**own, **changes}))


# ---- what is told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "entered-in-error"}, "entered in error"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "registered"}, "registered"),
        ({"status": "unknown"}, "nobody knows"),
        ({"code": coded("1-8")}, r"1-8 \(http://loinc.org\) is no code"),
        ({"code": {"text": "pulse"}}, "pulse is no code"),
        ({"valueQuantity": None}, "has no value"),
        ({"valueQuantity": {"code": "/min", "system": UCUM}}, "has no value"),
        ({"valueQuantity": None, "valueString": "72"}, "comes as valueString"),
        ({"focus": [{"reference": "Patient/fetus"}]}, "something else than its patient"),
        ({"valueQuantity": None, "dataAbsentReason": coded("error", "urn:x")}, "no value: error"),
        ({"dataAbsentReason": coded("error", "urn:x")}, "a value and a reason"),
    ],
)
def test_what_is_not_taken_is_told(changes: Json, words: str) -> None:
    found = report(bundle(heart(), heart(**{**changes, "id": "8"})))
    assert len(found.readings) == 1
    with pytest.raises(FormatError, match=words):
        read_fhir(json.dumps(heart(**changes)).encode(), subject="p1", received=NOW)


def test_a_component_without_a_value_is_no_reading() -> None:
    whole = pressures()
    del whole["component"][0]["valueQuantity"]
    whole["component"][0]["dataAbsentReason"] = coded("not-performed", "urn:x")
    found = report(whole)
    assert [r.variable for r in found.readings] == ["diastolic_pressure"]
    assert found.not_read == (
        "Observation.component[0]: has no value: not-performed (urn:x)",
    )  # fmt: skip


def test_requests_that_bring_nothing_are_told() -> None:
    whole = bundle(heart(), kind="batch")
    whole["entry"].append({"request": {"method": "DELETE", "url": "Observation/9"}})
    assert "asks to DELETE" in report(whole).not_read[0]
    with pytest.raises(FormatError, match="no entry"):
        read_fhir(b'{"resourceType":"Bundle","type":"batch"}', subject="p1", received=NOW)


# ---- what is refused, and where


@pytest.mark.parametrize(
    ("changes", "kind", "where"),
    [
        ({"valueQuantity": amount(-5, "/min")}, RangeError, "valueQuantity"),
        ({"valueQuantity": amount(601, "/min")}, RangeError, "valueQuantity"),
        ({"valueQuantity": amount("72", "/min")}, FormatError, "valueQuantity.value"),
        ({"valueQuantity": amount(True, "/min")}, FormatError, "valueQuantity.value"),
        ({"valueQuantity": amount([72], "/min")}, FormatError, "valueQuantity.value"),
        ({"valueQuantity": {"value": 72, "unit": "/min"}}, UnitError, "valueQuantity"),
        ({"valueQuantity": {"value": 72, "code": "/min"}}, UnitError, "valueQuantity"),
        ({"valueQuantity": amount(72, "mm[Hg]")}, UnitError, "valueQuantity"),
        ({"valueQuantity": amount(72, "bpm")}, UnitError, "valueQuantity"),
        ({"valueQuantity": amount(7, "/min", comparator="ad")}, FormatError, "valueQuantity.com"),
        ({"status": "bogus"}, FormatError, "status"),
        ({"status": None}, FormatError, ""),
        ({"code": None}, FormatError, ""),
        ({"heartRate": 72}, FormatError, ""),
        ({"id": "a b"}, FormatError, "id"),
        ({"id": "a\n"}, FormatError, "id"),
        ({"id": "x" * 65}, FormatError, "id"),
        ({"note": []}, FormatError, "note"),
        ({"method": {}}, FormatError, "method"),
        ({"language": ""}, FormatError, "language"),
        ({"modifierExtension": [{"url": "urn:x"}]}, FormatError, "modifierExtension"),
        ({"implicitRules": "urn:x"}, FormatError, "implicitRules"),
        ({"valueString": "72"}, FormatError, "valueString"),
        ({"device": {"display": "a\u202eb"}}, FormatError, "device"),
        ({"device": {"display": "a\u0000b"}}, FormatError, "device"),
        ({"device": {"reference": "#gone"}}, FormatError, "device"),
        ({"category": coded("x")}, FormatError, "category"),
        ({"extension": [{"valueString": "x"}]}, FormatError, "extension[0]"),
    ],
)  # fmt: skip
def test_refusals_say_where(changes: Json, kind: type[InputError], where: str) -> None:
    with pytest.raises(kind) as caught:
        report(bundle(heart(id="1"), heart(**changes)))
    place = caught.value.where
    assert place.startswith(f"fhir: Bundle.entry[1].resource{'.' if where else ''}{where}")
    assert caught.value.what


def test_a_component_is_named_in_its_refusal() -> None:
    whole = pressures()
    whole["component"][1]["valueQuantity"]["system"] = "urn:x"
    with pytest.raises(UnitError) as caught:
        report(whole)
    assert caught.value.where == "fhir: Observation.component[1].valueQuantity"
    whole["component"][1]["valuequantity"] = {}
    with pytest.raises(FormatError):
        report(whole)


def test_unknown_fields_are_named() -> None:
    with pytest.raises(FormatError, match="unknown field `heartRate`"):
        report(heart(heartRate=72))
    with pytest.raises(FormatError, match="unknown field `unitt`"):
        report(heart(valueQuantity=amount(72, "/min", unitt="x")))


def test_the_code_of_the_whole_is_not_repeated_inside() -> None:
    inner = [{"code": coded("8867-4"), "valueQuantity": amount(71, "/min")}]
    with pytest.raises(FormatError, match="code of the whole"):
        report(heart(component=inner))


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e999", "01", "+1", ".5", "0x1", "1_0"]
)
def test_numbers_that_are_none(text: str) -> None:
    body = json.dumps(heart(valueQuantity=amount("@", "/min"))).replace('"@"', text)
    with pytest.raises(InputError):
        report(body)


def test_exponents_that_would_fill_the_memory() -> None:
    for text in ("0e999999999", "1e-999999999", "1" * 65):
        body = json.dumps(heart(valueQuantity=amount("@", "/min"))).replace('"@"', text)
        with pytest.raises(InputError):
            report(body)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"status": "final"', '"status": "final", "status": "cancelled"', "status"),
        ('"value": 72', '"value": 72, "value": 270', "valueQuantity.value"),
        ('"value": 72', '"value": 72, "v\\u0061lue": 270', "valueQuantity"),
        ('"value": 72', '"value": null', "valueQuantity.value"),
        ('"final"', '"fi\x01nal"', "status"),
    ],
)
def test_keys_twice_nulls_and_control_signs(old: str, new: str, where: str) -> None:
    body = json.dumps(bundle(heart())).replace(old, new)
    with pytest.raises(FormatError) as caught:
        report(body)
    assert caught.value.where.startswith(f"fhir: Bundle.entry[0].resource.{where}")


def test_keys_twice_in_parts_that_are_not_read() -> None:
    body = json.dumps(heart(note=[{"text": "a"}])).replace('"a"', '"a", "text": "b"')
    with pytest.raises(FormatError, match="stands twice"):
        report(body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xef\xbb\xbf{}", b"[]", b"{}", b"null", b"7", b'"x"', b'{"resourceType":7}',
        b'{"resourceType":"Foo"}', b'{"resourceType":"Patient"}', b"\xff\xfe{\x00}\x00", b"{",
        b'{"resourceType":"Observation"} x', b'{"resourceType":"Observation" // c\n}',
        b'{"resourceType":"Observation","text":"\xff"}',
        b'{"resourceType":"Observation","id":"\\ud800"}',
        b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"a":"' + b"\\" * 99,
    ],
)  # fmt: skip
def test_bodies_that_are_no_document(body: bytes) -> None:
    with pytest.raises(InputError) as caught:
        report(body)
    assert caught.value.where.startswith("fhir")


def test_limits_of_size_depth_and_keys() -> None:
    with pytest.raises(LimitError, match="64 levels"):
        report(json.dumps(heart(text="@")).replace('"@"', "[" * 5000 + "1" + "]" * 5000))
    with pytest.raises(LimitError, match="64 MiB"):
        report(bytes(LARGEST + 1))
    with pytest.raises(LimitError, match="256 keys"):
        report(json.dumps(heart(text={f"k{i}": 1 for i in range(300)})))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b.update(type="history"), "history"),
        (lambda b: b.update(type="document"), "document"),
        (lambda b: b.update(type="batch-response"), "server"),
        (lambda b: b.update(type="bogus"), "bogus"),
        (lambda b: b.update(type="batch"), "needs a request"),
        (lambda b: b.update(total=1), "total"),
        (lambda b: b.update(entry=[]), "empty"),
        (lambda b: b["entry"].append(b["entry"][0]), "stood before"),
        (lambda b: b["entry"].append({"link": [{"relation": "x", "url": "y"}]}), "holds nothing"),
        (lambda b: b["entry"][0].update(request={"method": "POST", "url": "x"}), "has no request"),
        (lambda b: b["entry"][0].update(search={"mode": "match"}), "has no search"),
        (lambda b: b["entry"][0].update(response={"status": "200"}), "has no response"),
        (lambda b: b["entry"][0].update(fullUrl="urn:uuid:7"), "names no resource"),
        (lambda b: b["entry"][0].update(fullUrl="Observation/7"), "names no resource"),
        (lambda b: b["entry"][0].update(fullUrl="http://a/Observation/8"), "contradicts"),
        (lambda b: b["entry"][0].update(fullUrl="http://a/Observation/7/_history/1"), "names no"),
        (lambda b: b["entry"][0]["resource"].update(performer=[{"reference": urn(9)}]), "nowhere"),
        (lambda b: b["entry"][0]["resource"].update(resourceType="Foo"), "Foo"),
    ],
)  # fmt: skip
def test_rules_of_bundles(change: Any, words: str) -> None:
    whole = bundle(heart(), heart(id="8"))
    change(whole)
    with pytest.raises(FormatError, match=words):
        report(whole)


def test_a_document_on_disk_is_named(tmp_path: Any) -> None:
    path = tmp_path / "ward.json"
    path.write_text(json.dumps(heart()))
    assert [r.origin for r in read_path(path, subject=None, received=NOW)] == ["fhir:Observation/7"]
    path.write_text(json.dumps(heart(status="bogus")))
    with pytest.raises(FormatError, match=r"^ward.json: fhir: Observation.status: "):
        list(read_path(path, subject=None, received=NOW))


# ---- anything at all

_ODD = st.sampled_from([
    None, True, -1, 0, 1e308, -0.0, 10**400, "", "72", "NaN", "é\u202e\u0000", [], {}, [[]],
    [{}], {"a": 1},
    "urn:uuid:x", "#x", "Patient/p2", "2026-02-23", "9999-12-31T00:00:00Z", {"value": 1}, [None],
    "http://loinc.org", "1 2 E", {"reference": "#"}, "e" * 300,
])  # fmt: skip
_KEYS = st.sampled_from([
    "status", "code", "subject", "valueQuantity", "value", "component", "coding", "system", "id",
    "effectiveDateTime", "effectivePeriod", "device", "entry", "resource", "fullUrl", "request",
    "contained", "extension", "valueSampledData", "origin", "period", "data", "dimensions", "start",
    "_status", "type", "total", "identifier", "reference", "comparator", "resourceType",
])  # fmt: skip


def attempt(body: bytes) -> Report | InputError:
    """What a body gives; anything but a report or a refusal fails the test."""
    try:
        return report(body)
    except InputError as error:
        return error


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every place of a tree as (container, key)."""
    keys = (
        list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    )
    return [p for k in keys for p in [(node, k), *_places(node[k])]]


def _ecg() -> Json:
    data = {
        "origin": amount(0, "mV"), "period": 4, "factor": 0.005, "dimensions": 1,
        "data": "1 2 E -4",
    }  # fmt: skip
    return heart(id="9", code=coded("71575-5"), valueQuantity=None, valueSampledData=data)


def _whole() -> Json:
    return bundle(heart(), pressures(id="8"), _ecg(), transaction()["entry"][1]["resource"])


def test_the_bundle_is_read_where_nothing_changed() -> None:
    assert len(report(_whole()).readings) == 4


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_changed_bundle_is_read_or_refused(data: st.DataObject) -> None:
    whole = _whole()
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(whole)
        if not places:
            break
        holder, key = places[data.draw(st.integers(0, len(places) - 1))]
        odd = copy.deepcopy(data.draw(_ODD))
        if data.draw(st.booleans()):
            odd = copy.deepcopy(places[data.draw(st.integers(0, len(places) - 1))][0])
        if isinstance(holder, dict) and data.draw(st.booleans()):
            key = data.draw(_KEYS)
        holder[key] = odd
    found = attempt(json.dumps(whole).encode())
    if isinstance(found, Report):
        assert all(r.subject == "p1" for r in found.readings)
    else:
        assert found.where.startswith("fhir")
        assert found.what


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_changed_bytes_are_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(json.dumps(bundle(heart(), pressures(id="8"), _ecg())).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        cut = data.draw(st.integers(0, 6))
        body[at : at + cut] = data.draw(
            st.one_of(
                st.binary(max_size=4), st.sampled_from([b'"', b"{", b"]", b"\\", b",", b"1e9"])
            )
        )
    found = attempt(bytes(body))
    assert isinstance(found, Report) or found.where.startswith("fhir")
