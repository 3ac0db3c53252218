"""Numbers, units, times and codes as FHIR writes them, brought to SI and to instants."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from msgspec import UNSET, Raw, UnsetType

from isosoma.core.errors import FormatError, RangeError, TimeError, UnitError
from isosoma.core.observation import Censoring
from isosoma.core.units import convert
from isosoma.core.vocabulary import VOCABULARY, Variable, by_loinc, by_mdc, check_possible
from isosoma.exchange.fhir_schema import (
    LOINC,
    MDC,
    OWN_CODES,
    OWN_EXTENSION,
    UCUM,
    CodeableConcept,
    Extension,
    Observation,
    Quantity,
)

__all__ = [
    "LAST",
    "LEADS",
    "Source",
    "code_of",
    "instant",
    "number",
    "own_fields",
    "quantity",
    "text_of",
    "unit_of",
    "when",
]

LAST = 1 << 63
"""End of instants [ns], the year 2262."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NUMBER = 64  # characters
_LONGEST_TEXT = 256
_LONGEST_ZONE = 14 * 60  # [min]
_LARGEST_EXPONENT = 400
_DIGITS = b"-0123456789"
_times = attrgetter(
    "effective_date_time", "effective_instant", "effective_period", "effective_timing"
)
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9]|60)(?:\.([0-9]+))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-5][0-9]))?"
)
_CODE = re.compile(r"[0-9]{1,10}")
_SYSTEMS = (LOINC, MDC, OWN_CODES)
_EXPONENT = re.compile(r"[eE][+-]?0*([0-9]+)")
_CENSORED: dict[str, Censoring] = {"<": "below", "<=": "below", ">": "above", ">=": "above"}
# IEEE 11073-10101: MDC_ECG_ELEC_POTL (131328) plus the number of the lead.
LEADS = {
    131328: "", 131329: "I", 131330: "II", 131331: "V1", 131332: "V2", 131333: "V3", 131334: "V4",
    131335: "V5", 131336: "V6", 131389: "III", 131390: "aVR", 131391: "aVL", 131392: "aVF",
}  # fmt: skip
"""Code of an ECG lead's potential to the lead's name."""


class Source(NamedTuple):
    """What all readings of one FHIR observation share; fields are those of `Observation`.

    Attributes
    ----------
    own : fields of our extension, by name.
    """

    subject: str
    at: int
    received: int
    zone: int
    device: str
    channel: str
    origin: str
    flags: str
    own: dict[str, str]

    def origin_of(self, part: str, flag: str = "") -> str:
        """Return the origin of a part: ``fhir:Observation/7/component[1]?amended``."""
        if not (flag or self.flags):
            return self.origin + part
        flags = ",".join(f for f in (self.flags, flag) if f)
        return f"{self.origin}{part}?{flags}"


def number(raw: Raw | UnsetType, where: str) -> tuple[float, str]:
    """Return a JSON number as float and as it was written.

    Raises
    ------
    FormatError
        It is no JSON number, or longer than 64 characters.
    RangeError
        No float holds it.
    """
    written = b"" if raw is UNSET else bytes(raw)
    if written[:1] not in _DIGITS or not written:
        text = written.decode("utf-8", "replace")
        raise FormatError(f"{text[:30]!r} is no number", where, "Send a JSON number, not a text")
    if len(written) > _LONGEST_NUMBER:
        raise FormatError(
            f"a number of {len(written)} characters", where, "Send the digits measured"
        )
    value, text = float(written), written.decode("ascii")
    if not math.isfinite(value) or (("e" in text or "E" in text) and _is_extreme(text)):
        raise RangeError(f"{text} is beyond any quantity", where, "Check the value")
    return value, text


def _is_extreme(text: str) -> bool:
    """Whether the exponent is beyond any quantity, be the digits all zeros."""
    found = _EXPONENT.search(text)
    return found is not None and int(found[1]) > _LARGEST_EXPONENT


def unit_of(found: Quantity, where: str) -> str:
    """Return the code of the unit, which must be UCUM's; a word in `unit` is no unit."""
    if found.system != UCUM or not found.code:
        raise UnitError(
            "no UCUM unit", where, f"Send system {UCUM} and the unit's code beside the value"
        )
    return found.code


def quantity(row: Variable, found: Quantity, where: str) -> tuple[float, str, Censoring]:
    """Return the value in the row's SI unit, value and unit as given, and its censoring.

    Raises
    ------
    FormatError, UnitError, RangeError
        No number, no UCUM unit of this variable, or a value that no body can have.
    """
    value, text = number(found.value, f"{where}.value")
    unit = unit_of(found, where)
    try:
        value = convert(value, unit, row.unit, row.molar_mass or None)
        if not row.low <= value <= row.high:
            check_possible(row, value)
    except (UnitError, RangeError) as error:
        raise error.at(where) from None
    censoring = "none" if found.comparator is UNSET else _CENSORED[found.comparator]
    return value, f"{text} {unit}", censoring


