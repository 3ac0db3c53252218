"""FHIR R4 observations: one, or a bundle of them, as monitors and gateways send telemetry.

Typed at the parser: a field that R4 does not have, a key that stands twice or a text in a number's
place is refused. What is well made but gives no reading (another status, a code the vocabulary
lacks, a missing value) is told. Units are UCUM codes and converted once.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from operator import attrgetter

from msgspec import UNSET, DecodeError, Struct, ValidationError
from msgspec.json import Decoder

from isosoma.core.errors import FormatError, InputError, LimitError, RangeError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.vocabulary import Variable
from isosoma.exchange import fhir_schema as schema
from isosoma.exchange.fhir_bundle import Directory, device_name, held, path_of, whose
from isosoma.exchange.fhir_sampled import sampled
from isosoma.exchange.fhir_values import (
    Source,
    code_of,
    own_fields,
    quantity,
    text_of,
    when,
)
from isosoma.exchange.strict_json import check_json, place

__all__ = ["LARGEST", "Report", "read_fhir", "report_fhir"]

Reading = Observation | Waveform

LARGEST = 64 << 20
"""Bytes of one document."""

_FLAGS = {"final": "", "amended": "amended", "corrected": "corrected", "preliminary": "preliminary"}
_REFUSED = {
    "registered": "is only registered", "cancelled": "was cancelled",
    "entered-in-error": "was entered in error", "unknown": "has a status nobody knows",
}  # fmt: skip
_CHANGES = re.compile(rb'"(modifierExtension|implicitRules)"\s*:')
_HEAD = re.compile(rb'\s*{\s*"resourceType"\s*:\s*"([A-Za-z]{1,64})"')
_VALUES = (
    "valueQuantity", "valueSampledData", "valueCodeableConcept", "valueString", "valueBoolean",
    "valueInteger", "valueRange", "valueRatio", "valueTime", "valueDateTime", "valuePeriod",
)  # fmt: skip
_values = attrgetter(
    "value_quantity", "value_sampled_data", "value_codeable_concept", "value_string",
    "value_boolean", "value_integer", "value_range", "value_ratio", "value_time", "value_date_time",
    "value_period",
)  # fmt: skip
_LONGEST_TYPE = 64
_SPREAD = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_NOTHING: dict[str, str] = {}
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_NO_OTHER = (UNSET,) * (len(_VALUES) - 1)
_OWN = ("channel", "seq", "sigma", "bias", "device_at", "flags", "given", "fill")
_LIMITS = {"seq": (-1, 2**63), "device_at": (0, 2**63), "fill": (-32768, 32768)}


@dataclass(frozen=True, slots=True)
class Report:
    """What a document held.

    Attributes
    ----------
    readings : taken.
    not_read : one sentence for each resource, component or value that was not taken.
    """

    readings: tuple[Reading, ...]
    not_read: tuple[str, ...]


class _Named(Struct, rename="camel"):
    resource_type: str = ""


_NAMED = Decoder(_Named)


@dataclass(frozen=True, slots=True)
class _Found:
    """Readings and sentences as they are gathered."""

    readings: list[Reading]
    not_read: list[str]


def _within(error: InputError, path: str) -> InputError:
    """Return the error with its place behind `path`."""
    return type(error)(error.what, f"{path}.{error.where}" if error.where else path, error.todo)


def _root(body: bytes, path: str) -> str:
    """Return the path with the resource's type before it, where the document names one."""
    head = _HEAD.match(body)
    try:
        name = head[1].decode() if head else _NAMED.decode(body).resource_type
    except (DecodeError, UnicodeDecodeError, RecursionError):
        name = ""
    known = name if name.isascii() and name.isalpha() and len(name) <= _LONGEST_TYPE else ""
    return ".".join(p for p in (known, path) if p)


def _decode(body: bytes) -> schema.Resource | schema.Bundle:
    """Return the typed document.

    Raises
    ------
    FormatError, LimitError
        It is no JSON, holds what no document may, or is of no R4 resource.
    """
    try:
        check_json(body, most=LARGEST)
    except InputError as error:
        raise type(error)(error.what, _root(body, error.where), error.todo) from None
    may = b'"modifierExtension"' in body or b'"implicitRules"' in body
    if may and (found := _CHANGES.search(body)):
        raise FormatError(
            f"{found[1].decode()} may change what a reading means, in a way that is not known here",
            _root(body, place(body, found.start())),
            "Send readings that mean what R4 says",
        )
    try:
        return schema.DOCUMENT.decode(body)
    except ValidationError as error:
        raise _translated(str(error), body) from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"is not JSON: {error}"[:200], todo="Send JSON") from None
    except RecursionError:
        raise LimitError("nested too deep", todo="Send a flatter document") from None


