"""From sockets to the log: a bounded queue, one thread, and an answer once things are on disk."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from isosoma.core.errors import BusyError, FormatError, InputError, IsosomaError, RecordError
from isosoma.intake.stream import Batch, take_each
from isosoma.intake.taking import Session

__all__ = ["DEPTH", "Delivery", "Feed"]

DEPTH = 1000
"""Deliveries that may wait; a socket that brings more is not read meanwhile."""

_MOST = 500  # deliveries in one durable step
_REST = 0.05  # [s] before a full log is asked again


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a transport.

    Attributes
    ----------
    read : gives its readings or raises InputError; called once, in the feed's thread.
    done : called once, in order: with None when the readings are on disk, with an InputError once
        the refusal was counted and said, with a RecordError where nothing can be promised.
    """

    read: Callable[[], Sequence[Any]]
    done: Callable[[IsosomaError | None], object]


class Feed:
    """One patient's live stream. `tell(batch, n)` counts and says what became of n deliveries."""

    def __init__(
        self,
        log: Any,
        patient: str,
        tell: Callable[[Batch, int], None],
        failed: Callable[[IsosomaError], None],
        clock: Callable[[], int] = time.time_ns,
        depth: int = DEPTH,
    ) -> None:
        """Start the thread; `failed` is called once, when the log can take no more."""
        self.log, self.patient, self.tell, self.clock = log, patient, tell, clock
        self._failed = failed
        self._broken: IsosomaError | None = None
        self._session = Session(patient)
        self._queue: queue.Queue[Delivery | None] = queue.Queue(depth)
        self._thread = threading.Thread(target=self._run, name="feed")
        self._thread.start()

    def put(self, delivery: Delivery) -> None:
        """Queue; wait while the queue is full."""
        self._queue.put(delivery)

    def offer(self, delivery: Delivery) -> None:
        """Queue, or raise BusyError where the queue is full."""
        try:
            self._queue.put_nowait(delivery)
        except queue.Full:
            raise BusyError("too much is waiting to be stored", todo="Send it again") from None

    def stop(self) -> None:
        """Finish what is queued."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            waiting = [self._queue.get()]
            while len(waiting) < _MOST and not self._queue.empty():
                waiting.append(self._queue.get())
            going = None not in waiting
            self._finish([d for d in waiting if d is not None])

    def _finish(self, deliveries: list[Delivery]) -> None:
        answers: list[IsosomaError | None] = [self._broken] * len(deliveries)
        if deliveries and self._broken is None:
            try:
                batch = self._store([_read(d) for d in deliveries])
                answers = [batch.refused.get(i) for i in range(len(deliveries))]
                self.tell(batch, len(deliveries))
            except Exception as error:  # noqa: BLE001 - not one answer may promise anything now
                self._broken = _broken(error)
                answers = [self._broken] * len(deliveries)
                self._failed(self._broken)
        for delivery, answer in zip(deliveries, answers, strict=True):
            self._answer(delivery, answer)

    def _answer(self, delivery: Delivery, answer: IsosomaError | None) -> None:
        try:
            delivery.done(answer)
        except Exception as error:  # noqa: BLE001 - a socket's fault must not end the others' feed
            self._failed(_broken(error))

    def _store(self, found: list[Sequence[Any] | InputError]) -> Batch:
        """Store what could be read; the batch counts what could not as refused."""
        unread = {i: f for i, f in enumerate(found) if isinstance(f, InputError)}
        readings = [() if isinstance(f, InputError) else f for f in found]
        while True:
            try:
                batch = take_each(
                    self.log, readings, patient=self.patient, now=self.clock(),
                    session=self._session,
                )  # fmt: skip
                return Batch(batch.summary, {**batch.refused, **unread})
            except BusyError:
                time.sleep(_REST)


def _read(delivery: Delivery) -> Sequence[Any] | InputError:
    """Return the readings, or why there are none; what breaks a reader must not come for ever."""
    try:
        return delivery.read()
    except InputError as error:
        return error
    except Exception as error:  # noqa: BLE001 - said and counted; the broker would send it again
        return FormatError(
            f"the message broke its reader ({type(error).__name__}: {error})",
            todo="This is a fault of isosoma: please report it",
        )


def _broken(error: Exception) -> IsosomaError:
    if isinstance(error, IsosomaError):
        return error
    return RecordError(f"the log failed ({type(error).__name__}: {error})", todo="Start again")
