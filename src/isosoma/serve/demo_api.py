"""What can be done to the demonstration's patient over HTTP, from this machine only."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from isosoma.core.errors import InputError, IsosomaError, LimitError
from isosoma.scenario.rehearsal_file import write_rehearsal
from isosoma.serve.demo import MOVED, Demo, heart_team, misses
from isosoma.serve.guard import is_local
from isosoma.serve.live_twin import Keeper
from isosoma.serve.telemetry import answer, body_of

__all__ = ["add_routes"]

_LONGEST = 4096  # [byte] of an act


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    act: str


def add_routes(app: FastAPI, demo: Demo | None, keeper: Keeper | None) -> None:
    """Add ``POST /demo/act``, ``/demo/unseal`` and ``GET /demo/rehearsal``.

    Without a demonstration all refuse.
    """

    async def act(request: Request) -> Response:
        if (refused := _refusal(request, demo)) is not None or demo is None:
            return refused or answer(404, {})
        try:
            asked = msgspec.json.decode(await body_of(request, _LONGEST), type=_Asked)
            return answer(200, await asyncio.to_thread(demo.act, asked.act))
        except msgspec.MsgspecError as error:
            said = f'Send {{"act": "bleed 800 mL in 10 min"}}: {error}.'
            return answer(422, {"error": said})
        except LimitError as error:
            return answer(413, {"error": str(error)})
        except (InputError, IsosomaError) as error:
            return answer(422, {"error": str(error)})

    async def unseal(request: Request) -> Response:
        if (refused := _refusal(request, demo)) is not None or demo is None:
            return refused or answer(404, {})
        return answer(200, await asyncio.to_thread(unsealed, demo, keeper))

    async def rehearsal(request: Request) -> Response:
        if (refused := _refusal(request, demo)) is not None:
            return refused
        return answer(200, {"rehearsal": json.loads(write_rehearsal(heart_team())), "moved": MOVED})

    app.add_api_route("/demo/rehearsal", rehearsal, methods=["GET"])
    app.add_api_route("/demo/act", act, methods=["POST"])
    app.add_api_route("/demo/unseal", unseal, methods=["POST"])


def unsealed(demo: Demo, keeper: Keeper | None) -> dict[str, Any]:
    """Return the sealed text, its digest, what was done, and truth beside belief."""
    twin = None if keeper is None else keeper.twin
    rows = misses(demo.truth, twin, demo.root)
    told = [row for row in rows if "inside" in row]
    return {
        "seal": demo.truth.seal,
        "text": demo.truth.text,
        "done": demo.said,
        "died": demo.died,
        "lowered_cm": demo.sensors.lowered,
        "unknowns": rows,
        "inside": sum(row["inside"] for row in told),
        "of": len(told),
    }


def _refusal(request: Request, demo: Demo | None) -> Response | None:
    if demo is None:
        said = "No demonstration runs here. Start one with: isosoma run"
        return answer(404, {"error": said})
    if not is_local(request):
        said = "The demonstration's patient is changed from its own machine only."
        return answer(403, {"error": said})
    return None
