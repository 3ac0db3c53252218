"""What a database must do for the log, and the rows it keeps.

A backend opens, commits, and answers questions; the questions themselves are in `asking`, the same
for every backend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["FORMAT", "Mark", "Row", "Store"]

FORMAT = "isosoma-log-2"
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
    """A database with tables `meta`, `events`, `seen` and `checkpoints`, written by one process."""

    where: str

    def commit(self, rows: Sequence[Row], seen: Sequence[tuple[bytes, int]], mark: Mark) -> None:
        """Write all in one durable transaction; raises RecordError and leaves nothing behind."""
        ...

    def ask(self, sql: str, *args: Any) -> list[Any]:
        """Return the rows that answer `sql`, with ``?`` for each of `args`."""
        ...

    def stream(self, sql: str, *args: Any) -> Iterator[Any]:
        """Yield the rows that answer `sql`, as they were at the first, holding up no writer."""
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
