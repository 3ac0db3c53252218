"""What the Open mHealth schemas of vital signs allow, by name and version, as one table.

The schemas (openmhealth/schemas, Apache-2.0) let a body carry any further key; here a key that no
version of its schema has is refused, since a misspelt one would be dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isosoma.core.errors import FormatError, TimeError, UnitError
from isosoma.exchange.fhir_values import instant

__all__ = ["DURATIONS", "SCHEMAS", "Measure", "Number", "Schema", "check_body", "schema_of"]

Json = Any  # what a JSON text holds: str, bool, Number, list or dict
NEVER = 99


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number and how it was written."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured property of a body.

    Attributes
    ----------
    key : its name in the body.
    variable : row of the vocabulary; empty where there is none, so that it is told, not taken.
    units : unit as the schema writes it → UCUM code.
    bare_until : last major version in which it is a number without unit; 0 for never.
    """

    key: str
    variable: str
    units: Mapping[str, str]
    bare_until: int = 0


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema in all its versions.

    Attributes
    ----------
    timed : first major version that requires a time.
    ieee : first major version with the time frame of IEEE 1752.1, which knows no parts of a day.
    words : key → values it may have; None for any text.
    spans : first major version in which the time must be an interval.
    """

    name: str
    versions: tuple[str, ...]
    measures: tuple[Measure, ...]
    timed: int
    ieee: int = NEVER
    words: Mapping[str, frozenset[str] | None] = field(default_factory=dict[str, Any])
    spans: int = NEVER


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


_MEAL = _words(
    "fasting|not fasting|before meal|after meal|before breakfast|after breakfast|before lunch|"
    "after lunch|before dinner|after dinner|2 hours postprandial"
)
_SLEEP = _words("before sleeping|during sleep|on waking")
_ACTIVITY = _words("at rest|active|before exercise|after exercise|during exercise")
_POSTURE = _words("sitting|lying down|standing|semi-recumbent")
_BLOOD = _words("whole blood|plasma|serum")
_SPECIMEN = _BLOOD | _words(
    "breath|capillary blood|interstitial fluid|lacrimal fluid|saliva|sweat|tears|urine"
)
_PLACE = _words(
    "left ankle|right ankle|left hip|right hip|left thigh|right thigh|left thorax|"
    "middle left thorax|left upper arm|right upper arm|left wrist|right wrist"
)
_ORIFICE = _words("axillary|finger|forehead|oral|rectal|temporal artery|toe|tympanic|wrist|vagina")
_STATISTIC = _words(
    "average|maximum|minimum|standard deviation|variance|sum|median|count|quartile deviation|"
    "80th percentile|lower quartile|upper quartile|1st quintile|2nd quintile|3rd quintile|"
    "4th quintile"
)
_PARTS_OF_DAY = _words("morning|afternoon|evening|night")
_COMMON: dict[str, frozenset[str] | None] = {
    "descriptive_statistic": _STATISTIC, "user_notes": None,
}  # fmt: skip
DURATIONS = {
    "ps": "ps", "ns": "ns", "us": "us", "ms": "ms", "sec": "s", "min": "min", "h": "h", "d": "d",
    "wk": "wk", "Mo": "mo", "yr": "a",
}  # fmt: skip
"""Units of time as the schemas write them → UCUM codes."""

_MASS = {
    "ug": "ug", "mg": "mg", "g": "g", "kg": "kg", "Metric Ton": "t", "oz": "[oz_av]",
    "lb": "[lb_av]",
}  # fmt: skip
_LENGTH = {"mm": "mm", "cm": "cm", "m": "m", "in": "[in_i]", "ft": "[ft_i]"}
_MMHG = {"mmHg": "mm[Hg]"}


def _schema(
    name: str, versions: str, measures: tuple[Measure, ...], timed: int, ieee: int = NEVER,
    spans: int = NEVER, **words: frozenset[str] | None,
) -> Schema:  # fmt: skip
    return Schema(name, tuple(versions.split()), measures, timed, ieee, {**_COMMON, **words}, spans)


SCHEMAS: Mapping[str, Schema] = {
    s.name: s
    for s in (
        _schema(
            "blood-glucose", "1.0 2.0 3.0 4.0",
            (Measure("blood_glucose", "glucose", {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}),), 3, 4,
            blood_specimen_type=_BLOOD, specimen_source=_SPECIMEN,
            temporal_relationship_to_meal=_MEAL, temporal_relationship_to_sleep=_SLEEP,
        ),
        _schema(
            "blood-pressure", "1.0 2.0 3.0 3.1 4.0",
            (
                Measure("systolic_blood_pressure", "systolic_pressure", _MMHG),
                Measure("diastolic_blood_pressure", "diastolic_pressure", _MMHG),
            ), 3, 4,
            position_during_measurement=_POSTURE, body_posture=_POSTURE,
            measurement_location=_PLACE, temporal_relationship_to_physical_activity=_ACTIVITY,
        ),
        _schema(
            "body-temperature", "1.0 2.0 3.0 4.0",
            (Measure("body_temperature", "body_temperature",
                     {"K": "K", "C": "Cel", "F": "[degF]"}),), 2, 4,
            measurement_location=_ORIFICE, temporal_relationship_to_sleep=_SLEEP,
        ),
        _schema("body-weight", "1.0 2.0 3.0", (Measure("body_weight", "body_weight", _MASS),), 2,
                3),
        _schema("body-height", "1.0 2.0", (Measure("body_height", "body_height", _LENGTH),), 2, 2),
        _schema(
            "heart-rate", "1.0 1.1 2.0",
            (Measure("heart_rate", "heart_rate", {"beats/min": "/min"}),), 2,
            temporal_relationship_to_physical_activity=_ACTIVITY,
            temporal_relationship_to_sleep=_SLEEP,
        ),
        _schema(
            "oxygen-saturation", "1.0 2.0",
            (Measure("oxygen_saturation", "oxygen_saturation", {"%": "%"}),), 2,
            system=_words("peripheral capillary"), measurement_method=_words("pulse oximetry"),
            oxygen_therapy_mode_of_administration=_words("nasal cannula"),
        ),
        _schema(
            "respiratory-rate", "1.0 2.0",
            (Measure("respiratory_rate", "breathing_rate", {"breaths/min": "/min"}),), 2,
            temporal_relationship_to_physical_activity=_ACTIVITY,
        ),
        _schema(
            "rr-interval", "1.0", (Measure("rr_interval", "rr_interval", DURATIONS),), 2,
            temporal_relationship_to_physical_activity=_ACTIVITY,
        ),
        _schema(
            "step-count", "1.0 2.0 3.0",
            (Measure("step_count", "", {"steps": "{steps}"}, bare_until=2),), 2, spans=2,
            descriptive_statistic_denominator=None,
        ),
    )
}  # fmt: skip
"""Every schema that is read, by its name in namespace ``omh``."""

_OXYGEN = Measure("supplemental_oxygen_flow_rate", "", {"L/min": "L/min"})
_BY_KEY = {m.key: s for s in SCHEMAS.values() for m in s.measures}


def schema_of(body: Mapping[str, Json]) -> Schema | None:
    """Return the schema whose measured property a bare body has, or None."""
    return next((_BY_KEY[key] for key in body if key in _BY_KEY), None)


def _major(schema: Schema, version: str) -> int:
    """Return the major version; 0, which requires least, where a bare body names none."""
    return int(version.split(".", maxsplit=1)[0]) if version in schema.versions else 0


def check_body(schema: Schema, version: str, body: Mapping[str, Json]) -> None:
    """Return if a body conforms to its schema.

    Parameters
    ----------
    version : ``4.0``; empty for a body that names none, of which least is required.

    Raises
    ------
    FormatError, UnitError, TimeError
        It does not.
    """
    major = _major(schema, version)
    for measure in schema.measures:
        if not (measure.bare_until >= max(major, 1) and isinstance(body.get(measure.key), Number)):
            _check_measure(body.get(measure.key), measure, 1 <= major <= measure.bare_until)
    frame = body.get("effective_time_frame")
    if frame is not None:
        _check_frame(frame, schema, major)
    elif major >= schema.timed:
        raise TimeError("has no time", "effective_time_frame", f"{schema.name} requires one")
    known = {m.key for m in schema.measures} | {"effective_time_frame"}
    for key in body:
        if key == _OXYGEN.key and schema.name == "oxygen-saturation":
            _check_measure(body[key], _OXYGEN)
        elif key not in known:
            _check_words(schema, key, body[key])


def _check_measure(found: Json, measure: Measure, bare: bool = False) -> None:
    """Check a value with its unit; where it must be `bare`, it is none."""
    if bare:
        raise FormatError("is no number", measure.key, "Send a JSON number")
    if not isinstance(found, dict):
        raise FormatError("has no value with a unit", measure.key, 'Send {"value": …, "unit": …}')
    if set(found) != {"value", "unit"}:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError("is no pair of value and unit", measure.key, "Send both, and no more")
    unit: Json = found["unit"]
    if not isinstance(found["value"], Number):
        raise FormatError("is no number", f"{measure.key}.value", "Send a JSON number, not a text")
    if not isinstance(unit, str) or unit not in measure.units:
        raise UnitError(
            f"{str(unit)[:20]!r} is no unit of it", f"{measure.key}.unit",
            f"Send one of {', '.join(measure.units)}",
        )  # fmt: skip


def _check_words(schema: Schema, key: str, found: Json) -> None:
    if key not in schema.words:
        raise FormatError("no version of the schema has this key", key[:40], "Leave it out")
    words = schema.words[key]
    if not isinstance(found, str) or (words is not None and found not in words):
        allowed = "a text" if words is None else " or ".join(sorted(words))
        raise FormatError(f"{str(found)[:30]!r} is no value of it", key, f"Send {allowed}")


def _check_frame(frame: Json, schema: Schema, major: int) -> None:
    """Check a time frame: a point in time, or an interval by two of its ends and length."""
    keys = set(frame) if isinstance(frame, dict) else set()  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
    where = "effective_time_frame"
    if keys == {"date_time"}:
        if major >= schema.spans:
            raise TimeError("must be an interval", where, "Send a time_interval")
        _check_instant(frame["date_time"], f"{where}.date_time")
    elif keys == {"time_interval"}:
        _check_interval(frame["time_interval"], f"{where}.time_interval", major < schema.ieee)
    else:
        raise TimeError("is neither a date_time nor a time_interval", where, "Send one of them")


_INTERVALS = (
    {"start_date_time", "end_date_time"}, {"start_date_time", "duration"},
    {"end_date_time", "duration"},
)  # fmt: skip


def _check_interval(found: Json, where: str, with_parts: bool) -> None:
    keys = set(found) if isinstance(found, dict) else set()  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
    if with_parts and keys == {"date", "part_of_day"}:
        _check_part(found["date"], found["part_of_day"], where)
        return
    if keys not in _INTERVALS:
        raise TimeError("is no interval", where, "Send a start_date_time and an end_date_time")
    for key in sorted(keys - {"duration"}):
        _check_instant(found[key], f"{where}.{key}")
    if "duration" in keys:
        _check_measure(found["duration"], Measure(f"{where}.duration", "", DURATIONS))


def _check_part(day: Json, part: Json, where: str) -> None:
    text = f"{day}T00:00:00Z" if isinstance(day, str) else ""
    _check_instant(text, f"{where}.date")
    if part not in _PARTS_OF_DAY:
        raise TimeError(f"{str(part)[:20]!r} is no part of a day", where, "Send morning or so")


def _check_instant(found: Json, where: str) -> None:
    try:
        at = instant(found if isinstance(found, str) else "")
    except TimeError as error:
        raise error.at(where) from None
    if at is None:
        raise TimeError("names a day but no time", where, "Send RFC 3339 with a zone")
