"""How well a fitted twin foretells responses of patients that another circulation hides.

    python3 dev.py bench responses [--seed 0] [--patients 100] [--keep FILE]

Hidden patients run a structurally different plant: another activation of the ventricles, one more
arterial segment (sa - iliac - il), another reflex (lags, delays and the share of each effector),
their own sensitivity to drugs, and parameters spread that the model holds constant. The model is
fitted (ES-MDA) to a cuff, SpO2, heart rate and one echo; then 500 mL of fluid and a bleed of 750 mL
in 10 min, phenylephrine 100 ug, and propofol 2 mg/kg (ventilation as before). What counts are the
changes of mean pressure and of output 2 and 10 min after the act begins, means over six breaths
(26 s) as a monitor trends them: reflexes swing.

Responses are emulated over 13 unknowns and two drug sensitivities, trained on the physics once
(`--keep` stores those runs); the emulator's error is in the budget. So is the discrepancy between
plant and model: an offset and a spread for each number, learnt on patients of another seed. The
unpersonalised model is the prior ensemble of the same person, and gets its discrepancy alike.
Prints a table and, as its last line, one JSON object. About five minutes of one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, qmc

from isosoma.core.model import Bundle
from isosoma.core.units import to_si
from isosoma.infer import scores
from isosoma.infer.emulator import Emulator, emulate, train
from isosoma.infer.esmda import calibrate
from isosoma.infer.philox import normals
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation import rows
from isosoma.organs.circulation.anatomy import adult
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.transfer import transfer
from isosoma.physics.activation import Hill
from isosoma.physics.network import Edge, Graph, Node, check_graph, rebound

__all__ = ["measure"]

Floats = npt.NDArray[np.float64]
State = dict[str, npt.NDArray[np.floating]]

PERSON = Person()
MODEL = Circulation(threads=1)
ACTS: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {
        "fluid": ("infusion_rate", to_si(500.0, "mL"), 600.0),
        "phenylephrine": ("phenylephrine_rate", to_si(100.0, "ug"), 5.0),
        "propofol": ("propofol_rate", to_si(2.0 * PERSON.weight, "mg"), 30.0),
        "bleed": ("bleeding_rate", to_si(750.0, "mL"), 600.0),
    }
)
"""Act: input, amount [SI] and how long it runs [s]."""
TIMES = (120.0, 600.0)
DRUGS = ("phenylephrine_c50_0", "propofol_c50_0")
C50_SD = 0.3  # the table's prior spread of every c50
SETTLE = 90.0  # [s] before the acts

READ = (*physics.SEEN, "left_ventricular_end_diastolic_volume",
        "left_ventricular_end_systolic_volume", "stroke_volume", "mitral_e_to_a",
        "systolic_pulmonary_pressure", "central_venous_pressure")  # fmt: skip
UNITS = (*("mm[Hg]",) * 3, "L/min", "%", "/min", "mL", "mL", "mL", "1", "mm[Hg]", "mm[Hg]")
SCALE = np.array([to_si(1.0, u) for u in UNITS])
LIFT = np.array([0.0] * 11 + [to_si(10.0, "mm[Hg]")])
"""Added to what is read, so that a logarithm exists: central venous pressure may be negative."""
ANSWER_SCALE = np.array([to_si(1.0, "mm[Hg]"), to_si(1.0, "L/min")])
CUFF = {0: 4.0, 1: 3.5, 4: 1.5, 5: 2.0}
"""Column of `READ` and noise of the mean of three cuff readings, of SpO2 and heart rate.

