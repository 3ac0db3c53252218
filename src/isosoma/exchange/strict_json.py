"""What a JSON text must not hold, found in one pass over its bytes before any parser sees it.

Parsers keep the last of two equal keys and recurse as deep as they are led; both are refused here,
with the place. Whether the text is JSON at all stays for the parser to say.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import FormatError, InputError, LimitError

__all__ = ["DEEPEST", "check_json", "place"]

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

DEEPEST = 64
"""Most levels of objects and arrays within each other."""

_MOST_KEYS = 256  # in one object
_QUOTE, _BACKSLASH, _COMMA, _COLON = 34, 92, 44, 58
_OPEN_ARRAY, _CLOSE_ARRAY, _OPEN_OBJECT, _CLOSE_OBJECT = 91, 93, 123, 125
_NULL = 110  # the n of null
_SPACE = 32
_FINE, _DEEP, _TWICE, _MANY, _ESCAPED, _CONTROL, _HOLLOW, _VOID = range(8)
_SAID = {
    _TWICE: ("the key stands twice", "Send each key once"),
    _ESCAPED: ("a key is written with escapes", "Write keys as they are"),
    _CONTROL: ("a control character in a text", "Write it as an escape, or leave it out"),
    _HOLLOW: ("an empty object, array or text", "Leave out what has no content"),
    _VOID: ("null as a value", "Leave out what has no value"),
}
_MOST_PLACED = 1 << 20  # bytes before a fault that are walked to name its place
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\],]', re.DOTALL)


@njit(cache=True, nogil=True)
def _string_end(body: Bytes, start: int) -> tuple[int, bool]:
    """Return the closing quote of the string that begins at `start`, and whether it has escapes.

    A control character inside gives minus its place.
    """
    i, escaped = start, False
    while i < len(body):
        c = body[i]
        if c == _QUOTE:
            return i, escaped
        if c < _SPACE:
            return -i, escaped
        if c == _BACKSLASH:
            i, escaped = i + 1, True
        i += 1
    return len(body), escaped


@njit(cache=True, nogil=True)
def _stands_before(body: Bytes, starts: Ints, ends: Ints, low: int, top: int) -> bool:
    """Return whether key `top` equals one of the keys `low` to `top` - 1, byte by byte."""
    a, b = starts[top], ends[top]
    for k in range(low, top):
        if ends[k] - starts[k] == b - a:
            i = 0
            while i < b - a and body[starts[k] + i] == body[a + i]:
                i += 1
            if i == b - a:
                return True
    return False


@njit(cache=True, nogil=True)
def _key(body: Bytes, starts: Ints, ends: Ints, low: int, top: int, escaped: bool) -> int:
    """Return the fault of key `top` of the object whose keys begin at `low`."""
    if escaped:
        return _ESCAPED
    if top - low >= _MOST_KEYS:
        return _MANY
    return _TWICE if _stands_before(body, starts, ends, low, top) else _FINE


@njit(cache=True, nogil=True)
def _text(
    body: Bytes, i: int, is_key: bool, starts: Ints, ends: Ints, span: tuple[int, int]
) -> tuple[int, int, int]:
    """Return fault, closing quote and number of keys after the string that begins at `i`.

    `span` holds the first key of the object and the number of keys before.
    """
    low, top = span
    end, escaped = _string_end(body, i + 1)
    if end < 0:
        return _CONTROL, -end, top
    if not is_key:
        return (_HOLLOW if end == i + 1 else _FINE), end, top
    starts[top], ends[top] = i, end
    return _key(body, starts, ends, low, top, escaped), end, top + 1


@njit(cache=True, nogil=True)
def _scan(body: Bytes, deepest: int) -> tuple[int, int]:
    """Return the first fault and the byte where it stands."""
    starts = np.empty((deepest + 1) * (_MOST_KEYS + 1), np.int64)
    ends = np.empty((deepest + 1) * (_MOST_KEYS + 1), np.int64)
    low = np.zeros(deepest + 2, np.int64)  # first key of each open object
    objects = np.zeros(deepest + 2, np.bool_)
    depth, top, before, i = 0, 0, 0, 0
    while i < len(body):
        c = body[i]
        if c == _QUOTE:
            is_key = objects[depth] and before != _COLON
            fault, end, top = _text(body, i, is_key, starts, ends, (low[depth], top))
            if fault != _FINE:
                return fault, (end if fault == _CONTROL else i)
            i = end
        elif c in (_OPEN_OBJECT, _OPEN_ARRAY):
            depth += 1
            if depth > deepest:
                return _DEEP, i
            objects[depth], low[depth] = c == _OPEN_OBJECT, top
        elif c in (_CLOSE_OBJECT, _CLOSE_ARRAY):
            if before == c - 2:  # [ ] and { } are two apart
                return _HOLLOW, i
            top, depth = low[depth], max(depth - 1, 0)
        elif c == _NULL and before == _COLON:
            return _VOID, i
        before = c if c > _SPACE else before
        i += 1
    return _FINE, 0


def check_json(body: bytes, *, most: int) -> None:
    """Refuse what no well-made JSON document holds.

    Parameters
    ----------
    body : UTF-8 without a byte order mark.
    most : bytes.

    Raises
    ------
    LimitError
        Over `most` bytes, over `DEEPEST` levels, over 256 keys in an object.
    FormatError
        Not UTF-8, a byte order mark, a key twice or written with escapes, a control character in a
        text, something empty.
    """
    if len(body) > most:
        raise LimitError(f"a document of over {most >> 20} MiB", todo="Send it in parts")
    if body.startswith(b"\xef\xbb\xbf"):
        raise FormatError("a byte order mark stands before the text", todo="Send plain UTF-8")
    try:
        _ = body.isascii() or str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8", todo="Send UTF-8") from None
    fault, at = _scan(np.frombuffer(body, np.uint8), DEEPEST)
    if fault != _FINE:
        raise _error(fault, place(body, at))


def _error(fault: int, where: str) -> InputError:
    if fault == _DEEP:
        return LimitError(f"nested over {DEEPEST} levels deep", where, "Send a flatter document")
    if fault == _MANY:
        return LimitError(f"an object of over {_MOST_KEYS} keys", where, "Send fewer")
    what, todo = _SAID[fault]
    return FormatError(what, where, todo)


def place(body: bytes, at: int) -> str:
    """Return the path to byte `at`: ``entry[3].resource.status``; ``byte 12`` where it has none.

    >>> place(b'{"a": [1, {"b": 2}]}', 16)
    'a[1].b'
    """
    if at > _MOST_PLACED:
        return f"byte {at}"
    steps: list[str | int] = []
    for found in _TOKEN.finditer(body, 0, at + 1 + body[at : at + 200].find(b":")):
        sign = found[0][:1]
        if found.start() > at:
            break
        if sign in b"{[":
            steps.append("" if sign == b"{" else 0)
        elif sign in b"}]" and steps and found.start() < at:
            steps.pop()
        elif sign == b"," and steps and isinstance(steps[-1], int):
            steps[-1] += 1
        elif found[2] is not None and steps:
            steps[-1] = found[1].decode("utf-8", "replace")[:64]
    text = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps if s != "")
    return text.lstrip(".")[:200] or f"byte {at}"
