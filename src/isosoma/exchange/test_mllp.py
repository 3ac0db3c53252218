"""Frames cut anywhere, too long, or mixed with garbage."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, InputError, LimitError
from isosoma.exchange.mllp import feed, frame

message = st.binary(max_size=60).filter(lambda m: b"\x0b" not in m and b"\x1c" not in m)


@given(st.lists(message, max_size=5), st.lists(st.integers(0, 300), max_size=20))
def test_any_cutting_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(m) for m in messages)
    at = [0, *sorted(min(c, len(stream)) for c in cuts), len(stream)]
    found: list[bytes] = []
    rest = b""
    for a, b in pairwise(at):
        more, rest = feed(rest, stream[a:b])
        found += more
    assert found == messages
    assert rest == b""


def test_a_frame_byte_by_byte() -> None:
    rest, found = b"", []
    for byte in b"\x0bMSH|\x1cA\x1c\r\x0bB\x1c\r":
        more, rest = feed(rest, bytes([byte]), limit=6)
        found += more
    assert found == [b"MSH|\x1cA", b"B"]


@pytest.mark.parametrize(
    "stream",
    [b"MSH|", b"\r\n\x0bA\x1c\r", b"\x0bA\x1c\r\n\x0bB\x1c\r", b"\x0bA\x0bB\x1c\r", b"\x1c\r"],
)
def test_garbage_between_frames(stream: bytes) -> None:
    with pytest.raises(FormatError, match="mllp"):
        feed(b"", stream)


def test_the_limit_holds_before_the_end_arrives() -> None:
    assert feed(b"", b"\x0b" + b"A" * 10 + b"\x1c\r", limit=10)[0] == [b"A" * 10]
    assert feed(b"", b"\x0b" + b"A" * 10, limit=10)[0] == []
    for tail in (b"", b"\x1c", b"\x1c\r"):
        with pytest.raises(LimitError, match="over 10 bytes"):
            feed(b"", b"\x0b" + b"A" * 11 + tail, limit=10)


@pytest.mark.parametrize("text", [b"a\x0bb", b"a\x1c\rb", b"a\x1c"])
def test_a_message_that_cannot_be_framed(text: bytes) -> None:
    with pytest.raises(FormatError):
        frame(text)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_any_bytes(rest: bytes, chunk: bytes) -> None:
    try:
        messages, left = feed(rest, chunk, limit=40)
    except InputError:
        return
    assert sum(map(len, messages)) + len(left) <= len(rest) + len(chunk)
