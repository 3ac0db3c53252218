"""A signed plan's chosen future, locked before it happens: quantiles over time, in the log.

::

    answered ─► foreseen (every option) ─► signed, with an option ─► locked ─► begun: time 0 is now

What was locked never changes; that the plan begins only says where on the clock it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import AccessError, FormatError, RangeError
from isosoma.core.evidence import digest
from isosoma.record import Draft, Entry
from isosoma.scenario.answering import edited
from isosoma.scenario.case import Case
from isosoma.scenario.decision import decision, decisions
from isosoma.scenario.playing import Played
from isosoma.scenario.rehearsal import digest as digest_of

__all__ = [
    "ABOUT", "LEVELS", "OUTPUTS", "Band", "Foreseen", "Prediction", "band", "begun", "foreseen",
    "locked", "predictions", "quantiles", "signed",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

OUTPUTS = (
    "mean_arterial_pressure", "systolic_pressure", "diastolic_pressure", "heart_rate",
    "oxygen_saturation", "central_venous_pressure",
)  # fmt: skip
LEVELS = (np.arange(20) + 0.5) / 20.0
"""Levels of the quantiles that are kept: 20 members that stand for all."""
ABOUT = "prediction"
"""What its decisions in the log are about."""
_ALIVE = 0.5
"""Share of the members that must live for their quantiles to speak for a patient."""


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """Every option's future as it was played, small enough to be kept until somebody signs.

    Attributes
    ----------
    members, rehearsal : key of the members that played, digest of what they played.
    options : by name: quantiles at `LEVELS`, (frames, 20) for each output [SI]. Fewer frames than
        `times` has where most members die.
    """

    members: str
    rehearsal: str
    times: Floats
    options: Mapping[str, Mapping[str, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What was said of the future when the plan was signed.

    Attributes
    ----------
    at : instant of time 0 [ns]; of the signature as long as the plan has not begun.
    times : (frames,) [s].
    values : quantiles at `LEVELS`, (frames, 20) for each output [SI].
    evidence : digest of the signed evidence. begun : whether the plan has.
    """

    id: str
    option: str
    at: int
    times: Floats
    values: Mapping[str, Floats]
    evidence: str
    begun: bool = True


@dataclass(frozen=True, slots=True)
class Band:
    """Central 90 % of the members at one time [SI]."""

    low: float
    median: float
    high: float


def foreseen(played: Played) -> Foreseen:
    """Return the future of every option, as long as most members live in it."""
    options = dict[str, Mapping[str, Floats]]()
    for option, outputs in zip(played.rehearsal.options, played.outputs, strict=True):
        alive = np.isfinite(outputs[OUTPUTS[0]]).mean(axis=1) >= _ALIVE
        frames = len(alive) if alive.all() else int(np.argmin(alive))
        options[option.name] = {n: quantiles(outputs[n][:frames]) for n in OUTPUTS}
    return Foreseen(played.ensemble.key, digest_of(played.rehearsal), played.times, options)


def signed(case: Case, said: Foreseen, option: str, at: int) -> Prediction:
    """Return the prediction of the option that was chosen in a signed case; it has not begun.

    Raises
    ------
    AccessError
        Nobody signed, or what was played is not what was signed.
    RangeError
        No option has that name, or most members die of it at once.
    """
    if case.evidence is None or case.evidence.status != "signed":
        raise AccessError("a prediction is locked by a signature", todo="Sign the answer first")
    why = edited(case.evidence, said.rehearsal)
    if case.evidence.provenance.inputs.get("members") != said.members:
        why = "other members played last; play it again"
    if why:
        raise AccessError(f"what was played is not what was signed: {why}")
    if option not in said.options:
        raise RangeError(
            f"no option is called {option!r}", todo=f"There are {', '.join(said.options)}"
        )
    values = said.options[option]
    frames = len(values[OUTPUTS[0]])
    if frames < 2:
        raise RangeError(f"most members die of {option!r} at once", todo="Choose another option")
    evidence = digest(case.evidence)
    return Prediction(case.id, option, at, said.times[:frames], values, evidence, begun=False)


def quantiles(members: Floats) -> Floats:
    """Return the quantiles at `LEVELS` of those that live, (frames, 20), of (frames, N)."""
    return np.nanquantile(members, LEVELS, axis=1).T


def locked(prediction: Prediction) -> Draft:
    """Return the event that a prediction was locked."""
    return decision(ABOUT, prediction.id, "locked", {
        "option": prediction.option, "at": prediction.at, "evidence": prediction.evidence,
        "times": prediction.times.tolist(),
        "values": {k: v.tolist() for k, v in prediction.values.items()},
    })  # fmt: skip


def begun(prediction: Prediction, at: int) -> Draft:
    """Return the event that the plan begins at `at` [ns].

    Raises
    ------
    AccessError
        It has begun already.
    """
    if prediction.begun:
        raise AccessError("this plan has begun already", todo="Watch it, or rehearse a new one")
    return decision(ABOUT, prediction.id, "begun", {"at": at})


def predictions(
    entries: Iterable[Entry], before: Mapping[str, Prediction] | None = None
) -> dict[str, Prediction]:
    """Return the locked predictions; a second lock of one id changes nothing that was said.

    `before` : what earlier entries told, where these only follow on them.
    """
    found = dict(before or {})
    for entry, said in decisions(entries, ABOUT):
        known = found.get(said["id"])
        if said["event"] == "locked" and known is None:
            found[said["id"]] = _read(said, f"entry {entry.sequence}")
        elif said["event"] == "begun" and known is not None and not known.begun:
            found[said["id"]] = replace(known, at=said["at"], begun=True)
    return found


def _read(said: Mapping[str, Any], where: str) -> Prediction:
    try:
        times = np.array(said["times"], np.float64)
        values = {k: np.array(v, np.float64) for k, v in said["values"].items()}
        if any(v.shape != (len(times), len(LEVELS)) for v in values.values()):
            raise FormatError("the quantiles do not fit the times", where)
        id_, option, at, evidence = (said[k] for k in ("id", "option", "at", "evidence"))
        return Prediction(id_, option, at, times, values, evidence, begun=False)
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
