"""The log: append, read, prove. One writer, any number of readers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from isosoma.core.errors import ErasedError, IdentityError, RecordError, TamperError
from isosoma.core.principal import Principal
from isosoma.record.blobs import delete_blob, read_blob, write_atomically, write_blob
from isosoma.record.checkpoint import Checkpoint, Signer, VerifierKey, open_note, parse_checkpoint
from isosoma.record.entries import HOUSE, Draft, Entry, Receipt, payload_bytes
from isosoma.record.envelope import enc, seal, unseal
from isosoma.record.header import open_row, read_header
from isosoma.record.keys import KeyFile, Keys
from isosoma.record.merkle import Frontier, Tree, leaf_hash
from isosoma.record.sqlite import SqliteStore
from isosoma.record.store import FORMAT, Mark, Store
from isosoma.record.writer import Item, Job, Writer, resume

__all__ = ["Log", "open_log", "open_store"]

_SYNC_EVERY = 1_000_000_000
"""FILE-checkpoint is written at every commit and forced to disk this often [ns] and at close."""


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
        origin = store.meta()["origin"]
        first = store.last() is None
        keys = KeyFile(files, origin=origin, create=first and not read_only, write=not read_only)
        return Log(store, keys, files, clock=clock, depth=depth, read_only=read_only)
    except BaseException:
        store.close()
        raise


def _resumed(store: Store, keys: KeyFile, files: Path) -> Signer:
    """Return the signer where it stopped, once the store is what it signed, and no older."""
    signer = Signer(keys.origin, keys.private, Frontier())
    last = store.last()
    file = Path(f"{files}-checkpoint")
    if last is None:
        if file.exists():
            raise TamperError("an empty log has signed before", str(file), "Restore a copy")
        frontier, note = signer.sign([])
        store.commit([], [], Mark(0, frontier.root(), b"", note))
        write_atomically(file, note.encode())
        return signer
    key = VerifierKey(keys.origin, keys.private.public_key().public_bytes_raw())
    ours = parse_checkpoint(open_note(last.note, [key]))
    frontier = resume(last)
    if ours != Checkpoint(keys.origin, frontier.size, frontier.root()):
        raise TamperError(
            "the newest checkpoint does not fit", store.where, "Run `isosoma record verify`"
        )
    if not last.size and not file.exists():  # killed between the two steps of making a log
        write_atomically(file, last.note.encode())
    if file.exists():
        kept = parse_checkpoint(open_note(file.read_text("utf-8", "replace"), [key]))
        mark = store.mark_at(kept.size)
        if mark is None or mark.root != kept.root:
            raise TamperError(
                f"the log does not contain what it had signed at size {kept.size}",
                str(file),
                "It was rolled back or changed: restore the newest copy",
            )
    signer.keep(frontier)
    return signer


class Log:
    """An open log. Use it in a ``with`` statement."""

    def __init__(
        self, store: Store, keys: KeyFile, files: Path, *,
        clock: Callable[[], int], depth: int, read_only: bool,
    ) -> None:  # fmt: skip
        """Start writing unless `read_only`; `open_log` calls this."""
        self.store, self.keys, self.files = store, keys, files
        self._guard = threading.Lock()
        self._pending: set[tuple[str, bytes]] = set()
        self._erasing: set[str] = set()
        self._synced = time.monotonic_ns()
        self._closed = False
        self._writer = None
        if not read_only:
            signer = _resumed(store, keys, files)
            self._finish_erasures()
            self._writer = Writer(store, keys, signer, clock, self._publish, depth)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def blobs(self) -> Path:
        """Return the folder of the blobs."""
        return Path(f"{self.files}-blobs")

    def _finish_erasures(self) -> None:
        """Destroy keys whose erasure was recorded before the machine stopped."""
        house = self.keys.find(HOUSE)
        rows = self.store.rows(house.pseudonym, ["erasure"]) if house is not None else ()
        for row in rows:
            left = self.keys.of(read_header(row.header).erases)
            if left is not None:
                self.destroy(left)

    def destroy(self, person: Keys) -> None:
        """Destroy a patient's keys, then blobs, then what the write-ahead log still holds.

        Part of an erasure, called in the writing thread or before it starts: use `erase`.
        """
        digests = self.blobs_of(person.pseudonym)
        self.keys.destroy(person)
        for digest in digests:
            delete_blob(self.blobs, digest)
        self.store.settle()

    def _writing(self) -> Writer:
        if self._writer is None or self._closed:
            why = "closed" if self._closed else "open for reading only"
            raise RecordError(f"the log is {why}", self.store.where, "Open it for writing")
        return self._writer

    def _publish(self, note: str) -> None:
        """Keep the newest note in FILE-checkpoint; a reader never finds half a note."""
        now = time.monotonic_ns()
        sync = now - self._synced > _SYNC_EVERY
        write_atomically(Path(f"{self.files}-checkpoint"), note.encode(), sync=sync)
        if sync:
            self._synced = now

    def submit(self, item: Item | Job) -> None:
        """Hand something to the writing thread (`append` and erasure do)."""
        self._writing().put(item)

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
        by, purpose : who records it and why; kept in clear for clinicians and services.

        Raises
        ------
        IdentityError, FormatError, LimitError
            No patient, no draft, an unknown kind, a payload too large or not canonical.
        RecordError
            A key is in a pending append already; the log is closed.
        ErasedError
            The patient is being erased.
        BusyError
            The queue is full; nothing was accepted.
        """
        if not patient or not drafts:
            raise IdentityError("an append needs a patient and something to record")
        item = Item(
            patient,
            [(d.kind, payload_bytes(d), d.key, d.blobs) for d in drafts],
            keys,
            by,
            purpose,
        )
        mine = {(patient, k) for k in keys}
        if len(mine) != len(keys):
            raise RecordError("a reading stands twice in one append", todo="Give each once")
        with self._guard:
            if patient in self._erasing:
                raise ErasedError("the patient is being erased", todo="Stop their streams")
            if not self._pending.isdisjoint(mine):
                raise RecordError("a reading is in another append already", todo="Ask `unseen`")
            self.submit(item)
            self._pending |= mine
        if mine:
            item.answer.add_done_callback(lambda _: self._done(mine))
        return item.answer

    def _done(self, mine: set[tuple[str, bytes]]) -> None:
        with self._guard:
            self._pending -= mine

    def unseen(self, patient: str, keys: Sequence[bytes]) -> list[bool]:
        """Return for each idempotence key whether it is new, in the log and in what is pending."""
        with self._guard:  # pending first: what leaves it meanwhile is in the store by then
            waiting = {k for k in keys if (patient, k) in self._pending}
        person = self.keys.find(patient)
        if person is None:
            return [k not in waiting for k in keys]
        macs = [person.mac(k) for k in keys]
        known = self.store.known(macs)
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
        return self._entries(person, kinds, start, erased=erased)

    def _entries(
        self, person: Keys | None, kinds: Iterable[str] | None, start: int, *, erased: bool
    ) -> Iterator[Entry]:
        for row in self.store.rows(person.pseudonym if person else None, kinds, start):
            entry = open_row(row, self.keys.of(row.patient), self.keys.origin)
            if erased or not entry.erased:
                yield entry

    def checkpoint(self) -> str:
        """Return the newest signed note; keep it elsewhere to find a rollback later."""
        last = self.store.last()
        return last.note if last else ""

    def prove(self, sequence: int) -> Receipt:
        """Return an inclusion proof of one entry in the newest checkpoint; O(n) once per call."""
        last = self.store.last()
        size = last.size if last else 0
        leaves = [leaf_hash(r.header) for r in self.store.rows() if r.sequence < size]
        tree = Tree(leaves)
        proof = tuple(tree.inclusion(sequence))
        return Receipt((sequence,), last.note if last else "", proof, leaves[sequence])

    def put_blob(self, patient: str, data: bytes, meta: dict[str, Any] | None = None) -> str:
        """Store `data` encrypted beside the log, record it, and return its name (a digest)."""
        self._writing()
        keys = self.keys.make(patient)
        version = self.keys.spend(keys)
        sealed = seal(keys.cipher(version), data, enc(self.keys.origin, keys.pseudonym, "blob"))
        digest = write_blob(self.blobs, b"%d\n" % version + sealed)
        payload = {**(meta or {}), "digest": digest, "bytes": len(data)}
        self.append(patient, [Draft("blob", payload, blobs=(digest,))]).result()
        return digest

    def get_blob(self, patient: str, digest: str) -> bytes:
        """Return a blob's content; raises ErasedError, TamperError or RecordError."""
        keys = self.keys.find(patient)
        if keys is None:
            raise ErasedError("this log holds no key of that patient", todo="Check the id")
        head, _, sealed = read_blob(self.blobs, digest).partition(b"\n")
        aad = enc(self.keys.origin, keys.pseudonym, "blob")
        return unseal(keys.cipher(int(head)), sealed, aad)

    def close(self) -> None:
        """Finish what is queued, force FILE-checkpoint to disk, release the lock."""
        if self._closed:
            return
        if self._writer is not None:
            self._writer.stop()
            write_atomically(Path(f"{self.files}-checkpoint"), self.checkpoint().encode())
        self._closed = True
        self.keys.close()
        self.store.close()

    def erasing(self, patient: str, *, on: bool) -> None:
        """Refuse (or accept again) appends for a patient who is being erased."""
        with self._guard:
            (self._erasing.add if on else self._erasing.discard)(patient)

    def blobs_of(self, pseudonym: str) -> list[str]:
        """Return the digests of all blobs a patient's entries refer to."""
        rows = self.store.rows(pseudonym)
        return sorted({digest for r in rows for digest in read_header(r.header).blobs})
