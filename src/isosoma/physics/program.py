"""What a kernel computes, as data: named rows of numbers, and stages that rewrite them.

A row holds one number for each member. A stage runs every so many ticks and is a list of lines
(plain assignments) and calls of scalar functions; a name that is no row is local to its stage.
`kernel` turns a program into machine code; nothing here knows what the numbers mean.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from isosoma.core.errors import ModelError
from isosoma.physics.inline import Function

__all__ = ["Call", "Delay", "Program", "Stage", "check", "reads_and_writes"]

GIVEN = frozenset(("h", "tick", "np", "min", "max", "abs"))
"""Names every stage may read: the step [s], the tick, and what the language has."""


@dataclass(frozen=True, slots=True)
class Call:
    """``gives = function(*takes)``; what it takes are names, numbers or expressions of them."""

    function: Function
    takes: tuple[str | float, ...]
    gives: tuple[str, ...]


Line = Call | str
"""A call, or one plain assignment as text: ``dp_mv = p_la - p_lv``."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Lines that run at every tick divisible by `every`; 0: once, when a run begins."""

    name: str
    every: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """`gives` is what `source` was `seconds` (a row, the same for all members) ago.

    It is read and written in stage `stage`, before that stage's lines and after them.
    """

    source: str
    gives: str
    seconds: str
    stage: str


@dataclass(frozen=True, slots=True)
class Program:
    """Rows and what rewrites them.

    Attributes
    ----------
    rows : all names, in the order of storage.
    stages : in the order they run within a tick.
    delays : transport lags.
    sums : rows that grow by small steps, which single precision must not lose (`compensation`).
    """

    name: str
    rows: tuple[str, ...]
    stages: tuple[Stage, ...]
    delays: tuple[Delay, ...] = ()
    sums: tuple[str, ...] = ()


def _names(line: Line) -> tuple[list[str], list[str]]:
    """Return names read and written by one line."""
    if isinstance(line, Call):
        texts = [t for t in line.takes if isinstance(t, str)]
        trees = [ast.parse(text, mode="eval") for text in texts]
        read = [n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)]
        return read, list(line.gives)
    tree = ast.parse(line).body
    if len(tree) != 1 or not isinstance(tree[0], ast.Assign):
        raise ModelError(f"{line!r} is no plain assignment")
    found = [n for n in ast.walk(tree[0]) if isinstance(n, ast.Name)]
    read = [n.id for n in found if isinstance(n.ctx, ast.Load)]
    return read, [n.id for n in found if isinstance(n.ctx, ast.Store)]


def reads_and_writes(
    lines: Iterable[Line], given: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the names that `lines` need from before, and those they assign, each once."""
    have, needed, written = set(given), dict[str, None](), dict[str, None]()
    for line in lines:
        read, gives = _names(line)
        needed |= dict.fromkeys(n for n in read if n not in have)
        written |= dict.fromkeys(gives)
        have.update(gives)
    return [n for n in needed if n not in GIVEN], list(written)


def check(program: Program) -> None:
    """Refuse a program that would not compile or mean nothing.

    Raises
    ------
    ModelError
        A row stands twice, or a stage reads what neither a row nor a line gives.
    """
    if len(set(program.rows)) != len(program.rows):
        twice = next(r for r in program.rows if program.rows.count(r) > 1)
        raise ModelError(f"row {twice!r} stands twice in {program.name}")
    for fault in _faults(program):
        raise ModelError(f"{program.name}: {fault}", todo="Bind the symbol to a parameter or state")


def _faults(program: Program) -> Iterator[str]:
    rows = set(program.rows)
    for stage in program.stages:
        late = [d.gives for d in program.delays if d.stage == stage.name]
        needed, _ = reads_and_writes(stage.lines, late)
        for name in needed:
            if name not in rows:
                yield f"stage {stage.name} reads {name!r}, which nothing gives"
        if stage.every < 0 or not math.isfinite(stage.every):
            yield f"stage {stage.name} runs every {stage.every} ticks"
    for name in program.sums:
        if name not in rows:
            yield f"the sum {name!r} is no row"
    for delay in program.delays:
        if delay.seconds not in rows:
            yield f"the delay of {delay.source} has no row {delay.seconds!r}"
