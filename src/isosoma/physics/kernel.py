"""A program made into machine code: a generated module, compiled once and kept on disk.

The member loop is innermost and holds the whole body, arrays are flat and the number of lanes is
a constant, so that LLVM packs members into vector registers. Arithmetic is strict: the same bits
for any number of lanes, threads or cuts of an interval.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

from isosoma.physics.inline import Function, expand, once_each
from isosoma.physics.program import Program, Stage, check, reads_and_writes

__all__ = ["CACHE", "Kernel", "compiled", "source_of"]

CACHE = "ISOSOMA_CACHE"
"""Environment variable with the folder of compiled kernels; default: the user's cache folder."""

PIECE = 40
"""Arithmetic operations in one loop over members."""
_OPERATION = re.compile(r"[-+*/]|min|max|sqrt|abs|<|>")
_UNIFORM = frozenset(("h", "tick", "D", "depth", "W", "j"))

_HEAD = '''"""Generated from program {name}; {lanes} lanes. Changes here are lost."""
from numba import njit
import numpy as np

W = {lanes}
'''
_STAGE = """

@njit(nogil=True, error_model="numpy")
def {name}(tick, h, R, D, depth):
"""
_RUN = '''

@njit(cache=True, nogil=True, error_model="numpy")
def run(tick0, tick1, h, R, D, depth):
    """Advance rows R (flat, {count} x W) and rings D from tick0 to tick1."""
    tick = tick0
'''


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled program: ``run(tick0, tick1, h, rows, rings, depths)`` for `lanes` members.

    `rows` counts the program's own and the kernel's scratch rows behind them.
    """

    program: Program
    lanes: int
    rows: int
    run: Function


def _expanded(stage: Stage) -> list[str]:
    """Return the lines of a stage as assignments, every call written out."""
    unique = count()
    return [
        text
        for line in stage.lines
        for text in (
            [line]
            if isinstance(line, str)
            else expand(line.function, map(str, line.takes), line.gives, unique)
        )
    ]


def _pieces(lines: list[str]) -> list[list[str]]:
    """Cut lines into loops of moderate size.

    A processor overlaps work of a few hundred instructions: short loops let it work on several
    members at once, where one long body is a chain of waits. They also compile faster.
    """
    out, size = [list[str]()], 0
    for line in lines:
        weight = len(_OPERATION.findall(line))
        if size + weight > PIECE and out[-1]:
            out.append([])
            size = 0
        out[-1].append(line)
        size += weight
    return out


def _loops(
    program: Program, stage: Stage, scratch: dict[str, int], unique: count[int]
) -> list[str]:
    """Return the loops of one stage: load what each needs, compute, store what lasts.

    A local that a later piece reads is kept in a row behind the program's own (`scratch`).
    """
    rows = {row: i for i, row in enumerate(program.rows)}
    delays = [(i, d) for i, d in enumerate(program.delays) if d.stage == stage.name]
    every = max(stage.every, 1)
    out = [f"at{i} = depth[{2 * i + 1}] + (tick // {every}) % depth[{2 * i}]" for i, _ in delays]
    rings = [f"{d.gives} = D[at{i} * W + j]" for i, d in delays]
    kept = [f"D[at{i} * W + j] = {d.source}" for i, d in delays]
    pieces = _pieces([*rings, *_expanded(stage)])
    touched = [reads_and_writes(p, ("D", *(f"at{i}" for i, _ in delays))) for p in pieces]
    later = [{n for needed, _ in touched[i + 1 :] for n in needed} for i in range(len(pieces))]
    later[-1] |= {d.source for _, d in delays}

    def place(name: str) -> str:
        if name not in rows and name not in scratch:
            scratch[name] = len(rows) + len(scratch)
        return f"R[{rows.get(name, scratch.get(name, 0))} * W + j]"

    for piece, (needed, written), after in zip(pieces, touched, later, strict=True):
        lasting = [n for n in written if n in rows or n in after]
        body = [f"{n} = {place(n)}" for n in needed if n not in _UNIFORM]
        body = once_each([*body, *piece, *(f"{place(n)} = {n}" for n in lasting)], unique)
        out += ["for j in range(W):", *(f"    {line}" for line in body)]
    if kept:
        out += ["for j in range(W):"]
        out += [f"    {line.replace(f'= {d.source}', f'= {place(d.source)}')}"
                for line, (_, d) in zip(kept, delays, strict=True)]  # fmt: skip
    return out


def source_of(program: Program, lanes: int) -> tuple[str, int]:
    """Return the Python text of the kernel, and how many rows it needs in all.

    Every stage is a function of its own: the compiler's work grows faster than a function's length.
    """
    scratch, unique = dict[str, int](), count()
    functions, once, each = list[str](), list[str](), list[str]()
    for stage in program.stages:
        loops = _loops(program, stage, scratch, unique)
        functions += [_STAGE.format(name=stage.name), *(f"    {line}\n" for line in loops)]
        call = f"{stage.name}(tick, h, R, D, depth)\n"
        if stage.every == 0:
            once.append(f"    {call}")
        elif stage.every == 1:
            each.append(f"        {call}")
        else:
            each += [f"        if tick % {stage.every} == 0:\n", f"            {call}"]
    total = len(program.rows) + len(scratch)
    head = _HEAD.format(name=program.name, lanes=lanes)
    run = _RUN.format(count=total)
    loop = "    for tick in range(tick0, tick1):\n"
    return "".join([head, *functions, run, *once, loop, *each]), total


def _folder() -> Path:
    """Return a folder for generated modules that can be written to."""
    base = os.environ.get(CACHE) or os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path.home() / ".cache"
    folder = home / "isosoma" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # no home to write to: the kernel is compiled again in each process
    return Path(tempfile.mkdtemp(prefix="isosoma-"))


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != text:
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(text, "utf-8")
        fresh.replace(path)


@lru_cache(maxsize=64)
def compiled(program: Program, lanes: int) -> Kernel:
    """Return the kernel of a program for tiles of `lanes` members; compiled on first use.

    Raises
    ------
    ModelError
        The program reads what nothing gives.
    """
    check(program)
    text, rows = source_of(program, lanes)
    safe = "".join(c if c.isalnum() else "_" for c in program.name)
    name = f"isosoma_kernel_{safe}_{lanes}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    path = _folder() / f"{name}.py"
    _write(path, text)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"the generated kernel {path.name} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return Kernel(program, lanes, rows, module.run)
