"""Every way of changing a log behind its back is found, and the finding names it."""

from __future__ import annotations

import random
import shutil
import sqlite3

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isosoma.core.errors import FormatError, TamperError
from isosoma.core.observation import Observation, Waveform
from isosoma.record import (
    Draft,
    encode_observations,
    encode_waveform,
    erase,
    open_log,
    put_blob,
    verify,
)
from isosoma.record.checkpoint import Checkpoint, sign_note
from isosoma.record.merkle import EMPTY, Frontier, leaf_hash


def fill(log, start, stop):
    for i in range(start, stop):
        who = f"patient-{i % 2}"
        obs = [Observation(who, "heart_rate", i, i, 1.0 + k, 0.1) for k in range(5)]
        wave = Waveform(who, "ecg", i, i, 250.0, np.arange(50, dtype=np.int16), 1e-6)
        drafts = [Draft("observations", encode_observations(obs)), Draft("reading", {"n": i})]
        log.append(who, [*drafts, Draft("waveform", encode_waveform(wave))], [b"%d" % i]).result()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("original") / "log"
    with open_log(path) as log:
        fill(log, 0, 4)
        put_blob(log, "patient-0", b"an image" * 40)
        put_blob(log, "patient-1", b"another image" * 40)
    assert verify(path, deep=True).findings == ()
    return path


@pytest.fixture
def path(original, tmp_path):
    shutil.copytree(original.parent, tmp_path / "copy")
    return tmp_path / "copy" / original.name


def change(path, *statements):
    db = sqlite3.connect(path)
    for sql, *args in statements:
        db.execute(sql, args)
    db.commit()
    db.close()


def kinds(path, **options):
    report = verify(path, **options)
    assert report.ok is (not report.findings)
    for finding in report.findings:
        assert finding.what
        assert finding.where
        assert finding.todo
    return {f.kind for f in report.findings}


