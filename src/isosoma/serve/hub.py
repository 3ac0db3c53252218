"""Fan-out to browsers: waveforms lossless and numbered, all else latest-wins, alarms never dropped.

Every message is encoded once, whoever it goes to; only the number and the lag of a state are each
client's own, put before what all share. A client may have two unacknowledged states in flight;
newer messages of a kind replace the one that waits. Waveforms queue up to `QUEUE` blocks; a client
that falls further behind is sent away with code 1013 and comes back. Who comes back to the same run
of the server says which block it had last, and is sent those since then, as far as they are kept.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

__all__ = ["Alarms", "Client", "Hub", "encoded"]

IN_FLIGHT = 2
QUEUE = 600  # blocks of 50 ms
KEPT = 10_000  # alarms that can be replayed
STATES = 20.0  # [1/s] to one client; a state that comes a little early still passes


def encoded(message: Any) -> str:
    """Return a message as JSON; a number that is not finite is null."""
    return msgspec.json.encode(message).decode()


@dataclass(slots=True, eq=False)
class Client:
    """One browser: what waits for it, what it has not acknowledged, and how far it lags [s].

    `newest` holds the waiting text of each kind of message but blocks.
    """

    clock: Callable[[], float]
    newest: dict[str, str] = field(default_factory=dict[str, str])
    blocks: deque[str] = field(default_factory=deque[str])
    sent: dict[int, float] = field(default_factory=dict[int, float])
    number: int = 0
    lag: float = 0.0
    last: float = -1.0
    overrun: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def queue(self, block: str) -> None:
        """Queue a block behind those that wait."""
        if len(self.blocks) >= QUEUE:
            self.overrun = True
        else:
            self.blocks.append(block)
        self.wake.set()

    def offer(self, kind: str, text: str) -> None:
        """Replace the waiting message of a kind."""
        self.newest[kind] = text
        self.wake.set()

    def take(self) -> list[str]:
        """Return what may be sent now: every block, and the newest of the rest if it keeps up."""
        self.wake.clear()
        out = list(self.blocks)
        self.blocks.clear()
        now = self.clock()
        if len(self.sent) >= IN_FLIGHT or 0.0 <= now - self.last < 0.6 / STATES:
            return out
        state = self.newest.pop("state", None)
        out += self.newest.values()
        self.newest.clear()
        if state is not None:
            self.number += 1
            self.sent[self.number] = self.last = now
            out.append(f'{{"n":{self.number},"lag":{self.lag:.4f},{state[1:]}')
        return out

    def acknowledge(self, number: int) -> None:
        """Note that the client has shown state `number`, and measure its lag [s]."""
        at = self.sent.pop(number, None)
        if at is not None:
            self.lag = self.clock() - at
            self.wake.set()


@dataclass(slots=True)
class Hub:
    """All clients, and the newest message of each kind for those who join."""

    clients: set[Client] = field(default_factory=set[Client])
    newest: dict[str, str] = field(default_factory=dict[str, str])
    recent: deque[tuple[int, str]] = field(
        default_factory=lambda: deque[tuple[int, str]](maxlen=QUEUE)
    )

    def join(self, clock: Callable[[], float], had: int | None = None) -> Client:
        """Return a new client, for whom the newest of everything waits.

        Parameters
        ----------
        had : number of the last block that it had of this run; those after it wait as well.
        """
        client = Client(clock, dict(self.newest))
        if had is not None:
            client.blocks.extend(text for number, text in self.recent if number > had)
        client.wake.set()
        self.clients.add(client)
        return client

    def block(self, block: dict[str, Any]) -> None:
        """Give a block of samples to every client."""
        text = encoded(block)
        self.recent.append((block["seq"], text))
        for client in self.clients:
            client.queue(text)

    def publish(self, kind: str, message: Any) -> None:
        """Give the newest message of a kind to every client."""
        text = self.newest[kind] = encoded(message)
        for client in self.clients:
            client.offer(kind, text)


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