def _translated(said: str, body: bytes) -> FormatError:
    """Return the parser's own words with the place in FHIR's notation."""
    what, mark, path = said.rpartition(" - at `$")
    what, path = (what, path.strip("`.")) if mark else (said, "")
    what = "".join(c if c.isprintable() else "?" for c in what[:200])
    return FormatError(f"{what[:1].lower()}{what[1:]}", _root(body, path[:200]), "See FHIR R4")


def _source(obs: schema.Observation, known: Directory, like: Source) -> Source | str:
    """Return what all readings of an observation share, or why it gives none."""
    at = when(obs)
    if isinstance(at, str):
        return at
    own = _own(obs)
    channel = own.get("channel", "")
    if not channel and obs.body_site is not UNSET:
        site = obs.body_site
        channel = text_of(site.coding[0].code if site.coding else site.text, "bodySite")
    flags = _FLAGS[obs.status]
    if own or at[2]:
        flags = ",".join(f for f in (flags, at[2], own.get("flags", "")) if f)
    return Source(
        like.subject, at[0], like.received, at[1], device_name(obs, known), channel, _name(obs),
        flags, own,
    )  # fmt: skip


def _name(obs: schema.Observation) -> str:
    """Return where it came from: ``fhir:Observation/7``, or by its first identifier."""
    if obs.id is not UNSET:
        return f"fhir:Observation/{obs.id}"
    values = [i.value for i in obs.identifier if i.value]
    if not values:
        return "fhir:Observation"
    return f"fhir:Observation/{text_of(values[0].replace('?', '_'), 'identifier')}"


def _own(obs: schema.Observation) -> dict[str, str]:
    """Return the fields of our extension, each checked for what it must be.

    Raises
    ------
    FormatError, RangeError
        A field we do not write, or a number out of its bounds.
    """
    if not obs.extension:
        return _NOTHING
    own = own_fields(obs.extension)
    for name, text in own.items():
        where = f"extension({name[:20]})"
        if name not in _OWN:
            raise FormatError("is no field of ours", where, "Leave it out")
        if name in _LIMITS:
            low, high = _LIMITS[name]
            if not _WHOLE.fullmatch(text) or not low <= int(text) < high:
                raise RangeError(f"{text[:30]!r} is out of bounds", where, "Leave it out")
        if name in ("sigma", "bias") and not (
            _SPREAD.fullmatch(text) and math.isfinite(float(text))
        ):
            raise RangeError(f"{text[:30]!r} is no spread", where, "Leave it out")
    return own


def _why_not(obs: schema.Observation) -> str:
    if obs.status not in _FLAGS:
        return _REFUSED[obs.status]
    if obs.focus is not UNSET:
        return "is about something else than its patient (focus)"
    return ""


def _value_of(part: schema.Valued, where: str) -> int:
    """Return which kind of value a part has, as an index of `_VALUES`; -1 for none.

    Raises
    ------
    FormatError
        It has several.
    """
    values = _values(part)
    if values[1:] == _NO_OTHER:
        return -1 if values[0] is UNSET else 0
    kinds = [i for i, v in enumerate(values) if v is not UNSET]
    if len(kinds) > 1:
        raise FormatError("has two values", f"{where}{_VALUES[kinds[1]]}", "Send one value")
    return kinds[0]


def _part(
    part: schema.Valued, code: schema.CodeableConcept, where: str, source: Source, found: _Found
) -> str:
    """Take the value of an observation or component; return why it was not taken, or nothing."""
    kind = _value_of(part, where)
    if kind < 0:
        return f"has no value{_reason(part)}"
    if part.data_absent_reason is not UNSET:
        return "has a value and a reason for having none"
    named = code_of(code)
    if named is None:
        return f"{_said(code)} is no code that the vocabulary holds"
    row, lead = named
    if part.value_quantity is not UNSET:
        return _single(part.value_quantity, row, where, source, found)
    if part.value_sampled_data is UNSET:
        return f"{row.label} comes as {_VALUES[kind]}; only numbers and samples are read"
    own = source._replace(channel=lead) if lead else source
    readings, why = sampled(
        part.value_sampled_data, row, own, _behind(where), f"{where}valueSampledData"
    )
    found.readings.extend(readings)
    return why


