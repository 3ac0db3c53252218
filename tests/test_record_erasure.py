"""Sealing and shredding: a ciphertext opens in its place only, and an erased patient is a stranger.

What is erased stays in the signed history: notes of before and after both hold.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import sqlite3
import threading
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ErasedError, IdentityError, TamperError
from isosoma.core.principal import Principal
from isosoma.record import Draft, erase, get_blob, open_log, put_blob, verify
from isosoma.record.envelope import NONCE, enc

FIELD = st.text(max_size=6) | st.binary(max_size=6) | st.integers()
FIELDS = st.lists(FIELD, max_size=4)
DESK = "privacy desk"


def split(joined):
    """Read the fields of `enc` back: they can be, so no two lists give the same bytes."""
    found = []
    while joined:
        length, _, rest = joined.partition(b" ")
        found.append(rest[: int(length)])
        joined = rest[int(length) :]
    return found


@given(FIELDS)
@settings(max_examples=200, deadline=None)
def test_context_reads_back_field_by_field(fields):
    raw = [f if isinstance(f, bytes) else str(f).encode() for f in fields]
    assert split(enc(*fields)) == raw


@pytest.fixture
def path(tmp_path):
    """A log with two versions of an object and a second reading of one patient, one of another."""
    entries = [("patient-a", "reading", b"object")] * 2
    entries += [("patient-a", "decision", b""), ("patient-b", "reading", b"object")]
    payload = b"the same payload, long enough to be packed: " + b"x" * 64
    with open_log(tmp_path / "log") as log:
        for i, (patient, kind, key) in enumerate(entries):
            log.append(patient, [Draft(kind, payload, key)], [b"reading %d" % i]).result()
            log.append(patient, [Draft("access", {})]).result()
    return tmp_path / "log"


def rows(path, columns):
    db = sqlite3.connect(path)
    found = db.execute(f"SELECT {columns} FROM events WHERE kind <> 'access'").fetchall()
    db.close()
    return found


def test_a_ciphertext_opens_in_no_other_place(path):
    """Between patients, kinds, rows and versions; found on reading, without `verify`."""
    original = rows(path, "sequence, ciphertext")
    for (at, mine), (other, theirs) in combinations(original, 2):
        db = sqlite3.connect(path)
        db.execute("UPDATE events SET ciphertext=? WHERE sequence=?", (theirs, at))
        db.commit()
        with open_log(path, read_only=True) as log:
            with pytest.raises(TamperError, match=f"entry {at}"):
                list(log.entries())
            assert len(list(log.entries(start=at + 1))) > 0, other
        db.execute("UPDATE events SET ciphertext=? WHERE sequence=?", (mine, at))
        db.commit()
        db.close()


def test_no_nonce_comes_twice_and_equal_payloads_look_different(path):
    sealed = [c for (c,) in rows(path, "ciphertext")]
    assert len({c[:NONCE] for c in sealed}) == len({c[NONCE:] for c in sealed}) == len(sealed)


def test_a_leaf_says_who_and_when_and_no_hash_of_plaintext(tmp_path):
    who, payload, key = Principal("dr-1", "clinician", "A B"), b"72", b"object"
    with open_log(tmp_path / "log", clock=lambda: 1234) as log:
        log.append("patient-a", [Draft("reading", payload, key)], [key], by=who, purpose="round")
        log.append("patient-a", [Draft("reading", payload, key)]).result()
        salt, pseudonym = log.keys.find("patient-a").salt, log.keys.find("patient-a").pseudonym
    (first, sealed), (second, _) = rows(tmp_path / "log", "header, ciphertext")
    header = json.loads(first)
    assert [header[k] for k in ("at", "actor", "role", "kind", "purpose", "patient")] == [
        1234, "dr-1", "clinician", "reading", "round", pseudonym]  # fmt: skip
    assert header["object"] == hmac.digest(salt, key, "sha256").hex()
    assert header["digest"] == hashlib.sha256(sealed).hexdigest()
    assert (header["version"], header["previous"]) == (1, -1)
    assert [json.loads(second)[k] for k in ("version", "previous")] == [2, 0]
    raw = b"".join(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())
    for plain in (payload, key, b"patient-a"):
        for digest in (hashlib.sha256(plain), hashlib.sha1(plain), hashlib.md5(plain)):
            assert digest.digest() not in raw
            assert digest.hexdigest().encode() not in raw


def test_notes_of_before_and_after_an_erasure_both_hold(path):
    with open_log(path) as log:
        before = log.checkpoint()
        erase(log, "patient-a", DESK, "asked for")
        after = log.checkpoint()
        assert {e.patient for e in log.entries()} == {"patient-b", ""}
        gone = [e for e in log.entries(erased=True) if e.erased]
        assert [(e.patient, e.payload) for e in gone] == [("", b"")] * 6
    for note in (before, after):
        report = verify(path, checkpoint=note, deep=True)
        assert (report.findings, report.erased) == ((), 1)


def test_backups_of_log_and_keys_are_no_way_back(path, tmp_path):
    """A copy of the log from before opens with the keys of after, and holds nothing of them."""
    with open_log(path) as log:
        log.keys.backup("nightly")
    old = tmp_path / "old"
    shutil.copytree(path.parent, old, ignore=shutil.ignore_patterns("old"))
    with open_log(path) as log:
        erase(log, "patient-a", DESK, "asked for")
    for name in ("log-keys", "log-keys.backup-nightly"):
        shutil.copy(path.parent / name, old / "log-keys")
        with open_log(old / "log", read_only=True) as log:
            assert {e.patient for e in log.entries()} == {"patient-b"}
            assert list(log.entries("patient-a")) == []
            assert len(list(log.entries("patient-b"))) == 2


def test_who_comes_back_is_a_stranger(path):
    with open_log(path) as log:
        before = log.keys.find("patient-a").pseudonym
        digest = put_blob(log, "patient-a", b"an image" * 40)
        erase(log, "patient-a", DESK, "asked for")
        with pytest.raises(ErasedError):
            get_blob(log, "patient-a", digest)
        assert log.unseen("patient-a", [b"reading 0"]) == [True]
        receipt = log.append("patient-a", [Draft("reading", b"2", b"object")]).result()
        (entry,) = log.entries("patient-a")
        assert (entry.sequence, entry.version) == (receipt.sequences[0], 1)
        assert log.keys.find("patient-a").pseudonym != before
    assert verify(path, deep=True).ok


def test_what_is_queued_is_finished_and_what_comes_later_refused(path):
    """Streams may run into an erasure: no entry is made under keys that are being destroyed."""
    refused = []

    def derived(patient):
        with pytest.raises(ErasedError, match="being erased"):
            log.append(patient, [Draft("reading", b"late")])
        refused.append(patient)
        log.append("patient-b", [Draft("reading", b"goes on")]).result()

    with open_log(path) as log:
        queued = [log.append("patient-a", [Draft("reading", b"%d" % i)]) for i in range(50)]
        erase(log, "patient-a", DESK, "asked for", derived=[derived])
        assert all(f.done() and f.exception() is None for f in queued)
        assert refused == ["patient-a"]
        assert list(log.entries("patient-a")) == []
    report = verify(path, deep=True)
    assert (report.findings, report.erased) == ((), 1)


def test_streams_against_an_erasure(path):
    """Appends from another thread either are in the log as erased, or say why they are not."""
    outcome, stop = {"kept": 0, "refused": 0}, threading.Event()

    def stream():
        while not stop.is_set():
            try:
                log.append("patient-a", [Draft("reading", b"1")]).result()
                outcome["kept"] += 1
            except ErasedError:
                outcome["refused"] += 1

    with open_log(path) as log:
        threads = [threading.Thread(target=stream) for _ in range(3)]
        for thread in threads:
            thread.start()
        receipt = erase(log, "patient-a", DESK, "asked for", derived=[lambda _: stop.wait(0.1)])
        stop.set()
        for thread in threads:
            thread.join()
        before = [e for e in log.entries(erased=True) if e.sequence < receipt.sequences[0]]
        assert all(e.erased for e in before if e.patient != "patient-b")
    report = verify(path, deep=True)
    assert report.findings == ()
    assert report.size == 9 + outcome["kept"]


@pytest.mark.parametrize(
    ("patient", "by", "reason"),
    [
        ("nobody", DESK, "asked for"), ("", DESK, "asked for"),
        ("patient-a", DESK, "patient-a asked for it"), ("patient-a", "patient-a", "asked for"),
    ],
)  # fmt: skip
def test_a_refused_erasure_leaves_the_log_as_it_was(path, patient, by, reason):
    with open_log(path) as log:
        before = log.checkpoint(), list(log.entries())
        with pytest.raises(IdentityError):
            erase(log, patient, by, reason)
        assert (log.checkpoint(), list(log.entries())) == before
        log.append("patient-a", [Draft("reading", b"goes on")]).result()


def test_an_erasure_that_is_not_finished_says_so_and_lets_nobody_in(path):
    def broken(patient):
        raise OSError("the cohort model is locked")

    with open_log(path) as log:
        with pytest.raises(OSError, match="cohort model"):
            erase(log, "patient-a", DESK, "asked for", derived=[broken])
        assert list(log.entries("patient-a")) == [], "the keys are gone all the same"
        log.append("patient-a", [Draft("reading", b"a new start")]).result()
    assert verify(path, deep=True).ok
