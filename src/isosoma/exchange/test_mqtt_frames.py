"""MQTT messages: what is encoded comes back, and nothing else is taken."""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import (
    FormatError,
    IdentityError,
    InputError,
    LimitError,
    RangeError,
    TimeError,
    UnitError,
    VocabularyError,
)
from isosoma.core.observation import Observation, Waveform
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.mqtt_frames import (
    LIMIT,
    decode,
    encode_vitals,
    encode_waveform,
    read_topic,
    topic,
)

NOW = 1_771_830_000_000_000_000
TOPIC = "isosoma/p1/belt-7/hr"
HR: dict[str, Any] = {"variable": "heart_rate", "value": 72, "unit": "/min", "at": NOW}

part = st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True)
instant = st.integers(0, (1 << 62) - 1)
spread = st.floats(0, 1e6)


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    key = draw(st.tuples(part, part, part))
    out: list[Observation] = []
    for _ in range(draw(st.integers(1, 5))):
        row = draw(st.sampled_from(sorted(VOCABULARY.values(), key=lambda v: v.name)))
        out.append(
            Observation(
                key[0],
                row.name,
                draw(instant),
                NOW,
                draw(st.floats(row.low, row.high)),
                draw(spread),
                draw(spread),
                draw(st.sampled_from(["none", "below", "above"])),
                key[1],
                key[2],
                draw(st.integers(-1, 1 << 62)),
                zone=draw(st.integers(-720, 840)),
                device_at=draw(instant),
            )
        )
    return out


@given(observations())
def test_numbers_come_back_as_they_were(sent: list[Observation]) -> None:
    where, payload = encode_vitals(sent)
    back = [replace(o, origin="", given="") for o in decode(where, payload, NOW)]
    assert back == sent


