"""What the members' aortic roots say of a transcatheter valve, in words of planning by CT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.intervention import apply
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.aortic_root import MEASURED, SIDES, distance
from isosoma.organs.circulation.body import theta_of
from isosoma.scenario.playing import Played

__all__ = ["obstruction", "supposed"]

Floats = npt.NDArray[np.float64]

_LOW, _NEAR, _NARROW = 12e-3, 4e-3, 30e-3
"""Height, distance and sinus [m] from which on planning by CT warns (unverified)."""
_LIKELY = 0.5


def _rows(played: Played, i: int) -> dict[str, Floats]:
    """Return every parameter of the members at the end of option `i` [SI]."""
    ensemble, n = played.ensemble, played.members
    rows = {k: np.full(n, v) for k, v in theta_of(ensemble.person).items()}
    rows |= ensemble.changed
    acts = [s.act for s in (*played.rehearsal.before, *played.rehearsal.options[i].steps)]
    return apply(interventions(acts, ensemble.person), "parameter", rows)


def _own(rows: Mapping[str, Floats], name: str) -> Floats:
    """Return a length of each member [m]."""
    return rows[name] + rows[f"{name}_sigma"] * rows[f"{name}_z"]


def obstruction(played: Played, i: int) -> tuple[str, ...]:
    """Return why the valve of option `i` threatens a coronary, a sentence each."""
    rows = _rows(played, i)
    if not np.any(rows["valve_frame"] > 0.0):
        return ()
    return tuple(_threats(rows))


def _threats(rows: Mapping[str, Floats]) -> Iterator[str]:
    for side in SIDES:
        height, sinus = (_own(rows, f"{side}_{n}") for n in ("coronary_height", "sinus_width"))
        apart = distance(sinus, rows["valve_frame"])
        share = np.mean((apart < _NEAR) & (height < _LOW) & (sinus < _NARROW))
        if share >= _LIKELY and not np.any(rows[f"{side}_stent"] > 0.0):
            yield (
                f"the {side} coronary leaves {_told(height)} above the annulus, in a sinus of "
                f"{_told(sinus)}, {_told(apart)} beside the valve's frame: lower than 12 mm and "
                f"nearer than 4 mm in {100.0 * share:.0f} % of the members"
            )


def _told(lengths: Floats) -> str:
    low, middle, high = 1e3 * np.quantile(lengths, [0.05, 0.5, 0.95])
    return f"{middle:.1f} mm ({low:.1f}…{high:.1f})"


def supposed(played: Played) -> Iterator[str]:
    """Yield what the rehearsal supposes of the root that images measured otherwise."""
    for step in played.rehearsal.before:
        for name, said in step.act.row.set.items():
            if name in MEASURED and name in played.ensemble.changed:
                length = step.act.amount(str(said))
                was = float(played.ensemble.changed[name][0])
                sigma = float(played.ensemble.changed[f"{name}_sigma"][0])
                yield (
                    f"Hypothetical: {name.replace('_', ' ')} {length}; images of this patient "
                    f"measured {1e3 * was:.1f} ± {1e3 * sigma:.1f} mm."
                )
