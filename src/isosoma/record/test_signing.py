"""Notes, checkpoints and envelopes against published values."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isosoma.core.errors import RecordError, TamperError
from isosoma.record.checkpoint import (
    Checkpoint,
    Signer,
    VerifierKey,
    open_note,
    parse_checkpoint,
    sign_note,
)
from isosoma.record.dsse import pae, sign_envelope, verify_envelope
from isosoma.record.merkle import Frontier, Tree, leaf_hash, verify_consistency


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


def key_of(name, private):
    return VerifierKey(name, private.public_key().public_bytes_raw())


def signed_by(text, names):
    """A note with one signature line of a fresh key for each of `names`."""
    lines = [sign_note(text, n, Ed25519PrivateKey.generate()).rpartition("\n\n")[2] for n in names]
    return f"{text}\n{''.join(lines)}"


@pytest.mark.parametrize(("others", "accepted"), [(15, True), (63, True), (64, False)])
def test_many_witnesses_may_sign_and_endlessly_many_may_not(others, accepted):
    mine = Ed25519PrivateKey.generate()
    note = signed_by("a\n", [f"witness{i}" for i in range(others)])
    note += sign_note("a\n", "log", mine).rpartition("\n\n")[2]
    if accepted:
        assert open_note(note, [key_of("log", mine)]) == "a\n"
    else:
        with pytest.raises(TamperError, match="signature lines"):
            open_note(note, [key_of("log", mine)])


def test_one_bad_signature_of_a_known_key_spoils_the_good_one():
    mine, witness = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys = [key_of("log", mine), key_of("witness", witness)]
    note = sign_note("a\n", "log", mine)
    good, bad = (sign_note(t, "witness", witness).rpartition("\n\n")[2] for t in ("a\n", "b\n"))
    assert open_note(note + good, keys) == "a\n"
    with pytest.raises(TamperError, match="not what its key signed"):
        open_note(note + bad, keys)
    assert open_note(note + bad, keys[:1]) == "a\n", "where the witness is not known, it is ignored"


def test_a_text_may_hold_empty_lines_of_its_own():
    mine = Ed25519PrivateKey.generate()
    text = "a\n\nb\n"
    assert open_note(sign_note(text, "log", mine), [key_of("log", mine)]) == text


@pytest.mark.parametrize("bad", ["a\tb\n", "a\r\n", "a\0\n", "a\x1b[31m\n"])
def test_control_characters_are_refused_however_well_signed(bad):
    mine = Ed25519PrivateKey.generate()
    with pytest.raises(TamperError, match="control characters"):
        open_note(sign_note(bad, "log", mine), [key_of("log", mine)])


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"log\n007\n{ROOT}\n", f"log\n-1\n{ROOT}\n", f"log\n+1\n{ROOT}\n", f"log\n\n{ROOT}\n",
        f"log\n1.0\n{ROOT}\n", f"log\n\u0661\n{ROOT}\n", f"log\n{2**63}\n{ROOT}\n",
        f"log\n{'9' * 30}\n{ROOT}\n", f"\n1\n{ROOT}\n", f"log\n1\n{ROOT}", "log\n1\n",
        f"log\n1\n{ROOT[:-4]}\n", f"log\n1\n{ROOT[:-2]}B=\n", "log\n1\n!\n", "",
    ],
)  # fmt: skip
def test_a_checkpoint_has_one_form(text):
    assert parse_checkpoint(f"log\n7\n{ROOT}\n") == Checkpoint("log", 7, bytes(32))
    with pytest.raises(TamperError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("text", "name"), [("a", "log"), ("a\n", ""), ("a\n", "a b"), ("a\n", "a+b")]
)
def test_what_would_not_read_back_is_not_signed(text, name):
    with pytest.raises(RecordError, match="in one word"):
        sign_note(text, name, Ed25519PrivateKey.generate())


def test_a_public_key_with_any_part_changed_is_refused():
    text = str(key_of("log", Ed25519PrivateKey.generate()))
    name, mark, body = text.split("+", 2)
    changed = [f"other+{mark}+{body}", f"{name}+00000000+{body}", f"{name}+{mark}+{body[:-4]}"]
    for bad in (*changed, f"+{mark}+{body}", name, "", f"{name}+{mark}+?"):
        with pytest.raises(TamperError, match="public key"):
            VerifierKey.parse(bad)


def test_the_log_never_signs_a_smaller_tree_than_before():
    signer = Signer("log", Ed25519PrivateKey.generate(), Frontier())
    leaves = [leaf_hash(b"%d" % i) for i in range(5)]
    three, _ = signer.sign(leaves[:3])
    assert signer.last.size == 0, "only what is kept counts as signed"
    signer.keep(three)
    with pytest.raises(RecordError, match="smaller tree"):
        signer.keep(Frontier())
    five, _ = signer.sign(leaves[3:])
    signer.keep(five)
    tree = Tree(leaves)
    assert (three.root(), five.root()) == (tree.root(3), tree.root())
    assert verify_consistency(3, 5, tree.consistency(3), three.root(), five.root())
