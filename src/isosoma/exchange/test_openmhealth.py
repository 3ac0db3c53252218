"""Open mHealth: every published verdict, instants and units, and hostile documents."""

from __future__ import annotations

import json
import tarfile

import pytest
from hypothesis import given
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
from isosoma.exchange.openmhealth import read_openmhealth, report_openmhealth
from isosoma.exchange.openmhealth_schema import SCHEMAS

NOW = 1_771_830_000_000_000_000
TIME = {"date_time": "2013-02-05T07:25:00Z"}
AT = 1_360_049_100_000_000_000
HR = {"heart_rate": {"value": 72, "unit": "beats/min"}, "effective_time_frame": TIME}
SPAN = {"start_date_time": "2013-02-05T07:25:00Z", "end_date_time": "2013-02-05T07:26:00Z"}


def header(name, version, **more):
    return {
        "uuid": "u7",
        "schema_id": {"namespace": "omh", "name": name, "version": version},
        "source_creation_date_time": "2013-02-05T07:25:00Z",
        "modality": "sensed",
        **more,
    }


def point(body, name="heart-rate", version="2.0", **more):
    return {"header": header(name, version, **more), "body": body}


def report(document, subject="p"):
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return report_openmhealth(raw, subject=subject, received=NOW)


def read(document, subject="p"):
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_openmhealth(raw, subject=subject, received=NOW)


@pytest.fixture(scope="module")
def published(shared_data):
    """(schema, version, verdict, body) of every published test document."""
    path = shared_data / "signals" / "openmhealth" / "test-data-vitals.tar.xz"
    with tarfile.open(path) as archive:
        return [
            (*member.name.split("/")[-4:-1], archive.extractfile(member).read())
            for member in archive.getmembers()
            if member.name.endswith(".json")
        ]


def verdict(name, version, raw):
    wrapped = b'{"header": %b, "body": %b}' % (json.dumps(header(name, version)).encode(), raw)
    try:
        report(wrapped)
    except InputError:
        return "shouldFail"
    return "shouldPass"


def test_every_published_verdict_is_reproduced(published):
    wrong = [
        (name, version, expected, raw)
        for name, version, expected, raw in published
        if verdict(name, version, raw) != expected
    ]
    assert wrong == []
    verdicts = [expected for *_, expected, _ in published]
    assert (verdicts.count("shouldPass"), verdicts.count("shouldFail")) == (97, 96)


def test_what_should_pass_is_taken_or_told_also_without_a_header(published):
    taken = told = 0
    for name, _version, expected, raw in published:
        if expected == "shouldPass":
            found = report(raw)
            assert bool(found.readings) != bool(found.not_read), raw
            taken, told = taken + bool(found.readings), told + bool(found.not_read)
            timed = b"date_time" in raw and b"descriptive" not in raw and name != "step-count"
            assert bool(found.readings) == timed, raw
    assert (taken, told) == (45, 52)


@pytest.mark.parametrize(
    ("body", "variable", "value"),
    [
        (HR, "heart_rate", 1.2),
        ({"respiratory_rate": {"value": 12, "unit": "breaths/min"}}, "breathing_rate", 0.2),
        ({"oxygen_saturation": {"value": 97, "unit": "%"}}, "oxygen_saturation", 0.97),
        ({"body_temperature": {"value": 98.6, "unit": "F"}}, "body_temperature", 310.15),
        ({"body_temperature": {"value": 37, "unit": "C"}}, "body_temperature", 310.15),
        ({"body_weight": {"value": 100, "unit": "lb"}}, "body_weight", 45.359237),
        ({"body_height": {"value": 6, "unit": "ft"}}, "body_height", 1.8288),
        ({"rr_interval": {"value": 0.8, "unit": "sec"}}, "rr_interval", 0.8),
        ({"blood_glucose": {"value": 5.5, "unit": "mmol/L"}}, "glucose", 5.5),
        ({"blood_glucose": {"value": 99.088, "unit": "mg/dL"}}, "glucose", 5.5),
    ],
)
def test_units_are_the_schemas_words_brought_to_si(body, variable, value):
    (found,) = read({"effective_time_frame": TIME, **body})
    assert (found.variable, found.at, found.subject) == (variable, AT, "p")
    assert found.value == pytest.approx(value, rel=1e-12)


