"""A program made into machine code: LLVM's text, compiled once and kept on disk.

The text is written directly, a vector of members at a time, so that nothing stands between a graph
and its kernel but LLVM: a cold start takes seconds, a warm one loads an object file. Arithmetic is
strict: the same bits for any number of lanes, threads or cuts of an interval.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt

from isosoma.physics import cache
from isosoma.physics.assembly import source_of
from isosoma.physics.machine import Real
from isosoma.physics.program import Program, check

__all__ = ["Kernel", "compiled", "processor"]

_KEPT = "kernels"

Numbers = npt.NDArray[np.floating]
Run = Callable[[int, int, float, Numbers, Numbers, npt.NDArray[np.int64]], None]


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


def processor() -> str:
    """Return which compiler and processor machine code is made by and for: the bits' platform."""
    _machine()
    features = sorted(llvm.get_host_cpu_features().items())
    return f"{llvmlite.__version__} {(llvm.get_host_cpu_name(), features)}"


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


def _loaded(code: bytes) -> tuple[Run, Any]:
    """Return the function of an object file, and what it lives in."""
    engine: Any = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine_again())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    pointers = [ctypes.c_void_p] * 3
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_double, *pointers)
    bare = kind(engine.get_function_address("run"))

    def run(
        tick0: int, tick1: int, h: float, rows: Numbers, rings: Numbers,
        depths: npt.NDArray[np.int64],
    ) -> None:  # fmt: skip
        bare(tick0, tick1, h, rows.ctypes.data, rings.ctypes.data, depths.ctypes.data)

    return run, engine


def _machine_again() -> Any:
    """Return a machine of its own: an engine owns the one it is given."""
    _machine()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), opt=3, reloc="pic", jit=True)


@lru_cache(maxsize=64)
def compiled(program: Program, lanes: int, real: Real = "double") -> Kernel:
    """Return the kernel of a program for tiles of `lanes` members; compiled on first use.

    Rows and rings are arrays of `real`, a type of LLVM's.

    Raises
    ------
    ModelError
        The program reads what nothing gives, or computes what no kernel can.
    """
    check(program)
    text, rows = source_of(program, lanes, real)
    safe = "".join(c if c.isalnum() else "_" for c in program.name)
    digest = hashlib.sha256(f"{processor()}\n{text}".encode()).hexdigest()[:24]
    name = f"isosoma_kernel_{safe}_{lanes}_{digest}.o"
    code = cache.read(_KEPT, name)
    if code is None:
        code = _object(text)
        cache.keep(_KEPT, name, code)
    run, keeps = _loaded(code)
    return Kernel(program, lanes, rows, run, keeps)