CELLS = [
    ("events", "header"), ("events", "ciphertext"), ("events", "patient"), ("events", "kind"),
    ("events", "object"), ("checkpoints", "root"), ("checkpoints", "peaks"),
    ("checkpoints", "note"), ("seen", "key"), ("meta", "value"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_one_changed_bit_in_any_cell_is_found(path, table, column):
    """Through SQL, so that the file's own structure stays sound."""
    db = sqlite3.connect(path)
    order = {"events": "sequence", "checkpoints": "size"}.get(table, "key")
    rows = db.execute(f"SELECT {order}, {column} FROM {table}").fetchall()
    tried = 0
    for key, cell in rows:
        raw = bytearray(cell.encode() if isinstance(cell, str) else cell)
        for i in {0, len(raw) // 2, len(raw) - 1} if raw else ():
            raw[i] ^= 1
            new = raw.decode("utf-8", "replace") if isinstance(cell, str) else bytes(raw)
            raw[i] ^= 1
            update = f"UPDATE {table} SET {column}=? WHERE {order}=?"
            db.execute(update, (new, key))
            db.commit()
            assert not verify(path).ok, (key, i)
            db.execute(update, (cell, new if column == order else key))
            db.commit()
            tried += 1
        if tried > 24:
            break
    db.close()
    assert tried or column == "object"
    assert verify(path).ok


def test_one_changed_byte_anywhere_in_the_file_changes_nothing_that_counts(path):
    """A flip in the raw file is either found, or lies where nothing is stored."""
    with sqlite3.connect(path) as db:
        cells = [c for (c,) in db.execute("SELECT ciphertext FROM events")]
        cells += [c for (c,) in db.execute("SELECT header FROM events")]
        cells += [c.encode() for (c,) in db.execute("SELECT note FROM checkpoints")]
    db.close()
    good = path.read_bytes()
    for cell in cells:
        at = good.find(cell[:200])
        assert at > 0
        for i in (0, len(cell[:200]) // 2, len(cell[:200]) - 1):
            bad = bytearray(good)
            bad[at + i] ^= 0x10
            path.write_bytes(bad)
            assert not verify(path).ok
    path.write_bytes(good)
    assert verify(path).ok


def content(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = ("meta", "events", "seen", "checkpoints")
        return [db.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall() for t in tables]
    finally:
        db.close()


def test_a_byte_flipped_anywhere_is_found_or_changes_no_content(path):
    """Structure, types, indexes, free space: verify never crashes, nor says yes to a change."""
    good, before = path.read_bytes(), content(path)
    chance = random.Random(5)
    found = 0
    for _ in range(150):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= chance.choice([1, 2, 16, 255])
        path.write_bytes(bad)
        if verify(path).ok:
            assert content(path) == before
        else:
            found += 1
    assert found > 20  # most of a small file is free space


def test_changed_event_and_block_are_told_apart(path):
    sql = "UPDATE events SET ciphertext=zeroblob(9) WHERE sequence=?"
    change(path, (sql, 0))
    assert kinds(path) == {"block"}
    change(path, (sql, 1))
    assert kinds(path) == {"block", "event"}


def test_changed_or_missing_blob(path):
    first, second = (p for p in sorted((path.parent / "log-blobs").rglob("*")) if p.is_file())
    data = bytearray(first.read_bytes())
    data[-1] ^= 1
    first.write_bytes(data)
    second.unlink()
    report = verify(path)
    assert [f.kind for f in report.findings] == ["blob", "blob"]


def test_dropped_tail(path):
    change(path, ("DELETE FROM events WHERE sequence>10",))
    assert "tail" in kinds(path)


def test_dropped_tail_with_its_checkpoints_is_a_rollback(path):
    change(
        path,
        ("DELETE FROM events WHERE sequence>=9",),
        ("DELETE FROM seen WHERE sequence>=9",),
        ("DELETE FROM checkpoints WHERE size>9",),
    )
    assert kinds(path) == {"rollback"}
    with pytest.raises(TamperError, match="signed at size"):
        open_log(path)


def test_emptied_log(path):
    for table in ("events", "seen", "checkpoints"):
        change(path, (f"DELETE FROM {table}",))
    assert {"checkpoint", "rollback"} <= kinds(path)
    with pytest.raises(TamperError):
        open_log(path)


def test_reordered_rows(path):
    change(
        path,
        ("UPDATE events SET sequence=-1 WHERE sequence=3",),
        ("UPDATE events SET sequence=3 WHERE sequence=6",),
        ("UPDATE events SET sequence=6 WHERE sequence=-1",),
    )
    assert "order" in kinds(path)


def test_ciphertext_swapped_between_patients(path):
    db = sqlite3.connect(path)
    a, b = (
        db.execute("SELECT ciphertext FROM events WHERE sequence=?", (i,)).fetchone()[0]
        for i in (1, 4)
    )
    db.close()
    sql = "UPDATE events SET ciphertext=? WHERE sequence=?"
    change(path, (sql, b, 1), (sql, a, 4))
    report = verify(path)
    assert [f.kind for f in report.findings] == ["swapped", "swapped"]
    assert "ciphertext of event 4" in report.findings[0].what


def test_rolled_back_database(original, tmp_path):
    path = tmp_path / "log"
    with open_log(path) as log:
        fill(log, 0, 2)
    old = tmp_path / "old"
    old.mkdir()
    for file in tmp_path.glob("log*"):
        if file.is_file():
            shutil.copy(file, old)
    with open_log(path) as log:
        fill(log, 2, 4)
        elsewhere = log.checkpoint()
    shutil.copy(old / "log", path)
    assert kinds(path) == {"rollback"}
    shutil.copy(old / "log-checkpoint", tmp_path / "log-checkpoint")
    assert verify(path).ok, "rolled back as a whole, it is consistent: only a kept note tells"
    assert kinds(path, checkpoint=elsewhere) == {"rollback"}


def test_signed_again_with_another_key(path):
    """The attacker rewrites an entry and signs every checkpoint anew."""
    report = verify(path)
    db = sqlite3.connect(path)
    headers = [h for (h,) in db.execute("SELECT header FROM events ORDER BY sequence")]
    changed = headers[2].replace(b'"purpose":""', b'"purpose":"x"')
    assert changed != headers[2]
    headers[2] = changed
    private, frontier, done = Ed25519PrivateKey.generate(), Frontier(), 0
    for (size,) in db.execute("SELECT size FROM checkpoints ORDER BY size").fetchall():
        for header in headers[done:size]:
            frontier.append(leaf_hash(header))
        done = size
        root = frontier.root() if size else EMPTY
        note = sign_note(Checkpoint(report.origin, size, root).text(), report.origin, private)
        values = (root, b"".join(frontier.peaks), note, size)
        db.execute("UPDATE checkpoints SET root=?, peaks=?, note=? WHERE size=?", values)
    db.execute("UPDATE events SET header=? WHERE sequence=2", (changed,))
    db.commit()
    db.close()
    path.with_name("log-checkpoint").write_text(note)
    report = verify(path)
    assert {f.kind for f in report.findings} == {"checkpoint"}
    assert "no trusted key" in report.findings[0].what


def test_changed_kept_checkpoint_and_other_trusted_key(path):
    kept = path.with_name("log-checkpoint")
    good = kept.read_bytes()
    for i in (0, len(good) // 2, len(good) - 2):
        bad = bytearray(good)
        bad[i] ^= 1
        kept.write_bytes(bad)
        assert "checkpoint" in kinds(path)
    kept.unlink()
    assert kinds(path) == {"checkpoint"}
    kept.write_bytes(good)
    assert kinds(path, trusted_keys=[]) == {"checkpoint"}


def test_no_log_and_missing_key_file(path, tmp_path):
    assert kinds(tmp_path / "nothing") == {"file"}
    path.with_name("log-keys").unlink()
    assert "key" in kinds(path)


def test_other_version_is_refused(path):
    change(path, ("UPDATE meta SET value='isosoma-log-9' WHERE key='format'",))
    with pytest.raises(FormatError, match="isosoma-log-9"):
        open_log(path)
    assert kinds(path) == {"file"}


def test_erased_patients_leave_no_canary(tmp_path):
    path = tmp_path / "log"
    with open_log(path) as log:
        who = "CANARY-ID-81"
        obs = [
            Observation(who, "heart_rate", 1, 1, 1.5, 0.1, device="CANARY-DEVICE", given="CANARY")
        ]
        log.append(who, [Draft("observations", encode_observations(obs))], [b"CANARY-KEY"]).result()
        log.append(who, [Draft("reading", {"a": "CANARY-VALUE"}, key=b"CANARY-KEY")]).result()
        put_blob(log, who, b"CANARY-BLOB" * 30)
        log.keys.backup("nightly")
        fill(log, 0, 2)
        pseudonym = log.keys.find(who).pseudonym
        receipt = erase(log, who, "privacy desk", "asked for")
        assert receipt.sequences == (9,)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"CANARY" not in data, file
            if "keys" in file.name:
                assert pseudonym.encode() not in data, file
    report = verify(path, deep=True)
    assert report.findings == ()
    assert report.erased == 1
