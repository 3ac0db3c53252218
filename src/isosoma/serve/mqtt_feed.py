"""MQTT into a feed: QoS 1, acknowledged when durable, in a session that outlives the connection.

Each connection has its own client: an acknowledgement that belongs to a connection gone by must
not confirm what another one calls by the same number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isosoma.core.errors import AccessError, InputError, IsosomaError
from isosoma.exchange.mqtt_delivery import read_message
from isosoma.exchange.mqtt_frames import LIMIT
from isosoma.serve.feed import DEPTH, Delivery, Feed
from isosoma.serve.mqtt_address import Address, client_of, refused_for_good

if TYPE_CHECKING:
    from paho.mqtt.client import Client

__all__ = ["Source", "Subscriber"]

_FIRST, _LONGEST = 0.5, 30.0  # [s] pause before connecting again, doubled each time
_REFUSED = 0x80  # a SUBACK code from here on is a refusal


@dataclass(frozen=True, slots=True)
class Source:
    """Which messages of which broker are whose.

    Attributes
    ----------
    topics : filters to subscribe to.
    name : client id, the same at every start, for the broker to know the session by.
    zone : of GATT devices' clocks [min east of UTC].
    """

    address: Address
    topics: tuple[str, ...]
    patient: str
    name: str
    zone: int | None = None


class Subscriber:
    """A thread that keeps one subscription alive until `stop`."""

    def __init__(
        self,
        source: Source,
        feed: Feed,
        say: Callable[[str, str], None],
        failed: Callable[[IsosomaError], None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Prepare; `failed` is called where the broker refuses us for good."""
        self.source, self.feed, self.say, self.clock = source, feed, say, clock
        self._failed = failed
        self._closing = threading.Event()
        self._client: Client | None = None
        self._known = False  # whether we were connected before
        self._pause = _FIRST
        self._thread = threading.Thread(target=self._run, name="mqtt")

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more; the broker keeps what is not acknowledged."""
        self._closing.set()

    def stop(self) -> None:
        """Send what is acknowledged, and leave; the session stays with the broker."""
        self._closing.set()
        client = self._client
        if client is not None:
            client.disconnect()
        self._thread.join()

    def _run(self) -> None:
        where = f"{self.source.address.host}:{self.source.address.port}"
        while not self._closing.is_set():
            try:
                self._connect().loop_forever()
                why = "the connection ended"
            except (OSError, ValueError) as error:  # ValueError: what is no MQTT at all
                why = getattr(error, "strerror", None) or str(error)
            if not self._closing.is_set():
                self.say("offline", f"broker {where}: {why}; trying again in {self._pause:g} s")
                self._closing.wait(self._pause)
                self._pause = min(2 * self._pause, _LONGEST)

    def _connect(self) -> Client:
        client = client_of(self.source.address, self.source.name, keep=True, window=DEPTH)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._came
        client.on_socket_register_write = _leave  # or `ack` writes from the feed's thread
        self._client = client
        return client

    def _connected(
        self, client: Client, _data: object, flags: Any, reason: Any, _properties: object
    ) -> None:
        if reason.is_failure:
            error = refused_for_good(reason, self.source.address)
            if error is not None:
                self._closing.set()
                self._failed(error)
            else:
                self.say("offline", f"the broker says: {reason}")
            return
        if self._known and not flags.session_present:
            self.say("session", "the broker kept no session: what it held for us is gone")
        self._known, self._pause = True, _FIRST
        if self.source.address.version == "5":
            from paho.mqtt.subscribeoptions import SubscribeOptions

            once = SubscribeOptions(1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(t, once) for t in self.source.topics])
        else:
            client.subscribe([(t, 1) for t in self.source.topics])
        if self._closing.is_set():  # stopped while connecting
            client.disconnect()

    def _subscribed(
        self, _client: Client, _data: object, _mid: int, reasons: Sequence[Any], _more: object
    ) -> None:
        bad = [t for t, r in zip(self.source.topics, reasons, strict=True) if r.value >= _REFUSED]
        if bad:
            self._closing.set()
            self._failed(
                AccessError(
                    f"the broker refuses the subscription to {', '.join(bad)}",
                    todo="Ask its administrator for the right to read there",
                )
            )
        else:
            self.say("subscribed", f"subscribed to {', '.join(self.source.topics)}")

    def _came(self, client: Client, _data: object, message: Any) -> None:
        if self._closing.is_set():
            return
        received, source = self.clock(), self.source
        try:
            name = str(message.topic)
        except UnicodeDecodeError:
            name = "(not UTF-8)"
        payload = message.payload[: LIMIT + 1]  # enough to be refused, without being kept whole
        retained = bool(message.retain)

        def done(error: IsosomaError | None) -> None:
            if error is None or isinstance(error, InputError):
                try:
                    client.ack(message.mid, message.qos)
                except OSError as gone:
                    self.say("offline", f"not acknowledged, so it comes again: {gone.strerror}")

        self.feed.put(
            Delivery(
                lambda: read_message(
                    name, payload, patient=source.patient, received=received, retained=retained,
                    zone=source.zone,
                ),
                done,
            )
        )  # fmt: skip


def _leave(_client: Client, _data: object, _socket: object) -> None:
    """Leave writing to the thread of `loop_forever`: two threads would mix up packets."""
