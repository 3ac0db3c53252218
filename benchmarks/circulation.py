"""The circulation's speed, accuracy, tracking and responses, beside its peers in the same run.

    python3 dev.py bench circulation [--quick] [--no-peers] [--cases DIR]

Speed is of the full model (reflexes, oxygen and drugs on, strict float64; strict float32 where the
key ends in ``_single``): patient-seconds per core-second by the process's own CPU time, on one
thread, median of 7; both cores against one by the clock, least of 7 each, since others on the
machine only add to it.
``cold_s`` is a fresh process with an empty kernel cache up to the first beats, ``warm_s`` the same
with the cache filled. ``worst_index_error_1ms`` is over the cases that use 1 ms (accuracy.py).
``--quick`` leaves tracking and responses out, which take most of the time. DIR holds svzerod's
JSON cases (default: the shared ones). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks import accuracy  # noqa: E402  the folder above is on the path from here

from isosoma.core.model import Bundle  # noqa: E402
from isosoma.organs.circulation.model import Circulation  # noqa: E402
from isosoma.physics.cache import CACHE  # noqa: E402

CASES = ROOT.parent / "shared" / "data" / "circulation" / "svzerod" / "cases"
TRACKING = (
    "coverage90_min", "coverage90_max", "sbp_error_mmhg", "outliers_caught", "false_rejections",
    "update_ms", "update_emulator_ms",
)  # fmt: skip
RESPONSES = ("response_coverage90", "response_crps_ratio")
KEYS = (
    "patient_s_per_core_s_1", "patient_s_per_core_s_1024", "patient_s_per_core_s_1024_single",
    "two_core_scaling",
    "worst_index_error_1ms", *TRACKING[:5], *RESPONSES, *TRACKING[5:], "cold_s", "warm_s", "peers",
)  # fmt: skip
FIRST = """
import time
began = time.perf_counter()
import numpy as np, resource
from isosoma.organs.circulation.model import Circulation
model = Circulation()
theta = {p.name: np.ravel(p.prior.real(np.zeros(1))) for p in model.parameters}
rest = {p.name: np.array([p.rest]) for p in model.inputs}
out = model.advance(0, 10_000, model.start(theta), theta, rest)
assert not out.failed.any()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.perf_counter() - began, time.process_time(), peak)
"""
"""What a fresh process does up to its first result: 10 s of one adult."""


def cohort(model: Circulation, members: int) -> tuple[Bundle, Bundle]:
    """Return parameters, scattered as half their priors, and inputs at rest; (members,) each."""
    rng = np.random.default_rng(1)
    z = 0.5 * rng.standard_normal((len(model.parameters), members)) * (members > 1)
    theta = {p.name: p.prior.real(z[i]) for i, p in enumerate(model.parameters)}
    return theta, {p.name: np.full(members, p.rest) for p in model.inputs}


def spent(model: Circulation, members: int, seconds: float) -> tuple[float, float]:
    """Return median CPU and least clock time [s] of `seconds` of all members, after a warm-up."""
    theta, rest = cohort(model, members)
    began = model.advance(0, 10_000, model.start(theta), theta, rest)
    until = 10_000 + round(seconds / model.step)
    times = list[tuple[float, float]]()
    for _ in range(7):
        cpu, clock = time.process_time(), time.perf_counter()
        out = model.advance(10_000, until, began.state, theta, rest)
        times.append((time.process_time() - cpu, time.perf_counter() - clock))
        if out.failed.any():
            raise RuntimeError(f"{int(out.failed.sum())} of {members} members diverged")
    return statistics.median(c for c, _ in times), min(w for _, w in times)


def peak_memory() -> float:
    """Return the most memory this process has held [MB]; 0 where the system does not say."""
    if importlib.util.find_spec("resource") is None:
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def busy() -> str:
    """Return a warning where others use the cores: rates by the clock are then too low."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"; others keep it busy (load {load:.1f}): rates are too low" if load > 0.3 else ""


