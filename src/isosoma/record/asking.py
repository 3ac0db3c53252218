"""The questions the log asks its store: one set, in SQL that every backend understands.

Every cell is held to its type: SQLite would let a changed byte turn bytes into text or a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from isosoma.core.errors import FormatError
from isosoma.record.store import Mark, Row, Store

__all__ = ["known", "last", "latest", "mark_at", "marks", "meta", "rows", "seen"]

_ROWS = "SELECT sequence, patient, kind, object, header, ciphertext FROM events"
_MARKS = "SELECT size, root, peaks, note FROM checkpoints"
_ROW, _MARK, _SEEN = (int, str, str, str, bytes, bytes), (int, bytes, bytes, str), (int, bytes)
_SOME = 500
"""Arguments of one question; SQLite allows 999 in its older releases."""


def _typed(store: Store, values: Sequence[Any], types: tuple[type, ...]) -> Sequence[Any]:
    if tuple(map(type, values)) != types:
        raise FormatError(
            f"a row at {values[0]!r} holds values of another kind", store.where, "Restore it"
        )
    return values


def _mark(store: Store, sql: str, *args: Any) -> Mark | None:
    found = store.ask(sql, *args)
    return Mark(*_typed(store, found[0], _MARK)) if found else None


def last(store: Store) -> Mark | None:
    """Return the newest checkpoint; None in an empty store."""
    return _mark(store, f"{_MARKS} ORDER BY size DESC LIMIT 1")


def mark_at(store: Store, size: int) -> Mark | None:
    """Return the checkpoint of exactly that size."""
    return _mark(store, f"{_MARKS} WHERE size=?", size)


def marks(store: Store) -> Iterator[Mark]:
    """Yield all checkpoints by size."""
    return (Mark(*_typed(store, m, _MARK)) for m in store.stream(f"{_MARKS} ORDER BY size"))


def rows(
    store: Store,
    patient: str | None = None,
    kinds: Iterable[str] | None = None,
    start: int | None = None,
) -> Iterator[Row]:
    """Yield rows in order of sequence, as they were when the first was asked for.

    Parameters
    ----------
    patient : a pseudonym; all patients without it.
    kinds : all kinds without it.
    start : the first sequence; from the very first row without it, wherever that claims to stand.
    """
    conditions, args = list[str](), list[Any]()
    if start is not None:
        conditions, args = ["sequence>=?"], [start]
    if patient is not None:
        conditions, args = [*conditions, "patient=?"], [*args, patient]
    if kinds is not None:
        wanted = list(kinds) or [""]  # no kind at all: nothing is of kind ""
        conditions = [*conditions, f"kind IN ({_places(wanted)})"]
        args = [*args, *wanted]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    found = store.stream(f"{_ROWS}{where} ORDER BY sequence", *args)
    return (Row(*_typed(store, r, _ROW)) for r in found)


def _places(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def latest(store: Store, object_id: str) -> Row | None:
    """Return the newest version of an object; None where there is none."""
    newest = "WHERE object=? AND object<>'' ORDER BY sequence DESC LIMIT 1"
    found = store.ask(f"{_ROWS} {newest}", object_id)
    return Row(*_typed(store, found[0], _ROW)) if found else None


def known(store: Store, keys: Sequence[bytes]) -> set[bytes]:
    """Return which of the seen keys are stored."""
    out: set[bytes] = set()
    for i in range(0, len(keys), _SOME):
        some = keys[i : i + _SOME]
        sql = f"SELECT key FROM seen WHERE key IN ({_places(some)})"  # noqa: S608 - only ? inside
        out.update(key for (key,) in store.ask(sql, *some))
    return out


def seen(store: Store) -> Iterator[tuple[int, bytes]]:
    """Yield (sequence, key) of all seen keys in that order."""
    for row in store.stream("SELECT sequence, key FROM seen ORDER BY sequence, key"):
        sequence, key = _typed(store, row, _SEEN)
        yield sequence, key


def meta(store: Store) -> dict[str, str]:
    """Return the store's own description."""
    return {key: value for key, value in store.ask("SELECT key, value FROM meta")}  # noqa: C416
