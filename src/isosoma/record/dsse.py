"""Dead Simple Signing Envelope (secure-systems-lab/dsse), for results that leave the house.

::

    PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body      (lengths in bytes)

The signature covers PAE, so neither the type nor the body can be read as another.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from isosoma.core.errors import TamperError

__all__ = ["STATEMENT", "pae", "sign_envelope", "verify_envelope"]

STATEMENT = "application/vnd.in-toto+json"
"""Payload type of an in-toto statement."""


def pae(payload_type: str, body: bytes) -> bytes:
    """Return the bytes that are signed.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def sign_envelope(
    body: bytes, private: Ed25519PrivateKey, *, keyid: str = "", payload_type: str = STATEMENT
) -> str:
    """Return the envelope as JSON text."""
    signature = base64.b64encode(private.sign(pae(payload_type, body))).decode()
    envelope = {
        "payload": base64.b64encode(body).decode(),
        "payloadType": payload_type,
        "signatures": [{"keyid": keyid, "sig": signature}],
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":"))


def _decode(text: str) -> bytes:
    """Decode standard or URL-safe base64."""
    return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)


def _read(envelope: str) -> tuple[str, bytes, list[bytes]]:
    try:
        raw: Any = json.loads(envelope)
        found: list[Mapping[str, str]] = list(raw["signatures"])
        body, kind = _decode(raw["payload"]), str(raw["payloadType"])
        return kind, body, [_decode(s["sig"]) for s in found]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise TamperError(
            "this is not a signed envelope", todo="Ask for the result again"
        ) from error


def verify_envelope(
    envelope: str,
    keys: Collection[bytes],
    *,
    payload_type: str = STATEMENT,
    threshold: int = 1,
) -> bytes:
    """Return the body once at least `threshold` different `keys` (32 bytes each) signed it.

    Raises
    ------
    TamperError
        Another payload type, too few good signatures, or not an envelope.
    """
    kind, body, signatures = _read(envelope)
    if kind != payload_type:
        raise TamperError(f"the envelope holds {kind}, not {payload_type}", todo="Do not use it")
    signed = pae(kind, body)
    good = {key for key in set(keys) if any(_signed(key, s, signed) for s in signatures)}
    if len(good) < max(threshold, 1):
        raise TamperError(
            f"{len(good)} of {threshold} trusted signatures hold", todo="Do not use the result"
        )
    return body


def _signed(key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except InvalidSignature:
        return False
    return True
