"""Proof that an entry is in the log that was signed, for somebody who holds only the note."""

from __future__ import annotations

from isosoma.core.errors import RecordError
from isosoma.record import asking
from isosoma.record.entries import Receipt
from isosoma.record.log import Log
from isosoma.record.merkle import Tree, leaf_hash

__all__ = ["prove"]


def prove(log: Log, sequence: int) -> Receipt:
    """Return an inclusion proof of one entry in the newest checkpoint; O(n) a call.

    Raises
    ------
    RecordError
        The newest checkpoint holds no such entry.
    """
    last = asking.last(log.store)
    if last is None or not 0 <= sequence < last.size:
        raise RecordError(f"there is no entry {sequence} to prove", log.store.where, "Check it")
    rows = asking.rows(log.store)
    leaves = [leaf_hash(row.header) for row in rows if row.sequence < last.size]
    proof = tuple(Tree(leaves).inclusion(sequence))
    return Receipt((sequence,), last.note, proof, leaves[sequence])
