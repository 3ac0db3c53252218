"""What happens to any monitored adult and is no emergency: for watches that must not cry of it.

Physical disturbances are played by the model, each member its own; artefacts and slow wandering are
added to its readings. Rates and sizes are chosen here (unverified), for a busy bed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.intervention import Intervention
from isosoma.core.units import to_si
from isosoma.twin.course import Running, follow

Floats = npt.NDArray[np.float64]

RATES = {
    "posture": 2.0, "fluid": 0.5, "talking": 4.0,
    "level": 0.5, "flush": 1.0, "cuff on the oximeter's arm": 4.0, "movement": 6.0, "cough": 4.0,
}  # fmt: skip
"""How often in an hour."""
MMHG, PER_MIN, ML = to_si(1.0, "mm[Hg]"), to_si(1.0, "/min"), to_si(1.0, "mL")
ARTERIAL = ("mean_arterial_pressure", "systolic_pressure", "diastolic_pressure")
WANDERING = {
    "mean_arterial_pressure": 2.5 * MMHG, "heart_rate": 2.0 * PER_MIN, "oxygen_saturation": 0.004,
    "central_venous_pressure": 0.5 * MMHG, "pulse": 1.5 * MMHG,
}  # fmt: skip
"""Spread of slow wandering; the three arterial pressures share theirs, but for the pulse's."""
_TAU = 100.0
"""Time in which wandering is forgotten [s]."""


@dataclass(frozen=True, slots=True, eq=False)
class Ordinary:
    """Physical disturbances, (frames, N) each: blood to the legs and fluid [m3/s], and factors."""

    pooled: Floats
    fluid: Floats
    resistance: Floats
    period: Floats


def _begins(
    name: str, shape: tuple[int, ...], every: float, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Return where one begins, (events, 2): frame and member."""
    return np.argwhere(rng.random(shape) < RATES[name] * every / 3600.0)


def ordinary(frames: int, members: int, every: float, rng: np.random.Generator) -> Ordinary:
    """Return what happens to members in so many frames."""
    shape = (frames, members)
    pooled, fluid = np.zeros(shape), np.zeros(shape)
    resistance, period = np.ones(shape), np.ones(shape)
    for i, k in _begins("posture", shape, every, rng):
        volume = rng.uniform(50.0, 200.0) * rng.choice([-1.0, 1.0]) * ML
        back = i + int(rng.uniform(120.0, 900.0) / every)
        for at, sign in ((i, 1.0), (back, -1.0)):
            pooled[at : at + 3, k] += sign * volume / (3.0 * every)
    for i, k in _begins("fluid", shape, every, rng):
        pieces = int(rng.uniform(300.0, 900.0) / every)
        fluid[i : i + pieces, k] += rng.uniform(100.0, 250.0) * ML / (pieces * every)
    for i, k in _begins("talking", shape, every, rng):
        until = i + int(rng.uniform(15.0, 90.0) / every)
        resistance[i:until, k] *= rng.uniform(1.03, 1.15)
        period[i:until, k] *= rng.uniform(0.90, 0.98)
    return Ordinary(pooled, fluid, resistance, period)


def lived(
    run: Running, happened: Ordinary, names: tuple[str, ...], every: float,
    acts: tuple[Intervention, ...] = (),
) -> dict[str, Floats]:  # fmt: skip
    """Return outputs of members to whom ordinary things happen, (frames, N) each."""
    rows = {n: np.empty_like(happened.fluid) for n in names}
    for i, pooled in enumerate(happened.pooled):
        inputs = dict(run.inputs) | {
            "bleeding_rate": np.maximum(pooled, 0.0), "transfusion_rate": np.maximum(-pooled, 0.0),
            "infusion_rate": happened.fluid[i],
        }  # fmt: skip
        theta = dict(run.theta)
        theta["systemic_resistance"] = theta["systemic_resistance"] * happened.resistance[i]
        theta["period"] = theta["period"] * happened.period[i]
        course = follow(replace(run, inputs=inputs, theta=theta), acts, every, every)
        run = replace(course.end, inputs=run.inputs, theta=run.theta)
        for name in names:
            rows[name][i] = course.output(name)[0]
    return rows


def _wandering(shape: tuple[int, ...], every: float, rng: np.random.Generator) -> Floats:
    keep = np.exp(-every / _TAU)
    out = rng.standard_normal(shape)
    for i in range(1, len(out)):
        out[i] = keep * out[i - 1] + np.sqrt(1.0 - keep**2) * out[i]
    return out


def seen(
    true: Mapping[str, Floats], sigma: Mapping[str, float], every: float, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return readings (frames, N) of outputs: noise, slow wandering, and artefacts."""
    shape = next(iter(true.values())).shape
    out = {n: v + sigma[n] * rng.standard_normal(shape) for n, v in true.items()}
    slow = {n: s * _wandering(shape, every, rng) for n, s in WANDERING.items()}
    for name in ("heart_rate", "oxygen_saturation", "central_venous_pressure"):
        out[name] += slow[name]
    for name, share in zip(ARTERIAL, (0.0, 0.6, -0.4), strict=True):
        out[name] += slow["mean_arterial_pressure"] + share * slow["pulse"]

    def strike(
        kind: str, names: tuple[str, ...], size: tuple[float, float], lasts: float,
        either: bool = False,
    ) -> None:  # fmt: skip
        for i, k in _begins(kind, shape, every, rng):
            until = i + rng.integers(1, max(int(lasts / every), 1) + 1)
            off = rng.uniform(*size) * (rng.choice([-1.0, 1.0]) if either else 1.0)
            for name in names:
                out[name][i:until, k] += off

    level = (*ARTERIAL, "central_venous_pressure")
    strike("level", level, (0.0, 2.2 * MMHG), shape[0] * every, either=True)
    strike("flush", ARTERIAL, (30.0 * MMHG, 80.0 * MMHG), 20.0, either=True)
    strike("movement", ("heart_rate",), (5.0 * PER_MIN, 40.0 * PER_MIN), 15.0, either=True)
    strike("movement", ("oxygen_saturation",), (-0.08, -0.02), 20.0)
    strike("cuff on the oximeter's arm", ("oxygen_saturation",), (-0.15, -0.03), 35.0)
    strike("cough", ("central_venous_pressure",), (2.0 * MMHG, 8.0 * MMHG), 15.0)
    strike("cough", ARTERIAL, (-5.0 * MMHG, 10.0 * MMHG), 15.0)
    out["oxygen_saturation"] = np.minimum(out["oxygen_saturation"], 1.0)
    return out
