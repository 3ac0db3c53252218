"""The live page's server: static page, `/live` (WebSocket), `/alarms` (SSE), `/health`, `/fhir`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnected

from isosoma.core.errors import IsosomaError
from isosoma.scenario.preferences import Tables
from isosoma.serve import heart_mesh, pictures_api, rehearsal_api
from isosoma.serve.demo import SUGGESTED, Demo
from isosoma.serve.demo_api import add_routes
from isosoma.serve.doubts import doubts
from isosoma.serve.guard import Guard
from isosoma.serve.hub import Alarms, Client, Hub, encoded
from isosoma.serve.live_twin import Keeper
from isosoma.serve.patient_page import keep, rate_read
from isosoma.serve.pictures import Pictures
from isosoma.serve.plan_watch import PlanWatch
from isosoma.serve.player import Player, greeting, play, player_of, warm_up
from isosoma.serve.recording import Recording
from isosoma.serve.rehearsal_room import Room
from isosoma.serve.shelf import Shelf
from isosoma.serve.telemetry import Lane, accept
from isosoma.signals.events import rules_for
from isosoma.signals.pressure_limits import PressureLimits, pressure_limits

__all__ = ["Settings", "make_app"]

RATE_EVERY = 30.0  # [s]
GONE = (WebSocketDisconnect, WebSocketDisconnected)
"""A browser that left: the second where the other half of the conversation noticed first."""
STATIC = Path(__file__).parent / "static"
SIMULATED_PATIENT = {
    "name": "Simulated patient",
    "id": "SIM-0001",
    "born": "not a person",
    "allergies": "not a person",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server plays and to whom it answers.

    Attributes
    ----------
    speed : times real time [1].
    hosts : host names answered to beside loopback.
    lane : where telemetry goes; None where no store was given.
    keeper : the twin behind the page; None where there is none.
    demo : the hidden patient of a demonstration.
    banner : who it is; by default what the recording says.
    limits : of the patient's arterial pressure, by which its alarms go; by default an adult's.
    pictures : the patient's, and the heart found in them; None where there are none.
    tables : what rehearsals look for and may implant; by default ours.
    """

    recording: Recording
    speed: float = 1.0
    hosts: tuple[str, ...] = ()
    lane: Lane | None = None
    keeper: Keeper | None = None
    demo: Demo | None = None
    banner: dict[str, str] | None = None
    tables: Tables | None = None
    limits: PressureLimits | None = None
    pictures: Pictures | None = None


@dataclass(slots=True)
class Live:
    """The running parts of one server."""

    player: Player
    hub: Hub = field(default_factory=Hub)
    alarms: Alarms = field(default_factory=Alarms)
    fault: str = ""


def make_app(settings: Settings) -> Guard:
    """Return the ASGI application; the replay runs as long as its lifespan."""
    recording = settings.recording
    live = Live(player_of(recording, rules_for(settings.limits or pressure_limits())))
    plans = _plans(live, settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        tasks = [
            asyncio.create_task(perform(live, settings.speed)),
            asyncio.create_task(relay(settings.keeper, live.hub)),
            asyncio.create_task(heed(live, settings)),
            asyncio.create_task(attend(plans)),
        ]
        lives = _begun(settings)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(_ended, settings, lives)

    app = FastAPI(title="isosoma", docs_url=None, redoc_url=None, lifespan=lifespan)
    _routes(app, live, settings, plans)
    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True))
    return Guard(app, settings.hosts)


def _begun(settings: Settings) -> list[threading.Thread]:
    """Start the threads of the hidden patient and of the twin, beside the page."""
    parts = [part for part in (settings.demo, settings.keeper) if part is not None]
    lives = [threading.Thread(target=part.live, daemon=True) for part in parts]
    for life in lives:
        life.start()
    return lives


def _ended(settings: Settings, lives: list[threading.Thread]) -> None:
    for part in (settings.demo, settings.keeper):
        if part is not None:
            part.over.set()
    for life in lives:
        life.join(5.0)


async def relay(keeper: Keeper | None, hub: Hub) -> None:
    """Give every new message of the twin to the hub, within a fifth of a second."""
    seen = dict[str, int]()
    while keeper is not None:
        for kind, (number, message) in list(keeper.messages.items()):
            if number != seen.get(kind):
                seen[kind] = number
                hub.publish(kind, message)
        await asyncio.sleep(0.2)


async def heed(live: Live, settings: Settings) -> None:
    """Keep the rate of a patient's own ECG as a reading, twice a minute, and let the twin learn."""
    lane, keeper = settings.lane, settings.keeper
    while lane is not None and keeper is not None and settings.demo is None:
        await asyncio.sleep(RATE_EVERY)
        composite = "composite" in (settings.banner or {})
        reading = rate_read(live.player.analysis, lane.patient, lane.clock(), composite)
        if reading is None:
            continue
        try:
            await asyncio.to_thread(keep, lane.log, keeper, reading)
        except IsosomaError:
            logging.getLogger("uvicorn.error").exception("a heart rate was not kept")


async def perform(live: Live, speed: float) -> None:
    """Compile while the page already answers, then play; a fault ends it and is said in /health."""
    try:
        await asyncio.to_thread(warm_up, live.player.recording)
        await play(live.player, live.hub, live.alarms, speed)
    except Exception as error:
        live.fault = f"the replay ended: {type(error).__name__}: {error}"
        logging.getLogger("uvicorn.error").exception("the replay ended")


