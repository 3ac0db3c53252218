"""What the filter may learn from, and whether a surprise is the sensor's or the patient's.

With nu = (y - ybar) / sqrt(Var Y + R)::

    |nu| <= 2.5       as it is
    2.5 < |nu| <= 4   R times (nu / 2.5)², or Student's (dof + nu²) / (dof + 1)
    |nu| > 4          rejected

Three rejections of one sign from a trusted channel, or one from each of two devices at the same
time, accuse the patient: variance is opened nine-fold for a step and the reading is taken. A red
flag, raised by alarms on raw data, does so at once: a collapse is never ignored. Alarms do not ask
this module.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from isosoma.core.errors import ModelError

__all__ = ["Gate", "factor", "step_streak", "surprised_together"]


@dataclass(frozen=True, slots=True)
class Gate:
    """Limits of the gate.

    Attributes
    ----------
    soft, hard : bounds of abs(nu); equal: a hard gate. dof : of Student's tail; 0: quadratic.
    streak : rejections of one sign that accuse the patient.
    trust : least weight of a verdict whose channel may do so.
    boost : factor on the walk's variance when the patient is suspected.
    horizon : least interval [s] over which that variance is taken: readings may be seconds apart.
    """

    soft: float = 2.5
    hard: float = 4.0
    dof: float = 0.0
    streak: int = 3
    trust: float = 0.7
    boost: float = 9.0
    horizon: float = 1200.0

    def __post_init__(self) -> None:
        if not 0.0 < self.soft <= self.hard or self.boost < 1.0 or self.streak < 1:
            raise ModelError(
                f"a gate from {self.soft} to {self.hard} with boost {self.boost} cannot work",
                todo="Give 0 < soft <= hard, boost >= 1 and streak >= 1; infinity gates nothing",
            )


def factor(nu: float, gate: Gate, believed: bool = False) -> float:
    """Return the factor on R for a reading `nu` standard deviations off; infinite: rejected.

    `believed` : the patient is suspected; nothing is rejected, the tail still counts less.
    """
    size = abs(nu)
    if size <= gate.soft:
        return 1.0
    if size > gate.hard and not believed:
        return math.inf
    if gate.dof > 0.0:
        return max(1.0, (gate.dof + nu * nu) / (gate.dof + 1.0))
    return (nu / gate.soft) ** 2


def step_streak(streak: int, nu: float, gate: Gate) -> int:
    """Return the signed count of surprises in a row after one more reading."""
    if abs(nu) <= gate.hard:
        return 0
    sign = 1 if nu > 0.0 else -1
    return streak + sign if streak * sign > 0 else sign


def surprised_together(found: Sequence[tuple[str, str, float]], gate: Gate) -> frozenset[str]:
    """Return variables that two devices reject to the same side; `found`: variable, device, nu."""
    sides: dict[tuple[str, bool], set[str]] = {}
    for variable, device, nu in found:
        if abs(nu) > gate.hard:
            sides.setdefault((variable, nu > 0.0), set()).add(device)
    return frozenset(variable for (variable, _), devices in sides.items() if len(devices) > 1)
