"""The records of tracking: settings, a belief about one patient, readings, decisions."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.observation import GOOD, Observation, Verdict
from isosoma.infer.bias import Bias
from isosoma.infer.drift import Drift, quiet
from isosoma.infer.gate import Gate
from isosoma.infer.noise import Channel
from isosoma.infer.philox import STREAMS, normals
from isosoma.infer.walk import Walk

__all__ = ["Belief", "ChannelKey", "Decision", "Reading", "Report", "Settings", "digest", "start"]

Floats = npt.NDArray[np.float64]
ChannelKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a release pins about tracking.

    Attributes
    ----------
    outputs : variable of each column that `predict` gives.
    walks : of each parameter coordinate.
    inputs : variables that are given to `predict` as context, not estimated.
    biases : sensor offsets, appended to the coordinates.
    model_error : standard error of each output (of the emulator, of the physics); its unit.
    members : ensemble size. relax : share of lost spread given back (RTPS).
    adaptive : whether a channel's noise is learned (`noise`).
    table : tau [s], mean and sd of each coordinate (n + biases, 3).
    """

    outputs: tuple[str, ...]
    walks: tuple[Walk, ...]
    inputs: tuple[str, ...] = ()
    biases: tuple[Bias, ...] = ()
    model_error: tuple[float, ...] = ()
    members: int = 256
    relax: float = 0.3
    adaptive: bool = False
    gate: Gate = field(default_factory=Gate)
    drift: Drift = field(default_factory=Drift)
    table: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.model_error and len(self.model_error) != len(self.outputs):
            raise ModelError(
                f"{len(self.model_error)} model errors for {len(self.outputs)} outputs",
                todo="Give one for each output, or none",
            )
        if self.members < 2 or not 0.0 <= self.relax <= 1.0:
            raise ModelError(f"{self.members} members relaxed by {self.relax} are no ensemble")
        rows = [(w.tau, w.mean, w.sd) for w in self.walks]
        rows += [(b.tau, 0.0, 1.0) for b in self.biases]
        object.__setattr__(self, "table", np.array(rows))


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation with what quality thinks of it; `red_flag`: raw-data alarms believe it."""

    observation: Observation
    verdict: Verdict = GOOD
    red_flag: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is believed about one patient at one instant.

    Attributes
    ----------
    patient : first word of the random key. at : instant [ns]. step : analyses so far.
    z : members (N, n + biases) in standard-normal coordinates of the priors.
    drift : corrections accumulated of each parameter (n, 4), of `drift`.
    context : last value of each input. channels : what is known of each channel, by its key.
    """

    patient: int
    at: int
    step: int
    z: Floats
    drift: Floats
    context: tuple[float, ...] = ()
    channels: tuple[tuple[ChannelKey, Channel], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one reading.

    Attributes
    ----------
    nu : innovation in its own standard deviations; NaN where none was formed.
    variance : error variance it was taken with; infinite: nothing was learned from it.
    reason : a sentence; empty where it was taken as it is.
    """

    observation: Observation
    nu: float = math.nan
    variance: float = math.inf
    reason: str = ""

    @property
    def taken(self) -> bool:
        """Whether anything was learned from it."""
        return self.variance < math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What one analysis did.

    Attributes
    ----------
    decisions : one for each reading, in their order.
    predicted, outputs : model outputs before and after (N, p).
    nis : normalised innovation squared and its degrees of freedom. Near 1 each proves nothing.
    failed : members that the model or the emulator's hull refused, replaced by their neighbours.
    drifting : parameters that moved faster than their walk; it was opened for them.
    out_of_sync : a sentence where the patient is suspected to have left the twin; else empty.
    """

    at: int
    decisions: tuple[Decision, ...]
    predicted: Floats
    outputs: Floats
    nis: tuple[float, int] = (0.0, 0)
    failed: int = 0
    out_of_sync: str = ""
    drifting: tuple[int, ...] = ()


def start(settings: Settings, patient: int, at: int, context: tuple[float, ...] = ()) -> Belief:
    """Return the belief before any data: the priors, as `settings.walks` revert to them.

    The ensemble's means are exact; `context` gives the inputs until their first reading.
    """
    if len(context) != len(settings.inputs):
        raise ModelError(
            f"{len(context)} values of context for inputs {settings.inputs}",
            todo="Give a starting value for each input, in the order of the settings",
        )
    table = settings.table
    z = normals((patient, STREAMS["start"]), 0, settings.members, len(table))
    rows = np.empty((len(table), settings.members))
    for row, (_, mean, sd), draws in zip(rows, table, z.T, strict=True):
        row[:] = mean + sd * (draws - math.fsum(draws) / len(draws))
    return Belief(patient, at, 0, rows.T, quiet(len(settings.walks)), context)


def digest(belief: Belief) -> str:
    """Return the SHA-256 of everything a belief holds: two beliefs are the same or not."""
    words = repr((belief.patient, belief.at, belief.step, belief.context, belief.channels))
    body = b"".join(
        np.ascontiguousarray(a, dtype="<f8").tobytes() for a in (belief.z, belief.drift)
    )
    return hashlib.sha256(words.encode() + body).hexdigest()
