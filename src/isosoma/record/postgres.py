"""The log in PostgreSQL, by the same rules: one writer, one durable transaction a commit."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence
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


def _connect(arguments: dict[str, Any]) -> pg.Connection:
    try:
        db = pg.connect(**arguments)
    except (pg.Error, OSError) as error:
        where = f"postgresql database {arguments['database']}"
        raise RecordError(f"the server cannot be reached ({error})", where, "Start it") from error
    db.autocommit = True
    return db


def _ours(sql: str) -> str:
    """Return a question in pg8000's dialect; ours hold ``?`` for arguments only."""
    return sql.replace("?", "%s")


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
        self._db = _connect(self._arguments)
        try:
            self._begin(create, write=write)
        except BaseException:
            with suppress(pg.Error, OSError):
                self._db.close()
            raise

    def _begin(self, create: dict[str, str] | None, *, write: bool) -> None:
        """Insist on durability, take the lock, make the tables where there are none."""
        if write:
            (fsync,) = self.ask("SHOW fsync")[0]
            self.ask("SET synchronous_commit TO on")
            if fsync != "on":
                raise RecordError("the server runs with fsync off", self.where, "Switch it on")
            if not self.ask("SELECT pg_try_advisory_lock(?)", _LOCK)[0][0]:
                raise BusyError(
                    "another process is writing to this log", self.where, "Close it there"
                )
        (there,) = self.ask("SELECT to_regclass('events') IS NOT NULL")[0]
        if not there and create is not None:
            cursor = self._db.cursor()
            cursor.execute("BEGIN")
            for statement in _SCHEMA:
                cursor.execute(statement)
            for pair in create.items():
                cursor.execute("INSERT INTO meta VALUES(%s, %s)", pair)
            cursor.execute("COMMIT")
            there = True
        found = self.ask("SELECT value FROM meta WHERE key='format'") if there else []
        if list(map(tuple, found)) != [(FORMAT,)]:
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

    def ask(self, sql: str, *args: Any) -> list[Any]:
        """Return the rows that answer `sql`, with ``?`` for each of `args`."""
        with self._guard:
            try:
                cursor = self._db.cursor()
                cursor.execute(_ours(sql), args)
                return list(cursor.fetchall()) if cursor.description else []
            except (pg.Error, OSError) as error:
                raise self._refused(error) from error

    def _refused(self, error: Exception) -> RecordError:
        return RecordError(f"the database refused ({error})", self.where, "Check the server")

    def stream(self, sql: str, *args: Any) -> Iterator[Any]:
        """Yield through a server-side cursor of an own connection, in pieces."""
        with closing(_connect(self._arguments)) as db:
            try:
                cursor = db.cursor()
                cursor.execute("BEGIN READ ONLY")
                cursor.execute(f"DECLARE piece CURSOR FOR {_ours(sql)}", args)
                piece = f"FETCH {_SOME} FROM piece"
                cursor.execute(piece)
                while found := cursor.fetchall():
                    yield from found
                    cursor.execute(piece)
            except (pg.Error, OSError) as error:
                raise self._refused(error) from error

    def faults(self) -> list[str]:
        """Return nothing: the server checks its own pages, where it was made with checksums."""
        return []

    def settle(self) -> None:
        """Ask the server to move everything into its main files (where it lets this user)."""
        with suppress(RecordError):
            self.ask("CHECKPOINT")

    def close(self) -> None:
        """Close, and let another process write."""
        with self._guard, suppress(pg.Error, OSError):
            self._db.close()
