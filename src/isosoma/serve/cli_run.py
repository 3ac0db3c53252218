"""`isosoma run`: the live page."""

from __future__ import annotations

import argparse
import socket
import webbrowser

from isosoma.core.errors import InputError

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    import uvicorn

    from isosoma.serve.app import STATIC, Settings, make_app
    from isosoma.serve.recording import load
    from isosoma.serve.synthetic import simulate
    from isosoma.serve.telemetry import Lane

    if bool(arguments.store) != bool(arguments.patient):
        raise InputError("--store and --patient belong together", "command line", "Give both")
    if not (STATIC / "index.html").is_file():
        raise InputError("the page is not built", "static", "Start it with python3 dev.py run")
    recording = load(arguments.record, arguments.channel) if arguments.record else simulate()
    lane = None
    if arguments.store:
        from isosoma.record import open_log

        lane = Lane(open_log(arguments.store), arguments.patient)
    hosts = (*arguments.allow_host, arguments.host)
    app = make_app(Settings(recording, arguments.speed, hosts, lane))
    listening = listen(arguments.host, arguments.port)
    address = f"http://{shown(arguments.host)}:{listening.getsockname()[1]}/"
    print(f"isosoma: {recording.name} ({recording.kind}) at {address}  (Ctrl-C ends)", flush=True)
    if not arguments.no_browser:
        webbrowser.open(address)
    config = uvicorn.Config(
        app, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1,
        ws_max_size=1 << 16,
    )  # fmt: skip
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        if lane is not None:
            lane.log.close()
    return 0


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
