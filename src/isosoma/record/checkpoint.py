"""What the log says of itself, signed: C2SP tlog-checkpoint inside a C2SP signed note, Ed25519.

::

    text = origin LF, size LF, base64(root) LF
    note = text, empty line, then lines "— name base64(keyid || signature)"
    keyid = first 4 bytes of SHA256(name || LF || 0x01 || public key)

A rolled-back log is found only by a checkpoint kept elsewhere: hand it out with every export.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from isosoma.core.errors import RecordError, TamperError
from isosoma.record.merkle import EMPTY, HASH, LARGEST, Frontier

__all__ = ["Checkpoint", "Signer", "VerifierKey", "open_note", "parse_checkpoint", "sign_note"]

_ED25519 = b"\x01"
_MOST_SIGNATURES = 64
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public Ed25519 key with the name it signs under."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Return the 4 bytes that mark this key's signatures; a hint, never a proof."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read ``name+keyid+base64``; raises TamperError where the three do not agree."""
        name, _, rest = text.strip().partition("+")
        mark, _, body = rest.partition("+")
        try:
            raw = base64.b64decode(body, validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        key = cls(name, raw[1:])
        if not name or raw[:1] != _ED25519 or len(raw) != HASH + 1 or key.id.hex() != mark:
            raise TamperError(
                "this is not a public key of the form name+id+base64",
                todo="Copy it again from where the log was made",
            )
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of a log of the given origin."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def _broken(what: str) -> TamperError:
    return TamperError(
        f"a checkpoint {what}", todo="Compare it with a copy kept elsewhere and restore that copy"
    )


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the three lines of a checkpoint; raises TamperError."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0]:
        raise _broken("does not have its three lines")
    digits = lines[1]
    if not (digits.isascii() and digits.isdigit()) or str(int(digits[:20])) != digits:
        raise _broken("gives no whole number as its size")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error):
        root = b""
    size = int(digits)
    # Re-encoding catches base64 whose unused last bits were changed.
    good = len(root) == HASH and base64.b64encode(root).decode() == lines[2] and size <= LARGEST
    if not good:
        raise _broken("gives no 32-byte root")
    return Checkpoint(lines[0], size, root)


def sign_note(text: str, name: str, private: Ed25519PrivateKey) -> str:
    """Return `text` (ending in LF) as a note signed under `name`."""
    if not text.endswith("\n") or not name or "+" in name or any(c.isspace() for c in name):
        raise RecordError("only text ending in a line feed can be signed, under a name in one word")
    key = VerifierKey(name, private.public_key().public_bytes_raw())
    signature = base64.b64encode(key.id + private.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def _signatures(block: str) -> list[tuple[str, bytes]]:
    """Read the signature lines: name, keyid || signature."""
    lines = block.split("\n")
    if lines.pop() or not lines or len(lines) > _MOST_SIGNATURES:
        raise _broken("has no proper signature lines")
    out: list[tuple[str, bytes]] = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, body = rest.partition(" ")
        try:
            raw = base64.b64decode(body, validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        if dash != "—" or not name or len(raw) < 5 or base64.b64encode(raw).decode() != body:
            raise _broken("has a malformed signature line")
        out.append((name, raw))
    return out


def open_note(note: str, keys: Sequence[VerifierKey]) -> str:
    """Return the text of a note that at least one of `keys` signed.

    Raises
    ------
    TamperError
        Malformed; a bad signature of a known key; or no signature of a known key.
    """
    if len(note) > _LONGEST or any(c < " " and c != "\n" for c in note):
        raise _broken("holds control characters or is too long")
    text, gap, block = note.rpartition("\n\n")
    if not gap:
        raise _broken("is not signed")
    text += "\n"
    known = {(k.name, k.id): k for k in keys}
    good = False
    for name, raw in _signatures(block):
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise _broken("is not what its key signed") from error
        good = True
    if not good:
        raise _broken("is signed by no trusted key")
    return text


class Signer:
    """Signs the growing log and nothing else.

    It folds the leaves itself, so a checkpoint that contradicts an earlier one cannot be asked
    for. `last` is the frontier of what was signed before.
    """

    __slots__ = ("_private", "last", "origin")

    def __init__(self, origin: str, private: Ed25519PrivateKey, last: Frontier) -> None:
        self.origin = origin
        self.last = last
        self._private = private

    def sign(self, leaves: Sequence[bytes]) -> tuple[Frontier, str]:
        """Return the frontier after `leaves` (leaf hashes) and the signed note for it.

        `last` moves only by `keep`, once the note is stored: what never left is not "signed".
        """
        frontier = self.last.copy()
        for leaf in leaves:
            frontier.append(leaf)
        root = frontier.root() if frontier.size else EMPTY
        text = Checkpoint(self.origin, frontier.size, root).text()
        return frontier, sign_note(text, self.origin, self._private)

    def keep(self, frontier: Frontier) -> None:
        """Make `frontier` the last signed state; raises RecordError if it went backwards."""
        if frontier.size < self.last.size:
            raise RecordError("the log was asked to sign a smaller tree than before")
        self.last = frontier
