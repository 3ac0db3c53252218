"""What goes into the log and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isosoma.core.errors import FormatError, LimitError
from isosoma.record.canonical import canonical

__all__ = ["HOUSE", "KINDS", "LARGEST_PAYLOAD", "Draft", "Entry", "Receipt", "payload_bytes"]

KINDS = frozenset(
    [
        "observations",
        "waveform",
        "verdicts",
        "reading",
        "decision",
        "access",
        "erasure",
        "patient",
        "blob",
    ]
)
"""What an entry may be; facts, versioned readings of them, and decisions."""

LARGEST_PAYLOAD = 64 * 2**20
"""Most bytes of one payload; larger things are blobs."""

HOUSE = ""
"""Patient id of entries that belong to the log itself (erasures)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Something to be recorded.

    Attributes
    ----------
    kind : one of `KINDS`.
    payload : bytes, or a mapping that is kept as canonical JSON.
    key : identity of the object this is a version of; empty where it is no version of anything.
    blobs : digests of blobs this entry refers to.
    """

    kind: str
    payload: bytes | Mapping[str, Any]
    key: bytes = b""
    blobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """Something recorded, decrypted.

    Attributes
    ----------
    sequence : its place in the log, from 0.
    patient : id as given; empty where the patient was erased, and for the log itself.
    kind : one of `KINDS`.
    at : when it was committed [ns since 1970 UTC].
    payload : the bytes as given; canonical JSON where a mapping was given.
    version : 1 for the first of its object, counting up.
    previous : sequence of the version before, -1 where there is none.
    actor, role, purpose : who recorded it, in which role, why.
    blobs : digests of blobs it refers to.
    erased : whether its content is gone.
    """

    sequence: int
    patient: str
    kind: str
    at: int
    payload: bytes
    version: int
    previous: int = -1
    actor: str = ""
    role: str = ""
    purpose: str = ""
    blobs: tuple[str, ...] = ()
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that something is durable.

    Attributes
    ----------
    sequences : places of the drafts in the log.
    checkpoint : signed note of the commit they went in with.
    proof : inclusion proof of the last of them in that checkpoint, where it was asked for.
    leaf : leaf hash that the proof starts from.
    """

    sequences: tuple[int, ...]
    checkpoint: str
    proof: tuple[bytes, ...] = ()
    leaf: bytes = b""


def payload_bytes(draft: Draft) -> bytes:
    """Return a draft's payload as bytes; raises FormatError or LimitError."""
    if draft.kind not in KINDS:
        raise FormatError(
            f"{draft.kind!r} is no kind of entry", todo=f"Use one of {', '.join(sorted(KINDS))}"
        )
    data = draft.payload if isinstance(draft.payload, bytes) else canonical(dict(draft.payload))
    if len(data) > LARGEST_PAYLOAD:
        raise LimitError(
            f"a payload of {len(data)} bytes is too large for an entry", todo="Put it in as a blob"
        )
    return data
