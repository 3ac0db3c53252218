"""The telemetry lane: raw FHIR bodies to intake, without models in between."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Request, Response

from isosoma.core.errors import BusyError, InputError, IsosomaError, LimitError
from isosoma.serve.guard import BODY_LIMIT

__all__ = ["Lane", "accept"]


@dataclass(frozen=True, slots=True)
class Lane:
    """An open log and whose it is; `clock` gives the time of arrival [ns]."""

    log: Any
    patient: str
    clock: Callable[[], int] = time.time_ns


def answer(status: int, content: dict[str, Any], **headers: str) -> Response:
    """JSON response."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


async def body_of(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """Read a body that may not say how long it is.

    Raises
    ------
    LimitError
        It is longer than `limit` [byte].
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise LimitError("the body is too large", "request", f"Send at most {limit >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


async def accept(request: Request, lane: Lane | None) -> Response:
    """Take one body: 200 when durable, 4xx with a sentence, 429 when the queue is full."""
    if lane is None:
        return answer(
            503, {"error": "No store is open. Start the server with --store and --patient."}
        )
    try:
        body = await body_of(request)
        kind = request.headers.get("content-type", "")
        return answer(200, await asyncio.to_thread(take, body, kind, lane))
    except BusyError as error:
        return answer(429, {"error": str(error)}, **{"Retry-After": "1"})
    except LimitError as error:
        return answer(413, {"error": str(error)})
    except InputError as error:
        return answer(422, {"error": str(error)})
    except IsosomaError as error:
        return answer(503, {"error": str(error)})


def take(body: bytes, kind: str, lane: Lane) -> dict[str, Any]:
    """Read, judge and store one body of media type `kind`; returns what became of it."""
    from isosoma import intake

    now = lane.clock()
    return dataclasses.asdict(intake.take_body(lane.log, body, kind, patient=lane.patient, now=now))
