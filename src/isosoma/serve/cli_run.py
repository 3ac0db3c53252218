"""`isosoma run`: the live page."""

from __future__ import annotations

import argparse
import socket
import webbrowser
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from isosoma.core.errors import InputError
from isosoma.serve.own_tables import tables_of

if TYPE_CHECKING:
    from isosoma.serve.app import Settings
    from isosoma.serve.telemetry import Lane

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from isosoma.serve.app import STATIC

    if not (STATIC / "index.html").is_file():
        raise InputError("the page is not built", "static", "Start it with python3 dev.py run")
    with ExitStack() as ends:
        tables = tables_of(arguments)
        return _serve(arguments, replace(settings_of(arguments, ends), tables=tables))


def _serve(arguments: argparse.Namespace, settings: Settings) -> int:
    import uvicorn

    from isosoma.serve.app import make_app

    recording = settings.recording
    app = make_app(settings)
    listening = listen(arguments.host, arguments.port)
    address = f"http://{shown(arguments.host)}:{listening.getsockname()[1]}/"
    print(f"isosoma: {recording.name} ({recording.kind}) at {address}  (Ctrl-C ends)", flush=True)
    if settings.demo is not None:
        print(f"the patient's truth is sealed: SHA-256 {settings.demo.truth.seal}", flush=True)
    if not arguments.no_browser:
        webbrowser.open(address)
    config = uvicorn.Config(
        app, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1,
        ws_max_size=1 << 16, ws_per_message_deflate=False,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def settings_of(arguments: argparse.Namespace, ends: ExitStack) -> Settings:
    """Return what is served: a patient's folder, a record as it is, or the demonstration.

    Raises
    ------
    InputError
        What is asked for does not go together, or cannot be read.
    """
    from isosoma.serve.app import Settings
    from isosoma.serve.recording import load

    hosts, speed = (*arguments.allow_host, arguments.host), arguments.speed
    if arguments.patient and (Path(arguments.patient).is_dir() or not arguments.store):
        return _of_folder(arguments, ends, hosts)
    if arguments.store and not arguments.patient:
        raise InputError("--store needs --patient", "command line", "Say whose log it is")
    lane = _lane(arguments.store, arguments.patient, ends) if arguments.store else None
    if arguments.record:
        return Settings(load(arguments.record, arguments.channel), speed, hosts, lane)
    from isosoma.serve.demo import demo, keeper_of
    from isosoma.signals.pressure_limits import pressure_limits

    made = demo()
    limits = pressure_limits(made.truth.person.age)
    return Settings(made.recording, speed, hosts, lane, keeper_of(made), made, limits=limits)


def _of_folder(arguments: argparse.Namespace, ends: ExitStack, hosts: tuple[str, ...]) -> Settings:
    """Serve a patient's folder; without --store the log is gone when the page is."""
    from isosoma.serve.app import Settings
    from isosoma.serve.patient_page import page_of

    at = Path(arguments.patient)
    if not at.is_dir():
        todo = "Give a folder with patient.toml, or an id together with --store"
        raise InputError("there is no such folder", at.name, todo)
    if not (at / "patient.toml").is_file():
        raise InputError("holds no patient.toml", at.name, "docs/twin.md shows one")
    home = ends.enter_context(TemporaryDirectory(prefix="isosoma-"))
    store = arguments.store or str(Path(home) / "page.log")
    lane = _lane(store, "", ends)
    page = page_of(at, lane.log, Path(store), arguments.record, arguments.channel)
    lane = replace(lane, patient=page.banner["id"])
    return Settings(
        page.recording, arguments.speed, hosts, lane, page.keeper, banner=page.banner,
        limits=page.limits, pictures=page.pictures,
    )  # fmt: skip


def _lane(store: str, patient: str, ends: ExitStack) -> Lane:
    from isosoma.record import open_log
    from isosoma.serve.telemetry import Lane

    return Lane(ends.enter_context(open_log(store)), patient)


def shown(host: str) -> str:
    """Host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything slow, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise InputError(
            f"cannot listen on {host} port {port} ({error.strerror})",
            "command line",
            "Choose another --port, or 0 for a free one",
        ) from error
    listening.listen(128)
    return listening
