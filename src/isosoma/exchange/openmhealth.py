"""Open mHealth data points and bodies of vital signs (openmhealth.org, IEEE 1752.1).

A data point has a header that names its schema; a bare body is known by what it measures. What
conforms but is no reading at an instant (a minimum over months, a part of a day, a count of steps)
is told, not taken: an instant is never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from msgspec import Raw

from isosoma.core.errors import FormatError, IdentityError, InputError, RangeError, TimeError
from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY, Variable, check_possible, si
from isosoma.exchange.fhir import Report
from isosoma.exchange.fhir_values import instant, number, text_of
from isosoma.exchange.openmhealth_schema import (
    DURATIONS,
    SCHEMAS,
    Number,
    Schema,
    check_body,
    schema_of,
)
from isosoma.exchange.strict_json import check_json

__all__ = ["LARGEST", "read_openmhealth", "report_openmhealth"]

LARGEST = 64 << 20
"""Bytes of one document."""

_HEADER_KEYS = {
    "id", "uuid", "schema_id", "creation_date_time", "source_creation_date_time", "modality",
    "acquisition_provenance", "acquisition_rate", "external_datasheets", "user_id",
}  # fmt: skip
_MODALITIES = ("sensed", "self-reported")
_NOT_BLOOD = ("breath", "lacrimal fluid", "saliva", "sweat", "tears", "urine")
_QUALIFIERS = ("body_posture", "position_during_measurement", "blood_specimen_type")


@dataclass(frozen=True, slots=True)
class _Header:
    """What is known of a body from its header; all empty for a bare one."""

    name: str = ""
    version: str = ""
    key: str = ""
    device: str = ""
    subject: str = ""
    modality: str = ""


def _refuse_constant(text: str) -> NoReturn:
    raise FormatError(f"{text} is no JSON number", todo="Leave out what has no value")


def _number(text: str) -> Number:
    return Number(*number(Raw(text.encode()), ""))


def _parse(body: bytes) -> Any:
    check_json(body, most=LARGEST)
    try:
        return json.loads(
            body.decode(), parse_float=_number, parse_int=_number, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise FormatError(f"is not JSON: {error}"[:200], todo="Send JSON") from None


def _header(found: Any) -> _Header:
    """Read a header of Open mHealth (id) or of IEEE 1752.1 (uuid).

    Raises
    ------
    FormatError, TimeError
        It names no schema, or holds what no header has.
    """
    if not isinstance(found, dict):
        raise FormatError("is no header", "header", "Send uuid, schema_id and time of creation")
    header: dict[str, Any] = found
    if unknown := [k for k in header if k not in _HEADER_KEYS]:
        raise FormatError("no header has this key", f"header.{unknown[0][:40]}", "Leave it out")
    name, version = _schema_id(header.get("schema_id"))
    source = header.get("acquisition_provenance", {})
    if not isinstance(source, dict):
        raise FormatError("is no object", "header.acquisition_provenance", "Send source_name in it")
    provenance: dict[str, Any] = source
    modality = provenance.get("modality", header.get("modality", "sensed"))
    if modality not in _MODALITIES:
        raise FormatError(
            f"{str(modality)[:20]!r} is no modality", "header", f"Send {' or '.join(_MODALITIES)}"
        )
    for times in (header, provenance):
        for key in ("creation_date_time", "source_creation_date_time"):
            _check_time(times.get(key), f"header.{key}")
    key = _text(header.get("uuid", header.get("id", "")), "header.uuid")
    device = _text(provenance.get("source_name", ""), "header.acquisition_provenance.source_name")
    return _Header(
        name, version, key, device, _text(header.get("user_id", ""), "header.user_id"),
        "" if modality == "sensed" else "self_reported",
    )  # fmt: skip


def _schema_id(found: Any) -> tuple[str, str]:
    where = "header.schema_id"
    if not isinstance(found, dict):
        raise FormatError("the header names no schema", where, "Send namespace, name and version")
    given: dict[str, Any] = found
    space, name, version = (
        _text(given.get(key, ""), f"{where}.{key}") for key in ("namespace", "name", "version")
    )
    if not (space and name and version):
        raise FormatError("the schema is not named in full", where, "Send namespace, name, version")
    return name if space == "omh" else f"{space}:{name}", version


def _text(found: Any, where: str) -> str:
    if not isinstance(found, str):
        raise FormatError("is no text", where, "Send a text")
    return text_of(found, where)


def _check_time(found: Any, where: str) -> None:
    if found is not None and instant(_text(found, where)) is None:
        raise TimeError("names a day but no time", where, "Send RFC 3339 with a zone")


def _parts(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and content of each data point or body; lists may hold many."""
    parts: list[Any] = document if isinstance(document, list) else [document]
    for i, part in enumerate(parts):
        path = f"[{i}]" if isinstance(document, list) else ""
        if not isinstance(part, dict):
            raise FormatError("is no data point", path, "Send objects with header and body")
        yield path, part