def test_a_data_point_says_where_it_came_from():
    body = {
        "systolic_blood_pressure": {"value": 128, "unit": "mmHg"},
        "diastolic_blood_pressure": {"value": 82.50, "unit": "mmHg"},
        "effective_time_frame": {"date_time": "2020-02-05T07:25:00.5-08:00"},
        "measurement_location": "left wrist",
        "body_posture": "sitting",
        "temporal_relationship_to_physical_activity": "at rest",
    }
    origin = {"source_name": "Cuff", "modality": "self-reported"}
    systolic, diastolic = read(point(body, "blood-pressure", "4.0", acquisition_provenance=origin))
    assert systolic.value == pytest.approx(128 * 133.322387415)
    assert diastolic.variable == "diastolic_pressure"
    assert diastolic.given == "82.5 mm[Hg]"
    assert (systolic.device, systolic.channel, systolic.zone) == ("Cuff", "left wrist", -480)
    assert systolic.at % 10**9 == 500_000_000
    assert systolic.origin == ("openmhealth:blood-pressure-4.0/u7?self_reported,sitting,at_rest")


def test_fluid_between_cells_is_not_blood_and_saliva_is_told():
    body = {"blood_glucose": {"value": 99, "unit": "mg/dL"}, "effective_time_frame": TIME}
    (found,) = read({**body, "specimen_source": "interstitial fluid"})
    assert found.variable == "interstitial_glucose"
    assert report({**body, "specimen_source": "saliva"}).not_read == (
        "document: glucose in saliva is no variable of the vocabulary",
    )


@pytest.mark.parametrize(
    ("span", "at"),
    [
        (SPAN, AT),
        ({"start_date_time": SPAN["start_date_time"],
          "duration": {"value": 1, "unit": "min"}}, AT),
        ({"end_date_time": SPAN["end_date_time"], "duration": {"value": 60, "unit": "sec"}}, AT),
    ],
)  # fmt: skip
def test_an_interval_counts_at_its_start_and_says_so(span, at):
    (found,) = read({**HR, "effective_time_frame": {"time_interval": span}})
    assert (found.at, found.origin) == (at, "openmhealth:heart-rate?period")


def test_a_statistic_is_no_reading():
    body = {
        **HR, "effective_time_frame": {"time_interval": SPAN}, "descriptive_statistic": "minimum",
    }  # fmt: skip
    found = report([body, HR])
    assert len(found.readings) == 1
    assert found.not_read == ("[0]: is the minimum of several readings, not one",)
    with pytest.raises(FormatError, match="minimum of several"):
        read(body)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ({"date_time": "2013-02-05"}, "no time"),
        ({"date_time": "2013-02-05T07:25:00"}, "no zone"),
        ({"date_time": "9999-12-31T23:59:59Z"}, "outside 1970"),
        ({"date_time": "1969-12-31T23:59:59Z"}, "outside 1970"),
        ({"date_time": 1360049100}, "no time"),
        ({"date_time": "2013-02-30T07:25:00Z"}, "no date"),
        ({"date_time": "2013-02-05T07:25:00Z", "time_interval": SPAN}, "neither"),
        ({"time_interval": {"start_date_time": SPAN["start_date_time"]}}, "no interval"),
        ({"time_interval": {"start_date_time": SPAN["end_date_time"],
                            "end_date_time": SPAN["start_date_time"]}}, "ends before"),
        ({"time_interval": {"date": "2013-02-30", "part_of_day": "morning"}}, "no date"),
        ({"time_interval": {"date": "2013-02-05", "part_of_day": "tea"}}, "part of a day"),
        ("now", "neither"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_are_refused(frame, why):
    with pytest.raises(TimeError, match=why):
        read({**HR, "effective_time_frame": frame})


@pytest.mark.parametrize("length", [-1, 1e300])
def test_a_length_of_time_is_bounded(length):
    span = {"end_date_time": SPAN["end_date_time"], "duration": {"value": length, "unit": "yr"}}
    with pytest.raises(RangeError, match="duration"):
        read({**HR, "effective_time_frame": {"time_interval": span}})


def raw(number):
    return b'{"heart_rate": {"value": %b, "unit": "beats/min"}}' % number


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (b"NaN", FormatError), (b"Infinity", FormatError), (b"-Infinity", FormatError),
        (b"1e999", RangeError), (b'"72"', FormatError), (b"true", FormatError),
        (b"null", FormatError), (b"[72]", FormatError), (b"072", FormatError),
        (b"9" * 5000, FormatError), (b"{}", FormatError), (b"\xff", FormatError),
        (b"[" * 5000, LimitError), (b'72, "value": 73', FormatError),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(number, error):
    with pytest.raises(error):
        report(raw(number))


@pytest.mark.parametrize("value", [-1, 601, 1e9])
def test_a_value_no_body_can_have_is_refused_with_all_of_its_document(value):
    with pytest.raises(RangeError, match="heart_rate"):
        read([HR, {**HR, "heart_rate": {"value": value, "unit": "beats/min"}}])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"heart_rate": {"value": 72, "unit": "Hz"}}, UnitError),
        ({"heart_rate": {"value": 72}}, FormatError),
        ({"heart_rate": {"value": 72, "unit": "beats/min", "sigma": 1}}, FormatError),
        ({"heart_rate": 72}, FormatError),
        ({"hart_rate": 72}, FormatError),
        ({"temporal_relationship_to_sleep": "nodding"}, FormatError),
        ({"user_notes": 7}, FormatError),
    ],
)
def test_units_keys_and_words_are_the_schemas(change, error):
    with pytest.raises(error):
        read({**HR, **change})


