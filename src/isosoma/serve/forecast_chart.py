"""The picture of a forecast: readings with their noise, what the twin believed and expects.

A panel an output: its median with the central 50 % and 90 % of the members, up to now and beyond,
and hatched where no reading speaks for it any longer. Beside it the numbers, and how old they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.intervention import Intervention
from isosoma.core.quantity import Z90, show, show_duration, show_unit
from isosoma.core.units import convert
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.acts import Act, write_act
from isosoma.serve.chart import (
    Panel,
    axes,
    band,
    document,
    heading,
    line,
    nice_range,
    point,
    shade,
    text,
)
from isosoma.serve.chart_acts import LINE, act_legend, act_marks
from isosoma.serve.simulation import age_of
from isosoma.twin.course import Course
from isosoma.twin.fold import Twin, stale_after
from isosoma.twin.forecasting import Forecast, over_breath
from isosoma.twin.history import Seen, seen_of

__all__ = ["Expected", "draw"]

Floats = npt.NDArray[np.float64]
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_WIDE, _TOP, _HIGH, _GAP = 1200.0, 136.0, 118.0, 36.0
_LEFT, _SPAN = 76.0, 690.0
_NOW, _LATER = 1010.0, 1180.0
"""Where the columns of numbers end [px]."""
_UNITS = (("s", 1.0, 300.0), ("min", 60.0, 4 * 3600.0), ("h", 3600.0, 4 * 86_400.0))
_KEY = (
    "line: median; bands: central 50 % and 90 % of the members; points: readings with 90 % of "
    "their noise, hollow where nothing was learned"
)
_HATCH = (
    '<defs><pattern id="stale" width="7" height="7" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="stale-line" d="M0 0V7"/></pattern></defs>'
)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What a picture shows.

    Attributes
    ----------
    now : instant [ns]. seconds : horizon [s].
    looks : what was and is expected, in order of time. acts, done : what is asked to be done.
    course : of the members under the acts, none without any.
    """

    twin: Twin
    now: int
    seconds: float
    looks: Sequence[Forecast]
    acts: Sequence[Act] = ()
    done: Sequence[Intervention] = ()
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class _Curve:
    name: str
    colour: str
    label: str


@dataclass(frozen=True, slots=True)
class _Trend:
    title: str
    curves: tuple[_Curve, ...]
    least: float
    ceiling: float = math.inf


_TRENDS = (
    _Trend("Arterial pressure", (
        _Curve("systolic_pressure", "red", "systolic"),
        _Curve("mean_arterial_pressure", "amber", "mean"),
        _Curve("diastolic_pressure", "blue", "diastolic"),
    ), 40.0),
    _Trend("Heart rate", (_Curve("heart_rate", "green", "heart rate"),), 20.0),
    _Trend("Oxygen saturation", (_Curve("oxygen_saturation", "cyan", "saturation"),), 8.0, 100.0),
    _Trend("Cardiac output", (_Curve("cardiac_output", "blue", "output"),), 2.0),
)  # fmt: skip


def _trends(outputs: Sequence[str]) -> list[_Trend]:
    """Return the bedside's panels, and one for whatever else was read."""
    told = {c.name for t in _TRENDS for c in t.curves}
    rest = [n for n in outputs if n not in told]
    words = {n: n.replace("_", " ").replace("left ventricular", "LV") for n in rest}
    return [*_TRENDS, *(
        _Trend(words[n][:1].upper() + words[n][1:], (_Curve(n, "mark", VOCABULARY[n].label),), 0.0)
        for n in rest
    )]  # fmt: skip


def _scale(name: str) -> float:
    row = VOCABULARY[name]
    return convert(1.0, row.unit, row.shown, row.molar_mass or None)


def _quantiles(members: Sequence[Floats]) -> Floats:
    """Return quantiles, shape (5, times), of the members of each time; NaN where none lives."""
    none = np.full(len(_QUANTILES), math.nan)
    return np.array([np.quantile(m, _QUANTILES) if len(m) else none for m in members]).T


def _looked(of: Expected, name: str, ahead: bool) -> tuple[Floats, Floats]:
    """Return times from now [s] and quantiles (5, times) in the shown unit, up to now or beyond."""
    looks = [k for k in of.looks if (k.at >= of.now if ahead else k.at <= of.now)]
    column = looks[0].outputs.index(name)
    times = np.array([(k.at - of.now) * 1e-9 for k in looks])
    return times, _scale(name) * _quantiles([k.members[:, column] for k in looks])


