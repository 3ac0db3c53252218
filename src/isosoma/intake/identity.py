"""What makes two deliveries the same reading: its source and its content, never a message flag."""

from __future__ import annotations

import hashlib
import struct

from isosoma.core.observation import Observation, Waveform

__all__ = ["key_of"]

_NUMBERS = struct.Struct("<qqd")
_BLOCK = struct.Struct("<qqdd")


def key_of(reading: Observation | Waveform) -> bytes:
    """Return the bytes that a second delivery of the same reading shares.

    Device, channel, variable, running number, event time and content. Two readings that carry one
    number but differ in content are both kept; `timeline` names the conflict. The log stores the
    key only as an HMAC under the patient's salt.
    """
    source = f"{reading.device}\0{reading.channel}\0{reading.variable}\0".encode()
    if isinstance(reading, Waveform):
        content = hashlib.sha256(reading.samples.tobytes()).digest()
        numbers = _BLOCK.pack(reading.seq, reading.start, reading.hz, reading.scale)
        return b"w" + source + numbers + content
    return b"o" + source + _NUMBERS.pack(reading.seq, reading.at, reading.value)
