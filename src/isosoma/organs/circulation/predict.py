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

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.organs.circulation.start import Start, at_rest, held_inputs, start_of
from isosoma.organs.circulation.unknowns import UNKNOWNS, theta_at, unknowns

__all__ = ["HELD", "SEEN", "UNKNOWNS", "Start", "predictor", "start_of", "theta_at", "unknowns"]

Floats = npt.NDArray[np.float64]

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


def predictor(
    person: Person,
    outputs: Sequence[str] = SEEN,
    beats: int = 10,
    model: Circulation | None = None,
    freed: Sequence[str] = (),
    held: Sequence[str] = HELD,
) -> Callable[[Floats, Floats], Floats]:
    """Return ``predict(z (N, n), context (k,)) -> (N, p)`` of `outputs` [SI]; NaN: failed.

    Parameters
    ----------
    beats : length of a prediction, in beats of this person at rest.
    model : with its graph; by default the adult one.
    freed : as for `unknowns`. held : inputs that the context gives, in order.
    """
    model = model or Circulation()
    strange = [n for n in outputs if n not in OUTPUTS]
    strange += [n for n in held if n not in {p.name for p in model.inputs}]
    if strange:
        raise ModelError(f"the circulation has no {strange[0]}", todo="See `isosoma models`")
    begin = start_of(model, person, freed)
    piece, settle = _spans(model, person, beats)

    def predict(z: Floats, context: Floats) -> Floats:
        theta = at_rest(theta_at(model, person, z, freed))
        inputs = held_inputs(model, person, len(z))
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
