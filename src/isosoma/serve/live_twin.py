"""The twin behind the page, kept in step in a thread of its own; the page never waits for it.

::

    readings ─► queue ─► judged, set-up examined ─► absorbed ─► twin ─► cycle, belief, forecast
                                    │                             │
                                    └─ "sensor"                   └─ "patient"

While a rehearsal plays, readings are looked at and shown, and learnt from once it is done.
`Keeper.messages` holds the newest message of each kind; whoever publishes takes what is new.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from isosoma import quality
from isosoma.core.errors import IsosomaError
from isosoma.core.observation import Observation, Verdict
from isosoma.infer.belief import Reading
from isosoma.infer.replay import thinned
from isosoma.serve.beliefs import belief_message
from isosoma.serve.cycle import Cycle, cycle_of
from isosoma.serve.cycle_message import cycle_message
from isosoma.serve.disbelief import disbelief
from isosoma.serve.findings import changes, sensors
from isosoma.serve.lessons import Lessons
from isosoma.serve.live_messages import TwinMessage
from isosoma.serve.numbers import Predicted, bands, numbers_of, predicted, readings_of
from isosoma.twin.fold import Subject, Twin, absorbed, fold
from isosoma.twin.release import Release

__all__ = ["Keeper", "Known", "folded"]

_DENSE, _EVERY = 1800 * 10**9, 300 * 10**9
"""[ns] Time for which every belief is kept, and between those kept of what is older: 128 members of
a belief and its report are some 50 kB, and there are two to four a minute."""
_RENEW = 60.0  # [s] after which bands are renewed without a new reading


@dataclass(frozen=True, slots=True)
class Known:
    """Judged readings, as a fold takes them."""

    readings: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(slots=True, eq=False)
class Keeper:
    """A twin and what is said of it.

    Attributes
    ----------
    build : gives the twin, in the keeper's thread, and tells how far it is [1].
    now : the patient's time [ns]; that of a recording may run faster than ours.
    messages : newest of each kind, with a number that grows.
    rehearsing : set while a rehearsal needs the machine: bands and lessons wait.
    lessons : what came, and the faults of its set-up.
    """

    build: Callable[[Callable[[float], Any]], Twin]
    now: Callable[[], int]
    messages: dict[str, tuple[int, Any]] = field(default_factory=dict[str, tuple[int, Any]])
    twin: Twin | None = None
    status: TwinMessage = field(
        default_factory=lambda: TwinMessage("none", "no twin yet", 0.0, 0.0)
    )
    lessons: Lessons = field(default_factory=Lessons)
    over: threading.Event = field(default_factory=threading.Event)
    rehearsing: threading.Event = field(default_factory=threading.Event)
    _again: threading.Event = field(default_factory=threading.Event)
    _queue: queue.SimpleQueue[Sequence[Observation]] = field(
        default_factory=queue.SimpleQueue[Sequence[Observation]]
    )
    _waiting: list[Reading] = field(default_factory=list[Reading])
    _cycle: Cycle | None = None
    _predicted: Predicted | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def offer(self, readings: Sequence[Observation]) -> None:
        """Take readings that came; returns at once."""
        self._queue.put(tuple(readings))

    def again(self) -> None:
        """Ask for the twin to be built anew, from a log that others wrote to; returns at once."""
        self._again.set()

    def live(self) -> None:
        """Build the twin, then keep it in step until `over`; a fault is said, and the rest goes on.

        Without a twin nothing goes on; with one, the next readings may be followed again.
        """
        self._say("building", "building the twin", 0.02)
        self._safely(
            lambda: self._renew(self.build(lambda share: self._building(0.05 + 0.7 * share)))
        )
        while self.twin is not None and not self.over.is_set():
            self._safely(self._step)

    def _safely(self, do: Callable[[], None]) -> None:
        try:
            do()
        except IsosomaError as error:
            self._say("failed", f"the twin cannot follow: {error}", 0.0)
        except Exception as error:
            said = f"the twin cannot follow: {type(error).__name__}: {error}"
            self._say("failed", said, 0.0)
            logging.getLogger("uvicorn.error").exception("the twin cannot follow")

    def tell(self) -> None:
        """Renew the message that ages: numbers, readings, findings."""
        twin, now = self.twin, self.now()
        said, clock = self.status, now * 1e-9
        if twin is None or said.status != "live":
            return
        why = disbelief(self._predicted, self.lessons.seen, self.lessons.faults, now)
        self.status = TwinMessage(
            "live", "out of step" if why else "in step", 1.0, clock, twin.digest,
            max(0.0, (now - twin.belief.at) * 1e-9),
            len(twin.first) + len(twin.timeline.readings),
            {} if why else numbers_of(twin, self._predicted, self._cycle, now),
            readings_of(twin, self.lessons.seen, now),
            [*sensors(self.lessons.faults), *changes(twin)], why,
        )  # fmt: skip
        self.put("twin", self.status)

    def _building(self, share: float) -> None:
        self._say("building", f"building the twin, {100 * share:.0f} %", share)

    def _say(self, status: Any, said: str, share: float) -> None:
        self.status = TwinMessage(status, said, share, self.now() * 1e-9)
        self.put("twin", self.status)

    def put(self, kind: str, message: Any) -> None:
        """Make a message the newest of its kind; from any thread."""
        self.messages[kind] = (next(self._numbers), message)

    def _step(self) -> None:
        """Look at what came and absorb it; renew what is said where it changed or grew old."""
        found = self._taken()
        if found:
            self._waiting += self.lessons.of(found, self.now())
        if self._again.is_set():
            self._again.clear()
            self._waiting.clear()
            self._renew(self.build(lambda _: None))
        elif self._waiting and not self.lessons.held(self.rehearsing.is_set()):
            new, self._waiting = self._waiting, []
            if self.twin is not None:
                twin = absorbed(self.twin, new, max(o.observation.at for o in new))
                line = thinned(twin.timeline, _DENSE, _EVERY)
                self._renew(replace(twin, timeline=line))
        elif self._predicted is not None and self.twin is not None:
            age = (self.now() - self._predicted.at) * 1e-9
            if age > _RENEW and not self.rehearsing.is_set():
                self._foresee(self.twin)
        self.tell()

    def _taken(self) -> list[Observation]:
        """Return what came within a second, in order of time; an instant is never cut in two."""
        out: list[Observation] = []
        end = time.monotonic() + 1.0
        while (left := end - time.monotonic()) > 0.0 and not self.over.is_set():
            try:
                out += self._queue.get(timeout=min(left, 0.2))
            except queue.Empty:
                continue
        return sorted(out, key=lambda o: (o.at, o.device, o.channel, o.seq))

    def _renew(self, twin: Twin) -> None:
        """Compute what is said of a belief, then show all of it at once."""
        begun = self.twin is not None and self.status.status == "live"
        if not begun:
            self._building(0.8)
        cycle = cycle_of(twin)
        self._cycle, self.twin = cycle, twin
        clock = self.now() * 1e-9
        self.put("cycle", cycle_message(cycle, clock, twin.belief.at * 1e-9))
        self.put("belief", belief_message(twin, clock))
        self._foresee(twin, begun and self.rehearsing.is_set())
        if not begun:
            self.status = TwinMessage("live", "in step", 1.0, clock)
        self.tell()

    def _foresee(self, twin: Twin, briefly: bool = False) -> None:
        """Renew the numbers, and unless `briefly` the bands."""
        now = max(self.now(), twin.belief.at)
        self._predicted = predicted(twin, now)
        if not briefly:
            self.put("forecast", bands(twin, now))


def folded(
    readings: Sequence[Observation], subject: Subject, release: Release, until: int,
    told: Callable[[float], Any],
) -> Twin:  # fmt: skip
    """Return the twin that readings make, judged in the order of their times."""
    ordered = sorted(readings, key=lambda o: (o.at, o.device, o.channel, o.seq))
    _, verdicts = quality.judge_many(quality.start(), ordered)
    return fold(Known(tuple(ordered), tuple(verdicts)), subject, release, until, told)
