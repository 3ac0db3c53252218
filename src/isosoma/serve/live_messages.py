"""What the live page is told of the twin: five messages beside `hello`, `block` and `state`.

::

    twin      once a second: how far it is, numbers with intervals, newest readings and their ages
    cycle     one settled beat from R to R, of the median and a 90 % band over the ensemble
    belief    each unknown before and after the data, and which data inform it
    forecast  what is expected over the next 30 min if nothing is done
    plan      a signed plan that was begun: what was foreseen, what is read, whether they part

Each replaces the last of its kind; whoever joins is sent the newest of each. Shown units, named
beside; `null` where a number is none. Arrays of a cycle have `samples` numbers, evenly over
`length` from R. Simulated is what the model says, measured what a device said.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "Band", "Bands", "BeliefMessage", "Cause", "Chamber", "CycleMessage", "Finding", "Held",
    "Informing", "Left", "Number", "PlanCourse", "PlanMessage", "Span", "TwinMessage", "Unknown",
    "Valve",
]  # fmt: skip

Numbers = list[float]
Origin = Literal["measured", "simulated"]


class Number(msgspec.Struct, frozen=True):
    """One number.

    Attributes
    ----------
    value, low, high : median and bounds of the interval that holds `level` of the belief, or a
        reading and its interval by the device's noise.
    age : of the newest reading it rests on [s]; null where it rests on none of its own.
    stale : whether that reading is too old to speak for now.
    device : who measured; empty where simulated.
    """

    label: str
    value: float
    low: float
    high: float
    unit: str
    origin: Origin
    age: float | None = None
    stale: bool = False
    level: float = 0.9
    device: str = ""


class Finding(msgspec.Struct, frozen=True):
    """Sensor or patient: what quality says of a device, or the twin of the person.

    `clock` : since when [s since 1970].
    """

    kind: Literal["sensor", "patient"]
    text: str
    clock: float


class TwinMessage(msgspec.Struct, frozen=True, tag_field="type", tag="twin"):
    """How far the twin is and what it says now.

    Attributes
    ----------
    status, said, share : building, live or failed; in words; how much of the building is done [1].
    digest : SHA-256 of belief and release.
    age : of the newest reading folded [s].
    readings : measured, the newest of each device. numbers : simulated.
    withheld : why no simulated number is told, a sentence; empty where they are.
    """

    status: Literal["none", "building", "live", "failed"]
    said: str
    share: float
    clock: float
    digest: str = ""
    age: float | None = None
    folded: int = 0
    numbers: dict[str, Number] = {}
    readings: dict[str, Number] = {}
    findings: list[Finding] = []
    withheld: str = ""


class Span(msgspec.Struct, frozen=True):
    """Median and central 90 % of the members."""

    median: float
    low: float
    high: float


class Band(msgspec.Struct, frozen=True):
    """Median member, and the central 90 % of the ensemble at the same phase."""

    value: Numbers
    low: Numbers
    high: Numbers


class Chamber(msgspec.Struct, frozen=True):
    """`volume` [mL], `pressure` [mmHg], `wall` [mm] of a ventricle, `saturation` [1]."""

    volume: Band
    pressure: Band
    saturation: float
    wall: Numbers | None = None


class Valve(msgspec.Struct, frozen=True):
    """`flow` [mL/s], forward positive; `opening` 0 to 1."""

    flow: Numbers
    opening: Numbers


class CycleMessage(msgspec.Struct, frozen=True, tag_field="type", tag="cycle"):
    """One settled beat of the belief; everything in it is simulated.

    Attributes
    ----------
    belief_clock : of the newest reading that the belief rests on [s since 1970].
    length, pre_ejection, ejection : [s].
    end_systole, end_diastole : sample numbers.
    chambers : lv, rv, la, ra. vessels : pressure of ao and pa [mmHg], saturation apart.
    loops : volume [mL] and pressure [mmHg] of the left ventricle of some members.
    members : that the bands rest on.
    """

    clock: float
    belief_clock: float
    samples: int
    members: int
    length: Span
    pre_ejection: Span
    ejection: Span
    end_systole: int
    end_diastole: int
    chambers: dict[str, Chamber]
    vessels: dict[str, Band]
    vessel_saturation: dict[str, float]
    valves: dict[str, Valve]
    loops: list[tuple[Numbers, Numbers]]
    wall_note: str


class Informing(msgspec.Struct, frozen=True):
    """A variable that was read, and the share of the unknown's variance that it alone explains."""

    variable: str
    share: float


class Unknown(msgspec.Struct, frozen=True):
    """One unknown of the twin: before and after the data, in `unit`.

    `informed_share` : of the prior's spread that the data took away [1]; `said` : in words.
    """

    name: str
    plain: str
    unit: str
    prior: Span
    posterior: Span
    informed: bool
    informed_share: float
    said: str
    by: list[Informing]


class BeliefMessage(msgspec.Struct, frozen=True, tag_field="type", tag="belief"):
    """Under the hood: what the twin believes of the person, and what it rests on."""

    clock: float
    belief_clock: float
    digest: str
    readings: int
    unknowns: list[Unknown]
    unused: dict[str, str]


class Bands(msgspec.Struct, frozen=True, tag_field="type", tag="forecast"):
    """What is expected if nothing is done: `minutes` after `clock`, by variable, shown units."""

    clock: float
    minutes: Numbers
    outputs: dict[str, Band]
    units: dict[str, str]
    failed: int


class PlanCourse(msgspec.Struct, frozen=True):
    """One output: the band that was signed at `minutes`, and what was `read` at `at` [min]."""

    label: str
    unit: str
    minutes: Numbers
    band: Band
    at: Numbers
    read: Numbers


class Left(msgspec.Struct, frozen=True):
    """The patient, or one device alone, left the band.

    `since`, `clock` : when it went, when that was sure [s since 1970].
    """

    kind: Literal["patient", "device"]
    text: str
    since: float
    clock: float


class Cause(msgspec.Struct, frozen=True):
    """What may be why; causes that the readings do not tell apart share a rank."""

    cause: str
    rank: int
    share: float
    severity: str


class Held(msgspec.Struct, frozen=True):
    """How good what was foreseen of an output was.

    `inside_50`, `inside_90` : shares of the readings inside the central 50 and 90 %.
    `crps` : continuous ranked probability score, in the shown unit of the output.
    """

    readings: int
    inside_50: float
    inside_90: float
    crps: float


class PlanMessage(msgspec.Struct, frozen=True, tag_field="type", tag="plan"):
    """A signed plan that was begun.

    Attributes
    ----------
    begun : [s since 1970]. minute, minutes : how far it is, and how long it is [min].
    left : newest leave. causes : the likeliest first. why_not : why there are none, or no scores.
    scores : by output, once it is over.
    """

    id: str
    question: str
    option: str
    begun: float
    minute: float
    minutes: float
    over: bool
    courses: dict[str, PlanCourse]
    left: Left | None
    causes: list[Cause]
    why_not: str
    scores: dict[str, Held]
