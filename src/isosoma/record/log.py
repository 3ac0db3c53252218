"""The log: append and read. One writer, any number of readers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from isosoma.core.errors import IdentityError, RecordError
from isosoma.core.principal import Principal
from isosoma.record import asking
from isosoma.record.entries import Draft, Entry, Receipt, payload_bytes
from isosoma.record.files import write_atomically
from isosoma.record.gate import Gate
from isosoma.record.header import names, open_row
from isosoma.record.kept import checkpoint_file, keeper, resumed
from isosoma.record.keys import KeyFile, make_key_file
from isosoma.record.shredding import finish
from isosoma.record.sqlite import SqliteStore
from isosoma.record.store import FORMAT, Row, Store
from isosoma.record.writer import Item, Job, Writer

__all__ = ["Log", "open_log", "open_store"]


def open_store(
    path: str | Path, *, create: dict[str, str] | None, write: bool, home: Path | None = None
) -> tuple[Store, Path]:
    """Return the store behind a path or ``postgresql://`` address, and the path of its files."""
    if str(path).startswith(("postgresql://", "postgres://")):
        from isosoma.record.postgres import PostgresStore

        if home is None:
            raise RecordError(
                "a log in PostgreSQL needs a local path for its keys and blobs",
                "postgresql",
                "Give home=PATH; beside it FILE-keys, FILE-blobs and FILE-checkpoint are kept",
            )
        return PostgresStore(str(path), create=create, write=write), home
    file = Path(path)
    if create is None and not file.exists():
        raise RecordError("there is no such log", str(file), "Check the path")
    return SqliteStore(file, create=create, write=write), file


def open_log(
    path: str | Path,
    *,
    create: bool = True,
    read_only: bool = False,
    home: Path | None = None,
    clock: Callable[[], int] = time.time_ns,
    depth: int = 20_000,
) -> Log:
    """Open the log in SQLite file `path` (or at a ``postgresql://`` address, with `home`).

    Beside FILE lie FILE-keys (keys), FILE-kek (what wraps them, unless a pass phrase is set),
    FILE-blobs (large things) and FILE-checkpoint (the newest signed size and root).
    `depth` bounds how many appends may wait; `clock` gives the time of commits [ns].

    Raises
    ------
    FormatError
        Not a log of ours, broken, or of another version.
    RecordError
        Missing keys, no permission.
    BusyError
        Another process writes to it.
    TamperError
        The log is older than FILE-checkpoint, or its newest checkpoint is not ours.
    """
    made = {"format": FORMAT, "origin": f"isosoma.log/{os.urandom(8).hex()}"}
    new = made if create and not read_only else None
    store, files = open_store(path, create=new, write=not read_only, home=home)
    try:
        origin = asking.meta(store)["origin"]
        if not read_only and not Path(f"{files}-keys").exists() and asking.last(store) is None:
            make_key_file(files, origin)
        keys = KeyFile(files, origin=origin, write=not read_only)
        if read_only:
            return Log(store, keys, files, None)
        signer = resumed(store, keys, files)
        finish(store, keys, files)
        return Log(store, keys, files, Writer(store, keys, signer, clock, keeper(files), depth))
    except BaseException:
        store.close()
        raise


