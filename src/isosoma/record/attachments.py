"""Large things of a patient: sealed, stored beside the log, and recorded in it by digest."""

from __future__ import annotations

from typing import Any

from isosoma.core.errors import ErasedError
from isosoma.record.blobs import blob_folder, read_blob, write_blob
from isosoma.record.entries import Draft
from isosoma.record.envelope import enc, seal, unseal
from isosoma.record.log import Log

__all__ = ["get_blob", "put_blob"]


def put_blob(log: Log, patient: str, data: bytes, meta: dict[str, Any] | None = None) -> str:
    """Store `data` encrypted beside the log, record it with `meta`, and return its digest [hex].

    Raises
    ------
    RecordError
        The log is closed or open for reading only, or the disk takes no more.
    """
    log.writing()
    keys = log.keys.make(patient)
    version = log.keys.spend(keys)
    sealed = seal(keys.cipher(version), data, enc(log.keys.origin, keys.pseudonym, "blob"))
    digest = write_blob(blob_folder(log.files), b"%d\n" % version + sealed)
    payload = {**(meta or {}), "digest": digest, "bytes": len(data)}
    log.append(patient, [Draft("blob", payload, blobs=(digest,))]).result()
    return digest


def get_blob(log: Log, patient: str, digest: str) -> bytes:
    """Return a blob's content; raises ErasedError, TamperError or RecordError."""
    keys = log.keys.find(patient)
    if keys is None:
        raise ErasedError("this log holds no key of that patient", todo="Check the id")
    head, _, sealed = read_blob(blob_folder(log.files), digest).partition(b"\n")
    aad = enc(log.keys.origin, keys.pseudonym, "blob")
    return unseal(keys.cipher(int(head)), sealed, aad)
