"""Kill a writing process at random moments and look for what it had acknowledged.

``python benchmarks/durability.py --rounds 50`` prints one JSON line; ``--way intake`` (the default)
lets the process judge and take readings in, ``--way append`` lets it write to the log alone.
It cannot see a missing fsync (the kernel survives the process): the tests assert those apart.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from isosoma.core.observation import Observation
from isosoma.intake import Session, submit
from isosoma.record import (
    Draft,
    Log,
    decode_observations,
    encode_observations,
    open_log,
    verify,
)

PATIENT = "patient-under-test"


def bundle_of(number: int) -> list[Observation]:
    """Return twenty heart rates, each with a jump that the gate must judge."""
    return [
        Observation(PATIENT, "heart_rate", 100 * number + k, k, 1.0 + k % 2, 0.1, seq=number)
        for k in range(20)
    ]


def by_append(log: Log) -> Callable[[int], Future[Any]]:
    """Write encoded blocks to the log alone."""

    def write(number: int) -> Future[Any]:
        keys = [b"%d/%d" % (number, k) for k in range(20)]
        draft = Draft("observations", encode_observations(bundle_of(number)))
        return log.append(PATIENT, [draft], keys)

    return write


def by_intake(log: Log) -> Callable[[int], Future[Any]]:
    """Let intake validate, judge and record."""
    session = Session(PATIENT)

    def write(number: int) -> Future[Any]:
        now = 100 * number + 100
        return submit(log, bundle_of(number), patient=PATIENT, now=now, session=session)

    return write


WAYS = {"append": by_append, "intake": by_intake}


def child(path: str, first: int, way: str) -> None:
    """Deliver bundles for ever, and name each on stdout once it is acknowledged."""
    with open_log(path) as log:
        write, number = WAYS[way](log), first
        while True:
            waiting = [(n, write(n)) for n in range(number, number + 8)]
            number += 8
            for done, future in waiting:
                future.result()
                sys.stdout.write(f"{done}\n")
                sys.stdout.flush()


def one_round(path: Path, first: int, delay: float, way: str) -> set[int]:
    """Let a child write for `delay` [s] after its first answer, kill it, return what it named."""
    command = [sys.executable, __file__, "--child", str(path), "--first", str(first), "--way", way]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        time.sleep(delay)
        process.kill()
        rest = process.stdout.read()
    whole = (line + rest).rpartition(b"\n")[0]
    return {int(word) for word in whole.split()}


def rounds(path: Path, count: int, seed: int, way: str = "append") -> dict[str, int]:
    """Kill `count` children, each going on where the log stands; return the tally."""
    chance = random.Random(seed)
    named: set[int] = set()
    refused = 0
    for i in range(count):
        fresh = one_round(path, (i + 1) * 1_000_000, chance.uniform(0.0, 0.25), way)
        assert fresh, "the child wrote nothing"
        named |= fresh
        refused += not verify(path).ok
    stored: dict[int, int] = {}
    judged = 0
    with open_log(path) as log:
        for entry in log.entries(PATIENT, ["observations"]):
            for o in decode_observations(entry.payload, PATIENT):
                stored[o.seq] = stored.get(o.seq, 0) + 1
        for entry in log.entries(PATIENT, ["verdicts"]):
            judged += json.loads(entry.payload)["count"]
    missing = sum(20 - min(stored.get(n, 0), 20) for n in named)
    return {
        "kills": count,
        "acknowledged": len(named) * 20,
        "missing": missing,
        "torn": sum(n != 20 for n in stored.values()),
        "without_verdict": sum(stored.values()) - judged if way == "intake" else 0,
        "not_verified": refused,
        "ok": missing == 0 and refused == 0 and verify(path, deep=True).ok,
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--way", choices=sorted(WAYS), default="intake")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child")
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.first, given.way)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(rounds(Path(folder) / "log", given.rounds, given.seed, given.way)))


if __name__ == "__main__":
    main()
