"""The tree and its verifiers against RFC 6962 vectors and against the definition itself."""

from __future__ import annotations

import base64
import json
from itertools import count

import pytest

from isosoma.record.merkle import (
    EMPTY,
    Frontier,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

STRICTER = "sizes-are-equal-one-and-proof-is-empty"


def read(shared_data, name):
    lines = (shared_data / "trust" / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def raw(text):
    return base64.b64decode(text or "")


def by_definition(leaves):
    """MTH as the RFC writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def test_inclusion_vectors(shared_data):
    accepted = 0
    vectors = read(shared_data, "rfc6962_inclusion.jsonl")
    for v in vectors:
        got = verify_inclusion(
            v["leafIdx"], v["treeSize"], raw(v["leafHash"]),
            [raw(p) for p in v["proof"] or []], raw(v["root"]),
        )  # fmt: skip
        assert got is not v["wantErr"], v["case"]
        accepted += got
    assert (len(vectors), accepted) == (98, 6)


def test_consistency_vectors(shared_data):
    """All verdicts but one: equal sizes with made-up roots of another length are refused here."""
    accepted, differing = 0, []
    vectors = read(shared_data, "rfc6962_consistency.jsonl")
    for v in vectors:
        got = verify_consistency(
            v["size1"], v["size2"], [raw(p) for p in v["proof"] or []],
            raw(v["root1"]), raw(v["root2"]),
        )  # fmt: skip
        if got is v["wantErr"]:
            differing.append((v["case"], v["wantErr"]))
        accepted += got
    assert (len(vectors), accepted) == (98, 5)
    assert len(differing) == 1
    assert STRICTER in differing[0][0]
    assert differing[0][1] is False


def test_every_proof_up_to_48_leaves_holds_and_no_changed_one():
    leaves = [leaf_hash(b"%d" % i) for i in range(48)]
    tree = Tree(leaves)
    proofs = 0
    for n in range(1, 49):
        root = tree.root(n)
        assert root == by_definition(leaves[:n])
        for i in range(n):
            path = tree.inclusion(i, n)
            assert verify_inclusion(i, n, leaves[i], path, root)
            assert not any(
                verify_inclusion(i, n, leaves[i], [*path[:j], flip(p), *path[j + 1 :]], root)
                for j, p in enumerate(path)
            )
            assert not verify_inclusion(i, n, flip(leaves[i]), path, root)
            path = tree.consistency(i + 1, n)
            assert verify_consistency(i + 1, n, path, tree.root(i + 1), root)
            assert not any(
                verify_consistency(
                    i + 1, n, [*path[:j], flip(p), *path[j + 1 :]], tree.root(i + 1), root
                )
                for j, p in enumerate(path)
            )
            assert not verify_consistency(i + 1, n, path, tree.root(i + 1), flip(root))
            proofs += 1
    assert proofs == 1176


_place = count()


def flip(data):
    """Change one bit, another one at each call, so that all are tried in turn."""
    at = next(_place) % (8 * len(data))
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def test_frontier_is_the_tree():
    frontier, tree = Frontier(), Tree()
    for i in range(300):
        leaf = leaf_hash(b"%d" % i)
        frontier.append(leaf)
        tree.append(leaf)
        assert frontier.root() == tree.root()


@pytest.mark.parametrize("bad", [True, 1.0, "1", -1, 2**63, None])
def test_sizes_are_plain_integers(bad):
    leaf = leaf_hash(b"x")
    assert not verify_inclusion(0, bad, leaf, [], leaf)
    assert not verify_inclusion(bad, 2, leaf, [leaf], leaf)
    assert not verify_consistency(bad, bad, [], leaf, leaf)
