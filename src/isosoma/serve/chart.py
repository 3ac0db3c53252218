"""Charts as SVG text: panels with axes, lines, bands and marks; readable on light and dark.

A panel maps data to points of the page. Colours are classes of one style sheet that follows the
reader's light or dark setting; every axis names its unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

__all__ = [
    "Panel",
    "axes",
    "band",
    "document",
    "heading",
    "line",
    "mark",
    "nice_range",
    "point",
    "shade",
    "text",
    "ticks",
]

Floats = npt.NDArray[np.float64]
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

STYLE = """
svg { --ground: #ffffff; --panel: #f7f9fb; --grid: #e1e7ed; --text: #16202a; --soft: #56646f;
  --red: #c22f3d; --green: #14803f; --blue: #2a5fc4; --cyan: #0b7a94; --amber: #9a5b00;
  --before: #7d8a96; --mark: #7b3fa0; font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { svg { --ground: #0a0e13; --panel: #10161d; --grid: #26313d;
  --text: #e8eef4; --soft: #a9b6c3; --red: #ff7b7b; --green: #4cf08a; --blue: #8fb7ff;
  --cyan: #5ad7f2; --amber: #ffd64a; --before: #8895a2; --mark: #e3a5ff; } }
.ground { fill: var(--ground); } .panel { fill: var(--panel); } .grid { stroke: var(--grid); }
text { fill: var(--text); font-size: 12px; } .soft { fill: var(--soft); }
.tick { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
.head { font-size: 20px; font-weight: 700; } .title { font-size: 13px; font-weight: 700; }
.value { font-size: 14px; font-weight: 700; font-variant-numeric: tabular-nums; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.dashed { stroke-dasharray: 5 4; stroke-width: 1.4; } .thin { stroke-width: 1.2; }
.band { opacity: .18; stroke: none; } .mark { stroke: var(--mark); stroke-width: 1.2; }
.span { fill: var(--mark); opacity: .09; } .badge { fill: var(--mark); }
.badge-text { fill: var(--ground); font-size: 10.5px; font-weight: 700; text-anchor: middle; }
.stamp { fill: none; stroke: var(--mark); stroke-dasharray: 5 3; stroke-width: 1.4; }
.stamp-text { fill: var(--mark); font-weight: 700; font-size: 12px; text-anchor: middle; }
.halo { paint-order: stroke; stroke: var(--ground); stroke-width: 5px; stroke-linejoin: round; }
.point path { stroke-width: 1.2; } .point circle { stroke-width: 1.3; }
.refused circle { fill: var(--panel); } .inner { opacity: .3; }
.stale { fill: url(#stale); } .stale-line { stroke: var(--soft); stroke-width: 1; opacity: .4; }
.now { stroke: var(--text); stroke-width: 1.2; } .warn { fill: var(--amber); font-weight: 700; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
"""  # noqa: E501 - a style sheet
_COLOURS = ("red", "green", "blue", "cyan", "amber", "before", "mark")
_CLASSES = "\n".join(
    f".{c} {{ stroke: var(--{c}); }} .fill-{c} {{ fill: var(--{c}); }}" for c in _COLOURS
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the page [px] and the range of data it shows."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at_x(self, value: float) -> float:
        """Return the place of a value across the page [px]."""
        low, high = self.x
        return self.left + (value - low) / (high - low) * self.width

    def at_y(self, value: float) -> float:
        """Return the place of a value down the page [px]."""
        low, high = self.y
        return self.top + (high - value) / (high - low) * self.height


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from `low` to `high`, at most `most` + 1 of them."""
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return []
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(s * size for s in _STEPS if s * size >= rough * (1.0 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def nice_range(
    values: Iterable[float], least: float, ceiling: float = math.inf, floor: float = -math.inf
) -> tuple[float, float]:
    """Return a round range around finite values, `least` wide or more, kept inside the bounds."""
    known = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(known), max(known)
    room = max(least - (high - low), 0.16 * (high - low), 0.0) / 2.0
    low, high = low - room, high + room
    if high > ceiling:
        low, high = max(min(low, ceiling - least), low - (high - ceiling)), ceiling
    low = max(low, floor)
    marks = ticks(low, high, 4)
    step = marks[1] - marks[0] if len(marks) > 1 else high - low
    bottom = low if low == floor else math.floor(low / step + 1e-9) * step
    return bottom, min(math.ceil(high / step - 1e-9) * step, ceiling)


def _number(value: float) -> str:
    text_ = f"{value:.6g}"
    return text_.replace("-", "−")


def text(x: float, y: float, words: str, *classes: str) -> str:
    """Return words at a place [px]."""
    kind = f' class="{" ".join(classes)}"' if classes else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}>{escape(words)}</text>'


def axes(
    panel: Panel, title: str, unit: str, x_unit: str = "", x_label: str = ""
) -> list[str]:  # fmt: skip
    """Return the ground, grid, numbers and, last, the name of a panel.

    Without a unit of x there are no numbers across.
    """
    p = panel
    place = f'x="{p.left}" y="{p.top}" width="{p.width}" height="{p.height}"'
    out = [f'<rect class="panel" {place} rx="3"/>']
    for value in ticks(*p.y, 4):
        y = p.at_y(value)
        out.append(
            f'<path class="grid" d="M{p.left:.1f} {y:.1f}H{p.left + p.width:.1f}"/>'
            + text(p.left - 8, y + 4, _number(value), "tick", "end")
        )
    if x_unit:
        for value in ticks(*p.x, 6):
            x = p.at_x(value)
            out.append(f'<path class="grid" d="M{x:.1f} {p.top:.1f}v{p.height:.1f}"/>')
            out.append(text(x, p.top + p.height + 16, _number(value), "tick", "middle"))
        middle, below = p.left + p.width / 2, p.top + p.height + 34
        out.append(text(middle, below, f"{x_label} [{x_unit}]".strip(), "soft", "middle"))
    named = (
        f'<tspan class="title">{escape(title)}</tspan><tspan class="soft"> [{escape(unit)}]</tspan>'
    )
    out.append(f'<text class="halo" x="{p.left:.1f}" y="{p.top - 8:.1f}">{named}</text>')
    return out


def _path(panel: Panel, x: Sequence[float] | Floats, y: Sequence[float] | Floats) -> str:
    """Return a path through finite points inside the panel's range; gaps break it."""
    parts, pen, last = list[str](), "M", ""
    low, high = panel.y
    for a, b in zip(x, y, strict=True):
        if not (math.isfinite(a) and math.isfinite(b)):
            pen = "M"
            continue
        place = f"{panel.at_x(a):.1f} {panel.at_y(min(max(b, low), high)):.1f}"
        if place != last or pen == "M":
            parts.append(f"{pen}{place}")
        pen, last = "L", place
    return "".join(parts)


def line(
    panel: Panel, x: Sequence[float] | Floats, y: Sequence[float] | Floats, *classes: str
) -> str:
    """Return a line through points; what is not finite is a gap."""
    return f'<path class="line {" ".join(classes)}" d="{_path(panel, x, y)}"/>'


def band(
    panel: Panel, x: Sequence[float] | Floats, low: Floats, high: Floats, *classes: str
) -> str:
    """Return a filled band between two curves, of a colour's class ``fill-…``."""
    there = _path(panel, x, high)
    back = _path(panel, list(x)[::-1], low[::-1]).replace("M", "L", 1)
    return f'<path class="band {" ".join(classes)}" d="{there}{back}Z"/>'


def mark(panel: Panel, at: float, until: float | None = None, above: float = 0.0) -> str:
    """Return a line at a time across a panel and so far above it, and a shade until another."""
    x = panel.at_x(at)
    shade = ""
    if until is not None:
        end = panel.at_x(min(until, panel.x[1]))
        shade = (
            f'<rect class="span" x="{x:.1f}" y="{panel.top}" width="{max(end - x, 0.0):.1f}" '
            f'height="{panel.height}"/>'
        )
    top, bottom = panel.top - above, panel.top + panel.height
    return f'{shade}<path class="mark" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>'


def shade(panel: Panel, since: float, until: float, kind: str) -> str:
    """Return a panel's ground shaded over a span of x, as far as it is shown."""
    a, b = (panel.at_x(min(max(x, panel.x[0]), panel.x[1])) for x in (since, until))
    place = f'x="{a:.1f}" y="{panel.top}" width="{max(b - a, 0.0):.1f}" height="{panel.height}"'
    return f'<rect class="{kind}" {place}/>'


def point(panel: Panel, x: float, low: float, middle: float, high: float, *classes: str) -> str:
    """Return a measured point with a bar from `low` to `high`, cut at the panel's edges."""
    bottom, y, top = (
        panel.at_y(min(max(v, panel.y[0]), panel.y[1])) for v in (low, middle, high)
    )  # fmt: skip
    a, kind = panel.at_x(x), " ".join(("point", *classes))
    bar = f'<path d="M{a:.1f} {top:.1f}V{bottom:.1f}"/>'
    return f'<g class="{kind}">{bar}<circle cx="{a:.1f}" cy="{y:.1f}" r="2.8"/></g>'


def heading(title: str, about: str, stamp: str, left: float, right: float) -> Sequence[str]:
    """Return the title of a picture, what it is of, and a stamp that says what it is not."""
    x = right - 250.0
    return (
        text(left, 44, title, "head"),
        text(left, 68, about, "soft"),
        f'<rect class="stamp" x="{x}" y="28" width="250" height="30" rx="4"/>',
        text(x + 125.0, 48, stamp, "stamp-text"),
    )


def document(width: float, height: float, title: str, about: str, parts: Iterable[str]) -> str:
    """Return a whole SVG file."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-labelledby="t d">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(about)}</desc>\n'
        f"<style>{STYLE}{_CLASSES}</style>\n"
        f'<rect class="ground" width="{width:g}" height="{height:g}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
