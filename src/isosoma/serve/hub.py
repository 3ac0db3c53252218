"""Fan-out to browsers: waveforms lossless and numbered, states latest-wins, alarms never dropped.

A client may have two unacknowledged states in flight; newer states replace the one that waits.
Waveforms queue up to `QUEUE` blocks; a client that falls further behind is sent away with code
1013 and comes back at the present, with the gap visible in the numbers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Alarms", "Client", "Hub"]

IN_FLIGHT = 2
QUEUE = 300  # blocks of 100 ms
KEPT = 10_000  # alarms that can be replayed


@dataclass(slots=True, eq=False)
class Client:
    """One browser: what waits for it, what it has not acknowledged, and how far it lags [s]."""

    clock: Callable[[], float]
    blocks: deque[dict[str, Any]] = field(default_factory=deque[dict[str, Any]])
    state: dict[str, Any] | None = None
    sent: dict[int, float] = field(default_factory=dict[int, float])
    number: int = 0
    lag: float = 0.0
    overrun: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, block: dict[str, Any], state: dict[str, Any]) -> None:
        """Queue a block and replace the waiting state."""
        if len(self.blocks) >= QUEUE:
            self.overrun = True
        else:
            self.blocks.append(block)
        self.state = state
        self.wake.set()

    def take(self) -> list[dict[str, Any]]:
        """Return what may be sent now: every block, and the newest state if the client keeps up."""
        self.wake.clear()
        out = list(self.blocks)
        self.blocks.clear()
        if self.state is not None and len(self.sent) < IN_FLIGHT:
            self.number += 1
            self.sent[self.number] = self.clock()
            out.append({**self.state, "n": self.number, "lag": round(self.lag, 4)})
            self.state = None
        return out

    def acknowledge(self, number: int) -> None:
        """Note that the client has shown state `number`, and measure its lag [s]."""
        at = self.sent.pop(number, None)
        if at is not None:
            self.lag = self.clock() - at
            self.wake.set()


@dataclass(slots=True)
class Hub:
    """All clients, and the newest of everything for those who join."""

    clients: set[Client] = field(default_factory=set[Client])

    def publish(self, block: dict[str, Any], state: dict[str, Any]) -> None:
        """Give a block and a state to every client."""
        for client in self.clients:
            client.offer(block, state)


@dataclass(slots=True)
class Alarms:
    """Alarms by number, kept for replay; `changed` wakes those who listen.

    `run` is this server's own word: a number of another run is none of ours, and its owner has seen
    nothing yet.
    """

    kept: deque[dict[str, Any]] = field(default_factory=lambda: deque[dict[str, Any]](maxlen=KEPT))
    last: int = 0
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, alarm: dict[str, Any]) -> None:
        """Number an alarm and tell everyone."""
        async with self.changed:
            self.last += 1
            self.kept.append({"id": self.last, **alarm})
            self.changed.notify_all()

    def event_id(self, alarm: dict[str, Any]) -> str:
        """Return the id that a browser gives back as Last-Event-ID."""
        return f"{self.run}-{alarm['id']}"

    def seen(self, event_id: str) -> int:
        """Return the number of the last alarm seen; 0 for an id that is not of this run."""
        run, _, number = event_id.partition("-")
        known = run == self.run and number.isascii() and number.isdigit() and len(number) < 19
        return min(int(number), self.last) if known else 0

    def since(self, number: int) -> list[dict[str, Any]]:
        """Return every kept alarm after `number`, oldest first."""
        return [alarm for alarm in self.kept if alarm["id"] > number]

    async def wait(self, number: int, seconds: float) -> list[dict[str, Any]]:
        """Return the alarms after `number`, waiting at most `seconds` [s] for one."""
        async with self.changed:
            if not self.since(number):
                try:
                    await asyncio.wait_for(self.changed.wait(), seconds)
                except TimeoutError:
                    return []
            return self.since(number)
