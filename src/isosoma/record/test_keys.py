"""Keys of a log: found again, bound to their owner, side by side in the index, and destroyed."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, IsosomaError, RecordError, TamperError
from isosoma.record.keys import PLACE, KeyFile, Keys, make_key_file, pinned_keys

KEYS = st.lists(st.binary(max_size=12), unique=True, max_size=8)


@pytest.fixture
def path(tmp_path):
    make_key_file(tmp_path / "log", "origin")
    return tmp_path / "log"


def person(salt):
    return Keys("a" * 32, "p", salt, {}, 1, 0)


@given(KEYS, st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_stored_keys_are_distinct_and_lie_by_their_place(keys, salt):
    stored = person(salt).seen(keys)
    assert len(set(stored)) == len(keys)
    for k, s in zip(keys, stored, strict=True):
        for other, o in zip(keys, stored, strict=True):
            assert (s[:8] == o[:8]) == (k[:PLACE] == other[:PLACE])


def test_stored_keys_say_nothing_without_the_salt():
    place, key = b"minute01", b"minute01 heart_rate 72"
    (mine,), (theirs,) = (person(bytes([i]) * 32).seen([key]) for i in range(2))
    assert mine[:8] != theirs[:8]
    assert mine[8:] != theirs[8:]
    assert place not in mine
    assert person(bytes(32)).seen([key]) == [mine], "and are found again"


def test_a_patient_is_found_again_by_id_and_pseudonym_only(path):
    first = KeyFile(path, origin="origin")
    made = first.make("patient-1")
    first.close()
    again = KeyFile(path, origin="origin", write=False)
    found = again.find("patient-1")
    assert found is not None
    assert (found.pseudonym, found.salt) == (made.pseudonym, made.salt)
    assert again.of(made.pseudonym) is found
    assert again.find("patient-2") is None
    assert again.of("0" * 32) is None
    again.close()
    assert b"patient-1" not in path.with_name("log-keys").read_bytes()


def change(path, sql):
    db = sqlite3.connect(path.with_name("log-keys"))
    db.execute(sql)
    db.commit()
    db.close()


def test_keys_exchanged_between_patients_do_not_open(path):
    keys = KeyFile(path, origin="origin")
    a, b = (keys.make(p).pseudonym for p in ("a", "b"))
    keys.close()
    change(path, f"UPDATE deks SET wrapped=(SELECT wrapped FROM deks WHERE pseudonym='{b}')")
    keys = KeyFile(path, origin="origin")
    with pytest.raises(TamperError):
        keys.of(a)
    change(path, f"DELETE FROM deks WHERE pseudonym='{b}'")
    with pytest.raises(TamperError, match="no key"):
        keys.of(b)
    keys.close()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE meta SET value=x'00' WHERE key='private'", "does not open"),
        ("UPDATE meta SET value='isosoma-log-0' WHERE key='format'", "another log"),
        ("DROP TABLE meta", "no key file"),
        ("DELETE FROM meta WHERE key='private'", "broken"),
        ("DELETE FROM meta WHERE key='salt'", "broken"),
    ],
)
def test_a_changed_key_file_is_refused_in_words(path, sql, said):
    change(path, sql)
    with pytest.raises(IsosomaError, match=said):
        KeyFile(path, origin="origin")


def test_keys_of_another_log_and_none_at_all(path, tmp_path):
    with pytest.raises(FormatError, match="another log"):
        KeyFile(path, origin="other")
    with pytest.raises(RecordError, match="missing"):
        KeyFile(tmp_path / "none", origin="origin")
    with pytest.raises(RecordError, match="missing"):
        pinned_keys(tmp_path / "none")


def test_a_backup_is_private_and_is_cleaned_with_the_original(path):
    keys = KeyFile(path, origin="origin")
    gone, kept = keys.make("gone"), keys.make("kept")
    backup = keys.backup("night")
    assert backup.stat().st_mode & 0o077 == 0
    raw = backup.read_bytes()
    assert gone.pseudonym.encode() in raw
    keys.destroy(gone)
    for file in (backup, keys.file):
        raw = file.read_bytes()
        assert gone.pseudonym.encode() not in raw
        assert kept.pseudonym.encode() in raw
    assert keys.find("gone") is None
    with pytest.raises(RecordError, match="gone"):
        gone.cipher(1)
    keys.close()


def test_what_was_asked_is_dropped_once_written_and_is_the_same_either_way() -> None:
    keys, mine = [b"minute-1" + bytes([i]) for i in range(3)], person(bytes(32))
    stored = mine.seen(keys)
    assert mine.asked(keys) == stored
    assert mine.written(keys[:2]) == stored[:2], "from what was kept"
    assert mine.written(keys) == stored, "and again, though two of them are dropped"
    assert not mine._asked, "nothing stays"