def test_a_body_without_a_time_conforms_to_old_versions_only_and_gives_nothing():
    body = {"heart_rate": HR["heart_rate"]}
    assert report(point(body, version="1.0")).not_read == (
        "document: names no time at which it was measured",
    )
    with pytest.raises(TimeError, match="requires"):
        report(point(body, version="2.0"))


@pytest.mark.parametrize(
    ("name", "version", "why"),
    [("heart-rate", "7.0", "version 7.0"), ("sleep-duration", "1.0", "sleep-duration")],
)
def test_schemas_that_are_not_known_are_told(name, version, why):
    (said,) = report(point({"sleep_duration": 1}, name, version)).not_read
    assert why in said


@pytest.mark.parametrize(
    "change",
    [
        {"schema_id": {"namespace": "omh", "name": "heart-rate"}}, {"schema_id": "heart-rate"},
        {"modality": "guessed"}, {"uuid": 7}, {"uuid": "a\u202eb"}, {"colour": "red"},
        {"acquisition_provenance": "me"},
    ],
)  # fmt: skip
def test_a_header_is_strict(change):
    with pytest.raises(FormatError, match="header"):
        read(point(HR, **change))


def test_a_header_and_its_body_stand_alone():
    for document in ({"header": header("heart-rate", "2.0")}, {**point(HR), "more": 1}, [7], 7):
        with pytest.raises(FormatError):
            read(document)
    with pytest.raises(TimeError):
        read(point(HR, source_creation_date_time="9999-01-01T00:00:00Z"))


def test_users_are_not_mixed():
    assert read(point(HR, user_id="ann"), subject=None)[0].subject == "ann"
    for document, subject in [
        ([point(HR, user_id="ann"), point(HR, user_id="bob")], None),
        ([point(HR, user_id="ann"), point(HR)], None),
        (point(HR, user_id="ann"), "bob"),
        (point(HR), None),
    ]:
        with pytest.raises(IdentityError):
            read(document, subject=subject)


@given(cut=st.integers(0, 10**6))
def test_a_cut_document_is_refused(cut):
    whole = json.dumps([point(HR), HR]).encode()
    with pytest.raises(InputError):
        read(whole[: cut % len(whole)])


@given(
    at=st.integers(0, 10**6),
    byte=st.integers(0, 255),
)
def test_a_changed_byte_gives_a_sentence_or_readings(at, byte):
    whole = bytearray(json.dumps([point(HR), HR]).encode())
    whole[at % len(whole)] = byte
    said, found = "", None
    try:
        found = report(bytes(whole))
    except InputError as error:
        said = str(error)
    if found is None:
        assert said.startswith("Open mHealth")
    else:
        assert len(found.readings) + len(found.not_read) == 2


def test_the_table_names_rows_of_the_vocabulary():
    from isosoma.core.units import ucum
    from isosoma.core.vocabulary import VOCABULARY, si

    for schema in SCHEMAS.values():
        for measure in schema.measures:
            for code in measure.units.values():
                assert ucum(code).factor > 0
                if measure.variable:
                    si(VOCABULARY[measure.variable], 1.0, code)
