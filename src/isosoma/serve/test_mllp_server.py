"""MLLP over real sockets: cut anywhere, several at once, garbage, giants, drips and silence."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from isosoma.core.errors import BusyError
from isosoma.exchange.mllp import feed as unframe
from isosoma.exchange.mllp import frame
from isosoma.intake import timeline
from isosoma.record import Log, open_log
from isosoma.serve.feed import Delivery, Feed
from isosoma.serve.mllp_server import Desk, Limits, Listener, answer

NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z


def report(i: int, *more: str, patient: str = "p1", unit: str = "/min") -> bytes:
    lines = (
        f"MSH|^~\\&|MON|ICU|ISO|LAB|20260223065{i % 10}00+0000||ORU^R01^ORU_R01|M{i}|P|2.6",
        f"PID|1||{patient}^^^HOSP^MR",
        "OBR|1|||vitals|||20260223065000",
        f"OBX|1|NM|8867-4^Heart rate^LN||{60 + i}|{unit}|||||F|||2026022306{i % 60:02d}00+0000",
        *more,
        "",
    )
    return "\r".join(lines).encode()


def codes(answers: bytes) -> list[tuple[str, str, str]]:
    """Return code, control id and text of each acknowledgement; all of them must be whole."""
    messages, rest = unframe(b"", answers)
    assert rest == b""
    fields = [m.decode().split("\r")[1].split("|") for m in messages]
    return [(f[1], f[2], f[3]) for f in fields]


@contextlib.asynccontextmanager
async def listening(
    log: Log, limits: Limits, said: list[str], desk: Desk | None = None
) -> AsyncGenerator[int]:
    feed = Feed(log, "p1", lambda *_: None, lambda e: said.append(str(e)), lambda: NOW)
    at = desk or Desk(feed, "p1", limits=limits, clock=lambda: NOW)

    async def reply(message: bytes) -> bytes:
        return await answer(message, at)

    listener = Listener(reply, limits, lambda _, sentence: said.append(sentence))
    bound = socket.create_server(("127.0.0.1", 0))
    await listener.start(bound)
    try:
        yield bound.getsockname()[1]
    finally:
        await listener.close()
        await asyncio.to_thread(feed.stop)


async def exchange(port: int, *pieces: bytes, end: bool = True) -> bytes:
    """Send pieces one by one; return everything that comes until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.001)
        if end:
            writer.write_eof()
    got = b""
    with contextlib.suppress(ConnectionError):
        got = await asyncio.wait_for(reader.read(-1), 60)
    writer.close()
    return got


Told = tuple[list[str], list[float]]


@pytest.fixture
def flow(tmp_path: Path) -> Callable[..., Told]:
    """Run a conversation against a listener; return what was said, and the stored heart rates."""

    def run(talk: Callable[[int], Coroutine[Any, Any, None]], limits: Limits | None = None) -> Told:
        said: list[str] = []

        async def main(log: Log) -> None:
            async with listening(log, limits or Limits(), said) as port:
                await talk(port)

        with open_log(tmp_path / "log") as log:
            asyncio.run(main(log))
            rates = [r for r in timeline(log, "p1").readings if r.variable == "heart_rate"]
            return said, sorted(round(r.value * 60) for r in rates)  # type: ignore[union-attr]

    return run


def test_bytes_cut_anywhere_and_two_messages_in_one_segment(flow: Callable[..., Told]) -> None:
    async def talk(port: int) -> None:
        data = frame(report(0)) + frame(report(1)) + frame(report(2))
        drip = [data[i : i + 7] for i in range(0, len(data), 7)]
        assert codes(await exchange(port, *drip)) == [("AA", f"M{i}", "") for i in range(3)]
        both = frame(report(3)) + frame(report(4))
        assert [c[:2] for c in codes(await exchange(port, both))] == [("AA", "M3"), ("AA", "M4")]

    said, rates = flow(talk)
    assert (said, rates) == ([], [60, 61, 62, 63, 64])


def test_a_repeated_message_is_acknowledged_and_kept_once(flow: Callable[..., Told]) -> None:
    async def talk(port: int) -> None:
        for _ in range(3):
            assert codes(await exchange(port, frame(report(0)))) == [("AA", "M0", "")]

    assert flow(talk)[1] == [60]


def test_what_is_refused_is_answered_with_its_sentence_and_the_connection_goes_on(
    flow: Callable[..., Told],
) -> None:
    async def talk(port: int) -> None:
        got = await exchange(
            port,
            frame(report(0, patient="p2")),
            frame(report(1, unit="furlong")),
            frame(report(2, "OBX|2|ST|8867-4^x^LN||text||||||F", "OBX|3|NM|1^x^L||5|/min|||||F")),
            frame(b"MSH|^~\\&|M|||||X|ADT^A01|M3|P|2.6\rPID|1||p1\r"),
            frame(report(4).replace(b"|NM|", b"|ST|")),
            frame(report(5)),
        )
        found = codes(got)
        assert [c[:2] for c in found] == [
            ("AE", "M0"), ("AE", "M1"), ("AA", "M2"), ("AE", "M3"), ("AE", "M4"), ("AA", "M5"),
        ]  # fmt: skip
        assert "not 'p1'" in found[0][2]
        assert "furlong" in found[1][2]
        assert found[2][2].startswith("2 OBX not read: OBX-2: ")
        assert "no number to take" in found[4][2]

    assert flow(talk)[1] == [62, 65]


