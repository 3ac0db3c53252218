"""What a device publishes over MQTT: numbers as JSON, signals as binary frames.

Topic ``isosoma/<patient>/<device>/<channel>``; the payload repeats none of these. One message
carries 0.25 to 1 s of a signal, never one sample. Frame, little endian::

    "ISOW" | version u8 = 1 | length u8, variable (ASCII) | start i64 [ns since 1970 UTC]
    | hz f64 [1/s] | seq i64 | scale f64 [SI/count] | baseline i32 | sigma f64 [SI]
    | zone i16 [min east] | m u16 | n u32 | m x (u32, u32) missing from, to | n x i16 samples
    | CRC-32 u32 of all before (ISO/IEC 13239, as in zlib)
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from isosoma.core.errors import (
    FormatError,
    IdentityError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
)
from isosoma.core.observation import Observation, Waveform
from isosoma.core.vocabulary import Variable, check_possible, si, variable

__all__ = ["LIMIT", "Reading", "decode", "encode_vitals", "encode_waveform", "read_topic", "topic"]

Reading = Observation | Waveform

LIMIT = 1 << 16
"""Longest payload [byte]."""

_MAGIC = b"ISOW"
_VERSION = 1
_PART = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEAD = struct.Struct("<qdqdidhHI")
_LAST = 1 << 63  # [ns], the year 2262
_MAX_HZ = 1e5


class _Vital(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One number; `sigma`, `bias` and `value` in `unit` (UCUM), instants in ns since 1970 UTC."""

    variable: str
    value: float
    unit: str
    at: int
    sigma: float | None = None
    bias: float | None = None
    censoring: Literal["none", "below", "above"] = "none"
    seq: int = -1
    zone: int = 0
    device_at: int = 0


