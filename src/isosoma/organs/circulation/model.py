"""The model of the circulation behind the protocol of every organ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle, IntendedUse, Outcome, Parameter, Port, Rewirable
from isosoma.organs.circulation.anatomy import REWIRINGS, adult
from isosoma.organs.circulation.outputs import OUTPUTS, outputs_of
from isosoma.organs.circulation.parameters import OPTIONAL, PARAMETERS
from isosoma.organs.circulation.rows import INPUTS, program_of, state_units
from isosoma.organs.circulation.transfer import transfer
from isosoma.physics.compensation import low
from isosoma.physics.ensemble import Precision, ring_depths, run
from isosoma.physics.network import Graph, bound
from isosoma.physics.program import Program

__all__ = ["MODELS", "Circulation"]

Floats = npt.NDArray[np.float64]

_SOURCES = ("f_heart", "f_vessels", "f_vessels", "f_vagal")
_RINGS = ("ring_heart", "ring_vessels", "ring_veins", "ring_vagal")


_SINGLE = 2.5e-4
"""Shortest step [s] in single precision: below, what a step adds to a phase is rounded away."""
_ENDLESS = 100.0
"""Times a member's blood that no compartment holds: its numbers are on their way to infinity."""
_DIVERGED = (
    "The circulation diverged: a parameter is not finite or far outside its range; "
    "compare it with `isosoma models`"
)


