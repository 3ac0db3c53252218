"""The Merkle tree of RFC 6962 / RFC 9162 section 2.1, and its two verifiers.

::

    leaf(d) = SHA256(0x00 || d)      node(l, r) = SHA256(0x01 || l || r)      MTH([]) = SHA256("")
    MTH(D[0:n]) = node(MTH(D[0:k]), MTH(D[k:n])),   k = largest power of two < n

`Frontier` appends with O(log n) memory; `Tree` keeps the hashes of all complete subtrees and gives
proofs in O(log n).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from isosoma.core.errors import RecordError

__all__ = [
    "EMPTY",
    "HASH",
    "LARGEST",
    "Frontier",
    "Tree",
    "leaf_hash",
    "node_hash",
    "verify_consistency",
    "verify_inclusion",
]

HASH = 32
"""Length of a hash [B]."""
LARGEST = 2**63 - 1
"""Largest size or index; beyond, other implementations overflow and verdicts would differ."""
EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Return SHA256(0x00 || data), 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA256(0x01 || left || right), 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the complete subtrees at the right edge: enough to append and to know the root.

    `peaks` has one hash for each bit set in `size`, the largest subtree first.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count():
            raise RecordError(f"{len(self.peaks)} subtree hashes cannot be a tree of {size} leaves")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash; O(1) amortised."""
        carry = self.size
        while carry & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            carry >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return MTH of all leaves."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Frontier:
        """Return a frontier that can be appended to without touching this one."""
        return Frontier(self.size, self.peaks)


class Tree:
    """All leaf hashes with the hashes of all complete subtrees, level by level."""

    __slots__ = ("_levels",)

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash; O(1) amortised."""
        level = 0
        self._levels[0] += leaf
        while (len(self._levels[level]) // HASH) % 2 == 0:
            pair = self._levels[level][-2 * HASH :]
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += node_hash(bytes(pair[:HASH]), bytes(pair[HASH:]))

    def _range(self, start: int, stop: int) -> bytes:
        """Return MTH(D[start:stop]), `start` being a multiple of a power of two >= stop - start."""
        n = stop - start
        if n == 0:
            return EMPTY
        if n & (n - 1) == 0:
            at = (start // n) * HASH
            return bytes(self._levels[n.bit_length() - 1][at : at + HASH])
        k = 1 << (n - 1).bit_length() - 1
        return node_hash(self._range(start, start + k), self._range(start + k, stop))

    def _within(self, size: int | None) -> int:
        n = self.size if size is None else size
        if not 0 <= n <= self.size:
            raise RecordError(f"the log has {self.size} entries, not {n}", todo="Ask for fewer")
        return n

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves (all by default)."""
        return self._range(0, self._within(size))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return PATH(index, D[0:size]): the proof that a leaf is in the tree."""
        n = self._within(size)
        if not 0 <= index < n:
            raise RecordError(f"entry {index} is not among the first {n}", todo="Ask for another")
        start, stop, path = 0, n, list[bytes]()
        while stop - start > 1:
            k = 1 << (stop - start - 1).bit_length() - 1
            if index < start + k:
                path.append(self._range(start + k, stop))
                stop = start + k
            else:
                path.append(self._range(start, start + k))
                start += k
        return path[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Return PROOF(old, D[0:size]): the proof that the old tree is a prefix of the new."""
        n = self._within(size)
        if not 0 < old <= n:
            raise RecordError(f"no tree of {old} entries lies within one of {n}")
        start, stop, whole, path = 0, n, True, list[bytes]()
        while stop != old:
            k = 1 << (stop - start - 1).bit_length() - 1
            if old <= start + k:
                path.append(self._range(start + k, stop))
                stop = start + k
            else:
                path.append(self._range(start, start + k))
                start, whole = start + k, False
        return ([] if whole else [self._range(start, stop)]) + path[::-1]


def _is_size(n: object) -> bool:
    """Return whether `n` is a plain integer within [0, LARGEST]; a bool is not."""
    return type(n) is int and 0 <= n <= LARGEST


def _are_hashes(hashes: Sequence[bytes]) -> bool:
    return all(len(h) == HASH for h in hashes)


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether `proof` shows that `leaf` (a leaf hash) is number `index` of `size`.

    Every hash must be 32 bytes: without that rule an empty leaf "equals" an empty root.
    """
    if not (_is_size(index) and _is_size(size) and index < size):
        return False
    if not _are_hashes([leaf, root, *proof]):
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Return whether `proof` shows that the tree of `old` leaves is a prefix of that of `new`.

    Stricter than the published vectors in one case, on purpose: equal sizes with an empty proof
    are accepted for equal roots of 32 bytes only, not for equal strings of any length. An old
    size of 0 proves nothing and is refused.
    """
    if not (_is_size(old) and _is_size(new) and 0 < old <= new):
        return False
    if not _are_hashes([old_root, new_root, *proof]):
        return False
    if old == new:
        return not proof and old_root == new_root
    if not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return _fold(fn, sn, path) == (old_root, new_root)


def _fold(fn: int, sn: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the old and the new root that a consistency path leads to; None: it leads nowhere."""
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr) if sn == 0 else None
