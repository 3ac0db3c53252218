"""The reference twin experiment: a hidden cohort by physics, tracked through an emulator.

Cuff, oximeter and heart rate only; what is scored is the hidden truth, five outputs of which one
(cardiac output) is never seen. Values in mmHg, L/min and %, as the reference prints them.
Identical twins flatter a filter: plant and model are of one family, and the drift is mild.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Observation
from isosoma.infer import reference_plant as plant
from isosoma.infer import scores
from isosoma.infer.belief import Belief, Reading, Settings, start
from isosoma.infer.bias import Bias
from isosoma.infer.emulator import Emulator, Predict, predictor, train
from isosoma.infer.track import assimilate
from isosoma.infer.walk import Walk, tau_of

__all__ = ["Experiment", "Result", "Series", "reference_emulator", "run", "score", "settings"]

Floats = npt.NDArray[np.float64]

VARIABLES = (
    "systolic_pressure",
    "diastolic_pressure",
    "mean_arterial_pressure",
    "cardiac_output",
    "oxygen_saturation",
)
SEEN = (0, 1, 4)
NOISE = {0: 6.0, 1: 5.0, 4: 1.5}
"""Columns that are measured, with the sd of their noise [mmHg, mmHg, %]."""
OUTLIER = {0: 45.0, 1: 40.0, 4: 12.0}
WALK = np.array([0.02, 0.012, 0.015, 0.006, 0.05])
"""Noise of a step of the truth's walk, in the units of `reference_plant.SD`."""
STEP = 1_200_000_000_000  # [ns] 20 min; the reference names no interval
SCORED_FROM = 12


@dataclass(frozen=True, slots=True)
class Experiment:
    """What happens to the hidden cohort.

    Attributes
    ----------
    outliers : share of gross errors among readings.
    bias : sd of each cuff's true, persistent offset [mmHg], the same for its two pressures.
    bleed : stressed volume lost, as a share, within the hour after `bleed_at`; 0: none.
    """

    patients: int = 100
    steps: int = 48
    outliers: float = 0.0
    bias: float = 0.0
    bleed: float = 0.0
    bleed_at: int = 24
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What one run left, over patients (P), steps (T), members (N) and outputs (5).

    Attributes
    ----------
    truth : (P, T, 5). outputs : analysed members (P, T, N, 5) as float32.
    observed : (P, T, 3) as the sensors said. outlier, rejected : (P, T, 3).
    ranks : of observations among noisy predictions (P, T, 3). nis : (P, T).
    ratio : posterior over prior sd of each parameter at the end (P, 5).
    alarms : steps with a suspected patient (P, T).
    """

    truth: Floats
    outputs: npt.NDArray[np.float32]
    observed: Floats
    outlier: npt.NDArray[np.bool_]
    rejected: npt.NDArray[np.bool_]
    ranks: npt.NDArray[np.int64]
    nis: Floats
    ratio: Floats
    alarms: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Result:
    """The row of the table: coverage of each output, errors of the systolic, calibration, gate."""

    coverage: tuple[float, ...]
    sbp_rmse: float
    sbp_crps: float
    rank_chi2: float
    nis: float
    caught: float
    false: float
    ratio: tuple[float, ...]


def reference_emulator(degree: int = 3, points: int = 2048, seed: int = 2) -> Emulator:
    """Return the emulator trained as the reference says: 2048 scrambled Sobol points, 30 beats.

    With this seed and every fifth run left out, its printed errors come out to the last digit.
    """
    from scipy.stats import norm, qmc

    # `seed` and the newer `rng` scramble differently; the stubs know the newer name only.
    made = qmc.Sobol(6, scramble=True, seed=seed)  # pyright: ignore[reportCallIssue]
    sobol = made.random(points)
    u = norm.ppf(0.9998 * sobol + 0.0001)
    hr = np.clip(72.0 + 15.0 * u[:, 5], 40.0, 140.0)
    theta = 1.15 * u[:, :5]
    inputs = np.column_stack([theta, np.log(hr / 72.0) / 0.2])
    return train(inputs, plant.members(theta, hr), degree)


def settings(
    emulator: Emulator, walk_scale: float = 1.0, bias: float = 0.0, **changes: object
) -> Settings:
    """Return settings for the plant; `walk_scale` mistunes the walk, `bias` [mmHg] adds states."""
    dt = STEP * 1e-9
    taus = [tau_of(q, dt) if q > 0.0 else math.inf for q in walk_scale * WALK / plant.SD]
    biases = (Bias(VARIABLES[:2], bias),) if bias else ()
    base = Settings(
        VARIABLES,
        tuple(Walk(t) for t in taus),
        inputs=("heart_rate",),
        biases=biases,
        model_error=tuple(emulator.error.tolist()),
    )
    return replace(base, **changes)


def plant_predictor(emulator: Emulator) -> Predict:
    """Return a `Predict` whose context is the heart rate [1/min]; outside the hull, the plant."""
    # The fallback starts from rest: within .1 mmHg of an update that carries volumes over.
    inner = predictor(emulator, _physics)

    def predict(theta: Floats, context: Floats) -> Floats:
        return inner(theta, np.log(context / 72.0) / 0.2)

    return predict


def _physics(theta: Floats, context: Floats) -> Floats:
    return plant.members(theta, np.full(len(theta), 72.0 * np.exp(0.2 * context[0])))


def run(experiment: Experiment, emulator: Emulator, how: Settings) -> Series:
    """Track every patient of `experiment`; the truth never reaches the filter."""
    e = experiment
    shape = (e.patients, e.steps)
    out = Series(
        np.empty((*shape, 5)),
        np.empty((*shape, how.members, 5), np.float32),
        np.empty((*shape, 3)),
        np.zeros((*shape, 3), np.bool_),
        np.zeros((*shape, 3), np.bool_),
        np.empty((*shape, 3), np.int64),
        np.empty(shape),
        np.empty((e.patients, 5)),
        np.zeros(shape, np.bool_),
    )
    predict = plant_predictor(emulator)
    for patient in range(e.patients):
        rng = np.random.default_rng([e.seed, patient])
        rates = _truth(e, patient, rng, out)
        _observe(e, patient, rng, out)
        belief = start(how, patient, 0, (72.0,))
        for t in range(e.steps):
            belief = _step(belief, patient, t, rates[t], rng, out, predict, how)
        out.ratio[patient] = belief.z[:, :5].std(axis=0, ddof=1)
    return out


def _truth(e: Experiment, patient: int, rng: np.random.Generator, out: Series) -> Floats:
    """Fill the hidden outputs of one patient; return heart rates as the monitor reads them (T,)."""
    z = plant.MEAN + plant.SD * rng.standard_normal(5)
    resting = 72.0 + 9.0 * rng.standard_normal()
    phi = np.sqrt(1.0 - (WALK / plant.SD) ** 2)
    volumes = plant.start(z)
    rates, lost = np.empty(e.steps), 0.0
    for t in range(e.steps):
        if t:
            z = plant.MEAN + phi * (z - plant.MEAN) + WALK * rng.standard_normal(5)
        if e.bleed and e.bleed_at <= t < e.bleed_at + 3:  # an hour of three steps
            lost += e.bleed / 3.0
        hr = resting + 6.0 * np.sin(2.0 * np.pi * t / 72.0) + 2.0 * rng.standard_normal()
        hr = min(max(hr, 40.0), 140.0)
        now = z.copy()
        now[3] += np.log1p(-lost)
        beats = 30 if t == 0 else 10
        plant.advance(volumes, now, hr, beats, out.truth[patient, t])
        rates[t] = hr + rng.standard_normal()
    return rates


def _observe(e: Experiment, patient: int, rng: np.random.Generator, out: Series) -> None:
    """Fill what the sensors said, with outliers and the cuff's own offset."""
    offset = e.bias * rng.standard_normal()
    for k, column in enumerate(SEEN):
        noise = NOISE[column] * rng.standard_normal(e.steps)
        sign = rng.choice([-1.0, 1.0], e.steps)
        out.outlier[patient, :, k] = rng.random(e.steps) < e.outliers
        gross = sign * OUTLIER[column] * out.outlier[patient, :, k]
        truth = out.truth[patient, :, column] + (offset if column < 2 else 0.0)
        out.observed[patient, :, k] = truth + noise + gross


