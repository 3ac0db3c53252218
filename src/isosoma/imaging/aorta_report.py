"""The aortic report: named diameters, segments, lumens, and what could not be told.

The root (annulus, sinuses) is given by its lumen, as valves are sized; from the sinotubular
junction on by the wall's outer edge, as aneurysms are followed. Both are in every level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.annulus import Annulus
from isosoma.imaging.aorta_levels import (
    SEEN,
    Axis,
    Level,
    Part,
    aortic_axis,
    arc_of,
    grown,
    level_at,
    part_between,
)
from isosoma.imaging.lumens import Blood, Lumens
from isosoma.imaging.section import Section
from isosoma.imaging.sinuses import Measure, coronary_height, sinus_widths

__all__ = ["AorticReport", "Landmarks", "aortic_report", "end_of", "ostium", "shown"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.floating]

_BEFORE = 5e-3  # [m] before the first branch's ostium: its funnel widens the aorta
_BEYOND = 20e-3  # [m] beyond the last branch of the arch, where the descending aorta is measured
_ROOT = ("annulus", "sinuses of Valsalva")  # given by their lumen


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Points that a report is hung on, RAS [m]; None where nobody marked one.

    Attributes
    ----------
    sinotubular : middle of the junction. first_branch, last_branch : lower and upper edge of the
        ostia of the brachiocephalic trunk and of the left subclavian artery, shape (2, 3) each,
        in the direction of the flow.
    diaphragm : the aorta at T12. end : where the axis ends.
    coronaries : lower edges of the ostia, left then right.
    """

    end: Floats
    first_branch: Floats
    last_branch: Floats
    sinotubular: Floats | None = None
    diaphragm: Floats | None = None
    coronaries: tuple[Floats, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AorticReport:
    """What a reader of an aortic CT is told.

    Attributes
    ----------
    levels, parts : in the direction of the flow.
    wall : from lumen to outer edge, median of the levels where it was seen [m]; NaN where nowhere.
    heights : of the coronary ostia. widths : of the three sinuses. Empty where withheld.
    said : sentences: what is withheld or doubtful and why.
    """

    axis: Axis
    levels: tuple[Level, ...]
    parts: tuple[Part, ...]
    wall: float
    heights: tuple[Measure, ...]
    widths: tuple[Measure, ...]
    said: tuple[str, ...]


def shown(level: Level) -> Section:
    """Return the section that a report prints of a level: the root's lumen, else the outer edge."""
    return level.lumen if level.name in _ROOT else level.outer


def ostium(branch: Mask, aorta: Mask, axis: Axis) -> Floats:
    """Return the proximal and the distal edge of a branch's ostium, RAS [m], shape (2, 3).

    Raises
    ------
    RangeError
        The branch does not touch the aorta.
    """
    touching = branch & np.asarray(binary_dilation(aorta, iterations=2), np.bool_)
    points = axis.grid.to_space(np.argwhere(touching))
    if len(points) < 3:
        raise RangeError("the branch does not touch the aorta", todo="Mark its ostium by hand")
    arcs = np.array([arc_of(axis, p) for p in points])
    order = np.argsort(arcs)
    return points[order[[0, -1]]]


def end_of(aorta: Mask, grid: Grid) -> Floats:
    """Return the lowest voxel of an aorta, RAS [m]."""
    points = grid.to_space(np.argwhere(aorta))
    if len(points) == 0:
        raise RangeError("the aorta's mask is empty", todo="Segment again")
    return np.asarray(points[np.argmin(points[:, 2])])


def aortic_report(
    aorta: Mask, grid: Grid, annulus: Annulus, marks: Landmarks, image: Values | None = None,
    blood: Blood | None = None, lumens: Lumens | None = None,
) -> AorticReport:  # fmt: skip
    """Return levels, segments, heights and widths of a whole aorta.

    Parameters
    ----------
    aorta : all lumens, the root included, shape (i, j, k). image, blood : [HU], for the outer edge.
    lumens : true and false, where they were told apart.

    Raises
    ------
    RangeError
        A landmark lies outside the aorta or in the wrong order, or the mask is in pieces.
    """
    axis = aortic_axis(aorta, grid, annulus.section.centre, marks.end)
    said = list(annulus.problems)
    first, last = arc_of(axis, marks.first_branch[0]), arc_of(axis, marks.last_branch[1])
    levels = list[Level]()
    for name, arc in _places(axis, marks, first, last):
        try:
            levels.append(level_at(axis, name, arc, image, blood))
        except RangeError as error:
            said.append(f"{name} withheld: {error}")
    levels, wall = _walled(levels, said, image is not None)
    parts = _parts(axis, first, last, lumens, said)
    voxel = grid.voxel ** (1 / 3)
    heights = tuple(coronary_height(annulus, one, voxel) for one in marks.coronaries)
    if not heights:
        said.append("coronary heights withheld: nobody marked the ostia")
    return AorticReport(
        axis, tuple(levels), parts, wall, heights, _widths(levels, voxel, said), tuple(said)
    )  # fmt: skip


def _places(axis: Axis, marks: Landmarks, first: float, last: float) -> list[tuple[str, float]]:
    """Return the names of the levels and their arcs [m]."""
    if not 0 < first < last < axis.arcs[-1]:
        said = f"the arch's branches lie {first * 1e3:.0f} and {last * 1e3:.0f} mm along the aorta"
        raise RangeError(said, todo="Mark them in the direction of the flow")
    beyond = min(last + _BEYOND, float(axis.arcs[-1]))
    below = float(axis.arcs[-1]) if marks.diaphragm is None else arc_of(axis, marks.diaphragm)
    found = list[tuple[str, float]]()
    begin = first / 3
    if marks.sinotubular is not None:
        begin = arc_of(axis, marks.sinotubular)
        found = [
            (_ROOT[1], _widest(axis, begin)),
            ("sinotubular junction", begin),
        ]
    found += [
        ("mid ascending", (begin + first) / 2),
        ("distal ascending", max(first - _BEFORE, begin)),
        ("mid arch", (first + last) / 2),
        ("proximal descending", beyond),
        ("mid descending", (beyond + below) / 2),
    ]
    return found + ([("descending at T12", below)] if marks.diaphragm is not None else [])


def _widest(axis: Axis, end: float) -> float:
    """Return the arc [m] of the largest cut between the annulus and the sinotubular junction."""
    arcs = np.arange(0.25 * end, 0.95 * end, 2e-3)
    areas = [level_at(axis, _ROOT[1], float(arc)).lumen.area for arc in arcs]
    return float(arcs[int(np.argmax(areas))])


def _walled(levels: list[Level], said: list[str], pictured: bool) -> tuple[list[Level], float]:
    """Return levels with an outer edge each, and the wall [m] between lumen and outer edge."""
    seen = [x for x in levels if x.edge >= SEEN]
    if not seen:
        why = "no fat borders it" if pictured else "no image was given"
        said.append(f"the wall's outer edge was not seen ({why}): diameters are the lumen's")
        return levels, float("nan")
    wall = float(np.median([(x.outer.diameter - x.lumen.diameter) / 2 for x in seen]))
    blind = [x.name for x in levels if x.edge < SEEN and x.name not in _ROOT]
    if blind:
        said.append(
            f"no fat borders {', '.join(blind)}: its outer edge is the lumen's and the wall of the "
            f"other levels, {wall * 1e3:.1f} mm"
        )
    return [x if x.edge >= SEEN else grown(x, wall) for x in levels], wall


def _parts(
    axis: Axis, first: float, last: float, lumens: Lumens | None, said: list[str]
) -> tuple[Part, ...]:
    masks = (None, None) if lumens is None else (lumens.true, lumens.false)
    if lumens is not None:
        said.append(lumens.said)
    cuts = (("ascending", 0.0, first), ("arch", first, last), ("descending", last, 10.0))
    return tuple(part_between(axis, name, a, b, *masks) for name, a, b in cuts)


def _widths(levels: Sequence[Level], voxel: float, said: list[str]) -> tuple[Measure, ...]:
    root = [x for x in levels if x.name == _ROOT[1]]
    try:
        return sinus_widths(root[0].lumen, voxel) if root else ()
    except RangeError as error:
        said.append(f"sinus widths withheld: {error}")
        return ()
