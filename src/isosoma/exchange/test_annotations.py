"""WFDB annotation files against an independent encoder, and hostile ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, InputError, LimitError
from isosoma.exchange.annotations import read_annotations

CODES = {
    "N": 1, "L": 2, "R": 3, "a": 4, "V": 5, "F": 6, "J": 7, "A": 8, "S": 9, "E": 10, "j": 11,
    "/": 12, "Q": 13, "~": 14, "|": 16, "s": 18, "T": 19, "*": 20, "D": 21, '"': 22, "=": 23,
    "p": 24, "B": 25, "^": 26, "t": 27, "+": 28, "u": 29, "?": 30, "!": 31, "[": 32, "]": 33,
    "e": 34, "n": 35, "@": 36, "x": 37, "f": 38, "(": 39, ")": 40, "r": 41,
}  # fmt: skip
"""Codes of annot(5)."""

MOST_STEP = 1023


def word(code, value):
    return (code << 10 | value & 0x3FF).to_bytes(2, "little")


def skip(step):
    return word(59, 0) + (step >> 16 & 0xFFFF).to_bytes(2, "little") + (
        step & 0xFFFF
    ).to_bytes(2, "little")  # fmt: skip


def encode(marks):
    """Write (sample, symbol, subtype, channel, number, note) as annot(5) says."""
    out, at, chan, num = bytearray(), 0, 0, 0
    for sample, symbol, sub, channel, number, note in marks:
        step = sample - at
        if not 0 <= step <= MOST_STEP:
            out += skip(step)
            step = 0
        out += word(CODES[symbol], step)
        at = sample
        if number != num:
            out += word(60, number)
        if sub:
            out += word(61, sub)
        if channel != chan:
            out += word(62, channel)
        chan, num = channel, number
        if note:
            text = note.encode("latin-1")
            out += word(63, len(text)) + text + b"\0" * (len(text) % 2)
    return bytes(out) + b"\0\0"


def read(folder, raw):
    path = folder / "r.atr"
    path.write_bytes(raw)
    return read_annotations(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("atr")


SIDE = st.integers(-128, 127)
MARKS = st.lists(
    st.tuples(
        st.integers(0, 2**30), st.sampled_from(sorted(CODES)), SIDE, SIDE, SIDE,
        st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=9),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=150)
@given(MARKS)
def test_what_an_encoder_wrote_is_read(folder, marks):
    """Also far steps and steps back in time, which are SKIPs."""
    marks = [(*m[:5], "" if m[5].startswith("##") else m[5]) for m in marks]
    found = read(folder, encode(marks))
    columns = list(zip(*marks, strict=True)) or [()] * 6
    assert found.sample.tolist() == list(columns[0])
    assert found.symbol == columns[1]
    assert found.subtype.tolist() == list(columns[2])
    assert found.channel.tolist() == list(columns[3])
    assert found.number.tolist() == list(columns[4])
    assert found.aux == columns[5]


def test_a_resolution_is_taken_from_its_note(tmp_path):
    marks = [(0, '"', 0, 0, 0, "## time resolution: 360"), (77, "N", 0, 0, 0, "")]
    found = read(tmp_path, encode(marks))
    assert (found.hz, found.sample.tolist()) == (360.0, [77])
    assert read(tmp_path, encode([(0, '"', 0, 0, 0, "## time resolution: 1.2.3")])).hz == 1.2


@settings(max_examples=150)
@given(MARKS, st.integers(1, 10**6))
def test_a_file_cut_anywhere_is_refused(folder, marks, cut):
    whole = encode([(5, "+", 0, 0, 0, "(AFIB"), (2000, "N", 1, 1, 1, ""), *marks])
    with pytest.raises(InputError):
        read(folder, whole[: len(whole) - 1 - cut % (len(whole) - 1)])


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_noise_gives_a_sentence_or_columns_of_one_length(folder, raw):
    try:
        found = read(folder, raw)
    except InputError as error:
        told = str(error)
        assert "r.atr" in told
        return
    lengths = {len(found.sample), len(found.symbol), len(found.aux), len(found.number)}
    assert len(lengths) == 1
    assert np.all(found.sample >= 0)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "cut off"),
        (b"\0", "cut off"),
        (word(63, 2) + b"hi" + word(1, 5) + b"\0\0", "before the first"),
        (word(15, 1) + b"\0\0", "15 does not exist"),
        (word(17, 1) + b"\0\0", "17 does not exist"),
        (word(50, 1) + b"\0\0", "50 does not exist"),
        (skip(-5) + word(1, 0) + b"\0\0", "before the record"),
        (word(1, 5) + b"\0\0" + word(1, 5), "follows"),
        (word(59, 0) + b"\0\0", "cut off"),
    ],
)
def test_hostile(tmp_path, raw, why):
    with pytest.raises(FormatError, match=why):
        read(tmp_path, raw)


def test_an_endless_file_is_not_read(tmp_path):
    path = tmp_path / "r.atr"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(LimitError, match="16 MiB"):
        read_annotations(path)
    with pytest.raises(FormatError, match="opened"):
        read_annotations(tmp_path / "absent.atr")
