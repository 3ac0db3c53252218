"""Error grids: what a glucose meter's error would make a patient do.

Clarke et al. 1987, DOI 10.2337/diacare.10.5.622; Parkes et al. 2000,
DOI 10.2337/diacare.23.8.1143, boundaries by Pfützner et al. 2013, DOI 10.1177/193229681300700517.
"""

from __future__ import annotations

import itertools
from typing import Literal

__all__ = ["clarke", "parkes"]

Zone = Literal["A", "B", "C", "D", "E"]
Line = tuple[tuple[float, float], ...]

# (reference, test) [mg/dL], pairs of zones from A outward: upper line, lower line.
TYPE_1: tuple[tuple[Line, Line | None], ...] = (
    (
        ((0, 50), (30, 50), (140, 170), (280, 380), (430, 550)),
        ((50, 0), (50, 30), (170, 145), (385, 300), (550, 450)),
    ),
    (
        ((0, 60), (30, 60), (50, 80), (70, 110), (260, 550)),
        ((120, 0), (120, 30), (260, 130), (550, 250)),
    ),
    (
        ((0, 100), (25, 100), (50, 125), (80, 215), (125, 550)),
        ((250, 0), (250, 40), (550, 150)),
    ),
    (((0, 150), (35, 155), (50, 550)), None),
)
TYPE_2: tuple[tuple[Line, Line | None], ...] = (
    (
        ((0, 50), (30, 50), (230, 330), (440, 550)),
        ((50, 0), (50, 30), (90, 80), (330, 230), (550, 450)),
    ),
    (
        ((0, 60), (30, 60), (280, 550)),
        ((90, 0), (260, 130), (550, 250)),
    ),
    (
        ((0, 80), (25, 80), (35, 90), (125, 550)),
        ((250, 0), (250, 40), (410, 110), (550, 160)),
    ),
    (((0, 200), (35, 200), (50, 550)), None),
)


def clarke(reference: float, test: float) -> Zone:
    """Return the Clarke zone of one pair [mg/dL]."""
    r, t = reference, test
    if abs(t - r) <= 0.2 * r or (r < 70 and t < 70):
        return "A"
    if (130 <= r <= 180 and t < 1.4 * (r - 130)) or (r > 70 and t > 180 and t > r + 110):
        return "C"
    if 70 <= t < 180 and (r < 70 or r > 240):
        return "D"
    if (r <= 70 and t >= 180) or (r >= 180 and t <= 70):
        return "E"
    return "B"


def _side(line: Line, r: float, t: float) -> float:
    """Positive above the line; its last slope extends. Left of a vertical start is above."""
    if r <= line[0][0] and line[0][0] > 0:
        return 1.0 if r < line[0][0] else t - line[0][1] if r == line[0][0] else 0.0
    pairs = list(itertools.pairwise(line))
    for (r0, t0), (r1, t1) in pairs:
        if r0 < r <= r1:
            return t - (t0 + (t1 - t0) * (r - r0) / (r1 - r0))
    if r <= 0:
        return t - line[0][1]
    (r0, t0), (r1, t1) = pairs[-1]
    return t - (t1 + (t1 - t0) * (r - r1) / (r1 - r0))


def parkes(reference: float, test: float, diabetes: Literal[1, 2] = 1) -> Zone:
    """Return the Parkes (consensus) zone of one pair [mg/dL] for type 1 or type 2 diabetes.

    A point on a line takes the milder zone.
    """
    zones: tuple[Zone, ...] = ("A", "B", "C", "D")
    lines = TYPE_1 if diabetes == 1 else TYPE_2
    for zone, (upper, lower) in zip(zones, lines, strict=True):
        below_upper = _side(upper, reference, test) <= 0
        above_lower = lower is None or _side(lower, reference, test) >= 0
        if below_upper and above_lower:
            return zone
    return "E"
