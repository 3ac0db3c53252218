"""What is done, in a picture: numbered marks where acts begin, and what the numbers mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from isosoma.core.intervention import Intervention
from isosoma.organs.circulation.acts import Act, write_act
from isosoma.serve.chart import Panel, mark, text

__all__ = ["LINE", "act_legend", "act_marks"]

LINE = 18.0
"""Height of a line of the legend [px]; two acts stand on one."""


def act_marks(
    panel: Panel, acts: Sequence[Act], done: Sequence[Intervention], scale: float, first: bool
) -> Iterator[str]:
    """Mark when acts begin and how long they last, numbered above the first panel.

    Parameters
    ----------
    acts, done : what was asked for, and the interventions that come of it.
    scale : seconds in one unit of the panel's x.
    """
    lasting = {a.at: a.lasts if a.lasts is not None else a.over for a in done}
    last = -math.inf
    for number, act in enumerate(acts, 1):
        at = act.at.si
        if at > panel.x[1] * scale:
            continue
        span = lasting.get(at) or None
        until = None if span is None else (at + span) / scale
        yield mark(panel, at / scale, until, 26.0 if first else 0.0)
        if first:
            last = max(panel.at_x(at / scale), last + 18.0)
            yield from _badge(last, panel.top - 30.0, number)


def act_legend(acts: Sequence[Act], left: float, top: float) -> Iterator[str]:
    """Say which act each number is, two in a line."""
    for i, act in enumerate(acts):
        x = left + (i % 2) * 560.0
        y = top + (i // 2) * LINE
        yield from _badge(x + 8, y - 4, i + 1)
        yield text(x + 22, y, write_act(act))


def _badge(x: float, y: float, number: int) -> Iterator[str]:
    yield f'<circle class="badge" cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
    yield text(x, y + 3.7, str(number), "badge-text")
