"""One MQTT message as it was delivered: whose it may be, whether it is live, which payload it has.

Topics ``isosoma/<patient>/<device>/<channel>`` (numbers and frames, `mqtt_frames`) and
``isosoma/<patient>/<device>/gatt/<uuid>[/<instant>]`` (a Bluetooth value as it came). The instant
[ns since 1970 UTC] is when the gateway had the value: a broker may hold a message for hours and
deliver it twice, so the time of its delivery says nothing about when it was measured.
"""

from __future__ import annotations

import re
from dataclasses import replace

from isosoma.core.errors import FormatError, IdentityError, InputError, LimitError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.gatt import read_gatt
from isosoma.exchange.gatt_payloads import short_uuid
from isosoma.exchange.mqtt_frames import decode, read_topic, topic

__all__ = ["gatt_topic", "read_message"]

_INSTANT = re.compile(r"[0-9]{1,19}")
_GATT_LIMIT = 512  # [byte], the longest attribute value (Bluetooth Core 5.4, vol 3 part F 3.2.9)


def gatt_topic(patient: str, device: str, uuid: str, instant: int) -> str:
    """Return the topic of a GATT value that a gateway had at `instant` [ns since 1970 UTC].

    Raises
    ------
    FormatError, TimeError
        A name cannot be in a topic, no such characteristic is read, or no such instant.
    """
    if not 0 <= instant < 1 << 63:
        raise TimeError(f"{instant} is no instant", "mqtt", "Give ns since 1970 UTC")
    return f"{topic(patient, device, 'gatt')}/{short_uuid(uuid)}/{instant}"


def read_message(
    name: str,
    payload: bytes,
    *,
    patient: str,
    received: int,
    retained: bool = False,
    zone: int | None = None,
) -> list[Observation | Waveform]:
    """Return the readings of one message; all of them or none.

    Parameters
    ----------
    name : topic.
    patient : whose readings are taken; a topic of anybody else is refused.
    received : time of arrival [ns since 1970 UTC].
    retained : the broker kept it and delivers it to every new subscriber.
    zone : of the clocks of GATT devices [min east of UTC]; None where it is not known.

    Raises
    ------
    TimeError
        It is retained, or names no instant that a second delivery would share.
    IdentityError
        The topic is another patient's.
    InputError
        As `decode` and `read_gatt`.
    """
    parts = name[:300].split("/")
    if parts[0] == "isosoma" and len(parts) > 1 and parts[1] != patient:
        raise IdentityError(
            f"the topic is of patient {parts[1][:64]!r}, not of {patient!r}",
            "mqtt",
            "Publish each patient's readings to their own topic",
        )
    if retained:
        raise TimeError(
            "a retained message is no live reading: it is delivered again to whoever subscribes",
            f"mqtt:{name[:200]!r}",
            "Publish without the retain flag, and clear the topic with an empty retained message",
        )
    if parts[0] == "isosoma" and len(parts) in (5, 6) and parts[3] == "gatt":
        return [*_gatt(parts, payload, received, zone)]
    return decode(name, payload, received)


def _gatt(parts: list[str], payload: bytes, received: int, zone: int | None) -> list[Observation]:
    patient, device, _ = read_topic("/".join(parts[:4]))
    where = f"mqtt:{'/'.join(parts)!r}"
    try:
        if len(payload) > _GATT_LIMIT:
            raise LimitError(f"a GATT value of over {_GATT_LIMIT} bytes", todo="Send one value")
        uuid = short_uuid(parts[4])
        if uuid == "2AA7":
            raise TimeError(
                "a glucose sensor counts minutes from its start, which no topic tells",
                todo="Publish its readings as numbers to isosoma/<patient>/<device>/cgm",
            )
        instant = _instant(parts[5]) if len(parts) == 6 else None
        had = received if instant is None else instant
        found = read_gatt(uuid, payload, subject=patient, received=had, device=device, zone=zone)
        if instant is None and (zone is None or not all(o.device_at for o in found)):
            raise TimeError(
                "nothing tells when this value was measured, and a second delivery would count",
                todo="Add the instant to the topic: …/gatt/<uuid>/<ns since 1970 UTC>",
            )
        return [replace(o, received=received) for o in found]
    except InputError as error:
        raise error.at(where) from None


def _instant(text: str) -> int:
    if not _INSTANT.fullmatch(text) or int(text) >= 1 << 63:
        raise FormatError(f"{text[:30]!r} is no instant", todo="Write ns since 1970 UTC")
    return int(text)
