"""What every model of an organ is: equations with declared unknowns, over integer ticks.

A model is a frozen record with pure methods. State, parameters and inputs are named arrays whose
leading axis is the ensemble member, so that one patient and 256 members are the same call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.prior import Prior
from isosoma.core.units import ucum

__all__ = [
    "IntendedUse",
    "Model",
    "Outcome",
    "Parameter",
    "Port",
    "Rewirable",
    "Source",
    "prior_mean",
]

Bundle = Mapping[str, npt.NDArray[np.floating]]
"""Named arrays, each of shape (members, ...) in SI units."""

Scope = Literal["patient", "population", "physics"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number or an equation comes from.

    Attributes
    ----------
    text : author, year, title or table.
    doi : digital object identifier, empty where there is none.
    verified : False where the number stands as a replaceable value nobody has checked.
    """

    text: str
    doi: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """An unknown of a model, or a constant with a unit.

    Attributes
    ----------
    name : snake_case; where the vocabulary has a row of that name, the prior stays in its bounds.
    unit : SI unit, UCUM.
    prior : belief before any data, in that unit.
    source : where the prior comes from.
    scope : whose it is: this patient's, a population's, or physics.
    """

    name: str
    unit: str
    prior: Prior
    source: Source
    scope: Scope = "patient"

    def __post_init__(self) -> None:
        ucum(self.unit)


@dataclass(frozen=True, slots=True)
class Port:
    """A named array of the state, the inputs or the outputs.

    Attributes
    ----------
    name, unit : as in the vocabulary where it has a row of that name; the unit is SI, UCUM.
    shape : trailing axes after the member axis.
    dtype : declared precision; field models may use float32.
    rest : of an input, its value [unit] while nothing is done to the patient.
    """

    name: str
    unit: str
    shape: tuple[int, ...] = ()
    dtype: str = "float64"
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class IntendedUse:
    """What a model may be asked (FDA, Assessing the Credibility of Computational Modeling, 2023).

    Attributes
    ----------
    question : question of interest.
    context : context of use, with the population it holds for.
    not_for : what it must not be used for.
    influence, consequence : of the model on the decision, and of a wrong decision.
    """

    question: str
    context: str
    not_for: str
    influence: Literal["low", "medium", "high"]
    consequence: Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an advance gives back.

    Attributes
    ----------
    state : bundle at the last tick.
    outputs : bundle over the interval, by the model's declared outputs.
    failed : shape (members,), bool; a failed member's arrays mean nothing, the others are whole.
    exchanged : net inflow over the interval of every conserved quantity, shape (members,).
    advice : a sentence for each kind of failure that occurred.
    """

    state: Bundle
    outputs: Bundle
    failed: npt.NDArray[np.bool_]
    exchanged: Mapping[str, npt.NDArray[np.float64]] = field(
        default_factory=dict[str, npt.NDArray[np.float64]]
    )
    advice: tuple[str, ...] = ()


@runtime_checkable
class Model(Protocol):
    """The protocol of every model. Implementations are frozen dataclasses with a `step` field.

    Splitting an interval changes no bit: ``advance(0, 10)`` equals ``advance(0, 4)`` then
    ``advance(4, 10)``. Tests in ``tests/contracts`` hold every model to it, unasked.
    """

    @property
    def name(self) -> str:
        """Dotted name, ``organs.circulation``."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever a result may."""
        ...

    @property
    def step(self) -> float:
        """Length of one tick [s]."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every number of the equations that has a dimension, constants included."""
        ...

    @property
    def states(self) -> tuple[Port, ...]:
        """Arrays of the state."""
        ...

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Arrays held over an advance."""
        ...

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Arrays an advance gives; each has a row in the vocabulary."""
        ...

    @property
    def intended_use(self) -> IntendedUse:
        """What it may be asked."""
        ...

    @property
    def cases(self) -> tuple[str, ...]:
        """File names in ``cases/`` of the published cases it must reproduce."""
        ...

    def start(self, theta: Bundle) -> Bundle:
        """Return the state at tick 0 for parameters `theta` of shape (members,)."""
        ...

    def advance(
        self, tick0: int, tick1: int, state: Bundle, theta: Bundle, inputs: Bundle
    ) -> Outcome:
        """Return the outcome at `tick1` >= `tick0`; changes none of its arguments."""
        ...

    def conserved(self, state: Bundle, theta: Bundle) -> Mapping[str, npt.NDArray[np.float64]]:
        """Return the total of every quantity the equations conserve, shape (members,)."""
        ...


@runtime_checkable
class Rewirable(Model, Protocol):
    """A model whose topology an intervention may change."""

    def rewired(self, edit: str) -> Rewirable:
        """Return the model after a change of topology, by its name.

        Raises
        ------
        ModelError
            Nobody knows that change, or it does not fit.
        """
        ...

    def transfer(self, new: Rewirable, state: Bundle) -> Bundle:
        """Return the state for `new`, the rewired model; what is conserved stays as it was."""
        ...


def prior_mean(parameters: tuple[Parameter, ...], members: int = 1) -> Bundle:
    """Return every parameter at z = 0, arrays of shape (members,).

    Raises
    ------
    ModelError
        Two parameters share a name.
    """
    zero = np.zeros(members)
    out = {p.name: p.prior.real(zero) for p in parameters}
    if len(out) != len(parameters):
        raise ModelError("two parameters of one model share a name")
    return out