@dataclass(frozen=True)
class Circulation:
    """Four chambers and valves, vessels, reflexes, oxygen and drugs over one graph.

    Attributes
    ----------
    step : of the network [s]; reflexes and drugs run every so many ticks of it.
    graph : its topology; `anatomy` has the normal one and its rewirings.
    precision : of the arithmetic. Single is twice as fast and for large cohorts; every index is
        near to double's (docs/circulation.md says how near), and what is logged is double.
    """

    step: float = 1e-3
    graph: Graph = field(default_factory=adult)
    threads: int | None = None
    precision: Precision = "double"
    name: str = "organs.circulation"
    version: str = "1"
    cases: tuple[str, ...] = ("circulation_healthy_adult.toml",)
    intended_use: IntendedUse = field(
        default=IntendedUse(
            "How do pressures, flows and oxygen of this patient answer bleeding, fluid, drugs, "
            "ventilation, a valve or a rewiring over seconds to hours?",
            "Rehearsal and explanation beside a clinician's judgement; people from newborn to old "
            "age, at rest, supine, with the heart disease that the graph expresses",
            "Titration without a clinician, exercise, pregnancy, sepsis, days without the kidney",
            "medium",
            "high",
        )
    )

    def __post_init__(self) -> None:
        """Refuse a precision that is none, and single where its steps would be lost in rounding."""
        if self.precision not in ("double", "single"):
            said = f"{self.precision!r} is no precision"
            raise ModelError(said, self.name, "Say 'double' or 'single'")
        if self.precision == "single" and self.step < _SINGLE:
            said = f"a step of {self.step:g} s is lost in single precision's rounding"
            raise ModelError(said, self.name, f"Use double, or steps from {_SINGLE:g} s on")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return what this graph's equations read, in the table's order."""
        wanted = set(bound(self.graph))
        return tuple(p for n, p in PARAMETERS.items() if n not in OPTIONAL or n in wanted)

    @property
    def states(self) -> tuple[Port, ...]:
        """Return every array that lasts between two advances."""
        units = state_units(self.graph)
        rows = tuple(Port(n, u) for n, u in units.items())
        lows = tuple(Port(low(n), units[n]) for n in _pairs(self))
        return (*rows, *lows, *(Port(r, "Hz", (-1,)) for r in _RINGS))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Return what is held over an advance."""
        return tuple(Port(n, u, rest=rest) for n, (u, rest) in INPUTS.items())

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Return what an advance gives: the last whole beat of each member."""
        return tuple(Port(n, u) for n, (u, _) in OUTPUTS.items())

    def start(self, theta: Bundle) -> Bundle:
        """Return a plausible beginning: volumes at the parameters' own pressures, tones at rest."""
        from isosoma.organs.circulation.beginning import beginning

        program = program_of(self.graph)
        state = beginning(self.graph, theta, state_units(self.graph))
        values = {k: np.asarray(v, np.float64) for k, v in {**theta, **state}.items()}
        depths = ring_depths(program, values, self.step)
        for ring, row, depth in zip(_RINGS, _SOURCES, depths, strict=True):
            state[ring] = np.repeat(state[row][:, None], depth, axis=1)
        return state

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        """Return the outcome at `tick1`; a member whose numbers leave the finite is in `failed`."""
        program = program_of(self.graph)
        values = self._values(program, state, theta, inputs)
        rings = self._rings(program, state, values)
        moved, turned = run(
            program, tick0, tick1, self.step, values, rings, self.threads, precision=self.precision
        )
        lasting = (*state_units(self.graph), *map(low, _pairs(self)))
        out: dict[str, Floats] = {n: moved[n] for n in lasting}
        volumes = np.array([moved[f"V_{n.name}"] for n in self.graph.nodes])
        failed = ~(np.abs(volumes).max(axis=0) < _ENDLESS * values["blood_volume"])
        failed |= ~_finite([moved["phi"], moved["capacity"], *theta.values(), *inputs.values()])
        out |= dict(zip(_RINGS, turned, strict=True))
        exchanged = {"blood": moved["received"] - np.asarray(state["received"])}
        advice = (_DIVERGED,) if failed.any() else ()
        return Outcome(out, outputs_of(moved, self.graph), failed, exchanged, advice)

    def _rings(self, program: Program, state: Bundle, values: Mapping[str, Floats]) -> list[Floats]:
        """Return the delays' rings; a kernel reads past the end of one that is too short."""
        rings = [np.asarray(state[r], np.float64) for r in _RINGS]
        depths = ring_depths(program, values, self.step)
        for name, ring, depth in zip(_RINGS, rings, depths, strict=True):
            due = (len(values["period"]), depth)
            if ring.shape != due:
                said = f"{name} has the shape {ring.shape}, not {due}: a state of another step"
                raise ModelError(said, self.name, "Start with the step and delays of this model")
        return rings

    def rewired(self, edit: str) -> Circulation:
        """Return the circulation after a rewiring of `anatomy.REWIRINGS`, by name."""
        if edit not in REWIRINGS:
            raise ModelError(
                f"{edit!r} is no rewiring of the circulation",
                todo=f"There are {', '.join(sorted(REWIRINGS))}",
            )
        return replace(self, graph=REWIRINGS[edit](self.graph))

    def transfer(self, new: Rewirable, state: Bundle) -> Bundle:
        """Return the state for a rewired circulation; no blood or oxygen is lost."""
        if not isinstance(new, Circulation):
            raise ModelError(f"{new.name} is no rewired circulation", self.name)
        return transfer(self.graph, new.graph, state)

    def _values(
        self, program: Program, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> dict[str, Floats]:
        given = {**state, **theta, **inputs}
        members = len(np.asarray(theta["period"]))
        zero = np.zeros(members)
        missing = [p.name for p in (*self.parameters, *self.inputs) if p.name not in given]
        if missing:
            raise ModelError(f"the circulation needs {', '.join(missing[:5])}", self.name)
        wanted = (*program.rows, *map(low, _pairs(self)))
        rows = {n: np.asarray(given.get(n, zero), np.float64) for n in wanted}
        for name, row in rows.items():
            if row.shape != (members,):
                found = f"{name} has the shape {row.shape}, not ({members},)"
                raise ModelError(found, self.name, "Give one number for each member")
        return rows

    def conserved(self, state: Bundle, theta: Bundle) -> Mapping[str, Floats]:
        """Return all fluid of the graph, blood and tissue [m3]."""
        del theta
        total = np.zeros_like(np.asarray(state["phi"], np.float64))
        for node in self.graph.nodes:
            total = total + np.asarray(state[f"V_{node.name}"], np.float64)
        return {"blood": total}


def _pairs(model: Circulation) -> tuple[str, ...]:
    """Return the sums that a model keeps as pairs of rows."""
    return program_of(model.graph).sums if model.precision == "single" else ()


def _finite(rows: Iterable[npt.NDArray[np.floating]]) -> npt.NDArray[np.bool_]:
    """Return for each member whether all its numbers are finite."""
    return np.all(np.isfinite(np.array(list(rows), np.float64)), axis=0)


MODELS = (Circulation(),)
