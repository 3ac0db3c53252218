"""The gate: a reading waits once, and nothing enters for a patient who is being erased."""

from __future__ import annotations

import threading

import pytest

from isosoma.core.errors import BusyError, ErasedError, RecordError
from isosoma.record.gate import Gate


def queued() -> None:
    """Stand for a queue that took the append."""


def full() -> None:
    """Stand for a queue that took nothing."""
    raise BusyError("the queue is full")


def test_a_reading_waits_once_for_each_patient():
    gate = Gate()
    gate.enter("p", [b"a", b"b"], queued)
    with pytest.raises(RecordError, match="another append"):
        gate.enter("p", [b"c", b"b"], queued)
    assert gate.waiting("p", [b"a", b"b", b"c"]) == {b"a", b"b"}, "a refused append leaves none"
    gate.enter("q", [b"a"], queued)
    gate.leave("p", [b"a", b"b"])
    assert gate.waiting("p", [b"a", b"b"]) == set()
    assert gate.waiting("q", [b"a"]) == {b"a"}


def test_a_reading_stands_once_in_an_append():
    gate, taken = Gate(), []
    with pytest.raises(RecordError, match="twice"):
        gate.enter("p", [b"a", b"a"], lambda: taken.append(1))
    assert (taken, gate.waiting("p", [b"a"])) == ([], set())


def test_what_the_queue_refused_does_not_wait():
    gate = Gate()
    with pytest.raises(BusyError):
        gate.enter("p", [b"a"], full)
    assert gate.waiting("p", [b"a"]) == set()


def test_nothing_enters_during_an_erasure():
    gate, taken = Gate(), []
    gate.shut("p")
    for keys in ([], [b"a"]):
        with pytest.raises(ErasedError, match="being erased"):
            gate.enter("p", keys, lambda: taken.append(1))
    assert taken == []
    gate.enter("q", [b"a"], queued)
    gate.reopen("p")
    gate.enter("p", [b"a"], queued)


def test_of_many_threads_with_one_reading_one_gets_in():
    gate, taken, refused = Gate(), [], []

    def deliver(number: int) -> None:
        try:
            gate.enter("p", [b"same"], lambda: taken.append(number))
        except RecordError:
            refused.append(number)

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(refused)) == (1, 15)
