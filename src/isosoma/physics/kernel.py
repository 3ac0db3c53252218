"""A program made into machine code: LLVM's text, compiled once and kept on disk.

The text is written directly, four members to a vector, so that nothing stands between a graph and
its kernel but LLVM: a cold start takes seconds, a warm one loads an object file. Arithmetic is
strict: the same bits for any number of lanes, threads or cuts of an interval.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt

from isosoma.physics.assembly import source_of
from isosoma.physics.program import Program, check

__all__ = ["CACHE", "Kernel", "compiled"]

CACHE = "ISOSOMA_CACHE"
"""Environment variable with the folder of compiled kernels; default: the user's cache folder."""

Run = Callable[
    [int, int, float, npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]],
    None,
]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled program: ``run(tick0, tick1, h, rows, rings, depths)`` for `lanes` members.

    `rows` counts the program's own and the kernel's scratch rows behind them. `keeps` holds what
    the machine code lives in.
    """

    program: Program
    lanes: int
    rows: int
    run: Run
    keeps: Any = field(default=None, repr=False, compare=False)


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


@lru_cache(maxsize=1)
def _machine() -> Any:
    """Return LLVM's idea of this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, reloc="pic", jit=True
    )


def _object(text: str) -> bytes:
    """Return the machine code of LLVM's text as an object file."""
    machine = _machine()
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_unrolling = False  # more only fills the instruction cache
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def _read(path: Path) -> bytes | None:
    """Return a kept object file, none where it is not there or not whole."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, code = kept[:32], kept[32:]
    return code if hashlib.sha256(code).digest() == digest else None


def _keep(path: Path, code: bytes) -> None:
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        fresh.write_bytes(hashlib.sha256(code).digest() + code)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)  # a full disk: it is compiled again next time


def _loaded(code: bytes) -> tuple[Run, Any]:
    """Return the function of an object file, and what it lives in."""
    engine: Any = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine_again())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    pointers = [ctypes.c_void_p] * 3
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_double, *pointers)
    bare = kind(engine.get_function_address("run"))

    def run(
        tick0: int, tick1: int, h: float, rows: npt.NDArray[np.float64],
        rings: npt.NDArray[np.float64], depths: npt.NDArray[np.int64],
    ) -> None:  # fmt: skip
        bare(tick0, tick1, h, rows.ctypes.data, rings.ctypes.data, depths.ctypes.data)

    return run, engine


def _machine_again() -> Any:
    """Return a machine of its own: an engine owns the one it is given."""
    _machine()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), opt=3, reloc="pic", jit=True)


@lru_cache(maxsize=64)
def compiled(program: Program, lanes: int) -> Kernel:
    """Return the kernel of a program for tiles of `lanes` members; compiled on first use.

    Raises
    ------
    ModelError
        The program reads what nothing gives, or computes what no kernel can.
    """
    check(program)
    text, rows = source_of(program, lanes)
    _machine()
    processor = (llvm.get_host_cpu_name(), sorted(llvm.get_host_cpu_features().items()))
    here = f"{llvmlite.__version__} {processor}"
    safe = "".join(c if c.isalnum() else "_" for c in program.name)
    digest = hashlib.sha256(f"{here}\n{text}".encode()).hexdigest()[:24]
    path = _folder() / f"isosoma_kernel_{safe}_{lanes}_{digest}.o"
    code = _read(path)
    if code is None:
        code = _object(text)
        _keep(path, code)
    run, keeps = _loaded(code)
    return Kernel(program, lanes, rows, run, keeps)
