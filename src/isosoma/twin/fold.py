"""A twin is a fold over what is known: first calibration, then one reading after the other.

::

    readings ──► the first hour ──ES-MDA──► belief ──ETKF, instant by instant──► Twin
                 (with walks back to the prior, gates, red flags past the gate)

Nothing but the set of readings, the person and the release matters: order of arrival, repeats and
delays leave no trace, and neither does the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Observation, Verdict, Waveform, effective_sigma
from isosoma.infer import belief as beliefs
from isosoma.infer import esmda, replay
from isosoma.infer.belief import Belief, Reading, Settings
from isosoma.infer.bias import bias_of
from isosoma.infer.emulator import Predict
from isosoma.infer.informed import Informed, informed
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation.body import Person, theta_of
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.quality.cuff import is_line
from isosoma.twin.emulating import emulated, emulator_for
from isosoma.twin.freeing import assumed_tract, freed_by, of_tract
from isosoma.twin.release import Release

__all__ = [
    "STALE",
    "Known",
    "Subject",
    "Twin",
    "absorbed",
    "fold",
    "lines_of",
    "operator",
    "outputs_of",
    "readings_of",
    "stale_after",
]

Floats = npt.NDArray[np.float64]

STALE: Mapping[str, float] = {
    "heart_rate": 120.0,
    "oxygen_saturation": 120.0,
    "systolic_pressure": 1800.0,
    "diastolic_pressure": 1800.0,
    "mean_arterial_pressure": 1800.0,
    "central_venous_pressure": 1800.0,
    "cardiac_output": 3600.0,
    "haemoglobin": 86_400.0,
}
"""Age [s] from which a reading no longer speaks for now; `_RARE` for the others."""
_RARE = 30 * 86_400.0
_RED = {
    "systolic_pressure": (0.6, 1.6), "mean_arterial_pressure": (0.6, 1.6),
    "heart_rate": (0.55, 2.0), "oxygen_saturation": (0.88, math.inf),
}  # fmt: skip
"""Shares of the person's own resting value beyond which a reading is a red flag (unverified)."""


class Known(Protocol):
    """What the log tells of a patient, in event order (`isosoma.intake.timeline`)."""

    @property
    def readings(self) -> Sequence[Observation | Waveform]:
        """Facts."""
        ...

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """One for each fact."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is folded: the record's patient id, their body, and what a diagnosis or reading frees.

    Attributes
    ----------
    root : what images measured of the aortic root; nothing of a fold depends on it.
    """

    patient: str
    person: Person
    freed: tuple[str, ...] = ()
    root: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """What is believed about one patient, and what it rests on.

    Attributes
    ----------
    until : end of the fold [ns]; later readings do not enter.
    settings : of the filter; its outputs are the variables that were read and can be predicted.
    prior, calibrated : the belief before any reading, and after the first ones.
    misfit : of the calibration, before each pass and at the end; near 1 where model and data agree.
    timeline : the readings that followed, with a belief and a report after each instant.
    first : readings of the calibration. unused : (variable, why) of readings that taught nothing.
    """

    subject: Subject
    release: Release
    until: int
    settings: Settings
    prior: Belief
    calibrated: Belief
    misfit: tuple[float, ...]
    timeline: replay.Timeline
    first: tuple[Reading, ...]
    unused: tuple[tuple[str, str], ...]

    @property
    def belief(self) -> Belief:
        """The newest belief."""
        return self.timeline.belief

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Names of what is estimated, by column of a belief's members."""
        return tuple(p.name for p in physics.unknowns(self.subject.person, self.subject.freed))

    @property
    def informed(self) -> tuple[Informed, ...]:
        """How far the data narrowed each unknown."""
        before = self.prior.z.std(axis=0, ddof=1)[: len(self.unknowns)]
        return informed(self.unknowns, self.belief.z, before.tolist())

    @property
    def assumed(self) -> dict[str, float]:
        """Return parameters [SI] that readings rest on and that nobody measured."""
        tract = assumed_tract(self.settings.outputs, self.subject.freed)
        return {n: theta_of(self.subject.person)[n] for n in tract}

    def newest(self) -> dict[str, int]:
        """Return the instant of the newest reading [ns] of each variable."""
        found: dict[str, int] = {}
        for reading in (*self.first, *self.timeline.readings):
            o = reading.observation
            found[o.variable] = max(o.at, found.get(o.variable, o.at))
        return found

    def stale(self, now: int) -> dict[str, float]:
        """Return the age [s] at `now` [ns] of every variable whose newest reading is too old."""
        ages = {name: (now - at) * 1e-9 for name, at in self.newest().items()}
        return {n: age for n, age in ages.items() if age > stale_after(n)}

    @property
    def digest(self) -> str:
        """SHA-256 of the belief and of the release: two twins are the same or not."""
        return f"{beliefs.digest(self.belief)}.{self.release.digest[:16]}"


