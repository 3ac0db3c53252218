"""The patient's pictures over HTTP, from this machine only.

::

    GET /pictures                           stacks, their place and phases, and the heart found
    GET /pictures/{stack}/{slice}           its values at all phases, uint16 (phase, row, column)
    GET /pictures/{stack}/{slice}/contours  the heart's contours in it, by structure and phase
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from isosoma.core.errors import IsosomaError, VocabularyError
from isosoma.serve.pictures import Pictures
from isosoma.serve.telemetry import answer

__all__ = ["add_routes"]

_LOOPBACK = ("127.0.0.1", "::1")


def add_routes(app: FastAPI, pictures: Pictures | None) -> None:
    """Add the routes; without pictures the list is empty, and a slice is not found."""
    shown = pictures or Pictures(())

    async def listed(request: Request) -> Response:
        return await _safely(request, shown.told)

    async def values(request: Request, stack: int, k: int) -> Response:
        def made() -> Response:
            return Response(shown.values(stack, k), media_type="application/octet-stream")

        return await _safely(request, made)

    async def contours(request: Request, stack: int, k: int) -> Response:
        return await _safely(request, lambda: shown.contours(stack, k))

    app.add_api_route("/pictures", listed, methods=["GET"])
    app.add_api_route("/pictures/{stack}/{k}", values, methods=["GET"])
    app.add_api_route("/pictures/{stack}/{k}/contours", contours, methods=["GET"])


async def _safely(request: Request, do: Callable[[], Any]) -> Response:
    """Do it in a thread; what cannot be done is a sentence."""
    host = request.client.host if request.client else ""
    if host not in _LOOPBACK:
        return answer(403, {"error": "Pictures are shown on the server's own machine only."})
    try:
        done = await asyncio.to_thread(do)
    except IsosomaError as error:
        status = 404 if isinstance(error, VocabularyError) else 422
        return answer(status, {"error": str(error)})
    return done if isinstance(done, Response) else answer(200, done)
