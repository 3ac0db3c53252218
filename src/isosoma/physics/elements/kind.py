"""What an element is: symbols with units, its own states, and a scalar step function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from isosoma.physics.inline import Function

__all__ = ["Kind", "Symbol"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter of the element's equations: SI unit (UCUM) and what it means."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Kind:
    """An element.

    Attributes
    ----------
    name : as graphs write it.
    role : ``node`` (has a pressure) or ``edge`` (carries flow between two nodes).
    symbols : parameters of the equations.
    step : node: ``([V,] [e,] outside, *takes) -> p``, `outside` the pressure around it [Pa];
        edge: ``(dp, *states, *takes) -> states``, flow first.
    takes : symbols and prepared names that the step takes, in its order.
    prepared : name to expression of symbols and the step ``h`` [s], computed once per call:
        division is the dearest arithmetic of a kernel.
    states : of an edge, what it keeps between steps; none where the flow follows at once.
    active : of a node, whether the step takes an activation (after V).
    holds : of a node, whether it has a volume; a source of pressure has none.
    """

    name: str
    role: Literal["node", "edge"]
    symbols: tuple[Symbol, ...]
    step: Function
    takes: tuple[str, ...]
    prepared: Mapping[str, str] = field(default_factory=dict[str, str])
    states: tuple[Symbol, ...] = ()
    active: bool = False
    holds: bool = True
