"""The leaf of an entry: who did what to which object when, over the digest of a ciphertext.

::

    leaf = SHA256(0x00 || canonical(header))
    header = at, actor, role, kind, purpose, HMAC(salt, object), SHA256(ciphertext), previous, …

Never a hash of plaintext: a heart rate has about 200 values, so its hash is the heart rate.
"""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any

import zstandard

from isosoma.core.errors import FormatError, TamperError
from isosoma.core.principal import Principal
from isosoma.record.canonical import canonical, parse
from isosoma.record.entries import LARGEST_PAYLOAD, Entry
from isosoma.record.envelope import enc, seal, unseal
from isosoma.record.keys import Keys
from isosoma.record.store import Row

__all__ = ["Header", "actor_of", "names", "open_row", "read_header", "seal_row", "seen_digest"]

_NAMED = ("clinician", "researcher", "service")
_PACKED = frozenset(("observations", "waveform"))
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Header:
    """What is hashed into the tree for one entry; all digests as hex.

    Attributes
    ----------
    patient : pseudonym.
    object : HMAC of the object's key under the patient's salt.
    version, previous : running number of the object's version; sequence of the one before, or -1.
    dek : version of the key that sealed the ciphertext.
    digest : SHA-256 of the ciphertext.
    seen : SHA-256 over the sorted idempotence HMACs that came with it; empty for none.
    blobs : digests of the blobs it refers to.
    erases : pseudonym of the patient whose keys this entry announces to be destroyed.
    """

    sequence: int
    at: int
    actor: str
    role: str
    kind: str
    purpose: str
    patient: str
    object: str
    version: int
    previous: int
    dek: int
    digest: str
    seen: str
    blobs: tuple[str, ...]
    erases: str


def names(text: str, patient: str) -> bool:
    """Return whether a text kept in clear holds a patient's id, as a word of its own.

    >>> names("ward round, bed p1", "p1"), names("stepping up1", "p1"), names("any", "")
    (True, False, False)
    """
    return bool(patient) and re.search(rf"(?<!\w){re.escape(patient)}(?!\w)", text) is not None


def actor_of(by: Principal | None, keys: Keys) -> tuple[str, str]:
    """Return actor and role for a header.

    Clinicians, researchers and services are named, since "who looked" must outlive an erasure;
    patients, caregivers and devices would name the patient, so they are HMACs under the salt.
    """
    if by is None:
        return "", ""
    if by.role in _NAMED and not names(by.id, keys.patient):
        return by.id, by.role
    return f"hmac:{keys.mac(by.id.encode()).hex()}", by.role


def seen_digest(keys: list[bytes]) -> str:
    """Return the digest that ties idempotence HMACs to their entry."""
    return sha256(b"".join(sorted(keys))).hexdigest() if keys else ""


def _aad(origin: str, patient: str, kind: str, sequence: int, version: int, dek: int) -> bytes:
    return enc(origin, patient, kind, sequence, version, dek)


def _pack(kind: str, payload: bytes) -> bytes:
    """Compress before sealing; blocks are compressed already."""
    if kind in _PACKED or len(payload) < 64:
        return b"\x00" + payload
    if not hasattr(_local, "pack"):
        _local.pack = zstandard.ZstdCompressor(level=3)
    return b"\x01" + _local.pack.compress(payload)


def _unpack(data: bytes) -> bytes:
    if data[:1] == b"\x00":
        return data[1:]
    return zstandard.ZstdDecompressor().decompress(data[1:], max_output_size=LARGEST_PAYLOAD)


def seal_row(header: dict[str, Any], payload: bytes, keys: Keys, origin: str) -> Row:
    """Return the row of an entry: `header` holds all fields of `Header` but `digest`."""
    h = header
    aad = _aad(origin, h["patient"], h["kind"], h["sequence"], h["version"], h["dek"])
    sealed = seal(keys.cipher(h["dek"]), _pack(h["kind"], payload), aad)
    raw = canonical({**h, "digest": sha256(sealed).hexdigest()})
    return Row(h["sequence"], h["patient"], h["kind"], h["object"], raw, sealed)


def read_header(raw: bytes) -> Header:
    """Return the header of a leaf; raises TamperError unless it has exactly its fields."""
    try:
        read = parse(raw)
        read["blobs"] = tuple(read["blobs"])
        header = Header(**read)
    except (FormatError, TypeError, KeyError) as error:
        raise TamperError("an entry's header is unreadable", todo="Restore it") from error
    numbers = (header.sequence, header.at, header.version, header.previous, header.dek)
    if not all(type(n) is int for n in numbers):
        raise TamperError("an entry's header is malformed", todo="Restore it")
    return header


def open_row(row: Row, keys: Keys | None, origin: str) -> Entry:
    """Return the decrypted entry; without keys, the entry with its content marked as erased."""
    h = read_header(row.header)
    kept = {k: v for k, v in asdict(h).items() if k in _SHARED}
    if keys is None:
        return Entry(**kept, patient="", payload=b"", erased=True)
    aad = _aad(origin, row.patient, row.kind, row.sequence, h.version, h.dek)
    try:
        payload = _unpack(unseal(keys.cipher(h.dek), row.ciphertext, aad))
    except TamperError as error:
        raise error.at(f"entry {row.sequence}") from error
    return Entry(**kept, patient=keys.patient, payload=payload)


_SHARED = frozenset(f.name for f in fields(Entry)) - {"patient", "payload", "erased"}
