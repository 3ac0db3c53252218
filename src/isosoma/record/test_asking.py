"""Questions to a store give what a plain list would, and refuse cells of another type."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError
from isosoma.record import asking
from isosoma.record.sqlite import SqliteStore
from isosoma.record.store import FORMAT, Mark, Row

PATIENTS, KINDS, OBJECTS = ["a" * 32, "b" * 32], ["reading", "decision", "blob"], ["", "x", "y"]
ROWS = [
    Row(i, PATIENTS[i % 2], KINDS[i % 3], OBJECTS[i % 5 % 3], b"h%d" % i, b"c%d" % i)
    for i in range(20)
]
SEEN = [(b"k%04d" % i, i % 20) for i in range(1200)]  # more than one question takes


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "log"
    store = SqliteStore(path, create={"format": FORMAT, "origin": "o"})
    store.commit([], [], Mark(0, b"r0", b"", "n0"))
    store.commit(ROWS[:8], [], Mark(8, b"r8", b"p", "n8"))
    store.commit(ROWS[8:], SEEN, Mark(20, b"r20", b"p", "n20"))
    yield store
    store.close()


@given(
    st.none() | st.sampled_from([*PATIENTS, "nobody"]),
    st.none() | st.lists(st.sampled_from([*KINDS, "nothing"]), max_size=3),
    st.none() | st.integers(-2, 25),
)
@settings(max_examples=80, deadline=None)
def test_rows_are_those_of_a_plain_filter(store, patient, kinds, start):
    expected = [
        r
        for r in ROWS
        if (patient is None or r.patient == patient)
        and (kinds is None or r.kind in kinds)
        and (start is None or r.sequence >= start)
    ]
    assert list(asking.rows(store, patient, kinds, start)) == expected


def test_newest_version_and_checkpoints(store):
    for name in ("x", "y", "z"):
        versions = [r for r in ROWS if r.object == name]
        assert asking.latest(store, name) == (versions[-1] if versions else None)
    assert asking.latest(store, "") is None, "no object is no version of anything"
    assert asking.last(store).size == 20
    assert [m.size for m in asking.marks(store)] == [0, 8, 20]
    assert (asking.mark_at(store, 8).note, asking.mark_at(store, 9)) == ("n8", None)
    assert asking.meta(store) == {"format": FORMAT, "origin": "o"}


def test_seen_keys_are_found_however_many_are_asked_for(store):
    keys = [k for k, _ in SEEN]
    assert asking.known(store, [*keys, b"new"]) == set(keys)
    assert asking.known(store, []) == set()
    assert list(asking.seen(store)) == sorted((s, k) for k, s in SEEN)


@pytest.mark.parametrize(
    ("sql", "ask"),
    [
        ("UPDATE events SET header=CAST(header AS TEXT)", lambda s: list(asking.rows(s))),
        ("UPDATE events SET ciphertext=7", lambda s: asking.latest(s, "x")),
        ("UPDATE checkpoints SET note=x'00'", asking.last),
        ("UPDATE checkpoints SET root='text'", lambda s: list(asking.marks(s))),
        ("UPDATE seen SET sequence='one'", lambda s: list(asking.seen(s))),
    ],
)
def test_a_cell_of_another_type_is_refused(tmp_path, sql, ask):
    path = tmp_path / "log"
    store = SqliteStore(path, create={"format": FORMAT, "origin": "o"})
    store.commit(ROWS, SEEN[:3], Mark(20, b"r", b"", "n"))
    with sqlite3.connect(path) as db:
        db.execute(sql)
    db.close()
    with pytest.raises(FormatError, match="another kind"):
        ask(store)
    store.close()


def test_a_reader_sees_the_log_as_it_was_at_its_first_row(tmp_path):
    store = SqliteStore(tmp_path / "log", create={"format": FORMAT, "origin": "o"})
    store.commit(ROWS[:5], [], Mark(5, b"r", b"", "n"))
    reading = asking.rows(store)
    first = next(reading)
    store.commit(ROWS[5:], [], Mark(20, b"r", b"", "n"))
    assert [first, *reading] == ROWS[:5]
    assert len(list(asking.rows(store))) == 20
    store.close()
