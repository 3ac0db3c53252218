"""The reading of a cine examination: numbers of the heart, each with interval, verdicts and origin.

`imaging.cine` finds the ventricles, `quality` says how far the pictures carry that: a doubt widens
the numbers it bears on or withholds them, in words. What is left becomes observations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import Observation
from isosoma.core.quantity import Z90
from isosoma.core.study import Grid, Volume
from isosoma.imaging.cine import CineHeart
from isosoma.imaging.cine_crop import short_axis
from isosoma.imaging.raster import rasterised
from isosoma.imaging.wall_segments import SEGMENTS, segment_thickness
from isosoma.quality import cine as of_cine
from isosoma.quality import image as of_image
from isosoma.quality.image import ImageVerdict

__all__ = ["Doubt", "Figure", "HeartReading", "observations", "plain", "read_heart"]

Floats = npt.NDArray[np.float64]

_LEFT = ("lv_edv", "lv_esv", "lv_sv", "lv_ef")
_RIGHT = ("rv_edv", "rv_esv", "rv_sv", "rv_ef")
_WALL = ("lv_mass", "wall_thickness")
_ALL = (*_LEFT, *_RIGHT, *_WALL)
_VARIABLES = {
    "lv_edv": "left_ventricular_end_diastolic_volume",
    "lv_esv": "left_ventricular_end_systolic_volume",
    "rv_edv": "right_ventricular_end_diastolic_volume",
    "rv_esv": "right_ventricular_end_systolic_volume",
}
"""What the circulation predicts too. Stroke volume and ejection fraction are made of these: given
beside them, the same pictures would speak twice."""
_RIGHT_WIDER = 1.6
"""The right ventricle's interval over the left's where the method gives none: readers differ so
much more on it (unverified)."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A verdict, and the figures that it bears on."""

    verdict: ImageVerdict
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it rests on.

    Attributes
    ----------
    name : as in `heart.json`. label : in words. unit : UCUM, of SI.
    value : [unit]. half : half width of its 90 % interval [unit].
    method : the same, before the verdicts widened it.
    withheld : why the number is not to be used; empty where it may be.
    """

    name: str
    label: str
    unit: str
    value: float
    half: float
    method: float
    withheld: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class HeartReading:
    """What an examination says of the ventricles.

    Attributes
    ----------
    heart : as it was found. figures : numbers, withheld ones too.
    doubts : verdicts, each with the figures it bears on.
    thickness : of the 16 segments [m] at the end of diastole; not a number where none is.
    """

    heart: CineHeart
    figures: tuple[Figure, ...]
    doubts: tuple[Doubt, ...]
    thickness: Floats = field(default_factory=lambda: np.full(len(SEGMENTS), np.nan))

    def figure(self, name: str) -> Figure:
        """Return a figure by its name."""
        return next(f for f in self.figures if f.name == name)


def read_heart(volumes: Sequence[Volume], heart: CineHeart) -> HeartReading:
    """Return the reading of a heart found in an examination's volumes."""
    thickness = segment_thickness(heart, int(heart.left.volume.argmax()))
    doubts = tuple(_doubts(volumes, heart, thickness))
    pixel = float(volumes[short_axis(volumes)].grid.spacing[:2].max())
    figures = [_judged(f, doubts) for f in _figures(heart, thickness, pixel)]
    lost = {f.name[:2] for f in figures if f.withheld and f.name[3:] in ("edv", "esv")}
    return HeartReading(heart, tuple(_made_of(f, lost) for f in figures), doubts, thickness)


def _made_of(figure: Figure, lost: set[str]) -> Figure:
    """Return a figure, withheld where it is made of a volume that is; `lost` names the sides."""
    side, what = figure.name.split("_", 1)
    if figure.withheld or side not in lost or what not in ("sv", "ef"):
        return figure
    return replace(figure, withheld="a volume that it is made of is withheld")


