"""Between a log and the twin folded from it: whose it is, and what the log says of their body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from isosoma.core.errors import IdentityError, InputError
from isosoma.exchange.patient_file import Described, age_at
from isosoma.intake import timeline
from isosoma.organs.circulation.body import Person, typical
from isosoma.record import Draft, Log
from isosoma.twin.fold import Subject, Twin, fold
from isosoma.twin.release import Release

__all__ = ["VALVES", "keep_body", "only_patient", "subject_of", "twin_of"]

VALVES: Mapping[str, str] = {"aortic stenosis": "aortic_area", "mitral stenosis": "mitral_area"}
"""Condition → the area that it makes unknown."""
_YEAR = 365.25 * 86400.0
_KEY = b"body"


def keep_body(log: Log, described: Described) -> bool:
    """Record what a patient file says of the body, as a new version; whether it was news."""
    if _body(log, described.patient) == described.body:
        return False
    draft = Draft("patient", {"body": described.body}, key=_KEY)
    log.append(described.patient, [draft]).result()
    return True


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
    age = age_at(body["born"], at) if body["born"] else body["age"] / _YEAR
    usual = typical(age, body["sex"] == "female")
    person = Person(
        age, body["weight"] or usual.weight, body["height"] or usual.height, usual.female
    )
    valves = sorted({VALVES[c] for c in body["conditions"] if c in VALVES})
    return Subject(patient, person, tuple(valves))


def twin_of(log: Log, patient: str, release: Release, until: int) -> Twin:
    """Return the twin that the log makes of a patient; later readings than `until` [ns] wait.

    The body is of the age at the newest reading, so that looking later changes no bit.
    """
    known = timeline(log, patient)
    instants = [getattr(r, "at", 0) or getattr(r, "start", 0) for r in known.readings]
    at = max((t for t in instants if t <= until), default=until)
    return fold(known, subject_of(log, patient, at), release, until)
