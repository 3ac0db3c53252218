"""The patient's pictures over HTTP, from this machine only.

::

    GET /pictures                           stacks, their place and phases, and the heart found
    GET /pictures/{stack}/{slice}           its values at all phases, uint16 (phase, row, column)
    GET /pictures/{stack}/{slice}/contours  the heart's contours in it, by structure and phase
    POST /pictures/{stack}/{slice}/contour  {phase, structure, points, name, qualification}: a
                                            reader's, to which the heart is fitted again
    POST /pictures/undo                     the last of those is taken back
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from fastapi import FastAPI, Request, Response

from isosoma.core.errors import AccessError, BusyError, FormatError, IsosomaError, LimitError
from isosoma.core.errors import VocabularyError as Unknown
from isosoma.imaging.reader_contours import ReaderContour, Structure
from isosoma.serve.guard import is_local
from isosoma.serve.pictures import Pictures
from isosoma.serve.telemetry import answer, body_of

__all__ = ["add_routes"]

_LARGEST = 1 << 18  # [byte] of a contour
_STATUS: dict[type[IsosomaError], int] = {
    Unknown: 404,
    AccessError: 409,
    BusyError: 429,
    LimitError: 413,
}


class _Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    phase: int
    structure: Structure
    points: list[tuple[float, float]]
    name: str
    qualification: str


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

    async def contour(request: Request, stack: int, k: int) -> Response:
        try:
            asked = msgspec.json.decode(await body_of(request, _LARGEST), type=_Drawn)
        except LimitError as error:
            return answer(413, {"error": str(error)})
        except msgspec.MsgspecError as error:
            return answer(422, {"error": f"The body is no contour: {error}."})
        return await _safely(request, lambda: _corrected(shown, stack, k, asked))

    async def undo(request: Request) -> Response:
        def undone() -> dict[str, Any]:
            shown.undo()
            return shown.told()

        return await _safely(request, undone)

    app.add_api_route("/pictures", listed, methods=["GET"])
    app.add_api_route("/pictures/undo", undo, methods=["POST"])
    app.add_api_route("/pictures/{stack}/{k}/contour", contour, methods=["POST"])
    app.add_api_route("/pictures/{stack}/{k}", values, methods=["GET"])
    app.add_api_route("/pictures/{stack}/{k}/contours", contours, methods=["GET"])


def _corrected(shown: Pictures, stack: int, k: int, asked: _Drawn) -> dict[str, Any]:
    name, role = asked.name.strip(), asked.qualification.strip()
    if not name or not role:
        raise FormatError("a correction has a name and a qualification", "name", "Say who you are")
    points = np.array(asked.points, float).reshape(-1, 2)
    by = f"{name}, {role}"
    shown.correct(ReaderContour(stack, k, asked.phase, asked.structure, points, by))
    return shown.told()


async def _safely(request: Request, do: Callable[[], Any]) -> Response:
    """Do it in a thread; what cannot be done is a sentence."""
    if not is_local(request):
        return answer(403, {"error": "Pictures are shown on the server's own machine only."})
    try:
        done = await asyncio.to_thread(do)
    except IsosomaError as error:
        return answer(_STATUS.get(type(error), 422), {"error": str(error)})
    return done if isinstance(done, Response) else answer(200, done)
