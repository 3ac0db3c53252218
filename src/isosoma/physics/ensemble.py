"""Run a kernel over members: tiles of lanes, our own threads, a failure as a value.

Members are dealt to tiles in order and never interact, so results do not depend on the number of
threads or of members: one alone gives the bits it gives among 1,024.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.physics.compensation import compensated, joined, parted
from isosoma.physics.kernel import compiled
from isosoma.physics.machine import Real
from isosoma.physics.program import Program

__all__ = ["LANES", "Precision", "ring_depths", "run"]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.floating]
Precision = Literal["double", "single"]
LANES = 16
"""Members in one tile, where there is more than one; twice as many in single precision."""
_ARRAYS: Mapping[Real, npt.DTypeLike] = {"double": np.float64, "float": np.float32}


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="isosoma-tile")


def _tile(values: Floats, rows: int, lanes: int, dtype: npt.DTypeLike) -> Numbers:
    """Return (given, members) as (rows, lanes): zeros below, the last member again at the right."""
    given, members = values.shape
    tile = np.zeros((rows, lanes), dtype)
    with np.errstate(over="ignore"):  # a member beyond single precision's range has diverged
        tile[:given, :members] = values
        tile[:given, members:] = values[:, -1:]
    return tile


def _depths(program: Program, values: Mapping[str, Floats], h: float) -> npt.NDArray[np.int64]:
    """Return (depth, start) of every ring; a delay is a whole number of its stage's steps."""
    every = {s.name: s.every for s in program.stages}
    out, start = list[int](), 0
    for delay in program.delays:
        seconds = values[delay.seconds]
        known = seconds[np.isfinite(seconds)]  # a member without one has failed already
        if np.any(known != known[:1]):
            raise ModelError(f"{delay.seconds} is one for all members", todo="Run them apart")
        depth = max(1, round(float(known[0]) / (h * every[delay.stage]))) if len(known) else 1
        out += [depth, start]
        start += depth
    return np.array([*out, start], np.int64)


def ring_depths(program: Program, values: Mapping[str, Floats], h: float) -> list[int]:
    """Return the depth of every delay's ring, for arrays of shape (members, depth)."""
    return _depths(program, values, h)[: 2 * len(program.delays) : 2].tolist()


def run(
    program: Program, tick0: int, tick1: int, h: float, values: Mapping[str, Floats],
    rings: Sequence[Floats] = (), threads: int | None = None, lanes: int | None = None,
    precision: Precision = "double",
) -> tuple[dict[str, Floats], tuple[Floats, ...]]:  # fmt: skip
    """Advance members from `tick0` to `tick1` of step `h` [s].

    Parameters
    ----------
    values : every row, each of shape (members,).
    rings : one per delay, shape (members, depth).
    precision : of the kernel. In single, sums are pairs of rows (`compensation`): what is given
        back has the second ones too, and cuts change no bit where they are given again.

    Returns
    -------
    values, rings : as given, advanced; nothing is changed in place.
    """
    if precision == "single":
        pairs = parted(program, values)
        moved, turned = _run(
            compensated(program), "float", (tick0, tick1), h, pairs, rings, threads, lanes
        )
        return joined(program, moved), turned
    return _run(program, "double", (tick0, tick1), h, values, rings, threads, lanes)


def _run(
    program: Program, real: Real, ticks: tuple[int, int], h: float, values: Mapping[str, Floats],
    rings: Sequence[Floats], threads: int | None, lanes: int | None,
) -> tuple[dict[str, Floats], tuple[Floats, ...]]:  # fmt: skip
    members = len(next(iter(values.values())))
    dtype = np.dtype(_ARRAYS[real])
    lanes = lanes or (1 if members == 1 else 8 * LANES // dtype.itemsize)
    kernel = compiled(program, lanes, real)
    rows = np.array([values[name] for name in program.rows], np.float64)
    depth = _depths(program, values, h)
    ring = np.concatenate([*rings], axis=1) if rings else np.zeros((members, 1))

    def one(first: int) -> None:
        # Copied in and out here, so that threads share that work and a tile lies in the cache.
        part = slice(first, first + lanes)
        tile = _tile(rows[:, part], kernel.rows, lanes, dtype)
        lags = _tile(ring[part].T, ring.shape[1], lanes, dtype)
        kernel.run(*ticks, h, tile, lags, depth)
        rows[:, part] = tile[: len(rows), : members - first]
        ring[part] = lags[:, : members - first].T

    starts = range(0, members, lanes)
    if len(starts) == 1 or threads == 1:
        for first in starts:
            one(first)
    else:
        list(_pool().map(one, starts))
    cuts = [(int(depth[2 * i + 1]), int(depth[2 * i])) for i in range(len(program.delays))]
    out = dict(zip(program.rows, rows, strict=True))
    return out, tuple(ring[:, a : a + n].copy() for a, n in cuts)
