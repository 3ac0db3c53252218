"""Group commit: one thread writes, many wait; an answer comes only after the disk has it.

(1) block for the first item, (2) drain the queue without waiting, (3) one transaction with one
signed checkpoint, (4) only then answer everyone, (5) on an error roll back and try the items
singly, so that one bad item fails alone.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from isosoma.core.errors import BusyError, IsosomaError, RecordError
from isosoma.core.principal import Principal
from isosoma.record import asking
from isosoma.record.checkpoint import Signer
from isosoma.record.entries import Receipt
from isosoma.record.header import actor_of, read_header, seal_row, seen_digest
from isosoma.record.keys import KeyFile
from isosoma.record.merkle import Frontier, leaf_hash
from isosoma.record.store import Mark, Row, Store

__all__ = ["MOST_ITEMS", "Item", "Job", "Writer", "resume"]

MOST_ITEMS = 2000
"""Most appends in one transaction."""


@dataclass(slots=True)
class Item:
    """One append: (kind, payload, object key, blobs) of each draft, and its idempotence keys."""

    patient: str
    drafts: Sequence[tuple[str, bytes, bytes, tuple[str, ...]]]
    seen: Sequence[bytes]
    by: Principal | None
    purpose: str
    erases: str = ""
    answer: Future[Receipt] = field(default_factory=Future[Receipt])


@dataclass(slots=True)
class Job:
    """Something to be done in the writing thread, between two commits."""

    run: Callable[[], Any]
    answer: Future[Any] = field(default_factory=Future[Any])


class _Batch:
    """The rows of one transaction while they are made."""

    def __init__(self, start: int) -> None:
        self.next = start
        self.rows: list[Row] = []
        self.seen: list[tuple[bytes, int]] = []
        self.latest: dict[str, tuple[int, int]] = {}


class Writer:
    """The writing thread of one log."""

    def __init__(
        self,
        store: Store,
        keys: KeyFile,
        signer: Signer,
        clock: Callable[[], int],
        published: Callable[[str], None],
        depth: int,
    ) -> None:
        """Start the thread; `published` is told every committed note, `depth` bounds the queue.

        A note that cannot be published fails no append: what it signs is on disk already. `missed`
        holds why the newest one could not, None where it could.
        """
        self._store, self._keys, self._signer, self._clock = store, keys, signer, clock
        self._published = published
        self._queue: queue.Queue[Item | Job | None] = queue.Queue(depth)
        self.commits = 0
        self.missed: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="isosoma-log", daemon=True)
        self._thread.start()

    def put(self, item: Item | Job) -> None:
        """Queue; raises BusyError where the queue is full."""
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            raise BusyError(
                "the log's queue is full; nothing was accepted", todo="Try again in a second"
            ) from None

    def stop(self) -> None:
        """Finish what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            work: list[Item | Job | None] = [self._queue.get()]
            with contextlib.suppress(queue.Empty):
                while len(work) < MOST_ITEMS:
                    work.append(self._queue.get_nowait())
            items: list[Item] = []
            for one in work:
                if isinstance(one, Item):
                    items.append(one)
                    continue
                self._write(items)
                items = []
                if one is None:
                    going = False
                else:
                    _settle(one.answer, one.run)
            self._write(items)

    def _write(self, items: Sequence[Item]) -> None:
        """Commit all together, else one by one; answer each."""
        if not items:
            return
        try:
            receipts = self._commit(items)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered, not lost
            if len(items) == 1:
                items[0].answer.set_exception(_told(error))
                return
            for item in items:
                self._write([item])
            return
        for item, receipt in zip(items, receipts, strict=True):
            item.answer.set_result(receipt)

    def _commit(self, items: Sequence[Item]) -> list[Receipt]:
        batch = _Batch(self._signer.last.size)
        places = [self._add(batch, item) for item in items]
        frontier, note = self._signer.sign([leaf_hash(r.header) for r in batch.rows])
        root = frontier.root()
        mark = Mark(frontier.size, root, b"".join(frontier.peaks), note)
        try:
            self._store.commit(batch.rows, batch.seen, mark)
        except Exception:
            # An error while committing may come after the fact: only the store knows.
            last = asking.last(self._store)
            if last is None or last.root != root:
                raise
        self._signer.keep(frontier)
        self.commits += 1
        try:
            self._published(note)
            self.missed = None
        except OSError as error:
            self.missed = error
        return [Receipt(tuple(p), note) for p in places]

    def _add(self, batch: _Batch, item: Item) -> list[int]:
        """Seal the drafts of one item into the batch; return their sequences."""
        keys = self._keys.make(item.patient)
        actor, role = actor_of(item.by, keys)
        macs = keys.written(item.seen)
        places: list[int] = []
        for i, (kind, payload, key, blobs) in enumerate(item.drafts):
            name = keys.mac(key).hex() if key else ""
            version, previous = self._version(batch, name)
            header = {
                "sequence": batch.next, "at": self._clock(), "actor": actor, "role": role,
                "kind": kind, "purpose": item.purpose, "patient": keys.pseudonym,
                "object": name, "version": version, "previous": previous,
                "dek": self._keys.spend(keys), "seen": "" if i else seen_digest(macs),
                "blobs": blobs, "erases": item.erases,
            }  # fmt: skip
            batch.rows.append(seal_row(header, payload, keys, self._keys.origin))
            if name:
                batch.latest[name] = (version, batch.next)
            places.append(batch.next)
            batch.next += 1
        batch.seen.extend((mac, places[0]) for mac in macs)
        return places

    def _version(self, batch: _Batch, name: str) -> tuple[int, int]:
        """Return the version to write of an object, and the sequence of the one before."""
        if not name:
            return 1, -1
        if name in batch.latest:
            version, before = batch.latest[name]
            return version + 1, before
        found = asking.latest(self._store, name)
        if found is None:
            return 1, -1
        return read_header(found.header).version + 1, found.sequence


def _told(error: Exception) -> IsosomaError:
    if isinstance(error, IsosomaError):
        return error
    told = RecordError(f"nothing was written ({error})", todo="Report this with the log's version")
    told.__cause__ = error
    return told


def _settle(answer: Future[Any], run: Callable[[], Any]) -> None:
    try:
        answer.set_result(run())
    except Exception as error:  # noqa: BLE001 - answered to whoever asked
        answer.set_exception(_told(error))


def resume(mark: Mark) -> Frontier:
    """Return the frontier of a stored checkpoint; raises RecordError where it is broken."""
    peaks = [mark.peaks[i : i + 32] for i in range(0, len(mark.peaks), 32)]
    return Frontier(mark.size, peaks)
