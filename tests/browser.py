"""What a test in a real browser needs: Chromium, pages that keep faults, the page's server."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from isosoma.serve.app import Settings

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "src" / "isosoma" / "serve" / "static"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
IWER = ROOT / "web" / "node_modules" / "iwer" / "build" / "iwer.min.js"
TWIN = 240.0  # [s] that a cold machine may take to compile and to fold the past
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
)  # fmt: skip
"""Nothing but the page is spoken to; the last three let software draw WebGL."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.is_file(), reason="Debian's chromium is not installed"
)
needs_page = pytest.mark.skipif(
    not (STATIC / "index.html").is_file(), reason="the page is not built"
)
needs_iwer = pytest.mark.skipif(not IWER.is_file(), reason="web/node_modules has no iwer")
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")


@contextmanager
def chromium(*flags: str) -> Generator[Any]:
    """Start Chromium with `flags` beside the usual ones; it ends with the block."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *flags])
        yield made
        made.close()


def new_page(browser: Any, width: int = 1280, height: int = 720, **settings: Any) -> Any:
    """Open an empty page: `faults` are its uncaught errors, `complaints` those on its console.

    Chromium itself complains of each answer that refuses, and of a server that is gone.
    """
    page = browser.new_page(viewport={"width": width, "height": height}, **settings)
    page.set_default_navigation_timeout(1e3 * TWIN)  # a server may compile its model meanwhile
    page.faults, page.complaints = [], []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
    return page


@contextmanager
def served(
    *arguments: str, log: IO[str] | None = None
) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the product's server with `arguments`; give the process and the page's address.

    What it says beside its address goes to `log`; by default to where the caller's errors go.
    """
    command = [sys.executable, "-m", "isosoma", "run", "--no-browser", "--port", "0", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    try:
        said = server.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, f"the server said {said!r}"
        yield server, found[0]
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@contextmanager
def hosted(settings: Settings) -> Generator[str]:
    """Run the page's server in a thread, for what no command line asks for; give its address."""
    import uvicorn

    from isosoma.serve.app import make_app

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(
        make_app(settings), log_level="warning", ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    ))  # fmt: skip
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(10.0)


@contextmanager
def waiting(browser: Any) -> Generator[Any]:
    """Open a bedside whose twin is not there while the block lasts.

    The page's `keeper` tells it what a test puts there; `patient` is the one behind it.
    """
    from isosoma.core.errors import ModelError
    from isosoma.serve.app import Settings
    from isosoma.serve.demo import demo
    from isosoma.serve.live_twin import Keeper

    patient, over = demo(2), threading.Event()

    def build(_: Any) -> Any:
        over.wait()
        raise ModelError("the page ended")

    keeper = Keeper(build, patient.now)
    with hosted(Settings(patient.recording, keeper=keeper, demo=patient)) as address:
        page = new_page(browser)
        page.keeper, page.patient = keeper, patient
        page.goto(address)
        until(page, "document.body.dataset.twin === 'building'")
        yield page
        page.close()
        over.set()


def until(page: Any, condition: str, seconds: float = 60.0) -> None:
    """Wait for a condition; the page's own policy forbids Playwright's `wait_for_function`."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never became true: {condition[:120]}"
        time.sleep(0.1)


def until_alive(page: Any) -> None:
    """Wait until the twin follows the patient, and its heart is drawn."""
    until(page, "document.body.dataset.twin === 'live'", TWIN)
    until(page, "document.querySelector('#h-note').hidden", TWIN)


def assert_accessible(page: Any, part: str = "body") -> None:
    """Hold what is shown in `part` to the rules of WCAG 2.2 AA that axe-core can check."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("([part, rules]) => axe.run(part, {runOnly: rules})", [part, RULES])
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
