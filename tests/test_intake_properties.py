"""Whatever the order, the repetition and the delay of deliveries: one set of facts, one reading."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from benchmarks.durability import rounds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isosoma.core.errors import BusyError, InputError, RecordError
from isosoma.core.observation import Observation, Waveform
from isosoma.intake import Session, Summary, beats_of, submit, take, timeline
from isosoma.intake.identity import key_of
from isosoma.record import decode_observations, decode_waveform, open_log, verify
from isosoma.signals.synthetic import synthesise

NOW = 1_771_830_000_000_000_000
S = 10**9
MMHG = 133.322387415
FIRST = NOW - 3600 * S
ANY_FOLDER = [HealthCheck.function_scoped_fixture]


@cache
def stay():
    """Half a minute of a monitor: vital signs, a cuff, two conflicts, and ECG in blocks of 1 s."""
    out = []
    for i in range(30):
        at = FIRST + i * S
        rate = 3.2 if i == 17 else 1.2 + 0.01 * (i % 5)  # one jump that nothing supports
        monitor = {"device": "m", "channel": "v"}
        out.append(Observation("p", "heart_rate", at, NOW, rate, 0.05, seq=i, **monitor))
        out.append(Observation("p", "oxygen_saturation", at, NOW, 0.97, 0.02, seq=i, device="ox"))
    for name, value in (("systolic_pressure", 120), ("diastolic_pressure", 130)):
        out.append(Observation("p", name, FIRST + 9 * S, NOW, value * MMHG, 400.0, device="cuff"))
    first = out[4]
    out.append(replace(first, value=1.9))  # the same number, another content
    for kelvin in (310.0, 311.5):  # numbered by nobody, at one instant
        out.append(Observation("p", "body_temperature", FIRST, NOW, kelvin, 0.1, device="t"))
    counts = np.round(synthesise(30.0, 250.0, seed=4).ecg.ravel() / 5e-6).astype(np.int16)
    for i in range(30):
        block = counts[i * 250 : (i + 1) * 250]
        wave = Waveform("p", "ecg", FIRST + i * S, NOW, 250.0, block, 5e-6, device="m",
                        channel="II", seq=i)  # fmt: skip
        out.append(wave)
    out.append(replace(out[-3], samples=out[-3].samples[::-1].copy()))
    return tuple(out)


def as_known(log):
    """Everything that may not depend on arrival; the time of arrival itself does."""
    known = timeline(log, "p")
    readings = [(key_of(r), r.variable, r.origin) for r in known.readings]
    return readings, known.verdicts, known.findings, beats_of(known)


@cache
def expected(folder):
    with open_log(folder / "in-order") as log:
        take(log, stay(), patient="p", now=NOW)
        return as_known(log)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("property")


def disturbed(seed, cuts):
    """Shuffle within delay: a fifth comes twice, three in ten come late; cut into bundles."""
    chance = random.Random(seed)
    sent = list(stay()) + chance.sample(stay(), len(stay()) // 5)
    chance.shuffle(sent)
    late = set(chance.sample(range(len(sent)), 3 * len(sent) // 10))
    stream = [r for i, r in enumerate(sent) if i not in late] + [sent[i] for i in sorted(late)]
    places = sorted({0, *(c % len(stream) for c in cuts), len(stream)})
    return [stream[a:b] for a, b in pairwise(places)]


@settings(max_examples=12, deadline=None, suppress_health_check=ANY_FOLDER)
@given(
    seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 10**6), max_size=12), one=st.booleans()
)
def test_any_order_and_any_cut_give_the_same(folder, tmp_path_factory, seed, cuts, one):
    bundles = disturbed(seed, cuts)
    session = Session("p") if one else None
    with open_log(tmp_path_factory.mktemp("any") / "log") as log:
        total = Summary()
        for i, bundle in enumerate(bundles):
            arrived = [replace(r, received=NOW + i) for r in bundle]
            total += take(log, arrived, patient="p", now=NOW + i, session=session)
        assert as_known(log) == expected(folder)
        assert total.accepted == len(stay())
        assert total.duplicates == sum(map(len, bundles)) - len(stay())
        assert total.samples == sum(len(r.samples) for r in stay() if isinstance(r, Waveform))


def test_the_stay_shows_what_it_should(folder):
    """Beats, a doubted jump, an impossible cuff, conflicts: else their equality were void."""
    readings, verdicts, _, beats = expected(folder)
    assert len(readings) == len(stay())
    assert len(beats) > 30
    reasons = " ".join(v.reason for v in verdicts)
    assert "heart rate from" in reasons
    assert "diastolic exceeds systolic" in reasons
    assert sum("same running number" in v.reason for v in verdicts) == 4
    assert any(v.weight == 1.0 for v in verdicts)


def test_the_log_keeps_the_order_of_arrival(tmp_path):
    numbers = [r for r in stay() if isinstance(r, Observation)][:40]
    bundles = [numbers[30:], numbers[:10], numbers[10:30]]
    with open_log(tmp_path / "log") as log:
        for bundle in bundles:
            take(log, bundle, patient="p", now=NOW)
        entries = log.entries("p", ["observations"])
        kept = [{key_of(o) for o in decode_observations(e.payload, "p")} for e in entries]
    assert kept == [{key_of(o) for o in bundle} for bundle in bundles]


BAD = {
    "another patient": lambda r: replace(r, subject="q"),
    "six minutes ahead": lambda r: replace(r, at=NOW + 360 * S),
    "year 9999": lambda r: replace(r, at=253_370_764_800 * S),
    "before 1970": lambda r: replace(r, at=-1),
    "not a number": lambda r: replace(r, value=float("nan")),
    "infinite": lambda r: replace(r, value=float("inf")),
    "number beyond 64 bits": lambda r: replace(r, seq=2**63),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_refused_delivery_changes_nothing(tmp_path, name, place):
    session = Session("p")
    numbers = [r for r in stay() if isinstance(r, Observation)]
    with open_log(tmp_path / "log") as log:
        take(log, stay()[:20], patient="p", now=NOW, session=session)
        before = list(log.entries()), log.checkpoint(), session.state, dict(session.newest)
        delivery = numbers[20:]
        delivery[place] = BAD[name](delivery[place])
        with pytest.raises(InputError) as told:
            take(log, delivery, patient="p", now=NOW, session=session)
        number = place % len(delivery) + 1
        assert f"number {number})" in str(told.value)
        after = list(log.entries()), log.checkpoint(), session.state, dict(session.newest)
        assert after == before
        delivery[place] = numbers[20:][place]
        assert take(log, delivery, patient="p", now=NOW).accepted == len(delivery)
    assert verify(tmp_path / "log", deep=True).ok


def test_threads_with_one_delivery_record_it_once(tmp_path):
    start = threading.Barrier(8)

    def deliver(log):
        start.wait()
        return take(log, stay(), patient="p", now=NOW)

    with open_log(tmp_path / "log") as log, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(deliver, [log] * 8))
        assert sorted(s.accepted for s in found) == [0] * 7 + [len(stay())]
        assert {s.accepted + s.duplicates for s in found} == {len(stay())}
        assert len(timeline(log, "p").readings) == len(stay())


@pytest.fixture
def halted(tmp_path, monkeypatch):
    """A log of a queue of three whose commits wait for `go`, and fail where `broken` is set."""
    go, broken, begun = threading.Event(), threading.Event(), threading.Event()
    with open_log(tmp_path / "log", depth=3) as log:
        commit = log.store.commit

        def slow(*args):
            begun.set()
            go.wait()
            if broken.is_set():
                raise RecordError("the disk is full")
            commit(*args)

        monkeypatch.setattr(log.store, "commit", slow)
        yield log, go, broken, begun
        broken.clear()
        go.set()


def test_a_duplicate_is_acknowledged_only_once_the_first_is_on_disk(halted):
    log, go, _, begun = halted
    first = submit(log, stay()[:5], patient="p", now=NOW)
    assert begun.wait(60)
    again = submit(log, stay()[:5], patient="p", now=NOW)
    mixed = submit(log, stay()[3:8], patient="p", now=NOW)
    assert not first.done()
    assert not again.done()
    assert not mixed.done()
    go.set()
    assert first.result(60).accepted == 5
    assert again.result(60) == Summary(duplicates=5)
    assert (mixed.result(60).accepted, mixed.result(60).duplicates) == (3, 2)


def test_a_duplicate_of_what_could_not_be_written_is_no_duplicate(halted):
    log, go, broken, begun = halted
    broken.set()
    first = submit(log, stay()[:5], patient="p", now=NOW)
    assert begun.wait(60)
    again = submit(log, stay()[:5], patient="p", now=NOW)
    go.set()
    for waiting in (first, again):
        with pytest.raises(RecordError):
            waiting.result(60)
    broken.clear()
    assert take(log, stay()[:5], patient="p", now=NOW).accepted == 5


def test_a_full_queue_refuses_and_loses_nothing(halted):
    log, go, _, begun = halted
    session, taken, refused = Session("p"), [], []
    taken.append((stay()[0], submit(log, stay()[:1], patient="p", now=NOW, session=session)))
    assert begun.wait(60)
    for r in stay()[1:12]:
        try:
            taken.append((r, submit(log, [r], patient="p", now=NOW, session=session)))
        except BusyError:
            refused.append(r)
    assert (len(taken), len(refused)) == (4, 8)
    go.set()
    assert sum(f.result(60).accepted for _, f in taken) == 4
    held = {key_of(r) for r in timeline(log, "p").readings}
    assert held == {key_of(r) for r, _ in taken}
    assert take(log, refused, patient="p", now=NOW, session=session).accepted == 8


def test_blocks_come_back_sample_by_sample(tmp_path):
    waves = {r.seq: r for r in stay() if isinstance(r, Waveform)}
    with open_log(tmp_path / "log") as log:
        take(log, waves.values(), patient="p", now=NOW)
        kept = [decode_waveform(e.payload, "p") for e in log.entries("p", ["waveform"])]
    assert len(kept) == len(waves)
    assert all(np.array_equal(w.samples, waves[w.seq].samples) for w in kept)


def test_six_kills_of_a_process_that_takes_readings_in_lose_nothing(tmp_path):
    tally = rounds(tmp_path / "log", 6, seed=11, way="intake")
    assert tally["acknowledged"] > 0
    assert (tally["missing"], tally["torn"], tally["not_verified"]) == (0, 0, 0)
    assert tally["without_verdict"] == 0
    assert tally["ok"]
