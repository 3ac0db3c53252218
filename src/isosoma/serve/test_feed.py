"""The feed: answers in order, after the disk; a full queue, a broken reader, a broken log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from isosoma.core.errors import (
    BusyError,
    FormatError,
    IdentityError,
    InputError,
    IsosomaError,
    RecordError,
)
from isosoma.core.observation import Observation
from isosoma.intake import Summary, timeline
from isosoma.intake.stream import Batch
from isosoma.record import Log, open_log
from isosoma.serve.feed import Delivery, Feed

NOW = 1_771_830_000_000_000_000


def number(i: int, subject: str = "p1") -> Observation:
    at = NOW - 10**12 + i * 10**9
    return Observation(subject, "heart_rate", at, NOW, 1.2, 0.05, device="m", channel="v", seq=i)


class Desk:
    """Collects what a feed says."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, IsosomaError | None]] = []
        self.told: list[tuple[Batch, int]] = []
        self.failures: list[IsosomaError] = []

    def feed(self, log: Log, depth: int = 100) -> Feed:
        return Feed(
            log, "p1", lambda b, n: self.told.append((b, n)), self.failures.append, lambda: NOW,
            depth,
        )  # fmt: skip

    def delivery(self, i: int, read: Callable[[], Sequence[Any]]) -> Delivery:
        return Delivery(read, lambda error: self.answers.append((i, error)))

    def total(self) -> tuple[int, int, Summary]:
        summary = sum((b.summary for b, _ in self.told), Summary())
        return sum(n for _, n in self.told), sum(len(b.refused) for b, _ in self.told), summary


def raising(error: Exception) -> Callable[[], Sequence[Any]]:
    def read() -> Sequence[Any]:
        raise error

    return read


def test_answers_come_in_order_and_after_the_disk(tmp_path: Path) -> None:
    desk = Desk()
    stored: list[int] = []
    with open_log(tmp_path / "log") as log:
        feed = desk.feed(log)

        def done(error: IsosomaError | None, i: int) -> None:
            desk.answers.append((i, error))
            stored.append(len(timeline(log, "p1").readings))

        for i in range(20):
            feed.put(Delivery(lambda i=i: [number(i)], lambda e, i=i: done(e, i)))
        feed.stop()
    assert desk.answers == [(i, None) for i in range(20)]
    assert all(n > i for i, n in enumerate(stored))  # what is answered can be read back
    assert desk.total() == (20, 0, Summary(accepted=20))


def test_refusals_are_told_before_they_are_answered(tmp_path: Path) -> None:
    desk = Desk()
    told_first: list[bool] = []
    with open_log(tmp_path / "log") as log:
        feed = desk.feed(log)
        feed.put(desk.delivery(0, lambda: [number(0)]))
        feed.put(
            Delivery(
                raising(FormatError("cut", "mqtt")),
                lambda _: told_first.append(any(b.refused for b, _ in desk.told)),
            )
        )
        feed.put(desk.delivery(2, lambda: [number(2, "p2")]))
        feed.put(desk.delivery(3, lambda: [number(3)]))
        feed.stop()
        assert [r.seq for r in timeline(log, "p1").readings] == [0, 3]
    answers = dict(desk.answers)
    assert answers[0] is answers[3] is None
    assert isinstance(answers[2], IdentityError)
    assert told_first == [True]
    assert desk.total() == (4, 2, Summary(accepted=2))


def test_a_message_that_breaks_its_reader_is_refused_and_ends_nothing(tmp_path: Path) -> None:
    desk = Desk()
    with open_log(tmp_path / "log") as log:
        feed = desk.feed(log)
        feed.put(desk.delivery(0, raising(ZeroDivisionError("oh"))))
        feed.put(desk.delivery(1, lambda: [number(1)]))
        feed.stop()
    (first, error), second = desk.answers
    assert (first, second) == (0, (1, None))
    assert isinstance(error, InputError)
    assert "ZeroDivisionError" in str(error)
    assert not desk.failures


def test_a_log_that_fails_promises_nothing_from_then_on(tmp_path: Path) -> None:
    desk = Desk()
    log = open_log(tmp_path / "log")
    feed = desk.feed(log)
    log.close()
    for i in range(3):
        feed.put(desk.delivery(i, lambda i=i: [number(i)]))
    feed.stop()
    assert [i for i, _ in desk.answers] == [0, 1, 2]
    assert all(isinstance(error, RecordError) for _, error in desk.answers)
    assert len(desk.failures) == 1
    assert not desk.told


def test_a_full_queue_says_busy_and_forgets_nothing(tmp_path: Path) -> None:
    desk = Desk()
    gate, inside = threading.Event(), threading.Event()

    def slow() -> list[Observation]:
        inside.set()
        gate.wait(30)
        return [number(0)]

    with open_log(tmp_path / "log") as log:
        feed = desk.feed(log, depth=2)
        feed.offer(desk.delivery(0, slow))
        assert inside.wait(30)
        feed.offer(desk.delivery(1, lambda: [number(1)]))
        feed.offer(desk.delivery(2, lambda: [number(2)]))
        with pytest.raises(BusyError):
            feed.offer(desk.delivery(3, lambda: [number(3)]))
        gate.set()
        feed.stop()
    assert desk.answers == [(0, None), (1, None), (2, None)]


def test_an_answer_that_cannot_be_given_does_not_end_the_feed(tmp_path: Path) -> None:
    desk = Desk()

    def done(_error: IsosomaError | None) -> None:
        raise OSError("the socket is gone")

    with open_log(tmp_path / "log") as log:
        feed = desk.feed(log)
        feed.put(Delivery(lambda: [number(0)], done))
        feed.put(desk.delivery(1, lambda: [number(1)]))
        feed.stop()
    assert desk.answers == [(1, None)]
    assert "the socket is gone" in str(desk.failures[0])
