"""A circulation simulated for the command line: whose, what is set and done, beat by beat."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError, RangeError, UnitError
from isosoma.core.intervention import Intervention, moments
from isosoma.core.units import read_unit, ucum
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import Act, write_act
from isosoma.organs.circulation.anatomy import adult
from isosoma.organs.circulation.body import Person, inputs_of, theta_of, typical
from isosoma.organs.circulation.bounds import checked
from isosoma.organs.circulation.edits import edited
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.organs.circulation.rows import SAMPLE
from isosoma.physics.network import Graph
from isosoma.twin.course import Frame, Running, frames
from isosoma.twin.starting import at_rest

__all__ = [
    "Beat",
    "Plan",
    "Simulation",
    "age_of",
    "begun",
    "duration",
    "graph_of",
    "person_of",
    "plan",
    "simulate",
]

EVERY = 0.2
"""Time between two looks at the state [s]: shorter than a beat."""
LOOKS = 15_000
"""Most looks of a run; a longer one shows a beat now and then."""
_ITEM = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*$")
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)$")
_LONGEST = 24 * 3600.0
_BODY = {
    "age": ("a", 1.0, 0.0, 120.0),
    "weight": ("kg", 1.0, 0.4, 400.0),
    "height": ("cm", 100.0, 25.0, 260.0),
}
"""Unit where none is said, how many of it `Person` counts as one, bounds of the possible."""
_WORDS = {"y": "a", "yr": "a", "year": "a", "years": "a", "month": "mo", "months": "mo"}
_FEMALE = {"f": True, "female": True, "m": False, "male": False}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is simulated.

    Attributes
    ----------
    settings : parameters and inputs that were set, by name [SI].
    seconds : after the start of the rehearsal [s].
    """

    person: Person
    graph: Graph
    settings: Mapping[str, float]
    acts: tuple[Act, ...]
    done: tuple[Intervention, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Beat:
    """A whole beat: when it ended [s], and what it was, by output [SI]."""

    time: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What came of a plan.

    Attributes
    ----------
    start, end : where the rehearsal began, and where it stands.
    every_beat : False where a long run shows a beat now and then.
    """

    plan: Plan
    start: Running
    end: Running
    beats: tuple[Beat, ...]
    every_beat: bool

    @property
    def failed(self) -> bool:
        """Return whether the circulation diverged."""
        return bool(self.end.failed[0])

    @property
    def first_act(self) -> float:
        """Return when something is done first [s]; infinite where nothing is."""
        return min((act.at for act in self.plan.done), default=math.inf)


def _items(texts: Iterable[str], what: str) -> dict[str, str]:
    out = dict[str, str]()
    for text in texts:
        found = _ITEM.match(text)
        if found is None:
            raise FormatError(f"{text!r} is no name=value", what)
        if found.group(1) in out:
            raise FormatError(f"{found.group(1)} is given twice", what)
        out[found.group(1)] = found.group(2)
    return out


def _number(text: str, where: str) -> tuple[float, str]:
    found = _QUANTITY.match(text)
    if found is None or not math.isfinite(float(found.group(1))):
        raise FormatError(f"{text!r} is no number", where, "Write NUMBER UNIT, with a point")
    return float(found.group(1)), found.group(2)


def person_of(text: str) -> Person:
    """Read ``age=40,weight=75,height=177,sex=f``: years, kg and cm where no unit is said.

    What is left out is the median of the age.
    """
    items = _items(filter(None, text.split(",")), "--person")
    if unknown := set(items) - {*_BODY, "sex"}:
        raise FormatError(
            f"a person has no {', '.join(sorted(unknown))}",
            "--person",
            "Give age, weight, height, sex",
        )
    sex = items.pop("sex", "male").casefold()
    if sex not in _FEMALE:
        raise FormatError(f"sex {sex!r} is neither male nor female", "--person", "It scales doses")
    given = {name: _of_body(name, said) for name, said in items.items()}
    person = typical(given.get("age", 40.0), _FEMALE[sex])
    if "age" not in given:
        person = Person(female=_FEMALE[sex])
    person = replace(person, **given)
    theta_of(person)  # says so where nobody is like that
    return person


def _of_body(name: str, said: str) -> float:
    number, code = _number(said, f"--person {name}")
    unit, scale, low, high = _BODY[name]
    read = read_unit(_WORDS.get(code, code) or unit)
    due = ucum(unit)
    if read.dimensions != due.dimensions:
        raise UnitError(f"{name} is not measured in {code}", "--person", f"Give it in {unit}")
    value = number * (read.factor / due.factor)
    if not low <= value <= high:
        raise RangeError(
            f"{name} of {value:g} {unit} lies outside {low:g} to {high:g} {unit}", "--person",
            f"Without a unit it is read in {unit}",
        )  # fmt: skip
    return value / scale


def age_of(person: Person) -> str:
    """Return an age in words: newborn, months, years."""
    months = round(12.0 * person.age)
    if months < 1:
        return "a newborn"
    return f"{months} months" if months < 24 else f"{person.age:.3g} years"


def duration(text: str) -> float:
    """Read a time with its unit, ``5min``, and return it [s]."""
    number, code = _number(text, "--for")
    if not code:
        raise UnitError(f"{text!r} has no unit", "--for", "Write 5min, 300s or 1h")
    unit = read_unit(code)
    if unit.dimensions != ucum("s").dimensions:
        raise UnitError(f"{text!r} is no time", "--for", "Write 5min, 300s or 1h")
    if not 1.0 <= number * unit.factor <= _LONGEST:
        raise RangeError(f"{text!r} lies outside 1 s to 24 h", "--for")
    return number * unit.factor


def graph_of(text: str | None) -> Graph:
    """Return the normal circulation after the edits of a text, if any."""
    return adult() if text is None else edited(adult(), text)


def _settings(texts: Iterable[str], person: Person) -> dict[str, float]:
    medians = {p.name: p.rest for p in Circulation().inputs}
    medians |= theta_of(person) | inputs_of(person)
    out = dict[str, float]()
    for name, said in _items(texts, "--set").items():
        number, code = _number(said, f"--set {name}")
        if code.startswith("[") and code.endswith("]") and code[1:-1]:
            code = code[1:-1] if not _is_unit(code) else code  # written as in name=value[unit]
        out[name] = checked(name, number, code, medians)
    return out


def _is_unit(code: str) -> bool:
    try:
        ucum(code)
    except UnitError:
        return False
    return True


def plan(
    person: Person, graph: Graph, settings: Iterable[str], acts: tuple[Act, ...], seconds: float
) -> Plan:
    """Return what to simulate; `seconds` of 0 means two minutes beyond what is done, or one.

    Raises
    ------
    RangeError
        An act would never be done, or a setting is impossible.
    """
    done = interventions(acts, person)
    seconds = seconds or min(max(moments(done), default=-60.0) + 120.0, _LONGEST)
    for act in acts:
        if act.at.si >= seconds:
            raise RangeError(
                f"{write_act(act)!r} begins after the end of the run, {seconds:g} s",
                todo="Give a longer --for, or leave it out",
            )
    return Plan(person, graph, _settings(settings, person), acts, done, seconds)


def begun(wanted: Plan) -> Running:
    """Return the circulation of a plan, settled, at time 0 of the rehearsal."""
    return at_rest(wanted.person, wanted.settings, wanted.done, wanted.graph)


def simulate(wanted: Plan, told: Callable[[float], Any] | None = None) -> Simulation:
    """Run a plan; `told` hears how far it is [s]."""
    start = begun(wanted)
    every = max(EVERY, math.ceil(wanted.seconds / LOOKS / EVERY) * EVERY)
    beats, end = list[Beat](), start
    seen = float(np.asarray(start.state["beat_samples"])[0])
    for frame, end in frames(start, wanted.done, wanted.seconds, every):  # noqa: B007
        if told is not None:
            told(frame.time)
        if frame.failed[0]:
            break
        beats += _beat(frame, seen, every, start.model.step)
        seen = float(np.asarray(frame.state["beat_samples"])[0])
    return Simulation(wanted, start, end, tuple(beats), every == EVERY)


def _beat(frame: Frame, seen: float, every: float, step: float) -> Iterator[Beat]:
    """Yield the beat that ended since the last look, if one did."""
    state = {k: float(np.asarray(frame.state[k])[0]) for k in ("beat_samples", "beat_late")}
    if every == EVERY and state["beat_samples"] > seen:
        return
    if frame.outputs["heart_rate"][0] <= 0.0:
        return
    ago = (state["beat_samples"] - 1.0) * SAMPLE * step + state["beat_late"]
    yield Beat(frame.time - ago, {n: float(frame.outputs[n][0]) for n in OUTPUTS})
