"""The picture of a comparison: every option's course with what 90 % of the members do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from isosoma.core.quantity import show_unit
from isosoma.core.units import convert
from isosoma.scenario.comparing import Comparison, bands
from isosoma.scenario.measures import label_of, units_of
from isosoma.scenario.playing import Played
from isosoma.serve.chart import Panel, axes, band, document, heading, line, nice_range, text

__all__ = ["draw"]

Floats = npt.NDArray[np.float64]
_SHOWN = (
    ("mean_arterial_pressure", 40.0), ("heart_rate", 20.0), ("cardiac_output", 2.0),
    ("oxygen_saturation", 8.0),
)  # fmt: skip
_COLOURS = ("blue", "amber", "red", "green", "cyan", "mark")
_WIDE, _LEFT, _SPAN, _HIGH, _GAP = 1180.0, 76.0, 700.0, 130.0, 42.0
_POINTS = 100
"""Of a curve, about; more are not seen."""
_KEY = "line: median; band: central 90 % of the members, the same in every option"


def draw(played: Played, comparison: Comparison, withheld: bool) -> str:
    """Return the SVG; without courses where the numbers are withheld."""
    top = 124.0
    parts = list(heading(comparison.question, _about(played), "SIMULATED, RESEARCH ONLY",
                         _LEFT, _WIDE - 40.0))  # fmt: skip
    parts += _legend(comparison, withheld)
    if not withheld:
        for i, (name, least) in enumerate(_SHOWN):
            place = top + i * (_HIGH + _GAP)
            parts += _panel(played, name, least, place, i == len(_SHOWN) - 1)
    else:
        parts.append(text(_LEFT, top, "Numbers are withheld: the model does not apply.", "warn"))
    height = top + len(_SHOWN) * (_HIGH + _GAP) + 34.0
    parts.append(text(_LEFT, height - 12.0, _KEY, "soft"))
    return document(_WIDE, height, comparison.question, _about(played), parts)


def _about(played: Played) -> str:
    return f"{played.members} members, {len(played.outputs)} options side by side"


def _style(i: int) -> tuple[str, Sequence[str]]:
    return _COLOURS[i % len(_COLOURS)], () if i < len(_COLOURS) else ("dashed",)


def _panel(played: Played, name: str, least: float, top: float, last: bool) -> Iterator[str]:
    unit, shown = units_of(name)
    scale = convert(1.0, unit, shown)
    thin = max(1, len(played.times) // _POINTS)
    found = [scale * bands(played, o.name, name)[::thin] for o in played.rehearsal.options]
    ceiling = 100.0 if shown == "%" else np.inf
    low, high = nice_range(np.concatenate(found).ravel().tolist(), least, ceiling, 0.0)
    minutes = played.times[::thin] / 60.0
    panel = Panel(_LEFT, top, _SPAN, _HIGH, (0.0, played.rehearsal.seconds / 60.0), (low, high))
    *ground, title = axes(panel, label_of(name).capitalize(), show_unit(shown),
                          "min" if last else "", "time")  # fmt: skip
    yield from ground
    for i, rows in enumerate(found):
        colour, how = _style(i)
        yield band(panel, minutes.tolist(), rows[:, 0], rows[:, 2], f"fill-{colour}")
        yield line(panel, minutes.tolist(), rows[:, 1], colour, *how)
    yield title


def _legend(comparison: Comparison, withheld: bool) -> Iterator[str]:
    """Yield each option with its colour, its rank, and what is most likely to go wrong."""
    x = _LEFT + _SPAN + 36.0
    for i, option in enumerate(comparison.options):
        colour, how = _style(i)
        y = 132.0 + 58.0 * i
        kind = " ".join(("line", colour, *how))
        yield f'<path class="{kind}" d="M{x:.1f} {y - 4:.1f}h26"/>'
        yield text(x + 34.0, y, option.name[:40], "title")
        if withheld:
            continue
        low, loss, high = option.loss
        yield text(
            x + 34.0, y + 17.0, f"rank {option.rank}, loss {loss:.1f} ({low:.1f}…{high:.1f})"
        )
        worst = max(option.chances, key=lambda c: c.chance)
        chance, least, most = (f"{100.0 * v:.0f}" for v in (worst.chance, worst.low, worst.high))
        said = f"{worst.name} {chance} % ({least}…{most})"
        yield text(x + 34.0, y + 33.0, said if worst.count else "no complication met", "soft")