def _under(of: Expected, course: Course, name: str) -> tuple[Floats, Floats]:
    """Return times from now [s] and quantiles under the acts, from what is believed now."""
    begun, before = _looked(of, name, ahead=False)
    rows = over_breath(course, name)
    lived = [row[np.isfinite(row)] for row in rows]
    found = np.concatenate([before[:, -1:], _scale(name) * _quantiles(lived)], axis=1)
    return np.concatenate([begun[-1:], course.times]), found


def draw(of: Expected) -> str:
    """Return the picture as SVG text."""
    who, subject = of.twin.subject.person, of.twin.subject
    trends = _trends(of.twin.settings.outputs)
    bottom = _TOP + len(trends) * (_HIGH + _GAP) + 30.0
    height = bottom + LINE * math.ceil(len(of.acts) / 2) + 44.0
    about = (
        f"{subject.patient}: {age_of(who)}, {who.weight:.3g} kg, {100.0 * who.height:.0f} cm, "
        f"{'female' if who.female else 'male'}; expected in {show_duration(of.seconds)}"
    )
    parts = [
        _HATCH,
        *heading("Forecast of a twin", about, "FORECAST · research only", _LEFT, _LATER),
        *_columns(of),
        *(p for i, t in enumerate(trends) for p in _panel(of, t, i, i == len(trends) - 1)),
        *act_legend(of.acts, _LEFT, bottom),
        *_key(height - 14.0, of),
    ]
    said = "; ".join(map(write_act, of.acts)) or "nothing is done"
    return document(_WIDE, height, f"Forecast of {about}", said, parts)


def _columns(of: Expected) -> Iterator[str]:
    yield text(_NOW, _TOP - 8.0, "now (90 %)", "soft", "end")
    yield text(_LATER, _TOP - 8.0, f"in {show_duration(of.seconds)} (90 %)", "soft", "end")


def _panel(of: Expected, trend: _Trend, index: int, last: bool) -> Iterator[str]:
    since = (of.looks[0].at - of.now) * 1e-9
    unit, scale, _ = next((u for u in _UNITS if of.seconds - since <= u[2]), ("d", 86_400.0, 0.0))
    past = {c.name: _looked(of, c.name, ahead=False) for c in trend.curves}
    ahead = {c.name: _looked(of, c.name, ahead=True) for c in trend.curves}
    then = ahead if of.course is None else {
        c.name: _under(of, of.course, c.name) for c in trend.curves
    }  # fmt: skip
    seen = [s for s in seen_of(of.twin) if s.observation.at >= of.looks[0].at]
    values = [*_spread(past, then), *(v for c in trend.curves for v in _bars(seen, c.name))]
    span = nice_range(values, trend.least, trend.ceiling, 0.0)
    top = _TOP + index * (_HIGH + _GAP)
    panel = Panel(_LEFT, top, _SPAN, _HIGH, (since / scale, of.seconds / scale), span)
    shown = show_unit(VOCABULARY[trend.curves[0].name].shown) or "1"
    *ground, named = axes(panel, trend.title, shown, unit if last else "", "time from now")
    yield from ground
    yield from _stale(of, panel, trend, scale)
    yield from act_marks(panel, of.acts, of.done, scale, index == 0)
    for curve in trend.curves:
        yield from _bands(panel, past[curve.name], curve.colour, scale)
        yield from _bands(panel, then[curve.name], curve.colour, scale, "dashed")
        if of.course is not None:
            times, found = ahead[curve.name]
            yield line(panel, times / scale, found[2], "before", "dashed")
        yield from _points(of, panel, seen, curve, scale)
    x = panel.at_x(0.0)
    yield f'<path class="now" d="M{x:.1f} {top - 4.0:.1f}v{_HIGH + 4.0:.1f}"/>'
    if index == 0:
        yield text(x, top - 8.0, "now", "tick", "middle", "halo")
    yield named
    yield from _numbers(of, panel, trend, past, then)


def _spread(*found: dict[str, tuple[Floats, Floats]]) -> Iterator[float]:
    for curves in found:
        for _, quantiles in curves.values():
            yield from (float(v) for v in quantiles.ravel())


