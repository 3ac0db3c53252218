"""What data at rest could tell of responses at best, whatever the model.

    python3 dev.py bench response_limit [--patients 1200] [--seed 21]

A quadratic regression is trained on hidden patients themselves, on the readings that the twin gets
(`responses`), and scored on the fifth that is left out: CRPS over that of a regression on age, sex
and size alone. A twin that had to learn its circulation from textbooks cannot be expected below it.
Then: which hidden traits explain what the data leave. About two minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.response_cohort import ACTS, HIDDEN, TIMES, Patients, features, hidden
from benchmarks.responses import DATA, ECHO, readings

from isosoma.infer import scores

__all__ = ["measure"]

Floats = npt.NDArray[np.float64]
EVERY = 5  # each fifth patient is scored
RIDGE = 300.0  # the best of 30, 100 and 300
QUANTILES = 300


def residuals(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return what a quadratic in `x` (P, k) leaves of `y` (P, q): where trained, where scored."""
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    k = x.shape[1]
    pairs = [x[:, i] * x[:, j] for i in range(k) for j in range(i, k)]
    design = np.column_stack([np.ones(len(x)), x, *pairs])
    scored = np.arange(len(x)) % EVERY == 0
    held = RIDGE * np.eye(design.shape[1])
    held[0, 0] = 0.0
    own = design[~scored]
    fit = np.linalg.solve(own.T @ own + held, own.T @ y[~scored])
    left = y - design @ fit
    # what it was trained on, it leaves too little of
    return left[~scored] * np.sqrt(len(own) / (len(own) - 0.5 * design.shape[1])), left[scored]


def crps(x: Floats, y: Floats) -> Floats:
    """Return the mean CRPS (q,) of forecasts by a regression with its own residuals' spread."""
    trained, scored = residuals(x, y)
    at = (np.arange(QUANTILES) + 0.5) / QUANTILES
    members = np.quantile(trained, at, axis=0).T
    return np.mean([scores.crps(members, s) for s in -scored], axis=0)


def explained(x: Floats, y: Floats, traits: Floats) -> Floats:
    """Return the share (traits, q) of what the data leave that goes with each trait alone."""
    _, left = residuals(x, y)
    t = traits[np.arange(len(traits)) % EVERY == 0]
    t = (t - t.mean(axis=0)) / t.std(axis=0)
    z = (left - left.mean(axis=0)) / left.std(axis=0)
    return (t.T @ z / len(z)) ** 2


def _said(share: Floats) -> str:
    first = np.argsort(share)[::-1][:3]
    return ", ".join(f"{HIDDEN[i]} {100.0 * share[i]:.0f} %" for i in first)


def measure(patients: int = 1200, seed: int = 21) -> dict[str, float]:
    """Return the least CRPS ratio of changes, geometric mean over acts, times and quantities."""
    whom: Patients = hidden(patients, seed)
    body, y = features(whom.whom), whom.answers[..., :2].reshape(len(whom.rest), -1)
    known = {"nothing but the body": body}
    known |= {n: np.column_stack([body, readings(whom, noise)]) for n, noise in DATA.items()}
    exact = whom.rest[:, list(DATA[ECHO])]
    known["the same without noise"] = np.column_stack([body, exact])
    known["every hidden trait"] = np.column_stack([body, whom.traits])
    base, out = crps(body, y), dict[str, float]()
    for name, x in known.items():
        gain = crps(x, y) / base
        out[name] = float(np.exp(np.mean(np.log(gain))))
        print(f"{name:24s}{out[name]:6.2f} |" + "".join(f"{g:6.2f}" for g in gain))
    share = explained(known[ECHO], y, whom.traits)
    labels = [f"{a} {t / 60:.0f} min {k}" for a in ACTS for t in TIMES for k in ("dMAP", "dCO")]
    for name, s in zip(labels, share.T, strict=True):
        print(f"{name:26s} left by the echo: {_said(s)}")
    return {"limit_crps_ratio": out[ECHO], "limit_without_noise": out["the same without noise"]}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=21)
    given = parser.parse_args()
    print(json.dumps(measure(given.patients, given.seed)))


if __name__ == "__main__":
    main()
