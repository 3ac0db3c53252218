"""A hundred viewers of one page: lag of every state, samples lost, and viewers who stop reading.

``python benchmarks/bedside_viewers.py [--viewers N] [--seconds S]``: the server is the product's
own, with the demonstration and its twin running behind it; the viewers share another process. The
lag of a state is from its making to its arrival, by one clock. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import connect

CLOCK = re.compile(r'"clock":([0-9.]+)')
SEQ = re.compile(r'"seq":(\d+)')


@dataclass
class Seen:
    """What one viewer saw: lags [s], numbers of the first and last block, and how many came."""

    lags: list[float] = field(default_factory=list)
    first: int = 0
    last: int = 0
    blocks: int = 0


async def view(address: str, seen: Seen, until: float, since: float) -> None:
    """Be a viewer: read everything, acknowledge every state."""
    async with connect(address, max_size=None, compression=None) as socket:
        while time.time() < until:
            frame = str(await socket.recv())
            now = time.time()
            for text in frame.split("\n"):
                if text.startswith('{"n":'):
                    await socket.send(f'{{"ack":{text[5 : text.index(",")]}}}')
                    if now > since:
                        found = CLOCK.search(text)
                        seen.lags.append(now - float(found[1]) if found else np.nan)
                elif text.startswith('{"type":"block"'):
                    found = SEQ.search(text)
                    number = int(found[1]) if found else 0
                    seen.first = seen.first or number
                    seen.last, seen.blocks = number, seen.blocks + 1


async def sleep_on(address: str, until: float) -> None:
    """Be a viewer who never reads."""
    async with connect(address, max_size=None, compression=None, max_queue=1):
        await asyncio.sleep(max(0.0, until - time.time()))


async def measure(address: str, viewers: int, seconds: float, sleepers: int) -> list[Seen]:
    """Return what `viewers` saw in `seconds` [s], beside `sleepers` who never read."""
    seen = [Seen() for _ in range(viewers)]
    until = time.time() + seconds + 3.0
    since = time.time() + 3.0
    tasks = [view(address, s, until, since) for s in seen]
    await asyncio.gather(*tasks, *(sleep_on(address, until) for _ in range(sleepers)))
    return seen


def report(seen: list[Seen], seconds: float) -> dict[str, float]:
    """Return the numbers of a run."""
    lags = 1e3 * np.concatenate([s.lags for s in seen])
    lost = sum(s.last - s.first + 1 - s.blocks for s in seen)
    return {
        "viewers": len(seen),
        "states_per_viewer_s": round(float(np.mean([len(s.lags) for s in seen])) / seconds, 2),
        "viewers_p50_ms": round(float(np.percentile(lags, 50)), 1),
        "viewers_p99_ms": round(float(np.percentile(lags, 99)), 1),
        "worst_viewer_p99_ms": round(max(1e3 * float(np.percentile(s.lags, 99)) for s in seen), 1),
        "blocks_lost": lost,
        "samples_lost": round(12.5 * lost),
    }


def started() -> tuple[subprocess.Popen[str], str]:
    """Start the product on a free port; return it and its address, once it plays."""
    command = [sys.executable, "-m", "isosoma", "run", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://(\S+)/", server.stdout.readline())
    assert found is not None, "the server did not start"
    address = found[1]
    while True:
        with urllib.request.urlopen(f"http://{address}/health") as answer:
            said = json.loads(answer.read())
        if said["status"] == "ok" and said["twin"] in ("in step", "none"):
            return server, f"ws://{address}/live"
        time.sleep(0.2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--no-peers", action="store_true", help="there are none")
    given = parser.parse_args()
    server, address = started()
    try:
        alone = asyncio.run(measure(address, given.viewers, given.seconds, 0))
        beside = asyncio.run(measure(address, given.viewers, given.seconds, 3))
    finally:
        server.terminate()
        server.wait()
    done = report(alone, given.seconds)
    slow = report(beside, given.seconds)
    done["p99_beside_three_sleepers_ms"] = slow["viewers_p99_ms"]
    done["blocks_lost_beside_sleepers"] = slow["blocks_lost"]
    print(json.dumps(done))


if __name__ == "__main__":
    main()