class _Vitals(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    readings: list[_Vital]


_DECODER = msgspec.json.Decoder(_Vitals)


def topic(patient: str, device: str, channel: str) -> str:
    """Return the topic of a channel.

    Raises
    ------
    FormatError
        A part holds anything but letters of ASCII, digits and ``._-``, or over 64 of them.
    """
    return "/".join(("isosoma", *(_part(p) for p in (patient, device, channel))))


def _part(text: str) -> str:
    if not _PART.fullmatch(text):
        raise FormatError(
            f"{text[:70]!r} cannot be a part of a topic",
            "mqtt",
            "Use 1 to 64 ASCII letters, digits, dots, underscores and hyphens",
        )
    return text


def read_topic(text: str) -> tuple[str, str, str]:
    """Return patient, device and channel of a topic; FormatError where it is none of ours."""
    parts = text[:300].split("/")
    if len(parts) != 4 or parts[0] != "isosoma":
        raise FormatError(
            f"{text[:80]!r} is no topic that is read",
            "mqtt",
            "Publish to isosoma/<patient>/<device>/<channel>",
        )
    return _part(parts[1]), _part(parts[2]), _part(parts[3])


def _instant(at: int) -> int:
    if not 0 <= at < _LAST:
        raise TimeError(f"{at} is no instant", todo="Give ns since 1970 UTC")
    return at


def _zone(zone: int) -> int:
    if not -12 * 60 <= zone <= 14 * 60:
        raise RangeError(f"no clock is {zone} min east of UTC", todo="Give minutes, not hours")
    return zone


def _spread(row: Variable, value: float | None, unit: str, default: float) -> float:
    """Return a standard uncertainty in SI: scaled, without the offset of a temperature scale."""
    if value is None:
        return default
    found = si(row, value, unit) - si(row, 0.0, unit) if unit != row.unit else value
    if not 0.0 <= found < math.inf:
        raise RangeError(f"an uncertainty of {value:g} {unit} cannot be", todo="Give k = 1")
    return found


def _vital(v: _Vital, like: Observation) -> Observation:
    row = variable(v.variable)
    if not -1 <= v.seq < _LAST:
        raise RangeError(f"no running number is {v.seq}", todo="Count from 0")
    return Observation(
        like.subject, row.name, _instant(v.at), like.received,
        check_possible(row, si(row, v.value, v.unit)),
        _spread(row, v.sigma, v.unit, row.sigma), _spread(row, v.bias, v.unit, row.bias),
        v.censoring, like.device, like.channel, v.seq, like.origin, _zone(v.zone),
        f"{v.value!r} {v.unit}", _instant(v.device_at),
    )  # fmt: skip


def _vitals(payload: bytes, like: Observation) -> list[Reading]:
    try:
        message = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(
            f"the JSON is not as agreed: {str(error)[:200]}",
            todo="Send version, and readings of variable, value, unit, at",
        ) from None
    if not message.readings:
        raise FormatError("the message holds no reading", todo="Send at least one")
    out: list[Reading] = []
    for i, vital in enumerate(message.readings):
        try:
            out.append(_vital(vital, like))
        except InputError as error:
            raise error.at(f"readings[{i}]") from None
    return out


def _missing(data: bytes, m: int, n: int) -> tuple[tuple[int, int], ...]:
    """Read the gaps: ascending, apart, inside the frame."""
    flat = struct.unpack(f"<{2 * m}I", data)
    if any(a >= b for a, b in zip(flat[::2], flat[1::2], strict=True)) or any(
        a > b for a, b in zip((0, *flat), (*flat, n), strict=True)
    ):
        raise FormatError("the gaps do not lie one after another in the frame")
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _check_signal(start: int, hz: float, scale: float, baseline: int, n: int) -> None:
    if not 0.0 < hz <= _MAX_HZ:
        raise RangeError(f"a rate of {hz:g} Hz cannot be", todo=f"Give 0 to {_MAX_HZ:g} Hz")
    if scale == 0.0 or not math.isfinite(scale * (abs(baseline) + 32768.0)):
        raise RangeError(f"a scale of {scale:g} per count cannot be")
    _instant(start)
    if n / hz > 86400.0:
        raise LimitError("a frame of over a day", todo="Send frames of a second")
    _instant(start + round(n / hz * 1e9))


def _waveform(payload: bytes, like: Observation) -> Waveform:
    if len(payload) < 6:
        raise FormatError("the frame is cut", todo="Send it again")
    if payload[4] != _VERSION:
        raise FormatError(f"frame version {payload[4]} is not read", todo=f"Send {_VERSION}")
    at = 6 + payload[5]
    body = payload[:-4]
    if at + _HEAD.size > len(body):
        raise FormatError("the frame is cut", todo="Send it again")
    start, hz, seq, scale, baseline, sigma, zone, m, n = _HEAD.unpack_from(body, at)
    gaps = at + _HEAD.size
    if gaps + 8 * m + 2 * n != len(body):
        raise FormatError(f"the frame says {n} samples and {m} gaps and has other bytes")
    if struct.unpack("<I", payload[-4:])[0] != zlib.crc32(body):
        raise FormatError("the checksum does not fit the frame", todo="Send it again")
    if n == 0:
        raise FormatError("the frame holds no sample", todo="Send at least one")
    row = variable(body[6:at].decode("ascii", "replace"))
    _check_signal(start, hz, scale, baseline, n)
    if not 0.0 <= sigma < math.inf or seq < -1:
        raise RangeError(f"an uncertainty of {sigma:g} or a running number of {seq} cannot be")
    samples: npt.NDArray[np.int16] = np.frombuffer(body, "<i2", n, gaps + 8 * m).astype(np.int16)
    return Waveform(
        like.subject, row.name, start, like.received, hz, samples, scale, baseline, sigma,
        like.device, like.channel, seq, like.origin, _zone(zone),
        _missing(body[gaps : gaps + 8 * m], m, n),
    )  # fmt: skip


def decode(topic: str, payload: bytes, received: int) -> list[Reading]:
    """Return the readings of one message.

    Parameters
    ----------
    topic : ``isosoma/<patient>/<device>/<channel>``.
    payload : JSON (``{"version": 1, "readings": [{"variable", "value", "unit", "at", ...}]}``)
        or a binary frame.
    received : time of arrival [ns since 1970 UTC].

    Raises
    ------
    InputError
        FormatError, LimitError, VocabularyError, UnitError, RangeError or TimeError; nothing of
        the message is taken.
    """
    patient, device, channel = read_topic(topic)
    where = f"mqtt:{topic}"
    try:
        if len(payload) > LIMIT:
            raise LimitError(f"a message of over {LIMIT} bytes", todo="Send shorter frames")
        like = Observation(
            patient, "", 0, _instant(received), 0.0, 0.0, device=device, channel=channel,
            origin=where,
        )  # fmt: skip
        if payload[:4] == _MAGIC:
            return [_waveform(payload, like)]
        return _vitals(payload, like)
    except InputError as error:
        raise error.at(where) from None


def encode_vitals(observations: Sequence[Observation]) -> tuple[str, bytes]:
    """Return topic and payload of readings of one channel; numbers in SI, so that none is rounded.

    Raises
    ------
    IdentityError
        They are of several patients, devices or channels.
    FormatError, LimitError
        There is none, a name cannot be in a topic, or the message grows too long.
    """
    if not observations:
        raise FormatError("there is no reading to send", "mqtt")
    keys = {(o.subject, o.device, o.channel) for o in observations}
    if len(keys) > 1:
        raise IdentityError("one message carries one channel", "mqtt", "Encode each by itself")
    vitals = [
        _Vital(
            o.variable, o.value, variable(o.variable).unit, o.at, o.sigma, o.bias, o.censoring,
            o.seq, o.zone, o.device_at,
        )
        for o in observations
    ]  # fmt: skip
    return topic(*keys.pop()), _short(msgspec.json.encode(_Vitals(1, vitals)))


def encode_waveform(wave: Waveform) -> tuple[str, bytes]:
    """Return topic and binary frame of a stretch of signal.

    Raises
    ------
    FormatError, LimitError, RangeError, TimeError
        A name cannot be in a topic, the frame is too long, or a number does not fit its field.
    """
    name = variable(wave.variable).name.encode("ascii")
    n = len(wave.samples)
    _check_signal(wave.start, wave.hz, wave.scale, wave.baseline, n)
    try:
        head = _HEAD.pack(
            wave.start, wave.hz, wave.seq, wave.scale, wave.baseline, wave.sigma, wave.zone,
            len(wave.missing), n,
        )  # fmt: skip
        gaps = b"".join(struct.pack("<II", a, b) for a, b in wave.missing)
    except struct.error as error:
        raise RangeError(f"a number does not fit the frame: {error}", "mqtt") from None
    body = _MAGIC + bytes([_VERSION, len(name)]) + name + head + gaps
    body += np.asarray(wave.samples, "<i2").tobytes()
    frame = _short(body + struct.pack("<I", zlib.crc32(body)))
    return topic(wave.subject, wave.device, wave.channel), frame


def _short(payload: bytes) -> bytes:
    if len(payload) > LIMIT:
        raise LimitError(f"a message of over {LIMIT} bytes", "mqtt", "Send shorter frames")
    return payload
