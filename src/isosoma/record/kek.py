"""The key that wraps all others, from a pass phrase or a file only its owner can read.

::

    wrapped = AES256GCM(KEK, key, aad = enc(what it is, log, of whom, …))
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from hashlib import scrypt, sha256
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isosoma.core.errors import FormatError, RecordError
from isosoma.record.envelope import enc, seal, unseal
from isosoma.record.files import write_atomically

__all__ = ["PASSPHRASE", "Kek", "find_kek"]

PASSPHRASE = "ISOSOMA_PASSPHRASE"  # noqa: S105 - the variable's name, not its content
"""Environment variable with the pass phrase; without it the KEK lies in FILE-kek."""


@dataclass(frozen=True, slots=True)
class Kek:
    """The wrapping key of the log named `origin`."""

    origin: str
    cipher: AESGCM = field(repr=False)
    finder: bytes = field(repr=False)

    def wrap(self, data: bytes, what: str, *of: str | int) -> bytes:
        """Return `data` sealed as a thing of that name, of that patient or version."""
        return seal(self.cipher, data, enc(what, self.origin, *of))

    def unwrap(self, sealed: bytes, what: str, *of: str | int) -> bytes:
        """Return what was wrapped; raises TamperError where it was wrapped as anything else."""
        return unseal(self.cipher, sealed, enc(what, self.origin, *of))

    def lookup(self, patient: str) -> bytes:
        """Return the digest under which a patient's row is found without naming them."""
        return hmac.digest(self.finder, patient.encode(), "sha256")


def find_kek(path: Path, origin: str, salt: bytes, *, create: bool) -> Kek:
    """Return the wrapping key of the log at `path`.

    From the pass phrase in the environment (scrypt, N = 2^15, r = 8, p = 1), else from FILE-kek.

    Raises
    ------
    RecordError
        No pass phrase and no file, or a file that others can read.
    FormatError
        The file does not hold 32 bytes.
    """
    phrase = os.environ.get(PASSPHRASE)
    if phrase:
        raw = scrypt(phrase.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    else:
        raw = _from_file(Path(f"{path}-kek"), create=create)
    return Kek(origin, AESGCM(raw), sha256(b"isosoma lookup" + raw).digest())


def _from_file(file: Path, *, create: bool) -> bytes:
    if create and not file.exists():
        write_atomically(file, os.urandom(32))
    if not file.exists():
        raise RecordError("the key is missing", str(file), f"Restore it or set {PASSPHRASE}")
    if file.stat().st_mode & 0o077:
        raise RecordError("others can read the key", str(file), "Run chmod 600 on it")
    raw = file.read_bytes()
    if len(raw) != 32:
        raise FormatError("the key is not 32 bytes", str(file), "Restore it from a copy")
    return raw
