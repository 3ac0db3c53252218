"""What the data say about each unknown, in one sentence each.

In standard-normal coordinates the prior sd is that of the walk; a posterior nearly as wide means
that the data said nothing, and a screen must say so rather than show the prior as a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError

__all__ = ["UNINFORMED", "Informed", "informed"]

UNINFORMED = 0.9
"""Posterior over prior sd above which a parameter is not informed."""


@dataclass(frozen=True, slots=True)
class Informed:
    """How far the data narrowed one unknown: `ratio` of posterior to prior sd, and in words."""

    name: str
    ratio: float
    sentence: str

    @property
    def by_data(self) -> bool:
        """Whether the data informed it."""
        return self.ratio <= UNINFORMED


def informed(
    names: Sequence[str], z: npt.NDArray[np.float64], prior_sd: Sequence[float] | None = None
) -> tuple[Informed, ...]:
    """Return a statement for each of `names`, from members `z` (N, n) in prior coordinates.

    `prior_sd` : spread of each coordinate before data; 1 where the prior is that of the model.
    """
    if z.ndim != 2 or z.shape[1] < len(names) or len(z) < 2:
        raise ModelError(
            f"members {z.shape} do not carry {len(names)} names",
            todo="Give z (N, n) with a column for each name",
        )
    before = np.ones(len(names)) if prior_sd is None else np.asarray(prior_sd, dtype=np.float64)
    after = z.std(axis=0, ddof=1)[: len(names)]
    return tuple(
        Informed(name, float(a / b), _sentence(name, float(a / b)))
        for name, a, b in zip(names, after, before, strict=True)
    )


def _sentence(name: str, ratio: float) -> str:
    if ratio > UNINFORMED:
        return f"{name}: not informed by your data"
    return f"{name}: narrowed by your data to {100.0 * ratio:.0f} % of the prior's spread"
