"""A copy is whole, verifies without keys, and forgets with its original."""

from __future__ import annotations

import shutil

import pytest

from isosoma.core.errors import RecordError
from isosoma.record import Draft, copy_log, erase, get_blob, open_log, put_blob, verify


def texts(path):
    with open_log(path, create=False, read_only=True) as log:
        return [e.payload for e in log.entries(kinds=["reading"])]


def lay_keys(path, copy):
    for name in ("keys", "kek"):
        shutil.copy(f"{path}-{name}", f"{copy}-{name}")


def test_a_copy_made_amid_writing_stands_at_one_checkpoint(tmp_path):
    path, copy = tmp_path / "log", tmp_path / "away" / "log"
    copy.parent.mkdir()
    with open_log(path) as log:
        digest = put_blob(log, "patient-1", b"an image")
        futures = [log.append("patient-1", [Draft("reading", b"%d" % i)]) for i in range(300)]
        futures[20].result()
        note = copy_log(path, copy)
        for future in futures:
            future.result()
    assert (copy.parent / "log-checkpoint").read_text("utf-8") == note
    keys = verify(path).keys
    report = verify(copy, trusted_keys=keys)
    assert report.findings == ()
    assert 21 < report.size <= verify(path, checkpoint=note).size
    assert verify(path, checkpoint=note).ok, "the original contains what the copy was signed for"
    assert {f.kind for f in verify(copy).findings} >= {"key"}, "no key lies beside it"
    lay_keys(path, copy)
    assert texts(copy) == texts(path)[: report.size - 1]
    with open_log(copy, create=False, read_only=True) as log:
        assert get_blob(log, "patient-1", digest) == b"an image"


def test_what_is_erased_is_gone_from_copies_made_before(tmp_path):
    path, copy = tmp_path / "log", tmp_path / "copy"
    with open_log(path) as log:
        log.append("CANARY-ID-9", [Draft("reading", b"CANARY-VALUE")]).result()
        log.append("patient-2", [Draft("reading", b"kept")]).result()
        put_blob(log, "CANARY-ID-9", b"CANARY-BLOB" * 20)
        copy_log(path, copy)
        erase(log, "CANARY-ID-9", "desk", "asked")
    lay_keys(path, copy)
    assert texts(copy) == [b"kept"]
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"CANARY" not in file.read_bytes()
    later = tmp_path / "later"
    copy_log(path, later)
    assert verify(later, trusted_keys=verify(path).keys).ok, "blobs of the erased are not missed"


def test_a_copy_replaces_nothing_and_hides_no_loss(tmp_path):
    path = tmp_path / "log"
    with open_log(path) as log:
        digest = put_blob(log, "patient-1", b"an image")
    with pytest.raises(RecordError, match="already"):
        copy_log(path, path)
    with pytest.raises(RecordError, match="no such log"):
        copy_log(tmp_path / "none", tmp_path / "copy")
    (tmp_path / "log-blobs" / digest[:2] / digest).unlink()
    with pytest.raises(RecordError, match="blob is missing"):
        copy_log(path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