def _split(part: Mapping[str, Any]) -> tuple[_Header, Mapping[str, Any]]:
    if "header" not in part and "body" not in part:
        return _Header(), part
    body = part.get("body")
    if set(part) != {"header", "body"} or not isinstance(body, dict):
        raise FormatError("is no header with its body", todo="Send both, and no more")
    return _header(part["header"]), body  # pyright: ignore[reportUnknownVariableType]


def _schema(header: _Header, body: Mapping[str, Any]) -> Schema | str:
    """Return the schema of a body, or why it is not read."""
    if not header.name:
        found = schema_of(body)
        if found is None:
            raise FormatError(
                "measures nothing that is read", ", ".join(sorted(body))[:80],
                "Send a vital sign of Open mHealth",
            )  # fmt: skip
        return found
    named = SCHEMAS.get(header.name)
    if named is None:
        return f"schema {header.name} is not read"
    if header.version not in named.versions:
        return f"version {header.version} of schema {header.name} is not known"
    return named


def _when(frame: Mapping[str, Any] | None) -> tuple[int, int, str] | str:
    """Return instant [ns], zone [min east] and a flag, or why there is no instant.

    A reading over an interval counts at its start and is flagged ``period``.
    """
    if frame is None:
        return "names no time at which it was measured"
    if "date_time" in frame:
        return (*_instant(frame["date_time"]), "")
    span: Mapping[str, Any] = frame["time_interval"]
    if "date" in span:
        return "names a part of a day but no instant"
    length = _length(span.get("duration"))
    if "start_date_time" not in span:
        end, zone = _instant(span["end_date_time"])
        return end - length, zone, "period"
    start, zone = _instant(span["start_date_time"])
    if "end_date_time" in span and _instant(span["end_date_time"])[0] < start:
        raise TimeError(
            "the interval ends before it starts", "effective_time_frame", "Exchange the two"
        )
    return start, zone, "period"


def _instant(text: str) -> tuple[int, int]:
    found = instant(text)
    if found is None:  # check_body has refused it before
        raise TimeError(f"{text} is no instant", "effective_time_frame")
    return found


def _length(duration: Mapping[str, Any] | None) -> int:
    """Return a duration [ns]; 0 for none.

    Raises
    ------
    RangeError
        It is negative, or longer than the calendar.
    """
    if duration is None:
        return 0
    seconds = to_si(duration["value"].value, DURATIONS[duration["unit"]])
    if not 0.0 <= seconds < 1e10:
        raise RangeError("the duration cannot be", "effective_time_frame", "Check its unit")
    return round(seconds * 1e9)


def _variable(body: Mapping[str, Any], name: str) -> Variable | str:
    """Return the row of a measure, or why it has none; glucose depends on where it is measured."""
    if not name:
        return "is no variable of the vocabulary"
    source = body.get("specimen_source", "")
    if name == "glucose" and source in _NOT_BLOOD:
        return f"glucose in {source} is no variable of the vocabulary"
    if name == "glucose" and source == "interstitial fluid":
        return VOCABULARY["interstitial_glucose"]
    return VOCABULARY[name]


