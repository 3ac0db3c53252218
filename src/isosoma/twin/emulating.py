"""An emulator of one person's circulation: trained once, kept, its error told to the filter.

Training runs are the physics at a Sobol design over the unknowns, three times as long as a
prediction, so that the emulator is nearer to rest than ten beats are. Runs in which the heart fails
for want of perfusion are no rest and are left out. Outside the hull of its design the emulator
refuses, and the physics is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.infer.emulator import Emulator, Predict, predictor, train
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation.body import Person

__all__ = ["BEATS", "RUNS", "emulated", "emulator_for"]

Floats = npt.NDArray[np.float64]

RUNS = 2048
"""Training runs, a fifth of them left out to measure the error."""
BEATS = 30
"""Length of a training run: rest within .3 mmHg (docs/infer.md)."""
_REACH = 1.25
"""Spread of the design in prior standard deviations."""
_RESERVE = 0.95
"""Least share of its contractility that a heart at rest has."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an emulator depends on."""

    person: Person
    outputs: tuple[str, ...]
    freed: tuple[str, ...]
    degree: int
    runs: int


def emulator_for(
    person: Person,
    outputs: Sequence[str] = physics.SEEN,
    freed: Sequence[str] = (),
    degree: int = 3,
    runs: int = RUNS,
) -> Emulator:
    """Return the emulator of a person's `outputs` [SI], trained at the first call, then kept.

    Raises
    ------
    ModelError
        An output can be zero or negative (it is emulated in its logarithm), or runs are too few.
    """
    return _trained(_Asked(person, tuple(outputs), tuple(freed), degree, runs))


@lru_cache(maxsize=32)
def _trained(asked: _Asked) -> Emulator:
    from scipy.stats import norm, qmc

    count = len(physics.unknowns(asked.person, asked.freed))
    made = qmc.Sobol(count, scramble=True, seed=2)  # pyright: ignore[reportCallIssue]
    z: Floats = _REACH * norm.ppf(0.9998 * made.random(asked.runs) + 0.0001)
    outputs = (*asked.outputs, "contractile_reserve")
    run = physics.predictor(asked.person, outputs, BEATS, freed=asked.freed)
    seen = run(z, np.zeros(0))
    whole = np.all(np.isfinite(seen), axis=1) & (seen[:, -1] > _RESERVE)
    seen = seen[:, :-1]
    if np.any(seen[whole] <= 0.0):
        names = [n for n, y in zip(asked.outputs, seen[whole].T, strict=True) if np.any(y <= 0.0)]
        raise ModelError(
            f"{names[0]} is not positive everywhere, so it cannot be emulated",
            todo="Ask the physics for it (organs.circulation.predict.predictor)",
        )
    return train(z[whole], seen[whole], asked.degree)


def emulated(
    person: Person,
    outputs: Sequence[str] = physics.SEEN,
    freed: Sequence[str] = (),
    degree: int = 3,
    runs: int = RUNS,
) -> Predict:
    """Return a prediction by the emulator, and by the physics where the emulator refuses."""
    run = physics.predictor(person, outputs, BEATS, freed=freed)
    return predictor(emulator_for(person, outputs, freed, degree, runs), run)
