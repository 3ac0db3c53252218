"""`isosoma run`: the live page."""

from __future__ import annotations

import argparse
import socket
import webbrowser
from typing import TYPE_CHECKING

from isosoma.core.errors import InputError

if TYPE_CHECKING:
    from isosoma.serve.app import Settings

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    import uvicorn

    from isosoma.serve.app import STATIC, make_app

    if not (STATIC / "index.html").is_file():
        raise InputError("the page is not built", "static", "Start it with python3 dev.py run")
    settings = settings_of(arguments)
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
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        if settings.lane is not None:
            settings.lane.log.close()
    return 0


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return what is served: a record as it is, or the demonstration with its twin.

    Raises
    ------
    InputError
        What is asked for does not go together, or cannot be read.
    """
    from isosoma.serve.app import Settings
    from isosoma.serve.recording import load

    if bool(arguments.store) != bool(arguments.patient):
        raise InputError("--store and --patient belong together", "command line", "Give both")
    hosts = (*arguments.allow_host, arguments.host)
    lane = None
    if arguments.store:
        from isosoma.record import open_log
        from isosoma.serve.telemetry import Lane

        lane = Lane(open_log(arguments.store), arguments.patient)
    if arguments.record:
        recording = load(arguments.record, arguments.channel)
        return Settings(recording, arguments.speed, hosts, lane)
    from isosoma.serve.demo import demo, keeper_of

    made = demo()
    return Settings(made.recording, arguments.speed, hosts, lane, keeper_of(made), made)


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
