"""One settled beat of what a twin believes: volumes, pressures, flows and valves, from R to R.

The first member is the coordinate-wise median of the belief, the others are members of its
ensemble; each runs to rest with its breath held at the mean, so that a cycle ends where it began,
and is then laid on its own phase. R is where the model's ventricles begin to contract, phase 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.unknowns import unknowns
from isosoma.serve.wall import thickness, wall_volume
from isosoma.serve.waves import sampled
from isosoma.twin.course import Running
from isosoma.twin.fold import Twin
from isosoma.twin.starting import at_rest

__all__ = ["CHAMBERS", "POINTS", "VALVES", "Cycle", "cycle_of", "one_cycle"]

Floats = npt.NDArray[np.float64]

CHAMBERS = ("lv", "rv", "la", "ra")
VALVES = ("mitral", "aortic", "tricuspid", "pulmonary")
POINTS = 96
"""Samples of a cycle, evenly from R to just before the next."""
MEMBERS = 48
"""Members of the ensemble beside the median one."""
_SETTLING = 90.0  # [s]
_EVERY = 6e-3  # [s] between two samples of the run; a valve opens in 20 ms
_FLOWING = 0.05
"""Share of the peak flow from which a valve counts as passed: it ejects."""
_ROWS = (
    "phi",
    *(f"V_{c}" for c in CHAMBERS), *(f"p_{c}" for c in (*CHAMBERS, "ao", "pa")),
    *(f"q_{v}" for v in VALVES), *(f"zeta_{v}" for v in VALVES),
    "q_pulmonary_veins", "q_cava_superior", "q_cava_inferior", "q_coronary_veins",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """One cycle of every member; the first is the median one.

    Attributes
    ----------
    length : of the cycle, shape (members,) [s].
    rows : volumes V_ [m3], pressures p_ [Pa], flows q_ [m3/s], openings zeta_ [1]: arrays of shape
        (members, POINTS), evenly over each member's own cycle.
    wall : thickness of the walls of lv and rv, as `rows` [m].
    saturation : of oxygen by place, shape (members,) [1].
    pre_ejection, ejection : shape (members,) [s].
    """

    length: Floats
    rows: Mapping[str, Floats]
    wall: Mapping[str, Floats]
    saturation: Mapping[str, Floats]
    pre_ejection: Floats
    ejection: Floats

    @property
    def end_systole(self) -> int:
        """Return the sample at which the median member's aortic valve shuts."""
        over = (self.pre_ejection[0] + self.ejection[0]) / self.length[0]
        return round(over * POINTS) % POINTS


def cycle_of(twin: Twin, members: int = MEMBERS) -> Cycle:
    """Return a settled cycle of the median and of members of the twin's newest belief.

    Raises
    ------
    ModelError
        No settled beat comes of the median.
    """
    person = twin.subject.person
    sought = unknowns(person, twin.subject.freed)
    z = twin.belief.z[:, : len(sought)]
    rows = np.concatenate([np.median(z, axis=0)[None], z[:members]])
    changed = {p.name: p.prior.real(rows[:, i]) for i, p in enumerate(sought)}
    run = at_rest(person, {**changed, "thoracic_swing": 0.0}, seconds=_SETTLING)
    return one_cycle(run, person)


def one_cycle(run: Running, person: Person) -> Cycle:
    """Return the next whole cycle of every member of a settled run that lives."""
    rate = np.asarray(run.state["per_T"], np.float64)
    if run.failed[0] or not rate[0] > 0.0:
        raise ModelError("no beat comes of the median of the belief", todo="See its unknowns")
    alive = ~run.failed & (rate > 0.2 * rate[0])
    every = round(_EVERY / run.model.step)
    count = int(2.3 / rate[alive].min() / (every * run.model.step)) + 2
    seen = sampled(run, _ROWS, every, count)
    cuts = [_between(seen.rows["phi"][:, m]) for m in np.flatnonzero(alive)]
    kept = [(m, cut) for m, cut in zip(np.flatnonzero(alive), cuts, strict=True) if cut]
    if not kept or kept[0][0] != 0:
        raise ModelError("the median of the belief has no whole beat", todo="See its unknowns")
    grid = np.array([np.linspace(a, b, POINTS, endpoint=False) for _, (a, b) in kept])
    rows = {n: _laid(seen.rows[n], kept, grid) for n in _ROWS if n != "phi"}
    length = np.array([b - a for _, (a, b) in kept]) * every * run.model.step
    which = [m for m, _ in kept]
    walls = {s: thickness(rows[f"V_{s}"], wall_volume(person, s)) for s in ("lv", "rv")}
    places = (*CHAMBERS, "ao", "pa")
    oxygen = {p: np.asarray(seen.last[f"S_{p}"])[which] for p in places}
    begins, lasts = _ejects(rows["q_aortic"], length)
    return Cycle(length, rows, walls, oxygen, begins, lasts)


def _between(phi: Floats) -> tuple[float, float] | None:
    """Return where, in samples, the first whole cycle begins and ends; None without one."""
    at = np.flatnonzero(np.diff(phi) < -0.5)
    if len(at) < 2:
        return None
    left, right = phi[at], phi[at + 1] + 1.0
    wraps = at + (1.0 - left) / (right - left)
    return float(wraps[0]), float(wraps[1])


def _laid(values: Floats, kept: list[tuple[np.intp, tuple[float, float]]], grid: Floats) -> Floats:
    at = np.arange(len(values))
    rows = [np.interp(g, at, values[:, m]) for (m, _), g in zip(kept, grid, strict=True)]
    return np.array(rows)


def _ejects(flow: Floats, length: Floats) -> tuple[Floats, Floats]:
    """Return when ejection begins after R, and how long it lasts [s]; NaN where none does."""
    passing = flow > _FLOWING * flow.max(axis=1, keepdims=True)
    passing &= flow.max(axis=1, keepdims=True) > 0.0
    step = length / flow.shape[1]
    begins = np.where(passing.any(axis=1), passing.argmax(axis=1) * step, np.nan)
    return begins, np.where(passing.any(axis=1), passing.sum(axis=1) * step, np.nan)