def stale_after(variable: str) -> float:
    """Return the age [s] from which a reading of a variable no longer speaks for now."""
    return STALE.get(variable, _RARE)


def readings_of(known: Known, until: int) -> list[Reading]:
    """Return the numbers among the facts up to `until` [ns], each with its verdict."""
    pairs = zip(known.readings, known.verdicts, strict=True)
    return [
        Reading(r, v) for r, v in pairs if isinstance(r, Observation) and r.at <= until
    ]  # fmt: skip


def outputs_of(readings: Iterable[Reading]) -> tuple[str, ...]:
    """Return what a bedside has names for, and what else was read that the model predicts."""
    read = {r.observation.variable for r in readings}
    return (*physics.SEEN, *(n for n in OUTPUTS if n in read and n not in physics.SEEN))


def lines_of(readings: Iterable[Reading]) -> tuple[str, ...]:
    """Return the arterial lines among the devices: each has a transducer at a height of its own."""
    return tuple(sorted({r.observation.device for r in readings if is_line(r.observation)}))


def operator(
    subject: Subject, outputs: Sequence[str], instants: int, release: Release
) -> tuple[Predict, tuple[float, ...]]:
    """Return the prediction of `outputs` [SI] and its standard error (none for the physics)."""
    person, freed = subject.person, subject.freed
    if instants < release.emulate:
        return physics.predictor(person, outputs, freed=freed), ()
    found = emulator_for(person, outputs, freed)
    return emulated(person, outputs, freed), tuple(found.error.tolist())


def fold(
    known: Known, subject: Subject, release: Release, until: int,
    told: Callable[[float], Any] | None = None,
) -> Twin:  # fmt: skip
    """Return the twin that the facts up to `until` [ns] make.

    Parameters
    ----------
    told : hears how much is done, as a share of 1.

    Raises
    ------
    ModelError
        Nobody has that body, or no member of the ensemble lives.
    """
    given = readings_of(known, until)
    outputs = outputs_of(given)
    subject = replace(subject, freed=freed_by(given, subject.freed))
    instants = len({r.observation.at for r in given})
    predict, error = operator(subject, outputs, instants, release)
    names = [p.name for p in physics.unknowns(subject.person, subject.freed)]
    settings = release.settings(names, outputs, error, lines_of(given))
    usable, unused = _sorted_out(given, settings)
    usable = _prepared(usable, subject, outputs)
    at = min((r.observation.at for r in usable), default=until)
    prior = beliefs.start(settings, release.key(subject.patient), at)
    end = at + round(release.first * 1e9)
    first = sorted((r for r in usable if r.observation.at <= end), key=_content)
    calibrated, misfit = _calibrated(prior, first, predict, settings, release)
    later = [r for r in usable if r.observation.at > end]
    if told is not None:
        predict = _telling(predict, len({r.observation.at for r in later}), told)
    timeline = replay.absorb(replay.begin(calibrated), later, predict, settings)
    return Twin(subject, release, until, settings, prior, calibrated, misfit, timeline,
                tuple(first), unused)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """Readings that were judged before."""

    readings: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]


def absorbed(twin: Twin, arrived: Iterable[Reading], until: int) -> Twin:
    """Return the twin with readings that came since, at the cost of those alone.

    Readings of the first hour, of a variable or a line that none was read of before, and those that
    free an unknown change what all rests on: then everything is folded again. A twin keeps the
    physics or the emulator it began with.
    """
    new = [r for r in arrived if r.observation.at <= until]
    end = twin.prior.at + round(twin.release.first * 1e9)
    outputs = twin.settings.outputs
    strange = any(n not in outputs for n in outputs_of(new))
    strange |= freed_by(new, twin.subject.freed) != twin.subject.freed
    strange |= not {b.device for b in twin.settings.biases}.issuperset(lines_of(new))
    if strange or not twin.first or any(r.observation.at <= end for r in new):
        return _folded_again(twin, new, until)
    usable, unused = _sorted_out(new, twin.settings)
    usable = _prepared(usable, twin.subject, outputs)
    asked = twin.release.emulate if twin.settings.model_error else 0
    predict, _ = operator(twin.subject, outputs, asked, twin.release)
    timeline = replay.absorb(twin.timeline, usable, predict, twin.settings)
    said = tuple(sorted({*twin.unused, *unused}))
    return replace(twin, until=until, timeline=timeline, unused=said)


def _folded_again(twin: Twin, new: Sequence[Reading], until: int) -> Twin:
    everything = (*twin.first, *twin.timeline.readings, *new)
    known = _Known(tuple(r.observation for r in everything), tuple(r.verdict for r in everything))
    again = fold(known, twin.subject, twin.release, until)
    return replace(again, unused=tuple(sorted({*twin.unused, *again.unused})))


