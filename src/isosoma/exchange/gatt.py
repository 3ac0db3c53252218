"""Observations from Bluetooth GATT notifications and indications (signals reference, section 5.1).

A GATT clock shows local time and knows no zone: without one the time of arrival stands for the
event, and the device's own clock is kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from isosoma.core.errors import FormatError, IdentityError, InputError, RangeError, TimeError
from isosoma.core.observation import Censoring, Observation
from isosoma.core.vocabulary import VOCABULARY, check_possible, si
from isosoma.exchange.gatt_payloads import (
    BloodPressure,
    Cgm,
    Glucose,
    HeartRate,
    Oximetry,
    Temperature,
    decode,
    short_uuid,
)

__all__ = ["read_gatt"]

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (the device's clock has no zone)
_LAST = 1 << 63  # [ns], the year 2262
_LONGEST_ZONE = 14 * 60  # [min] east; west at most 12 h

_CHANNELS = {
    "2A37": "hr", "2A35": "nibp", "2A5F": "plx", "2A5E": "plx", "2A18": "strip", "2AA7": "cgm",
    "2A1C": "thermometer",
}  # fmt: skip
_SITES = {
    1: "armpit", 2: "body", 3: "ear", 4: "finger", 5: "gut", 6: "mouth", 7: "rectum", 8: "toe",
    9: "tympanum",
}  # fmt: skip
_SAMPLES = {
    1: "capillary_blood", 2: "capillary_plasma", 3: "venous_blood", 4: "venous_plasma",
    5: "arterial_blood", 6: "arterial_plasma", 7: "whole_blood", 8: "plasma", 9: "interstitial",
}  # fmt: skip
_INTERSTITIAL, _CONTROL, _CONTROL_PLACE = 9, 10, 4

Number = tuple[str, float | None, str]
"""Variable, value or None, UCUM unit."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What all kinds of payload share before they become observations."""

    numbers: tuple[Number, ...]
    flags: tuple[str, ...] = ()
    time: datetime | None = None
    ago: tuple[int, ...] = ()  # [ns] before the event, one for each number
    censoring: Censoring = "none"
    seq: int = -1


def _rate(p: HeartRate) -> _Reading:
    """The last interval ends now; each earlier one ended where the next began."""
    ago, passed = [0], 0
    for rr in reversed(p.rr_ms):
        ago.append(passed)
        passed += round(rr * 1e6)
    numbers = [("rr_interval", rr, "ms") for rr in p.rr_ms]
    flags = ("no_contact",) if p.contact is False else ()
    return _Reading(
        (("heart_rate", float(p.hr), "/min"), *numbers), flags, ago=(0, *reversed(ago[1:]))
    )


def _pressure(p: BloodPressure, user: int | None) -> _Reading:
    if user is not None and p.user is not None and p.user != user:
        raise IdentityError(
            f"the cuff measured its user {p.user}, not user {user}",
            todo="Give the reading to the person the cuff measured",
        )
    numbers = (
        ("systolic_pressure", p.sys, p.unit),
        ("diastolic_pressure", p.dia, p.unit),
        ("mean_arterial_pressure", p.map, p.unit),
        ("pulse_rate", p.pulse, "/min"),
    )
    return _Reading(numbers, p.status, p.time)


def _oximetry(p: Oximetry) -> _Reading:
    numbers = (
        ("oxygen_saturation", p.spo2, "%"),
        ("pulse_rate", p.pr, "/min"),
        ("perfusion_index", p.perfusion, "%"),
    )
    return _Reading(numbers, p.status, p.time)


def _censoring(status: tuple[str, ...]) -> Censoring:
    if "below_range" in status and "above_range" in status:
        raise FormatError("the meter reports a value both below and above its range")
    return "below" if "below_range" in status else "above" if "above_range" in status else "none"


def _glucose(p: Glucose) -> _Reading:
    if p.kind == _CONTROL or p.location == _CONTROL_PLACE:
        raise InputError(
            "the meter measured control solution, nobody's blood",
            todo="Leave control readings out of a patient's record",
        )
    name = "interstitial_glucose" if p.kind == _INTERSTITIAL else "glucose"
    sample = _SAMPLES.get(p.kind or 0)
    flags = (sample, *p.status) if sample else p.status
    time = None if "time_fault" in p.status else p.time
    numbers = ((name, p.value, p.unit),)
    return _Reading(numbers, flags, time, censoring=_censoring(p.status), seq=p.seq)


def _temperature(p: Temperature) -> _Reading:
    site = _SITES.get(p.site or 0)
    numbers = (("body_temperature", p.value, p.unit),)
    return _Reading(numbers, (site,) if site else (), p.time)


def _cgm(p: Cgm) -> _Reading:
    numbers = (("interstitial_glucose", p.value, "mg/dL"),)
    return _Reading(numbers, p.status, censoring=_censoring(p.status), seq=p.offset_min)


