"""What is kept on disk: whole or nothing, and never in the way."""

from __future__ import annotations

import pytest

from isosoma.physics import cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.CACHE, str(tmp_path))
    return tmp_path


def test_what_is_kept_is_read_and_nothing_else_lies_there(folder):
    assert cache.read("starts", "a") is None
    for content in (b"", b"first", b"second" * 1000):
        cache.keep("starts", "a", content)
        assert cache.read("starts", "a") == content
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["a"]


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[:-1], lambda b: b[:40], lambda b: b[:-1] + b"!"]
)
def test_a_file_that_is_not_whole_is_none(folder, damage):
    cache.keep("starts", "a", b"some content, longer than a digest is")
    path = next(p for p in folder.rglob("*") if p.is_file())
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read("starts", "a") is None


def test_where_nothing_can_be_written_nothing_is_kept_or_said(folder, monkeypatch):
    (folder / "file").write_bytes(b"no folder")
    monkeypatch.setenv(cache.CACHE, str(folder / "file"))
    cache.keep("starts", "a", b"content")
    assert cache.read("starts", "a") is None


def test_the_digest_of_code_follows_its_tables_and_not_its_tests(tmp_path, monkeypatch):
    package = tmp_path / "organ"
    package.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))

    def digest(name: str, text: str) -> str:
        (package / name).write_text(text, "utf-8")
        cache.code.cache_clear()
        return cache.code("organ")

    first = digest("__init__.py", "")
    assert digest("test_organ.py", "assert 1") == first
    table = digest("table.toml", "a = 1")
    assert len({first, table, digest("table.toml", "a = 2")}) == 3
