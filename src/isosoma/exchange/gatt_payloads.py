"""Bluetooth GATT payloads of pulse belts, cuffs, oximeters, glucose meters and thermometers.

`decode` reads one payload as its characteristic prints it; `gatt` makes observations of it.
IEEE 11073-20601 special numbers (not a number, not at this resolution, infinite) are no value.

References: Bluetooth SIG, GATT Specification Supplement; Heart Rate Service 1.0, Blood Pressure
Service 1.1, Pulse Oximeter Service 1.0, Glucose Service 1.0, Continuous Glucose Monitoring
Service 1.0, Health Thermometer Service 1.0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from isosoma.core.errors import FormatError, InputError, TimeError

__all__ = [
    "BloodPressure",
    "Cgm",
    "Glucose",
    "HeartRate",
    "Oximetry",
    "Reading",
    "Temperature",
    "decode",
    "short_uuid",
]

_LONG_UUID = re.compile(r"0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb", re.IGNORECASE)
_UNKNOWN_USER = 0xFF

# Status words by bit, spelt as the quality rules read them.
_CUFF = {0: "movement", 1: "cuff_loose", 2: "irregular_pulse", 5: "position"}
_PLX = {6: "early_estimate", 12: "calibration_ongoing", 14: "questionable_pulse"}
_SENSOR = {
    1: "equipment_malfunction", 2: "signal_processing_irregularity", 3: "inadequate_signal",
    4: "poor_signal", 5: "low_perfusion", 6: "erratic_signal", 7: "nonpulsatile_signal",
    8: "questionable_pulse", 11: "sensor_unconnected", 12: "unknown_sensor",
    13: "sensor_displaced", 14: "sensor_malfunction", 15: "sensor_disconnected",
}  # fmt: skip
_STRIP = {
    0: "battery_low", 1: "sensor_malfunction", 2: "sample_too_small", 3: "strip_insertion_error",
    4: "strip_type_wrong", 5: "above_range", 6: "below_range", 7: "too_hot", 8: "too_cold",
    9: "read_interrupted", 10: "device_fault", 11: "time_fault",
}  # fmt: skip
_CGM = {  # status octet, calibration octet, warning octet: 8 bits each
    0: "session_stopped", 1: "battery_low", 2: "sensor_type_wrong", 3: "sensor_malfunction",
    4: "device_alert", 5: "device_fault", 8: "time_fault", 9: "calibration_not_allowed",
    10: "calibration_recommended", 11: "calibration_required", 12: "too_hot", 13: "too_cold",
    16: "below_patient_low", 17: "above_patient_high", 18: "hypo", 19: "hyper",
    20: "falling_fast", 21: "rising_fast", 22: "below_range", 23: "above_range",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeartRate:
    """2A37. `hr` [/min], `rr_ms` oldest first [ms], `contact` None where not supported."""

    hr: int
    contact: bool | None
    rr_ms: tuple[float, ...]
    energy_kj: int | None


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """2A35. Pressures in `unit` (``mm[Hg]`` or ``kPa``), `pulse` [/min]; None where no value."""

    sys: float | None
    dia: float | None
    map: float | None
    unit: Literal["mm[Hg]", "kPa"]
    time: datetime | None
    pulse: float | None
    user: int | None
    status: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Oximetry:
    """2A5E, 2A5F. `spo2` [%], `pr` [/min], `perfusion` index [%]; None where no value."""

    spo2: float | None
    pr: float | None
    perfusion: float | None
    time: datetime | None
    status: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Glucose:
    """2A18. `value` in `unit` (``mg/dL`` or ``mmol/L``); `time` with the user's offset added."""

    seq: int
    time: datetime | None
    value: float | None
    unit: Literal["mg/dL", "mmol/L"]
    kind: int | None
    location: int | None
    status: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cgm:
    """2AA7. `value` [mg/dL], `offset_min` since the sensor's start [min], `trend` [mg/dL/min]."""

    size: int
    value: float | None
    offset_min: int
    trend: float | None
    quality: float | None
    status: tuple[str, ...]
    checked: bool


@dataclass(frozen=True, slots=True)
class Temperature:
    """2A1C. `value` in `unit` (``Cel`` or ``[degF]``)."""

    value: float | None
    unit: Literal["Cel", "[degF]"]
    time: datetime | None
    site: int | None


Reading = HeartRate | BloodPressure | Oximetry | Glucose | Cgm | Temperature


