"""Who plays: members of a twin's posterior, or of the prior of a person nobody has measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import LimitError
from isosoma.core.intervention import Intervention, apply, moments
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.unknowns import unknowns
from isosoma.scenario.root import drawn_root
from isosoma.twin.course import Running, follow, settled
from isosoma.twin.fold import Twin
from isosoma.twin.forecasting import believed
from isosoma.twin.release import Release
from isosoma.twin.starting import at_rest

__all__ = ["MEMBERS", "Ensemble", "begun", "drawn", "first_of", "of_twin", "part", "standing"]

Floats = npt.NDArray[np.float64]

MEMBERS = 256
"""Members of a rehearsal by default."""
_MOST = 4096
_SETTLING = 60.0
"""Time that members beat before time 0, and that what was done before has to settle [s]."""
_LOOKS, _BREATHS = 4, 20.0
"""Looks at the baseline, and the time [s] over which they are spread: several breaths."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Members of one person.

    Attributes
    ----------
    names, z : the unknowns, and each member's (N, n) in standard-normal coordinates of the prior.
    changed : each member's unknowns and aortic root [SI], shape (N,) each.
    origin : posterior of a twin, or prior. key : what they were drawn from.
    release : code, tables and seed.
    """

    person: Person
    names: tuple[str, ...]
    z: Floats
    changed: Mapping[str, Floats]
    origin: Literal["posterior", "prior"]
    key: str
    release: Release

    @property
    def members(self) -> int:
        """Return how many there are."""
        return len(self.z)


def drawn(
    person: Person, members: int = MEMBERS, seed: int = 0, valves: tuple[str, ...] = ()
) -> Ensemble:
    """Return members of a person's prior; fewer of them are the first ones of more."""
    _check(members)
    sought = unknowns(person, valves)
    made = np.random.Generator(np.random.Philox(seed))
    z = made.standard_normal((members, len(sought)))
    changed = {p.name: p.prior.real(z[:, i]) for i, p in enumerate(sought)}
    known = changed | drawn_root(members, seed)
    return Ensemble(person, tuple(changed), z, known, "prior", f"prior.{seed}", Release(seed=seed))


def of_twin(twin: Twin, at: int, members: int = MEMBERS) -> Ensemble:
    """Return members of a twin's belief at `at` [ns], each gone both ways where more are asked."""
    _check(members)
    z, changed = believed(twin, at, members)
    changed |= drawn_root(members, twin.release.seed, twin.subject.root)
    return Ensemble(
        twin.subject.person, twin.unknowns, z, changed, "posterior", twin.digest, twin.release
    )


def first_of(ensemble: Ensemble, members: int) -> Ensemble:
    """Return the first members."""
    changed = {k: v[:members] for k, v in ensemble.changed.items()}
    return replace(ensemble, z=ensemble.z[:members], changed=changed)


def _check(members: int) -> None:
    if not 2 <= members <= _MOST:
        raise LimitError(
            f"{members} members are outside 2 to {_MOST}", "members", f"{MEMBERS} are usual"
        )


def begun(ensemble: Ensemble, acts: Iterable[Intervention]) -> Running:
    """Return all members before they have beaten once; `acts`, of every option, decide the step.

    One step for all: another one for one option alone would be a difference without a cause.
    """
    run = at_rest(ensemble.person, ensemble.changed, acts, seconds=0.0)
    assert isinstance(run.model, Circulation)  # noqa: S101 - `at_rest` made it
    return replace(run, model=replace(run.model, threads=1))


def part(run: Running, first: int, last: int) -> Running:
    """Return members `first` to `last`; each gives the bits that it gives among all."""
    cut = slice(first, last)
    return replace(
        run,
        state={k: v[cut] for k, v in run.state.items()},
        theta={k: v[cut] for k, v in run.theta.items()},
        inputs={k: v[cut] for k, v in run.inputs.items()},
        failed=run.failed[cut],
    )


def standing(run: Running, before: tuple[Intervention, ...]) -> tuple[Running, dict[str, Floats]]:
    """Return members at time 0, with what was done before, and their baseline [SI], (N,) each.

    The baseline is the mean of some looks over the last breaths; NaN where a member failed.
    """
    run = settled(run, _SETTLING)
    if before:
        whole = max(moments(before), default=0.0) + _SETTLING
        end = follow(run, before, whole, whole).end
        theta = apply(before, "parameter", end.theta)
        inputs = apply(before, "input", end.inputs)
        run = replace(end, theta=theta, inputs=inputs, origin=end.tick)
    seen = follow(run, (), _BREATHS, _BREATHS / _LOOKS)
    baseline = {n: seen.output(n).mean(axis=0) for n in seen.frames[0].outputs}
    return replace(seen.end, origin=seen.end.tick), baseline