def _figures(heart: CineHeart, thickness: Floats, pixel: float) -> Iterator[Figure]:
    """Yield the numbers with the method's own intervals."""
    end = int(heart.left.volume.argmax())
    for side, part, word in (("lv", heart.left, "LV"), ("rv", heart.right, "RV")):
        high, low = float(part.volume.max()), float(part.volume.min())
        wide = [_half(heart, side, k) for k in ("edv", "esv", "ef")]
        both = math.hypot(wide[0], wide[1])
        yield Figure(f"{side}_edv", f"{word} end-diastolic volume", "m3", high, wide[0], wide[0])
        yield Figure(f"{side}_esv", f"{word} end-systolic volume", "m3", low, wide[1], wide[1])
        yield Figure(f"{side}_sv", f"{word} stroke volume", "m3", high - low, both, both)
        yield Figure(
            f"{side}_ef", f"{word} ejection fraction", "1", 1 - low / high, wide[2], wide[2]
        )
    mass, half = float(heart.mass[end]), heart.sigma["mass"]
    yield Figure("lv_mass", "LV mass", "kg", mass, half, half)
    if np.isfinite(thickness).any():
        mean = float(np.nanmean(thickness))
        # An edge lies anywhere in its pixel; what the mass may be wrong by, the wall may.
        edges = Z90 * pixel * math.sqrt(2 / 12)
        half = math.hypot(edges, mean * half / mass)
        yield Figure("wall_thickness", "LV wall, end-diastolic mean", "m", mean, half, half)


def _half(heart: CineHeart, side: str, what: str) -> float:
    """Return the half width of the method's interval for a figure of a side."""
    if side == "lv":
        return heart.sigma[what]
    return heart.sigma.get(f"rv_{what}", _RIGHT_WIDER * heart.sigma[what])


def _judged(figure: Figure, doubts: Sequence[Doubt]) -> Figure:
    """Return a figure as its doubts leave it; their variances add, as of separate causes."""
    own = [d.verdict for d in doubts if figure.name in d.figures]
    excess = sum(v.sigma_factor**2 - 1 for v in own)
    half = figure.half * math.sqrt(1 + excess)
    lost = "; ".join(v.reason for v in own if v.withheld)
    if not lost and half >= figure.value:
        lost = "its interval is as wide as the number itself"
    return Figure(
        figure.name, figure.label, figure.unit, figure.value, half, figure.method, lost
    )  # fmt: skip


def _doubts(volumes: Sequence[Volume], heart: CineHeart, thickness: Floats) -> Iterator[Doubt]:
    """Yield what speaks against the pictures, and against what was found in them."""
    stack = volumes[short_axis(volumes)]
    end = int(heart.left.volume.argmax())
    left = rasterised(heart.left.points[end], heart.left.triangles, stack.grid)
    right = rasterised(heart.right.points[end], heart.right.triangles, stack.grid)
    when = int(np.abs(stack.phases - heart.phases[end]).argmin())
    image = stack.values[..., when]
    across = float(np.cbrt(6 * heart.left.volume.min() / np.pi))
    said: list[tuple[ImageVerdict | None, tuple[str, ...]]] = [
        (of_cine.gaps(float(stack.grid.spacing[2])), _ALL),
        (of_cine.beats(stack.periods), _ALL),
        (of_image.resolution(stack.grid, across, (0, 1)), (*_LEFT, *_RIGHT)),
        (of_cine.reach(_beyond(stack.grid, heart.left.points[end])), (*_LEFT, *_WALL)),
        (of_cine.reach(_beyond(stack.grid, heart.right.points[end])), _RIGHT),
        (of_cine.wall_volume(heart.outer.volume - heart.left.volume), (*_LEFT, *_WALL)),
    ]
    if np.isfinite(thickness).any():
        wall = float(np.nanmean(thickness))
        said.append((of_image.resolution(stack.grid, wall, (0, 1)), _WALL))
    if left.any():
        said += [(of_image.noise(image, left), _ALL), (of_image.sharpness(image, left), _ALL)]
    else:
        said.append((of_image.coverage(left), _ALL))
    if left.any() and right.any():
        said.append((of_image.orientation(stack.grid, left, right), _RIGHT))
    yield from (Doubt(v, on) for v, on in said if v is not None)
    yield from _of_both(heart)