@st.composite
def waveforms(draw: st.DrawFn) -> Waveform:
    samples = draw(st.lists(st.integers(-32768, 32767), min_size=1, max_size=300))
    edges = sorted(draw(st.sets(st.integers(0, len(samples)), max_size=6)))
    edges = edges[: len(edges) // 2 * 2]
    return Waveform(
        draw(part),
        draw(st.sampled_from(sorted(VOCABULARY))),
        draw(instant),
        NOW,
        draw(st.floats(0.01, 1e5)),
        np.array(samples, np.int16),
        draw(st.floats(1e-12, 1e6)),
        draw(st.integers(-(1 << 31), (1 << 31) - 1)),
        draw(spread),
        draw(part),
        draw(part),
        draw(st.integers(-1, 1 << 62)),
        zone=draw(st.integers(-720, 840)),
        missing=tuple(zip(edges[::2], edges[1::2], strict=True)),
    )


@given(waveforms())
def test_signals_come_back_as_they_were(sent: Waveform) -> None:
    where, payload = encode_waveform(sent)
    (back,) = decode(where, payload, NOW)
    assert isinstance(back, Waveform)
    for name in Waveform.__slots__:
        if name not in ("samples", "origin"):
            assert getattr(back, name) == getattr(sent, name), name
    np.testing.assert_array_equal(back.samples, sent.samples)
    assert back.origin == f"mqtt:{where}"


def vitals(*readings: object, **more: object) -> bytes:
    return json.dumps({"version": 1, "readings": readings} | more).encode()


def test_a_number_in_its_own_unit() -> None:
    (found,) = decode(TOPIC, vitals(HR | {"sigma": 3, "zone": 60}), NOW)
    assert isinstance(found, Observation)
    assert (found.subject, found.device, found.channel) == ("p1", "belt-7", "hr")
    assert (found.value, found.zone, found.given) == (1.2, 60, "72.0 /min")
    assert found.sigma == pytest.approx(0.05)


def test_an_uncertainty_on_a_scale_with_an_offset_is_only_scaled() -> None:
    warm = {
        "variable": "body_temperature",
        "value": 98.6,
        "unit": "[degF]",
        "at": NOW,
        "sigma": 1.8,
    }
    (found,) = decode(TOPIC, vitals(warm), NOW)
    assert isinstance(found, Observation)
    assert (found.value, found.sigma) == (pytest.approx(310.15), pytest.approx(1.0))


HOSTILE: dict[str, tuple[bytes, type[InputError], str]] = {
    "nothing": (b"", FormatError, "JSON"),
    "not JSON": (b"hello", FormatError, "JSON"),
    "not text": (b"\xff\xfe{}", FormatError, "JSON"),
    "no reading": (vitals(), FormatError, "no reading"),
    "version 2": (vitals(HR, version=2), FormatError, "version"),
    "a field too many": (vitals(HR | {"quality": 1}), FormatError, "quality"),
    "no unit": (vitals({k: v for k, v in HR.items() if k != "unit"}), FormatError, "unit"),
    "text as number": (vitals(HR | {"value": "72"}), FormatError, "value"),
    "NaN": (vitals(HR | {"value": math.nan}), FormatError, "JSON"),
    "infinity": (vitals(HR | {"value": math.inf}), FormatError, "JSON"),
    "null": (vitals(HR | {"value": None}), FormatError, "value"),
    "overflow": (vitals(HR).replace(b"72", b"1e999"), FormatError, "JSON"),
    "deep": (b"[" * 60_000, FormatError, "JSON"),
    "impossible": (vitals(HR, HR | {"value": -1}), RangeError, r"readings\[1\]"),
    "uncertainty below zero": (vitals(HR | {"sigma": -1}), RangeError, "uncertainty"),
    "zone in seconds": (vitals(HR | {"zone": 3600}), RangeError, "minutes"),
    "running number": (vitals(HR | {"seq": -2}), RangeError, "running"),
    "before 1970": (vitals(HR | {"at": -1}), TimeError, "1970"),
    "after 2262": (vitals(HR | {"at": 1 << 63}), TimeError, "1970"),
    "unknown variable": (vitals(HR | {"variable": "aura"}), VocabularyError, "aura"),
    "unit of something else": (vitals(HR | {"unit": "kg"}), UnitError, "different"),
    "too long": (b" " * (LIMIT + 1), LimitError, "bytes"),
}


@pytest.mark.parametrize(("payload", "error", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_numbers(payload: bytes, error: type[InputError], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        decode(TOPIC, payload, NOW)
    assert caught.value.where.startswith("mqtt:isosoma/p1")


WAVE = Waveform(
    "p", "ecg", NOW, NOW, 250.0, np.arange(64, dtype=np.int16), 5e-6, device="d", channel="II"
)


def resealed(offset: int, code: str, value: object) -> bytes:
    """The frame of WAVE with one field of its head replaced and a fitting checksum."""
    body = bytearray(encode_waveform(WAVE)[1][:-4])
    struct.pack_into(code, body, offset, value)
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


HEAD = 4 + 2 + len("ecg")
SPOILT: dict[str, tuple[int, str, object, type[InputError]]] = {
    "version": (4, "<B", 2, FormatError),
    "name beyond the frame": (5, "<B", 255, FormatError),
    "variable": (6, "<3s", b"\xff/x", VocabularyError),
    "start": (HEAD, "<q", -1, TimeError),
    "end after 2262": (HEAD, "<q", (1 << 63) - 1, TimeError),
    "rate NaN": (HEAD + 8, "<d", math.nan, RangeError),
    "rate 0": (HEAD + 8, "<d", 0.0, RangeError),
    "rate too low": (HEAD + 8, "<d", 1e-300, LimitError),
    "seq": (HEAD + 16, "<q", -2, RangeError),
    "scale NaN": (HEAD + 24, "<d", math.nan, RangeError),
    "scale 0": (HEAD + 24, "<d", 0.0, RangeError),
    "scale too large": (HEAD + 24, "<d", 1e308, RangeError),
    "sigma NaN": (HEAD + 36, "<d", math.nan, RangeError),
    "zone": (HEAD + 44, "<h", 3600, RangeError),
    "gaps": (HEAD + 46, "<H", 1, FormatError),
    "samples": (HEAD + 48, "<I", 1 << 31, FormatError),
}


@pytest.mark.parametrize(("offset", "code", "value", "error"), SPOILT.values(), ids=SPOILT.keys())
def test_hostile_frames(offset: int, code: str, value: object, error: type[InputError]) -> None:
    with pytest.raises(error):
        decode(TOPIC, resealed(offset, code, value), NOW)


def test_every_cut_and_every_flipped_bit_is_seen() -> None:
    frame = encode_waveform(WAVE)[1]
    for n in range(len(frame)):
        with pytest.raises(InputError):
            decode(TOPIC, frame[:n], NOW)
    for bit in range(8 * len(frame)):
        spoilt = bytearray(frame)
        spoilt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InputError):
            decode(TOPIC, bytes(spoilt), NOW)


@pytest.mark.parametrize("gaps", [((5, 5),), ((9, 3),), ((0, 4), (3, 8)), ((60, 65),)])
def test_gaps_that_cannot_be(gaps: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(FormatError, match="gaps"):
        decode(TOPIC, encode_waveform(replace(WAVE, missing=gaps))[1], NOW)


def test_what_cannot_be_sent() -> None:
    one = Observation("p", "heart_rate", NOW, NOW, 1.0, 0.1, device="d", channel="hr")
    with pytest.raises(IdentityError, match="one channel"):
        encode_vitals([one, replace(one, subject="q")])
    with pytest.raises(FormatError, match="no reading"):
        encode_vitals([])
    with pytest.raises(LimitError):
        encode_vitals([one] * 2000)
    with pytest.raises(LimitError):
        encode_waveform(replace(WAVE, samples=np.zeros(33_000, np.int16)))
    with pytest.raises(RangeError, match="fit"):
        encode_waveform(replace(WAVE, zone=1 << 20))
    with pytest.raises(FormatError, match="part of a topic"):
        encode_waveform(replace(WAVE, device=""))


@pytest.mark.parametrize(
    "text",
    ["", "isosoma/p/d", "isosoma/p/d/c/x", "other/p/d/c", "isosoma/+/d/c", "isosoma/p/#/c",
     "isosoma//d/c", "isosoma/p/d/ä", "isosoma/p/d/c\n", "isosoma/p/d/" + "c" * 65],
)  # fmt: skip
def test_topics_that_are_not_ours(text: str) -> None:
    with pytest.raises(FormatError, match="mqtt"):
        decode(text, vitals(HR), NOW)


@given(part, part, part)
def test_topics_come_back(patient: str, device: str, channel: str) -> None:
    assert read_topic(topic(patient, device, channel)) == (patient, device, channel)


@given(st.one_of(st.binary(max_size=120), st.binary(max_size=120).map(lambda b: b"ISOW\x01" + b)))
def test_any_bytes(payload: bytes) -> None:
    with pytest.raises(InputError):
        decode(TOPIC, payload, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*HR, "sigma", "seq", "zone", "device_at"]), json_values))
def test_any_json(fields: dict[str, object]) -> None:
    try:
        found = decode(TOPIC, vitals(HR | fields), NOW)
    except InputError:
        return
    assert all(isinstance(o, Observation) and math.isfinite(o.value) for o in found)