class Log:
    """An open log. Use it in a ``with`` statement."""

    def __init__(self, store: Store, keys: KeyFile, files: Path, writer: Writer | None) -> None:
        """Hold the parts of an open log, for reading only without `writer`; see `open_log`."""
        self.store, self.keys, self.files = store, keys, files
        self.gate = Gate()
        self._writer = writer
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def writing(self) -> Writer:
        """Return what writes; raises RecordError where the log is closed or only read."""
        if self._writer is None or self._closed:
            why = "closed" if self._closed else "open for reading only"
            raise RecordError(f"the log is {why}", self.store.where, "Open it for writing")
        return self._writer

    def submit(self, item: Item | Job) -> None:
        """Hand something to the writing thread (`append` and erasure do)."""
        self.writing().put(item)

    def append(
        self,
        patient: str,
        drafts: Sequence[Draft],
        keys: Sequence[bytes] = (),
        *,
        by: Principal | None = None,
        purpose: str = "",
    ) -> Future[Receipt]:
        """Record all `drafts` or none; the future resolves once they are on disk.

        Parameters
        ----------
        patient : whose; not empty.
        keys : idempotence keys of the readings inside; a key that is there already refuses all.
            Keys that come together should share their first 8 bytes (the minute of a reading, say).
        by, purpose : who records it and why; kept in clear (for clinicians and services), since
            it must outlive an erasure, and so it may not name the patient.

        Raises
        ------
        IdentityError, FormatError, LimitError
            No patient, no draft, an unknown kind, a payload too large or not canonical, a purpose
            that names the patient.
        RecordError
            A key is in a pending append already; the log is closed.
        ErasedError
            The patient is being erased.
        BusyError
            The queue is full; nothing was accepted.
        """
        if not patient or not drafts:
            raise IdentityError("an append needs a patient and something to record")
        if names(purpose, patient):
            raise IdentityError("the purpose names the patient", todo="Say it without the id")
        item = Item(
            patient,
            [(d.kind, payload_bytes(d), d.key, d.blobs) for d in drafts],
            keys,
            by,
            purpose,
        )
        self.gate.enter(patient, keys, lambda: self.submit(item))
        if keys:
            item.answer.add_done_callback(lambda _: self.gate.leave(patient, keys))
        return item.answer

    def unseen(self, patient: str, keys: Sequence[bytes]) -> list[bool]:
        """Return for each idempotence key whether it is new, in the log and in what is pending."""
        # What waits is asked first: what stops waiting meanwhile is in the store by then.
        waiting = self.gate.waiting(patient, keys)
        person = self.keys.find(patient)
        if person is None:
            return [k not in waiting for k in keys]
        macs = person.asked(keys)
        known = asking.known(self.store, macs)
        return [k not in waiting and m not in known for k, m in zip(keys, macs, strict=True)]

    def entries(
        self,
        patient: str | None = None,
        kinds: Iterable[str] | None = None,
        start: int = 0,
        *,
        by: Principal | None = None,
        purpose: str = "",
        erased: bool = False,
    ) -> Iterator[Entry]:
        """Yield decrypted entries in order of arrival; with `by`, the read itself is recorded.

        Entries of erased patients have no content: they are left out unless `erased`.

        Raises
        ------
        TamperError
            An entry is not what was sealed.
        """
        person = None
        if patient is not None:
            person = self.keys.find(patient)
            if person is None:
                return iter(())
        if by is not None and patient:
            kinds = sorted(kinds) if kinds is not None else None
            what = {"kinds": kinds, "start": start}
            self.append(patient, [Draft("access", what)], by=by, purpose=purpose).result()
        rows = asking.rows(self.store, person.pseudonym if person else None, kinds, start)
        return _opened(rows, self.keys, erased=erased)

    def checkpoint(self) -> str:
        """Return the newest signed note; keep it elsewhere to find a rollback later."""
        last = asking.last(self.store)
        return last.note if last else ""

    def close(self) -> None:
        """Finish what is queued, force FILE-checkpoint to disk, release the lock.

        Raises
        ------
        RecordError
            FILE-checkpoint cannot be written; everything acknowledged is in the log all the same.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._writer is not None:
                self._writer.stop()
                _keep_newest(checkpoint_file(self.files), self.checkpoint())
        finally:
            self.keys.close()
            self.store.close()


def _keep_newest(file: Path, note: str) -> None:
    try:
        write_atomically(file, note.encode())
    except OSError as error:
        raise RecordError(
            f"the newest checkpoint could not be kept ({error.strerror})",
            str(file),
            "Make room or permissions, then open and close the log again",
        ) from error


def _opened(rows: Iterable[Row], keys: KeyFile, *, erased: bool) -> Iterator[Entry]:
    """Decrypt rows one by one; those of erased patients only where they are wanted."""
    for row in rows:
        entry = open_row(row, keys.of(row.patient), keys.origin)
        if erased or not entry.erased:
            yield entry
