"""The log in one SQLite file: write-ahead log, ``synchronous=FULL``, one writing process."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from isosoma.core.errors import BusyError, FormatError, IsosomaError, RecordError
from isosoma.record.files import sync_folder, write_atomically
from isosoma.record.store import FORMAT, Mark, Row

__all__ = ["SqliteStore"]

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events(sequence INTEGER PRIMARY KEY, patient TEXT NOT NULL, kind TEXT NOT NULL,
  object TEXT NOT NULL, header BLOB NOT NULL, ciphertext BLOB NOT NULL);
CREATE INDEX events_by_patient ON events(patient, kind);
CREATE INDEX events_by_object ON events(object) WHERE object <> '';
CREATE TABLE seen(key BLOB PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoints(size INTEGER PRIMARY KEY, root BLOB NOT NULL, peaks BLOB NOT NULL,
  note TEXT NOT NULL);
"""


def _no_log(path: Path, error: Exception | None = None) -> FormatError:
    why = f" ({error})" if error else ""
    return FormatError(f"this is no log of ours{why}", str(path), "Give the file of a log")


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={'rw' if write else 'ro'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    if write:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
    return db


def _make(path: Path, description: dict[str, str]) -> None:
    """Create the file whole: a half-made one never has our name."""
    fresh = Path(f"{path}-new")
    write_atomically(fresh, b"")  # readable by its owner only, from its first byte on
    with closing(sqlite3.connect(fresh)) as db:
        db.executescript(_SCHEMA)
        db.executemany("INSERT INTO meta VALUES(?,?)", description.items())
        db.commit()
    fresh.replace(path)
    sync_folder(path.parent)


def _refuse_foreign(path: Path) -> None:
    """Look before opening for writing, so that a file that is not ours stays as it is."""
    with path.open("rb") as stream:
        if stream.read(16) != b"SQLite format 3\0":
            raise _no_log(path)
    with closing(_connect(path, write=False)) as db:
        found = dict(db.execute("SELECT key, value FROM meta")).get("format")
    if found != FORMAT:
        raise FormatError(
            f"the log is of version {found!r}, this program writes {FORMAT!r}",
            str(path),
            "Open it with the release that made it",
        )


def _lock(path: Path) -> int:
    """Return the descriptor of FILE-lock, locked for this process until it is closed."""
    try:
        fd = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RecordError(
            f"cannot be written ({error.strerror})", str(path), "Check folder and permissions"
        ) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise BusyError(
            "another process is writing to this log",
            str(path),
            "Close it there, or open for reading only",
        ) from error
    return fd


class SqliteStore:
    """One file. The writing process holds a lock on FILE-lock; readers need none."""

    def __init__(self, path: Path, *, create: dict[str, str] | None, write: bool = True) -> None:
        """Open; `create` is the description to write into a file that does not exist yet.

        Raises
        ------
        FormatError
            Not a log, a broken one, or one of another version.
        BusyError
            Another process is writing to it.
        """
        self.where = str(path)
        self._path = path
        self._guard, self._asking = threading.Lock(), threading.Lock()
        self._lock = _lock(path) if write else None
        try:
            if create is not None and not path.exists():
                _make(path, create)
            _refuse_foreign(path)
            self._db = _connect(path, write=write)
            # Questions go through a connection of their own: none waits for the disk.
            self._reader = _connect(path, write=False)
        except sqlite3.DatabaseError as error:
            self._release()
            raise _no_log(path, error) from error
        except IsosomaError:
            self._release()
            raise
        except OSError as error:
            self._release()
            raise RecordError(f"cannot be read ({error.strerror})", str(path)) from error

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def commit(self, rows: Sequence[Row], seen: Sequence[tuple[bytes, int]], mark: Mark) -> None:
        """Write all in one durable transaction; raises RecordError and leaves nothing behind."""
        values = [(r.sequence, r.patient, r.kind, r.object, r.header, r.ciphertext) for r in rows]
        with self._guard:
            db = self._db
            try:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO events VALUES(?,?,?,?,?,?)", values)
                db.executemany("INSERT INTO seen VALUES(?,?)", seen)
                db.execute(
                    "INSERT INTO checkpoints VALUES(?,?,?,?)",
                    (mark.size, mark.root, mark.peaks, mark.note),
                )
                db.execute("COMMIT")
            except sqlite3.Error as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if "seen.key" in str(error):
                    raise RecordError(
                        "a reading of this append is in the log already",
                        self.where,
                        "Ask `unseen` first and append only what is new",
                    ) from error
                raise RecordError(
                    f"nothing was written ({error})", self.where, "Check disk and permissions"
                ) from error

    def ask(self, sql: str, *args: Any) -> list[Any]:
        """Return the rows that answer `sql`, with ``?`` for each of `args`."""
        with self._asking:
            try:
                return self._reader.execute(sql, args).fetchall()
            except sqlite3.DatabaseError as error:
                raise _no_log(self._path, error) from error

    def stream(self, sql: str, *args: Any) -> Iterator[Any]:
        """Yield from a connection of its own, so that no reader holds up the writer."""
        try:
            with closing(_connect(self._path, write=False)) as db:
                yield from db.execute(sql, args)
        except sqlite3.DatabaseError as error:
            raise _no_log(self._path, error) from error

    def faults(self) -> list[str]:
        """Return what SQLite's own check finds wrong with the file."""
        return [text for (text,) in self.ask("PRAGMA integrity_check(20)") if text != "ok"]

    def settle(self) -> None:
        """Move everything into the main file and empty the write-ahead log."""
        with self._guard, self._asking:
            (busy, *_), *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise RecordError(
                "the write-ahead log is still being read", self.where, "Close readers, try again"
            )

    def close(self) -> None:
        """Close, and let another process write."""
        with self._guard, self._asking:
            self._reader.close()
            self._db.close()
            self._release()
