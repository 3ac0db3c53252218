"""Why a patient left the band: explanations ranked by how well each tells what was seen since.

Members of the belief play each cause at a few severities and onsets, paired with the same members
without it. What a cause adds, not its level, is compared with what the patient did beyond its own
offset before the onset. The marginal likelihood averages over severities, onsets and members;
every cause has the same share before. Causes that three to one does not tell apart, "not worth more
than a bare mention" (Kass and Raftery 1995, 10.1080/01621459.1995.10476572), share a rank; bleeding
and tamponade, alike to pressure and rate, share it up to twenty to one, the same authors' "strong",
where no central venous pressure is read. Another cause than these, a failing right heart among
them, is not among the shares.

A member that dies of a cause stays as it was last: a patient who is dying, too, is explained by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.core.intervention import Change, Coding, Intervention
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.body import Person
from isosoma.record import Draft
from isosoma.scenario.decision import decision
from isosoma.scenario.prediction import ABOUT
from isosoma.scenario.watching import DEVICES, ORDINARY, Alert, Watching
from isosoma.twin.course import Running, follow

__all__ = [
    "CAUSES", "EVERY", "Explanation", "Readings", "aligned", "explain", "explained", "parting",
    "perturbation",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Bundle = Mapping[str, Floats]

EVERY = 5.0
"""Time between two frames [s]."""
_SEVERITIES = {  # chosen here (unverified): mild, plain, grave
    "bleeding": (3.0, 6.0, 12.0),  # mL/min/kg
    "vasoplegia": (0.8, 0.6, 0.4),  # what is left of resistance
    "pump failure": (0.7, 0.5, 0.3),  # of the left ventricle's elastance and of its reflex
    "tamponade": (3.0, 5.0, 8.0),  # mL/kg within three minutes
}
_ENDED = ((6.0, 10.0), (12.0, 20.0), (24.0, 35.0))
"""Bleedings that are over [mL/min/kg, mL/kg]: about the ends of classes I and II of the ATLS, and
class IV (chosen here, unverified). Without them who bled, and stands, has another cause."""
CAUSES = (*_SEVERITIES, "sensor")
_BEFORE = (45.0, 10.0)
"""How long before the alarm's own onset a cause may have begun [s]."""
_OFFSETS = np.concatenate([-np.geomspace(60.0, 2.0, 16), np.geomspace(2.0, 60.0, 16)])
"""Offsets of a sensor that are tried [sigma]."""
_ERROR = 0.25
"""Share of an effect that the model may get wrong (chosen here)."""
_MEMORY = 30.0
"""Time within which readings repeat each other [s]: what is ordinary comes and goes so slowly."""
_CAP = 9.0
"""Squared distance at which a reading counts no further: an artefact speaks for no cause."""
_TIED, _ALIKE = 3.0, 20.0
"""Odds within which causes share a rank; and those within which bleeding and tamponade do where
nobody reads `_PARTING`."""
_PARTING = "central_venous_pressure"
_HELD = 35.0
"""Age at which a reading is no longer that of now [s]: a monitor's half minute, and some delay."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What was measured: times (n,) [s], values (n,) for each output [SI], and their sigmas."""

    times: Floats
    values: Bundle
    sigmas: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cause with its share of belief, the severity that fits best, and a sentence.

    Attributes
    ----------
    rank : 1 is the likeliest; causes that the readings do not tell apart share it.
    """

    cause: str
    rank: int
    share: float
    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class _Fit:
    cause: str
    logs: tuple[float, ...]
    severity: str


def perturbation(cause: str, severity: float, at: float, person: Person) -> Intervention:
    """Return a cause as an act: bleeding [mL/min/kg], tamponade [mL/kg], else the share left.

    Raises
    ------
    RangeError
        Nobody knows that cause.
    """
    volume = severity * person.weight * 1e-6
    match cause:
        case "bleeding":
            changes = (Change("input", "bleeding_rate", "add", volume / 60.0),)
        case "tamponade":
            changes = (Change("input", "pericardial_fluid", "add", volume),)
        case "vasoplegia":
            names = ("systemic_resistance", "gain_resistance")
            changes = tuple(Change("parameter", n, "scale", severity) for n in names)
        case "pump failure":
            names = ("lv_elastance", "gain_lv")
            changes = tuple(Change("parameter", n, "scale", severity) for n in names)
        case _:
            raise RangeError(f"no cause is called {cause!r}", todo=f"There are {', '.join(CAUSES)}")
    over = {"bleeding": 0.0, "tamponade": 180.0}.get(cause, 60.0)
    return Intervention(cause, Coding("", "", ""), at, "nature", changes, over=over)


def explain(
    run: Running, plan: tuple[Intervention, ...], person: Person, readings: Readings, onset: float
) -> tuple[Explanation, ...]:
    """Return all causes, the likeliest first; their shares sum to 1.

    Parameters
    ----------
    run : members at time 0. plan : what is done to them. onset : of the alarm [s].

    Raises
    ------
    RangeError
        There are no readings since the onset.
    """
    if not (readings.times >= onset).any():
        raise RangeError("nothing was measured since the onset", todo="Wait for a reading")
    plain = _seen(run, plan, readings.times, tuple(readings.values))
    start = EVERY * (max(onset - _BEFORE[0], 0.0) // EVERY)
    late = readings.times > start
    moved = {n: v[late] for n, v in _moved(plain, readings, max(start, EVERY)).items()}
    since = Readings(readings.times[late], moved, readings.sigmas)
    plain = {n: v[late] for n, v in plain.items()}
    begun = follow(run, plan, start, EVERY).end if start > 0.0 else run
    fits = [_fit(c, begun, plan, person, since, onset, plain) for c in _SEVERITIES]
    fits.append(_sensor(since, onset))
    weights = np.array([np.logaddexp.reduce(f.logs) - np.log(len(f.logs)) for f in fits])
    shares = np.exp(weights - np.logaddexp.reduce(weights))
    of = {f.cause: (f, float(share)) for f, share in zip(fits, shares, strict=True)}
    places = _ranks({c: share for c, (_, share) in of.items()}, _PARTING in readings.values)
    return tuple(
        Explanation(c, place, of[c][1], of[c][0].severity,
                    f"{c} ({of[c][0].severity}): {of[c][1]:.0%}")
        for c, place in places.items()
    )  # fmt: skip


def aligned(state: Watching, until: float) -> Readings:
    """Return what a watch has seen up to `until` [s], each output at the same times.

    A reading holds until the next, as long as it is of now. Outputs that were rarely read are left
    out, and so are times at which one of the others was not read.

    Raises
    ------
    RangeError
        No output was read often enough.
    """
    times: Floats = np.arange(EVERY, until + 1e-9, EVERY)
    held = {n: _held(np.array([r[:2] for r in rows]), times) for n, rows in state.seen.items()}
    often = {n: v for n, v in held.items() if np.isfinite(v).mean() > 0.5} if len(times) else {}
    if not often:
        raise RangeError("too little was measured to explain anything", todo="Wait for readings")
    whole = np.isfinite(np.sum(list(often.values()), axis=0))
    sigmas = {n: float(np.median([r.sigma for r in state.seen[n]])) for n in often}
    return Readings(times[whole], {n: v[whole] for n, v in often.items()}, sigmas)


def _held(rows: Floats, times: Floats) -> Floats:
    """Return at each time the newest of readings (n, 2) of time [s] and value; NaN where old."""
    last = np.searchsorted(rows[:, 0], times, side="right") - 1
    old = (last < 0) | (times - rows[np.maximum(last, 0), 0] > _HELD)
    return np.where(old, np.nan, rows[np.maximum(last, 0), 1])


def explained(id_: str, alert: Alert, ranked: Iterable[Explanation]) -> Draft:
    """Return the event that the patient, or a device, left the prediction, and what may be why."""
    why = [asdict(e) for e in ranked]
    return decision(ABOUT, id_, "left", {"alert": asdict(alert), "explanations": why})


def parting(ranked: Sequence[Explanation], measured: Iterable[str]) -> str:
    """Return which measurement tells those apart that share the first rank; empty for one alone.

    Parameters
    ----------
    measured : outputs that are read.
    """
    first = [e.cause for e in ranked if e.rank == 1]
    patient = [c for c in first if c != "sensor"]
    means = list[str]()
    if len(patient) > 1:
        hidden = {"bleeding", "tamponade"} <= set(first) and _PARTING not in set(measured)
        means.append("a central venous pressure or an echo" if hidden else "an echo")
    if len(first) > max(len(patient), 1):
        means.append("a second sensor")
    if not means:
        return ""
    verb = "tells" if len(means) == 1 else "tell"
    return f"{' and '.join(means)} {verb} {', '.join(first[:-1])} and {first[-1]} apart"


def _ranks(shares: Mapping[str, float], parted: bool) -> dict[str, int]:
    """Return the rank of each cause, in order; within three to one of its first, a rank is shared.

    `parted` : whether what tells bleeding from tamponade is read.
    """
    order = sorted(shares, key=lambda c: -shares[c])
    other = {"bleeding": "tamponade", "tamponade": "bleeding"}.get(order[0], "")
    alike = not parted and shares.get(other, 0.0) * _ALIKE > shares[order[0]]
    ranks, first = dict[str, int](), order[0]
    for place, cause in enumerate(order, 1):
        apart = place == 1 or shares[first] >= _TIED * shares[cause]
        if alike and cause == other:
            ranks[cause] = 1
            continue
        first = cause if apart else first
        ranks[cause] = place if apart else ranks[first]
    return dict(sorted(ranks.items(), key=lambda r: (r[1], -shares[r[0]])))


def _seen(
    run: Running, plan: tuple[Intervention, ...], times: Floats, names: tuple[str, ...]
) -> Bundle:
    """Return members at the times of the readings, (n, N) for each output."""
    course = follow(run, plan, float(times[-1]) + EVERY - run.time, EVERY)
    at = np.clip(np.searchsorted(course.times, times - 1e-6), 0, len(course.times) - 1)
    return {n: course.output(n)[at] for n in names}


def _moved(plain: Bundle, readings: Readings, until: float) -> Bundle:
    """Return what the patient did beyond the prediction and beyond its own early offset, (n,)."""
    early = readings.times <= until
    out = dict[str, Floats]()
    for name, values in readings.values.items():
        apart = values - np.nanmedian(plain[name], axis=1)
        out[name] = apart - (np.median(apart[early]) if early.any() else 0.0)
    return out


def _fit(
    cause: str, run: Running, plan: tuple[Intervention, ...], person: Person, since: Readings,
    onset: float, plain: Bundle,
) -> _Fit:  # fmt: skip
    moved = since.values
    logs, best = list[float](), (-np.inf, "")
    for before in _BEFORE:
        for act, words in _hypotheses(cause, max(onset - before, 0.0), person):
            with_it = _seen(run, (*plan, act), since.times, tuple(moved))
            added = {n: _kept(n, with_it[n]) - plain[n] for n in moved}
            each = _log(added, moved, since.sigmas)
            logs += each.tolist()
            best = max(best, (float(np.logaddexp.reduce(each)), words))
    return _Fit(cause, tuple(logs), best[1])


def _kept(name: str, rows: Floats) -> Floats:
    """Return an output of members, (n, N); those that died stay as they were when last possible."""
    row, out = VOCABULARY[name], rows.copy()
    out[(out < row.low) | (out > row.high)] = np.nan
    for i in range(1, len(out)):
        out[i] = np.where(np.isfinite(out[i]), out[i], out[i - 1])
    return out


def _log(
    added: Bundle, moved: Bundle, sigmas: Mapping[str, float], error: float = _ERROR
) -> Floats:
    """Return the log likelihood of each member (N,); a lost one explains nothing."""
    total = np.zeros(next(iter(added.values())).shape[1])
    for name, effect in added.items():
        variance = sigmas[name] ** 2 + ORDINARY[name] ** 2 + (error * effect) ** 2
        squared = np.minimum((moved[name][:, None] - effect) ** 2 / variance, _CAP)
        total += -0.5 * (squared + np.log(variance)).sum(axis=0)
    return np.where(np.isfinite(total), total * EVERY / _MEMORY, -1e12)


def _sensor(readings: Readings, onset: float) -> _Fit:
    """Return the fit of one channel, or of one device's channels together, that jumped alone."""
    moved, logs, best = readings.values, list[float](), (-np.inf, "")
    since = (readings.times >= onset - EVERY).astype(np.float64)[:, None]
    for word, names in _jumping(tuple(moved)):
        added = {n: np.zeros((len(since), len(_OFFSETS))) for n in moved}
        size = max(readings.sigmas[n] for n in names)
        added |= dict.fromkeys(names, since * _OFFSETS * size)
        # An offset that is tried has no model error of its own.
        each = _log(added, moved, readings.sigmas, error=0.0)
        logs += each.tolist()
        best = max(best, (float(each.max()), word))
    return _Fit("sensor", tuple(logs), best[1])


def _jumping(names: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Return what may jump alone, with its outputs: each channel, and each device of several."""
    found = [(n.replace("_", " "), (n,)) for n in names]
    devices = dict.fromkeys(DEVICES[n] for n in names)
    whole = [(d, tuple(n for n in names if DEVICES[n] == d)) for d in devices]
    return [*found, *((d, of) for d, of in whole if len(of) > 1)]


def _hypotheses(cause: str, at: float, person: Person) -> list[tuple[Intervention, str]]:
    """Return a cause from `at` [s] on as each act that is tried, and how it is called."""
    unit = {"bleeding": "mL/min/kg", "tamponade": "mL/kg"}.get(cause)
    out = [
        (perturbation(cause, s, at, person), f"{s:g} {unit}" if unit else f"{s:.0%} left")
        for s in _SEVERITIES[cause]
    ]
    for rate, total in _ENDED if cause == "bleeding" else ():
        act = replace(perturbation(cause, rate, at, person), lasts=60.0 * total / rate)
        out.append((act, f"{total:g} mL/kg, over"))
    return out
