"""A person's circulation at rest, ready for acts: the one way that every rehearsal begins.

The step is the coarsest that keeps every index within 1 % for the fastest rate ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.intervention import Intervention
from isosoma.organs.circulation.anatomy import adult
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.steps import step_for
from isosoma.physics.network import Graph
from isosoma.twin.course import Running, beginning, settled

__all__ = ["SETTLING", "at_rest", "model_for"]

SETTLING = 180.0
"""Time that a circulation runs before a rehearsal begins [s]; its beats are then alike."""
_RESTING = 0.566
"""Beats in one `period`, the parameter, of anybody at rest."""
_LEAKING = 0.04
"""Share of the mitral valve's area, 0.2 cm2 in an adult, from which a leak asks for finer steps."""

Changes = Mapping[str, npt.ArrayLike]


def _values(person: Person, changed: Changes) -> dict[str, npt.ArrayLike]:
    return {**theta_of(person), **inputs_of(person), **changed}


def model_for(
    person: Person, changed: Changes, acts: Iterable[Intervention] = (), graph: Graph | None = None
) -> Circulation:
    """Return the circulation with the step that the fastest rate, at rest or by a pacer, asks for.

    Parameters
    ----------
    changed : parameters and inputs [SI] that are not the person's own, a number or (members,).
    acts : what will be done. graph : the adult one by default.
    """
    given = _values(person, changed)
    told = [(c.name, c.value) for act in acts for c in act.changes] + [*given.items()]
    paced = [np.max(value) for name, value in told if name == "pacing_rate"]
    leaks = [np.max(value) for name, value in told if name in ("mitral_leak", "aortic_leak")]
    large = _LEAKING * np.min(given["mitral_area"])
    fastest = max(_RESTING / np.min(given["period"]), *paced, 0.0)
    step = step_for(float(fastest), bool(max(leaks, default=0.0) >= large))
    return Circulation(step=step, graph=graph or adult())


def at_rest(
    person: Person, changed: Changes, acts: Iterable[Intervention] = (),
    graph: Graph | None = None, seconds: float = SETTLING,
) -> Running:  # fmt: skip
    """Return the person's circulation after `seconds` [s] without acts, at time 0 of a rehearsal.

    As `model_for`; members are as many as `changed` gives, or one.
    """
    model, given = model_for(person, changed, acts, graph), _values(person, changed)
    members = np.broadcast_shapes((1,), *(np.shape(v) for v in given.values()))
    whole = {k: np.broadcast_to(np.asarray(v, np.float64), members) for k, v in given.items()}
    held = {p.name for p in model.inputs}
    theta = {k: v for k, v in whole.items() if k not in held}
    inputs = {k: v for k, v in whole.items() if k in held}
    return settled(beginning(model, theta, inputs), seconds)