def _prepared(
    readings: Iterable[Reading], subject: Subject, outputs: Sequence[str]
) -> list[Reading]:
    usual = _usual(subject, outputs)
    return [
        Reading(of_tract(r.observation, subject.freed), r.verdict, _is_red(r.observation, usual))
        for r in readings
    ]


def _telling(predict: Predict, instants: int, told: Callable[[float], Any]) -> Predict:
    """Return a prediction that tells how far a filter is which asks once an instant, or twice."""
    asked = count(1)

    def telling(z: Floats, context: Floats) -> Floats:
        out = predict(z, context)
        told(min(next(asked) / instants, 1.0))
        return out

    return telling


def _content(reading: Reading) -> tuple[object, ...]:
    o = reading.observation
    return (o.at, o.device, o.channel, o.seq, o.variable, o.value, o.sigma)


def _sorted_out(
    given: Sequence[Reading], settings: Settings
) -> tuple[list[Reading], tuple[tuple[str, str], ...]]:
    """Return what may teach, each once, and (variable, why) of what may not."""
    usable, unused, seen = list[Reading](), set[tuple[str, str]](), set[tuple[object, ...]]()
    for r in given:
        o = r.observation
        if o.variable not in settings.outputs:
            unused.add((o.variable, "the model does not predict it"))
        elif effective_sigma(o.sigma, r.verdict) == math.inf:
            unused.add((o.variable, f"withheld: {r.verdict.reason or 'its quality is too low'}"))
        elif o.sigma <= 0.0:
            unused.add((o.variable, "withheld: its noise is not known"))
        elif _content(r) not in seen:
            seen.add(_content(r))
            usable.append(r)
    return usable, tuple(sorted(unused))


def _usual(subject: Subject, outputs: Sequence[str]) -> dict[str, float]:
    return dict(zip(outputs, _rest(subject.person, tuple(outputs)), strict=True))


@lru_cache(maxsize=64)
def _rest(person: Person, outputs: tuple[str, ...]) -> tuple[float, ...]:
    """Return the outputs [SI] of the median person of that body at rest."""
    # Two of them: more than one member take the kernel of every other prediction.
    z = np.zeros((2, len(physics.unknowns(person))))
    return tuple(physics.predictor(person, outputs)(z, np.zeros(0))[0].tolist())


def _is_red(o: Observation, usual: Mapping[str, float]) -> bool:
    """Whether a reading, whatever the gate makes of it, may cost the patient's life."""
    if o.variable not in _RED:
        return False
    low, high = _RED[o.variable]
    return not low * usual[o.variable] <= o.value <= high * usual[o.variable]


def _calibrated(
    prior: Belief, first: Sequence[Reading], predict: Predict, settings: Settings, release: Release
) -> tuple[Belief, tuple[float, ...]]:
    """Return the belief after the first readings, all at once, and the misfit of each pass."""
    if not first:
        return prior, ()
    columns = [settings.outputs.index(r.observation.variable) for r in first]
    y = np.array([r.observation.value for r in first])
    error = settings.model_error or (0.0,) * len(settings.outputs)
    R = np.array(
        [effective_sigma(r.observation.sigma, r.verdict) ** 2 + error[c] ** 2 + _offset(r, settings)
         for r, c in zip(first, columns, strict=True)]
    )  # fmt: skip
    done = esmda.calibrate(
        prior.z, _of_columns(predict, first, settings), y, R, prior.patient,
        esmda.equal_passes(release.passes),
    )  # fmt: skip
    at = max(r.observation.at for r in first)
    return replace(prior, at=at, step=1, z=done.z), done.misfit


def _offset(reading: Reading, settings: Settings) -> float:
    """Return the variance of a persistent offset that is no unknown of the filter."""
    o = reading.observation
    known = bias_of(settings.biases, o.variable, o.device) >= 0
    return 0.0 if known else o.bias**2


def _of_columns(
    predict: Predict, first: Sequence[Reading], settings: Settings
) -> Callable[[Floats], Floats]:
    """Return what each datum should read: its output, and the offset of its sensor."""
    n = len(settings.walks)
    seen_of = [r.observation for r in first]
    columns = [settings.outputs.index(o.variable) for o in seen_of]
    offsets = [bias_of(settings.biases, o.variable, o.device) for o in seen_of]

    def seen(z: Floats) -> Floats:
        out = predict(np.ascontiguousarray(z[:, :n]), np.zeros(0))[:, columns]
        for i, k in enumerate(offsets):
            if k >= 0:
                out[:, i] += settings.biases[k].sd * z[:, n + k]
        return out

    return seen
