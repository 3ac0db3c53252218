"""A program made into machine code: a generated module, compiled once and kept on disk.

The member loop is innermost and holds the whole body, arrays are flat and the number of lanes is
a constant, so that LLVM packs members into vector registers. Arithmetic is strict: the same bits
for any number of lanes, threads or cuts of an interval.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

from isosoma.physics.inline import Function, expand
from isosoma.physics.program import Line, Program, Stage, check, reads_and_writes

__all__ = ["CACHE", "Kernel", "compiled", "source_of"]

CACHE = "ISOSOMA_CACHE"
"""Environment variable with the folder of compiled kernels; default: the user's cache folder."""

_HEAD = '''"""Generated from program {name}; {lanes} lanes. Changes here are lost."""
from numba import njit
import numpy as np

W = {lanes}


@njit(cache=True, nogil=True, error_model="numpy")
def run(tick0, tick1, h, R, D, depth):
    """Advance rows R (flat, {count} x W) and rings D from tick0 to tick1."""
'''


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled program: ``run(tick0, tick1, h, rows, rings, depths)`` for `lanes` members."""

    program: Program
    lanes: int
    run: Function


def _text(line: Line, unique: count[int]) -> list[str]:
    if isinstance(line, str):
        return [line]
    return expand(line.function, map(str, line.takes), line.gives, unique)


def _body(program: Program, stage: Stage, unique: count[int]) -> list[str]:
    """Return the lines of one stage: load what it needs, compute, store what are rows."""
    place = {row: f"R[{i} * W + j]" for i, row in enumerate(program.rows)}
    delays = [(i, d) for i, d in enumerate(program.delays) if d.stage == stage.name]
    late = [d.gives for _, d in delays]
    needed, written = reads_and_writes(stage.lines, late)
    needed += [d.source for _, d in delays if d.source not in {*needed, *written}]
    out = [
        f"at{i} = depth[{2 * i + 1}] + (tick // {stage.every}) % depth[{2 * i}]" for i, _ in delays
    ]
    out.append("for j in range(W):")
    inner = [f"{name} = {place[name]}" for name in needed]
    inner += [f"{d.gives} = D[at{i} * W + j]" for i, d in delays]
    inner += [text for line in stage.lines for text in _text(line, unique)]
    inner += [f"D[at{i} * W + j] = {d.source}" for i, d in delays]
    inner += [f"{place[name]} = {name}" for name in written if name in place]
    return out + [f"    {line}" for line in inner]


def source_of(program: Program, lanes: int) -> str:
    """Return the Python text of the kernel."""
    unique = count()
    text = [_HEAD.format(name=program.name, lanes=lanes, count=len(program.rows))]
    for stage in program.stages:
        if stage.every == 0:
            text += [f"    {line}\n" for line in ["tick = tick0", *_body(program, stage, unique)]]
    text.append("    for tick in range(tick0, tick1):\n")
    for stage in program.stages:
        if stage.every == 0:
            continue
        indent = "        "
        if stage.every > 1:
            text.append(f"{indent}if tick % {stage.every} == 0:\n")
            indent += "    "
        text += [f"{indent}{line}\n" for line in _body(program, stage, unique)]
    return "".join(text)


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
    text = source_of(program, lanes)
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
    return Kernel(program, lanes, module.run)
