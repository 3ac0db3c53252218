"""Delivered messages: whose, whether live, and Bluetooth values that name their instant."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, IdentityError, InputError, LimitError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.mqtt_delivery import gatt_topic, read_message

NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z
HOUR = 3600 * 10**9
HR = bytes([0x00, 72])  # 2A37: flags, 72 /min
VITALS = json.dumps(
    {
        "version": 1,
        "readings": [{"variable": "heart_rate", "value": 72, "unit": "/min", "at": NOW}],
    }
).encode()
# 2A35: mmHg with time stamp; 120/80, mean 93; 2026-02-23 08:00:00 by the cuff's clock
CUFF = bytes([0x02, 120, 0, 80, 0, 93, 0, 0xEA, 0x07, 2, 23, 8, 0, 0])


def read(
    name: str, payload: bytes, *, retained: bool = False, zone: int | None = None
) -> list[Observation | Waveform]:
    return read_message(
        name, payload, patient="p1", received=NOW + HOUR, retained=retained, zone=zone
    )


def test_numbers_pass_through_with_both_times() -> None:
    (found,) = read("isosoma/p1/belt/hr", VITALS)
    assert isinstance(found, Observation)
    assert (found.at, found.received, found.value) == (NOW, NOW + HOUR, 72 / 60)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("isosoma/p1/belt/hr", VITALS),
        ("isosoma/p1/belt/gatt/2A37/5", HR),
        ("isosoma/p1/belt/hr", b"junk"),
    ],
)
def test_a_retained_message_is_refused_before_it_is_read(name: str, payload: bytes) -> None:
    with pytest.raises(TimeError, match="retained"):
        read(name, payload, retained=True)


@pytest.mark.parametrize(
    "name",
    ["isosoma/p2/belt/hr", "isosoma/P1/belt/hr", "isosoma//belt/hr", "isosoma/p2/b/gatt/2A37/5"],
)
def test_another_patient_is_refused(name: str) -> None:
    with pytest.raises(IdentityError, match="not of 'p1'"):
        read(name, VITALS)


def test_a_gatt_value_is_of_the_instant_in_its_topic_whenever_it_is_delivered() -> None:
    name = gatt_topic("p1", "strap", "00002a37-0000-1000-8000-00805f9b34fb", NOW)
    assert name == f"isosoma/p1/strap/gatt/2A37/{NOW}"
    once = read_message(name, HR, patient="p1", received=NOW + 1)
    late = read_message(name, HR, patient="p1", received=NOW + 5 * HOUR)
    (a,), (b,) = once, late
    assert isinstance(a, Observation)
    assert isinstance(b, Observation)
    assert (a.variable, a.value, a.at, a.device) == ("heart_rate", 72 / 60, NOW, "strap")
    assert (b.at, b.received) == (NOW, NOW + 5 * HOUR)


def test_a_gatt_value_without_any_instant_is_refused() -> None:
    with pytest.raises(TimeError, match="second delivery would count"):
        read("isosoma/p1/strap/gatt/2A37", HR)
    with pytest.raises(TimeError, match="second delivery would count"):
        read("isosoma/p1/strap/gatt/2A37", HR, zone=60)  # a zone, but no clock in the payload
    with pytest.raises(TimeError, match="second delivery would count"):
        read("isosoma/p1/cuff/gatt/2A35", CUFF)  # a clock, but no zone


def test_a_cuff_with_its_own_clock_and_a_known_zone_needs_no_instant() -> None:
    found = read("isosoma/p1/cuff/gatt/2A35", CUFF, zone=60)
    assert {o.variable for o in found} == {
        "systolic_pressure", "diastolic_pressure", "mean_arterial_pressure",
    }  # fmt: skip
    assert {o.at for o in found if isinstance(o, Observation)} == {NOW}


@pytest.mark.parametrize(
    ("name", "payload", "error"),
    [
        ("isosoma/p1/s/gatt/2A37/-1", HR, FormatError),
        ("isosoma/p1/s/gatt/2A37/1e9", HR, FormatError),
        ("isosoma/p1/s/gatt/2A37/9223372036854775808", HR, FormatError),
        ("isosoma/p1/s/gatt/2A37/", HR, FormatError),
        ("isosoma/p1/s/gatt/FFFF/5", HR, FormatError),
        ("isosoma/p1/s/gatt/2A37/5/6", HR, FormatError),
        ("isosoma/p1/s/gatt/2A37/5", b"", FormatError),
        ("isosoma/p1/s/gatt/2A37/5", b"\0" * 513, LimitError),
        ("isosoma/p1/s/gatt/2AA7/5", bytes([6, 0, 100, 0, 1, 0]), TimeError),
        ("isosoma/p1/s s/gatt/2A37/5", HR, FormatError),
        ("other/p1/s/hr", VITALS, FormatError),
        ("", VITALS, FormatError),
        ("isosoma", VITALS, FormatError),
    ],
)
def test_what_is_no_topic_or_no_value_is_refused(
    name: str, payload: bytes, error: type[InputError]
) -> None:
    with pytest.raises(error):
        read(name, payload)


def test_a_gatt_topic_is_made_of_what_can_be_read() -> None:
    with pytest.raises(TimeError):
        gatt_topic("p1", "s", "2A37", -1)
    with pytest.raises(FormatError):
        gatt_topic("p 1", "s", "2A37", 0)
    with pytest.raises(FormatError):
        gatt_topic("p1", "s", "2A38x", 0)


TAILS = st.sampled_from(["/s/hr", "/s/gatt/2A37", "/s/gatt/2A35/7", "/s/gatt/2AA7/7", ""])


@given(st.one_of(st.text(max_size=80), TAILS.map(lambda t: f"isosoma/p1{t}")), st.binary())
def test_noise_gives_readings_of_this_patient_or_an_input_error(name: str, payload: bytes) -> None:
    try:
        found = read(name, payload, zone=0)
    except InputError:
        return
    assert {o.subject for o in found} == {"p1"} or not found