def _records(uuid: str, payload: bytes) -> list[bytes]:
    """Split a CGM notification, which may hold several records; each begins with its size."""
    if uuid != "2AA7":
        return [payload]
    records: list[bytes] = []
    rest = payload
    while rest:
        size = rest[0]
        if not 6 <= size <= len(rest):
            raise FormatError(
                f"a glucose record of {size} bytes in the {len(rest)} that are left",
                "gatt:2AA7",
                "Check that the whole notification arrived",
            )
        records.append(rest[:size])
        rest = rest[size:]
    if not records:
        raise FormatError("the payload is empty", "gatt:2AA7")
    return records


def _times(
    reading: _Reading, received: int, zone: int | None, clock_to_utc: Callable[[int], int] | None
) -> tuple[int, int]:
    """Return event time and the device's own clock read as if it were UTC [ns]; 0 for none."""
    if reading.time is None:
        return received, 0
    own = int((reading.time - _EPOCH).total_seconds()) * _SECOND
    if clock_to_utc is not None:
        return clock_to_utc(own), own
    return (received if zone is None else own - zone * _MINUTE), own


def _observations(reading: _Reading, at: int, like: Observation) -> list[Observation]:
    """Return one observation for each number that is a value, in SI, checked for possibility."""
    out: list[Observation] = []
    for i, (name, value, unit) in enumerate(reading.numbers):
        if value is None:
            continue
        row = VOCABULARY[name]
        out.append(
            replace(
                like,
                variable=name,
                at=at - (reading.ago[i] if reading.ago else 0),
                value=check_possible(row, si(row, value, unit)),
                sigma=row.sigma,
                bias=row.bias,
                given=f"{value:.10g} {unit}",
            )
        )
    return out


def _take(
    uuid: str, payload: bytes, user: int | None, sensor_start: int | None
) -> tuple[_Reading, int]:
    """Return the reading and, for a glucose sensor, its event time [ns]; -1 elsewhere."""
    match decode(uuid, payload):
        case HeartRate() as p:
            return _rate(p), -1
        case BloodPressure() as p:
            return _pressure(p, user), -1
        case Oximetry() as p:
            return _oximetry(p), -1
        case Glucose() as p:
            return _glucose(p), -1
        case Temperature() as p:
            return _temperature(p), -1
        case Cgm() as p:
            if sensor_start is None:
                raise TimeError(
                    "a glucose sensor counts minutes from its start, which is not given",
                    todo="Read characteristic 2AAA and give sensor_start",
                )
            return _cgm(p), sensor_start + p.offset_min * _MINUTE


def _check(received: int, zone: int | None, sensor_start: int | None) -> None:
    for name, instant in (("received", received), ("sensor_start", sensor_start or 0)):
        if not 0 <= instant < _LAST:
            raise TimeError(f"{name} of {instant} ns is no instant", todo="Give ns since 1970 UTC")
    if zone is not None and not -12 * 60 <= zone <= _LONGEST_ZONE:
        raise RangeError(f"no clock is {zone} min east of UTC", todo="Give minutes, not hours")


def read_gatt(
    uuid: str,
    payload: bytes,
    *,
    subject: str,
    received: int,
    device: str = "",
    zone: int | None = None,
    clock_to_utc: Callable[[int], int] | None = None,
    sensor_start: int | None = None,
    user: int | None = None,
) -> list[Observation]:
    """Return the observations of one notification or indication.

    Parameters
    ----------
    uuid : 2A37, 2A35, 2A5E, 2A5F, 2A18, 2AA7 or 2A1C; 16 bit or 128 bit.
    payload : the value as it arrived; 2AA7 may hold several records.
    received : time of arrival [ns since 1970 UTC].
    zone : of the device's clock [min east of UTC]; without it `received` is the event time.
    clock_to_utc : from the device's local clock, read as UTC [ns], to UTC [ns]; goes before `zone`.
    sensor_start : of a glucose sensor's session [ns since 1970 UTC]; 2AA7 needs it.
    user : number of the cuff's user whose readings are wanted; others are refused.

    Returns
    -------
    One for each number that is a value; none for a failed measurement. `origin` carries the
    device's status words (``gatt:2A35?movement,irregular_pulse``); the `seq` of a glucose
    sensor is its minute.

    Raises
    ------
    FormatError, TimeError, RangeError
        Not such a payload, no such date, or a value that no body can have.
    IdentityError
        The cuff measured another of its users.
    InputError
        Control solution or demonstration data, which is no patient's.
    """
    short = short_uuid(uuid)
    _check(received, zone, sensor_start)
    out: list[Observation] = []
    for record in _records(short, payload):
        try:
            reading, counted = _take(short, record, user, sensor_start)
            at, own = _times(reading, received, zone, clock_to_utc)
            at = counted if counted >= 0 else at
            if not 0 <= at < _LAST:
                raise TimeError(f"event time of {at} ns is no instant", todo="Check the clock")
            flags = ",".join(reading.flags)
            like = Observation(
                subject, "", at, received, 0.0, 0.0,
                censoring=reading.censoring, device=device, channel=_CHANNELS[short],
                seq=reading.seq, zone=zone or 0, device_at=own,
                origin=f"gatt:{short}?{flags}" if flags else f"gatt:{short}",
            )  # fmt: skip
            out += _observations(reading, at, like)
        except InputError as error:
            raise error if error.where else error.at(f"gatt:{short}") from None
    return out
