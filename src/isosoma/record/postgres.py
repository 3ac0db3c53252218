"""The log in PostgreSQL, by the same rules: one writer, one durable transaction a commit."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pg8000.dbapi as pg

from isosoma.core.errors import BusyError, FormatError, RecordError
from isosoma.record.store import FORMAT, Mark, Row

__all__ = ["PostgresStore"]

_SCHEMA = (
    "CREATE TABLE meta(key text PRIMARY KEY, value text NOT NULL)",
    (
        "CREATE TABLE events(sequence bigint PRIMARY KEY, patient text NOT NULL,"
        " kind text NOT NULL, object text NOT NULL, header bytea NOT NULL,"
        " ciphertext bytea NOT NULL)"
    ),
    "CREATE INDEX events_by_patient ON events(patient, kind)",
    "CREATE INDEX events_by_object ON events(object) WHERE object <> ''",
    "CREATE TABLE seen(key bytea PRIMARY KEY, sequence bigint NOT NULL)",
    (
        "CREATE TABLE checkpoints(size bigint PRIMARY KEY, root bytea NOT NULL,"
        " peaks bytea NOT NULL, note text NOT NULL)"
    ),
)
_EVENTS = (
    "INSERT INTO events SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[],"
    " %s::bytea[], %s::bytea[])"
)
_SEEN = "INSERT INTO seen SELECT * FROM unnest(%s::bytea[], %s::bigint[])"
_ROWS = "SELECT sequence, patient, kind, object, header, ciphertext FROM events"
_MARKS = "SELECT size, root, peaks, note FROM checkpoints"
_SOME = 200
_LOCK = 0x69736F73  # "isos": the advisory lock that the one writer of a database holds


def _arguments(url: str) -> dict[str, Any]:
    """Return pg8000's arguments for ``postgresql://user:password@host:port/database?host=/socket``.

    TLS with a checked certificate unless the server is on this machine.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    socket = query.get("host", [""])[0]
    host = parts.hostname or "localhost"
    out: dict[str, Any] = {
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.lstrip("/")) or None,
        "port": parts.port or 5432,
    }
    if socket:
        return {**out, "unix_sock": f"{socket}/.s.PGSQL.{out['port']}"}
    local = host in ("localhost", "127.0.0.1", "::1")
    return {**out, "host": host, "ssl_context": None if local else ssl.create_default_context()}