def _bars(seen: Sequence[Seen], name: str) -> Iterator[float]:
    """Yield the ends of the bars of a variable's readings in the shown unit."""
    for s in seen:
        if s.observation.variable == name:
            reach = Z90 * s.sigma if math.isfinite(s.sigma) else 0.0
            yield (s.observation.value - reach) * _scale(name)
            yield (s.observation.value + reach) * _scale(name)


def _bands(
    panel: Panel, found: tuple[Floats, Floats], colour: str, scale: float, *classes: str
) -> Iterator[str]:
    times, (low, low50, median, high50, high) = found
    fill = f"fill-{colour}"
    yield band(panel, times / scale, low, high, fill)
    yield band(panel, times / scale, low50, high50, fill)
    yield line(panel, times / scale, median, colour, *classes)


def _points(
    of: Expected, panel: Panel, seen: Sequence[Seen], curve: _Curve, scale: float
) -> Iterator[str]:
    own = [s for s in seen if s.observation.variable == curve.name]
    for s in own:
        low, high = _bars([s], curve.name)
        x = (s.observation.at - of.now) * 1e-9 / scale
        kind = "" if s.taken else "refused"
        middle = s.observation.value * _scale(curve.name)
        yield point(panel, x, low, middle, high, curve.colour, f"fill-{curve.colour}", kind)


def _stale(of: Expected, panel: Panel, trend: _Trend, scale: float) -> Iterator[str]:
    """Hatch the panel where no reading of any of its variables is fresh enough."""
    names = {c.name for c in trend.curves}
    limit = max(stale_after(n) for n in names)
    read = [(s.observation.at - of.now) * 1e-9 for s in seen_of(of.twin)
            if s.observation.variable in names]  # fmt: skip
    fresh = [panel.x[0] * scale - limit, *sorted(read)]
    for a, b in zip(fresh, [*fresh[1:], of.seconds], strict=True):
        if a + limit < b:
            yield shade(panel, (a + limit) / scale, b / scale, "stale")


def _numbers(
    of: Expected, panel: Panel, trend: _Trend,
    past: dict[str, tuple[Floats, Floats]], then: dict[str, tuple[Floats, Floats]],
) -> Iterator[str]:  # fmt: skip
    """Write what is expected now and later beside a panel, and how old the newest reading is."""
    y, left = panel.top + 16.0, panel.left + panel.width + 12.0
    for curve in trend.curves:
        yield text(left, y, curve.label, f"fill-{curve.colour}")
        for x, (_, found) in ((_NOW, past[curve.name]), (_LATER, then[curve.name])):
            yield text(x, y, _words(curve.name, found[:, -1]), "tick", "end")
        y += 18.0
    newest = of.twin.newest()
    ages = [(of.now - newest[c.name]) * 1e-9 for c in trend.curves if c.name in newest]
    if not ages:
        yield text(left, y + 4.0, "never read: by the model alone", "warn")
        return
    limit = max(stale_after(c.name) for c in trend.curves)
    old = min(ages) > limit
    said = f"newest reading {show_duration(min(ages))} old"
    yield text(left, y + 4.0, f"{said}: stale" if old else said, "warn" if old else "soft")


def _words(name: str, quantiles: Floats) -> str:
    row = VOCABULARY[name]
    if not np.isfinite(quantiles).all():
        return "no member lives"
    low, _, median, _, high = (show(row, float(v)) for v in quantiles / _scale(name))
    number, _, unit = median.rpartition(" ")
    low, high = (v.rpartition(" ")[0] or v for v in (low, high))
    return f"{number} ({low} … {high}) {unit}" if number else f"{unit} ({low} … {high})"


def _key(y: float, of: Expected) -> Iterator[str]:
    """Say what the marks of the picture mean."""
    hidden = sum(s.observation.at < of.looks[0].at for s in seen_of(of.twin))
    said = [
        _KEY,
        "hatched: no reading is fresh enough to speak for that time",
    ]
    if of.course is not None:
        said.append("grey: if nothing is done")
    if hidden:
        said.append(f"{hidden} earlier readings are not shown")
    yield text(_LEFT, y - 16.0, said[0], "tick")
    yield text(_LEFT, y, "; ".join(said[1:]), "tick")