def _behind(where: str) -> str:
    """Return ``/component[1]`` for the place ``component[1].``, as `origin` has it."""
    return f"/{where[:-1]}" if where else ""


def _single(
    given: schema.Quantity, row: Variable, where: str, source: Source, found: _Found
) -> str:
    """Take one number; return why it was not taken, or nothing."""
    if given.value is UNSET:
        return "has no value"
    value, text, censoring = quantity(row, given, f"{where}valueQuantity")
    own, sigma, bias, seq, device_at = source.own, row.sigma, row.bias, -1, 0
    if own:
        sigma, bias = float(own.get("sigma", sigma)), float(own.get("bias", bias))
        seq, device_at = int(own.get("seq", "-1")), int(own.get("device_at", "0"))
        text = own.get("given", text)
    origin = source.origin_of(_behind(where))
    found.readings.append(
        Observation(
            source.subject, row.name, source.at, source.received, value, sigma, bias, censoring,
            source.device, source.channel, seq, origin, source.zone, text, device_at,
        )
    )  # fmt: skip
    return ""


def _said(concept: schema.CodeableConcept) -> str:
    """Return a concept in a few printable words."""
    words = [f"{c.code} ({c.system})" for c in concept.coding[:1]] or [concept.text or "nothing"]
    return "".join(c if c.isprintable() else "?" for c in words[0][:100])


def _reason(part: schema.Valued) -> str:
    reason = part.data_absent_reason
    return "" if reason is UNSET else f": {_said(reason)}"


def _check_panel(obs: schema.Observation) -> None:
    """Invariant obs-7: what a component codes is not the value of the whole."""
    own = {(c.system, c.code) for c in obs.code.coding}
    for i, part in enumerate(obs.component):
        if own.intersection((c.system, c.code) for c in part.code.coding):
            raise FormatError(
                "has the code of the whole, which has a value", f"component[{i}]", "Send it once"
            )


def _observation(
    obs: schema.Observation, entry: int, known: Directory, like: Source, found: _Found
) -> None:
    """Take what one observation holds and tell what it does not give."""
    source = _why_not(obs) or _source(obs, known, like)
    if isinstance(source, str):
        found.not_read.append(f"{path_of(entry)}: {source}")
        return
    if not obs.component or _value_of(obs, "") >= 0:
        if obs.component:
            _check_panel(obs)
        if why := _part(obs, obs.code, "", source, found):
            found.not_read.append(f"{path_of(entry)}: {why}")
    for i, part in enumerate(obs.component):
        if why := _part(part, part.code, f"component[{i}].", source, found):
            found.not_read.append(f"{path_of(entry)}.component[{i}]: {why}")


def _report(body: bytes, subject: str | None, received: int) -> Report:
    document = held(_decode(body), body)
    like = Source(whose(document, subject), 0, received, 0, "", "", "", "", {})
    found = _Found([], document.not_read)
    for i, obs in document.observations:
        try:
            _observation(obs, i, document.directory, like, found)
        except InputError as error:
            raise _within(error, path_of(i)) from None
    return Report(tuple(found.readings), tuple(found.not_read))


def report_fhir(body: bytes, *, subject: str | None, received: int, where: str = "") -> Report:
    """Return what an Observation or a Bundle of them holds, and what of it was not taken.

    Parameters
    ----------
    body : FHIR R4 JSON; a Bundle of type transaction, batch, collection, searchset or message.
    subject : the patient it must be about, by id or identifier; None takes whom it names.
    received : time of arrival [ns since 1970 UTC].
    where : name of the file or address, put before the places of errors.

    Raises
    ------
    FormatError, LimitError, UnitError, RangeError, TimeError
        Not such a document, or one of its readings cannot be; nothing of it is taken.
    IdentityError
        No patient, several, or another.
    """
    try:
        return _report(body, subject, received)
    except InputError as error:
        seen = error.at("fhir")
        raise (seen.at(where) if where else seen) from None


def read_fhir(body: bytes, *, subject: str | None, received: int, where: str = "") -> list[Reading]:
    """Return the readings of a document; parameters and errors are those of `report_fhir`.

    Raises
    ------
    FormatError
        Also where not one reading could be taken; it says why the first was not.
    """
    report = report_fhir(body, subject=subject, received=received, where=where)
    if not report.readings:
        why = report.not_read[0] if report.not_read else "it has no entry"
        place_of = f"{where}: fhir" if where else "fhir"
        raise FormatError(f"holds no reading to take: {why}", place_of, "Send readings with values")
    return list(report.readings)
