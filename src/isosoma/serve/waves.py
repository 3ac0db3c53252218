"""Rows of a running circulation, sample by sample: what a cycle is drawn from and a plant measured.

`Circulation.advance` gives outputs of whole beats; here every sample counts, so that rows stay with
the kernel between two samples, which is a fifth of the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.model import Bundle
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.rows import program_of, state_units
from isosoma.physics import ensemble
from isosoma.twin.course import Running

__all__ = ["Sampled", "sampled"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Samples of a run, and where it stands after the last.

    Attributes
    ----------
    rows : by name, each of shape (samples, members) [SI].
    last : every row of the program at the last sample, each of shape (members,) [SI].
    """

    rows: Mapping[str, Floats]
    last: Mapping[str, Floats]
    end: Running


def sampled(
    run: Running, names: Sequence[str], every: int, count: int,
    theta: Bundle | None = None, inputs: Bundle | None = None,
) -> Sampled:  # fmt: skip
    """Return `count` samples of rows, one each `every` ticks, the first after `every`.

    Parameters
    ----------
    theta, inputs : held meanwhile; by default those of the run.

    Raises
    ------
    ModelError
        The model is no circulation.
    """
    model = run.model
    if not isinstance(model, Circulation):
        raise ModelError(f"{model.name} has no rows to sample", todo="Give a circulation")
    program = program_of(model.graph)
    given = {**run.state, **(theta or run.theta), **(inputs or run.inputs)}
    members = len(run.failed)
    zero = np.zeros(members)
    values = {n: np.asarray(given.get(n, zero), np.float64) for n in program.rows}
    delays = [p.name for p in model.states if p.shape]
    rings: Sequence[Floats] = [np.asarray(run.state[n], np.float64) for n in delays]
    out = {n: np.empty((count, members)) for n in names}
    tick = run.tick
    for i in range(count):
        values, rings = ensemble.run(program, tick, tick + every, model.step, values, rings)
        tick += every
        for name, column in out.items():
            column[i] = values[name]
    state = {n: values[n] for n in state_units(model.graph)} | dict(zip(delays, rings, strict=True))
    failed = run.failed | ~np.isfinite(values["phi"]) | ~np.isfinite(values["V_lv"])
    return Sampled(out, values, replace(run, state=state, tick=tick, failed=failed))
