"""Vitals and waveforms as compressed blocks: differences first, zstd after; exact both ways.

A vitals block keeps one column for each field of `Observation`: integers as wrapping 64-bit first
differences, floats as their bits (differenced the same way), texts as a table and indices.
A waveform block keeps the first sample and wrapping 16-bit first differences.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from isosoma.core.errors import FormatError, IdentityError, LimitError, RangeError
from isosoma.core.observation import Observation, Waveform

__all__ = [
    "LARGEST_BLOCK",
    "decode_observations",
    "decode_waveform",
    "encode_observations",
    "encode_waveform",
]

LARGEST_BLOCK = 256 * 2**20
"""Most bytes of an unpacked block; a longer stretch is cut into several."""

_VITALS, _WAVE = b"iV1", b"iW1"
_INTS = ("at", "received", "seq", "zone", "device_at")
_FLOATS = ("value", "sigma", "bias")
_TEXTS = ("variable", "censoring", "device", "channel", "origin", "given")
_FIELDS = attrgetter("subject", *_INTS, *_FLOATS, *_TEXTS)
_LEVEL = 3
_local = threading.local()  # a zstd context must not be shared between threads


def _pack(data: bytes) -> bytes:
    if len(data) > LARGEST_BLOCK:
        raise LimitError("a block is too long", todo="Record it in several pieces")
    if not hasattr(_local, "pack"):
        _local.pack = zstandard.ZstdCompressor(level=_LEVEL)
    return _local.pack.compress(data)


def _unpack(data: bytes) -> bytes:
    try:
        if zstandard.frame_content_size(data) > LARGEST_BLOCK:
            raise LimitError("a block unpacks to too much", todo="Do not use it")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=LARGEST_BLOCK)
    except zstandard.ZstdError as error:
        raise FormatError("a block cannot be unpacked", todo="Restore it from a copy") from error


def _differences(columns: npt.NDArray[np.int64]) -> list[bytes]:
    """Return wrapping first differences of each of `columns` (m, n), the first value in front."""
    out = columns.copy()
    out[:, 1:] -= columns[:, :-1]
    return [row.tobytes() for row in out]


def _texts(column: Sequence[str]) -> tuple[list[str], bytes]:
    """Return the distinct texts in order of appearance, and of each place which; b"" for one."""
    table = list(dict.fromkeys(column))
    if len(table) == 1:
        return table, b""
    number = {text: i for i, text in enumerate(table)}
    return table, np.array([number[t] for t in column], dtype="<u4").tobytes()


def encode_observations(observations: Sequence[Observation]) -> bytes:
    """Return one compressed block of observations of one subject.

    Raises
    ------
    IdentityError
        Observations of more than one subject, or none at all.
    RangeError
        An integer beyond 64 bits.
    FormatError
        A text that is not Unicode.
    """
    subjects, *columns = zip(*map(_FIELDS, observations), strict=True) if observations else [()]
    if len(set(subjects)) != 1:
        raise IdentityError(
            "a block holds the observations of one patient", todo="Record each patient apart"
        )
    numbers, texts = len(_INTS) + len(_FLOATS), list(map(_texts, columns[-len(_TEXTS) :]))
    try:
        ints = _differences(np.array(columns[: len(_INTS)], "<i8"))
    except (OverflowError, TypeError, ValueError) as error:
        raise RangeError("an instant or number is no 64-bit integer", todo="Mend it") from error
    floats = _differences(np.array(columns[len(_INTS) : numbers], "<f8").view("<i8"))
    try:
        body = msgspec.msgpack.encode((len(observations), ints, floats, texts))
    except UnicodeEncodeError as error:
        raise FormatError("a text holds half a surrogate pair", todo="Mend it") from error
    return _VITALS + _pack(body)


def _open(block: bytes, magic: bytes) -> Any:
    if block[:3] != magic:
        raise FormatError("this is no block of that kind", todo="Read it by its entry's kind")
    try:
        return msgspec.msgpack.decode(_unpack(block[3:]))
    except msgspec.DecodeError as error:
        raise FormatError("a block is broken inside", todo="Restore it from a copy") from error


def _sums(raw: bytes) -> npt.NDArray[np.int64]:
    return np.cumsum(np.frombuffer(raw, "<i8"), dtype=np.int64)


def _spread(table: list[str], raw: bytes, n: int) -> list[str]:
    return [table[i] for i in np.frombuffer(raw, "<u4").tolist()] if raw else table * n


def decode_observations(block: bytes, patient: str) -> list[Observation]:
    """Return the observations of a block, with `patient` as their subject.

    Raises
    ------
    FormatError, LimitError
        Not a vitals block, or broken.
    """
    n, ints, floats, texts = _open(block, _VITALS)
    columns: dict[str, list[Any]] = {}
    for name, raw in zip(_INTS, ints, strict=True):
        columns[name] = _sums(raw).tolist()
    for name, raw in zip(_FLOATS, floats, strict=True):
        columns[name] = _sums(raw).view(np.float64).tolist()
    for name, (table, raw) in zip(_TEXTS, texts, strict=True):
        columns[name] = _spread(table, raw, n)
    names = ("variable", "at", "received", "value", "sigma", "bias", "censoring")
    names += ("device", "channel", "seq", "origin", "zone", "given", "device_at")
    rows = zip(*(columns[name] for name in names), strict=True)
    make: Callable[..., Observation] = Observation
    return [make(patient, *row) for row in rows]


def encode_waveform(wave: Waveform) -> bytes:
    """Return one compressed block; raises RangeError unless samples are int16 of shape (n,)."""
    samples = wave.samples
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise RangeError(
            f"samples are {samples.dtype} of shape {samples.shape}, not one line of int16",
            todo="Scale them to counts first",
        )
    if not (math.isfinite(wave.hz) and wave.hz > 0 and math.isfinite(wave.scale)):
        raise RangeError("a waveform needs a positive rate and a finite scale", todo="Mend it")
    first = int(samples[0]) if len(samples) else 0
    steps = np.diff(samples).astype("<i2", copy=False).tobytes()  # int16 wraps, and so must it
    head = (
        *(wave.variable, wave.start, wave.received, float(wave.hz), float(wave.scale)),
        *(wave.baseline, float(wave.sigma), wave.device, wave.channel, wave.seq, wave.origin),
        *(wave.zone, wave.missing, len(samples), first),
    )
    try:
        return _WAVE + _pack(msgspec.msgpack.encode((head, steps)))
    except (UnicodeEncodeError, OverflowError) as error:
        raise FormatError(
            "a text or number of a waveform cannot be kept", todo="Mend it"
        ) from error


def decode_waveform(block: bytes, patient: str) -> Waveform:
    """Return the waveform of a block, with `patient` as its subject; raises FormatError."""
    head, steps = _open(block, _WAVE)
    variable, start, received, hz, scale, baseline, sigma, device, channel, seq, *rest = head
    origin, zone, missing, n, first = rest
    samples = np.empty(n, np.int16)
    if n:
        samples[0] = first
        samples[1:] = np.frombuffer(steps, "<i2")
        np.cumsum(samples, dtype=np.int16, out=samples)
    return Waveform(
        subject=patient, variable=variable, start=start, received=received, hz=hz,
        samples=samples, scale=scale, baseline=baseline, sigma=sigma, device=device,
        channel=channel, seq=seq, origin=origin, zone=zone,
        missing=tuple((int(a), int(b)) for a, b in missing),
    )  # fmt: skip
