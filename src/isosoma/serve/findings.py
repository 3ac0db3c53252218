"""Sensor or patient: what quality says of a set-up, and what the twin finds has changed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from isosoma.core.quantity import show_unit
from isosoma.core.units import from_si
from isosoma.organs.circulation.parameters import shown
from isosoma.organs.circulation.unknowns import unknowns
from isosoma.quality import Finding as Fault
from isosoma.serve.live_messages import Finding
from isosoma.twin.fold import Twin
from isosoma.twin.history import as_of

__all__ = ["changes", "sensors"]

_BACK = 900 * 10**9  # [ns] against which a change is told
_FAR = 2.2
"""Standard deviations of the earlier belief from which a change is told.

Of twelve hidden patients with a cuff a minute, none was told changed in a quarter of an hour at
rest, and ten were within a quarter of an hour of the start of a bleed of 800 mL in 10 min, half of
them by 585 s. At 1.3 it is all twelve, half by 420 s, but two at rest are told changed, too.
"""

_MOST = 3
"""Unknowns that are named at most."""


def sensors(faults: Iterable[Fault]) -> list[Finding]:
    """Return the set-up faults, gravest first."""
    learns = "; the twin learns nothing from the line meanwhile"
    return [
        Finding("sensor", f"sensor: {f.reason}{learns if f.kind == 'levelling' else ''}",
                f.since * 1e-9)
        for f in faults
    ]  # fmt: skip


def changes(twin: Twin) -> list[Finding]:
    """Return what the twin finds changed in the last quarter of an hour.

    A patient whom no belief explains, and unknowns that moved by more than `_FAR` of their spread.
    These are one finding, the farthest first: readings of pressure and rate seldom tell them apart.
    """
    reports = twin.timeline.reports
    out: list[Finding] = []
    if reports and reports[-1].out_of_sync:
        said = f"patient: {reports[-1].out_of_sync}"
        out.append(Finding("patient", said, reports[-1].at * 1e-9))
    before = as_of(twin, twin.belief.at - _BACK).belief
    now = twin.belief
    moved = list[tuple[float, str]]()
    for k, parameter in enumerate(unknowns(twin.subject.person, twin.subject.freed)):
        was, is_ = before.z[:, k], now.z[:, k]
        far = float((np.median(is_) - np.median(was)) / max(was.std(ddof=1), 1e-9))
        if abs(far) < _FAR:
            continue
        unit = shown(parameter.name)
        values = parameter.prior.real(np.array([np.median(was), np.median(is_)]))
        a, b = (float(f"{from_si(float(v), unit):.3g}") for v in values)
        word = parameter.name.replace("_", " ")
        way = "fell" if far < 0.0 else "rose"
        moved.append((-abs(far), f"{word} {way} from {a:g} to {b:g} {show_unit(unit)}".rstrip()))
    if moved:
        fits = ", or ".join(text for _, text in sorted(moved)[:_MOST])
        said = f"patient: has changed; it would fit that {fits}: look for the cause"
        out.append(Finding("patient", said, now.at * 1e-9))
    return out
