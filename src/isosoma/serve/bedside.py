"""Between a log and the twin folded from it: whose it is, and what the log says of their body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from isosoma.core.errors import FormatError, IdentityError, InputError, TimeError
from isosoma.core.observation import Observation
from isosoma.exchange.patient_file import PatientFile
from isosoma.intake import timeline
from isosoma.organs.circulation.aortic_root import MEASURED
from isosoma.organs.circulation.body import Person, theta_of, typical
from isosoma.record import Draft, Log
from isosoma.serve.progress import progress
from isosoma.twin.fold import Subject, Twin, fold
from isosoma.twin.release import Release

__all__ = [
    "FREED_BY",
    "age_at",
    "check_body",
    "day_of",
    "keep_body",
    "only_patient",
    "subject_of",
    "twin_of",
]

FREED_BY: Mapping[str, tuple[str, ...]] = {
    "aortic_stenosis": ("aortic_area",),
    "mitral_stenosis": ("mitral_area",),
    "heart_failure": ("lv_elastance", "lv_stiffness"),
}
"""Condition → the unknowns that it frees."""
_YEAR = 365.25 * 86400.0
_DAY = 86_400 * 10**9  # [ns]
_EPOCH = 719163  # ordinal of 1970-01-01
_KEY = b"body"
_SEX = {"f": "female", "m": "male"}


def _told(described: PatientFile) -> dict[str, Any]:
    """Return what the log keeps of the body; 0 or empty where nothing is told."""
    born = described.born
    return {
        "sex": _SEX.get(described.sex, ""),
        "born": "" if born is None else day_of(born),
        "age": described.age or 0.0,
        "weight": described.weight or 0.0,
        "height": described.height or 0.0,
        "conditions": list(described.conditions),
    }


def day_of(at: int) -> str:
    """Return the day [ISO 8601] of an instant [ns]."""
    return date.fromordinal(_EPOCH + at // _DAY).isoformat()


def check_body(described: PatientFile, at: int) -> None:
    """Refuse a patient of whom no twin can be made at an instant [ns].

    Raises
    ------
    InputError
        Sex or age are not told, or no circulation is known for that body.
    """
    if not described.sex:
        raise FormatError("a twin needs the sex at birth", "sex", 'Write sex = "f" or "m"')
    if described.born is None and described.age is None:
        raise FormatError("a twin needs an age", "born", 'Write born = 1965-03-02 or age = "61 a"')
    theta_of(_person(_told(described), at))


def keep_body(log: Log, described: PatientFile) -> bool:
    """Record what a patient file says of the body, as a new version; whether it was news."""
    told = _told(described)
    if _body(log, described.id) == told:
        return False
    log.append(described.id, [Draft("patient", {"body": told}, key=_KEY)]).result()
    return True


def age_at(born: str, at: int) -> float:
    """Return the age [a] at an instant [ns]: whole years, whole months below two years."""
    day, now = date.fromisoformat(born), date.fromordinal(_EPOCH + at // _DAY)
    months = (now.year - day.year) * 12 + now.month - day.month - (now.day < day.day)
    if months < 0:
        raise TimeError("the day of birth lies after the time asked for", "born")
    return months / 12 if months < 24 else float(months // 12)


def only_patient(log: Log, asked: str | None) -> str:
    """Return the patient asked for, or the only one that was built.

    Raises
    ------
    IdentityError
        There is none, or more than one.
    """
    found = sorted({e.patient for e in log.entries(kinds=["patient"]) if _of(e.payload)})
    if asked is not None and asked in found:
        return asked
    if asked is None and len(found) == 1:
        return found[0]
    if not found or asked is not None:
        raise IdentityError(
            f"no twin of {asked or 'anybody'} was built in this log",
            todo="Build it first: isosoma build PATIENT_DIR --store FILE",
        )
    raise IdentityError(f"twins of {len(found)} patients are in this log", todo="Give --patient")


def _of(payload: bytes) -> dict[str, Any] | None:
    found: dict[str, Any] = json.loads(payload)
    return found.get("body")


def _body(log: Log, patient: str) -> dict[str, Any] | None:
    """Return the newest version of the body."""
    bodies = [_of(e.payload) for e in log.entries(patient, ["patient"])]
    return next((b for b in reversed(bodies) if b is not None), None)


def subject_of(log: Log, patient: str, at: int) -> Subject:
    """Return who is folded, with the age of that instant [ns]."""
    body = _body(log, patient)
    if body is None:
        raise InputError(f"nothing is known of the body of {patient}", todo="Build the twin first")
    freed = {n for c in body["conditions"] for n in FREED_BY.get(c, ())}
    return Subject(patient, _person(body, at), tuple(sorted(freed)))


def _person(body: Mapping[str, Any], at: int) -> Person:
    """Return the person of a body at an instant [ns]; what is not told is typical of the age."""
    age = age_at(body["born"], at) if body["born"] else body["age"] / _YEAR
    usual = typical(age, body["sex"] == "female")
    return Person(age, body["weight"] or usual.weight, body["height"] or usual.height, usual.female)


def twin_of(log: Log, patient: str, release: Release, until: int) -> Twin:
    """Return the twin that the log makes of a patient; later readings than `until` [ns] wait.

    The body is of the age at the newest reading, so that looking later changes no bit.
    """
    known = timeline(log, patient)
    instants = [getattr(r, "at", 0) or getattr(r, "start", 0) for r in known.readings]
    at = max((t for t in instants if t <= until), default=until)
    with progress("folding", 100, "%") as told:
        root = tuple(r for r in known.readings if isinstance(r, Observation) and r.at <= until
                     and r.variable in MEASURED)  # fmt: skip
        subject = replace(subject_of(log, patient, at), root=root)
        return fold(known, subject, release, until, lambda share: told(100.0 * share))
