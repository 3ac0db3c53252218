"""GATT payloads: the published vectors, every status word, and hostile bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, IdentityError, InputError, RangeError, TimeError
from isosoma.core.observation import Observation
from isosoma.core.units import convert
from isosoma.exchange.gatt import read_gatt
from isosoma.exchange.gatt_payloads import (
    BloodPressure,
    Cgm,
    Glucose,
    HeartRate,
    Oximetry,
    Reading,
    Temperature,
    decode,
)

NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z
MINUTE = 60_000_000_000
UUIDS = ["2A37", "2A35", "2A5F", "2A5E", "2A18", "2AA7", "2A1C"]


def read(uuid: str, text: str, **more: Any) -> list[Observation]:
    return read_gatt(uuid, bytes.fromhex(text), subject="p", received=NOW, **more)


def shown(reading: Reading) -> dict[str, Any]:
    """The reading in the words of the vectors."""
    match reading:
        case HeartRate():
            return {
                "hr": reading.hr,
                "contact": reading.contact,
                "rr_ms": list(reading.rr_ms),
                "energy_kj": reading.energy_kj,
            }
        case BloodPressure():
            return {
                name: None if value is None else convert(value, reading.unit, "mm[Hg]")
                for name, value in (
                    ("sys", reading.sys),
                    ("dia", reading.dia),
                    ("map", reading.map),
                )
            } | {"time": iso(reading), "pulse": reading.pulse, "user": reading.user}
        case Oximetry():
            return {"spo2": reading.spo2, "pr": reading.pr}
        case Temperature():
            return {"temp_c": reading.value}
        case Glucose():
            assert reading.value is not None
            mgdl = convert(reading.value, reading.unit, "mg/dL", 0.18016)
            out = {"seq": reading.seq, "time": iso(reading), "glucose_mg_dl": mgdl}
            mmol = convert(reading.value, reading.unit, "mmol/L", 0.18016)
            return out | {
                "glucose_mmol_l": mmol,
                "type": reading.kind,
                "location": reading.location,
            }
        case Cgm():
            return {
                "size": reading.size,
                "glucose_mg_dl": reading.value,
                "offset_min": reading.offset_min,
            }


def iso(reading: BloodPressure | Glucose) -> str | None:
    return None if reading.time is None else reading.time.isoformat()


def test_the_vectors(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "signals/gatt/gatt_vectors.json").read_text())
    assert len(vectors) == 11
    for vector in vectors:
        got = shown(decode(vector["uuid"], bytes.fromhex(vector["hex"])))
        expect: Mapping[str, Any] | str = vector["expect"]
        if isinstance(expect, str):
            assert [got["sys"], got["dia"], got["map"]] == [None] * 3
            assert read(vector["uuid"], vector["hex"]) == []
            continue
        for key, value in expect.items():
            if key in ("unit", "status"):
                continue
            loose = isinstance(value, float) and vector["uuid"] != "2A37"
            assert got[key] == (pytest.approx(value, abs=0.02) if loose else value), (vector, key)


def test_rr_intervals_end_one_after_another_now() -> None:
    rate, first, last = read("2A37", "165000048003", device="belt")
    assert (rate.variable, rate.value * 60) == ("heart_rate", pytest.approx(80))
    assert [o.value for o in (first, last)] == [1.0, 0.875]
    assert (last.at, first.at) == (NOW, NOW - 875_000_000)
    assert {o.origin for o in (rate, first, last)} == {"gatt:2A37"}
    assert first.given == "1000 ms"


def test_lost_contact_is_told() -> None:
    assert read("2A37", "0450")[0].origin == "gatt:2A37?no_contact"
    assert read("2A37", "0650")[0].origin == "gatt:2A37"
    assert read("2A37", "0050")[0].origin == "gatt:2A37"


CUFF = "1e800052006100ea070217072d0a4700010500"


def test_a_cuff_with_a_zone_is_placed_in_utc() -> None:
    found = read("2A35", CUFF, zone=60)
    assert [o.variable for o in found] == [
        "systolic_pressure",
        "diastolic_pressure",
        "mean_arterial_pressure",
        "pulse_rate",
    ]
    assert found[0].value == pytest.approx(128 * 133.322387415)
    assert {o.at for o in found} == {NOW - 15 * MINUTE + 10_000_000_000}
    assert found[0].at == found[0].device_at - 60 * MINUTE
    assert (found[0].zone, found[0].channel) == (60, "nibp")
    assert found[0].origin == "gatt:2A35?movement,irregular_pulse"


def test_a_cuff_without_a_zone_is_placed_at_arrival_and_keeps_its_clock() -> None:
    found = read("2A35", CUFF)
    assert {o.at for o in found} == {NOW}
    assert found[0].device_at == NOW + 45 * MINUTE + 10_000_000_000
    moved = read("2A35", CUFF, clock_to_utc=lambda own: own - 46 * MINUTE)
    assert moved[0].at == NOW - MINUTE + 10_000_000_000


@pytest.mark.parametrize(
    ("bits", "flags"),
    [
        (0, ""),
        (1, "movement"),
        (2, "cuff_loose"),
        (4, "irregular_pulse"),
        (8, "pulse_range"),
        (16, "pulse_range"),
        (32, "position"),
        (0xFFC0, ""),
    ],
)
def test_every_cuff_status_bit(bits: int, flags: str) -> None:
    payload = "10800052006100" + struct.pack("<H", bits).hex()
    assert read("2A35", payload)[0].origin.removeprefix("gatt:2A35").lstrip("?") == flags


def test_another_user_of_the_cuff_is_refused() -> None:
    assert read("2A35", CUFF, user=1)
    with pytest.raises(IdentityError, match="user 1, not user 2"):
        read("2A35", CUFF, user=2)
    assert read("2A35", "0880005200610" + "0ff", user=2), "255 is a user the cuff does not know"


def test_kilopascal() -> None:
    assert [o.value for o in read("2A35", "01a0f06bf07cf0")] == pytest.approx(
        [16e3, 10.7e3, 12.4e3]
    )


def test_oximeter_with_everything() -> None:
    # fast, slow, measurement status (bit 14), sensor status (bits 5 and 15), amplitude 0.5 %
    text = "1f" + "61004200" + "60004100" + "5f004000" + "0040" + "208000" + "05f0"
    spo2, pulse, index = read("2A5F", text)
    assert (spo2.value, pulse.value * 60) == (0.97, pytest.approx(66))
    assert index.value == pytest.approx(0.005)
    assert spo2.origin == "gatt:2A5F?questionable_pulse,low_perfusion,sensor_disconnected"


def test_spot_check_has_a_time_unless_its_clock_is_unset() -> None:
    when = "ea070217072d0a"
    assert read("2A5E", "0161004200" + when, zone=60)[0].at == NOW - 15 * MINUTE + 10**10
    assert read("2A5E", "1161004200" + when, zone=60)[0].at == NOW
    assert read("2A5E", "026100420000" + "80") == [], "an invalid measurement is none"
    with pytest.raises(InputError, match="demonstration"):
        read("2A5E", "026100420000" + "04")


def test_glucose_meter() -> None:
    (found,) = read("2A18", "032a00ea070217072d0ac4ff69b011", zone=60)
    assert found.value == pytest.approx(105 * 10 / 180.16)
    assert (found.seq, found.at) == (42, NOW - 75 * MINUTE + 10**10)
    assert found.origin == "gatt:2A18?capillary_blood"
    (found,) = read("2A18", "062b00ea070217072d0a3ac011")
    assert found.value == pytest.approx(5.8)


def test_glucose_meter_out_of_range_and_control() -> None:
    high = "0e2b00ea070217072d0a3ac011" + "2000"
    assert read("2A18", high)[0].censoring == "above"
    assert read("2A18", high[:-4] + "4000")[0].censoring == "below"
    with pytest.raises(FormatError, match="both"):
        read("2A18", high[:-4] + "6000")
    with pytest.raises(InputError, match="control solution"):
        read("2A18", "062b00ea070217072d0a3ac01a")
    interstitial = read("2A18", "062b00ea070217072d0a3ac019")
    assert interstitial[0].variable == "interstitial_glucose"
    assert read("2A18", "002b00ea070217072d0a") == []


def crc(data: bytes) -> bytes:
    """The checksum by long division, one bit at a time (CRC-16/MCRF4XX)."""
    value = 0xFFFF
    for bit in (byte >> k & 1 for byte in data for k in range(8)):
        value = (value >> 1) ^ (0x8408 if (value ^ bit) & 1 else 0)
    return struct.pack("<H", value)


def test_glucose_sensor() -> None:
    assert crc(b"123456789") == struct.pack("<H", 0x6F91)
    start = NOW - 60 * MINUTE
    (found,) = read("2AA7", "060070000f00", sensor_start=start)
    assert (found.variable, found.at) == ("interstitial_glucose", start + 15 * MINUTE)
    two = read("2AA7", "060070000f00" + "072028001000" + "40", sensor_start=start)
    assert [o.censoring for o in two] == ["none", "below"]
    assert two[1].origin == "gatt:2AA7?below_range"
    with pytest.raises(TimeError, match="sensor_start"):
        read("2AA7", "060070000f00")


def test_glucose_sensor_checksum() -> None:
    body = bytes.fromhex("080070000f00")
    good = decode("2AA7", body + crc(body))
    assert isinstance(good, Cgm)
    assert good.checked
    for i in range(6):
        spoilt = bytearray(body + crc(body))
        spoilt[i] ^= 0x04
        with pytest.raises(FormatError):
            decode("2AA7", bytes(spoilt))


def test_thermometer() -> None:
    assert read("2A1C", "00730100ff")[0].value == pytest.approx(310.25)
    (found,) = read("2A1C", "05da0300ff08")
    assert found.value == pytest.approx((98.6 + 459.67) * 5 / 9)
    assert found.origin == "gatt:2A1C?toe"


@pytest.mark.parametrize("word", [0x07FF, 0x0800, 0x07FE, 0x0802, 0x0801])
def test_special_numbers_are_no_value(word: int) -> None:
    special = struct.pack("<H", word).hex()
    assert [o.variable for o in read("2A5F", "00" + special + "4200")] == ["pulse_rate"]
    assert read("2A35", "00" + special * 3) == []


@pytest.mark.parametrize("word", [0x007FFFFF, 0x00800000, 0x007FFFFE, 0x00800002, 0x00800001])
def test_special_long_numbers_are_no_value(word: int) -> None:
    assert read("2A1C", "00" + struct.pack("<I", word).hex()) == []


HOSTILE = {
    "empty rate": ("2A37", "", FormatError),
    "empty sensor": ("2AA7", "", FormatError),
    "rate cut in its number": ("2A37", "0150", FormatError),
    "half an interval": ("2A37", "105000", FormatError),
    "bytes too many": ("2A37", "005000", FormatError),
    "cuff cut": ("2A35", CUFF[:-2], FormatError),
    "cuff with bytes too many": ("2A35", CUFF + "00", FormatError),
    "month 13": ("2A35", "02800052006100ea070d17072d0a", TimeError),
    "hour 25": ("2A35", "02800052006100ea070217192d0a", TimeError),
    "rate of 65535": ("2A37", "01ffff", RangeError),
    "negative pressure": ("2A35", "00ff0f52006100", RangeError),
    "saturation of 120 %": ("2A5F", "0078004200", RangeError),
    "temperature of 1e133": ("2A1C", "00ffff7e7f", RangeError),
    "sensor size of 0": ("2AA7", "000070000f00", FormatError),
    "sensor size beyond": ("2AA7", "0f0070000f00", FormatError),
    "sensor size beside its flags": ("2AA7", "070070000f0000", FormatError),
    "year 65535": ("2A18", "000000ffff0101000000", TimeError),
    "offset before the calendar": ("2A18", "01000001000101000000" + "0080", TimeError),
}


@pytest.mark.parametrize(("uuid", "text", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(uuid: str, text: str, error: type[InputError]) -> None:
    with pytest.raises(error, match=f"gatt:{uuid}"):
        read(uuid, text, zone=0, sensor_start=NOW)


def test_uuids() -> None:
    for uuid in ("2a37", "0x2A37", "00002a37-0000-1000-8000-00805F9B34FB"):
        assert read(uuid, "0050")[0].origin == "gatt:2A37"
    for uuid in ("", "2A38", "2A37 ", "00002a37-0000-1000-8000-00805F9B34FC"):
        with pytest.raises(FormatError, match="not read"):
            read(uuid, "0050")


def test_instants_and_zones_that_cannot_be() -> None:
    with pytest.raises(RangeError, match="minutes, not hours"):
        read("2A37", "0050", zone=3600)
    with pytest.raises(TimeError):
        read_gatt("2A37", b"\x00\x50", subject="p", received=-1)
    with pytest.raises(TimeError):
        read("2A18", "062b0001000101000000" + "3ac011", zone=0)


@given(st.sampled_from(UUIDS), st.binary(max_size=40), st.sampled_from([None, 0, -300]))
def test_any_bytes_give_possible_values_or_a_sentence(
    uuid: str, payload: bytes, zone: int | None
) -> None:
    try:
        found = read_gatt(
            uuid, payload, subject="p", received=NOW, zone=zone, sensor_start=NOW - 10**15
        )
    except InputError:
        return
    assert all(0 <= o.at < 1 << 63 and o.value == o.value for o in found)
