"""Sums that lose nothing in single precision: what a rounding took is given to the next step.

::

    y = increment + low;   t = sum + y;   low = y - (t - sum);   sum = t      (Kahan 1965)

A sum is then a pair of rows, ``x`` and ``x_low``, that is right to about 48 bits.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.physics.program import Line, Program

__all__ = ["compensated", "joined", "low", "parted"]

Floats = npt.NDArray[np.float64]


def low(name: str) -> str:
    """Return the row of what rounding took from a sum."""
    return f"{name}_low"


@lru_cache(maxsize=32)
def compensated(program: Program) -> Program:
    """Return the program with every sum as a pair of rows.

    Raises
    ------
    ModelError
        A sum is given by something else than ``x = x + increment``.
    """
    sums = frozenset(program.sums)
    stages = tuple(
        replace(s, lines=tuple(new for line in s.lines for new in _compensated(line, sums)))
        for s in program.stages
    )
    return replace(program, rows=(*program.rows, *map(low, program.sums)), stages=stages)


def _compensated(line: Line, sums: frozenset[str]) -> Iterable[Line]:
    gives = line.gives if not isinstance(line, str) else (line.partition("=")[0].strip(),)
    summed = sums.intersection(gives)
    if not summed:
        return (line,)
    (name,) = summed
    match ast.parse(line).body if isinstance(line, str) else None:
        case [ast.Assign(value=ast.BinOp(ast.Name(id=own), op, step))] if own == name:
            y, t = f"{name}_step", f"{name}_next"
            change = ast.BinOp(ast.Name(low(name)), op, step)
            return (
                f"{y} = {ast.unparse(change)}",
                f"{t} = {name} + {y}",
                f"{low(name)} = {y} - ({t} - {name})",
                f"{name} = {t}",
            )
        case _:
            raise ModelError(f"{line!r} is no sum", todo=f"Write {name} = {name} + its increment")


def parted(program: Program, values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return values with each sum as its pair; what a pair was before, where it still is its sum.

    A pair that `joined` gave comes back bit by bit, so that an interval may be cut anywhere.
    """
    out = dict(values)
    with np.errstate(over="ignore", invalid="ignore"):  # of a member that has diverged
        for name in program.sums:
            whole = values[name]
            was = values.get(low(name), np.zeros_like(whole))
            near = _single(whole - was)
            kept = near + was == whole
            out[name] = np.where(kept, near, _single(whole))
            out[low(name)] = np.where(kept, was, whole - out[name])
    return out


def _single(values: Floats) -> Floats:
    return values.astype(np.float32).astype(np.float64)


def joined(program: Program, values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return values with each sum in full, and beside it what is left to the next step."""
    with np.errstate(invalid="ignore"):
        return {**values, **{name: values[name] + values[low(name)] for name in program.sums}}