class PostgresStore:
    """One database. The writer holds an advisory lock for as long as it is open."""

    def __init__(self, url: str, *, create: dict[str, str] | None, write: bool = True) -> None:
        """Open; `create` is the description to write into a database that holds no log yet.

        Raises
        ------
        RecordError
            The server cannot be reached, or would acknowledge what is not on disk.
        FormatError, BusyError
            Another version of the layout; another process is writing.
        """
        self._arguments = _arguments(url)
        self.where = f"postgresql database {self._arguments['database']}"
        self._guard = threading.Lock()
        self._db = self._connect()
        try:
            self._begin(create, write=write)
        except BaseException:
            with suppress(pg.Error, OSError):
                self._db.close()
            raise

    def _connect(self) -> pg.Connection:
        try:
            db = pg.connect(**self._arguments)
        except (pg.Error, OSError) as error:
            raise RecordError(
                f"the server cannot be reached ({error})",
                self.where,
                "Start it",
            ) from error
        db.autocommit = True
        return db

    def _begin(self, create: dict[str, str] | None, *, write: bool) -> None:
        """Insist on durability, take the lock, make the tables where there are none."""
        if write:
            (fsync,) = self._all("SHOW fsync")[0]
            self._all("SET synchronous_commit TO on")
            if fsync != "on":
                raise RecordError("the server runs with fsync off", self.where, "Switch it on")
            if not self._all("SELECT pg_try_advisory_lock(%s)", _LOCK)[0][0]:
                raise BusyError(
                    "another process is writing to this log", self.where, "Close it there"
                )
        there = self._all("SELECT to_regclass('events') IS NOT NULL")[0][0]
        if not there and create is not None:
            cursor = self._db.cursor()
            cursor.execute("BEGIN")
            for statement in _SCHEMA:
                cursor.execute(statement)
            for pair in create.items():
                cursor.execute("INSERT INTO meta VALUES(%s, %s)", pair)
            cursor.execute("COMMIT")
        found = self.meta().get("format") if there or create is not None else None
        if found != FORMAT:
            raise FormatError(
                f"this is no log of version {FORMAT!r}", self.where, "Give the database of a log"
            )

    def commit(self, rows: Sequence[Row], seen: Sequence[tuple[bytes, int]], mark: Mark) -> None:
        """Write all in one durable transaction; raises RecordError and leaves nothing behind."""
        columns = [[getattr(r, name) for r in rows] for name in Row.__slots__]
        with self._guard:
            cursor = self._db.cursor()
            try:
                cursor.execute("BEGIN")
                if rows:
                    cursor.execute(_EVENTS, columns)
                if seen:
                    cursor.execute(_SEEN, [[k for k, _ in seen], [s for _, s in seen]])
                values = (mark.size, mark.root, mark.peaks, mark.note)
                cursor.execute("INSERT INTO checkpoints VALUES(%s, %s, %s, %s)", values)
                cursor.execute("COMMIT")
            except (pg.Error, OSError) as error:
                with suppress(pg.Error, OSError):
                    cursor.execute("ROLLBACK")
                if "seen_pkey" in str(error):
                    raise RecordError(
                        "a reading of this append is in the log already",
                        self.where,
                        "Ask `unseen` first and append only what is new",
                    ) from error
                raise RecordError(
                    f"nothing was written ({error})", self.where, "Check the server"
                ) from error

    def _all(self, sql: str, *args: Any) -> list[Any]:
        with self._guard:
            try:
                cursor = self._db.cursor()
                cursor.execute(sql, args)
                return list(cursor.fetchall()) if cursor.description else []
            except (pg.Error, OSError) as error:
                raise RecordError(
                    f"the database refused ({error})", self.where, "Check the server"
                ) from error

    def _stream(self, sql: str, *args: Any) -> Iterator[Any]:
        """Yield through a server-side cursor of an own connection, in pieces."""
        with closing(self._connect()) as db:
            cursor = db.cursor()
            cursor.execute("BEGIN READ ONLY")
            cursor.execute(f"DECLARE piece CURSOR FOR {sql}", args)
            while True:
                cursor.execute(f"FETCH {_SOME} FROM piece")
                found = cursor.fetchall()
                if not found:
                    return
                yield from found

    def last(self) -> Mark | None:
        """Return the newest checkpoint; None in an empty store."""
        found = self._all(f"{_MARKS} ORDER BY size DESC LIMIT 1")
        return Mark(*found[0]) if found else None

    def marks(self) -> Iterator[Mark]:
        """Yield all checkpoints by size."""
        return (Mark(*m) for m in self._stream(f"{_MARKS} ORDER BY size"))

    def mark_at(self, size: int) -> Mark | None:
        """Return the checkpoint of exactly that size."""
        found = self._all(f"{_MARKS} WHERE size=%s", size)
        return Mark(*found[0]) if found else None

    def rows(
        self, patient: str | None = None, kinds: Iterable[str] | None = None, start: int = 0
    ) -> Iterator[Row]:
        """Yield rows in order of sequence, as they were when the first was asked for."""
        sql, args = f"{_ROWS} WHERE sequence>=%s", list[Any]([start])
        if patient is not None:
            sql, args = f"{sql} AND patient=%s", [*args, patient]
        if kinds is not None:
            sql, args = f"{sql} AND kind = ANY(%s)", [*args, list(kinds)]
        return (Row(*r) for r in self._stream(f"{sql} ORDER BY sequence", *args))

    def latest(self, object_id: str) -> Row | None:
        """Return the newest version of an object; None where there is none."""
        newest = "WHERE object=%s AND object<>'' ORDER BY sequence DESC LIMIT 1"
        found = self._all(f"{_ROWS} {newest}", object_id)
        return Row(*found[0]) if found else None

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of the seen keys are stored."""
        found = self._all("SELECT key FROM seen WHERE key = ANY(%s::bytea[])", list(keys))
        return {bytes(key) for (key,) in found}

    def seen(self) -> Iterator[tuple[int, bytes]]:
        """Yield (sequence, key) of all seen keys in that order."""
        return self._stream("SELECT sequence, key FROM seen ORDER BY sequence, key")

    def meta(self) -> dict[str, str]:
        """Return the store's own description."""
        return {key: value for key, value in self._all("SELECT key, value FROM meta")}  # noqa: C416

    def faults(self) -> list[str]:
        """Return nothing: the server checks its own pages, where it was made with checksums."""
        return []

    def settle(self) -> None:
        """Ask the server to move everything into its main files (where it lets this user)."""
        with suppress(RecordError):
            self._all("CHECKPOINT")

    def close(self) -> None:
        """Close, and let another process write."""
        with self._guard, suppress(pg.Error, OSError):
            self._db.close()
