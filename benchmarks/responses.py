"""How well a fitted twin foretells responses of patients that another circulation hides.

    python3 dev.py bench responses [--seed 11] [--patients 100] [--keep FILE]

The model is fitted (ES-MDA) to a cuff, SpO2, heart rate and one echo of each hidden patient; then
it foretells the changes of mean pressure and of output 2 and 10 min after fluid, phenylephrine,
propofol and a bleed (`response_cohort` says who and what). Two models know less: the *population's*
knows nothing of the patient; that of the *body* knows age, sex, weight and height. Against the
latter, the sterner, counts `response_crps_ratio`.

What a clinic learns on 200 other patients is used alike by all three: where the model's population
lies off theirs at rest, and what its forecasts lack, for each number an offset, a slope, a spread
and a small share of everything known (model output statistics: Glahn & Lowry 1972, Gneiting et al.
2005, 10.1175/MWR2904.1). No patient that is scored enters it.

Responses are emulated over 13 unknowns, two drug sensitivities and the body, trained on the physics
once (`--keep` stores those runs). Prints a table and, as its last line, one JSON object. About
four minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, qmc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.response_cohort import (
    ACTS,
    DRUGS,
    SCALE,
    TIMES,
    UNKNOWNS,
    Patients,
    Ran,
    answers,
    features,
    hidden,
    model_runs,
    people,
)

from isosoma.core.units import to_si
from isosoma.infer import scores
from isosoma.infer.emulator import Emulator, emulate, train
from isosoma.infer.esmda import calibrate
from isosoma.infer.philox import normals

__all__ = ["measure"]

Floats = npt.NDArray[np.float64]
Noise = Mapping[int, float]

CUFF = {0: 4.0, 1: 3.5, 4: 1.5, 5: 2.0}
"""Column of `READ` and noise of the mean of three cuff readings, of SpO2 and heart rate.

