"""The live page's phase, delay, script time, draw calls and first view, in Chromium.

    python3 dev.py bench bedside_page [--minutes 3] [--data DIR]

A real server plays a real record as a monitor does, at its own speed, with a twin behind it; a
real page draws. Each frame tells where its axis stood and which R its heart beats on, and is held
to the record's reference marks: the error of a frame is that of the R its phase counts from, whole
where the page believes in another beat. The delay of a frame is from the sensor's time, by the
clock of the server's states on the same machine (the earliest within 5 s, so that lateness on the
way counts), to the frame's beginning. Script time is that of the frame's own callback, by the clock
and by the processor (Chromium's trace): the second leaves out waiting for the rasteriser and for
other processes. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from isosoma.exchange.annotations import BEAT_SYMBOLS, read_annotations  # noqa: E402
from tests.browser import chromium, new_page, served, until  # noqa: E402

Floats = npt.NDArray[np.float64]
DATA = ROOT.parent / "shared" / "data" / "signals" / "mitdb"
RECORDS = ("106", "201", "208")
"""With ectopy, in atrial fibrillation from its beginning, and with a third of all beats ectopic."""
WIDE = frozenset(("119", "208"))
"""Records whose ectopic beats are wide: the marks lie at their first peak, our R at their sharpest
bend, up to 60 ms later. What is R is a convention there, and their error is told apart."""
HZ = 360.0  # of these records [1/s]
NORMAL = "NLRej"
MATCH = 0.15  # [s] within which an R is the same beat [ANSI/AAMI EC57]
AROUND = 5.0  # [s] about a frame in which the server was on time at least once
TRACED = 20.0  # [s] of trace
DRAWN = ("FireAnimationFrame", "HandlePostMessage")
"""Events of the trace in which the page draws."""
PATIENT = """id = "bench"
sex = "m"
age = "60 a"
weight = "75 kg"
height = "175 cm"

[[measured]]
at = 2026-02-20T10:00:00Z
with = "echo"
left_ventricular_end_diastolic_volume = "140 mL"
left_ventricular_ejection_fraction = "55 %"

