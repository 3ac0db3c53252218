"""What an answer about a patient rests on, kept beside it: what came since can then be told apart.

A twin is a fold over readings, body and release. Of the readings, some stream in all the time and
tell only that the patient is still as they were; the others, an echo or a laboratory value, each
move the belief. So a basis names the latter one by one, and of the former keeps the state they
told of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from isosoma.core.errors import FormatError
from isosoma.core.observation import Observation
from isosoma.scenario.prediction import OUTPUTS
from isosoma.scenario.watching import SPANS
from isosoma.twin.fold import Twin
from isosoma.twin.forecasting import expected

__all__ = [
    "LEVELS", "SPAN", "Basis", "Level", "Present", "Rare", "basis_of", "present_of", "rare_of",
    "read_basis", "write_basis",
]  # fmt: skip

LEVELS = (
    "mean_arterial_pressure", "heart_rate", "oxygen_saturation", "central_venous_pressure",
)  # fmt: skip
"""What is monitored, and says whether a patient is still in the state an answer began from."""
SPAN = round(max(SPANS) * 1e9)
"""Time over which readings make a level [ns]: that of the watch over a plan, 200 s."""
_STREAM, _OFTEN = 900 * 10**9, 3
"""A variable that was read so often in such a time [ns] before is streamed, and not rare."""


@dataclass(frozen=True, slots=True, order=True)
class Rare:
    """A reading that moves the belief: of what, by what, of when and come when [ns], value [SI]."""

    variable: str
    device: str
    at: int
    value: float
    received: int = 0

    @property
    def identity(self) -> tuple[str, str, int, float]:
        """Return what makes it this one, whenever it came."""
        return self.variable, self.device, self.at, self.value


@dataclass(frozen=True, slots=True)
class Level:
    """A monitored level of the state an answer was computed from.

    Attributes
    ----------
    low, median, high : of the members, central 90 % [SI].
    read : median of its last readings [SI]; None where there were none within `SPAN`.
    """

    low: float
    median: float
    high: float
    read: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer rests on.

    Attributes
    ----------
    at : instant of the state that was played [ns]. until : newest reading it rests on [ns].
    described : digest of body and diagnoses. release : digest of code, tables and settings.
    streamed : variables that stream in. rare : every reading of the others.
    levels : by variable, of those that were read.
    """

    at: int
    until: int
    described: str
    release: str
    streamed: tuple[str, ...]
    rare: tuple[Rare, ...]
    levels: Mapping[str, Level]


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """What a twin rests on now.

    Attributes
    ----------
    readings : by variable, in order of time; what images measured is among them.
    described, release : as for `Basis`.
    """

    readings: Mapping[str, tuple[Observation, ...]]
    described: str
    release: str


def present_of(twin: Twin) -> Present:
    """Return what a twin rests on."""
    found = dict[str, list[Observation]]()
    learnt = (r.observation for r in (*twin.first, *twin.timeline.readings))
    for o in sorted((*learnt, *twin.subject.root), key=lambda o: o.at):
        found.setdefault(o.variable, []).append(o)
    body = repr((sorted(asdict(twin.subject.person).items()), sorted(twin.subject.freed)))
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return Present({n: tuple(rows) for n, rows in found.items()}, digest, twin.release.digest)


def basis_of(twin: Twin, at: int) -> Basis:
    """Return what an answer rests on that members of a twin's belief at `at` [ns] play."""
    now = present_of(twin)
    until = max((rows[-1].at for rows in now.readings.values()), default=twin.belief.at)
    streamed = tuple(sorted(n for n, rows in now.readings.items() if _streams(n, rows, until)))
    return Basis(
        at, until, now.described, now.release, streamed, rare_of(now, streamed),
        _levels(twin, at, now, until),
    )  # fmt: skip


def _streams(name: str, rows: Sequence[Observation], until: int) -> bool:
    return name in OUTPUTS or sum(o.at > until - _STREAM for o in rows) >= _OFTEN


def rare_of(present: Present, streamed: Iterable[str]) -> tuple[Rare, ...]:
    """Return every reading that a twin rests on of what does not stream in."""
    often = set(streamed)
    return tuple(sorted({
        Rare(o.variable, o.device, o.at, o.value, o.received)
        for n, rows in present.readings.items() if n not in often for o in rows
    }))  # fmt: skip


def _levels(twin: Twin, at: int, now: Present, until: int) -> dict[str, Level]:
    names = [n for n in LEVELS if n in now.readings]
    if not names:
        return {}
    seen, out = expected(twin, max(at, twin.belief.at), names), dict[str, Level]()
    for name in names if len(seen.members) else ():
        of = seen.range_of(name)
        values = [o.value for o in now.readings[name] if o.at > until - SPAN]
        out[name] = Level(of.low, of.median, of.high, median(values) if values else None)
    return out


def write_basis(basis: Basis) -> str:
    """Return a basis as JSON with sorted keys."""
    return json.dumps(asdict(basis), sort_keys=True, allow_nan=False)


def read_basis(text: str) -> Basis | None:
    """Return a basis from its JSON; None where none was kept.

    Raises
    ------
    FormatError
        It is not what `write_basis` writes.
    """
    if not text:
        return None
    try:
        told = json.loads(text)
        told["rare"] = tuple(Rare(**r) for r in told["rare"])
        told["levels"] = {n: Level(**v) for n, v in told["levels"].items()}
        told["streamed"] = tuple(told["streamed"])
        return Basis(**told)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise FormatError(f"this is no basis of an answer ({error})", "basis") from error
