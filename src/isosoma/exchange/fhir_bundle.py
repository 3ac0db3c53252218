"""Bundles: which resources they hold, whom and what their references name, and the rules between.

References: FHIR 4.0.1, bundle (invariants bdl-1 to bdl-12, resolving references), references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from msgspec import UNSET, DecodeError, UnsetType

from isosoma.core.errors import FormatError, IdentityError, InputError
from isosoma.exchange.fhir_schema import (
    ANY_RESOURCE,
    Bundle,
    Device,
    Entry,
    Identifier,
    Listed,
    Observation,
    Other,
    Patient,
    Reference,
    Resource,
)
from isosoma.exchange.fhir_values import text_of

__all__ = [
    "Directory",
    "Held",
    "contained_in",
    "device_name",
    "directory",
    "held",
    "path_of",
    "whose",
]

_TAKEN = ("transaction", "batch", "collection", "searchset", "message")
_ASKED = ("transaction", "batch")
_REFUSED = {
    "document": "is a document, which is signed and read as a whole",
    "history": "is a history, which repeats readings in their older versions",
    "transaction-response": "is the answer of a server",
    "batch-response": "is the answer of a server",
}
_LONGEST_URL = 2048
_WRITES = ("POST", "PUT", "PATCH", "")
_URL = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_REST = re.compile(
    r"(https?://\S*/)?([A-Za-z]{1,64})/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?"
)
_URN = re.compile(rb'"reference"\s*:\s*"(urn:[^"]*)"')


@dataclass(frozen=True, slots=True)
class Held:
    """The resources of a document, and a sentence for each entry that holds no reading.

    Attributes
    ----------
    observations : with the number of their entry, -1 where the document is the observation.
    """

    observations: list[tuple[int, Observation]]
    directory: Directory
    not_read: list[str]


@dataclass(frozen=True, slots=True)
class Directory:
    """Resources by `fullUrl`, by ``Type/id``, or inside an observation by ``#id``."""

    known: dict[str, Resource]


@dataclass(frozen=True, slots=True)
class _Person:
    """A patient as one observation names them.

    Attributes
    ----------
    name : id, or else the first identifier.
    ids : ``Patient/id`` and ``system|value`` of identifiers.
    aliases : all that a caller may know the patient by.
    server : of an absolute reference, else empty.
    """

    name: str
    ids: frozenset[str]
    aliases: frozenset[str]
    server: str


def held(document: Resource | Bundle, body: bytes) -> Held:
    """Return what a document holds.

    Raises
    ------
    FormatError
        A rule of bundles is broken, or a reference inside leads nowhere.
    """
    if isinstance(document, Observation):
        return Held([(-1, document)], Directory({}), [])
    if not isinstance(document, Bundle):
        kind = type(document).__name__
        raise FormatError(f"a {kind} holds no reading", kind, "Send an Observation or a Bundle")
    _check_kind(document)
    found = Held([], directory(document.entry), [])
    _check_urns(body, found.directory)
    for i, entry in enumerate(document.entry):
        _check_entry(document.type, entry, i)
        _sort_in(entry, i, found)
    return found


def path_of(number: int) -> str:
    """Return the place of an observation by the number of its entry."""
    return "Observation" if number < 0 else f"Bundle.entry[{number}].resource"


def _sort_in(entry: Entry, i: int, found: Held) -> None:
    method = "" if entry.request is UNSET else entry.request.method
    if entry.resource is UNSET or method not in _WRITES:
        what = f"asks to {method or 'do nothing'}, which gives no reading"
        found.not_read.append(f"Bundle.entry[{i}]: {what}")
    elif isinstance(entry.resource, Observation):
        found.observations.append((i, entry.resource))
    else:
        kind = type(entry.resource).__name__
        found.not_read.append(f"{path_of(i)}: a {kind} holds no reading")


def _check_kind(bundle: Bundle) -> None:
    if bundle.type not in _TAKEN:
        raise FormatError(
            f"the bundle {_REFUSED[bundle.type]}", "Bundle.type", f"Send one of {', '.join(_TAKEN)}"
        )
    if bundle.total is not UNSET and bundle.type != "searchset":
        raise FormatError("only searches have a total", "Bundle.total", "Leave it out")
    first = bundle.entry[0].resource if bundle.entry else UNSET
    if bundle.type == "message" and type(first).__name__ != "MessageHeader":
        raise FormatError(
            "a message begins with its MessageHeader", "Bundle.entry[0]", "Send a collection"
        )


