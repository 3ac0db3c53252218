"""Leave the live page open for an hour: memory, beats and errors of page and server.

    python3 dev.py bench bedside_soak [--minutes 60]

Real page in Chromium, real server, the demonstration with its twin. Every half minute the page's
heap is read after a collection, the resident memory of server, renderer and rasteriser as the
kernel tells it. A beat is missed when the page received it and no frame showed it, when a block of
samples never came, or when the patient's rhythm has a hole of 1.7 intervals. Growth is from the
median of the second sixth of the time to that of the last sixth. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.browser import chromium, new_page, served, until

EVERY = 30.0  # [s] between two readings of memory
HOLE = 1.7  # intervals without a beat that are one missed
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1e3
SPY = """(() => {
  const soak = { blocks: 0, lost: 0, seq: 0, beats: [], drawn: [], frames: 0, longest: 0 };
  window.soak = soak;
  let before = 0;
  const hear = (event) => {
    for (const line of event.data.split("\\n")) {
      if (!line.startsWith('{"type":"block"')) continue;
      const block = JSON.parse(line);
      if (soak.seq) soak.lost += block.seq - soak.seq - 1;
      soak.seq = block.seq; soak.blocks += 1;
      for (const row of block.beats) soak.beats.push(row[0]);
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); this.addEventListener("message", hear); }
  };
  window.onFrame = (began, at, heart) => {
    if (before) soak.longest = Math.max(soak.longest, began - before);
    before = began; soak.frames += 1;
    const r = heart.r;
    if (r === r && r !== soak.drawn[soak.drawn.length - 1]) soak.drawn.push(r);
  };
})()"""
TAKE = """() => {
  const { beats, drawn, longest, ...kept } = window.soak;
  window.soak.beats = []; window.soak.drawn = drawn.slice(-1); window.soak.longest = 0;
  return { beats, drawn, longest, ...kept };
}"""


@dataclass
class Soaked:
    """What was read: memory [MB] by owner, R peaks [sample] received and [s] drawn, faults."""

    at: list[float] = field(default_factory=list[float])
    memory: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    beats: list[int] = field(default_factory=list[int])
    drawn: set[float] = field(default_factory=set[float])
    lost: int = 0
    frames: int = 0
    longest: float = 0.0
    faults: list[str] = field(default_factory=list[str])


def resident(pid: int) -> float:
    """Return the resident memory of a process [MB]."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KB / 1e3


def read(soaked: Soaked, page: Any, probes: tuple[Any, Any], server: int, began: float) -> None:
    """Add one reading to what was soaked; `probes` are the protocol of page and browser."""
    of_page, of_browser = probes
    of_page.send("HeapProfiler.collectGarbage")
    told = {m["name"]: m["value"] for m in of_page.send("Performance.getMetrics")["metrics"]}
    found = {"page_heap": told["JSHeapUsedSize"] / 1e6, "nodes_k": told["Nodes"] / 1e3}
    found["server"] = resident(server)
    for process in of_browser.send("SystemInfo.getProcessInfo")["processInfo"]:
        if process["type"] in ("renderer", "GPU"):
            name = process["type"].lower()
            found[name] = found.get(name, 0.0) + resident(process["id"])
    soaked.at.append(time.monotonic() - began)
    for name, value in found.items():
        soaked.memory.setdefault(name, []).append(value)
    taken = page.evaluate(TAKE)
    soaked.beats += taken["beats"]
    soaked.drawn |= set(taken["drawn"])
    soaked.lost, soaked.frames = taken["lost"], taken["frames"]
    soaked.longest = max(soaked.longest, taken["longest"])
    heap, load = found["page_heap"], os.getloadavg()[0]
    print(
        f"{soaked.at[-1] / 60:5.1f} min  page heap {heap:.2f} MB  server {found['server']:.1f} MB  "
        f"renderer {found.get('renderer', 0):.0f} MB  {len(soaked.beats)} beats  load {load:.1f}",
        flush=True,
    )


def soak(minutes: float) -> Soaked:
    """Keep the page open for `minutes`; return what was read."""
    soaked = Soaked()
    with tempfile.TemporaryFile("w+") as log, chromium() as browser:
        with served(log=log) as (server, address):
            page = new_page(browser)
            page.add_init_script(SPY)
            page.goto(address)
            until(page, "document.querySelector('#h-note').hidden", 600.0)
            probes = page.context.new_cdp_session(page), browser.new_browser_cdp_session()
            probes[0].send("Performance.enable")
            page.evaluate(TAKE)
            began = time.monotonic()
            while time.monotonic() - began < 60.0 * minutes:
                page.wait_for_timeout(1e3 * min(EVERY, 6.0 * minutes))
                read(soaked, page, probes, server.pid, began)
            soaked.faults = page.faults + page.complaints
            page.close()
        log.seek(0)
        soaked.faults += [line.strip() for line in log if line.strip()]
    return soaked


def growth(at: list[float], value: list[float]) -> float:
    """Return the growth [unit of value] from the second sixth of the time to the last."""
    times, values = np.array(at), np.array(value)
    early = (times > times[-1] / 6) & (times <= times[-1] / 3)
    return float(np.median(values[times > times[-1] * 5 / 6]) - np.median(values[early]))


def missed(soaked: Soaked, hz: float = 250.0) -> dict[str, int]:
    """Return how many beats were received and not drawn, and how many holes their rhythm has."""
    beats = np.array(soaked.beats) / hz
    shown = np.array(sorted(soaked.drawn))
    inside = beats[(beats >= shown[0]) & (beats <= shown[-1])]
    undrawn = int(np.sum(np.min(np.abs(inside[:, None] - shown[None]), axis=1) > 1e-3))
    rr = np.diff(beats)
    return {"undrawn": undrawn, "holes": int(np.sum(rr > HOLE * np.median(rr)))}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--no-peers", action="store_true", help="there are none")
    given = parser.parse_args()
    soaked = soak(given.minutes)
    grown = {name: round(growth(soaked.at, v), 2) for name, v in soaked.memory.items()}
    for line in soaked.faults:
        print(f"fault: {line}")
    print(json.dumps({
        "soak_growth_mb": round(grown["page_heap"] + grown["server"], 2),
        "soak_minutes": given.minutes,
        "growth_mb": grown,
        "beats": len(soaked.beats),
        "blocks_lost": soaked.lost,
        **missed(soaked),
        "frames": soaked.frames,
        "longest_frame_ms": round(soaked.longest),
        "faults": len(soaked.faults),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
