"""Canonical bytes, blocks and sealing: exact both ways, and closed to everything else."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isosoma.core.errors import FormatError, IdentityError, LimitError, RangeError, TamperError
from isosoma.core.observation import Observation, Waveform
from isosoma.record import (
    decode_observations,
    decode_waveform,
    encode_observations,
    encode_waveform,
)
from isosoma.record.canonical import canonical, parse
from isosoma.record.envelope import enc, seal, unseal

INT = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOAT = st.floats(allow_nan=False)
OBSERVATION = st.builds(
    Observation, st.just("p"), TEXT, INT, INT, FLOAT, FLOAT, FLOAT,
    st.sampled_from(["none", "below", "above"]), TEXT, TEXT, INT, TEXT, INT, TEXT, INT,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)  # fmt: skip


@given(st.lists(OBSERVATION, min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_every_field_of_an_observation_comes_back(observations):
    back = decode_observations(encode_observations(observations), "p")
    assert [repr(o) for o in back] == [repr(o) for o in observations]  # repr tells -0.0 from 0.0


@given(hnp.arrays(np.int16, st.integers(0, 300)))
@settings(max_examples=60, deadline=None)
def test_every_sample_of_a_waveform_comes_back(samples):
    wave = Waveform(
        "p", "ecg", 7, 8, 250.0, samples, 1e-6, 5, 0.1, "d", "c", 3, "o", -60, ((0, 2), (5, 6))
    )
    back = decode_waveform(encode_waveform(wave), "p")
    for name in Waveform.__slots__:
        if name != "samples":
            assert getattr(back, name) == getattr(wave, name)
    assert back.samples.dtype == np.int16
    assert np.array_equal(back.samples, samples)


def test_blocks_refuse_what_they_cannot_keep():
    one, other = (Observation(s, "v", 0, 0, 1.0, 0.0) for s in "ab")
    with pytest.raises(IdentityError):
        encode_observations([one, other])
    with pytest.raises(IdentityError):
        encode_observations([])
    with pytest.raises(RangeError):
        encode_observations([Observation("a", "v", 2**63, 0, 1.0, 0.0)])
    with pytest.raises(FormatError):
        decode_observations(encode_observations([one])[:-3], "a")
    with pytest.raises(FormatError):
        decode_waveform(encode_observations([one]), "a")
    with pytest.raises(RangeError):
        encode_waveform(Waveform("p", "ecg", 0, 0, 250.0, np.zeros(3), 1.0))


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_canonical_bytes_read_back(value):
    assert canonical(parse(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), {1: 2}, b"x", {"a": object()}, "\ud800"]
)
def test_what_has_no_canonical_form(bad):
    with pytest.raises(FormatError):
        canonical(bad)


@pytest.mark.parametrize(
    "bad",
    [b'{"a":1,"a":2}', b'{"a": 1}', b'{"b":1,"a":2}', b"NaN", b"1e999", b"{", b"\xff", b"1.0e0"],
)  # fmt: skip
def test_what_is_not_canonical_is_refused(bad):
    with pytest.raises(FormatError):
        parse(bad)


def test_deep_values_are_refused():
    deep = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(LimitError):
        canonical(deep)
    with pytest.raises(LimitError):
        parse(b"[" * 10_000 + b"]" * 10_000)


def test_context_is_part_of_the_seal():
    cipher = AESGCM(bytes(32))
    sealed = seal(cipher, b"data", enc("t", "p", 1))
    assert unseal(cipher, sealed, enc("t", "p", 1)) == b"data"
    for aad in (enc("t", "p", 2), enc("tp", "", 1), enc("t", "q", 1)):
        with pytest.raises(TamperError):
            unseal(cipher, sealed, aad)
    with pytest.raises(TamperError):
        unseal(cipher, b"", enc())
