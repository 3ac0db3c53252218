"""`isosoma listen`: live transports into a patient's log, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import re
import signal
import socket
from collections.abc import AsyncGenerator
from typing import Any

from isosoma.core.errors import InputError, IsosomaError, TimeError
from isosoma.exchange.mqtt_frames import topic
from isosoma.serve.cli_run import listen, shown
from isosoma.serve.feed import Feed
from isosoma.serve.mllp_server import Desk, Limits, Listener, answer
from isosoma.serve.mqtt_address import Address, endpoint
from isosoma.serve.mqtt_broker import start_broker
from isosoma.serve.mqtt_feed import Source, Subscriber
from isosoma.serve.teller import Teller

__all__ = ["address_of", "run", "zone_of"]

_ZONE = re.compile(r"([+-])([01][0-9]):([0-5][0-9])")


def zone_of(text: str | None) -> int | None:
    """Read ``+02:00`` as minutes east of UTC.

    Raises
    ------
    TimeError
        It is no such offset.
    """
    if text is None:
        return None
    found = _ZONE.fullmatch(text)
    if found is None:
        raise TimeError(f"{text[:20]!r} is no offset from UTC", "--zone", "Write +02:00")
    sign, hours, minutes = found.groups()
    east = int(hours) * 60 + int(minutes)
    return -east if sign == "-" else east


def address_of(arguments: argparse.Namespace) -> Address:
    """Return the broker that the arguments name."""
    host, port = endpoint(arguments.mqtt)
    return Address(host, port, arguments.mqtt_version, arguments.user, arguments.ca)


def run(arguments: argparse.Namespace) -> int:
    """Listen until Ctrl-C; what was acknowledged is on disk."""
    from isosoma.record import open_log

    if arguments.mqtt is None and arguments.broker is None and arguments.mllp is None:
        raise InputError("nothing to listen to", "command line", "Give --mqtt, --broker or --mllp")
    if arguments.mqtt is not None and arguments.broker is not None:
        raise InputError("--broker brings its own --mqtt", "command line", "Give one of the two")
    topics = tuple(arguments.topic) or (topic(arguments.patient, "x", "x")[:-3] + "#",)
    address = None if arguments.mqtt is None else address_of(arguments)
    zone_of(arguments.zone)
    socket_ = None if arguments.mllp is None else listen(arguments.host, arguments.mllp)
    try:
        with open_log(arguments.store) as log:
            return asyncio.run(_serve(arguments, log, address, topics, socket_))
    finally:
        if socket_ is not None:
            socket_.close()


async def _serve(
    arguments: argparse.Namespace,
    log: Any,
    address: Address | None,
    topics: tuple[str, ...],
    bound: socket.socket | None,
) -> int:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    failures: list[IsosomaError] = []

    def failed(error: IsosomaError) -> None:
        failures.append(error)
        loop.call_soon_threadsafe(end.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    teller = Teller(as_json=arguments.json)
    zone = zone_of(arguments.zone)
    async with contextlib.AsyncExitStack() as doors:
        if arguments.broker is not None:
            address = await doors.enter_async_context(_broker(arguments.broker, teller))
        feed = Feed(log, arguments.patient, teller.tell, failed)
        # From here on the order of the exits is: take nothing more, store, acknowledge, leave.
        if address is not None:
            name = arguments.client_id or _client_id(log, arguments.patient)
            source = Source(address, topics, arguments.patient, name, zone)
            subscriber = Subscriber(source, feed, teller.say, failed)
            subscriber.start()
            doors.push_async_callback(asyncio.to_thread, subscriber.stop)
            doors.push_async_callback(asyncio.to_thread, feed.stop)
            doors.callback(subscriber.close)
        else:
            doors.push_async_callback(asyncio.to_thread, feed.stop)
        if bound is not None:
            desk = Desk(feed, arguments.patient, frozenset(arguments.known_as), zone)
            await doors.enter_async_context(_mllp(desk, bound, teller))
        await _until(end, teller)
    teller.flush()
    teller.flush("total")
    if failures:
        raise failures[0]
    return 0


def _client_id(log: Any, patient: str) -> str:
    """Return a name that this log and patient always have, and that tells neither."""
    digest = hashlib.sha256(f"{log.keys.origin}\0{patient}".encode()).hexdigest()
    return f"isosoma-{digest[:14]}"  # 22 characters: what every broker of 3.1.1 must take is 23


@contextlib.asynccontextmanager
async def _broker(port: int, teller: Teller) -> AsyncGenerator[Address]:
    broker = await start_broker(port)
    teller.say("broker", f"demonstration broker on 127.0.0.1:{port}", port=port)
    try:
        yield Address("127.0.0.1", port, "3.1.1")
    finally:
        await broker.shutdown()


@contextlib.asynccontextmanager
async def _mllp(desk: Desk, bound: socket.socket, teller: Teller) -> AsyncGenerator[None]:
    async def reply(message: bytes) -> bytes:
        return await answer(message, desk)

    listener = Listener(reply, Limits(), teller.say)
    await listener.start(bound)
    host, port = bound.getsockname()[:2]
    teller.say("mllp", f"HL7 v2 over MLLP on {shown(host)}:{port}", port=port)
    try:
        yield
    finally:
        await listener.close()


async def _until(end: asyncio.Event, teller: Teller) -> None:
    """Say once a second what came, until the end."""
    while not end.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), 1.0)
        teller.flush()
