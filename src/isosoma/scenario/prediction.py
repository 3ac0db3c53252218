"""A signed plan's chosen future, locked before it happens: quantiles over time, in the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import AccessError, FormatError, RangeError
from isosoma.core.evidence import digest
from isosoma.record import Draft, Entry
from isosoma.scenario.answering import stale
from isosoma.scenario.case import Case
from isosoma.scenario.playing import Played
from isosoma.scenario.rehearsal import digest as digest_of

__all__ = [
    "LEVELS", "OUTPUTS", "Band", "Prediction", "band", "locked", "predictions", "quantiles",
    "signed",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

OUTPUTS = (
    "mean_arterial_pressure", "systolic_pressure", "diastolic_pressure", "heart_rate",
    "oxygen_saturation", "central_venous_pressure",
)  # fmt: skip
LEVELS = (np.arange(20) + 0.5) / 20.0
"""Levels of the quantiles that are kept: 20 members that stand for all."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What was said of the future when the plan was signed.

    Attributes
    ----------
    at : instant of time 0 [ns]. times : (frames,) [s].
    values : quantiles at `LEVELS`, (frames, 20) for each output [SI].
    evidence : digest of the signed evidence.
    """

    id: str
    option: str
    at: int
    times: Floats
    values: Mapping[str, Floats]
    evidence: str


@dataclass(frozen=True, slots=True)
class Band:
    """Central 90 % of the members at one time [SI]."""

    low: float
    median: float
    high: float


def signed(case: Case, played: Played, option: str, at: int) -> Prediction:
    """Return the prediction of the option that was chosen in a signed case.

    Raises
    ------
    AccessError
        Nobody signed, or what was played is not what was signed.
    """
    if case.evidence is None or case.evidence.status != "signed":
        raise AccessError("a prediction is locked by a signature", todo="Sign the answer first")
    why = stale(case.evidence, played.ensemble.key, digest_of(played.rehearsal))
    if why:
        raise AccessError(f"what was played is not what was signed: {why}")
    names = [o.name for o in played.rehearsal.options]
    if option not in names:
        raise RangeError(f"no option is called {option!r}", todo=f"There are {', '.join(names)}")
    outputs = played.outputs[names.index(option)]
    values = {n: quantiles(outputs[n]) for n in OUTPUTS}
    return Prediction(case.id, option, at, played.times, values, digest(case.evidence))


def quantiles(members: Floats) -> Floats:
    """Return the quantiles at `LEVELS` of those that live, (frames, 20), of (frames, N)."""
    if not np.isfinite(members).any(axis=1).all():
        raise RangeError("no member lives to the end", todo="Predict a shorter time")
    return np.nanquantile(members, LEVELS, axis=1).T


def locked(prediction: Prediction) -> Draft:
    """Return the event that a prediction was locked."""
    payload = {
        "about": "prediction", "id": prediction.id, "event": "locked",
        "option": prediction.option, "at": prediction.at, "evidence": prediction.evidence,
        "times": prediction.times.tolist(),
        "values": {k: v.tolist() for k, v in prediction.values.items()},
    }  # fmt: skip
    return Draft("decision", payload, key=f"prediction:{prediction.id}".encode())


def predictions(entries: Iterable[Entry]) -> dict[str, Prediction]:
    """Return the locked predictions; a second lock of one id changes nothing that was said."""
    found = dict[str, Prediction]()
    for entry in entries:
        if entry.kind != "decision" or entry.erased:
            continue
        said: dict[str, Any] = json.loads(entry.payload)
        if said.get("about") == "prediction" and said.get("event") == "locked":
            found.setdefault(said["id"], _read(said, f"entry {entry.sequence}"))
    return found


def _read(said: Mapping[str, Any], where: str) -> Prediction:
    try:
        times = np.array(said["times"], np.float64)
        values = {k: np.array(v, np.float64) for k, v in said["values"].items()}
        if any(v.shape != (len(times), len(LEVELS)) for v in values.values()):
            raise FormatError("the quantiles do not fit the times", where)
        return Prediction(said["id"], said["option"], said["at"], times, values, said["evidence"])
    except (KeyError, ValueError) as error:
        raise FormatError(f"this is no prediction ({error})", where) from error


def _at(prediction: Prediction, variable: str, t: float, level: float) -> float:
    row = [float(np.interp(t, prediction.times, q)) for q in prediction.values[variable].T]
    return float(np.interp(level, LEVELS, row))


def band(prediction: Prediction, variable: str, t: float) -> Band:
    """Return the 90 % band of an output at `t` [s after time 0].

    Raises
    ------
    RangeError
        Nothing was said of that output, or of that time.
    """
    _check(prediction, variable, t)
    return Band(*(_at(prediction, variable, t, level) for level in (0.05, 0.5, 0.95)))


def _check(prediction: Prediction, variable: str, t: float) -> None:
    if variable not in prediction.values:
        raise RangeError(f"nothing was predicted of {variable}")
    if not 0.0 <= t <= prediction.times[-1]:
        raise RangeError(f"{t:g} s is outside the {prediction.times[-1]:g} s of the prediction")
