"""Apple Health exports: pairs once, fractions, zones, and hostile documents."""

from __future__ import annotations

from pathlib import Path

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
from isosoma.exchange.healthkit import read_healthkit

NOW = 1_771_830_000_000_000_000
WHEN = "2026-02-23 07:45:10 +0100"


def record(kind: str, unit: str, value: object, when: str = WHEN) -> str:
    return (
        f'<Record type="HKQuantityTypeIdentifier{kind}" sourceName="Watch" unit="{unit}" '
        f'value="{value}" startDate="{when}" endDate="{when}"/>'
    )


HR = record("HeartRate", "count/min", 72)
PAIR = record("BloodPressureSystolic", "mmHg", 128) + record("BloodPressureDiastolic", "mmHg", 82)
DOCTYPE = '<!DOCTYPE HealthData [<!ELEMENT HealthData (Record*)><!ATTLIST HealthData l CDATA "">]>'


def read(folder: Path, *records: str, head: str = DOCTYPE) -> list[Observation]:
    path = folder / "export.xml"
    body = "\n".join(records)
    path.write_text(f'<?xml version="1.0"?>\n{head}<HealthData locale="de">{body}</HealthData>')
    return list(read_healthkit(path, subject="p", received=NOW))


def test_a_heart_rate(tmp_path: Path) -> None:
    (found,) = read(tmp_path, HR, record("StepCount", "count", 12))
    assert (found.variable, found.value, found.device) == ("heart_rate", 1.2, "Watch")
    assert (found.at, found.zone) == (NOW - 15 * 60 * 10**9 + 10**10, 60)


def test_saturation_is_a_fraction_whatever_its_unit_says(tmp_path: Path) -> None:
    rows = [record("OxygenSaturation", "%", v) for v in (0.97, 97, 1)]
    assert [o.value for o in read(tmp_path, *rows)] == [0.97, 0.97, 1.0]


@pytest.mark.parametrize("order", [1, -1])
def test_a_pair_counts_once(tmp_path: Path, order: int) -> None:
    pair = f'<Correlation type="HKCorrelationTypeIdentifierBloodPressure">{PAIR}</Correlation>'
    lone = record("BloodPressureSystolic", "mmHg", 140)
    found = read(tmp_path, *[PAIR, pair][::order], lone)
    assert [round(o.value / 133.322387415) for o in found] == [128, 82, 140]
    assert {o.channel for o in found} == {"nibp"}


def test_units(tmp_path: Path) -> None:
    rows = [
        record("BodyTemperature", "degF", 98.6),
        record("BodyMass", "lb", 100),
        record("BloodGlucose", "mmol&lt;180.1558800000541&gt;/L", 5.5),
    ]
    assert [o.value for o in read(tmp_path, *rows)] == pytest.approx([310.15, 45.359237, 5.5])


BOMB = '<!DOCTYPE HealthData [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
FETCH = '<!DOCTYPE HealthData [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
HOSTILE: dict[str, tuple[str, str, type[InputError]]] = {
    "entity bomb": (HR, BOMB, FormatError),
    "external entity": ("<Record>&x;</Record>", FETCH, FormatError),
    "undeclared entity": ("&x;", "", FormatError),
    "open element": ("<Record>", "", FormatError),
    "nested": ("<a>" * 20 + "</a>" * 20, "", LimitError),
    "long attribute": (HR.replace("Watch", "W" * 70_000), "", LimitError),
    "NaN": (record("HeartRate", "count/min", "nan"), "", FormatError),
    "impossible": (record("HeartRate", "count/min", -3), "", RangeError),
    "no unit": (record("HeartRate", "", 70), "", UnitError),
    "other unit": (record("HeartRate", "kg", 70), "", UnitError),
    "no zone": (record("HeartRate", "count/min", 70, "2026-02-23 07:45:10"), "", TimeError),
    "no such day": (record("HeartRate", "count/min", 70, WHEN.replace("23", "31")), "", TimeError),
    "year 9999": (record("HeartRate", "count/min", 70, "9999" + WHEN[4:]), "", TimeError),
}  # fmt: skip


@pytest.mark.parametrize(("body", "head", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(tmp_path: Path, body: str, head: str, error: type[InputError]) -> None:
    with pytest.raises(error, match=r"export\.xml"):
        read(tmp_path, body, head=head)


def test_not_an_export(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    for text in ("", "hello", "<html/>", '<?xml version="1.0" encoding="klingon"?><HealthData/>'):
        path.write_text(text)
        with pytest.raises(FormatError, match=r"export\.xml"):
            list(read_healthkit(path, subject="p", received=NOW))
    with pytest.raises(FormatError, match="opened"):
        list(read_healthkit(tmp_path / "absent.xml", subject="p", received=NOW))
    with pytest.raises(IdentityError, match="Give the subject"):
        list(read_healthkit(path, subject=None, received=NOW))


def test_an_endless_element_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    path.write_text(f'<HealthData><Record type="{"x" * (3 << 20)}"/></HealthData>')
    with pytest.raises(LimitError, match=r"export\.xml line 1: an element of over"):
        list(read_healthkit(path, subject="p", received=NOW))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=40), st.integers(0, 400))
def test_a_spoilt_export(tmp_path: Path, noise: bytes, at: int) -> None:
    path = tmp_path / "noise.xml"
    whole = f"<HealthData>{HR}{PAIR}</HealthData>".encode()
    path.write_bytes(whole[:at] + noise + whole[at:])
    try:
        found = list(read_healthkit(path, subject="p", received=NOW))
    except InputError:
        return
    assert all(o.subject == "p" for o in found)