class _Cursor:
    """Takes little-endian fields off the front of a payload."""

    __slots__ = ("_at", "_bytes")

    def __init__(self, payload: bytes) -> None:
        self._bytes = payload
        self._at = 0

    def take(self, code: str, size: int) -> int:
        stop = self._at + size
        if stop > len(self._bytes):
            raise FormatError(
                f"the payload of {len(self._bytes)} bytes ends where byte {stop} is due",
                todo="Check that the whole notification arrived",
            )
        (value,) = struct.unpack_from(code, self._bytes, self._at)
        self._at = stop
        return int(value)

    def u8(self) -> int:
        return self.take("<B", 1)

    def u16(self) -> int:
        return self.take("<H", 2)

    def sfloat(self) -> float | None:
        """Return the 16-bit float m * 10^e, m 12 bit, e 4 bit; None where it is no value."""
        word = self.u16()
        if word in (0x07FF, 0x0800, 0x07FE, 0x0802, 0x0801):
            return None
        return _decimal((word & 0xFFF ^ 0x800) - 0x800, (word >> 12 ^ 8) - 8)

    def float32(self) -> float | None:
        """Return the 32-bit float m * 10^e, m 24 bit, e 8 bit; None where it is no value."""
        word = self.take("<I", 4)
        if word in (0x007FFFFF, 0x00800000, 0x007FFFFE, 0x00800002, 0x00800001):
            return None
        return _decimal((word & 0xFFFFFF ^ 0x800000) - 0x800000, (word >> 24 ^ 128) - 128)

    def clock(self) -> datetime | None:
        """Return the device's local date and time; None where the device does not know it."""
        year, month, day = self.u16(), self.u8(), self.u8()
        hour, minute, second = self.u8(), self.u8(), self.u8()
        if 0 in (year, month, day):
            return None
        try:
            # The device's clock has no zone; the caller gives it.
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
        except ValueError:
            raise TimeError(
                f"{year}-{month}-{day} {hour}:{minute}:{second} is no date and time",
                todo="Set the clock of the device",
            ) from None

    def left(self) -> int:
        return len(self._bytes) - self._at

    def end(self) -> None:
        if self.left():
            raise FormatError(
                f"{self.left()} bytes follow the end of the reading",
                todo="Check that the characteristic's UUID belongs to this payload",
            )


def _decimal(mantissa: int, exponent: int) -> float:
    """Return mantissa * 10^exponent; division keeps 371e-1 at 37.1."""
    return mantissa / 10**-exponent if exponent < 0 else float(mantissa * 10**exponent)


def _words(bits: int, names: dict[int, str]) -> tuple[str, ...]:
    return tuple(name for bit, name in names.items() if bits >> bit & 1) if bits else ()


def _heart_rate(c: _Cursor) -> HeartRate:
    flags = c.u8()
    hr = c.u16() if flags & 1 else c.u8()
    contact = bool(flags & 2) if flags & 4 else None
    energy = c.u16() if flags & 8 else None
    rr: list[float] = []
    while flags & 16 and c.left():
        rr.append(c.u16() * 1000 / 1024)
    return HeartRate(hr, contact, tuple(rr), energy)


def _blood_pressure(c: _Cursor) -> BloodPressure:
    flags = c.u8()
    high, low, mean = c.sfloat(), c.sfloat(), c.sfloat()
    time = c.clock() if flags & 2 else None
    pulse = c.sfloat() if flags & 4 else None
    user = c.u8() if flags & 8 else None
    bits = c.u16() if flags & 16 else 0
    status = _words(bits, _CUFF) + (("pulse_range",) if bits >> 3 & 3 else ())
    return BloodPressure(
        high,
        low,
        mean,
        "kPa" if flags & 1 else "mm[Hg]",
        time,
        pulse,
        None if user == _UNKNOWN_USER else user,
        status,
    )


def _plx_status(bits: int) -> tuple[tuple[str, ...], bool]:
    """Return the words of the measurement status and whether its numbers are measurements."""
    if bits >> 10 & 3:
        raise InputError(
            "the oximeter sends demonstration or test data, nobody's saturation",
            todo="Leave the device's demonstration mode",
        )
    return _words(bits, _PLX), not bits >> 13 & 0b101  # unavailable, invalid


