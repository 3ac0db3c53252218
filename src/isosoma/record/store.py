"""What a database must do for the log, and the rows it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["FORMAT", "Mark", "Row", "Store"]

FORMAT = "isosoma-log-1"
"""Name and version of the layout; another one is refused."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored. `patient`, `kind` and `object` repeat the header, for the indexes.

    Attributes
    ----------
    sequence : place in the log, from 0.
    patient : pseudonym, 32 hex digits.
    object : HMAC of the object's key, empty where there is none.
    header : canonical bytes whose hash is the leaf.
    ciphertext : what the header's digest is of.
    """

    sequence: int
    patient: str
    kind: str
    object: str
    header: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """One signed checkpoint as stored: size, root, peaks (roots of complete subtrees), note."""

    size: int
    root: bytes
    peaks: bytes
    note: str


class Store(Protocol):
    """A database that commits entries, seen keys and one checkpoint together or not at all."""

    where: str

    def commit(self, rows: Sequence[Row], seen: Sequence[tuple[bytes, int]], mark: Mark) -> None:
        """Write all in one durable transaction; raises RecordError and leaves nothing behind."""
        ...

    def last(self) -> Mark | None:
        """Return the newest checkpoint; None in an empty store."""
        ...

    def marks(self) -> Iterator[Mark]:
        """Yield all checkpoints by size."""
        ...

    def mark_at(self, size: int) -> Mark | None:
        """Return the checkpoint of exactly that size."""
        ...

    def rows(
        self, patient: str | None = None, kinds: Iterable[str] | None = None, start: int = 0
    ) -> Iterator[Row]:
        """Yield rows in order of sequence, as they were when the first was asked for."""
        ...

    def latest(self, object_id: str) -> Row | None:
        """Return the newest version of an object; None where there is none."""
        ...

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of the seen keys are stored."""
        ...

    def seen(self) -> Iterator[tuple[int, bytes]]:
        """Yield (sequence, key) of all seen keys in that order."""
        ...

    def meta(self) -> dict[str, str]:
        """Return the store's own description."""
        ...

    def faults(self) -> list[str]:
        """Return what the database itself finds wrong with its files."""
        ...

    def settle(self) -> None:
        """Move everything into the main file and empty the write-ahead log."""
        ...

    def close(self) -> None:
        """Close; nothing may be called afterwards."""
        ...
