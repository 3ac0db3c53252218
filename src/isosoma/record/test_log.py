"""The log: what goes in comes out, once, in order, and only after it is on disk."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import BusyError, FormatError, RecordError
from isosoma.core.observation import Observation, Waveform
from isosoma.core.principal import Principal
from isosoma.record import (
    Draft,
    decode_observations,
    decode_waveform,
    encode_observations,
    encode_waveform,
    erase,
    open_log,
    verify,
)


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


def test_waveform_comes_back_exactly():
    samples = np.random.default_rng(0).integers(-32768, 32767, 1000, dtype=np.int16, endpoint=True)
    wave = Waveform("p", "ecg", 5, 6, 250.0, samples, 1e-6, baseline=3, missing=((2, 9),))
    back = decode_waveform(encode_waveform(wave), "p")
    assert np.array_equal(back.samples, samples)
    assert (back.hz, back.baseline, back.missing) == (250.0, 3, ((2, 9),))


def test_erased_is_gone(place, tmp_path):
    with place.open() as log:
        log.append("CANARY-ID-77", [Draft("reading", b"CANARY-VALUE")]).result()
        log.append("other-patient", [Draft("reading", b"kept")]).result()
        digest = log.put_blob("CANARY-ID-77", b"CANARY-BLOB" * 100)
        assert log.get_blob("CANARY-ID-77", digest) == b"CANARY-BLOB" * 100
        log.keys.backup("1")
        receipt = erase(log, "CANARY-ID-77", "desk", "asked for it")
        assert receipt.proof is not None
        assert list(log.entries("CANARY-ID-77")) == []
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or b"CANARY" not in file.read_bytes()
        assert [e.payload for e in log.entries("other-patient")] == [b"kept"]
    assert place.verify(deep=True).findings == ()
