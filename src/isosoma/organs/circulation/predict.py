"""What readings of one person's circulation should say, as a pure function of its unknowns.

A reading is predicted from rest: every member starts near its own equilibrium and beats ten times;
outputs are the mean over the beats of the last breath, as a cuff or an oximeter averages them. The
start is a quadratic in the unknowns, fitted once for a person to members that have settled, so that
neither a previous state nor a long run enters: the same unknowns give the same numbers.

Filtration into the tissue rests meanwhile. It takes a quarter of an hour, and on the way from one
reading to the next it is the unknown blood volume that wanders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle, Parameter, Source
from isosoma.core.prior import LogNormal
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.organs.circulation.parameters import PARAMETERS

__all__ = ["HELD", "SEEN", "UNKNOWNS", "Start", "predictor", "start_of", "theta_at", "unknowns"]

Floats = npt.NDArray[np.float64]

UNKNOWNS: dict[str, float] = {
    "systemic_resistance": 0.25,
    "arterial_compliance": 0.25,
    "lv_elastance": 0.25,
    "rv_elastance": 0.2,
    "lv_stiffness": 0.15,
    "blood_volume": 0.08,
    "venous_compliance": 0.15,
    "period": 0.1,
    "baroreflex_gain": 0.2,
    "baroreflex_setpoint": 0.08,
    "pulmonary_resistance": 0.25,
    "lung_shunt": 0.5,
    "haemoglobin_start": 0.1,
}
"""What is estimated of a person, with the sd of its logarithm.

Spreads of the table, and wider ones where patients differ more than healthy people of a size: blood
volume (dry or full), the veins, and the pressure that the reflex defends. The latter three are
chosen here (unverified).
"""
VALVES = ("aortic_area", "mitral_area")
_NARROWED, _DISEASED = 0.4, 0.5
"""Median of a stenosed valve's area as a share of the sound one, and sd of its logarithm: an aortic
valve of 0.6 to 3 cm2 in nine of ten (chosen here, unverified)."""
_CHOSEN = Source("Spread chosen for patients rather than healthy people", verified=False)

SEEN = (
    "systolic_pressure",
    "diastolic_pressure",
    "mean_arterial_pressure",
    "cardiac_output",
    "oxygen_saturation",
    "heart_rate",
)
"""Outputs that a bedside has names for; any of the model's outputs may be asked for."""
HELD: tuple[str, ...] = ()
"""Inputs given as context, in order: by default none, everything as `inputs_of` has it."""

_BEAT = 0.86  # [s] of the reference adult; a prediction is so many of them long
_PIECES = (
    3  # of the last breath, one sample of the last whole beat each: its first harmonics cancel
)
_DESIGN = 512  # members that settle; a quadratic in 13 unknowns has 105 coefficients
_SETTLE = 100.0  # [s] then means over three breaths
_SAMPLES = 90
_PHASE, _WINDOW = 0.85, 0.12  # of the beat: late filling, where volumes are taken and members begin


def unknowns(person: Person, valves: Sequence[str] = ()) -> tuple[Parameter, ...]:
    """Return what is estimated of a person, its prior around the medians of `theta_of`.

    Parameters
    ----------
    valves : of `VALVES`, those that are diseased: their area is unknown too.
    """
    strange = [v for v in valves if v not in VALVES]
    if strange:
        raise ModelError(f"{strange[0]} is no valve area", todo=f"Choose among {', '.join(VALVES)}")
    medians = theta_of(person)
    medians |= {v: _NARROWED * medians[v] for v in valves}
    spreads = UNKNOWNS | dict.fromkeys(valves, _DISEASED)
    return tuple(_unknown(name, medians[name], spread) for name, spread in spreads.items())


def _unknown(name: str, median: float, spread: float) -> Parameter:
    row = PARAMETERS[name]
    own = isinstance(row.prior, LogNormal) and row.prior.sd == spread
    return Parameter(name, row.unit, LogNormal(median, spread), row.source if own else _CHOSEN)


