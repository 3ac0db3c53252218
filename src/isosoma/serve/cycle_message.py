"""A cycle as it goes to the page: shown units, four figures, bands over the ensemble."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.core.units import ucum
from isosoma.serve.cycle import CHAMBERS, POINTS, VALVES, Cycle
from isosoma.serve.live_messages import Band, Chamber, CycleMessage, Span, Valve

__all__ = ["band_of", "cycle_message", "span_of"]

Floats = npt.NDArray[np.float64]

_LOOPS = 10
_ML, _MMHG = ucum("mL").factor, ucum("mm[Hg]").factor
_NOTE = (
    "wall thickness is that of a sphere of constant muscle volume, the median of a healthy body of "
    "this size; no image was measured"
)


def _rounded(values: Floats, figures: int = 4) -> list[float]:
    """Return numbers to so many figures of the largest: a wire needs no more."""
    top = float(np.max(np.abs(values), initial=0.0))
    if not top > 0.0 or not np.isfinite(top):
        return [0.0] * len(values) if top == 0.0 else values.tolist()
    return np.round(values, figures - 1 - int(np.floor(np.log10(top)))).tolist()


def band_of(members: Floats, unit: float) -> Band:
    """Return the first member and the central 90 % of all, (members, samples), over `unit`."""
    low, high = np.quantile(members, [0.05, 0.95], axis=0)
    first = members[0]
    return Band(*(_rounded(v / unit) for v in (first, np.minimum(low, first),
                                              np.maximum(high, first))))  # fmt: skip


def span_of(values: Floats, unit: float = 1.0) -> Span:
    """Return the first member and the central 90 % of all that have a value."""
    known = values[np.isfinite(values)] / unit
    if not len(known):
        return Span(np.nan, np.nan, np.nan)
    low, high = np.quantile(known, [0.05, 0.95])
    first = float(values[0] / unit)
    return Span(*(float(f"{v:.5g}") for v in (first, min(low, first), max(high, first))))


def cycle_message(cycle: Cycle, clock: float, belief_clock: float) -> CycleMessage:
    """Return what the page is told of a cycle; clocks in seconds since 1970."""
    rows = cycle.rows
    return CycleMessage(
        clock,
        belief_clock,
        POINTS,
        len(cycle.length),
        span_of(cycle.length),
        span_of(cycle.pre_ejection),
        span_of(cycle.ejection),
        cycle.end_systole,
        0,
        {c: _chamber(cycle, c) for c in CHAMBERS},
        {v: band_of(rows[f"p_{v}"], _MMHG) for v in ("ao", "pa")},
        {v: round(float(cycle.saturation[v][0]), 4) for v in ("ao", "pa")},
        {
            v: Valve(_rounded(rows[f"q_{v}"][0] / _ML), _rounded(rows[f"zeta_{v}"][0]))
            for v in VALVES
        },
        [
            (_rounded(v / _ML), _rounded(p / _MMHG))
            for v, p in zip(rows["V_lv"][1 : _LOOPS + 1], rows["p_lv"][1 : _LOOPS + 1], strict=True)
        ],
        _NOTE,
    )


def _chamber(cycle: Cycle, name: str) -> Chamber:
    rows = cycle.rows
    wall = cycle.wall.get(name)
    return Chamber(
        band_of(rows[f"V_{name}"], _ML),
        band_of(rows[f"p_{name}"], _MMHG),
        round(float(cycle.saturation[name][0]), 4),
        None if wall is None else _rounded(1e3 * wall[0]),
    )
