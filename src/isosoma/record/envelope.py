"""Encryption of one message under a patient's key: AES-256-GCM with bound context.

::

    ct = nonce(12) || AES256GCM(DEK, nonce, data, aad)
    aad = enc(tenant, patient, kind, sequence, version, version of the DEK)
    enc(a, b, …) = for each field: length in bytes, space, the field

The context stops a ciphertext from being moved to another patient, kind, place or version.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isosoma.core.errors import TamperError

__all__ = ["MOST_MESSAGES", "NONCE", "enc", "seal", "unseal"]

NONCE = 12
"""Length of a nonce [B]."""
MOST_MESSAGES = 2**32
"""Messages under one key with random nonces (NIST SP 800-38D, section 8.3)."""


def enc(*fields: str | int | bytes) -> bytes:
    """Return the fields, each behind its length, so that no two lists give the same bytes.

    >>> enc("ab", "c") != enc("a", "bc")
    True
    >>> enc("dek", 7)
    b'3 dek1 7'
    """
    parts: list[bytes] = []
    for field in fields:
        raw = field if isinstance(field, bytes) else str(field).encode()
        parts.append(b"%d %b" % (len(raw), raw))
    return b"".join(parts)


def seal(cipher: AESGCM, data: bytes, aad: bytes) -> bytes:
    """Return nonce || ciphertext || tag.

    The nonce is the operating system's randomness and no argument: a repeated one breaks GCM.
    """
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, data, aad)


def unseal(cipher: AESGCM, sealed: bytes, aad: bytes) -> bytes:
    """Return the plaintext; raises TamperError where bytes or context are not those sealed."""
    try:
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], aad)
    except (InvalidTag, ValueError) as error:
        raise TamperError(
            "a ciphertext does not belong here or was changed",
            todo="Run `isosoma record verify` and restore the file from a copy",
        ) from error
