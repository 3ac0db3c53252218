"""The peers of `circulation`: svzerod on JSON cases, and haemflow's default closed loop.

Runs in the peers' own environment. Reads ``FOLDER/*.json``; prints one JSON object: peer to case
to patient-seconds per core-second, by the process's own CPU time. A peer that cannot be imported
is said on stderr and left out.
"""

# The peers live in an environment of their own, which the type checker does not see.
# pyright: reportMissingImports=false
from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

LEAST = 2.0
"""CPU time [s] to measure over."""


def rate(run: Callable[[], object], simulated: float) -> float:
    """Return patient-seconds per core-second; the first call warms and is not counted."""
    run()
    began, calls = time.process_time(), 0
    while (spent := time.process_time() - began) < LEAST:
        run()
        calls += 1
    return round(calls * simulated / spent, 1)


CASES = (
    "closedLoopHeart_singleVessel",
    "closedLoopHeart_withCoronaries",
    "closed_loop_two_hill",
    "piecewise_Chamber_and_Valve",
)
"""Those of its cases with a beating heart."""


def svzerod(folder: Path) -> dict[str, float]:
    """Run every case with a beating heart, at the steps it comes with."""
    import svzerod as solver

    out: dict[str, float] = {}
    for path in (folder / f"{name}.json" for name in CASES):
        if not path.is_file():
            print(f"{path.name} does not lie in {folder}", file=sys.stderr)
            continue
        case = json.loads(path.read_text("utf-8"))
        cycles = int(case["simulation_parameters"]["number_of_cardiac_cycles"])
        times = solver.simulate(case)["time"]  # of the last cycle
        simulated = cycles * float(times.max() - times.min())
        out[path.stem] = rate(lambda case=case: solver.simulate(case), simulated)
    return out


def haemflow(folder: Path) -> dict[str, float]:
    """Run the defaults: RK4, 2,000 steps a beat of 0.9 s, 20 beats."""
    del folder
    from src.cl0 import solve_system

    cycles = {"ncycle": 20, "period": 0.9}
    return {"closed loop": rate(lambda: solve_system(generic_params=cycles), 18.0)}


def main(folder: Path) -> int:
    """Run every peer."""
    out: dict[str, dict[str, float]] = {}
    for peer in (svzerod, haemflow):
        print(f"{peer.__name__} …", file=sys.stderr)
        try:
            out[peer.__name__] = peer(folder)
        except (ImportError, OSError) as error:
            print(f"{peer.__name__} cannot be run here: {error}", file=sys.stderr)
            if "gfortran" in str(error):
                print("It needs the system's libgfortran (Debian: libgfortran5)", file=sys.stderr)
    print(json.dumps(out))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
