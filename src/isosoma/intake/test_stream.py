"""Batches of a live stream: all the good ones, none of the bad ones, and few commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isosoma.core.errors import IdentityError, InputError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.intake.identity import key_of
from isosoma.intake.stream import take_each
from isosoma.intake.taking import Session, Summary
from isosoma.intake.timeline import timeline
from isosoma.record import Log, open_log

NOW = 1_771_830_000_000_000_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with open_log(tmp_path / "log") as opened:
        yield opened


def number(i: int, subject: str = "p1", ahead: int = 0) -> Observation:
    at = NOW - 10**12 + i * 10**9 + ahead
    return Observation(subject, "heart_rate", at, NOW, 1.2, 0.05, device="m", channel="v", seq=i)


def signal(i: int) -> Waveform:
    start = NOW - 10**12 + i * 10**9
    samples = np.full(100, i, np.int16)
    return Waveform("p1", "plethysmogram", start, NOW, 100.0, samples, 1e-3, seq=i, device="m")


def bad(i: int) -> Observation:
    return number(i, subject="p2") if i % 2 else number(i, ahead=10**15)


def seqs(log: Log) -> list[tuple[str, int]]:
    return sorted((r.variable, r.seq) for r in timeline(log, "p1").readings)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kinds=st.lists(st.sampled_from("nsbe"), max_size=24))
def test_each_delivery_is_judged_by_itself(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str]
) -> None:
    make = {"n": lambda i: [number(i), signal(i)], "s": lambda i: [signal(i)],
            "b": lambda i: [number(i), bad(i)], "e": lambda _: []}  # fmt: skip
    deliveries = [make[k](i) for i, k in enumerate(kinds)]
    with open_log(tmp_path_factory.mktemp("s") / "log") as log:
        batch = take_each(log, deliveries, patient="p1", now=NOW, session=Session("p1"))
        assert set(batch.refused) == {i for i, k in enumerate(kinds) if k == "b"}
        good = [r for k, d in zip(kinds, deliveries, strict=True) if k != "b" for r in d]
        assert batch.summary.accepted == len(good)
        assert seqs(log) == sorted((r.variable, r.seq) for r in good)


def test_the_sentence_is_the_one_of_the_delivery(log: Log) -> None:
    deliveries = [[number(0)], [bad(1)], [number(2)], [bad(2)]]
    refused = take_each(log, deliveries, patient="p1", now=NOW, session=Session("p1")).refused
    assert isinstance(refused[1], IdentityError)
    assert isinstance(refused[3], TimeError)
    assert all(isinstance(e, InputError) for e in refused.values())


def test_nothing_bad_costs_one_append_and_one_bad_of_many_costs_few(log: Log) -> None:
    def appends() -> int:
        return sum(1 for _ in log.entries("p1", ["verdicts"]))

    session = Session("p1")
    take_each(log, [[number(i)] for i in range(64)], patient="p1", now=NOW, session=session)
    assert appends() == 1
    many = [[bad(i)] if i == 100 else [number(i)] for i in range(64, 128)]
    take_each(log, many, patient="p1", now=NOW, session=session)
    assert appends() - 1 <= 6  # log2(64)


def test_a_second_delivery_of_all_changes_nothing(log: Log) -> None:
    deliveries = [[number(i), signal(i)] for i in range(10)]
    session = Session("p1")
    first = take_each(log, deliveries, patient="p1", now=NOW, session=session)
    again = take_each(log, deliveries * 2, patient="p1", now=NOW, session=Session("p1"))
    assert (first.summary.accepted, again.summary) == (20, Summary(duplicates=40))
    assert len({key_of(r) for r in timeline(log, "p1").readings}) == 20
