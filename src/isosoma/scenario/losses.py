"""How bad an option is for each member, whose outcome nobody knows, and who ranks before whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isosoma.scenario.chances import mean_interval
from isosoma.scenario.complications import Finding, find
from isosoma.scenario.playing import Played
from isosoma.scenario.preferences import Preferences, Tables

__all__ = ["loss", "losses", "lost", "ranks"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def lost(failed: Bools, found: Sequence[Finding]) -> Bools:
    """Return whose outcome is not known: failed, but not after something fatal."""
    died = np.any([f.raised for f in found if f.predicate.fatal], axis=0)
    return failed & ~died


def loss(found: Sequence[Finding], preferences: Preferences) -> Floats:
    """Return each member's loss: that of every complication it met, added up."""
    total = np.zeros(len(found[0].raised))
    for finding in found:
        total += preferences.weights[finding.predicate.name].loss * finding.raised
    return total


def losses(played: Played, tables: Tables) -> tuple[Floats, ...]:
    """Return each member's loss in each option, (N,); NaN where its outcome is not known."""
    found = find(played, tables.complications)
    return tuple(
        np.where(lost(failed, row), np.nan, loss(row, tables.preferences))
        for failed, row in zip(played.failed, found, strict=True)
    )


def ranks(losses: Sequence[Floats]) -> list[int]:
    """Return ranks by mean loss; who is not surely worse than the rank's first shares it."""
    order = sorted(range(len(losses)), key=lambda i: float(losses[i].sum()))
    ranks, first = [1] * len(losses), order[0]
    for place, i in enumerate(order[1:], 2):
        low, _, _ = mean_interval(losses[i] - losses[first])
        if low > 0.0:
            first, ranks[i] = i, place
        else:
            ranks[i] = ranks[first]
    return ranks