def _step(
    belief: Belief,
    patient: int,
    t: int,
    rate: float,
    rng: np.random.Generator,
    out: Series,
    predict: Predict,
    how: Settings,
) -> Belief:
    at = (t + 1) * STEP
    readings = [
        Reading(
            Observation("", VARIABLES[c], at, at, float(v), NOISE[c], device=f"sensor {c // 4}")
        )
        for c, v in zip(SEEN, out.observed[patient, t], strict=True)
    ]
    pulse = Reading(Observation("", "heart_rate", at, at, float(rate), 1.0))
    belief, report = assimilate(belief, at, [*readings, pulse], predict, how)
    out.outputs[patient, t] = report.outputs
    out.nis[patient, t] = report.nis[0] / max(report.nis[1], 1)
    out.alarms[patient, t] = bool(report.out_of_sync)
    for k, column in enumerate(SEEN):
        noisy = report.predicted[:, column] + NOISE[column] * rng.standard_normal(how.members)
        out.ranks[patient, t, k] = np.sum(noisy < out.observed[patient, t, k])
        out.rejected[patient, t, k] = abs(report.decisions[k].nu) > how.gate.soft and (
            not report.decisions[k].taken or report.decisions[k].variance > 1.5 * NOISE[column] ** 2
        )
    return belief


def inside(series: Series, level: float = 0.9) -> npt.NDArray[np.bool_]:
    """Return whether each truth lies in the central interval of `level` (P, T, 5)."""
    edges = np.quantile(series.outputs, [(1 - level) / 2, (1 + level) / 2], axis=2)
    return (edges[0] <= series.truth) & (series.truth <= edges[1])


def score(series: Series) -> Result:
    """Return the row of the table, from step `SCORED_FROM` on; ranks of good readings only."""
    s = slice(SCORED_FROM, None)
    hit = inside(series)[:, s]
    sbp = series.outputs[:, s, :, 0].astype(np.float64)
    truth = series.truth[:, s, 0]
    good = ~series.outlier[:, s]
    bad = ~good
    caught = series.rejected[:, s][bad]
    return Result(
        tuple(scores.coverage(hit[..., k]).share for k in range(5)),
        float(np.sqrt(np.mean((sbp.mean(axis=-1) - truth) ** 2))),
        float(scores.crps(sbp, truth).mean()),
        scores.rank_chi2(series.ranks[:, s][good], series.outputs.shape[2]),
        float(series.nis[:, s].mean()),
        float(caught.mean()) if caught.size else math.nan,
        float(series.rejected[:, s][good].mean()),
        tuple(series.ratio.mean(axis=0).tolist()),
    )