def speed() -> dict[str, float]:
    """Return the rates of one member and of 1,024, and what a second core gives."""
    alone, together = Circulation(threads=1), Circulation()
    one, _ = spent(alone, 1, 5000.0)
    cpu, clock = spent(alone, 1024, 40.0)
    _, both = spent(together, 1024, 40.0)
    single, _ = spent(Circulation(threads=1, precision="single"), 1024, 40.0)
    print(f"1,024 members, 40 s: {cpu:.2f} s of CPU; {clock:.2f} s by the clock on one thread, "
          f"{both:.2f} s on two; peak memory {peak_memory():.0f} MB")  # fmt: skip
    return {
        "patient_s_per_core_s_1": round(5000.0 / one),
        "patient_s_per_core_s_1024": round(1024 * 40.0 / cpu),
        "patient_s_per_core_s_1024_single": round(1024 * 40.0 / single),
        "two_core_scaling": round(clock / both, 2),
    }


def two_cores() -> None:
    """Keep this process on two cores, where the system can, so that `scaling` means two."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:2]))


def first_result() -> dict[str, float]:
    """Return seconds to the first result of a fresh process, without and with compiled kernels."""
    with tempfile.TemporaryDirectory() as folder:
        where = {**os.environ, CACHE: folder}
        said = [
            subprocess.run(
                [sys.executable, "-c", FIRST], env=where, check=True, capture_output=True, text=True
            ).stdout.split()
            for _ in range(2)
        ]
    (cold, *_), (warm, *_) = said
    for how, (clock, cpu, peak) in zip(("cold", "warm"), said, strict=True):
        print(f"first result, {how}: {float(clock):.1f} s, {float(cpu):.1f} s of CPU, {peak} MB")
    return {"cold_s": round(float(cold), 2), "warm_s": round(float(warm), 2)}


def neighbour(name: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return `keys` from the measure() of a benchmark beside this one; None where it is absent."""
    if importlib.util.find_spec(f"benchmarks.{name}") is None:
        print(f"benchmarks/{name}.py is not there: left out")
        return dict.fromkeys(keys)
    module = importlib.import_module(f"benchmarks.{name}")
    found = cast("Callable[[], dict[str, Any]]", module.measure)()
    return {key: found.get(key) for key in keys}


def run_peers(cases: Path) -> dict[str, dict[str, float]]:
    """Return the peers' patient-seconds per core-second, by peer and case."""
    python = os.environ.get("ISOSOMA_PEERS")
    if not python:
        print("the peers are not installed: left out")
        return {}
    script = Path(__file__).with_name("circulation_peers.py")
    done = subprocess.run([python, script, cases], stdout=subprocess.PIPE, text=True, check=True)
    # A peer prints as it solves; the last line is ours.
    return json.loads(done.stdout.splitlines()[-1])


def reference_set() -> None:
    """Print the rate of the reduced 28-state set, where it exists."""
    name = "isosoma.organs.circulation.reference28"
    if importlib.util.find_spec(name) is None:
        return
    module = importlib.import_module(name)
    if not hasattr(module, "speed"):
        print("the 28-state set has no rate of its own: left out")
        return
    print(f"28-state set: {module.speed():.0f} patient-seconds per core-second")


def main() -> int:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no tracking, no responses")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--cases", type=Path, default=CASES, help="folder of svzerod's cases")
    asked = parser.parse_args()
    two_cores()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}{busy()}"
    )
    found: dict[str, Any] = dict.fromkeys(KEYS)
    found |= first_result()
    found |= speed()
    reference_set()
    error = accuracy.measure()
    print(f"largest index error at 1 ms: {error['worst_index_error_1ms']:.4f} where 1 ms is used, "
          f"{error['worst_index_error_1ms_all_cases']:.4f} over all cases")  # fmt: skip
    found["worst_index_error_1ms"] = round(error["worst_index_error_1ms"], 5)
    if not asked.quick:
        found |= neighbour("tracking", TRACKING) | neighbour("responses", RESPONSES)
    found["peers"] = {} if asked.no_peers else run_peers(asked.cases)
    for peer, rates in found["peers"].items():
        for case, rate in rates.items():
            ratio = found["patient_s_per_core_s_1"] / rate
            print(f"{peer:>10} {case:32} {rate:8.0f} patient-s per core-s; ours {ratio:.0f} x")
    print(json.dumps({key: found[key] for key in KEYS}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
