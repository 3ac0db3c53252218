"""The aortic root: where the coronaries leave it, and what a valve opened inside it leaves of them.

::

      │ sinus  │                     edge   upper end of the pressed leaflet, or of the frame
      │   ┌────┤ frame               gap    (sinus - frame) / 2 - leaflet - off axis
    ──┘ o │gap │                     o      ostium, from its lower edge at the coronary's height
    ──┐   │    │                     open = 1 - covered (1 - curtain)
      │   └────┤                     covered  share of the ostium below the edge
    ──┴────────┴── annulus           curtain  pi d gap / (pi d^2 / 4), flapper before a nozzle

The distance (sinus - frame) / 2 is the virtual valve-to-coronary distance of planning by CT. Blood
reaches what is covered only through the gap between leaflet and wall. Leaflets, calcium and wall
are rigid here: no leaflet tears, folds or slides, and none is thicker before one coronary.

Every length is known to a sigma: a member has `NAME + NAME_sigma x NAME_z`, its z drawn once.
Pressures and flows do not tell it; a CT does.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from isosoma.organs.circulation.coronary import loss
from isosoma.physics.program import Call, Line

__all__ = ["MEASURED", "SIDES", "distance", "opening", "root_lines"]

_L = TypeVar("_L", float, npt.NDArray[np.float64])

SIDES = ("left", "right")
MEASURED = (
    "left_coronary_height", "right_coronary_height", "left_sinus_width", "right_sinus_width",
    "leaflet_height", "leaflet_thickness", "valve_off_axis",
)  # fmt: skip
"""Lengths of the root that a patient's images tell, or that are drawn of what is usual."""


def distance(sinus: _L, frame: _L) -> _L:
    """Return the virtual distance from a valve's frame to a coronary's ostium [m]."""
    return 0.5 * (sinus - frame)


def opening(
    height: float, sinus: float, ostium: float, frame: float, top: float, leaflet: float,
    thickness: float, off_axis: float, stent: float,
) -> float:  # fmt: skip
    """Return the share of an ostium's area that stays open [1].

    Parameters
    ----------
    height : of the ostium's lower edge above the annulus [m]. sinus : its width [m].
    ostium, stent : diameters [m]; a stent keeps its own lumen, 0: none.
    frame : diameter of the opened valve at the coronaries [m]; 0: none, and leaflets move freely.
    top : of the frame above the annulus [m]. leaflet, thickness : height and thickness of the
        native leaflet [m]. off_axis : by which the valve stands towards this coronary [m].
    """
    gap = max(distance(sinus, frame) - thickness - off_axis, 0.0)
    curtain = min(4.0 * gap / ostium, 1.0)
    u = min(max((min(leaflet, top) - height) / ostium, 0.0), 1.0)
    covered = u * u * (3.0 - 2.0 * u)  # of a circle, within 0.04
    kept = min(stent / ostium, 1.0)
    return max(1.0 - covered * (1.0 - curtain), kept * kept)


def root_lines() -> tuple[Line, ...]:
    """Return what is found of the root before a run: how far each ostium is open, and its loss."""
    lines: list[Line] = [f"own_{n} = {n} + {n}_sigma * {n}_z" for n in MEASURED]
    lines.append("valve_top = valve_height - valve_depth")
    for side, towards in zip(SIDES, ("", "-"), strict=True):
        lines += [
            f"towards_{side} = {towards}own_valve_off_axis",
            Call(opening, (
                f"own_{side}_coronary_height", f"own_{side}_sinus_width", f"{side}_ostium",
                "valve_frame", "valve_top", "own_leaflet_height", "own_leaflet_thickness",
                f"towards_{side}", f"{side}_stent",
            ), (f"open_{side}",)),
            Call(loss, (f"open_{side}", f"{side}_ostium", "blood_density"), (f"loss_{side}",)),
        ]  # fmt: skip
    return tuple(lines)