def test_garbage_and_what_has_no_header_close_the_connection(flow: Callable[..., Told]) -> None:
    async def talk(port: int) -> None:
        for bad in (b"GET / HTTP/1.1\r\n\r\n", frame(b"hello"), b"\x0bMSH|\x0bMSH|", b"\x0bMSH|"):
            assert await exchange(port, bad) == b""
        whole = await exchange(port, frame(report(0)), b"junk", end=False)
        assert [c[0] for c in codes(whole)] == ["AA"]

    said, rates = flow(talk)
    assert rates == [60]
    assert len(said) == 5
    assert all("mllp" in s or "MSH" in s for s in said)


def test_a_giant_is_cut_off_early(flow: Callable[..., Told]) -> None:
    sent = 0

    async def talk(port: int) -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            writer.write(b"\x0bMSH|^~\\&|")
            for _ in range(1 << 14):  # 1 GiB, were it taken
                writer.write(b"x" * (1 << 16))
                sent += 1 << 16
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            assert await reader.read(-1) == b""
        writer.close()
        assert codes(await exchange(port, frame(report(0)))) == [("AA", "M0", "")]

    said, _ = flow(talk)
    assert sent < 64 << 20
    assert any("bytes" in s for s in said)


def test_drips_and_silence_are_cut_off_and_disturb_nobody(flow: Callable[..., Told]) -> None:
    limits = Limits(begun=0.4, idle=0.8)

    async def drip(port: int) -> bytes:
        data = frame(report(9))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            for i in range(len(data)):  # would take 30 s
                writer.write(data[i : i + 1])
                await writer.drain()
                await asyncio.sleep(0.1)
                if reader.at_eof():
                    break
        got = b""
        with contextlib.suppress(ConnectionError):
            got = await reader.read(-1)
        writer.close()
        return got

    async def talk(port: int) -> None:
        silent = exchange(port, end=False)
        good = exchange(port, frame(report(0)), frame(report(1)))
        dripped, nothing, answers = await asyncio.gather(drip(port), silent, good)
        assert (dripped, nothing) == (b"", b"")
        assert [c[0] for c in codes(answers)] == ["AA", "AA"]

    said, rates = flow(talk, limits)
    assert rates == [60, 61]
    assert sum("no whole frame" in s for s in said) == 2


def test_a_sender_that_reads_no_answer_is_cut_off() -> None:
    said: list[str] = []

    async def main() -> None:
        async def reply(_message: bytes) -> bytes:
            return b"x" * (1 << 20)

        listener = Listener(reply, Limits(begun=0.3), lambda _, sentence: said.append(sentence))
        bound = socket.create_server(("127.0.0.1", 0))
        await listener.start(bound)
        _, writer = await asyncio.open_connection("127.0.0.1", bound.getsockname()[1])
        writer.write(frame(b"m") * 64)
        for _ in range(500):
            if said:
                break
            await asyncio.sleep(0.02)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        await listener.close()

    asyncio.run(main())
    assert said == ["mllp: the sender does not read its answers (connection closed)"]


def test_connections_beyond_the_limit_are_closed(flow: Callable[..., Told]) -> None:
    async def talk(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await exchange(port, frame(report(0))) == b""
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        assert [c[0] for c in codes(await exchange(port, frame(report(1))))] == ["AA"]

    said, rates = flow(talk, Limits(connections=2))
    assert rates == [61]
    assert any("over 2 connections" in s for s in said)


def test_many_connections_at_once(flow: Callable[..., Told]) -> None:
    async def talk(port: int) -> None:
        got = await asyncio.gather(*(exchange(port, frame(report(i))) for i in range(20)))
        assert [codes(g) for g in got] == [[("AA", f"M{i}", "")] for i in range(20)]

    assert flow(talk)[1] == list(range(60, 80))


class Busy:
    """A feed that never answers, or takes nothing."""

    def __init__(self, full: bool) -> None:
        self.full = full

    def offer(self, _delivery: Delivery) -> None:
        if self.full:
            raise BusyError("too much is waiting to be stored")


@pytest.mark.parametrize("full", [True, False])
def test_a_message_that_is_not_on_disk_in_time_is_to_be_sent_again(full: bool) -> None:
    feed: Any = Busy(full)
    desk = Desk(feed, "p1", limits=Limits(durable=0.05), clock=lambda: NOW)
    got = asyncio.run(answer(report(0), desk))
    assert codes(frame(got))[0][:2] == ("AR", "M0")
