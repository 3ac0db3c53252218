"""What makes two deliveries the same reading: its source and its content, never a message flag."""

from __future__ import annotations

import hashlib
import struct

from isosoma.core.observation import Observation, Waveform

__all__ = ["key_of"]

_MINUTE = 60 * 10**9  # [ns]
_PLACE = struct.Struct(">q")
_NUMBERS = struct.Struct("<qqd")
_BLOCK = struct.Struct("<qqddq")


def key_of(reading: Observation | Waveform) -> bytes:
    """Return the bytes that a second delivery of the same reading shares.

    Device, channel, variable, running number, event time and content (value and censoring; rate,
    scale, samples and gaps). Two readings that carry one number but differ in content are both
    kept; `timeline` names the conflict. The log stores the key only as an HMAC under the patient's
    salt, and keys that begin with the same 8 bytes side by side: here, those of one minute.
    """
    source = f"{reading.device}\0{reading.channel}\0{reading.variable}\0"
    if isinstance(reading, Waveform):
        r = reading
        numbers = _BLOCK.pack(r.seq, r.start, r.hz, r.scale, r.baseline)
        content = hashlib.sha256(r.samples.tobytes() + repr(r.missing).encode()).digest()
        return _PLACE.pack(r.start // _MINUTE) + b"w" + source.encode() + numbers + content
    numbers = _NUMBERS.pack(reading.seq, reading.at, reading.value)
    place = _PLACE.pack(reading.at // _MINUTE)
    return place + b"o" + f"{source}{reading.censoring}\0".encode() + numbers
