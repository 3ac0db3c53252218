"""The one-pass scan of JSON against the standard library's parser as oracle."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, InputError, LimitError
from isosoma.exchange.strict_json import DEEPEST, check_json, place

_KEY = st.text('ab"\\{}[],:n é', min_size=1, max_size=3)
_LEAF = st.one_of(
    st.integers(), st.booleans(), st.text('{}[],:"\\nul ', min_size=1, max_size=6), st.floats(0, 1)
)


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that one key may stand twice."""


def _node(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(children, min_size=1, max_size=4),
        st.lists(st.tuples(_KEY, children), min_size=1, max_size=4).map(_Pairs),
    )


def _written(node: Any) -> str:
    if isinstance(node, _Pairs):
        pairs = (f"{json.dumps(k, ensure_ascii=False)} :{_written(v)}" for k, v in node)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(node, list):
        return "[" + " ,".join(map(_written, node)) + "]"
    return json.dumps(node, ensure_ascii=False)


def _twice_or_escaped(text: str, node: Any) -> bool:
    """Whether the standard parser meets an object with a key twice, or a key was escaped."""
    found: list[bool] = []

    def see(pairs: list[tuple[str, Any]]) -> None:
        keys = [k for k, _ in pairs]
        found.append(len(set(keys)) < len(keys) or any(c in k for k in keys for c in '"\\'))

    json.loads(text, object_pairs_hook=see)
    return any(found)


@settings(max_examples=300, deadline=None)
@given(st.recursive(_LEAF, _node, max_leaves=20))
def test_keys_twice_are_found_exactly(node: Any) -> None:
    text = _written(node)
    if _twice_or_escaped(text, node):
        with pytest.raises(FormatError, match=r"the key stands twice|written with escapes"):
            check_json(text.encode(), most=1 << 20)
    else:
        check_json(text.encode(), most=1 << 20)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=40), st.text('{}[]",:\\n\u0001a', max_size=40).map(str.encode)))
def test_any_bytes_pass_or_are_refused(body: bytes) -> None:
    try:
        check_json(body, most=1 << 20)
    except InputError as error:
        place(body, len(body) // 2)
        assert str(error)  # noqa: PT017


def test_the_depth_is_counted_exactly() -> None:
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        check_json((opened * DEEPEST + "1" + closed * DEEPEST).encode(), most=1 << 20)
        with pytest.raises(LimitError, match="levels"):
            check_json((opened * (DEEPEST + 1)).encode(), most=1 << 20)


def test_equal_keys_may_stand_in_different_objects() -> None:
    check_json(b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2},"a","a"],"c":"a"}', most=1 << 20)
    with pytest.raises(FormatError, match="twice"):
        check_json(b'{"a":{"b":{"c":1}},"b":[{"a":1}],"a":1}', most=1 << 20)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": [], "b": 1}', "a[0]"),
        ('{"a": [1, {"b": ""}]}', "a[1].b"),
        ('{"a": [1, {"b": null}]}', "a[1].b"),
        ('{"a": {"b": { }}}', "a.b"),
        ('{"a": {"x": "}]", "b": 1, "b": 2}}', "a.b"),
        ('{"a": "\x1f"}', "a"),
    ],
)
def test_faults_say_where(text: str, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        check_json(text.encode(), most=1 << 20)
    assert caught.value.where == where


def test_null_may_stand_in_an_array() -> None:
    check_json(b'{"given": [null, "a"], "_given": [{"id": "x"}, null]}', most=1 << 20)


def test_limits() -> None:
    with pytest.raises(LimitError, match="MiB"):
        check_json(b" " * 11, most=10)
    with pytest.raises(FormatError, match="byte 1 is not UTF-8"):
        check_json(b'"\xff"', most=10)
    with pytest.raises(FormatError, match="byte order"):
        check_json(b"\xef\xbb\xbf1", most=10)