An echo adds volumes, stroke volume, E/A, and pulmonary and right atrial pressure from the jet and
the cava; its noises are chosen (unverified).
"""
DATA: Mapping[str, Mapping[int, float]] = MappingProxyType(
    {
        "cuff, SpO2, HR, echo": CUFF | {6: 10.0, 7: 7.0, 8: 7.0, 9: 0.2, 10: 5.0, 11: 3.0},
        "cuff, SpO2, HR": CUFF,
        "wearable HR, SpO2": {4: 3.0, 5: 5.0},
    }
)
MEMBERS, SAMPLES, RUNS = 256, 15, 1024


# --- the hidden plant ---------------------------------------------------------------------------

_ILIAC = to_si(0.35, "mL/mm[Hg]")
_HIDDEN_SHAPE = Hill(1.9, 21.9, 0.303, 0.508)
"""Stergiopulos, Meister & Westerhof 1996, as in the reference plant of isosoma.infer."""


def hidden_graph() -> Graph:
    """Return the adult circulation with the arteries of the lower body as a segment of its own."""
    graph = adult()
    tube = {"R": to_si(0.02, "mm[Hg].s/mL"), "L": to_si(0.0008, "mm[Hg].s2/mL")}
    segment = Node("il", "elastic", {"C": _ILIAC, "V_u": 0.0})
    edges = (*graph.edges, Edge("iliac", "inertance", "sa", "il", tube))
    longer = Graph("hidden", (*graph.nodes, segment), edges, graph.inflow)
    return check_graph(rebound(longer, "lower", up="il"))


def hidden_model() -> Circulation:
    """Return the plant: its program is written with another activation, then kept."""
    graph, normal = hidden_graph(), rows.VENTRICULAR
    try:
        rows.VENTRICULAR = _HIDDEN_SHAPE
        rows.program_of(graph)
    finally:
        rows.VENTRICULAR = normal
    return Circulation(graph=graph, threads=1)


_SPREAD = {
    "venous_unstressed": 0.04, "aortic_compliance": 0.2, "capillary_conductance": 0.4,
    "gain_lv": 0.25, "gain_resistance": 0.25, "gain_veins": 0.25, "gain_vagal": 0.25,
    "gain_period": 0.25, "oxygen_consumption": 0.1, "rv_stiffness": 0.15, "lv_p0": 0.2,
    "phenylephrine_resistance_0": 0.15, "propofol_resistance_0": 0.15, "propofol_heart_0": 0.15,
    "propofol_veins_0": 0.15,
}  # fmt: skip
"""What the model holds constant and hidden patients do not share: sd of the logarithm."""
_SHIFT = {
    "gain_resistance": 0.85, "gain_veins": 1.15, "gain_vagal": 1.15, "lag_resistance": 1.4,
    "lag_veins": 0.7, "lag_heart": 1.3, "delay_sympathetic": 1.5, "delay_veins": 1.4,
    "cardiopulmonary_gain": 1.3, "baroreflex_lag": 1.4, "systole_slope": 1.1,
}  # fmt: skip
"""What all hidden patients have otherwise than the model: factor."""


def hidden_theta(count: int, rng: np.random.Generator) -> State:
    """Return parameters (count,) [SI] of hidden patients."""
    z = np.clip(rng.standard_normal((count, len(physics.UNKNOWNS))), -2.5, 2.5)
    theta = dict(physics.theta_at(MODEL, PERSON, z))
    for name, factor in _SHIFT.items():
        theta[name] = theta[name] * factor
    for name in (*_SPREAD, *DRUGS):
        sd = _SPREAD.get(name, C50_SD)
        theta[name] = theta[name] * np.exp(sd * rng.standard_normal(count))
    theta["arterial_compliance"] = theta["arterial_compliance"] * 0.7
    return theta


def hidden_start(model: Circulation, theta: Bundle) -> State:
    """Return where hidden patients begin: as the adult does, the new segment filled from veins."""
    start = MODEL.start(theta)
    state: State = dict(transfer(MODEL.graph, model.graph, start))
    filled = np.asarray(start["V_sa"]) / np.asarray(theta["arterial_compliance"]) * _ILIAC
    state["V_il"] = filled
    state["V_vl"] = np.asarray(state["V_vl"]) - filled
    return state


# --- acts ---------------------------------------------------------------------------------------


def _inputs(members: int) -> dict[str, Floats]:
    at = inputs_of(PERSON)
    return {p.name: np.full(members, at.get(p.name, p.rest)) for p in MODEL.inputs}


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """Outputs at rest (P, 12), lifted, and MAP and output after each act (P, acts, times, 2)."""

    rest: Floats
    after: Floats
    failed: npt.NDArray[np.bool_]


def _breath(
    model: Circulation, tick: int, state: Bundle, theta: Bundle, inputs: Bundle
) -> tuple[int, State, Floats, npt.NDArray[np.bool_]]:
    """Return tick, state, mean outputs over six breaths (P, 12), and who failed."""
    piece = _window(model) // SAMPLES
    total, failed = np.zeros((len(np.asarray(theta["period"])), len(READ))), np.zeros(1, np.bool_)
    for _ in range(SAMPLES):
        out = model.advance(tick, tick + piece, state, theta, inputs)
        tick, state, failed = tick + piece, out.state, failed | out.failed
        total += np.column_stack([out.outputs[n] for n in READ]) / SAMPLES
    return tick, dict(state), total + LIFT, failed


def _window(model: Circulation) -> int:
    """Return the ticks of six breaths, a whole number of samples."""
    ticks = 6.0 / inputs_of(PERSON)["breathing_frequency"] / model.step
    return SAMPLES * round(ticks / SAMPLES)


def balanced(state: Bundle, theta: Bundle) -> State:
    """Return parameters with which, from this state on, nothing is filtered on the average."""
    lower = 1.0 - np.asarray(theta["upper_share"])
    pressure = (np.asarray(state["V_vl"]) - np.asarray(state["Vu_vl"])) / (
        np.asarray(theta["venous_compliance"]) * lower
    )
    return {**theta, "tissue_pressure": pressure}


def run(model: Circulation, start: Bundle, theta: Bundle) -> Ran:
    """Return rest and responses of members."""
    members = len(np.asarray(theta["period"]))
    inputs, tick = _inputs(members), round(SETTLE / model.step)
    still = {**theta, "capillary_conductance": np.zeros(members)}
    out = model.advance(0, tick, start, still, inputs)
    tick, state, rest, failed = _breath(model, tick, out.state, still, inputs)
    theta = balanced(state, theta)
    after = np.empty((members, len(ACTS), len(TIMES), 2))
    for a, (name, amount, lasts) in enumerate(ACTS.values()):
        given = inputs | {name: np.full(members, amount / lasts)}
        seen, lost = _course(model, tick, state, theta, inputs, given, lasts)
        after[:, a] = seen
        failed = failed | lost
    return Ran(rest, after, failed | out.failed)


def _course(
    model: Circulation, tick: int, state: Bundle, theta: Bundle, inputs: Bundle, given: Bundle,
    lasts: float,
) -> tuple[Floats, npt.NDArray[np.bool_]]:  # fmt: skip
    """Return MAP and output (P, times, 2) at `TIMES` of an act that lasts so long [s]."""
    origin, ends = tick, round(lasts / model.step)
    breath = _window(model)
    seen, failed = list[Floats](), np.zeros(1, np.bool_)
    for time in TIMES:
        goal = origin + round(time / model.step) - breath
        for stop, now in ((min(goal, origin + ends), given), (goal, inputs)):
            if stop > tick:
                out = model.advance(tick, stop, state, theta, now)
                tick, state, failed = stop, out.state, failed | out.failed
        now = given if tick < origin + ends else inputs
        tick, state, got, lost = _breath(model, tick, state, theta, now)
        failed = failed | lost
        seen.append(got[:, 2:4])
    return np.stack(seen, axis=1), failed


# --- the model's responses, emulated ------------------------------------------------------------


def _ratios(ran: Ran) -> Floats:
    """Return responses relative to rest (P, acts * times * 2)."""
    return (ran.after / ran.rest[:, None, None, 2:4]).reshape(len(ran.rest), -1)


def design(count: int) -> Floats:
    """Return coordinates (count, 15) of the training runs: unknowns, then drug sensitivities."""
    n = len(physics.UNKNOWNS) + len(DRUGS)
    made = qmc.Sobol(n, scramble=True, seed=3)  # pyright: ignore[reportCallIssue]
    return 1.15 * norm.ppf(0.9998 * made.random(count) + 0.0001)


def model_runs(x: Floats) -> Ran:
    """Return the physics of the model at coordinates `x` (P, 15)."""
    n = len(physics.UNKNOWNS)
    theta = dict(physics.theta_at(MODEL, PERSON, x[:, :n]))
    for name, column in zip(DRUGS, x[:, n:].T, strict=True):
        theta[name] = theta[name] * np.exp(C50_SD * column)
    return run(MODEL, MODEL.start(theta), theta)


def surrogate(count: int, keep: Path | None) -> tuple[Emulator, Emulator]:
    """Return emulators of rest (13 inputs, READ) and of relative responses (15 inputs)."""
    x = design(count)
    if keep is not None and keep.exists():
        held = np.load(keep)
        ran = Ran(held["rest"], held["after"], held["failed"])
    else:
        ran = model_runs(x)
        if keep is not None:
            np.savez(keep, rest=ran.rest, after=ran.after, failed=ran.failed)
    # a heart that died is no response to be smoothed over
    whole = ~ran.failed & np.all(ran.after[..., 1] > 0.2 * ran.rest[:, None, None, 3], axis=(1, 2))
    whole &= ran.rest[:, 2] > to_si(45.0, "mm[Hg]")
    print(f"training runs: {int(whole.sum())} of {count} lived")
    answers = Ran(ran.rest[whole], ran.after[whole], ran.failed[whole])
    n = len(physics.UNKNOWNS)
    return train(x[whole][:, :n], answers.rest, 2), train(x[whole], _ratios(answers), 2)


# --- fitting and foretelling --------------------------------------------------------------------


def _rest(emulator: Emulator, z: Floats) -> Floats:
    return emulate(emulator, z, np.zeros(0)).outputs


def prior(patient: int) -> Floats:
    """Return members (N, 15) of the unpersonalised model."""
    return np.ascontiguousarray(
        normals((patient, 0), 0, MEMBERS, len(physics.UNKNOWNS) + len(DRUGS))
    )


def fit(
    emulator: Emulator, y: Mapping[int, float], noise: Mapping[int, float], patient: int,
    spread: Floats,
) -> Floats:  # fmt: skip
    """Return members (N, 15) fitted to data `y` of columns of `READ` [clinical units]."""
    columns = list(y)
    reading = np.array([noise[c] for c in columns])
    R = reading**2 + spread[columns] ** 2 + (emulator.error / SCALE)[columns] ** 2
    x, n = prior(patient), len(physics.UNKNOWNS)

    def predict(z: Floats) -> Floats:
        return _rest(emulator, z)[:, columns] / SCALE[columns]

    done = calibrate(x[:, :n], predict, np.array([y[c] for c in columns]), R, patient)
    return np.column_stack([done.z, x[:, n:]])


def foretold(emulators: tuple[Emulator, Emulator], x: Floats) -> Floats:
    """Return answers (N', acts, times, 4) of members `x`; those refused are left out.

    Changes of MAP and output [mmHg, L/min], then MAP and output themselves.
    """
    rest = _rest(emulators[0], x[:, : len(physics.UNKNOWNS)])[:, 2:4]
    ratio = emulate(emulators[1], x, np.zeros(0)).outputs.reshape(-1, len(ACTS), len(TIMES), 2)
    return _answers(rest, ratio * rest[:, None, None, :])


def _answers(rest: Floats, after: Floats) -> Floats:
    """Return changes and levels (P', acts, times, 4) of members whose numbers are finite."""
    before = rest[:, None, None, :]
    both = np.concatenate([(after - before) / ANSWER_SCALE, after / ANSWER_SCALE], axis=-1)
    return both[np.all(np.isfinite(both), axis=(1, 2, 3))]


@dataclass(frozen=True, slots=True, eq=False)
class Discrepancy:
    """Offset and further spread of each answer (acts, times, 4) [mmHg, L/min]."""

    offset: Floats
    spread: Floats


def discrepancy(told: list[Floats], truth: Floats) -> Discrepancy:
    """Return what forecasts `told` lack, learnt from patients whose `truth` (P, ...) is known."""
    mean = np.array([m.mean(axis=0) for m in told])
    own = np.array([m.var(axis=0, ddof=1) for m in told]).mean(axis=0)
    miss = truth - mean
    left = miss.var(axis=0, ddof=1) * (1.0 + 1.0 / len(truth)) - own
    return Discrepancy(miss.mean(axis=0), np.sqrt(np.maximum(left, 0.0)))


def inflated(told: Floats, d: Discrepancy, patient: int) -> Floats:
    """Return a forecast with the discrepancy in it."""
    rng = np.random.default_rng([patient, 77])
    return told + d.offset + d.spread * rng.standard_normal(told.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """Hidden patients: outputs at rest (P, 12) [clinical], answers (P, acts, times, 4)."""

    rest: Floats
    answers: Floats
    seed: int


def hidden(count: int, seed: int) -> Patients:
    """Return hidden patients; those whom an act kills are left out, and told."""
    model, rng = hidden_model(), np.random.default_rng([seed, 9])
    theta = hidden_theta(count, rng)
    ran = run(model, hidden_start(model, theta), theta)
    alive = ~ran.failed & np.all(ran.after[..., 1] > 0.2 * ran.rest[:, None, None, 3], axis=(1, 2))
    if not alive.all():
        print(f"{int((~alive).sum())} of {count} hidden patients of seed {seed} died of an act")
    answers = _answers(ran.rest[alive, 2:4], ran.after[alive])
    return Patients(ran.rest[alive] / SCALE, answers, seed)


def told(
    emulators: tuple[Emulator, Emulator], patients: Patients, noise: Mapping[int, float] | None,
    spread: Floats,
) -> list[Floats]:  # fmt: skip
    """Return the forecast of each patient, fitted to data with `noise`; None: the prior's."""
    out = list[Floats]()
    for p, rest in enumerate(patients.rest):
        key = 1000 * patients.seed + p
        x = prior(key)
        if noise is not None:
            rng = np.random.default_rng([key, 3])
            y = {c: float(rest[c] + s * rng.standard_normal()) for c, s in noise.items()}
            x = fit(emulators[0], y, noise, key, spread)
        out.append(foretold(emulators, x))
    return out


PLANT_SPREAD = np.array([3.0, 3.0, 3.0, 0.3, 0.3, 2.0, 8.0, 6.0, 5.0, 0.1, 2.0, 1.0])
"""How far the model may be from a plant at rest, beside its unknowns, for `READ` (chosen)."""


@dataclass(frozen=True, slots=True)
class Score:
    """Covered share of 90 % intervals and CRPS over that of the prior: of changes, and by part."""

    coverage: float
    ratio: float
    by: dict[str, tuple[float, float]]


def score(forecasts: list[Floats], priors: list[Floats], truth: Floats) -> Score:
    """Return how good forecasts were; ratios are geometric means over acts, times, quantities."""
    edges = np.array([np.quantile(m, [0.05, 0.95], axis=0) for m in forecasts])
    hit = (edges[:, 0] <= truth) & (truth <= edges[:, 1])
    ours, theirs = (
        np.mean([scores.crps(np.moveaxis(m, 0, -1), t) for m, t in zip(f, truth, strict=True)], 0)
        for f in (forecasts, priors)
    )
    gain = np.log(ours / theirs)

    def part(*where: slice | int) -> tuple[float, float]:
        return float(hit[:, *where].mean()), float(np.exp(np.mean(gain[*where])))

    each, changes = slice(None), slice(0, 2)
    by = {name: part(a, each, changes) for a, name in enumerate(ACTS)}
    for k, name in enumerate(("dMAP", "dCO", "MAP after", "CO after")):
        by[name] = part(each, each, k)
    return Score(*part(each, each, changes), by)


def study(
    emulators: tuple[Emulator, Emulator], learn: Patients, test: Patients
) -> dict[str, Score]:
    """Return the score of each set of data, discrepancies learnt on `learn`, scored on `test`."""

    def ready(noise: Mapping[int, float] | None) -> list[Floats]:
        d = discrepancy(told(emulators, learn, noise, PLANT_SPREAD), learn.answers)
        plain = told(emulators, test, noise, PLANT_SPREAD)
        return [inflated(m, d, 1000 * test.seed + p) for p, m in enumerate(plain)]

    base = ready(None)
    out = {name: score(ready(noise), base, test.answers) for name, noise in DATA.items()}
    return {"prior": score(base, base, test.answers)} | out


def measure(patients: int = 100, seed: int = 0, keep: Path | None = None) -> dict[str, float]:
    """Return what the response study promises, measured."""
    emulators = surrogate(RUNS, keep)
    learn, test = hidden(100, 1000 + seed), hidden(patients, seed)
    found = study(emulators, learn, test)
    print(table(found))
    best = found["cuff, SpO2, HR, echo"]
    return {
        "response_coverage90": best.coverage,
        "response_crps_ratio": best.ratio,
        "response_crps_ratio_no_echo": found["cuff, SpO2, HR"].ratio,
        "response_crps_ratio_wearable": found["wearable HR, SpO2"].ratio,
        "response_coverage90_no_echo": found["cuff, SpO2, HR"].coverage,
        "response_coverage90_wearable": found["wearable HR, SpO2"].coverage,
        "level_map_crps_ratio": best.by["MAP after"][1],
        "level_co_crps_ratio": best.by["CO after"][1],
    }


def table(found: Mapping[str, Score]) -> str:
    """Return the rows that a person reads: coverage and CRPS ratio, by act and quantity."""
    names = ["all", *next(iter(found.values())).by]
    lines = [f"{'coverage / CRPS ratio':24s}" + "".join(f"{n:>15s}" for n in names)]
    for name, s in found.items():
        cells = [(s.coverage, s.ratio), *s.by.values()]
        lines.append(f"{name:24s}" + "".join(f"{c:8.3f} {r:6.2f}" for c, r in cells))
    return "\n".join(lines)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    print(json.dumps(measure(given.patients, given.seed, given.keep)))


if __name__ == "__main__":
    main()
