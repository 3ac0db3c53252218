"""The peers of `oracle`: iterative_ensemble_smoother's ES-MDA and dapper's ETKF on toy cases.

Runs in the peers' own environment. Reads cases as JSON from stdin; prints one JSON object with the
peers' versions and what they make of each case.
"""

# The peers live in an environment of their own, which the type checker does not see.
# pyright: reportMissingImports=false
from __future__ import annotations

import contextlib
import json
import sys
from importlib.metadata import version
from typing import Any

import numpy as np

PEERS = ("iterative-ensemble-smoother", "dapper")
REPEATS = 400
"""Calibrations with the peer's own perturbations, seeds 0, 1, 2, …"""


def forward(case: dict[str, Any], z: np.ndarray) -> np.ndarray:
    """Return predictions (N, p) of members (N, n): u + bend u³ with u = H z."""
    u = z @ np.array(case["H"]).T
    return u + case["bend"] * u**3


def smoothed(case: dict[str, Any], seed: int | None = None) -> np.ndarray:
    """Return members (N, n) after ES-MDA with exact inversion; by the case's draws or a seed's."""
    from iterative_ensemble_smoother import ESMDA

    y, R = np.array(case["y"]), np.array(case["R"])
    peer = ESMDA(R, y, alpha=np.array(case["alphas"]), seed=seed)
    X = np.array(case["z"]).T
    for draws in case["perturbations"]:
        peer.prepare_assimilation(
            Y=forward(case, X.T).T,
            truncation=1.0,
            observation_perturbations=np.array(draws).T if seed is None else None,
        )
        X = peer.assimilate_batch(X=X)
    return X.T


def own_draws(case: dict[str, Any]) -> dict[str, list[float]]:
    """Return mean and standard error over repeats of the members' means, then variances (2n,)."""
    runs = [smoothed(case, seed) for seed in range(REPEATS)]
    rows = np.array([[*z.mean(axis=0), *z.var(axis=0, ddof=1)] for z in runs])
    error = rows.std(axis=0, ddof=1) / np.sqrt(REPEATS)
    return {"mean": rows.mean(axis=0).tolist(), "error": error.tolist()}


def transformed(case: dict[str, Any]) -> np.ndarray:
    """Return members (N, n) after one analysis by the symmetric square root."""
    from dapper.da_methods.ensemble import EnKF_analysis
    from dapper.tools.matrices import CovMat
    from dapper.tools.randvars import GaussRV

    z, y, R = (np.array(case[name]) for name in ("z", "y", "R"))
    noise = GaussRV(C=CovMat(R, "diag"), M=len(y))
    return EnKF_analysis(z, forward(case, z), noise, y, "Sqrt")


def main() -> int:
    """Run both peers on every case."""
    cases = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):  # dapper greets on stdout
        made = [
            {
                "smoothed": smoothed(case).tolist(),
                "own_draws": own_draws(case),
                "transformed": transformed(case).tolist(),
            }
            for case in cases
        ]
    print(json.dumps({"versions": {name: version(name) for name in PEERS}, "made": made}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
