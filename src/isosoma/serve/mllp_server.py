"""HL7 v2 over MLLP into a feed: every message is answered, AA only when it is on disk.

| answer | when | what a sender does |
|---|---|---|
| AA | on disk; MSA-3 names each OBX that was not read | goes on |
| AE | its content is refused, with the sentence why | puts it aside, a repetition is of no use |
| AR | too busy, or the log cannot promise anything | sends it again later |

Times are limited by `asyncio.timeout`: `wait_for` of Python 3.11 may swallow the end of the server.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from isosoma.core.errors import FormatError, InputError, IsosomaError, LimitError, RecordError
from isosoma.core.observation import Observation
from isosoma.exchange.hl7v2 import Report, acknowledge, report_hl7
from isosoma.exchange.mllp import LIMIT, feed, frame
from isosoma.serve.feed import Delivery, Feed

__all__ = ["Answer", "Desk", "Limits", "Listener", "answer", "converse"]

Answer = Callable[[bytes], Awaitable[bytes]]
"""From a message to its acknowledgement, both without frame."""

_CHUNK = 1 << 16
_FIRST = 3  # sentences of OBX not read that MSA-3 quotes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may cost.

    Attributes
    ----------
    message : longest message [byte].
    begun : from the first byte of a frame to its last [s]: who drips bytes is cut off.
    idle : without any frame [s].
    durable : until the log must have answered [s]; AR after that.
    connections : at once; a further one is closed.
    """

    message: int = LIMIT
    begun: float = 30.0
    idle: float = 900.0
    durable: float = 30.0
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Desk:
    """What is needed to answer a message.

    Attributes
    ----------
    known_as : further identifiers (PID-3) of the patient.
    zone : of senders that name none [min east of UTC].
    """

    feed: Feed
    patient: str
    known_as: frozenset[str] = frozenset()
    zone: int | None = None
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], int] = time.time_ns


async def answer(message: bytes, desk: Desk) -> bytes:
    """Return the acknowledgement of one message.

    Raises
    ------
    FormatError
        It has no header to answer to.
    """
    code, text = await _outcome(message, desk)
    return acknowledge(message, code, text, desk.clock())


async def _outcome(message: bytes, desk: Desk) -> tuple[Literal["AA", "AE", "AR"], str]:
    loop = asyncio.get_running_loop()
    taken: asyncio.Future[IsosomaError | None] = loop.create_future()
    reports: list[Report] = []

    def read() -> tuple[Observation, ...]:
        found = report_hl7(
            message, subject=desk.patient, received=desk.clock(), zone=desk.zone,
            known_as=desk.known_as,
        )  # fmt: skip
        if not found.observations:
            why = found.not_read[0] if found.not_read else "it has no OBX"
            raise FormatError(f"the message holds no number to take: {why}", "hl7", "Send NM")
        reports.append(found)
        return found.observations

    try:
        desk.feed.offer(
            Delivery(read, lambda error: loop.call_soon_threadsafe(_resolve, taken, error))
        )
        async with asyncio.timeout(desk.limits.durable):
            error = await taken
    except RecordError as busy:
        return "AR", str(busy)
    except TimeoutError:
        return "AR", "It took too long to store. Send it again."
    if error is None:
        return "AA", _unread(reports[0].not_read)
    return ("AE" if isinstance(error, InputError) else "AR"), str(error)


def _resolve(taken: asyncio.Future[IsosomaError | None], error: IsosomaError | None) -> None:
    if not taken.done():  # nobody waits any more for what took too long
        taken.set_result(error)


def _unread(sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    more = len(sentences) - _FIRST
    quoted = "; ".join(sentences[:_FIRST]) + (f"; and {more} more" if more > 0 else "")
    return f"{len(sentences)} OBX not read: {quoted}"


async def converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Answer, limits: Limits
) -> None:
    """Answer the messages of one connection in order, until it ends.

    Raises
    ------
    FormatError, LimitError
        What comes is no MLLP, or too long, or too slow: close the connection.
    """
    clock = asyncio.get_running_loop().time
    rest, until = b"", clock() + limits.idle
    while chunk := await _read(reader, until - clock()):
        begun = bool(rest)
        messages, rest = feed(rest, chunk, limits.message)
        for message in messages:
            await _send(writer, frame(await reply(message)), limits.begun)
        if not rest:
            until = clock() + limits.idle
        elif messages or not begun:
            until = clock() + limits.begun
    if rest:
        raise FormatError("the connection ended within a frame", "mllp")


async def _read(reader: asyncio.StreamReader, seconds: float) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(_CHUNK)
    except TimeoutError:
        raise LimitError("no whole frame came in time", "mllp", "Send frames at once") from None


async def _send(writer: asyncio.StreamWriter, data: bytes, seconds: float) -> None:
    writer.write(data)
    try:
        async with asyncio.timeout(seconds):
            await writer.drain()
    except TimeoutError:
        raise LimitError("the sender does not read its answers", "mllp") from None


class Listener:
    """A socket that answers, with its open connections."""

    def __init__(self, reply: Answer, limits: Limits, say: Callable[[str, str], None]) -> None:
        """Prepare; `say` is told why a connection was closed."""
        self.reply, self.limits, self.say = reply, limits, say
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Begin to accept on a bound socket."""
        self._server = await asyncio.start_server(self._accept, sock=listening)

    async def close(self) -> None:
        """Accept nothing more and end the connections; what was not answered is sent again."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= self.limits.connections:
            self.say("closed", f"mllp: over {self.limits.connections} connections; one is closed")
            writer.close()
            return
        self._tasks.add(task)
        try:
            await converse(reader, writer, self.reply, self.limits)
        except InputError as error:
            self.say("closed", f"{error} (connection closed)")
        except ConnectionError:
            self.say("closed", "mllp: the sender is gone")
        except asyncio.CancelledError:
            return  # the listener ends, or this task would be reported as failed
        finally:
            self._tasks.discard(task)
            writer.close()
