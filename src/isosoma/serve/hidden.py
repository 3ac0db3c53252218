"""The demonstration's truth: a circulation that nobody is shown, sealed before anything is said.

The seal is the SHA-256 of a text that holds every parameter of the hidden member and a word that
makes it unguessable. The text is given at the end; whoever kept the seal can check it.
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.organs.circulation.unknowns import unknowns
from isosoma.twin.course import Running, settled
from isosoma.twin.starting import at_rest

__all__ = [
    "FREED", "PATIENT", "PERSON", "Hidden", "hidden", "history", "imaged", "resting", "started",
    "vitals",
]  # fmt: skip

PATIENT = "SIM-0001"
PERSON = Person(age=78.0, weight=74.0, height=1.68, female=True)
FREED = ("aortic_area",)
"""What everybody may know of the simulated patient, who has a stenosed aortic valve; all else is
hidden."""
SPREAD = 0.9
"""Of the truth, in standard deviations of the twin's prior: a patient, not the textbook."""
_STENOSIS = (to_si(0.7, "cm2"), 0.1)
"""Area of the valve, and the sd of its logarithm: severe."""
_ROOT = {
    "left_coronary_height": (to_si(8.0, "mm"), 0.05),
    "right_coronary_height": (to_si(15.0, "mm"), 0.05),
    "left_sinus_width": (to_si(28.5, "mm"), 0.015),
    "right_sinus_width": (to_si(28.5, "mm"), 0.015),
    "aortic_annulus_area": (to_si(460.0, "mm2"), 0.04),
    "aortic_annulus_perimeter": (to_si(77.0, "mm"), 0.02),
}
"""Of the aortic root: a low left coronary in a narrow sinus; middle and sd of the logarithm."""
_SINCE = 2 * 3600  # [s] that the patient was watched before the page begins
_EVERY = 900  # [s] between two cuffs then
_ECHO = 6000  # [s] before the page begins
_ECHOED = {
    "left_ventricular_end_diastolic_volume": to_si(10.0, "mL"),
    "left_ventricular_ejection_fraction": 0.04,
    "aortic_valve_area": to_si(0.1, "cm2"),
    "aortic_valve_mean_gradient": to_si(4.0, "mm[Hg]"),
}
"""What the one echo tells, and its noise [SI]."""
_CUFF = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")
_TOGETHER = 0.9
"""Share of a cuff's error that its three numbers have in common: its fit, its height."""
_SIGMA = {
    "systolic_pressure": to_si(4.0, "mm[Hg]"), "diastolic_pressure": to_si(4.0, "mm[Hg]"),
    "mean_arterial_pressure": to_si(3.5, "mm[Hg]"),
    "oxygen_saturation": 0.01, "heart_rate": to_si(1.0, "/min"), **_ECHOED,
}  # fmt: skip
"""Noise of each device of the demonstration [SI]."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """The truth.

    Attributes
    ----------
    unknowns : by name [SI]: what the twin will look for.
    root : lengths and area of the aortic root [SI]: what only images tell.
    text : what the seal is the digest of.
    """

    person: Person
    unknowns: Mapping[str, float]
    root: Mapping[str, float]
    text: str

    @property
    def seal(self) -> str:
        """Return the SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def hidden(seed: int | None = None) -> Hidden:
    """Return a truth; without a seed one that nobody can know."""
    number = secrets.randbits(64) if seed is None else seed
    rng = np.random.default_rng(number)
    sought = unknowns(PERSON, FREED)
    z = np.clip(SPREAD * rng.standard_normal(len(sought)), -1.8, 1.8)
    truth = {p.name: float(p.prior.real(z[i : i + 1])[0]) for i, p in enumerate(sought)}
    truth["aortic_area"] = _near(rng, *_STENOSIS)
    root = {name: _near(rng, *row) for name, row in _ROOT.items()}
    salt = secrets.token_hex(16) if seed is None else f"seed {seed}"
    body = {"age": PERSON.age, "weight": PERSON.weight, "height": PERSON.height, "sex": "f"}
    said = {"model": "organs.circulation", "person": body, "unknowns": truth}
    said |= {"root": root, "salt": salt}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return Hidden(PERSON, MappingProxyType(truth), MappingProxyType(root), text)


def _near(rng: np.random.Generator, middle: float, spread: float) -> float:
    return float(middle * np.exp(np.clip(spread * rng.standard_normal(), -0.2, 0.2)))


def started(truth: Hidden) -> Running:
    """Return the hidden circulation at rest, time 0 of the demonstration."""
    return at_rest(truth.person, truth.unknowns)


def resting(run: Running, seconds: int = 13) -> dict[str, float]:
    """Return the outputs [SI] of a run, the mean over some breaths."""
    total = dict.fromkeys(OUTPUTS, 0.0)
    for _ in range(seconds):
        run = settled(run, 1.0)
        out = run.model.advance(run.tick, run.tick, run.state, run.theta, run.inputs).outputs
        for name in OUTPUTS:
            total[name] += float(out[name][0]) / seconds
    return total


def noisy(
    variable: str,
    value: float,
    device: str,
    at: int,
    rng: np.random.Generator,
    shared: float | None = None,
) -> Observation:
    """Return what a device reads of a value [SI] at `at` [ns].

    Parameters
    ----------
    shared : an error of the device [standard deviations] that all numbers of one reading have.
    """
    sigma, row = _SIGMA[variable], VOCABULARY[variable]
    error = rng.standard_normal()
    if shared is not None:
        error = _TOGETHER * shared + math.sqrt(1.0 - _TOGETHER**2) * error
    read = float(np.clip(value + sigma * error, row.low, row.high))
    if variable == "oxygen_saturation":
        read = min(read, 1.0)
    return Observation(
        PATIENT, variable, at, at, read, sigma, device=device, origin="demonstration"
    )


def vitals(
    values: Mapping[str, float], at: int, rng: np.random.Generator, cuff: bool
) -> list[Observation]:
    """Return what oximeter, monitor and, with `cuff`, the cuff read at `at` [ns]."""
    out = [
        noisy("oxygen_saturation", values["oxygen_saturation"], "oximeter", at, rng),
        noisy("heart_rate", values["heart_rate"], "ecg", at, rng),
    ]
    shared = rng.standard_normal()
    return out + [noisy(n, values[n], "cuff", at, rng, shared) for n in _CUFF if cuff]


def history(truth: Running, now: int, rng: np.random.Generator) -> tuple[Observation, ...]:
    """Return what was read of the patient, at rest, until `now` [ns]."""
    values = resting(truth)
    out: list[Observation] = []
    for ago in range(_SINCE, 0, -_EVERY):
        out += vitals(values, now - ago * 10**9, rng, cuff=True)
    at = now - _ECHO * 10**9
    out += [noisy(name, values[name], "echo", at, rng) for name in _ECHOED]
    return tuple(out)


def imaged(truth: Hidden, now: int, rng: np.random.Generator) -> tuple[Observation, ...]:
    """Return what a CT measured of the aortic root, the day before `now` [ns]."""
    at = now - 86_400 * 10**9
    return tuple(
        Observation(
            PATIENT, name, at, at, value + VOCABULARY[name].sigma * rng.standard_normal(),
            VOCABULARY[name].sigma, device="ct", origin="demonstration",
        )
        for name, value in truth.root.items()
    )  # fmt: skip
