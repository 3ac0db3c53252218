"""Crypto-shredding: a patient's keys are destroyed, and with them every copy of the content."""

from __future__ import annotations

from pathlib import Path

from isosoma.record import asking
from isosoma.record.blobs import blob_folder, delete_blob
from isosoma.record.entries import HOUSE
from isosoma.record.header import read_header
from isosoma.record.keys import KeyFile, Keys
from isosoma.record.store import Store

__all__ = ["finish", "shred"]


def shred(store: Store, keys: KeyFile, files: Path, person: Keys) -> None:
    """Destroy a patient's keys, then blobs, then what the write-ahead log still holds.

    Part of an erasure, called in the writing thread or before it starts: use `erase`.
    """
    headers = [read_header(row.header) for row in asking.rows(store, person.pseudonym)]
    keys.destroy(person)
    for digest in sorted({digest for h in headers for digest in h.blobs}):
        delete_blob(blob_folder(files), digest)
    store.settle()


def finish(store: Store, keys: KeyFile, files: Path) -> None:
    """Destroy keys whose erasure was recorded before the machine stopped."""
    house = keys.find(HOUSE)
    rows = asking.rows(store, house.pseudonym, ["erasure"]) if house is not None else ()
    for row in rows:
        left = keys.of(read_header(row.header).erases)
        if left is not None:
            shred(store, keys, files, left)