def _check_entry(kind: str, entry: Entry, i: int) -> None:
    """Hold an entry to bdl-2 to bdl-5 and bdl-8."""
    wrong = ""
    if (entry.request is UNSET) == (kind in _ASKED):
        wrong = f"a {kind} {'needs a' if kind in _ASKED else 'has no'} request"
    elif entry.request is not UNSET and not entry.request.method:
        wrong = "a request needs its method"
    elif entry.search is not UNSET and kind != "searchset":
        wrong = f"a {kind} has no search"
    elif entry.response is not UNSET:
        wrong = f"a {kind} has no response"
    elif entry.resource is UNSET and entry.request is UNSET:
        wrong = "the entry holds nothing"
    if wrong:
        raise FormatError(wrong, f"Bundle.entry[{i}]", "Send the bundle as R4 has it")


def directory(entries: Sequence[Entry]) -> Directory:
    """Return the resources of a bundle by their names, of which none may stand twice.

    Raises
    ------
    FormatError
        A name twice, or a `fullUrl` that is none or contradicts the id.
    """
    known: dict[str, Resource] = {}
    names = 0
    for i, entry in enumerate(entries):
        resource = entry.resource
        if entry.full_url:
            _check_url(entry.full_url, resource, i)
        if resource is UNSET:
            continue
        if entry.full_url:
            known[entry.full_url] = resource
            names += 1
        if resource.id is not UNSET:
            known[f"{type(resource).__name__}/{resource.id}"] = resource
            names += 1
        if len(known) != names:
            raise FormatError(
                "an id or URL that stood before", f"Bundle.entry[{i}]", "Send each resource once"
            )
    return Directory(known)


def _rest(text: str) -> re.Match[str] | None:
    """Return server, type, id and version of a REST address, None where it is none."""
    return _REST.fullmatch(text) if len(text) <= _LONGEST_URL else None


def _check_url(url: str, resource: Resource | UnsetType, i: int) -> None:
    """Hold a `fullUrl` to be a urn, or an unversioned REST address that ends in the id."""
    if url.startswith("urn:"):
        fine = _URL.fullmatch(url) or _OID.fullmatch(url)
    else:
        parts = _rest(url)
        fine = parts is not None and parts[1] and not parts[4]
        own = UNSET if resource is UNSET else resource.id
        if parts and own is not UNSET and parts[3] != own:
            raise FormatError(
                f"the URL contradicts the id {own}", f"Bundle.entry[{i}].fullUrl", "Make them agree"
            )
    if not fine:
        raise FormatError(
            f"{url[:80]!r} names no resource",
            f"Bundle.entry[{i}].fullUrl",
            "Send urn:uuid: or a REST URL",
        )


def _check_urns(body: bytes, known: Directory) -> None:
    """Every reference by urn must lead into the bundle: nothing else can resolve it."""
    if b'"urn:' in body:
        for found in _URN.finditer(body):
            name = found[1].decode("utf-8", "replace")
            if name not in known.known:
                raise FormatError(
                    f"the reference {name[:80]!r} leads nowhere", "Bundle", "Send what it names too"
                )


def contained_in(listed: Listed) -> Directory:
    """Return the resources inside an observation by ``#id``.

    Raises
    ------
    FormatError
        One is no resource, or two share an id.
    """
    known: dict[str, Resource] = {}
    for i, raw in enumerate(() if listed is UNSET else listed):
        where = f"contained[{i}]"
        try:
            resource = ANY_RESOURCE.decode(raw)
        except (DecodeError, UnicodeDecodeError):
            raise FormatError("is no resource of R4", where, "Leave it out") from None
        name = f"#{resource.id}"
        if resource.id is UNSET or name in known:
            raise FormatError("needs an id of its own", where, "Number what is contained")
        known[name] = resource
    return Directory(known)


def _names(identifiers: Iterable[Identifier]) -> tuple[list[str], list[str]]:
    """Return ``system|value`` and the bare values."""
    found = [i for i in identifiers if i.value]
    return [f"{i.system}|{i.value}" for i in found], [i.value for i in found]


