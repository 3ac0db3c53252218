"""Published cases: a circulation run through phases, and the ranges it must reach.

A case is a TOML file: optional ``person``, ``theta`` overrides in clinical units, ``rewire``; one
or more ``[[phase]]`` of seconds with ``inputs``; ``[expected]`` ranges at the end and ``[change]``
against the end of the first phase.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.model import Bundle
from isosoma.core.units import convert, to_si
from isosoma.organs.circulation.anatomy import REWIRINGS, adult
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.organs.circulation.parameters import shown

__all__ = ["Finding", "run_case"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One expected number of a case: what was obtained, in the unit of its range."""

    quantity: str
    unit: str
    low: float
    high: float
    obtained: float
    source: str

    @property
    def passed(self) -> bool:
        """Return whether the number lies in its range."""
        return self.low <= self.obtained <= self.high


def _run(case: Mapping[str, Any]) -> Iterator[Bundle]:
    """Yield the outputs at the end of every phase."""
    graph = adult()
    for name in case.get("rewire", ()):
        graph = REWIRINGS[name](graph)
    model = Circulation(graph=graph)
    person = Person(**case.get("person", {}))
    medians = theta_of(person)
    theta = {p.name: np.array([medians[p.name]]) for p in model.parameters}
    for name, value in case.get("theta", {}).items():
        theta[name] = np.array([to_si(float(value), shown(name))])
    rest = {p.name: np.array([p.rest]) for p in model.inputs}
    rest |= {k: np.array([v]) for k, v in inputs_of(person).items()}
    state, tick = model.start(theta), 0
    for phase in case["phase"]:
        given = {
            k: np.array([to_si(float(v["value"]), str(v["unit"]))])
            for k, v in phase.get("inputs", {}).items()
        }
        until = tick + round(float(phase["seconds"]) / model.step)
        outcome = model.advance(tick, until, state, theta, rest | given)
        state, tick = outcome.state, until
        yield outcome.outputs


def run_case(path: Path) -> list[Finding]:
    """Run a case and return what it obtained beside each expected range."""
    case = tomllib.loads(path.read_text("utf-8"))
    phases = list(_run(case))
    first, last = phases[0], phases[-1]
    out = list[Finding]()
    for name, row in case.get("expected", {}).items():
        got = convert(float(last[name][0]), OUTPUTS[name][0], str(row["unit"]))
        out.append(_finding(name, row, got, case))
    for name, row in case.get("change", {}).items():
        got = 100.0 * (float(last[name][0]) / float(first[name][0]) - 1.0)
        out.append(_finding(f"change of {name}", row, got, case))
    return out


def _finding(name: str, row: Mapping[str, Any], got: float, case: Mapping[str, Any]) -> Finding:
    source = str(row.get("source", case["source"]))
    return Finding(name, str(row["unit"]), float(row["low"]), float(row["high"]), got, source)
