"""Apple Health's ``export.xml``, read as a stream.

The export repeats the two records of each blood pressure reading beside their `Correlation`: only
those inside count. Oxygen saturation is written as a fraction though its unit says ``%``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from isosoma.core.errors import FormatError, IdentityError, InputError, LimitError, TimeError
from isosoma.core.observation import Observation
from isosoma.core.units import read_unit
from isosoma.core.vocabulary import VOCABULARY, check_possible, si

__all__ = ["read_healthkit"]

_CHUNK = 1 << 16
_MAX_DEPTH = 12
_MAX_TEXT = 1 << 16
_MAX_TOKEN = 1 << 20  # bytes that the parser holds back until an element is whole
_LAST = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?")
_PREFIX = "HKQuantityTypeIdentifier"
_TYPES = {
    "HeartRate": "heart_rate", "OxygenSaturation": "oxygen_saturation",
    "BloodPressureSystolic": "systolic_pressure", "BloodPressureDiastolic": "diastolic_pressure",
    "RespiratoryRate": "breathing_rate", "BodyTemperature": "body_temperature",
    "BodyMass": "body_weight", "Height": "body_height", "BloodGlucose": "glucose",
}  # fmt: skip
_PRESSURES = ("systolic_pressure", "diastolic_pressure")
_UNITS = {
    "count/min": "/min", "degC": "Cel", "degF": "[degF]", "lb": "[lb_av]", "ft": "[ft_i]",
    "in": "[in_i]", "mmol<180.1558800000541>/L": "mmol/L",
}  # fmt: skip

Attributes = dict[str, str]


def _instant(text: str) -> tuple[int, int]:
    """Return ``2026-02-23 07:45:10 +0100`` as [ns since 1970 UTC] and its zone [min east]."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise TimeError(f"{text[:40]!r} is no time with a zone", todo="Export the data again")
    *numbers, sign, hours, minutes = found.groups()
    zone = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
    year, month, day, hour, minute, second = (int(n) for n in numbers)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise TimeError(f"{text} is no date and time") from None
    at = ((local - _EPOCH) // timedelta(seconds=1) - zone * 60) * 1_000_000_000
    if not 0 <= at < _LAST or abs(zone) > 14 * 60:
        raise TimeError(f"{text} lies outside 1970 to 2262, or beyond every zone")
    return at, zone


def _si(name: str, text: str, unit: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise FormatError(f"{text[:30]!r} is no number")
    value = float(text)
    row = VOCABULARY[name]
    code = "1" if name == "oxygen_saturation" and value <= 1.0 else _UNITS.get(unit, unit)
    return check_possible(row, si(row, value, read_unit(code).code))


def _observation(record: Attributes, name: str, like: Observation) -> Observation:
    at, zone = _instant(record.get("startDate", ""))
    row = VOCABULARY[name]
    value, unit = record.get("value", ""), record.get("unit", "")
    return replace(
        like,
        variable=name,
        at=at,
        value=_si(name, value, unit),
        sigma=row.sigma,
        bias=row.bias,
        device=record.get("sourceName", "")[:64],
        channel="nibp" if name in _PRESSURES else "",
        origin=f"healthkit:{record.get('type', '')}",
        zone=zone,
        given=f"{value} {unit}",
    )


class _Reader:
    """Turns the parser's events into observations; keeps only the element it stands in."""

    def __init__(self, like: Observation) -> None:
        self.like = like
        self.path: list[str] = []
        self.out: list[Observation] = []
        self.alone: list[Observation] = []  # pressures outside a correlation, until the end
        self.paired: set[tuple[str, int, str]] = set()

    def start(self, name: str, attributes: Attributes) -> None:
        if not self.path and name != "HealthData":
            raise FormatError(f"the document is {name[:40]!r}, not HealthData")
        if len(self.path) >= _MAX_DEPTH:
            raise LimitError(f"elements nested over {_MAX_DEPTH} deep")
        if sum(map(len, attributes.values())) > _MAX_TEXT:
            raise LimitError("an element of over 64 KiB")
        if name == "Record":
            self._record(attributes)
        self.path.append(name)

    def end(self, _name: str) -> None:
        self.path.pop()

    def _record(self, record: Attributes) -> None:
        kind = record.get("type", "")
        name = _TYPES.get(kind.removeprefix(_PREFIX)) if kind.startswith(_PREFIX) else None
        if name is None:
            return
        found = _observation(record, name, self.like)
        if name not in _PRESSURES:
            self.out.append(found)
        elif "Correlation" not in self.path:
            self.alone.append(found)
        elif (key := _key(found)) not in self.paired:
            self.paired.add(key)
            self.out.append(found)

    def unpaired(self) -> list[Observation]:
        """Return the pressures that no correlation repeats."""
        return [o for o in self.alone if _key(o) not in self.paired]


def _key(obs: Observation) -> tuple[str, int, str]:
    return (obs.variable, obs.at, f"{obs.device} {obs.value!r}")


def _refuse_entity(*_: object) -> NoReturn:
    raise FormatError("the document declares entities", todo="Export the data again")


def read_healthkit(
    path: str | Path, *, subject: str | None, received: int
) -> Iterator[Observation]:
    """Yield the readings of an export; types that the vocabulary lacks are passed over.

    Parameters
    ----------
    subject : whose export it is; the file names nobody, so it must be given.
    received : time of arrival [ns since 1970 UTC].

    Raises
    ------
    IdentityError
        No subject.
    FormatError, LimitError, UnitError, RangeError, TimeError
        With the line. Readings before that line have been yielded.
    """
    file = Path(path)
    if subject is None:
        raise IdentityError("a Health export names no patient", file.name, "Give the subject")
    reader = _Reader(Observation(subject, "", 0, received, 0.0, 0.0))
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_entity
    fed = 0
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - parser.CurrentByteIndex > _MAX_TOKEN:
                    raise LimitError("an element of over 1 MiB", todo="Export the data again")
                yield from reader.out
                reader.out.clear()
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter: unknown encodings
        raise FormatError(f"is no XML: {error}", file.name, "Export the data again") from None
    except InputError as error:
        raise error.at(f"{file.name} line {parser.CurrentLineNumber}") from None
    except OSError as error:
        raise FormatError("cannot be opened", file.name, "Check the name") from error
    yield from reader.unpaired()
