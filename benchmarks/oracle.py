"""ES-MDA and ETKF beside published implementations, on the same members and perturbations.

    python3 dev.py bench oracle [--write]

Prints the largest difference of any member of any case. ``--write`` renews
tests/data/infer_oracle.json, which src/isosoma/infer/test_oracle.py holds the filters to without
the peers. Ten seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from oracle_peers import forward

from isosoma.infer import etkf
from isosoma.infer.esmda import calibrate, equal_passes, geometric_passes
from isosoma.infer.philox import STREAMS, normals

FIXTURE = Path(__file__).resolve().parents[1] / "tests" / "data" / "infer_oracle.json"
_SHAPES = (
    ("linear", 24, 5, 3, 0.0, equal_passes(4)),
    ("nonlinear", 24, 5, 3, 0.2, geometric_passes(3)),
    ("more data than members", 12, 5, 20, 0.05, equal_passes(2)),
)
"""Name, members, unknowns, data, bend and inflation factors."""


def case_of(
    patient: int, name: str, members: int, n: int, p: int, bend: float, alphas: tuple[float, ...]
) -> dict[str, Any]:
    """Return a case with the perturbations (passes, N, p) that `calibrate` draws for `patient`."""
    rng = np.random.default_rng(patient)
    H, R = rng.standard_normal((p, n)), rng.uniform(0.2, 2.0, p)
    case: dict[str, Any] = {"name": name, "patient": patient, "bend": bend, "H": H.tolist()}
    truth = forward(case, rng.standard_normal((1, n)))[0]
    draws = [normals((patient, STREAMS["perturbation"]), k, members, p) for k in range(len(alphas))]
    return case | {
        "z": rng.standard_normal((members, n)).tolist(),
        "y": (truth + np.sqrt(R) * rng.standard_normal(p)).tolist(),
        "R": R.tolist(),
        "alphas": list(alphas),
        "perturbations": [((e - e.mean(axis=0)) * np.sqrt(R)).tolist() for e in draws],
    }


def differences(case: dict[str, Any]) -> tuple[float, float]:
    """Return the largest difference of a member, by ES-MDA and by ETKF."""
    z, y, R = (np.array(case[name]) for name in ("z", "y", "R"))
    ours = calibrate(z, lambda m: forward(case, m), y, R, case["patient"], case["alphas"])
    analysed = etkf.update(z, forward(case, z), y, R)
    return (
        float(np.abs(ours.z - case["smoothed"]).max()),
        float(np.abs(analysed - case["transformed"]).max()),
    )


def main() -> int:
    """Run the peers, compare, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="renew the fixture of the tests")
    asked = parser.parse_args()
    python = os.environ.get("ISOSOMA_PEERS")
    if not python:
        print("The oracles are peers: run `python3 dev.py bench oracle`.", file=sys.stderr)
        return 1
    cases = [case_of(k, *shape) for k, shape in enumerate(_SHAPES, 1)]
    script = Path(__file__).with_name("oracle_peers.py")
    done = subprocess.run(
        [python, script], input=json.dumps(cases), stdout=subprocess.PIPE, text=True, check=True
    )
    told = json.loads(done.stdout)
    cases = [case | made for case, made in zip(cases, told["made"], strict=True)]
    print(" ".join(f"{name} {number}" for name, number in told["versions"].items()))
    for case in cases:
        print("{}: ES-MDA {:.1e}, ETKF {:.1e}".format(case["name"], *differences(case)))
    if asked.write:
        FIXTURE.write_text(json.dumps({"versions": told["versions"], "cases": cases}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
