"""People whose circulation answers fluid, drugs and a bleed: the model's own, and hidden ones.

Adults of both sexes, 20 to 85 years, of any size. Hidden ones run a structurally different plant:
another activation of the ventricles, one more arterial segment (sa - iliac - il), another reflex
(lags, delays and the share of each effector), their own sensitivity to drugs, and parameters spread
that the model holds constant.

Given are 500 mL of fluid and a bleed of 750 mL in 10 min, phenylephrine 100 ug, and propofol
2 mg/kg (ventilation as before). What counts are mean pressure and output 2 and 10 min after the act
begins, means over six breaths (26 s) as a monitor trends them: reflexes swing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from isosoma.core.model import Bundle
from isosoma.core.units import to_si
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation import rows
from isosoma.organs.circulation.anatomy import adult
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.organs.circulation.drugs import lean_mass
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.transfer import transfer
from isosoma.physics.activation import Hill
from isosoma.physics.network import Edge, Graph, Node, check_graph, rebound

__all__ = [
    "ACTS", "DRUGS", "HIDDEN", "READ", "SCALE", "TIMES", "UNKNOWNS", "Patients", "Ran", "answers",
    "features", "hidden", "model_runs", "people",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
State = dict[str, npt.NDArray[np.floating]]

MODEL = Circulation(threads=1)
UNKNOWNS = tuple(physics.UNKNOWNS)
ACTS: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {
        "fluid": ("infusion_rate", to_si(500.0, "mL"), 600.0),
        "phenylephrine": ("phenylephrine_rate", to_si(100.0, "ug"), 5.0),
        "propofol": ("propofol_rate", to_si(2.0, "mg"), 30.0),
        "bleed": ("bleeding_rate", to_si(750.0, "mL"), 600.0),
    }
)
"""Act: input, amount [SI] and how long it runs [s]; of `BY_WEIGHT` the amount is that of a kg."""
BY_WEIGHT = ("propofol",)
TIMES = (120.0, 600.0)
DRUGS = ("phenylephrine_c50_0", "propofol_c50_0")
C50_SD = 0.3  # the table's prior spread of every c50
SETTLE = 240.0  # [s] before the acts; after 90 s outputs still drift by .02 L/min
SAMPLES = 15

READ = (*physics.SEEN, "left_ventricular_end_diastolic_volume",
        "left_ventricular_end_systolic_volume", "stroke_volume", "mitral_e_to_a",
        "systolic_pulmonary_pressure", "central_venous_pressure",
        "left_atrial_pressure")  # fmt: skip
UNITS = (*("mm[Hg]",) * 3, "L/min", "%", "/min", *("mL",) * 3, "1", *("mm[Hg]",) * 3)
SCALE = np.array([to_si(1.0, u) for u in UNITS])
LIFT = np.where(np.array(READ) == "central_venous_pressure", to_si(10.0, "mm[Hg]"), 0.0)
"""Added to what is read, so that a logarithm exists: central venous pressure may be negative."""
ANSWER_SCALE = np.array([to_si(1.0, "mm[Hg]"), to_si(1.0, "L/min")])


# --- who they are -------------------------------------------------------------------------------


def people(count: int, rng: np.random.Generator) -> tuple[Person, ...]:
    """Return adults: age even over 20 to 85 years, height and body mass index of a population.

    Heights 1.77 and 1.64 m with an sd of 7 cm, a median index of 26 kg/m2 with a sixth of spread
    (rounded, unverified).
    """
    age, female = rng.uniform(20.0, 85.0, count), rng.random(count) < 0.5
    height = np.where(female, 1.64, 1.77) + 0.07 * np.clip(rng.standard_normal(count), -2.5, 2.5)
    index = 26.0 * np.exp(np.clip(rng.standard_normal(count), -2.5, 2.5) / 6.0)
    rows_of = zip(age, index * height**2, height, female, strict=True)
    return tuple(Person(float(a), float(w), float(h), bool(f)) for a, w, h, f in rows_of)


def features(whom: Sequence[Person]) -> Floats:
    """Return what of a body the model reads (P, 3), each about standard: age, weight, lean mass."""
    lean = [lean_mass(p.weight, p.height, p.female) for p in whom]
    age, weight = np.array([(p.age, p.weight) for p in whom]).T
    columns = (age - 52.0) / 19.0, np.log(weight / 76.0) / 0.2, np.log(lean / (0.68 * weight)) / 0.1
    return np.column_stack(columns)


def _theta(whom: Sequence[Person], z: Floats) -> State:
    """Return parameters (P,) [SI], one person each, at coordinates `z` (P, 13)."""
    each = [physics.theta_at(MODEL, p, z[i : i + 1]) for i, p in enumerate(whom)]
    return {n: np.concatenate([np.asarray(t[n]) for t in each]) for n in each[0]}


def _inputs(whom: Sequence[Person]) -> dict[str, Floats]:
    at = [inputs_of(p) for p in whom]
    return {p.name: np.array([a.get(p.name, p.rest) for a in at]) for p in MODEL.inputs}


# --- the hidden plant ---------------------------------------------------------------------------

_ILIAC = to_si(0.35, "mL/mm[Hg]")
_HIDDEN_SHAPE = Hill(1.9, 21.9, 0.303, 0.508)
"""Stergiopulos, Meister & Westerhof 1996, as in the reference plant of isosoma.infer."""
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
HIDDEN = (*UNKNOWNS, *DRUGS, *_SPREAD)


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


def hidden_theta(whom: Sequence[Person], rng: np.random.Generator) -> State:
    """Return parameters (P,) [SI] of hidden patients."""
    count = len(whom)
    z = np.clip(rng.standard_normal((count, len(UNKNOWNS))), -2.5, 2.5)
    theta = _theta(whom, z)
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


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """Outputs at rest (P, 13), lifted; MAP and output after each act (P, acts, times, 2); alive."""

    rest: Floats
    after: Floats
    alive: npt.NDArray[np.bool_]


def _window(model: Circulation) -> int:
    """Return the ticks of six breaths of an adult, a whole number of samples."""
    ticks = 6.0 / inputs_of(Person())["breathing_frequency"] / model.step
    return SAMPLES * round(ticks / SAMPLES)


def _breath(
    model: Circulation, tick: int, state: Bundle, theta: Bundle, inputs: Bundle
) -> tuple[int, State, Floats, npt.NDArray[np.bool_]]:
    """Return tick, state, mean outputs over six breaths (P, 13), and who failed."""
    piece = _window(model) // SAMPLES
    total, failed = np.zeros((len(np.asarray(theta["period"])), len(READ))), np.zeros(1, np.bool_)
    for _ in range(SAMPLES):
        out = model.advance(tick, tick + piece, state, theta, inputs)
        tick, state, failed = tick + piece, out.state, failed | out.failed
        total += np.column_stack([out.outputs[n] for n in READ]) / SAMPLES
    return tick, dict(state), total + LIFT, failed


def balanced(state: Bundle, theta: Bundle) -> State:
    """Return parameters with which, from this state on, nothing is filtered on the average."""
    lower = 1.0 - np.asarray(theta["upper_share"])
    pressure = (np.asarray(state["V_vl"]) - np.asarray(state["Vu_vl"])) / (
        np.asarray(theta["venous_compliance"]) * lower
    )
    return {**theta, "tissue_pressure": pressure}


def run(model: Circulation, start: Bundle, theta: Bundle, whom: Sequence[Person]) -> Ran:
    """Return rest and responses of members, one person each."""
    members = len(whom)
    inputs, tick = _inputs(whom), round(SETTLE / model.step)
    weight = np.array([p.weight for p in whom])
    still = {**theta, "capillary_conductance": np.zeros(members)}
    out = model.advance(0, tick, start, still, inputs)
    tick, state, rest, failed = _breath(model, tick, out.state, still, inputs)
    theta = balanced(state, theta)
    after = np.empty((members, len(ACTS), len(TIMES), 2))
    for a, (act, (name, amount, lasts)) in enumerate(ACTS.items()):
        size = weight if act in BY_WEIGHT else np.ones(members)
        given = inputs | {name: amount * size / lasts}
        seen, lost = _course(model, tick, state, theta, inputs, given, lasts)
        after[:, a] = seen
        failed = failed | lost
    # a heart that died is no response to be smoothed over
    alive = np.all(after[..., 1] > 0.2 * rest[:, None, None, 3], axis=(1, 2))
    return Ran(rest, after, ~(failed | out.failed) & alive)


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


def model_runs(x: Floats, whom: Sequence[Person]) -> Ran:
    """Return the physics of the model at coordinates `x` (P, 15), one person each."""
    n = len(UNKNOWNS)
    theta = _theta(whom, x[:, :n])
    for name, column in zip(DRUGS, x[:, n:].T, strict=True):
        theta[name] = theta[name] * np.exp(C50_SD * column)
    return run(MODEL, MODEL.start(theta), theta, whom)


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """Hidden patients.

    Attributes
    ----------
    whom : their bodies. rest : outputs at rest (P, 13) [clinical]. answers : (P, acts, times, 4).
    traits : logarithms of `HIDDEN` (P, 30), which no model is told.
    """

    whom: tuple[Person, ...]
    rest: Floats
    answers: Floats
    traits: Floats
    seed: int


def hidden(count: int, seed: int) -> Patients:
    """Return hidden patients; those whom an act kills are left out, and told."""
    model, rng = hidden_model(), np.random.default_rng([seed, 9])
    whom = people(count, rng)
    theta = hidden_theta(whom, rng)
    ran = run(model, hidden_start(model, theta), theta, whom)
    if not ran.alive.all():
        print(f"{int((~ran.alive).sum())} of {count} hidden patients of seed {seed} died of an act")
    living = tuple(p for p, alive in zip(whom, ran.alive, strict=True) if alive)
    rest = ran.rest[ran.alive]
    told = answers(rest[:, 2:4], ran.after[ran.alive])
    traits = np.log(np.abs(np.column_stack([theta[n] for n in HIDDEN])))[ran.alive]
    return Patients(living, rest / SCALE, told, traits, seed)


def answers(rest: Floats, after: Floats) -> Floats:
    """Return changes and levels (P, acts, times, 4) [mmHg, L/min] from MAP and output [SI]."""
    before = rest[:, None, None, :]
    return np.concatenate([(after - before) / ANSWER_SCALE, after / ANSWER_SCALE], axis=-1)
