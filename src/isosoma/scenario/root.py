"""The aortic root of the members: drawn of what images measured of the patient, else of people.

Pressures and flows do not inform it: it is drawn apart from the twin's unknowns.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Observation
from isosoma.organs.circulation.aortic_root import MEASURED

__all__ = ["drawn_root"]

Floats = npt.NDArray[np.float64]

_STREAM = 0x726F6F74
"""Of the draws of a root, apart from those of everything else."""


def drawn_root(members: int, seed: int = 0, read: Iterable[Observation] = ()) -> dict[str, Floats]:
    """Return the rows of each member's root, (members,) each [SI].

    Parameters
    ----------
    read : what images measured; of one length the newest counts.
    """
    made = np.random.Generator(np.random.Philox(key=[seed, _STREAM]))
    z = made.standard_normal((members, len(MEASURED)))
    out = {f"{name}_z": z[:, i].copy() for i, name in enumerate(MEASURED)}
    for one in sorted(read, key=lambda o: o.at):
        if one.variable in MEASURED:
            out[one.variable] = np.full(members, one.value)
            out[f"{one.variable}_sigma"] = np.full(members, one.sigma)
    return out
