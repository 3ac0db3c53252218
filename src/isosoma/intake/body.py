"""Bodies of HTTP requests into the log, bounded before anything is parsed."""

from __future__ import annotations

from collections.abc import Iterable

from isosoma.core.errors import FormatError, LimitError
from isosoma.core.observation import Observation, Waveform
from isosoma.intake.taking import Session, Summary, take
from isosoma.record import Log

__all__ = ["LARGEST_BODY", "limited", "take_body"]

LARGEST_BODY = 32 << 20
"""Bytes of one body; a longer one is refused before it is read to its end."""


def limited(chunks: Iterable[bytes], limit: int = LARGEST_BODY) -> bytes:
    """Join the chunks of a body.

    Raises
    ------
    LimitError
        They are longer than `limit` [byte]; what follows is not read.
    """
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise LimitError(
                f"the body is longer than {limit >> 20} MiB", "request", "Send smaller bundles"
            )
        parts.append(chunk)
    return b"".join(parts)


def take_body(
    log: Log,
    body: bytes,
    content_type: str,
    *,
    patient: str,
    now: int,
    session: Session | None = None,
) -> Summary:
    """Take a FHIR, Open mHealth or HL7 v2 body in, whole or not at all.

    ``application/json`` is FHIR where it has a `resourceType`, and else Open mHealth.

    Raises
    ------
    InputError
        It cannot be taken; nothing was changed.
    """
    readings = _read(body, content_type, patient, now)
    return take(log, readings, patient=patient, now=now, session=session)


def _read(body: bytes, kind: str, patient: str, now: int) -> list[Observation | Waveform]:
    plain = kind.split(";", maxsplit=1)[0].strip().lower()
    if len(body) > LARGEST_BODY:
        raise LimitError(
            f"the body is longer than {LARGEST_BODY >> 20} MiB", "request", "Send smaller bundles"
        )
    if plain == "application/json":
        from isosoma.exchange.sniff import read_json

        return read_json(body, subject=patient, received=now)
    if plain == "application/fhir+json":
        from isosoma.exchange.fhir import read_fhir

        return list(read_fhir(body, subject=patient, received=now))
    if plain in ("application/hl7-v2", "x-application/hl7-v2+er7"):
        from isosoma.exchange.hl7v2 import read_hl7

        return list(read_hl7(body, subject=patient, received=now))
    raise FormatError(
        f"bodies of type {kind[:60]!r} are not read", "request", "Send application/fhir+json"
    )
