"""A copy of a log as it stood at one checkpoint, made while it is written to; without any key.

What is erased later is gone from every copy, since none holds the patient's key.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from isosoma.core.errors import RecordError
from isosoma.record import asking
from isosoma.record.blobs import blob_folder, read_blob, write_blob
from isosoma.record.files import sync_folder, write_atomically
from isosoma.record.header import read_header
from isosoma.record.kept import checkpoint_file
from isosoma.record.sqlite import SqliteStore

__all__ = ["copy_log"]


def copy_log(path: Path, target: Path) -> str:
    """Copy the log in SQLite file `path` to `target`, and return the checkpoint it stands at.

    Entries, blobs and checkpoint are copied; FILE-keys and FILE-kek are not: keep their backups
    apart, and lay them beside a copy to read it. To verify one, give the log's public key.

    Raises
    ------
    RecordError
        There is no such log, something lies at `target` already, or a blob is missing or changed.
    """
    if not path.is_file():
        raise RecordError("there is no such log", str(path), "Check the path")
    taken = [f for f in (target, blob_folder(target), checkpoint_file(target)) if f.exists()]
    if taken:
        raise RecordError("something is there already", str(taken[0]), "Give another place")
    fresh = target.with_name(target.name + "-copying")
    _copy_database(path, fresh)
    store = SqliteStore(fresh, create=None, write=False)
    try:
        last = asking.last(store)
        headers = [read_header(row.header) for row in asking.rows(store)]
    finally:
        store.close()
    if last is None:
        fresh.unlink()
        raise RecordError("the log has no checkpoint", str(path), "Run `isosoma record verify`")
    erased = {h.erases for h in headers}
    for digest in sorted({d for h in headers if h.patient not in erased for d in h.blobs}):
        write_blob(blob_folder(target), read_blob(blob_folder(path), digest))
    write_atomically(checkpoint_file(target), last.note.encode())
    fresh.replace(target)  # last: where the file is, the copy is whole
    sync_folder(target.parent)
    return last.note


def _copy_database(path: Path, fresh: Path) -> None:
    """Copy what is committed, and nothing of a transaction that is not."""
    write_atomically(fresh, b"")
    try:
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(fresh)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        fresh.unlink(missing_ok=True)
        raise RecordError(
            f"the log could not be copied ({error})", str(path), "Run `isosoma record verify`"
        ) from error