@lru_cache(maxsize=4096)
def instant(text: str) -> tuple[int, int] | None:
    """Return a dateTime as [ns since 1970 UTC] and its zone [min east]; None for a mere day.

    Digits beyond the nanosecond are dropped; second 60 is the first of the next minute (POSIX).

    Raises
    ------
    TimeError
        It is no dateTime, names a time of day without a zone, or lies outside 1970 to 2262.
    """
    found = _TIME.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if found is None:
        if _DAY.fullmatch(text):
            return None
        raise TimeError(f"{text[:40]!r} is no time", todo="Write YYYY-MM-DDThh:mm:ss+zz:zz")
    minute, second, part, utc, sign, hours, minutes = found.groups()
    if utc is None and sign is None:
        raise TimeError(f"{text} names no zone", todo="Write +zz:zz or Z after the time")
    east = 0 if utc else (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
    try:
        local = datetime.fromisoformat(minute + "+00:00")
    except ValueError:
        raise TimeError(f"{text} is no date and time", todo="Set the sender's clock") from None
    whole = (local - _EPOCH) // timedelta(minutes=1) - east
    at = (whole * 60 + int(second)) * 10**9 + int((part or "0")[:9].ljust(9, "0"))
    if not 0 <= at < LAST or abs(east) > _LONGEST_ZONE:
        raise TimeError(f"{text} lies outside 1970 to 2262, or beyond every zone")
    return at, east


def _at(text: str, where: str) -> tuple[int, int] | None:
    try:
        return instant(text)
    except TimeError as error:
        raise error.at(where) from None


def _from_period(start: str, end: str) -> tuple[int, int] | None:
    """Return the start; an end before it contradicts."""
    first = _at(start, "effectivePeriod.start") if start else None
    last = _at(end, "effectivePeriod.end") if end else None
    days = first is None and last is None and start and end
    if (first and last and last[0] < first[0]) or (days and end[: len(start)] < start[: len(end)]):
        raise TimeError("the period ends before it starts", "effectivePeriod", "Exchange the two")
    return first


def when(obs: Observation) -> tuple[int, int, str] | str:
    """Return instant [ns], zone [min east] and a flag, or why there is no instant.

    A reading over a period counts at its start and is flagged ``period``.

    Raises
    ------
    FormatError
        Two times.
    TimeError
        A time that cannot be.
    """
    kinds = _times(obs)
    if kinds.count(UNSET) < len(kinds) - 1:
        raise FormatError("has two times", "effective[x]", "Send one")
    flag = ""
    if obs.effective_date_time is not UNSET:
        found = _at(obs.effective_date_time, "effectiveDateTime")
    elif obs.effective_instant is not UNSET:
        found = _at(obs.effective_instant, "effectiveInstant")
    elif obs.effective_period is not UNSET:
        found, flag = _from_period(obs.effective_period.start, obs.effective_period.end), "period"
    else:
        return "has no time at which it was measured"
    return (*found, flag) if found else "names a day but no instant"


def code_of(concept: CodeableConcept) -> tuple[Variable, str] | None:
    """Return the row of the first coding that is known, and the channel that its code names."""
    for coding in concept.coding:
        if coding.system in _SYSTEMS and len(coding.code) <= _LONGEST_NUMBER:
            found = _row_of(coding.system, coding.code)
            if found is not None:
                return found
    return None


@lru_cache(maxsize=1024)
def _row_of(system: str, code: str) -> tuple[Variable, str] | None:
    row = None
    if system == LOINC:
        row = by_loinc(code)
    elif system == MDC and _CODE.fullmatch(code):
        lead = LEADS.get(int(code))
        if lead is not None:
            return VOCABULARY["ecg"], lead
        row = by_mdc(int(code))
    elif system == OWN_CODES:
        row = VOCABULARY.get(code)
    return None if row is None else (row, "")


def text_of(text: str, where: str) -> str:
    """Return a short text without signs that hide or break lines.

    Raises
    ------
    FormatError
        It has such signs or over 256 characters.
    """
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise FormatError(
            "a name with control characters, or of over 256 characters", where, "Send a plain name"
        )
    return text


def own_fields(extensions: tuple[Extension, ...]) -> dict[str, str]:
    """Return the fields of our own extension as texts, by name; others' extensions are not ours."""
    found: dict[str, str] = {}
    for outer in extensions:
        if outer.url == OWN_EXTENSION:
            for i, inner in enumerate(outer.extension):
                where = f"extension.extension[{i}]"
                raw = inner.value_decimal
                text = inner.value_string if raw is UNSET else number(raw, where)[1]
                found[text_of(inner.url, where)] = text_of(text, where)
    return found
