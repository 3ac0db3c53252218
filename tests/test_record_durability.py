"""What was acknowledged is there after a kill -9, and every commit was forced to disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from benchmarks.durability import rounds

from isosoma.record import Draft, open_log
from isosoma.record.sqlite import SqliteStore


def test_six_kills_lose_nothing(tmp_path):
    tally = rounds(tmp_path / "log", 6, seed=7)
    assert tally["acknowledged"] > 0
    assert (tally["missing"], tally["torn"], tally["not_verified"]) == (0, 0, 0)
    assert tally["ok"]


def test_full_synchronous_write_ahead_log(tmp_path):
    with open_log(tmp_path / "log") as log:
        assert isinstance(log.store, SqliteStore)
        db = log.store._db
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_many_appends_share_few_commits(tmp_path):
    with open_log(tmp_path / "log") as log:
        futures = [log.append("p", [Draft("reading", b"%d" % i)]) for i in range(500)]
        notes = {f.result().checkpoint for f in futures}
        assert len(notes) == log._writer.commits < 500


WRITE = """
import sys
from isosoma.record import Draft, open_log
with open_log(sys.argv[1]) as log:
    for i in range(int(sys.argv[2])):
        log.append("p", [Draft("reading", b"x")]).result()
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_every_commit_is_forced_to_disk(tmp_path):
    """Fifty more commits are at least fifty more fsyncs of the write-ahead log."""
    counts = []
    for n in (10, 60):
        trace = tmp_path / f"trace-{n}"
        done = subprocess.run(
            ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", str(trace),
             sys.executable, "-c", WRITE, str(tmp_path / f"log-{n}"), str(n)],
            capture_output=True, env=os.environ, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip("this machine does not allow tracing")
        counts.append(trace.read_text().count("-wal>"))
    assert counts[1] - counts[0] >= 50