def _of_both(heart: CineHeart) -> Iterator[Doubt]:
    """Yield what the two ventricles say of each other."""
    sizes = of_cine.proportion(float(heart.left.volume.max()), float(heart.right.volume.max()))
    if sizes is not None:
        yield Doubt(sizes, _RIGHT if sizes.reason.startswith("the right") else (*_LEFT, *_WALL))
        return  # a stroke volume of what was not found is compared with nothing
    strokes = [float(np.ptp(p.volume)) for p in (heart.left, heart.right)]
    sigmas = [
        math.hypot(_half(heart, s, "edv"), _half(heart, s, "esv")) / Z90 for s in ("lv", "rv")
    ]
    gap = of_image.stroke_volumes(strokes[0], strokes[1], sigmas[0], sigmas[1])
    if gap is not None:
        yield Doubt(gap, (*_LEFT, *_RIGHT))


def _beyond(grid: Grid, points: Floats) -> float:
    """Return the share of a cavity that lies over half a step outside of a stack's slices.

    Points of a mesh of rings stand for its volume by height alone.
    """
    height = grid.to_index(points)[:, 2]
    low, high = float(height.min()), float(height.max())
    outside = max(0.0, -0.5 - low) + max(0.0, high - (grid.shape[2] - 0.5))
    return outside / max(high - low, 1e-9)


def observations(
    reading: HeartReading, like: Observation, flags: Sequence[str] = ()
) -> list[Observation]:
    """Return what of a reading teaches a twin, withheld figures left out.

    Parameters
    ----------
    like : patient, instants, zone and origin that all share. flags : of the origin.
    """
    origin = like.origin + (f"?{','.join(flags)}" if flags else "")
    found = list[Observation]()
    for name, variable in _VARIABLES.items():
        f = reading.figure(name)
        if not f.withheld:
            found.append(
                replace(like, variable=variable, value=f.value, sigma=f.half / Z90, bias=0.0,
                        channel=variable, origin=origin)
            )  # fmt: skip
    return found


def plain(reading: HeartReading) -> dict[str, Any]:
    """Return a reading as plain numbers: volumes in mL, mass in g, lengths in mm, shares as 1."""
    heart = reading.heart
    return {
        "status": "fully automatic, research only",
        "made_by": heart.made_by,
        "quality": round(heart.quality, 3),
        "figures": [_plain_figure(f) for f in reading.figures],
        "doubts": [_plain_doubt(d) for d in reading.doubts],
        "phases": heart.phases.round(4).tolist(),
        "lv_ml": (heart.left.volume * 1e6).round(2).tolist(),
        "rv_ml": (heart.right.volume * 1e6).round(2).tolist(),
        "lv_mass_g": (heart.mass * 1e3).round(1).tolist(),
        "wall_segments_mm": [
            {"segment": k + 1, "name": n, "end_diastole": None if t != t else round(1e3 * t, 2)}
            for k, (n, t) in enumerate(zip(SEGMENTS, reading.thickness.tolist(), strict=True))
        ],
    }


_SHOWN = {"m3": ("mL", 1e6), "kg": ("g", 1e3), "m": ("mm", 1e3), "1": ("%", 100.0)}


def _plain_figure(f: Figure) -> dict[str, Any]:
    unit, scale = _SHOWN[f.unit]
    low, high = (f.value - f.half) * scale, (f.value + f.half) * scale
    told: dict[str, Any] = {"name": f.name, "label": f.label, "unit": unit}
    told |= {"value": None, "interval_90": None, "found": round(f.value * scale, 2)}
    if not f.withheld:
        told |= {"value": round(f.value * scale, 2)}
        high = min(high, 100.0) if f.unit == "1" else high
        told |= {"interval_90": [round(max(low, 0.0), 2), round(high, 2)]}
    wider = round(f.half / f.method, 2) if f.method > 0 else 1.0
    return told | {"widened": wider, "withheld": f.withheld}


def _plain_doubt(d: Doubt) -> dict[str, Any]:
    v = d.verdict
    return {
        "kind": v.kind, "reason": v.reason, "value": round(v.value, 4), "limit": v.limit,
        "unit": v.unit, "source": v.source, "widens_by": round(v.sigma_factor, 3),
        "withholds": v.withheld, "differential": list(v.differential), "figures": list(d.figures),
    }  # fmt: skip
