"""The rehearsal room over HTTP, from this machine only.

::

    GET  /rehearsals/acts           what can be done, and by whom
    GET  /rehearsals                those there are, and where they are kept
    POST /rehearsals                {rehearsal, id, version}: a new one, or an edit of a version
    GET  /rehearsals/{id}           where it stands, what was played, whether it plays now
    POST /rehearsals/check          {rehearsal}: what of it cannot be, and what is above the usual
                                    range, part by part; nothing is kept
    POST /rehearsals/{id}/play      server-sent events: progress, partial, answer | fault
    GET  /rehearsals/{id}/frames    the course of every option
    POST /rehearsals/{id}/guess     {name, qualification, option, reason}, before the answer
    POST /rehearsals/{id}/review, /sign, /reject   {name, qualification, reason, option}
    POST /rehearsals/{id}/begin     the signed plan begins now, and is watched

Everything slow runs in a thread; the event loop only passes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import anyio
import msgspec
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from isosoma.core.errors import (
    AccessError,
    BusyError,
    FormatError,
    InputError,
    IsosomaError,
    LimitError,
    VocabularyError,
)
from isosoma.core.evidence import Status
from isosoma.core.principal import Principal
from isosoma.scenario.case import Case
from isosoma.scenario.devices import Devices
from isosoma.scenario.rehearsal import Rehearsal
from isosoma.scenario.rehearsal import digest as digest_of
from isosoma.scenario.rehearsal_file import read_rehearsal, rehearsal_of
from isosoma.serve.guard import is_local
from isosoma.serve.plan_watch import PlanWatch
from isosoma.serve.rehearsal_check import WEIGHT, unusuals, wrongs
from isosoma.serve.rehearsal_message import acts_message, kept_message
from isosoma.serve.rehearsal_room import Event, Room
from isosoma.serve.telemetry import answer, body_of

__all__ = ["add_routes"]

_LARGEST = 1 << 20  # [byte] of a rehearsal
_MEMBERS = 128
_TO: dict[str, Status] = {"review": "reviewed", "sign": "signed", "reject": "rejected"}


class _Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rehearsal: str | dict[str, Any]
    id: str = ""
    version: int = 0


class _Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    members: int = _MEMBERS


class _Guess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    option: str
    qualification: str = ""
    reason: str = ""


class _Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    qualification: str = ""
    reason: str = ""
    option: str = ""


class _Begin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


def add_routes(app: FastAPI, room: Room, plans: PlanWatch | None = None) -> None:
    """Add the routes of the rehearsal room; `plans` watches what begins, over a live patient."""
    _add_reading(app, room)
    _add_writing(app, room, plans)


def _add_reading(app: FastAPI, room: Room) -> None:
    async def acts(request: Request) -> Response:
        return await _safely(request, acts_message)

    async def listed(request: Request) -> Response:
        return await _safely(request, lambda: _listed(room))

    async def one(request: Request, id_: str) -> Response:
        return await _safely(request, lambda: _opened(room, id_))

    async def frames(request: Request, id_: str) -> Response:
        return await _safely(request, lambda: _frames(room, id_))

    app.add_api_route("/rehearsals/acts", acts, methods=["GET"])
    app.add_api_route("/rehearsals", listed, methods=["GET"])
    app.add_api_route("/rehearsals/{id_}", one, methods=["GET"])
    app.add_api_route("/rehearsals/{id_}/frames", frames, methods=["GET"])


def _add_writing(app: FastAPI, room: Room, plans: PlanWatch | None) -> None:
    async def edit(request: Request) -> Response:
        return await _with(request, _Edit, lambda asked: _edit(room, asked))

    async def check(request: Request) -> Response:
        return await _with(request, _Edit, lambda asked: _checked(room, asked.rehearsal))

    async def play(request: Request, id_: str) -> Response:
        return await _with(request, _Play, lambda asked: _streamed(
            room.play(room.shelf.case(id_).id, asked.members)))  # fmt: skip

    async def guess(request: Request, id_: str) -> Response:
        return await _with(request, _Guess, lambda asked: room.tell(
            room.guess(id_, _who(asked), asked.option, asked.reason)))  # fmt: skip

    async def begin(request: Request, id_: str) -> Response:
        return await _with(request, _Begin, lambda _: _begin(room, plans, id_))

    async def decide(request: Request, id_: str, step: str) -> Response:
        return await _with(request, _Decision, lambda asked: _decide(room, id_, step, asked))

    app.add_api_route("/rehearsals", edit, methods=["POST"])
    app.add_api_route("/rehearsals/check", check, methods=["POST"])
    app.add_api_route("/rehearsals/{id_}/play", play, methods=["POST"])
    app.add_api_route("/rehearsals/{id_}/guess", guess, methods=["POST"])
    app.add_api_route("/rehearsals/{id_}/begin", begin, methods=["POST"])
    app.add_api_route("/rehearsals/{id_}/{step}", decide, methods=["POST"])


def _checked(room: Room, raw: str | dict[str, Any]) -> dict[str, Any]:
    """Return what cannot be, and what is above the usual range of this patient."""
    twin = None if room.keeper is None else room.keeper.twin
    weight = WEIGHT if twin is None else twin.subject.person.weight
    return {"wrong": wrongs(raw, room.tables.devices), "unusual": unusuals(raw, weight)}


def _listed(room: Room) -> Response:
    """Return the list, made anew each minute, and where something was decided or learnt."""
    told, twin = room.shelf.told(), None if room.keeper is None else room.keeper.twin
    minute = 0 if room.keeper is None else room.now() // 60_000_000_000
    known = room.listed
    if known is None or known[0] is not told or known[1] is not twin or known[2] != minute:
        rows = [_row(c) | room.speaks(c) for c in told.cases.values()]
        kept, durable = room.shelf.kept, room.shelf.lane is not None
        content = {"kept": kept, "durable": durable, "rehearsals": rows}
        known = room.listed = (told, twin, minute, msgspec.json.encode(content))
    return Response(known[3], media_type="application/json")


def _row(case: Case) -> dict[str, Any]:
    """Return a line of the list: `at` is when it was answered [s since 1970]."""
    told, evidence = case.rehearsal, case.evidence
    row = {
        "id": case.id, "question": told.question, "version": told.version, "status": "asked",
        "options": [o.name for o in told.options], "by": "", "at": None,
    }  # fmt: skip
    if evidence is None:
        return row
    by = "" if evidence.by is None else evidence.by.name
    at = evidence.provenance.computed_at / 1e9
    return row | {"status": evidence.status, "by": by, "at": at}


def _opened(room: Room, id_: str) -> dict[str, Any]:
    """Return where a rehearsal stands, what was last played of it, and whether it plays now."""
    case = room.shelf.case(id_)
    played = room.results.get(case.id) or kept_message(case)
    if played is not None and not _of(case, played):
        played = None
    return room.tell(case) | {"result": played, "playing": case.id == room.playing}


def _of(case: Case, played: dict[str, Any]) -> bool:
    """Return whether what was played is of the rehearsal as it is now."""
    return played["evidence"]["provenance"]["inputs"]["rehearsal"] == digest_of(case.rehearsal)


def _frames(room: Room, id_: str) -> dict[str, Any]:
    found = room.results.get(room.shelf.case(id_).id)
    if found is None:
        raise VocabularyError("its course is not there", "frames", "Play it (again)")
    return {"frames": found["frames"]}


def _read(raw: str | dict[str, Any], devices: Devices) -> Rehearsal:
    if isinstance(raw, str):
        return read_rehearsal(raw, devices)
    return rehearsal_of(raw, devices)


def _edit(room: Room, asked: _Edit) -> Response:
    raw = asked.rehearsal
    rehearsal = _read(raw, room.tables.devices)
    try:
        return answer(200, room.tell(room.edit(asked.id, asked.version, rehearsal)))
    except AccessError as error:
        present = room.tell(room.shelf.case(asked.id))
        return answer(409, {"error": str(error), "yours": raw, "present": present})


def _who(asked: _Guess | _Decision) -> Principal:
    name = asked.name.strip()
    if not name:
        raise FormatError("it is empty", "name", "Say who you are")
    return Principal(name, "clinician", name, asked.qualification.strip())


def _decide(room: Room, id_: str, step: str, asked: _Decision) -> dict[str, Any]:
    if step not in _TO:
        raise VocabularyError(f"{step!r} is no step", todo=f"There are {', '.join(_TO)}")
    if step == "reject" and not asked.reason.strip():
        raise FormatError("a rejection gives its reason", "reason", "Say why in a few words")
    if step == "sign" and not asked.qualification.strip():
        raise FormatError("it is empty", "qualification", "Say as what you sign")
    return room.tell(room.decide(id_, _TO[step], _who(asked), asked.reason, asked.option))


def _begin(room: Room, plans: PlanWatch | None, id_: str) -> dict[str, Any]:
    if plans is None:
        raise AccessError("nobody is here to watch", todo="Open the live page of a patient")
    plans.begin(room.shelf.case(id_).id)
    return room.tell(room.shelf.case(id_))


async def _safely(request: Request, do: Callable[[], Any]) -> Response:
    """Do it in a thread; what cannot be done is a sentence."""
    if not is_local(request):
        return answer(403, {"error": "Rehearsals are made on the server's own machine only."})
    try:
        done = await asyncio.to_thread(do)
        return done if isinstance(done, Response) else answer(200, done)
    except IsosomaError as error:
        return answer(_status(error), {"error": str(error)})


def _status(error: IsosomaError) -> int:
    if isinstance(error, BusyError):
        return 429
    if isinstance(error, AccessError):
        return 409
    if isinstance(error, LimitError):
        return 413
    if isinstance(error, VocabularyError) and error.where in ("rehearsal", "frames"):
        return 404
    return 422 if isinstance(error, InputError) else 503


async def _with(request: Request, kind: type[Any], do: Callable[[Any], Any]) -> Response:
    """Read a body of this kind, then do it."""
    try:
        body = await body_of(request, _LARGEST)
        asked = msgspec.json.decode(body or b"{}", type=kind)
    except LimitError as error:
        return answer(413, {"error": str(error)})
    except msgspec.MsgspecError as error:
        said = f"The body is not what is read here ({', '.join(kind.__struct_fields__)}): {error}."
        return answer(422, {"error": said})
    return await _safely(request, lambda: do(asked))


def _drain(events: Generator[Event, None, None]) -> None:
    for _ in events:
        pass


def _streamed(events: Generator[Event, None, None]) -> StreamingResponse:
    async def told() -> AsyncIterator[bytes]:
        try:
            async for name, content in iterate_in_threadpool(events):
                yield b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(content))
        finally:  # who leaves finds the answer on return: it is played to its end
            with anyio.CancelScope(shield=True):
                await run_sync(_drain, events)

    return StreamingResponse(told(), media_type="text/event-stream")
