"""`isosoma send`: a recording as a bedside monitor would publish it over MQTT."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from isosoma.core.errors import AccessError, FormatError, InputError
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.live_frames import as_sent, end_of
from isosoma.exchange.mqtt_frames import encode_vitals, encode_waveform
from isosoma.serve.cli_intake import instant
from isosoma.serve.cli_listen import address_of
from isosoma.serve.mqtt_address import client_of, refused_for_good
from isosoma.serve.recording import header_of

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

__all__ = ["messages", "publish", "run", "shift_of"]

Reading = Observation | Waveform

_WINDOW = 100  # messages on their way without acknowledgement
_WAIT = 30.0  # [s] for an acknowledgement


def run(arguments: argparse.Namespace) -> int:
    """Publish a record at its own pace, and end when the broker has acknowledged everything."""
    from pathlib import Path

    from tqdm import tqdm

    from isosoma.exchange import read_path

    place = header_of(Path(arguments.record))
    now = time.time_ns()
    raw = list(read_path(place, subject=arguments.patient, received=now))
    if not raw:
        raise FormatError("holds nothing to send", arguments.record, "Give another record")
    shift = shift_of(raw, arguments.speed, now, arguments.start)
    readings = as_sent(raw, arguments.frame, shift, arguments.device)
    client = connect(arguments)
    try:
        paced = in_time(readings, arguments.speed)
        bar = tqdm(paced, total=len(readings), unit="message", disable=not sys.stderr.isatty())
        sent = publish(client, messages(bar))
    finally:
        client.disconnect()
        client.loop_stop()
    waves = sum(isinstance(r, Waveform) for r in readings)
    told = {"messages": sent, "frames": waves, "numbers": sent - waves}
    words = f"sent {waves} frames and {sent - waves} numbers of {place.name}"
    print(json.dumps(told) if arguments.json else words)
    return 0


def shift_of(readings: Sequence[Reading], speed: float, now: int, start: str | None) -> int:
    """Return what to add to every instant [ns].

    The record begins at `start`; without it, such that no frame ever lies in the future: played
    `speed` times as fast it ends when it has been sent, so it begins before now.
    """
    first = min(r.start if isinstance(r, Waveform) else r.at for r in readings)
    if start is not None:
        return instant(start, "--start") - first
    duration = max(end_of(r) for r in readings) - first
    return now - max(0, duration - round(duration / speed)) - first


def in_time(
    readings: Iterable[Reading],
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Reading]:
    """Yield each reading when it is complete, `speed` times real time; the first one at once."""
    began, first = clock(), None
    for reading in readings:
        first = end_of(reading) if first is None else first
        due = began + (end_of(reading) - first) * 1e-9 / speed
        if due > clock():
            sleep(due - clock())
        yield reading


def messages(readings: Iterable[Reading]) -> Iterator[tuple[str, bytes]]:
    """Yield topic and payload of each."""
    for r in readings:
        yield encode_waveform(r) if isinstance(r, Waveform) else encode_vitals([r])


def connect(arguments: argparse.Namespace) -> Client:
    """Return a connected client whose thread runs.

    Raises
    ------
    InputError, AccessError
        Nobody is there, or we are refused.
    """
    address = address_of(arguments)
    where = f"{address.host}:{address.port}"
    client = client_of(address, f"isosoma-send-{os.urandom(4).hex()}", keep=False, window=_WINDOW)
    reasons: deque[Any] = deque()

    def connected(_c: Client, _d: object, _flags: object, reason: Any, _more: object) -> None:
        reasons.append(reason)

    client.on_connect = connected
    try:
        client.reconnect()
    except OSError as error:
        words = error.strerror or str(error)
        raise InputError(f"no broker answers ({words})", where, "Check --mqtt") from None
    client.loop_start()
    until = time.monotonic() + _WAIT
    while not reasons and time.monotonic() < until:
        time.sleep(0.01)
    if not reasons or reasons[0].is_failure:
        client.loop_stop()
        said = str(reasons[0]) if reasons else "nothing"
        known = refused_for_good(reasons[0], address) if reasons else None
        raise known or AccessError(f"the broker says: {said}", where, "Check --mqtt")
    return client


def publish(client: Client, wanted: Iterable[tuple[str, bytes]]) -> int:
    """Publish with QoS 1; return how many the broker has acknowledged, which is all of them.

    Raises
    ------
    InputError
        It does not acknowledge any more.
    """
    waiting: deque[MQTTMessageInfo] = deque()
    sent = 0
    for name, payload in wanted:
        waiting.append(client.publish(name, payload, qos=1))
        sent += 1
        while len(waiting) >= _WINDOW:
            _acknowledged(waiting.popleft())
    while waiting:
        _acknowledged(waiting.popleft())
    return sent


def _acknowledged(info: MQTTMessageInfo) -> None:
    info.wait_for_publish(_WAIT)
    if not info.is_published():
        raise InputError("the broker does not acknowledge any more", "mqtt", "Send it again")