def _person(reference: Reference, known: Directory, inside: Directory) -> _Person:
    """Return the patient that a reference names, through the document where it must.

    Raises
    ------
    IdentityError
        It names no patient.
    """
    text = reference.reference
    found = inside.known.get(text) or known.known.get(text)
    parts = _rest(text) if text[:1] != "#" and text[:4] != "urn:" else None
    kind, own, server = "Patient", "", ""
    if parts is not None:
        kind, own, server = parts[2], parts[3], parts[1] or ""
        found = found or known.known.get(f"{kind}/{own}")
    elif text and found is None:
        raise IdentityError(f"{text[:80]!r} names no patient", todo="Send Patient/ and the id")
    if kind != "Patient" or (found is not None and not isinstance(found, Patient)):
        other = kind if kind != "Patient" else type(found).__name__
        raise IdentityError(f"is about a {other[:40]}", todo="Send readings of a patient")
    identifiers = [] if reference.identifier is UNSET else [reference.identifier]
    if isinstance(found, Patient):
        identifiers += found.identifier
        own = own or ("" if found.id is UNSET or text[:1] == "#" else found.id)
    return _with_names(own, identifiers, text, server)


def _with_names(own: str, identifiers: list[Identifier], text: str, server: str) -> _Person:
    exact, values = _names(identifiers)
    own_names = [own, f"Patient/{own}"] if own else []
    name = own or (values[0] if values else "")
    if not name:
        raise IdentityError("names no patient", todo="Send the patient's id or identifier")
    aliases = frozenset(n for n in (*own_names, *values, text) if n)
    return _Person(text_of(name, "reference"), frozenset((*own_names[1:], *exact)), aliases, server)


def whose(found: Held, subject: str | None) -> str:
    """Return the one patient of a document; every observation in it must name the same.

    Raises
    ------
    IdentityError
        None, several, or another than `subject`.
    """
    first: _Person | None = None
    servers: set[str] = set()
    seen: set[str] = set()
    for i, obs in found.observations:
        key = "" if obs.subject is UNSET else obs.subject.reference
        if key in seen:
            continue
        try:
            person = _subject(obs, found.directory)
        except InputError as error:
            raise type(error)(error.what, f"{path_of(i)}.subject", error.todo) from None
        first = first or person
        servers |= {person.server} - {""}
        if first.ids.isdisjoint(person.ids) or len(servers) > 1:
            raise IdentityError(
                "the bundle mixes patients", f"{path_of(i)}.subject", "Send one patient at a time"
            )
        if key[:1] != "#" and obs.subject is not UNSET and obs.subject.identifier is UNSET:
            seen.add(key)
    if first is None:
        return subject or ""
    if subject is not None and subject not in first.aliases:
        raise IdentityError(
            f"is about patient {first.name!r}, not {subject[:80]!r}",
            f"{path_of(found.observations[0][0])}.subject",
            "Send it to that patient's record",
        )
    return subject or first.name


def _subject(obs: Observation, known: Directory) -> _Person:
    if obs.subject is UNSET:
        raise IdentityError("names no patient", todo="Send the subject")
    if obs.subject.type not in ("", "Patient", "http://hl7.org/fhir/StructureDefinition/Patient"):
        raise IdentityError(f"is about a {obs.subject.type[:40]}", todo="Send a patient's readings")
    inside = contained_in(obs.contained) if obs.contained is not UNSET else Directory({})
    return _person(obs.subject, known, inside)


def device_name(obs: Observation, known: Directory) -> str:
    """Return a name for the device that stays the same from one delivery to the next.

    Its identifier, or else its reference; a reference that only this document can resolve gives way
    to the identifier, serial number or id of the device it leads to.

    Raises
    ------
    FormatError
        The reference leads nowhere.
    """
    reference = obs.device
    if reference is UNSET:
        return ""
    text = reference.reference
    if reference.identifier is not UNSET and reference.identifier.value:
        return text_of(reference.identifier.value, "device.identifier")
    if text[:1] != "#" and text[:4] != "urn:":
        return _outside(text, reference.display)
    inside = contained_in(obs.contained) if text[:1] == "#" else known
    found = inside.known.get(text)
    if found is None:
        raise FormatError(f"the reference {text[:80]!r} leads nowhere", "device", "Send the device")
    return text_of(_device(found, text), "device")


@lru_cache(maxsize=1024)
def _outside(text: str, display: str) -> str:
    """Return the name of a device that is no part of the document."""
    return text_of(text.partition("/_history/")[0] or display, "device")


def _device(found: Resource, text: str) -> str:
    if isinstance(found, Device):
        values = _names(found.identifier)[1]
        if values or found.serial_number:
            return values[0] if values else found.serial_number
    elif not isinstance(found, Other):
        raise FormatError("is no device", "device", "Send a Device or DeviceMetric")
    if found.id is UNSET or text[:1] == "#":
        return ""  # nothing that would be the same in the next delivery
    return f"{type(found).__name__}/{found.id}"
