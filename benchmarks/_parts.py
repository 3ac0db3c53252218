"""Benchmarks that are made of others: each part is run by itself, and its last line is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LONGEST = 3600.0
"""Time that a part may take [s]."""


def last_json(text: str) -> dict[str, Any]:
    """Return the object on the last line of `text`, or an empty one where there is none."""
    try:
        said = json.loads(text.strip().rpartition("\n")[2])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def part(name: str, arguments: tuple[str, ...] = (), idle: float = 0.0) -> dict[str, Any]:
    """Run one part, which may wait `idle` [s] by plan; return its numbers, none where it failed."""
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, timeout=LONGEST + idle
        )
    except subprocess.TimeoutExpired:
        print(f"{name} took over {LONGEST / 60:.0f} min: its numbers are null.", flush=True)
        return {}
    if done.returncode:
        print(f"{name} failed with code {done.returncode}: its numbers are null.", flush=True)
        return {}
    return last_json(done.stdout)


def collected(keys: tuple[str, ...], found: dict[str, Any]) -> str:
    """Return `keys` of what was found as JSON, null where a part gave none, and say which."""
    for key in keys:
        if found.get(key) is None:
            print(f"{key}: no part that ran gave this number.", flush=True)
    return json.dumps({key: found.get(key) for key in keys})
