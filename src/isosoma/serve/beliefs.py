"""Under the hood: what a twin believes of each unknown, and which readings told it so."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import effective_sigma
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation.parameters import meaning
from isosoma.serve.cli_build import unknowns_of
from isosoma.serve.live_messages import BeliefMessage, Informing, Span, Unknown
from isosoma.twin.fold import Twin

__all__ = ["belief_message", "informing"]

Floats = npt.NDArray[np.float64]

_WORTH = 0.03
"""Share of variance under which a variable is not named."""


def informing(twin: Twin) -> dict[str, list[Informing]]:
    """Return for each unknown the variables that were read and inform it, the strongest first.

    The share is what one reading of a variable alone would take of the prior's variance: the square
    of its correlation with the unknown over the prior ensemble, less what its noise hides.
    """
    noise = _noise(twin)
    names = [n for n in twin.settings.outputs if n in noise]
    if not names:
        return {}
    z = np.ascontiguousarray(twin.prior.z[:, : len(twin.unknowns)])
    predict = physics.predictor(twin.subject.person, names, freed=twin.subject.freed)
    seen = predict(z, np.zeros(0))
    whole = np.all(np.isfinite(seen), axis=1)
    z, seen = z[whole], seen[whole]
    out = dict[str, list[Informing]]()
    for k, unknown in enumerate(twin.unknowns):
        found = [Informing(n, _share(z[:, k], seen[:, i], noise[n])) for i, n in enumerate(names)]
        found = [f for f in found if f.share >= _WORTH]
        out[unknown] = sorted(found, key=lambda f: -f.share)
    return out


def _share(z: Floats, seen: Floats, sigma: float) -> float:
    spread = float(seen.var())
    if not spread > 0.0:
        return 0.0
    rho = float(np.corrcoef(z, seen)[0, 1])
    return round(rho * rho * spread / (spread + sigma * sigma), 3)


def _noise(twin: Twin) -> Mapping[str, float]:
    """Return the smallest noise [SI] with which each variable was read."""
    out = dict[str, float]()
    for r in (*twin.first, *twin.timeline.readings):
        sigma = effective_sigma(r.observation.sigma, r.verdict)
        name = r.observation.variable
        if np.isfinite(sigma):
            out[name] = min(sigma, out.get(name, np.inf))
    return out


def belief_message(twin: Twin, clock: float) -> BeliefMessage:
    """Return what the page is told of a belief; `clock` in seconds since 1970."""
    by = informing(twin)
    rows = [
        Unknown(
            row["name"],
            meaning(row["name"]),
            row["unit"],
            _span(row["prior"]),
            _span(row["posterior"]),
            row["informed"],
            round(min(1.0, max(0.0, 1.0 - row["spread_left"])), 3),
            row["said"],
            by.get(row["name"], []),
        )
        for row in unknowns_of(twin)
    ]
    count = len(twin.first) + len(twin.timeline.readings)
    unused = dict(twin.unused)
    return BeliefMessage(clock, twin.belief.at * 1e-9, twin.digest, count, rows, unused)


def _span(row: Mapping[str, float]) -> Span:
    return Span(row["median"], row["low"], row["high"])
