"""Group commit: no answer before the disk has it, bounded batches, errors that come too late."""

from __future__ import annotations

import threading

import pytest

from isosoma.core.errors import RecordError
from isosoma.record import Draft, open_log, verify
from isosoma.record import writer as group_commit


class Held:
    """A store's commit that waits until it is let go, and keeps the size of every batch."""

    def __init__(self, commit):
        self.commit, self.sizes = commit, []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, rows, seen, mark):
        """Write once it is let go."""
        self.sizes.append(len(rows))
        self.begun.set()
        assert self.go.wait(30)
        self.commit(rows, seen, mark)


def drafts(n):
    return [Draft("reading", b"%d" % i) for i in range(n)]


def test_no_answer_before_the_commit_and_then_one_checkpoint_for_all(tmp_path, monkeypatch):
    with open_log(tmp_path / "log") as log:
        held = Held(log.store.commit)
        monkeypatch.setattr(log.store, "commit", held)
        first = log.append("p", drafts(1), [b"key"])
        assert held.begun.wait(30)
        rest = [log.append("p", drafts(1)) for _ in range(20)]
        assert not any(f.done() for f in [first, *rest])
        assert log.unseen("p", [b"key", b"other"]) == [False, True], "what waits is not new"
        assert list(log.entries("p")) == [], "and is not shown before it is kept"
        held.go.set()
        first.result(30)
        assert len({f.result(30).checkpoint for f in rest}) == 1
        assert held.sizes == [1, 20]


def test_a_batch_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(group_commit, "MOST_ITEMS", 7)
    with open_log(tmp_path / "log") as log:
        held = Held(log.store.commit)
        monkeypatch.setattr(log.store, "commit", held)
        futures = [log.append("p", drafts(1))]
        assert held.begun.wait(30)
        futures += [log.append("p", drafts(1)) for _ in range(20)]
        held.go.set()
        assert [f.result(30).sequences for f in futures] == [(i,) for i in range(21)]
        assert held.sizes == [1, 7, 7, 6]


def test_an_error_after_the_fact_is_no_failure(tmp_path, monkeypatch):
    """The connection breaks once the store has committed: written once, and answered as written."""
    with open_log(tmp_path / "log") as log:
        commit = log.store.commit

        def late(rows, seen, mark):
            commit(rows, seen, mark)
            raise RecordError("the connection broke")

        with monkeypatch.context() as patch:
            patch.setattr(log.store, "commit", late)
            assert log.append("p", drafts(2), [b"key"]).result(30).sequences == (0, 1)
        assert log.append("p", drafts(1)).result(30).sequences == (2,)
    report = verify(tmp_path / "log", deep=True)
    assert (report.findings, report.size) == ((), 3)


def test_an_error_before_the_fact_leaves_nothing_and_the_reading_may_come_again(
    tmp_path, monkeypatch
):
    def broken(rows, seen, mark):
        raise OSError(28, "No space left on device")

    with open_log(tmp_path / "log") as log:
        log.append("p", drafts(1)).result(30)
        before = log.checkpoint()
        with monkeypatch.context() as patch:
            patch.setattr(log.store, "commit", broken)
            with pytest.raises(RecordError, match="No space left"):
                log.append("p", drafts(1), [b"key"]).result(30)
        assert log.checkpoint() == before
        assert log.unseen("p", [b"key"]) == [True]
        assert log.append("p", drafts(1), [b"key"]).result(30).sequences == (1,)
    assert verify(tmp_path / "log", deep=True).ok
