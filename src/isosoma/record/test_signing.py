"""Notes, checkpoints and envelopes against published values."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isosoma.core.errors import TamperError
from isosoma.record.checkpoint import (
    Checkpoint,
    Signer,
    VerifierKey,
    open_note,
    parse_checkpoint,
    sign_note,
)
from isosoma.record.dsse import pae, sign_envelope, verify_envelope
from isosoma.record.merkle import Frontier, leaf_hash


@pytest.fixture
def vectors(shared_data):
    return json.loads((shared_data / "trust" / "signing_vectors.json").read_text("utf-8"))


def test_published_note(vectors):
    (v,) = vectors["signed_note"]
    key = VerifierKey.parse(v["verifier_key"])
    assert str(key) == v["verifier_key"]
    assert open_note(v["note"], [key]) == v["note"].rpartition("\n\n")[0] + "\n"


def test_checkpoint_is_the_published_one_byte_for_byte(vectors):
    (v,) = vectors["checkpoint"]
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(v["private_key_hex"]))
    leaves = [leaf_hash(e.encode()) for e in v["leaves"]]
    frontier, note = Signer(v["log_origin"], private, Frontier()).sign(leaves)
    assert note == v["note"]
    for n, root in v["roots_base64"].items():
        part = Frontier()
        for leaf in leaves[: int(n)]:
            part.append(leaf)
        assert base64.b64encode(part.root()).decode() == root
    key = VerifierKey(v["log_origin"], bytes.fromhex(v["public_key_hex"]))
    assert key.id.hex() == v["key_id_hex"]
    point = parse_checkpoint(open_note(note, [key]))
    assert point == Checkpoint(v["log_origin"], 7, frontier.root())


def test_any_changed_byte_of_a_note_is_refused(vectors):
    (v,) = vectors["checkpoint"]
    key = VerifierKey(v["log_origin"], bytes.fromhex(v["public_key_hex"]))
    note = v["note"].encode()
    for i in range(len(note)):
        changed = bytearray(note)
        changed[i] ^= 1
        with pytest.raises(TamperError):
            open_note(changed.decode("utf-8", "replace"), [key])


def test_unknown_signatures_are_ignored_and_never_enough():
    mine, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = sign_note("a\n", "log", mine)
    both = note + sign_note("a\n", "witness", other).rpartition("\n\n")[2]
    assert open_note(both, [VerifierKey("log", mine.public_key().public_bytes_raw())]) == "a\n"
    with pytest.raises(TamperError, match="no trusted key"):
        open_note(note, [VerifierKey("log", other.public_key().public_bytes_raw())])


def test_envelope(vectors):
    (v,) = vectors["dsse"]
    assert pae(v["payload_type"], v["body"].encode()).decode() == v["pae"]
    mine, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys = [k.public_key().public_bytes_raw() for k in (mine, other)]
    envelope = sign_envelope(b'{"x":1}', mine)
    assert verify_envelope(envelope, keys) == b'{"x":1}'
    with pytest.raises(TamperError, match="1 of 2"):
        verify_envelope(envelope, keys, threshold=2)
    with pytest.raises(TamperError, match="0 of 1"):
        verify_envelope(envelope, keys[1:])
    with pytest.raises(TamperError, match="not application/x"):
        verify_envelope(envelope, keys, payload_type="application/x")
    with pytest.raises(TamperError, match="not a signed"):
        verify_envelope("[]", keys)
