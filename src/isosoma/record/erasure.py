"""Erasing a patient: the key is destroyed, the log still verifies, and a receipt proves both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from isosoma.core.errors import IdentityError, RecordError
from isosoma.core.principal import Principal
from isosoma.record.blobs import blob_folder
from isosoma.record.canonical import canonical
from isosoma.record.entries import HOUSE, Receipt
from isosoma.record.header import names
from isosoma.record.log import Log
from isosoma.record.proving import prove
from isosoma.record.shredding import shred
from isosoma.record.writer import Item, Job

__all__ = ["erase", "traces"]

_SHORTEST = 6
"""Ids shorter than this [B] stand in random bytes by chance, so they are not searched for."""
_PIECE = 2**20


def erase(
    log: Log,
    patient: str,
    by: Principal | str,
    reason: str,
    *,
    derived: Sequence[Callable[[str], object]] = (),
) -> Receipt:
    """Erase a patient and return the proof that it was recorded.

    In order: the request is logged; further appends are refused and queued ones finished; all
    key versions and the salt go, in FILE-keys and its backups; blobs and everything `derived`
    (callables that delete what was computed from the patient) go; the write-ahead log is emptied;
    every file of the log is searched for the id; the receipt holds checkpoint and inclusion proof.

    Raises
    ------
    IdentityError
        No such patient, or a reason that names them.
    RecordError
        A file could not be cleaned; the keys may be gone already, the sentence says what is left.
    """
    keys = log.keys.find(patient) if patient else None
    if keys is None:
        raise IdentityError("this log holds no such patient", todo="Check the id")
    who = by if isinstance(by, Principal) else Principal(by, "service")
    if names(reason, patient) or names(who.id, patient):
        raise IdentityError("the reason or actor names the patient", todo="Say it without the id")
    log.gate.shut(patient)
    try:
        payload = canonical({"by": who.id, "reason": reason})
        draft = ("erasure", payload, b"", ())
        item = Item(HOUSE, [draft], (), who, "erasure", erases=keys.pseudonym)
        log.submit(item)
        receipt = item.answer.result()
        job = Job(lambda: shred(log.store, log.keys, log.files, keys))
        log.submit(job)
        job.answer.result()
        for clean in derived:
            clean(patient)
    finally:
        log.gate.reopen(patient)
    left = traces(log.files, [patient.encode()]) if len(patient.encode()) >= _SHORTEST else []
    if left:
        raise RecordError("the patient's id is still there", ", ".join(map(str, left)), "Delete it")
    return prove(log, receipt.sequences[0])


def traces(path: Path, canaries: Sequence[bytes]) -> list[Path]:
    """Return the files of the log at `path` (all FILE*, blobs and backups) that hold a canary."""
    beside = [p for p in path.parent.glob(f"{path.name}*") if p.is_file()]
    inside = [p for p in blob_folder(path).rglob("*") if p.is_file()]
    return [p for p in [*beside, *inside] if any(_holds(p, c) for c in canaries)]


def _holds(file: Path, canary: bytes) -> bool:
    """Return whether a file holds `canary`, also across the pieces it is read in."""
    tail = b""
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            if canary in tail + piece:
                return True
            tail = piece[-len(canary) :]
    return False
