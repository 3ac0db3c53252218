"""The log in both backends: what goes in comes out, once, in order, and only after it is on disk.

PostgreSQL is a real server, started for these tests from Debian's package.
"""

from __future__ import annotations

import hmac
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from isosoma.core.errors import BusyError, FormatError, IdentityError, RecordError
from isosoma.core.observation import Observation
from isosoma.core.principal import Principal
from isosoma.record import (
    Draft,
    decode_observations,
    encode_observations,
    erase,
    get_blob,
    open_log,
    put_blob,
    verify,
)
from isosoma.record import keys as key_file
from isosoma.record.checkpoint import open_note, parse_checkpoint
from isosoma.record.erasure import traces
from isosoma.record.kek import PASSPHRASE
from isosoma.record.keys import pinned_keys
from isosoma.record.merkle import verify_inclusion

BINARIES = Path("/usr/lib/postgresql/15/bin")


def _as_postgres(*command):
    if os.getuid() == 0:
        return ["runuser", "-u", "postgres", "--", *command]
    return list(command)


@pytest.fixture(scope="session")
def postgres():
    """Address of a fresh server on loopback, without the database's name."""
    if not (BINARIES / "initdb").exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian package postgresql-15)")
    home = Path(tempfile.mkdtemp(prefix="isosoma-pg-"))
    if os.getuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = home / "data"
    make = _as_postgres(str(BINARIES / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust")
    subprocess.run(make, check=True, capture_output=True, cwd="/")
    server = subprocess.Popen(
        _as_postgres(
            *(str(BINARIES / "postgres"), "-D", str(data), "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-k", str(home)),
        ),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        time.sleep(0.5)
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        stop = [str(BINARIES / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(_as_postgres(*stop), capture_output=True, cwd="/", check=False)
        server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


class Place:
    """Where a log lies, and how to open and verify it there."""

    def __init__(self, address, home):
        self.address, self.home = address, home
        self.path = home or Path(address)

    def open(self, **options):
        """Open the log here."""
        return open_log(self.address, home=self.home, **options)

    def verify(self, **options):
        """Verify the log here."""
        return verify(self.address, home=self.home, **options)


_count = iter(range(10**6))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """A place for a fresh log in each backend."""
    if request.param == "sqlite":
        return Place(tmp_path / "log", None)
    import pg8000.dbapi

    server = request.getfixturevalue("postgres")
    name = f"log{next(_count)}"
    port = int(server.rpartition(":")[2])
    admin = pg8000.dbapi.connect(user="postgres", host="127.0.0.1", port=port)
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {name}")
    admin.close()
    return Place(f"{server}/{name}", tmp_path / "log")


def vitals(n=10, subject="patient-0001"):
    return [
        Observation(subject, "heart_rate", 10**18 + i * 10**9, 10**18, 1.0 + i / 7, 0.01, given="x")
        for i in range(n)
    ]


def test_what_goes_in_comes_out(place):
    obs = vitals()
    with place.open() as log:
        keys = [b"%d" % i for i in range(10)]
        assert log.unseen("patient-0001", keys) == [True] * 10
        receipt = log.append(
            "patient-0001", [Draft("observations", encode_observations(obs))], keys
        ).result()
        assert receipt.sequences == (0,)
        assert log.unseen("patient-0001", [*keys, b"new"]) == [False] * 10 + [True]
        assert log.unseen("another", keys) == [True] * 10
        (entry,) = log.entries("patient-0001")
        assert decode_observations(entry.payload, entry.patient) == obs
    report = place.verify(deep=True)
    assert report.findings == ()
    assert report.size == 1


def test_reads_are_recorded(place):
    with place.open() as log:
        log.append("patient-0001", [Draft("reading", {"a": 1}, key=b"o")]).result()
        log.append("patient-0001", [Draft("reading", {"a": 2}, key=b"o")]).result()
        who = Principal("dr-1", "clinician", "A B")
        got = list(log.entries("patient-0001", by=who, purpose="round"))
        assert [(e.kind, e.version, e.previous) for e in got] == [
            ("reading", 1, -1), ("reading", 2, 0), ("access", 1, -1)]  # fmt: skip
        assert (got[2].actor, got[2].purpose) == ("dr-1", "round")


def test_one_bad_item_fails_alone(place):
    with place.open() as log:
        log.append("p", [Draft("reading", b"1")], [b"k"]).result()
        futures = [log.append("p", [Draft("reading", b"2")], [b"k%d" % i]) for i in range(5)]
        bad = log.append("p", [Draft("reading", b"3")], [b"k"])
        more = [log.append("p", [Draft("reading", b"4")], [b"m%d" % i]) for i in range(5)]
        with pytest.raises(RecordError, match="already"):
            bad.result()
        assert sorted(s for f in futures + more for s in f.result().sequences) == list(range(1, 11))
    assert place.verify(deep=True).ok


def test_second_writer_is_refused_and_readers_are_not(place):
    with place.open() as log:
        log.append("p", [Draft("reading", b"1")]).result()
        with pytest.raises(BusyError, match="another process"):
            place.open()
        with place.open(read_only=True) as reader:
            assert [e.payload for e in reader.entries("p")] == [b"1"]
            with pytest.raises(RecordError, match="reading only"):
                reader.append("p", [Draft("reading", b"1")])
    with place.open() as log:
        assert len(list(log.entries())) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + bytes(5000)])
def test_what_is_no_log_is_refused(tmp_path, content):
    file = tmp_path / "log"
    file.write_bytes(content)
    with pytest.raises(FormatError):
        open_log(file)
    assert file.read_bytes() == content
    assert not verify(file).ok


def test_erased_is_gone(place, tmp_path):
    with place.open() as log:
        log.append("CANARY-ID-77", [Draft("reading", b"CANARY-VALUE")]).result()
        log.append("other-patient", [Draft("reading", b"kept")]).result()
        digest = put_blob(log, "CANARY-ID-77", b"CANARY-BLOB" * 100)
        assert get_blob(log, "CANARY-ID-77", digest) == b"CANARY-BLOB" * 100
        log.keys.backup("1")
        receipt = erase(log, "CANARY-ID-77", "desk", "asked for it")
        assert receipt.proof is not None
        assert list(log.entries("CANARY-ID-77")) == []
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or b"CANARY" not in file.read_bytes()
        assert [e.payload for e in log.entries("other-patient")] == [b"kept"]
    assert place.verify(deep=True).findings == ()


def test_erasure_gives_a_proof_that_holds(place):
    with place.open() as log:
        for i in range(5):
            log.append("patient-0001", [Draft("reading", b"%d" % i)]).result()
        receipt = erase(log, "patient-0001", "desk", "asked for")
    point = parse_checkpoint(open_note(receipt.checkpoint, pinned_keys(place.path)))
    (at,) = receipt.sequences
    assert verify_inclusion(at, point.size, receipt.leaf, receipt.proof, point.root)
    assert not verify_inclusion(at - 1, point.size, receipt.leaf, receipt.proof, point.root)


def test_a_purpose_may_not_name_the_patient(place):
    nurse = Principal("nurse of anna", "service")
    with place.open() as log:
        with pytest.raises(IdentityError, match="names the patient"):
            log.append("anna", [Draft("reading", b"1")], purpose="round, anna")
        log.append("anna", [Draft("reading", b"1")], by=nurse, purpose="annals").result()
        log.append("a", [Draft("reading", b"1")], purpose="as asked").result()
        (entry, _) = log.entries()
        assert entry.actor.startswith("hmac:"), "an actor's name that holds the id is not in clear"
        with pytest.raises(IdentityError, match="names the patient"):
            erase(log, "anna", "desk", "anna asked for it")
        erase(log, "a", "desk", "as asked")
    assert place.verify(deep=True).ok


def test_a_changed_ciphertext_is_found_in_either_backend(place):
    with place.open() as log:
        for i in range(3):
            log.append("p", [Draft("reading", b"%d" % i)], [b"%d" % i]).result()
        sql = "UPDATE events SET ciphertext=(SELECT ciphertext FROM events WHERE sequence=0)"
        sqls = [f"{sql} WHERE sequence=2", "DELETE FROM seen WHERE sequence=1"]
        for sql in sqls:
            log.store._db.cursor().execute(sql)
    report = place.verify()
    assert [(f.kind, f.where) for f in report.findings] == [
        ("event", "event 2"), ("event", "event 1")]  # fmt: skip
    assert "keys are gone" in report.findings[1].what


def test_what_is_committed_is_answered_even_where_its_note_cannot_be_kept(tmp_path):
    """A full disk or a folder in the way must not make the writer record anything twice."""
    log = open_log(tmp_path / "log")
    (tmp_path / "log-checkpoint-new").mkdir()
    futures = [log.append("p", [Draft("reading", b"%d" % i)]) for i in range(5)]
    assert sorted(f.result().sequences[0] for f in futures) == list(range(5))
    with pytest.raises(RecordError, match="could not be kept"):
        log.close()
    (tmp_path / "log-checkpoint-new").rmdir()
    with open_log(tmp_path / "log") as log:
        assert len(list(log.entries())) == 5
    assert verify(tmp_path / "log").ok


def test_a_kept_note_emptied_by_a_power_cut_is_made_again(tmp_path):
    with open_log(tmp_path / "log") as log:
        log.append("p", [Draft("reading", b"1")]).result()
    (tmp_path / "log-checkpoint").write_bytes(b"")
    assert {f.kind for f in verify(tmp_path / "log").findings} == {"checkpoint"}
    open_log(tmp_path / "log").close()
    assert verify(tmp_path / "log").ok


@pytest.mark.parametrize(("deep", "total"), [(False, 250), (True, 500)])
def test_verify_tells_how_far_it_is(tmp_path, deep, total):
    with open_log(tmp_path / "log") as log:
        log.append("p", [Draft("reading", b"%d" % i) for i in range(250)]).result()
    told = []
    verify(tmp_path / "log", deep=deep, progress=lambda n, of: told.append((n, of)))
    assert told == [(n, total) for n in sorted({*range(100, total, 100), total})]


def test_only_the_owner_may_read_a_log(tmp_path):
    with open_log(tmp_path / "log") as log:
        put_blob(log, "p", b"image")
        for file in tmp_path.rglob("*"):
            if file.is_file():
                assert file.stat().st_mode & 0o077 == 0, file


def flood(log, futures):
    for i in range(10_000):
        futures.append(log.append("p", [Draft("reading", b"%d" % i)]))


def test_a_full_queue_says_so(tmp_path):
    futures = []
    with open_log(tmp_path / "log", depth=1) as log:
        with pytest.raises(BusyError, match="nothing was accepted"):
            flood(log, futures)
        for future in futures:
            future.result()
    assert verify(tmp_path / "log").size == len(futures)


def test_an_erasure_cut_short_is_finished_on_opening(tmp_path, monkeypatch):
    with open_log(tmp_path / "log") as log:
        log.append("patient-0001", [Draft("reading", b"1")]).result()
        monkeypatch.setattr(log.keys, "destroy", lambda keys: 1 / 0)
        with pytest.raises(RecordError):
            erase(log, "patient-0001", "desk", "asked for")
        assert len(list(log.entries("patient-0001"))) == 1
    with open_log(tmp_path / "log") as log:
        assert log.keys.find("patient-0001") is None
    assert verify(tmp_path / "log", deep=True).ok


def test_keys_are_renewed_before_they_wear_out(tmp_path, monkeypatch):
    monkeypatch.setattr(key_file, "_STEP", 4)
    monkeypatch.setattr(key_file, "MOST_MESSAGES", 9)
    with open_log(tmp_path / "log") as log:
        for i in range(30):
            log.append("p", [Draft("reading", b"%d" % i)]).result()
        assert log.keys.find("p").version > 3
    with open_log(tmp_path / "log") as log:
        assert [e.payload for e in log.entries("p")] == [b"%d" % i for i in range(30)]


def test_mac_is_hmac(tmp_path):
    with open_log(tmp_path / "log") as log:
        keys = log.keys.make("p")
        assert keys.mac(b"data") == hmac.digest(keys.salt, b"data", "sha256")


def test_key_others_can_read_is_refused(tmp_path):
    open_log(tmp_path / "log").close()
    (tmp_path / "log-kek").chmod(0o644)
    with pytest.raises(RecordError, match="others can read"):
        open_log(tmp_path / "log")


def test_pass_phrase_instead_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv(PASSPHRASE, "correct horse")
    with open_log(tmp_path / "log") as log:
        log.append("p", [Draft("reading", b"1")]).result()
    assert not (tmp_path / "log-kek").exists()
    monkeypatch.setenv(PASSPHRASE, "wrong horse")
    with pytest.raises(RecordError, match="does not open"):
        open_log(tmp_path / "log")
    assert verify(tmp_path / "log").ok, "verification needs no key"


def test_traces_are_found_across_pieces(tmp_path):
    (tmp_path / "log").write_bytes(b"x" * (2**20 - 3) + b"CANARY" + b"y")
    assert traces(tmp_path / "log", [b"CANARY"]) == [tmp_path / "log"]
    assert traces(tmp_path / "log", [b"CANARY2"]) == []
