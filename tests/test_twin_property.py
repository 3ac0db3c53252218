"""The same facts in the log and the same release make the same twin, bit by bit.

Deliveries are shuffled, cut, a fifth of them repeated and a third delayed, through the real intake
into a real log; the twin is folded by one and by two threads of the physics, alone and beside
another fold.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Barrier

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.intake import Session, take, timeline
from isosoma.organs.circulation import predict
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.model import Circulation
from isosoma.physics import ensemble
from isosoma.record import open_log
from isosoma.twin.fold import Subject, Twin, fold
from isosoma.twin.release import Release

T0 = 1_790_000_000 * 10**9
MINUTE = 60 * 10**9
NOW = T0 + 10**15
SUBJECT = Subject("p1", Person())
RELEASE = Release(members=32, first=1800.0)
ROWS = (
    ("systolic_pressure", 128.0, "cuff"),
    ("diastolic_pressure", 79.0, "cuff"),
    ("oxygen_saturation", 97.0, "oximeter"),
    ("heart_rate", 71.0, "oximeter"),
)


def _reading(index: int) -> Observation:
    name, value, device = ROWS[index % len(ROWS)]
    step = index // len(ROWS)
    row, at = VOCABULARY[name], T0 + step * 15 * MINUTE
    si = to_si(value + step % 3, row.shown)
    return Observation("p1", name, at, at + 10**9, si, row.sigma, row.bias, device=device,
                       channel=name, seq=step)  # fmt: skip


READINGS = tuple(_reading(i) for i in range(5 * len(ROWS)))


@dataclass(frozen=True)
class Delivery:
    """Order of arrival, with what comes twice; pieces of the size given."""

    order: tuple[int, ...]
    size: int
    folds: int


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """Shuffle all; 30 % come at the very end, and 20 % a second time, anywhere."""
    places = draw(st.permutations(range(len(READINGS))))
    late = draw(st.sets(st.sampled_from(places), min_size=6, max_size=6))
    order = [p for p in places if p not in late] + [p for p in places if p in late]
    for again in draw(st.lists(st.sampled_from(places), min_size=4, max_size=4)):
        order.insert(draw(st.integers(0, len(order))), again)
    return Delivery(tuple(order), draw(st.integers(1, 7)), draw(st.sampled_from([1, 2])))


def _delivered(folder, delivery: Delivery):
    with open_log(folder / "ward.log") as log:
        session = Session("p1")
        for a in range(0, len(delivery.order), delivery.size):
            part = [READINGS[k] for k in delivery.order[a : a + delivery.size]]
            take(log, part, patient="p1", now=NOW, session=session)
        return timeline(log, "p1")


class _Pair:
    """Two threads that take tiles two at a time: each waits until the other has one as well."""

    def __init__(self) -> None:
        self.calls = 0

    def map(self, one, tiles):
        self.calls += 1
        both = Barrier(2, timeout=60.0)

        def met(tile):
            both.wait()
            one(tile)

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(met, tiles))


@contextmanager
def _physics(threads: int):
    """Let every fold inside ask physics of so many threads; yields the pair that two are."""
    pair = _Pair()
    with pytest.MonkeyPatch.context() as patch:
        model = Circulation(threads=threads)
        patch.setattr(ensemble, "_pool", lambda: pair)
        patch.setattr(predict, "predictor", partial(predict.predictor, model=model))
        yield pair


def _folded(known, folds: int = 1, release: Release = RELEASE) -> list[Twin]:
    with ThreadPoolExecutor(folds) as pool:
        jobs = [pool.submit(fold, known, SUBJECT, release, NOW) for _ in range(folds)]
        return [job.result() for job in jobs]


def _bits(twin: Twin) -> tuple[bytes, ...]:
    b = twin.belief
    words = repr((b.patient, b.at, b.step, b.context, b.channels, twin.misfit, twin.unused))
    outputs = [r.outputs.tobytes() for r in twin.timeline.reports]
    return (words.encode(), b.z.tobytes(), b.drift.tobytes(), *outputs)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory) -> Twin:
    whole = Delivery(tuple(range(len(READINGS))), len(READINGS), 1)
    return _folded(_delivered(tmp_path_factory.mktemp("in-order"), whole))[0]


@given(deliveries())
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_arrival_repeats_delays_and_threads_leave_no_trace(tmp_path_factory, in_order, delivery):
    known = _delivered(tmp_path_factory.mktemp("delivered"), delivery)
    assert len(known.readings) == len(READINGS)
    for threads in (1, 2):
        with _physics(threads) as pair:
            twins = _folded(known, delivery.folds)
        assert (pair.calls > 0) == (threads == 2)
        for twin in twins:
            assert twin.digest == in_order.digest
            assert _bits(twin) == _bits(in_order)


def test_what_the_digest_covers_moves_it(tmp_path, in_order):
    """Another seed, or one reading less, is another twin."""
    known = _delivered(tmp_path, Delivery(tuple(range(len(READINGS) - 1)), 5, 1))
    assert _folded(known)[0].digest != in_order.digest
    other = _folded(known, release=Release(seed=1, members=32, first=1800.0))[0]
    assert other.digest != _folded(known)[0].digest
    assert not np.array_equal(other.prior.z, in_order.prior.z)