def _readings(
    schema: Schema, header: _Header, body: Mapping[str, Any], subject: str, received: int
) -> list[Observation] | str:
    """Return the readings of a body that conforms to its schema, or why it gives none."""
    if statistic := body.get("descriptive_statistic"):
        return f"is the {statistic} of several readings, not one"
    at = _when(body.get("effective_time_frame"))
    if isinstance(at, str):
        return at
    flags = [at[2], header.modality, *_notes(body)]
    note = ",".join(f.replace(" ", "_") for f in flags if f)
    version = f"-{header.version}" if header.version else ""
    place = f"openmhealth:{schema.name}{version}{'/' if header.key else ''}{header.key}"
    channel = body.get("measurement_location") or (
        "nibp" if schema.name == "blood-pressure" else ""
    )
    out: list[Observation] = []
    for measure in schema.measures:
        row = _variable(body, measure.variable)
        if isinstance(row, str):
            return row
        given = body[measure.key]
        code = measure.units[given["unit"]]
        try:
            value = check_possible(row, si(row, given["value"].value, code))
        except InputError as error:
            raise error.at(measure.key) from None
        out.append(
            Observation(
                subject, row.name, at[0], received, value, row.sigma, row.bias,
                device=header.device, channel=channel, zone=at[1],
                origin=f"{place}?{note}" if note else place,
                given=f"{given['value'].text} {code}",
            )
        )  # fmt: skip
    return out


def _notes(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a body says about the circumstances of a reading."""
    for key in sorted(body):
        if (
            key.startswith("temporal_relationship")
            or key in _QUALIFIERS
            or (key == "specimen_source" and body[key] != "interstitial fluid")
        ):
            yield body[key]
        elif key == "supplemental_oxygen_flow_rate":
            yield f"oxygen {body[key]['value'].text} L/min"


def _whose(named: str, subject: str | None) -> str:
    """Return the one patient of a document, given whom its headers name.

    Raises
    ------
    IdentityError
        None, or another than `subject`.
    """
    if subject is not None and named not in ("", subject):
        raise IdentityError(
            f"is about user {named!r}, not {subject[:80]!r}", "header.user_id",
            "Send it to that patient's record",
        )  # fmt: skip
    if not (subject or named):
        raise IdentityError("names no patient", todo="Give the subject")
    return subject or named


def _report(body: bytes, subject: str | None, received: int) -> Report:
    readings: list[Observation] = []
    not_read: list[str] = []
    users: set[str] = set()
    for path, part in _parts(_parse(body)):
        try:
            header, content = _split(part)
            users.add(header.subject)
            if len(users) > 1:
                raise IdentityError(
                    "the document mixes users", "header.user_id", "Send one user at a time"
                )
            who = _whose(header.subject, subject)
            schema = _schema(header, content)
            if not isinstance(schema, str):
                check_body(schema, header.version, content)
                schema = _readings(schema, header, content, who, received)
        except InputError as error:
            raise (error.at(path) if path else error) from None
        if isinstance(schema, str):
            not_read.append(f"{path or 'document'}: {schema}")
        else:
            readings += schema
    return Report(tuple(readings), tuple(not_read))


def report_openmhealth(
    body: bytes, *, subject: str | None, received: int, where: str = ""
) -> Report:
    """Return what a data point, a body or a list of them holds, and what of it was not taken.

    Parameters
    ----------
    subject : the patient; None takes the headers' ``user_id``.
    received : time of arrival [ns since 1970 UTC].
    where : name of the file, put before the places of errors.

    Raises
    ------
    FormatError, LimitError, UnitError, RangeError, TimeError
        A part does not conform to its schema, or cannot be; nothing of it is taken.
    IdentityError
        No patient, several, or another.
    """
    try:
        return _report(body, subject, received)
    except InputError as error:
        seen = error.at("Open mHealth")
        raise (seen.at(where) if where else seen) from None


def read_openmhealth(
    body: bytes, *, subject: str | None, received: int, where: str = ""
) -> list[Observation]:
    """Return the readings of a document; parameters and errors are those of `report_openmhealth`.

    Raises
    ------
    FormatError
        Also where not one reading could be taken; it says why the first was not.
    """
    report = report_openmhealth(body, subject=subject, received=received, where=where)
    if not report.readings:
        place = f"{where}: Open mHealth" if where else "Open mHealth"
        raise FormatError(
            f"holds no reading to take: {report.not_read[0]}", place, "Send readings at an instant"
        )
    return [r for r in report.readings if isinstance(r, Observation)]
