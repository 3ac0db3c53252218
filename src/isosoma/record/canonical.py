"""One value, one sequence of bytes: what is hashed and signed can be made again anywhere.

JSON with sorted keys, no spaces, UTF-8, and floats as their shortest text that reads back to the
same bits. What JSON cannot say exactly (NaN, infinities, keys that are not text) is refused.
"""

from __future__ import annotations

import json
import math
from typing import Any

from isosoma.core.errors import FormatError, LimitError

__all__ = ["DEEPEST", "canonical", "parse"]

DEEPEST = 64
"""Levels of nesting; deeper is refused rather than met by the interpreter's own limit."""


def _check(value: object, depth: int) -> None:
    """Refuse what has no canonical form."""
    if depth > DEEPEST:
        raise LimitError(
            f"a value is nested deeper than {DEEPEST} levels", todo="Flatten it before recording"
        )
    if value is None or isinstance(value, (bool, int, str)):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FormatError(f"{value} has no canonical form", todo="Leave the field out instead")
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise FormatError(f"the key {key!r} is not text", todo="Use text keys")
            _check(inner, depth + 1)
        return
    if isinstance(value, (list, tuple)):
        for inner in value:
            _check(inner, depth + 1)
        return
    raise FormatError(
        f"a {type(value).__name__} has no canonical form",
        todo="Record text, numbers, lists and mappings only",
    )


def canonical(value: object) -> bytes:
    """Return the canonical bytes of `value` (None, bool, int, float, str, list, tuple, dict).

    Raises
    ------
    FormatError
        NaN, infinities, keys that are not text, lone surrogates, any other type.
    LimitError
        Nested deeper than `DEEPEST`.

    >>> canonical({"b": 0.1, "a": [1, True, None]})
    b'{"a":[1,true,null],"b":0.1}'
    """
    _check(value, 0)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError(
            "a text holds half a surrogate pair", todo="Mend the encoding at its source"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a mapping; a key given twice has no single meaning."""
    out = dict(pairs)
    if len(out) != len(pairs):
        raise FormatError("a key stands twice", todo="Give every key once")
    return out


def parse(data: bytes) -> Any:
    """Return the value of canonical bytes; bytes in any other form are refused.

    Raises
    ------
    FormatError
        Not JSON, not UTF-8, a duplicate key, NaN or infinity, or not in canonical form.
    LimitError
        Nested too deeply.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except RecursionError as error:
        raise LimitError("nested too deeply", todo="Flatten it") from error
    except ValueError as error:
        raise FormatError("not canonical JSON", todo="Restore it from a copy") from error
    if canonical(value) != data:
        raise FormatError("JSON, but not in canonical form", todo="Restore it from a copy")
    return value