def theta_at(model: Circulation, person: Person, z: Floats, valves: Sequence[str] = ()) -> Bundle:
    """Return all parameters [SI] of members at coordinates `z` (N, n) of `unknowns`."""
    sought = unknowns(person, valves)
    if z.ndim != 2 or z.shape[1] != len(sought):
        raise ModelError(
            f"coordinates {z.shape} for {len(sought)} unknowns",
            todo="Give one row a member and one column an unknown, in the order of `unknowns`",
        )
    medians = theta_of(person)
    theta = {p.name: np.full(len(z), medians[p.name]) for p in model.parameters}
    return theta | {p.name: p.prior.real(z[:, i]) for i, p in enumerate(sought)}


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where members begin: each row of the state a quadratic in the unknowns.

    Attributes
    ----------
    rows : names. coefficients : (monomials, rows) of the logarithm where `positive` (rows,).
    state : of the reference member, arrays of shape (1, ...), for everything else.
    """

    rows: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    coefficients: Floats
    state: Bundle

    def at(self, z: Floats, total: Floats) -> dict[str, npt.NDArray[np.floating]]:
        """Return the state of members `z` (N, n); their blood and tissue add up to `total` (N,)."""
        fitted = _quadratic(z) @ self.coefficients
        fitted[:, self.positive] = np.exp(fitted[:, self.positive])
        out = {k: np.repeat(np.asarray(v), len(z), axis=0) for k, v in self.state.items()}
        out |= dict(zip(self.rows, np.ascontiguousarray(fitted.T), strict=True))
        filled = [n for n in out if n.startswith("V_")]
        spare = total - np.sum([out[n] for n in filled], axis=0)
        veins = out["V_vu"] + out["V_vl"]
        for name in ("V_vu", "V_vl"):
            out[name] = out[name] * (1.0 + spare / veins)
        for ring, row in zip(_RINGS, _SOURCES, strict=True):
            out[ring] = np.repeat(out[row][:, None], np.asarray(out[ring]).shape[1], axis=1)
        return out


_RINGS = ("ring_heart", "ring_vessels", "ring_veins", "ring_vagal")
_SOURCES = ("f_heart", "f_vessels", "f_vessels", "f_vagal")


def _quadratic(z: Floats) -> Floats:
    """Return the monomials to degree two (N, M), the constant first.

    Far out they go on from four standard deviations: a start is only a start.
    """
    x = np.clip(z, -4.0, 4.0)
    pairs = combinations_with_replacement(range(x.shape[1]), 2)
    return np.column_stack([np.ones(len(x)), x, *(x[:, i] * x[:, j] for i, j in pairs)])


def _inputs(model: Circulation, person: Person, members: int) -> dict[str, Floats]:
    at = inputs_of(person)
    return {p.name: np.full(members, at.get(p.name, p.rest)) for p in model.inputs}


def _at_rest(theta: Bundle) -> dict[str, npt.NDArray[np.floating]]:
    """Return parameters with the same equilibrium, which is reached without swinging past it."""
    members = len(np.asarray(theta["period"]))
    none = np.full(members, 1e-3)  # shorter than any step: no delay
    delays = dict.fromkeys(("delay_sympathetic", "delay_veins", "delay_vagal"), none)
    return {**theta, **delays, "capillary_conductance": np.zeros(members)}


@dataclass(frozen=True, slots=True)
class _Case:
    """What a start depends on; a model is told apart by its step and its graph's content."""

    key: str
    person: Person
    valves: tuple[str, ...]
    model: Circulation = field(compare=False)


def start_of(model: Circulation, person: Person, valves: Sequence[str] = ()) -> Start:
    """Return where members of this person begin; settled once, then kept.

    Takes some seconds: 512 members of a Sobol design beat for 100 s, their states averaged over
    the next three breaths.
    """
    return _settled(_Case(repr((model.step, model.graph)), person, tuple(valves), model))