def _plans(live: Live, settings: Settings) -> PlanWatch | None:
    """Return what watches a signed plan; None where nobody is followed."""
    keeper, demo, shelf = settings.keeper, settings.demo, Shelf(settings.lane)
    if keeper is None:
        return None
    patient = "" if settings.lane is None else settings.lane.patient
    return PlanWatch(
        keeper, shelf, lambda at: rate_read(live.player.analysis, patient, at),
        (lambda _: None) if demo is None else demo.perform,
    )  # fmt: skip


async def attend(plans: PlanWatch | None) -> None:
    """Compare a plan that was begun with what is read, once a second."""
    while plans is not None:
        await asyncio.sleep(1.0)
        try:
            await asyncio.to_thread(plans.step)
        except Exception:
            logging.getLogger("uvicorn.error").exception("a plan is not watched")


def _routes(app: FastAPI, live: Live, settings: Settings, plans: PlanWatch | None) -> None:
    hello = greeting(live.player, settings.banner or patient_of(settings.recording))
    hello["run"] = live.alarms.run
    hello["seal"] = settings.demo.truth.seal if settings.demo else ""
    hello["acts"] = list(SUGGESTED) if settings.demo else []

    async def health(response: Response) -> dict[str, Any]:
        if live.fault:
            response.status_code = 503
        return {
            "status": live.fault or ("ok" if live.player.block else "starting"),
            "kind": settings.recording.kind,
            "recording": settings.recording.name,
            "at": live.player.at / settings.recording.hz,
            "clients": len(live.hub.clients),
            "lag": max((c.lag for c in live.hub.clients), default=0.0),
            "alarms": live.alarms.last,
            "twin": "none" if settings.keeper is None else settings.keeper.status.said,
        }

    async def alarms(request: Request) -> StreamingResponse:
        first = live.alarms.seen(request.headers.get("last-event-id", ""))
        return StreamingResponse(stream(live.alarms, first), media_type="text/event-stream")

    async def connected(socket: WebSocket) -> None:
        await serve_client(socket, live, hello)

    async def fhir(request: Request) -> Response:
        done = await accept(request, settings.lane)
        if done.status_code == 200 and settings.keeper is not None and settings.demo is None:
            settings.keeper.again()
        return done

    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/alarms", alarms, methods=["GET"])
    app.add_api_route("/fhir", fhir, methods=["POST"])
    app.add_api_websocket_route("/live", connected)
    add_routes(app, settings.demo, settings.keeper)
    pictures_api.add_routes(app, settings.pictures)
    heart_mesh.add_route(app, settings.pictures)
    shelf = Shelf(settings.lane) if plans is None else plans.shelf
    doubted = partial(doubts, live.player.analysis, settings.keeper)
    tables = settings.tables or Tables()
    room = Room(settings.keeper, shelf, doubts=doubted, tables=tables)
    rehearsal_api.add_routes(app, room, plans)


def patient_of(recording: Recording) -> dict[str, str]:
    """Banner of a recording: a replay names its record, never an invented person."""
    if recording.kind == "simulated":
        return SIMULATED_PATIENT
    unknown = "not in the record"
    return {
        "name": f"Record {recording.name}",
        "id": recording.name,
        "born": unknown,
        "allergies": unknown,
    }


async def stream(alarms: Alarms, after: int) -> AsyncIterator[str]:
    """Server-sent events after number `after`: what was missed first, then as they come."""
    yield "retry: 1000\n\n"
    while True:
        fresh = await alarms.wait(after, 10.0)
        if not fresh:
            yield ": still here\n\n"
        for alarm in fresh:
            after = alarm["id"]
            yield f"id: {alarms.event_id(alarm)}\ndata: {msgspec.json.encode(alarm).decode()}\n\n"


async def serve_client(socket: WebSocket, live: Live, hello: dict[str, Any]) -> None:
    """Talk to one browser until it leaves or falls too far behind."""
    await socket.accept()
    await socket.send_text(encoded({**hello, "sample": live.player.at}))
    client = live.hub.join(time.monotonic, had_of(socket, live.alarms.run))
    parts = [asyncio.create_task(send(socket, client)), asyncio.create_task(hear(socket, client))]
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            part.result()
    finally:
        live.hub.clients.discard(client)
        for part in parts:
            part.cancel()
        await asyncio.wait(parts)


def had_of(socket: WebSocket, run: str) -> int | None:
    """Return the last block that a browser had of this run of the server; None for none.

    Who watched another run has had none of this one, and missed all of it.
    """
    asked, of = socket.query_params.get("had", ""), socket.query_params.get("run", "")
    if not (of and asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    return int(asked) if of == run else 0


async def send(socket: WebSocket, client: Client) -> None:
    """Send what the client may have, as long as it keeps up."""
    with contextlib.suppress(*GONE):
        while not client.overrun:
            await client.wake.wait()
            if texts := client.take():  # a frame costs more than what it holds
                await socket.send_text("\n".join(texts))
        await socket.close(1013, "too far behind; connect again")


async def hear(socket: WebSocket, client: Client) -> None:
    """Read acknowledgements; anything else ends the conversation."""
    with contextlib.suppress(*GONE, msgspec.DecodeError):
        while True:
            message = msgspec.json.decode(await socket.receive_text(), type=dict[str, int])
            client.acknowledge(message.get("ack", 0))
