"""Fit the coefficients of `isosoma.signals.beat_class`, and say how they do on records left out.

    python3 dev.py bench fit_beat_class [--data DIR]

Logistic regression on `FEATURES` (ridge of 1 on standardised features, Newton steps). Truth: V and
E against N and S classes; beats found where the experts marked none count as not ventricular;
fusion, paced and unknown beats take no part. Prints the coefficients to paste, the figures on the
records fitted, and those where every record is judged by a fit on all others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from signals import NORMAL_OR_S, SHARED, VENTRICULAR, Run, run_record
from tqdm import tqdm

from isosoma.signals import scoring
from isosoma.signals.beat_class import CLUSTERS, FEATURES, POINTS, STATISTICS, features, shape_of

Floats = npt.NDArray[np.float64]
EDGE = 1000  # samples of silence around a record, so that every beat has its surroundings


def smooth(x: Floats, hz: float) -> tuple[npt.NDArray[np.float32], int]:
    """The 22 ms mean as the detector sees it, `EDGE` later, and its width [samples]."""
    width = max(1, round(0.0222 * hz))
    held = x - x[0]
    out = np.zeros(len(x) + 2 * EDGE, np.float32)
    total = np.concatenate([np.zeros(width), np.cumsum(held)])
    out[EDGE:-EDGE] = (total[width:] - total[:-width]) / width
    return out, width


def table(run: Run) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Features of every beat of a record in the order of decision, and 1 V, 0 not, -1 no part."""
    smoothed, width = smooth(run.ecg[0], run.hz)
    shapes, stats = np.zeros((CLUSTERS, POINTS), np.float32), np.zeros((CLUSTERS, STATISTICS))
    rows, intervals, last = list[Floats](), list[int](), -1
    for r in run.r:
        rr = int(r) - last if last >= 0 else 0
        usual = float(np.median(intervals[-8:])) if intervals else 0.0
        shape = shape_of(smoothed, EDGE + int(r) + (width - 1) // 2, run.hz)
        rows.append(features(shapes, stats, shape, float(rr), usual, run.hz))
        if 0 < rr < 3 * run.hz:
            intervals.append(rr)
        last = int(r)
    at, symbols = run.beats
    truth = np.zeros(len(run.r), np.int64)
    pair = scoring.match(at, run.r, int(0.15 * run.hz))
    for i, symbol in zip(pair, symbols, strict=True):
        if i >= 0:
            truth[i] = 1 if symbol in VENTRICULAR else 0 if symbol in NORMAL_OR_S else -1
    truth[~scoring.drop(run.r, run.fibrillation)] = -1
    return np.array(rows), truth


def fit(x: Floats, y: npt.NDArray[np.int64], ridge: float = 1.0) -> Floats:
    """Coefficients of the log-odds for features `x`, shape (n, features), and truth `y`, (n,)."""
    mean, sd = x[:, 1:].mean(axis=0), x[:, 1:].std(axis=0) + 1e-9
    z = np.column_stack([np.ones(len(x)), (x[:, 1:] - mean) / sd])
    w, hold = np.zeros(z.shape[1]), ridge * np.eye(z.shape[1])
    hold[0, 0] = 0.0
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-np.clip(z @ w, -30, 30)))
        slope = z.T @ (y - p) - hold @ w
        curve = (z * (p * (1 - p))[:, None]).T @ z + hold
        step = np.linalg.solve(curve, slope)
        w += step
        if np.abs(step).max() < 1e-8:
            break
    out = np.concatenate([[0.0], w[1:] / sd])
    out[0] = w[0] - float(out[1:] @ mean)
    return out


def cut_of(score: Floats, y: npt.NDArray[np.int64]) -> float:
    """Log-odds at which sensitivity and positive predictive value meet."""
    order = np.sort(score)[::-1]
    return float(order[min(int(y.sum()), len(order) - 1)])


def told(score: Floats, y: npt.NDArray[np.int64]) -> str:
    """Sensitivity and positive predictive value of scores above zero."""
    called = score > 0.0
    true = int((called & (y == 1)).sum())
    return f"sensitivity {true / y.sum():.4f}, PPV {true / max(called.sum(), 1):.4f}"


def main() -> None:
    """Fit, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "mitdb")
    paths = sorted(p for p in parser.parse_args().data.glob("*.hea") if p.stem.isdigit())
    tables = [table(run_record(p)) for p in tqdm(paths, desc="records")]
    parts = [(x[y >= 0], y[y >= 0]) for x, y in tables]
    x, y = np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts])
    w = fit(x, y)
    cut = cut_of(x @ w, y)
    print(*(f"{n} {v:.3f}" for n, v in zip(FEATURES, w, strict=True)), sep="\n")
    print("coefficients:", ", ".join(f"{v:.3f}" for v in w), f" cut {cut:.2f}")
    print("in sample:   ", told(x @ w - cut, y))
    left = list[Floats]()
    for i in range(len(parts)):
        a = np.concatenate([p for j, (p, _) in enumerate(parts) if j != i])
        b = np.concatenate([p for j, (_, p) in enumerate(parts) if j != i])
        v = fit(a, b)
        left.append(parts[i][0] @ v - cut_of(a @ v, b))
    print("left out:    ", told(np.concatenate(left), y))


if __name__ == "__main__":
    main()
