"""Minimal lower layer protocol: HL7 v2 messages on a byte stream.

A frame is 0x0B, the message, 0x1C 0x0D (HL7 International, Transport Specification: MLLP, release
1, 2003). State is an argument: what was not yet a whole frame comes back as `rest`.
"""

from __future__ import annotations

from isosoma.core.errors import FormatError, LimitError

__all__ = ["LIMIT", "feed", "frame"]

LIMIT = 1 << 20
"""Longest message taken [byte]; an ORU^R01 of a monitor has a few thousand."""

_START = 0x0B
_STOP = b"\x1c\r"


def feed(rest: bytes, chunk: bytes, limit: int = LIMIT) -> tuple[list[bytes], bytes]:
    """Return the messages completed by `chunk`, and what is left for the next call.

    Parameters
    ----------
    rest : what the call before gave back; empty at first.
    chunk : bytes as they arrived, cut anywhere.
    limit : of one message [byte].

    Raises
    ------
    FormatError
        Bytes between the frames, or a frame that begins within another; close the connection.
    LimitError
        A message longer than `limit`; close the connection.
    """
    data = rest + chunk
    messages: list[bytes] = []
    start = 0
    # The end cannot lie in what was searched before, save its first byte.
    search = max(len(rest) - 1, 0)
    while start < len(data):
        if data[start] != _START:
            raise FormatError(
                f"byte 0x{data[start]:02X} stands where a frame begins with 0x0B",
                "mllp",
                "Close the connection and send whole frames",
            )
        stop = data.find(_STOP, max(start + 1, search))
        end = len(data) if stop < 0 else stop
        if end - start - 1 > limit + (stop < 0 and data.endswith(b"\x1c")):
            raise LimitError(
                f"a message of over {limit} bytes", "mllp", "Send fewer observations in a message"
            )
        if data.find(_START, max(start + 1, search), end) >= 0:
            raise FormatError("a frame begins within another", "mllp", "Close the connection")
        if stop < 0:
            break
        messages.append(data[start + 1 : stop])
        start = stop + len(_STOP)
    return messages, data[start:]


def frame(message: bytes) -> bytes:
    """Return the frame of one message.

    Raises
    ------
    FormatError
        The message holds a byte that delimits frames.
    """
    if bytes([_START]) in message or _STOP in message or message.endswith(b"\x1c"):
        raise FormatError("the message holds a byte that delimits frames", "mllp")
    return bytes([_START]) + message + _STOP
