"""`isosoma beats`: a recording's beats as they would be decided live."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from typing import Any

import numpy as np

from isosoma.serve.analysis import Beat, begin_on, hear
from isosoma.serve.recording import Recording, load

__all__ = ["find", "rows", "run", "summary"]

COLUMNS: tuple[str, ...] = ("time_s", "sample", "type", "rr_s", "rhythm", "quality", "delay_s")


def run(arguments: argparse.Namespace) -> int:
    """Print the beats of a recording as a table, CSV or JSON."""
    recording = load(arguments.record, arguments.channel)
    beats = find(recording, arguments.chunk)
    if arguments.json:
        print(json.dumps({"summary": summary(recording, beats), "beats": rows(recording, beats)}))
    elif arguments.csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(recording, beats))
    else:
        print(table(recording, beats))
    return 0


def find(recording: Recording, chunk: float) -> list[Beat]:
    """Feed the chosen ECG in chunks of `chunk` [s]; returns every beat, sorted by R."""
    from tqdm import tqdm

    state = begin_on(recording)
    size = max(1, round(chunk * recording.hz))
    found: list[Beat] = []
    with tqdm(
        total=round(recording.length / recording.hz), unit="s", desc=recording.name, leave=False,
        disable=not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        for at in range(0, recording.length, size):
            found += hear(state, recording, at, at + size)
            bar.update(int(state.seen / recording.hz) - bar.n)
    return sorted(found, key=lambda b: b.r)


def rows(recording: Recording, beats: list[Beat]) -> list[dict[str, Any]]:
    """One mapping a beat, with the columns of the CSV."""
    return [
        {
            "time_s": round(b.r / recording.hz, 4),
            "sample": b.r,
            "type": b.kind,
            "rr_s": round(b.rr, 4),
            "rhythm": b.rhythm,
            "quality": round(b.quality, 3) if b.quality >= 0 else None,
            "delay_s": round(b.delay, 4),
        }
        for b in beats
    ]


def summary(recording: Recording, beats: list[Beat]) -> dict[str, Any]:
    """What a reader wants first."""
    rr = [b.rr for b in beats if b.rr > 0]
    return {
        "record": recording.name,
        "channel": recording.channels[recording.lead].name,
        "hz": recording.hz,
        "duration_s": round(recording.length / recording.hz, 3),
        "beats": len(beats),
        "types": dict(sorted(Counter(b.kind for b in beats).items())),
        "mean_heart_rate_per_min": round(60 / float(np.mean(rr)), 2) if rr else None,
        "delay_p95_s": round(float(np.percentile([b.delay for b in beats], 95)), 4)
        if beats
        else None,
    }


def table(recording: Recording, beats: list[Beat]) -> str:
    """Columns for people, and the summary below them."""
    lines = [f"{'time':>11} {'R':>9} type {'RR s':>6}  {'rhythm':<24} quality  delay s"]
    for b in beats:
        at = b.r / recording.hz
        clock = f"{int(at // 3600):d}:{int(at // 60) % 60:02d}:{at % 60:06.3f}"
        quality = f"{b.quality:7.2f}" if b.quality >= 0 else "      –"
        lines.append(
            f"{clock:>11} {b.r:>9}  {b.kind}   {b.rr:6.3f}  {b.rhythm:<24} {quality}"
            f"  {b.delay:7.3f}"
        )
    found = summary(recording, beats)
    kinds = ", ".join(f"{n} {kind}" for kind, n in found["types"].items()) or "none"
    lines.append(
        f"\n{found['record']}, channel {found['channel']}: {found['beats']} beats ({kinds}) in "
        f"{found['duration_s']:.1f} s"
    )
    if found["mean_heart_rate_per_min"]:
        lines.append(
            f"mean heart rate {found['mean_heart_rate_per_min']:.1f} /min, "
            f"95 % of the decisions within {found['delay_p95_s']:.3f} s of R"
        )
    return "\n".join(lines)
