"""Readings as a FHIR R4 Bundle, from which `read_fhir` makes the same readings again.

What R4 has no field for (channel, running number, spreads, flags) stands in one extension of ours
that others may pass over. Numbers are written in the unit they came in, or else the shown unit,
wherever that gives the same bits again, and in SI elsewhere.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import msgspec
from msgspec import Raw

from isosoma.core.errors import FormatError, IdentityError, InputError, RangeError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.units import convert
from isosoma.core.vocabulary import Variable, by_loinc, si, variable
from isosoma.exchange.fhir_schema import LOINC, OWN_CODES, OWN_EXTENSION, UCUM
from isosoma.exchange.fhir_values import LAST, text_of

__all__ = ["write_fhir"]

Resource = dict[str, Any]
Reading = Observation | Waveform

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?")
_COMPARATORS = {"below": "<=", "above": ">="}
_STATUSES = ("preliminary", "amended", "corrected")
_EXACT = Context(prec=30)


def _time(at: int, zone: int) -> str:
    """Return the instant in its zone, to the nanosecond."""
    if not 0 <= at < LAST or abs(zone) > 14 * 60:
        raise TimeError(f"{at} ns in zone {zone} min is no instant", todo="Check the clock")
    second, part = divmod(at, 10**9)
    local = (_EPOCH + timedelta(seconds=second, minutes=zone)).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f".{part:09d}".rstrip("0").rstrip(".")
    return f"{local}{digits}{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"


def _decimal(value: float) -> Raw:
    if not math.isfinite(value):
        raise RangeError(f"{value} is no number", todo="Leave the reading out")
    return Raw(repr(value).encode())


def _number(obs: Observation, row: Variable) -> tuple[str, str]:
    """Return digits and unit that give the value again, bit by bit."""
    text, _, unit = obs.given.rpartition(" ")
    if _NUMBER.fullmatch(text) and _gives(row, text, unit, obs.value):
        return text, unit
    shown = repr(convert(obs.value, row.unit, row.shown, row.molar_mass or None))
    if _gives(row, shown, row.shown, obs.value):
        return shown, row.shown
    return repr(obs.value), row.unit


def _gives(row: Variable, text: str, unit: str, value: float) -> bool:
    try:
        return si(row, float(text), unit) == value
    except InputError:
        return False  # the reading came in a unit that UCUM lacks; it is kept as `given`


def _coded(row: Variable) -> Resource:
    own = by_loinc(row.loinc) is row
    system, code = (LOINC, row.loinc) if own else (OWN_CODES, row.name)
    return {"coding": [{"system": system, "code": code, "display": row.label}]}


def _quantity(text: str, unit: str) -> Resource:
    return {"value": Raw(text.encode()), "unit": unit, "system": UCUM, "code": unit}


def _value(obs: Observation, row: Variable) -> tuple[Resource, dict[str, str | Raw]]:
    """Return the value, and what of the reading stands in our extension."""
    _decimal(obs.value)
    text, unit = _number(obs, row)
    value = _quantity(text, unit)
    if obs.censoring != "none":
        value["comparator"] = _COMPARATORS[obs.censoring]
    own: dict[str, str | Raw] = {}
    if obs.bias != row.bias:
        own["bias"] = _decimal(obs.bias)
    if obs.device_at:
        own["device_at"] = Raw(str(obs.device_at).encode())
    if obs.given and obs.given != f"{text} {unit}":
        own["given"] = text_of(obs.given, "given")
    return {"valueQuantity": value}, own


def _period(hz: float) -> str:
    """Return the time between samples [ms] with the digits that give `hz` again."""
    if not 0.0 < hz < math.inf:
        raise RangeError(f"{hz} samples per second", todo="Give the sampling rate")
    text = repr(1000.0 / hz)
    exact = float(1000 / Fraction(text)) == hz
    return text if exact else str(_EXACT.divide(Decimal(1000), Decimal(hz)))


def _samples(wave: Waveform, row: Variable) -> tuple[Resource, dict[str, str | Raw]]:
    """Return the samples as text, lost ones as E, and the count that fills these."""
    if not len(wave.samples):
        raise FormatError("a waveform without samples", todo="Leave it out")
    words = [str(s) for s in wave.samples.tolist()]
    fills: set[str] = set()
    for a, b in wave.missing:
        fills.update(words[a:b])
        words[a:b] = ["E"] * len(words[a:b])
    origin = repr(-wave.baseline * wave.scale) if wave.baseline else "0"
    data = {
        "origin": _quantity(origin, row.unit),
        "period": Raw(_period(wave.hz).encode()),
        "factor": _decimal(wave.scale),
        "dimensions": 1,
        "data": " ".join(words),
    }
    fill = fills.pop() if len(fills) == 1 else "0"
    return {"valueSampledData": data}, {} if fill == "0" else {"fill": Raw(fill.encode())}


def _subject(subject: str) -> Resource:
    if _ID.fullmatch(subject):
        return {"reference": f"Patient/{subject}"}
    return {"identifier": {"value": text_of(subject, "subject")}}


def _extension(fields: dict[str, str | Raw]) -> list[Resource]:
    inner = [
        {"url": name, "valueDecimal" if isinstance(value, Raw) else "valueString": value}
        for name, value in fields.items()
    ]
    return [{"url": OWN_EXTENSION, "extension": inner}] if inner else []


def _resource(reading: Reading) -> Resource:
    row = variable(reading.variable)
    if isinstance(reading, Waveform):
        (value, own), at = _samples(reading, row), reading.start
    else:
        (value, own), at = _value(reading, row), reading.at
    flags = [f for f in reading.origin.partition("?")[2].split(",") if f]
    status = flags.pop(0) if flags and flags[0] in _STATUSES else "final"
    if flags:
        own["flags"] = text_of(",".join(flags), "origin")
    if reading.channel:
        own["channel"] = text_of(reading.channel, "channel")
    if reading.seq != -1:
        own["seq"] = Raw(str(reading.seq).encode())
    if reading.sigma != row.sigma:
        own["sigma"] = _decimal(reading.sigma)
    resource = {
        "status": status,
        "code": _coded(row),
        "subject": _subject(reading.subject),
        "effectiveDateTime": _time(at, reading.zone),
        **value,
    }
    if reading.device:
        name = text_of(reading.device, "device")
        resource["device"] = {"identifier": {"system": "urn:isosoma:device", "value": name}}
    return {"extension": found, **resource} if (found := _extension(own)) else resource


def _entry(resource: Resource) -> Resource:
    """Name a resource by its content, so that the same reading has the same id in every export."""
    digest = hashlib.sha256(msgspec.json.encode(resource)).digest()
    name = str(uuid.UUID(bytes=digest[:16], version=4))
    whole = {"resourceType": "Observation", "id": name, **resource}
    return {"fullUrl": f"urn:uuid:{name}", "resource": whole}


def write_fhir(readings: Iterable[Reading]) -> bytes:
    """Return a Bundle of type collection; a reading given twice is written once.

    Parameters
    ----------
    readings : of one subject. Kept: all but `received` and, of `origin`, the flags alone. A lost
        sample keeps its count only where all lost samples of the block have the same.

    Raises
    ------
    IdentityError
        Readings of no or of several subjects.
    FormatError, RangeError, TimeError, VocabularyError
        A reading that FHIR cannot hold: not finite, without samples, a name with control signs.
    """
    entries: dict[str, Resource] = {}
    subjects: set[str] = set()
    for i, reading in enumerate(readings):
        subjects.add(reading.subject)
        try:
            entry = _entry(_resource(reading))
        except InputError as error:
            raise error.at(f"reading {i + 1}") from None
        entries[entry["fullUrl"]] = entry
    if len(subjects) != 1 or "" in subjects:
        raise IdentityError(
            f"readings of {len(subjects - {''})} patients", todo="Write one patient at a time"
        )
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": list(entries.values())}
    return msgspec.json.encode(bundle)
