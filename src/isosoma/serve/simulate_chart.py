"""The picture of a simulation: trends with acts marked, pressure-volume loop, pressure strip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.quantity import show, show_duration, show_unit
from isosoma.core.units import ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.acts import write_act
from isosoma.serve.chart import (
    Panel,
    axes,
    band,
    document,
    heading,
    line,
    nice_range,
    text,
)
from isosoma.serve.chart_acts import LINE, act_legend, act_marks
from isosoma.serve.simulation import Simulation, age_of
from isosoma.twin.course import Running, follow

__all__ = ["draw"]

Floats = npt.NDArray[np.float64]
_MMHG, _ML = ucum("mm[Hg]").factor, 1e-6
_WIDE, _TOP, _HIGH, _GAP = 1200.0, 140.0, 122.0, 30.0
_LEFT, _SPAN = 70.0, 610.0
_RIGHT, _NARROW = 850.0, 310.0
_STRIP = 3.0
"""Length of the pressure strip [s]."""
_SAMPLE = 0.005


@dataclass(frozen=True, slots=True)
class _Trend:
    """A panel over time: its middle line, and an output above and below it."""

    title: str
    name: str
    colour: str
    least: float
    ceiling: float = math.inf
    below: str = ""
    above: str = ""


_TRENDS = (
    _Trend("Arterial pressure", "mean_arterial_pressure", "red", 20.0, math.inf,
           "diastolic_pressure", "systolic_pressure"),
    _Trend("Heart rate", "heart_rate", "green", 20.0),
    _Trend("Cardiac output", "cardiac_output", "blue", 1.0),
    _Trend("Oxygen saturation", "oxygen_saturation", "cyan", 8.0, 100.0),
)  # fmt: skip


def _series(done: Simulation, name: str) -> Floats:
    """Return an output over beats in its shown unit."""
    factor = ucum(VOCABULARY[name].shown).factor
    return np.array([b.values[name] for b in done.beats]) / factor


def draw(done: Simulation) -> str:
    """Return the picture as SVG text."""
    acts = done.plan.acts
    height = _TOP + 4 * (_HIGH + _GAP) + 40.0 + LINE * math.ceil(len(acts) / 2)
    who = done.plan.person
    about = (
        f"{age_of(who)}, {who.weight:.3g} kg, {100.0 * who.height:.0f} cm, "
        f"{'female' if who.female else 'male'}; {show_duration(done.plan.seconds)}"
    )
    title = "Simulated circulation"
    parts = [
        *heading(title, about, "SIMULATED · research only", _LEFT, _RIGHT + _NARROW),
        *_trends(done),
        *act_legend(acts, _LEFT, _TOP + 4 * (_HIGH + _GAP) + 32.0),
        *_heart(done),
    ]
    return document(_WIDE, height, f"{title}: {about}", "; ".join(map(write_act, acts)), parts)


def _trends(done: Simulation) -> Iterator[str]:
    seconds = done.plan.seconds
    unit, scale = ("min", 60.0) if seconds > 180.0 else ("s", 1.0)
    time = np.array([b.time for b in done.beats]) / scale

    def marks(panel: Panel, first: bool) -> Iterator[str]:
        return act_marks(panel, done.plan.acts, done.plan.done, scale, first)

    for i, trend in enumerate(_TRENDS):
        names = [n for n in (trend.name, trend.below, trend.above) if n]
        curves = {n: _series(done, n) for n in names}
        span = nice_range(
            (float(v) for c in curves.values() for v in c), trend.least, trend.ceiling, 0.0
        )
        top = _TOP + i * (_HIGH + _GAP)
        panel = Panel(_LEFT, top, _SPAN, _HIGH, (0.0, seconds / scale), span)
        last = i == len(_TRENDS) - 1
        shown = show_unit(VOCABULARY[trend.name].shown)
        *ground, named = axes(panel, trend.title, shown, unit if last else "", "time")
        yield from (*ground, *marks(panel, i == 0), named)
        if trend.below:
            yield band(
                panel, time, curves[trend.below], curves[trend.above], f"fill-{trend.colour}"
            )
        yield line(panel, time, curves[trend.name], trend.colour)
        yield from _ends(done, panel, trend)


def _ends(done: Simulation, panel: Panel, trend: _Trend) -> Iterator[str]:
    """Write the last value beside its curve."""
    if not done.beats:
        return
    row, value = VOCABULARY[trend.name], done.beats[-1].values[trend.name]
    low, high = panel.y
    y = panel.at_y(min(max(value / ucum(row.shown).factor, low), high))
    label = "mean " if trend.below else ""
    yield text(
        panel.left + panel.width + 8, y + 1, show(row, value), "value", f"fill-{trend.colour}"
    )
    yield text(panel.left + panel.width + 8, y + 15, f"{label}at the end", "tick")


def _heart(done: Simulation) -> Iterator[str]:
    """Draw the pressure-volume loop and the pressure strip, before and at the end."""
    before = _waves(done.start, done)
    after = {} if done.failed else _waves(done.end, done)
    loops = [_loop(w) for w in (before, after) if w]
    volumes = [float(v) for x, _ in loops for v in x]
    xs = nice_range(volumes, 0.4 * max(volumes), floor=min(0.0, *volumes))
    ys = _pressures([float(v) for _, y in loops for v in y])
    panel = Panel(_RIGHT, _TOP, _NARROW, 2 * _HIGH, xs, ys)
    yield from axes(panel, "Left ventricle: pressure", "mmHg", "mL", "volume")
    yield line(panel, *loops[0], "before", "dashed")
    right, top = panel.left + panel.width - 8, panel.top + 18.0
    yield text(right, top, "before", "tick", "end", "fill-before")
    if after:
        yield line(panel, *loops[-1], "red")
        yield text(right, top + 16.0, "at the end", "tick", "end", "fill-red")
    yield from _strip(before, after)


def _pressures(values: list[float]) -> tuple[float, float]:
    """Return a range that begins at zero, or just below the least."""
    return nice_range(values, 40.0, floor=min(0.0, min(values) - 2.0))


def _strip(before: Mapping[str, Floats], after: Mapping[str, Floats]) -> Iterator[str]:
    now = after or before
    values = [float(v) for w in (before, now) for n in ("p_ao", "p_lv", "p_la") for v in w[n]]
    top = _TOP + 2 * _HIGH + 92.0
    high = 4 * _HIGH + 3 * _GAP - (top - _TOP)
    panel = Panel(_RIGHT, top, _NARROW, high, (0.0, _STRIP), _pressures(values))
    yield from axes(panel, "Pressures", "mmHg", "s", "time")
    yield line(panel, before["time"], before["p_ao"], "before", "dashed")
    for name, colour in (("p_la", "amber"), ("p_lv", "blue"), ("p_ao", "red")):
        yield line(panel, now["time"], now[name], colour, "thin")
    yield from _key(panel.left + panel.width, panel.top - 8)


def _key(right: float, y: float) -> Iterator[str]:
    """Say which line is which, right to left."""
    for words, colour, width in (
        ("before", "before", 38.0),
        ("LA", "amber", 14.0),
        ("LV", "blue", 14.0),
        ("aorta", "red", 30.0),
    ):
        yield text(right, y, words, "tick", "end", f"fill-{colour}")
        right -= width + 10.0


def _waves(run: Running, done: Simulation) -> dict[str, Floats]:
    """Return the next seconds of pressures [mmHg] and volume [mL] from where a run stands."""
    acts = () if run is done.start else done.plan.done
    course = follow(run, acts, _STRIP, _SAMPLE, states=True)
    rows = {"p_ao": _MMHG, "p_lv": _MMHG, "p_la": _MMHG, "V_lv": _ML, "phi": 1.0}
    out = {
        name: np.array([f.state[name][0] for f in course.frames]) / unit
        for name, unit in rows.items()
    }
    return out | {"time": course.times - run.time}


def _loop(waves: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Return volume and pressure over one whole cycle, or over all where there is none."""
    turns = np.flatnonzero(np.diff(waves["phi"]) < 0.0)
    cut = slice(int(turns[0]) + 1, int(turns[1]) + 2) if len(turns) > 1 else slice(None)
    return waves["V_lv"][cut], waves["p_lv"][cut]
