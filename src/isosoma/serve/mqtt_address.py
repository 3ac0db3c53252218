"""Where an MQTT broker is and how to speak to it; shared by `listen` and `send`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from isosoma.core.errors import AccessError, FormatError, InputError

if TYPE_CHECKING:
    from paho.mqtt.client import Client

__all__ = ["PASSWORD", "Address", "Version", "client_of", "endpoint", "refused_for_good"]

Version = Literal["3.1.1", "5"]

PASSWORD = "ISOSOMA_MQTT_PASSWORD"  # noqa: S105 - the name of a variable, no secret
"""Environment variable of the password: a command line is visible to every user of a machine."""

_KEPT = 7 * 86400  # [s] a broker keeps what came for a listener that is away (MQTT 5)
_PACKET = 1 << 20  # [byte] longest packet a broker of MQTT 5 may send us
_KEEPALIVE = 60  # [s]


@dataclass(frozen=True, slots=True)
class Address:
    """A broker.

    Attributes
    ----------
    user : name to log in with; the password comes from `PASSWORD`.
    ca : file of the certificate authority; with it the connection is TLS.
    """

    host: str
    port: int
    version: Version = "5"
    user: str = ""
    ca: str = ""


def endpoint(text: str, port: int = 1883) -> tuple[str, int]:
    """Read ``HOST``, ``HOST:PORT`` or ``[v6]:PORT``.

    Raises
    ------
    FormatError
        It is no such address.
    """
    host, _, number = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not host and ":" not in text:
        host, number = text, ""
    if ":" in host and not host.startswith("["):
        raise FormatError(f"{text[:80]!r} is no address", "--mqtt", "Write [HOST]:PORT")
    host = host.removeprefix("[").removesuffix("]")
    if not host or (number and not (number.isascii() and number.isdigit())):
        raise FormatError(f"{text[:80]!r} is no address", "--mqtt", "Write HOST:PORT")
    found = int(number or port)
    if not 0 < found < 65536:
        raise FormatError(f"there is no port {number[:20]}", "--mqtt", "Give 1 to 65535")
    return host, found


def client_of(address: Address, name: str, *, keep: bool, window: int) -> Client:
    """Return a client that is not connected yet and acknowledges only when told.

    Parameters
    ----------
    name : client id; the broker keeps the session under it.
    keep : whether the broker shall keep the session while the client is away.
    window : most messages on their way without acknowledgement, from us and (MQTT 5) to us.
    """
    from paho.mqtt.client import Client, MQTTv5, MQTTv311
    from paho.mqtt.enums import CallbackAPIVersion

    five = address.version == "5"
    made = Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        clean_session=None if five else not keep,
        protocol=MQTTv5 if five else MQTTv311,
        reconnect_on_failure=not keep,
        manual_ack=keep,
    )
    made.max_inflight_messages_set(window)
    if address.user:
        made.username_pw_set(address.user, os.environ.get(PASSWORD))
    if address.ca:
        made.tls_set(ca_certs=address.ca)
    made.connect_async(address.host, address.port, _KEEPALIVE, **_start(five, keep, window))
    return made


def _start(five: bool, keep: bool, window: int) -> dict[str, Any]:
    """Return what only MQTT 5 says when it connects."""
    if not five:
        return {}
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties: Any = Properties(PacketTypes.CONNECT)
    properties.ReceiveMaximum = window
    properties.MaximumPacketSize = _PACKET
    if keep:
        properties.SessionExpiryInterval = _KEPT
    return {"clean_start": not keep, "properties": properties}


def refused_for_good(reason: Any, address: Address) -> AccessError | InputError | None:
    """Return why trying again is of no use; None where it may be."""
    where = f"{address.host}:{address.port}"
    words = str(reason)
    if words in ("Unsupported protocol version", "Client identifier not valid"):
        return InputError(f"the broker says: {words}", where, "Try another --mqtt-version")
    if words in ("Bad user name or password", "Not authorized", "Banned"):
        return AccessError(
            f"the broker says: {words}", where, f"Give --user, and its password in {PASSWORD}"
        )
    return None