[[measured]]
at = 2026-02-20T10:05:00Z
with = "cuff"
systolic_pressure = "124 mm[Hg]"
diastolic_pressure = "76 mm[Hg]"
"""
SPY = """(() => {
  const spy = window.spy = { frames: [], clocks: [], spent: [], calls: 0 };
  const hear = (event) => {
    for (const line of event.data.split("\\n")) {
      if (!line.startsWith('{"n":')) continue;
      const state = JSON.parse(line);
      spy.clocks.push([state.clock, state.at]);
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); this.addEventListener("message", hear); }
  };
  const ask = window.requestAnimationFrame.bind(window);
  const timed = (act) => (given) => {
    const began = performance.now(), drawn = spy.frames.length;
    act(given);
    if (spy.frames.length > drawn) spy.spent.push(performance.now() - began);
  };
  window.requestAnimationFrame = (act) => ask(timed(act));
  // A frame that waits for samples is drawn when a message to the page itself comes.
  const port = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
  const set = function (act) { port.set.call(this, timed(act)); };
  Object.defineProperty(MessagePort.prototype, "onmessage", { ...port, set });
  const gl = WebGL2RenderingContext.prototype;
  for (const name of Object.keys(gl).filter((n) => /^draw(Elements|Arrays)/.test(n))) {
    const draw = gl[name];
    gl[name] = function (...given) { spy.calls += 1; draw.apply(this, given); };
  }
  window.onFrame = (began, at, heart) => {
    if (at > -1 && spy.first === undefined) spy.first = performance.now() / 1e3;
    spy.frames.push([(performance.timeOrigin + began) / 1e3, at, heart.r, spy.calls, +heart.stale]);
    spy.calls = 0;
  };
})()"""
FORGET = "() => { spy.frames = []; spy.spent = []; spy.calls = 0; }"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def watch(record: Path, seconds: float) -> dict[str, Any]:
    """Show `record` for `seconds` [s]; return what the page told of itself."""
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        (Path(home) / "patient.toml").write_text(PATIENT, "utf-8")
        with served("--patient", home, "--record", str(record)) as (_, address):
            page = new_page(browser)
            page.add_init_script(SPY)
            page.goto(address)
            until(page, "spy.first !== undefined", 120.0)
            first, paint = page.evaluate("spy.first"), page.evaluate(PAINT)
            until(page, "document.querySelector('#h-note').hidden", 900.0)
            page.wait_for_timeout(3000)
            page.evaluate(FORGET)
            page.wait_for_timeout(1e3 * seconds)
            told = page.evaluate("spy")
            told["processor"] = traced(browser, page)
            page.close()
    return told | {"first_trace": first, "first_paint": paint and paint / 1e3}


def traced(browser: Any, page: Any) -> list[float]:
    """Return the time of the processor that each frame's callbacks took [ms].

    A frame that waited for samples has two: the first only says so, the second draws.
    """
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.wait_for_timeout(1e3 * TRACED)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    return [e["tdur"] / 1e3 for e in events if e["name"] in DRAWN and "tdur" in e]


def errors(frames: Floats, marks: Floats) -> Floats:
    """Return the error of each frame's phase [s]; columns of `frames` as the page told them.

    Shortly about a beat the page may be a little before what the reference is a little behind: the
    error is then that of the R that they disagree about.
    """
    at, shown = frames[:, 1], frames[:, 2]
    drawn = np.unique(shown[np.isfinite(shown)])
    i = np.searchsorted(marks, at, "right") - 1
    true, after = marks[i], marks[np.minimum(i + 1, len(marks) - 1)]
    k = np.minimum(np.searchsorted(drawn, shown, "right"), len(drawn) - 1)
    error = np.abs(shown - true)
    for other in (np.abs(drawn[k] - true), np.abs(shown - after)):
        error = np.where((error > MATCH) & (other <= MATCH), other, error)
    return error


def phase(record: Path, frames: Floats) -> dict[str, float]:
    """Return percentiles of the phase error against the marks of `record` [ms], kinds apart."""
    marks = read_annotations(record.with_suffix(".atr"))
    beats = [(n, s) for n, s in zip(marks.sample, marks.symbol, strict=True) if s in BEAT_SYMBOLS]
    r = np.array([n for n, _ in beats]) / HZ
    normal = np.array([s in NORMAL for _, s in beats])
    kept = frames[(frames[:, 1] > r[0]) & np.isfinite(frames[:, 2])]
    error = 1e3 * errors(kept, r)
    own = normal[np.searchsorted(r, kept[:, 1], "right") - 1]
    of = {"": error, "normal_": error[own], "ectopic_": error[~own]}
    made = {f"{n}p95_ms": round(float(np.percentile(e, 95)), 1) for n, e in of.items() if len(e)}
    made["ectopic_frames"] = int(np.sum(~own))
    made["p50_ms"] = round(float(np.median(error)), 1)
    made["other_beat_share"] = round(float(np.mean(error > 1e3 * MATCH)), 4)
    return made


def delay(frames: Floats, clocks: Floats) -> dict[str, float]:
    """Return how far behind the sensors the frames were [ms], and how that spread."""
    lead = clocks[:, 1] - clocks[:, 0]
    near = np.searchsorted(clocks[:, 0], frames[:, 0, None] + np.array([-AROUND, AROUND]))
    ahead = np.array([lead[a:b].max() if b > a else np.nan for a, b in near])
    frames, ahead = frames[np.isfinite(ahead)], ahead[np.isfinite(ahead)]
    late = 1e3 * (frames[:, 0] + ahead - frames[:, 1])
    low, middle, high = np.percentile(late, [1, 50, 99])
    return {
        "display_delay_ms": round(float(middle), 1),
        "delay_p99_ms": round(float(high), 1),
        "delay_spread_ms": round(float(high - low), 1),
        "delay_p5_p95_ms": round(float(np.subtract(*np.percentile(late, [95, 5]))), 1),
    }


def report(record: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of one record."""
    frames = np.array([[np.nan if v is None else v for v in f] for f in told["frames"]], float)
    spent, processor = np.array(told["spent"]), np.array(told["processor"] or [np.nan])
    return {
        "record": record.name,
        "frames": len(frames),
        "phase": phase(record, frames),
        **delay(frames, np.array(told["clocks"])),
        "js_wall_p50_ms": round(float(np.median(spent)), 2),
        "js_wall_p95_ms": round(float(np.percentile(spent, 95)), 2),
        "js_p50_ms": round(float(np.median(processor)), 2),
        "js_p95_ms": round(float(np.percentile(processor, 95)), 2),
        "draw_calls": int(np.max(frames[1:, 3])),
        "first_paint_s": told["first_paint"],
        "first_trace_s": round(told["first_trace"], 2),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0, help="of each record")
    parser.add_argument("--records", nargs="+", default=RECORDS)
    parser.add_argument("--data", type=Path, default=DATA, help="WFDB records with .atr marks")
    parser.add_argument("--no-peers", action="store_true", help="there are none")
    given = parser.parse_args()
    done: list[dict[str, Any]] = []
    for name in given.records:
        began = time.monotonic()
        done.append(report(given.data / name, watch(given.data / name, 60.0 * given.minutes)))
        print(json.dumps(done[-1]), f"{time.monotonic() - began:.0f} s", flush=True)

    def worst(key: str) -> float:
        return max(d[key] for d in done)

    phases: dict[str, float] = {d["record"]: d["phase"]["p95_ms"] for d in done}
    print(json.dumps({
        "phase_error_p95_ms": max(
            (e for n, e in phases.items() if n not in WIDE), default=None
        ),
        "phase_error_p95_ms_wide": {n: e for n, e in phases.items() if n in WIDE},
        "display_delay_ms": worst("display_delay_ms"),
        "delay_spread_ms": worst("delay_spread_ms"),
        "js_ms_per_frame": worst("js_p95_ms"),
        "js_wall_p95_ms": worst("js_wall_p95_ms"),
        "draw_calls": worst("draw_calls"),
        "first_view_s": max(d["first_paint_s"] or np.inf for d in done),
        "records": done,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