An echo adds volumes, stroke volume, E/A, and pulmonary, right and left atrial pressure from the
jet, the cava and E/e'; its noises are chosen (unverified), the last after Nagueh et al. 1997
(10.1016/S0735-1097(97)00344-6).
"""
ECHO, BLIND, WEARABLE = "cuff, SpO2, HR, echo", "cuff, SpO2, HR", "wearable HR, SpO2"
_SEEN = CUFF | {6: 10.0, 7: 7.0, 8: 7.0, 9: 0.2, 10: 5.0, 11: 3.0, 12: 4.0}
DATA: Mapping[str, Noise] = MappingProxyType(
    {
        ECHO: _SEEN,
        "the same and a central line": _SEEN | {11: 1.0},
        BLIND: CUFF,
        WEARABLE: {4: 3.0, 5: 5.0},
    }
)
POPULATION, BODY = "population", "age, sex, size"
MEMBERS, RUNS, LEARNT_ON = 512, 1280, 200


# --- the model's responses, emulated ------------------------------------------------------------


class Emulators(NamedTuple):
    """Of outputs at rest (`READ`), and of MAP and output after each act relative to rest."""

    rest: Emulator
    ratio: Emulator


def trained(ran: Ran, x: Floats, body: Floats) -> Emulators:
    """Return emulators from runs at coordinates `x` (T, 15) of bodies (T, 3)."""
    alive = ran.alive & (ran.rest[:, 2] > to_si(45.0, "mm[Hg]"))
    print(f"training runs: {int(alive.sum())} of {len(x)} lived")
    ratio = (ran.after / ran.rest[:, None, None, 2:4]).reshape(len(x), -1)[alive]
    x, body, rest = x[alive], body[alive], ran.rest[alive]
    at_rest = train(np.column_stack([x[:, : len(UNKNOWNS)], body]), rest, 2)
    return Emulators(at_rest, train(np.column_stack([x, body]), ratio, 2))


def surrogate(count: int, keep: Path | None) -> Emulators:
    """Return emulators trained on `count` runs of the model, kept in a file if one is named."""
    made = qmc.Sobol(len(UNKNOWNS) + len(DRUGS), scramble=True, seed=3)  # pyright: ignore[reportCallIssue]
    x = 1.15 * norm.ppf(0.9998 * made.random(count) + 0.0001)
    whom = people(count, np.random.default_rng(3))
    if keep is not None and keep.exists():
        held = np.load(keep)
        ran = Ran(held["rest"], held["after"], held["alive"])
    else:
        ran = model_runs(x, whom)
        if keep is not None:
            np.savez(keep, rest=ran.rest, after=ran.after, alive=ran.alive)
    return trained(ran, x, features(whom))


def foretold(emulators: Emulators, x: Floats, body: Floats) -> Floats:
    """Return answers (N', acts, times, 4) of members `x` (N, 15) of bodies (N, 3).

    Changes of MAP and output [mmHg, L/min], then MAP and output themselves; members that the
    emulator refuses are left out.
    """
    known = np.column_stack([x[:, : len(UNKNOWNS)], body])
    rest = emulate(emulators.rest, known, np.zeros(0)).outputs[:, 2:4]
    ratio = emulate(emulators.ratio, np.column_stack([x, body]), np.zeros(0)).outputs
    after = ratio.reshape(-1, len(ACTS), len(TIMES), 2) * rest[:, None, None, :]
    told = answers(rest, after)
    return told[np.all(np.isfinite(told), axis=(1, 2, 3))]


# --- fitting ------------------------------------------------------------------------------------


def prior(key: int) -> Floats:
    """Return members (N, 15) of the model before any reading."""
    return np.ascontiguousarray(normals((key, 0), 0, MEMBERS, len(UNKNOWNS) + len(DRUGS)))


def readings(patients: Patients, noise: Noise) -> Floats:
    """Return what is read of patients (P, data) [clinical units]."""
    sigma = np.array(list(noise.values()))
    rngs = [np.random.default_rng([_key(patients, p), 3]) for p in range(len(patients.rest))]
    return patients.rest[:, list(noise)] + [sigma * r.standard_normal(len(sigma)) for r in rngs]


def _key(patients: Patients, p: int) -> int:
    """Return the first word of a patient's random numbers."""
    return 1000 * patients.seed + p


def _rest(emulators: Emulators, z: Floats, body: Floats, columns: Sequence[int]) -> Floats:
    """Return outputs at rest (N, data) [clinical units] of members of one body (3,)."""
    return (emulate(emulators.rest, z, body).outputs / SCALE)[:, columns]


def offset(emulators: Emulators, patients: Patients, noise: Noise) -> Floats:
    """Return how far the readings of patients lie off the model's population (data,)."""
    z, columns = prior(_key(patients, 0))[:, : len(UNKNOWNS)], list(noise)
    usual = [np.nanmean(_rest(emulators, z, b, columns), axis=0) for b in features(patients.whom)]
    return (readings(patients, noise) - usual).mean(axis=0)


def fit(emulators: Emulators, y: Floats, noise: Noise, body: Floats, key: int) -> Floats:
    """Return members (N, 15) fitted to data `y` of a patient with that body (3,)."""
    x, n, columns = prior(key), len(UNKNOWNS), list(noise)
    R = np.array(list(noise.values())) ** 2 + (emulators.rest.error / SCALE)[columns] ** 2

    def predict(z: Floats) -> Floats:
        return _rest(emulators, z, body, columns)

    return np.column_stack([calibrate(x[:, :n], predict, y, R, key).z, x[:, n:]])


def told(
    emulators: Emulators, patients: Patients, known: str, off: Floats | float = 0.0
) -> list[Floats]:
    """Return the forecast of each patient by one of `DATA`, by the body, or by the population.

    Parameters
    ----------
    off : how far readings of other patients lie off the model.
    """
    bodies = features(patients.whom)
    anybody = features(people(MEMBERS, np.random.default_rng(patients.seed + 5)))
    noise = DATA.get(known)
    y = bodies if noise is None else readings(patients, noise) - off
    out = list[Floats]()
    for p, body in enumerate(bodies):
        key = _key(patients, p)
        x = prior(key) if noise is None else fit(emulators, y[p], noise, body, key)
        out.append(foretold(emulators, x, anybody if known == POPULATION else body + 0.0 * anybody))
    return out


# --- what other patients teach of forecasts -----------------------------------------------------

_SLOPE_SD, _SHARE = 0.3, 0.05
"""How far from 1 the slope of a forecast, and from 0 the share of a number known, may well lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Of a forecast with mean m, numbers x being known: mean w . (1, m, x), and further spread.

    Attributes
    ----------
    w : (2 + k, acts, times, 4). spread : (acts, times, 4). centre, scale : of `x` (k,).
    """

    w: Floats
    spread: Floats
    centre: Floats
    scale: Floats


def known_of(patients: Patients, known: str) -> Floats:
    """Return the numbers that a forecast knows of patients (P, k)."""
    if known == POPULATION:
        return np.empty((len(patients.rest), 0))
    body = features(patients.whom)
    return np.column_stack([body, readings(patients, DATA[known])]) if known in DATA else body


def correction(told: Sequence[Floats], truth: Floats, x: Floats) -> Correction:
    """Return what forecasts `told` lack, learnt from patients whose `truth` (P, ...) is known.

    A ridge of the truth on the forecast's mean and on what is known, `x` (P, k).
    """
    mean = np.array([m.mean(axis=0) for m in told]).reshape(len(truth), -1)
    own = np.array([m.var(axis=0, ddof=1) for m in told]).mean(axis=0)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    each = [
        _ridge(np.column_stack([np.ones(len(x)), m, (x - centre) / scale]), t)
        for m, t in zip(mean.T, truth.reshape(mean.shape).T, strict=True)
    ]
    w = np.array([w for w, _ in each]).T.reshape(-1, *own.shape)
    left = np.array([v for _, v in each]).reshape(own.shape)
    return Correction(w, np.sqrt(np.maximum(left - own, 0.0)), centre, scale)


def _ridge(design: Floats, truth: Floats) -> tuple[Floats, float]:
    """Return weights of (1, m, x) about (any, 1, 0), and the variance that they leave."""
    P, k = design.shape
    usual = np.eye(k)[1]
    power = (truth - design[:, 1]).var()
    held = np.diag([0.0, power / _SLOPE_SD**2, *[1.0 / _SHARE**2] * (k - 2)])
    normal = design.T @ design
    w = np.linalg.solve(normal + held, design.T @ truth + held @ usual)
    used = float(np.trace(np.linalg.solve(normal + held, normal)))
    left = truth - design @ w
    return w, float(left @ left / (P - used) * (1.0 + used / P))


def corrected(told: Floats, c: Correction, x: Floats, patient: int) -> Floats:
    """Return a forecast with what was learnt of its errors in it; `x` (k,) is known."""
    rng, mean = np.random.default_rng([patient, 77]), told.mean(axis=0)
    shift = np.tensordot((x - c.centre) / c.scale, c.w[2:], 1)
    middle = c.w[0] + c.w[1] * mean + shift
    return middle + told - mean + c.spread * rng.standard_normal(told.shape)


# --- scores -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Of each answer (acts, times, 4): covered share of 90 % intervals, and mean CRPS."""

    covered: Floats
    crps: Floats


def score(forecasts: Sequence[Floats], truth: Floats) -> Score:
    """Return how good forecasts of patients were."""
    edges = np.array([np.quantile(m, [0.05, 0.95], axis=0) for m in forecasts])
    hit = (edges[:, 0] <= truth) & (truth <= edges[:, 1])
    each = [scores.crps(np.moveaxis(m, 0, -1), t) for m, t in zip(forecasts, truth, strict=True)]
    return Score(hit.mean(axis=0), np.mean(each, axis=0))


def study(emulators: Emulators, learn: Patients, test: Patients) -> dict[str, Score]:
    """Return the score of each model: what is learnt on `learn` is scored on `test`."""
    out = dict[str, Score]()
    for known in (POPULATION, BODY, *DATA):
        off = offset(emulators, learn, DATA[known]) if known in DATA else 0.0
        c = correction(told(emulators, learn, known, off), learn.answers, known_of(learn, known))
        plain, x = told(emulators, test, known, off), known_of(test, known)
        ready = [corrected(m, c, x[p], _key(test, p)) for p, m in enumerate(plain)]
        out[known] = score(ready, test.answers)
    return out


def ratio(ours: Score, theirs: Score, *where: slice | int) -> float:
    """Return the geometric mean of CRPS ratios of answers; changes only where none is named."""
    gain = np.log(ours.crps / theirs.crps)
    return float(np.exp(np.mean(gain[where or (slice(None), slice(None), slice(0, 2))])))


def table(found: Mapping[str, Score]) -> str:
    """Return the rows that a person reads: by model and act, then each change by the echo."""
    each, changes = slice(None), slice(0, 2)
    parts = {"changes": (each, each, changes)}
    parts |= {name: (a, each, changes) for a, name in enumerate(ACTS)}
    parts |= {n: (each, each, k) for k, n in enumerate(("dMAP", "dCO", "MAP after", "CO after"))}
    lines = [
        f"{'coverage / CRPS over that by age, sex, size':44s}" + "".join(f"{n:>15s}" for n in parts)
    ]
    for name, s in found.items():
        cells = [(s.covered[w].mean(), ratio(s, found[BODY], *w)) for w in parts.values()]
        lines.append(f"{name:44s}" + "".join(f"{c:8.3f} {r:6.2f}" for c, r in cells))
    for a, act in enumerate(ACTS):
        for t, time in enumerate(TIMES):
            cells = (f"{ratio(found[ECHO], found[BODY], a, t, k):8.2f}" for k in (0, 1))
            lines.append(f"{act:>16s} {time / 60.0:3.0f} min, dMAP and dCO:" + "".join(cells))
    return "\n".join(lines)


def measure(patients: int = 100, seed: int = 11, keep: Path | None = None) -> dict[str, float]:
    """Return what the response study promises, measured."""
    emulators = surrogate(RUNS, keep)
    found = study(emulators, hidden(LEARNT_ON, 1000 + seed), hidden(patients, seed))
    print(table(found))
    changes = slice(None), slice(None), slice(0, 2)
    body, anybody, best = found[BODY], found[POPULATION], found[ECHO]
    out = {
        "response_coverage90": float(best.covered[changes].mean()),
        "response_crps_ratio": ratio(best, body),
        "response_crps_ratio_population": ratio(best, anybody),
        "body_crps_ratio_population": ratio(body, anybody),
    }
    for name, known in (("no_echo", BLIND), ("wearable", WEARABLE)):
        out[f"response_coverage90_{name}"] = float(found[known].covered[changes].mean())
        out[f"response_crps_ratio_{name}"] = ratio(found[known], body)
        out[f"response_crps_ratio_population_{name}"] = ratio(found[known], anybody)
    for k, name in ((2, "map"), (3, "co")):
        out[f"level_{name}_crps_ratio"] = ratio(best, body, slice(None), slice(None), k)
    return out


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    print(json.dumps(measure(given.patients, given.seed, given.keep)))


if __name__ == "__main__":
    main()