def _oximetry(c: _Cursor, spot: bool) -> Oximetry:
    flags = c.u8()
    spo2, pulse = c.sfloat(), c.sfloat()
    if not spot:  # the fast and slow averages of the same light are no further measurements
        for present in (flags & 1, flags & 2):
            if present:
                c.sfloat()
                c.sfloat()
    time = c.clock() if spot and flags & 1 else None
    if not spot:
        flags >>= 1
    bits = c.u16() if flags & 2 else 0
    sensor = c.u16() | c.u8() << 16 if flags & 4 else 0
    perfusion = c.sfloat() if flags & 8 else None
    words, valid = _plx_status(bits)
    if spot and flags & 16:
        time = None  # "device clock is not set"
    status = tuple(dict.fromkeys(words + _words(sensor, _SENSOR)))
    if not valid:
        return Oximetry(None, None, None, time, status)
    return Oximetry(spo2, pulse, perfusion, time, status)


def _glucose(c: _Cursor) -> Glucose:
    flags, seq, time = c.u8(), c.u16(), c.clock()
    offset = c.take("<h", 2) if flags & 1 else 0
    value, place = (c.sfloat(), c.u8()) if flags & 2 else (None, None)
    status = _words(c.u16() if flags & 8 else 0, _STRIP)
    if time is not None:
        try:
            time += timedelta(minutes=offset)
        except OverflowError:
            raise TimeError(f"{time} and {offset} min lie beyond the calendar") from None
    if value is not None:
        value *= 1e3 if flags & 4 else 1e5
    kind, location = (None, None) if place is None else (place & 15, place >> 4)
    unit = "mmol/L" if flags & 4 else "mg/dL"
    return Glucose(seq, time, value, unit, kind, location, status)


def _crc16(data: bytes) -> int:
    """Return the E2E-CRC: polynomial x^16+x^12+x^5+1, reflected (0x8408), seed 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def _cgm(c: _Cursor, record: bytes) -> Cgm:
    size, flags = c.u8(), c.u8()
    if size != len(record):
        raise FormatError(f"the record says {size} bytes and has {len(record)}")
    value, offset = c.sfloat(), c.u16()
    bits = c.u8() if flags & 128 else 0
    bits |= c.u8() << 8 if flags & 64 else 0
    bits |= c.u8() << 16 if flags & 32 else 0
    trend = c.sfloat() if flags & 1 else None
    quality = c.sfloat() if flags & 2 else None
    checked = c.left() == 2
    if checked and c.u16() != _crc16(record[:-2]):
        raise FormatError(
            "the checksum of the glucose record does not fit it", todo="Ask for the record again"
        )
    return Cgm(size, value, offset, trend, quality, _words(bits, _CGM), checked)


def _temperature(c: _Cursor) -> Temperature:
    flags = c.u8()
    value = c.float32()
    time = c.clock() if flags & 2 else None
    site = c.u8() if flags & 4 else None
    return Temperature(value, "[degF]" if flags & 1 else "Cel", time, site)


_DECODERS: dict[str, Callable[[_Cursor, bytes], Reading]] = {
    "2A37": lambda c, _: _heart_rate(c),
    "2A35": lambda c, _: _blood_pressure(c),
    "2A5F": lambda c, _: _oximetry(c, spot=False),
    "2A5E": lambda c, _: _oximetry(c, spot=True),
    "2A18": lambda c, _: _glucose(c),
    "2AA7": _cgm,
    "2A1C": lambda c, _: _temperature(c),
}


def short_uuid(uuid: str) -> str:
    """Return the 16-bit UUID in capitals, of ``2a37``, ``0x2A37`` or the 128-bit form."""
    long = _LONG_UUID.fullmatch(uuid)
    short = (long.group(1) if long else uuid.removeprefix("0x")).upper()
    if short not in _DECODERS:
        raise FormatError(
            f"characteristic {uuid[:40]!r} is not read", todo=f"Send one of {', '.join(_DECODERS)}"
        )
    return short


def decode(uuid: str, payload: bytes) -> Reading:
    """Return one payload as its characteristic prints it.

    Parameters
    ----------
    uuid : of the characteristic, 16 bit (``2A37``) or the 128-bit form.
    payload : the whole value; for 2AA7 one record.

    Raises
    ------
    FormatError
        Unknown UUID, truncated, bytes too many, or a checksum that does not fit.
    TimeError
        A date that the calendar does not have.
    """
    short = short_uuid(uuid)
    cursor = _Cursor(payload)
    try:
        reading = _DECODERS[short](cursor, payload)
        cursor.end()
    except InputError as error:
        raise error.at(f"gatt:{short}") from None
    return reading
