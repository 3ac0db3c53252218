"""Kill a writing process at random moments and look for what it had acknowledged.

``python benchmarks/durability.py --rounds 50`` prints one JSON line.
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
from pathlib import Path

from isosoma.core.observation import Observation
from isosoma.record import (
    Draft,
    Receipt,
    decode_observations,
    encode_observations,
    open_log,
    verify,
)

PATIENT = "patient-under-test"


def child(path: str, first: int) -> None:
    """Append bundles for ever, and name each on stdout once it is acknowledged."""
    from concurrent.futures import Future

    with open_log(path) as log:
        bundle = first
        while True:
            waiting: list[tuple[int, Future[Receipt]]] = []
            for _ in range(8):
                obs = [
                    Observation(PATIENT, "heart_rate", bundle, k, 1.0, 0.1, seq=bundle)
                    for k in range(20)
                ]
                keys = [b"%d/%d" % (bundle, k) for k in range(20)]
                draft = Draft("observations", encode_observations(obs))
                waiting.append((bundle, log.append(PATIENT, [draft], keys)))
                bundle += 1
            for number, future in waiting:
                future.result()
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()


def one_round(path: Path, first: int, delay: float) -> set[int]:
    """Let a child write for `delay` [s] after its first answer, kill it, return what it named."""
    command = [sys.executable, __file__, "--child", str(path), "--first", str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        time.sleep(delay)
        process.kill()
        rest = process.stdout.read()
    whole = (line + rest).rpartition(b"\n")[0]
    return {int(word) for word in whole.split()}


def rounds(path: Path, count: int, seed: int) -> dict[str, int]:
    """Kill `count` children, each going on where the log stands; return the tally."""
    chance = random.Random(seed)
    named: set[int] = set()
    refused = 0
    for i in range(count):
        fresh = one_round(path, (i + 1) * 1_000_000, chance.uniform(0.0, 0.25))
        assert fresh, "the child wrote nothing"
        named |= fresh
        refused += not verify(path).ok
    stored: dict[int, int] = {}
    with open_log(path) as log:
        for entry in log.entries(PATIENT):
            for o in decode_observations(entry.payload, PATIENT):
                stored[o.seq] = stored.get(o.seq, 0) + 1
    missing = sum(20 - min(stored.get(n, 0), 20) for n in named)
    return {
        "kills": count,
        "acknowledged": len(named) * 20,
        "missing": missing,
        "torn": sum(n != 20 for n in stored.values()),
        "not_verified": refused,
        "ok": missing == 0 and refused == 0 and verify(path, deep=True).ok,
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child")
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.first)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(rounds(Path(folder) / "log", given.rounds, given.seed)))


if __name__ == "__main__":
    main()