@lru_cache(maxsize=64)
def _settled(case: _Case) -> Start:
    from scipy.stats import norm, qmc

    model, person, valves = case.model, case.person, case.valves
    count = len(unknowns(person, valves))
    made = qmc.Sobol(count, scramble=True, seed=1)  # pyright: ignore[reportCallIssue]
    z = 1.2 * norm.ppf(0.999 * made.random(_DESIGN) + 0.0005)
    z[0] = 0.0
    theta, inputs = _at_rest(theta_at(model, person, z, valves)), _inputs(model, person, len(z))
    tick = round(_SETTLE / model.step)
    out = model.advance(0, tick, model.start(theta), theta, inputs)
    reference = {k: np.asarray(v)[:1].copy() for k, v in out.state.items()}
    reference |= {k: np.zeros(1) for k in reference if k.startswith("q_") or k == "breath"}
    reference["phi"] = np.full(1, _PHASE)
    piece = max(1, round(3.0 / inputs_of(person)["breathing_frequency"] / _SAMPLES / model.step))
    rows = [k for k in out.state if _averaged(k)]
    total, weight, failed = np.zeros((len(z), len(rows))), np.zeros((len(z), len(rows))), out.failed
    volumes = np.array([k.startswith("V_") for k in rows])
    for _ in range(_SAMPLES):
        out = model.advance(tick, tick + piece, out.state, theta, inputs)
        tick, failed = tick + piece, failed | out.failed
        filling = np.abs(np.asarray(out.state["phi"]) - _PHASE) < _WINDOW
        counts = np.where(volumes, filling[:, None], True)
        total += counts * np.column_stack([out.state[k] for k in rows])
        weight += counts
    failed |= weight.min(axis=1) == 0
    return _fit(z[~failed], (total / np.maximum(weight, 1))[~failed], rows, reference)


def _averaged(row: str) -> bool:
    kept = ("V_", "S_", "tone_", "p_", "f_", "E_", "G_", "Vu_", "coronary_tone", "heart_strength")
    return row.startswith((*kept, "per_T", "rate_v", "capacity", "haemoglobin_mass", "q_perf"))


def _fit(z: Floats, means: Floats, rows: list[str], state: Bundle) -> Start:
    if len(z) < 2 * _quadratic(z[:1]).shape[1]:
        raise ModelError(
            f"only {len(z)} of {_DESIGN} members of the design can settle",
            todo="This person's medians lie where the model fails; check age and weight",
        )
    positive = np.all(means > 0.0, axis=0)
    target = means.copy()
    target[:, positive] = np.log(means[:, positive])
    coefficients: Floats = np.linalg.lstsq(_quadratic(z), target, rcond=None)[0].astype(np.float64)
    return Start(tuple(rows), positive, coefficients, state)


def predictor(
    person: Person,
    outputs: Sequence[str] = SEEN,
    beats: int = 10,
    model: Circulation | None = None,
    valves: Sequence[str] = (),
    held: Sequence[str] = HELD,
) -> Callable[[Floats, Floats], Floats]:
    """Return ``predict(z (N, n), context (k,)) -> (N, p)`` of `outputs` [SI]; NaN: failed.

    Parameters
    ----------
    beats : length of a prediction, in beats of this person at rest.
    model : with its graph; by default the adult one.
    valves : those whose area is unknown. held : inputs that the context gives, in order.
    """
    model = model or Circulation()
    strange = [n for n in outputs if n not in OUTPUTS]
    strange += [n for n in held if n not in {p.name for p in model.inputs}]
    if strange:
        raise ModelError(f"the circulation has no {strange[0]}", todo="See `isosoma models`")
    begin = start_of(model, person, valves)
    piece, settle = _spans(model, person, beats)

    def predict(z: Floats, context: Floats) -> Floats:
        theta = _at_rest(theta_at(model, person, z, valves))
        inputs = _inputs(model, person, len(z))
        inputs |= {n: np.full(len(z), v) for n, v in zip(held, context, strict=True)}
        total = np.asarray(theta["blood_volume"]) + np.asarray(theta["tissue_volume"])
        out = model.advance(0, settle, begin.at(z, total), theta, inputs)
        failed, sums, tick = out.failed, np.zeros((len(z), len(outputs))), settle
        for _ in range(_PIECES):
            out = model.advance(tick, tick + piece, out.state, theta, inputs)
            tick, failed = tick + piece, failed | out.failed
            sums += np.column_stack([out.outputs[n] for n in outputs])
        sums[failed] = np.nan
        return sums / _PIECES

    return predict


def _spans(model: Circulation, person: Person, beats: int) -> tuple[int, int]:
    """Return the ticks of a piece of the last breath, and of what comes before it."""
    breath = 1.0 / inputs_of(person)["breathing_frequency"]
    length = beats * _BEAT * theta_of(person)["period"] / 0.485
    piece = max(1, round(breath / _PIECES / model.step))
    return piece, max(
        round(length / model.step) - _PIECES * piece, round(0.2 * length / model.step)
    )
