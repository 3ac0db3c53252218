"""The ventricles of a cine examination, found without anybody's help, over the whole beat.

A network that learnt from rendered hearts gives probabilities (`unet`), their edges are marks on
the parts of the heart (`cine_contours`), and one surface model of both ventricles is bent to all of
them (`biventricle_fit`). Volumes are those of its closed meshes, which keep their triangles over
the beat. Beside each stands an interval: what this method missed by on rendered examinations of
known truth, and never less than readers differ (Suinesiaputra et al. 2015, the lowest of its
ranges, doi:10.1186/s12968-015-0170-9; unverified).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from isosoma.core.study import Volume
from isosoma.imaging.biventricle import biventricle, enclosed
from isosoma.imaging.biventricle_fit import Marks, bent, surfaces
from isosoma.imaging.cine_contours import long_axis, marked, shows_axis
from isosoma.imaging.cine_crop import Cut, cuts, heart_middle, short_axis
from isosoma.imaging.heart_axes import Frame
from isosoma.imaging.unet import normalised, probabilities, version

__all__ = ["CineHeart", "Part", "build", "heart_from", "heart_of", "heart_with", "shares_of"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_DENSITY = 1050.0  # [kg/m3] of muscle
_READERS = {"edv": 15.2e-6, "esv": 14.0e-6, "ef": 0.046, "mass": 0.0202}
# At least the 90th percentile of errors on 50 rendered studies (benchmarks/imaging_cine.py), as
# shares of the value; the ejection fraction's as it is.
_RENDERED = {"edv": 0.10, "esv": 0.27, "ef": 0.10, "mass": 0.20}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A closed mesh that keeps its triangles over the beat.

    Attributes
    ----------
    points : RAS [m], shape (phase, n, 3), the last one amid the inlet valve.
    triangles : rows of them, anticlockwise from outside.
    volume : enclosed at each phase [m3].
    """

    points: Floats
    triangles: npt.NDArray[np.int64]
    volume: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CineHeart:
    """What a cine examination shows of the ventricles.

    Attributes
    ----------
    phases : share of the beat; frame : the long axis.
    left, outer, right : cavity of the left ventricle, its outer wall, cavity of the right.
    mass : of the left ventricle's wall [kg] at each phase.
    sigma : half width of the 90 % interval of ``edv`` and ``esv`` [m3], ``ef`` and ``mass`` [kg].
    quality : 0 to 1, mean certainty of the network within the heart.
    doubts : sentences about what does not fit.
    made_by : name and version of the method.
    whole : outer surface of both ventricles.
    moved : by how much each slice was moved within its plane [m], shape (slice, 3).
    marks : what it was fitted to, for a reader to correct.
    """

    phases: Floats
    frame: Frame
    left: Part
    outer: Part
    right: Part
    mass: Floats
    sigma: dict[str, float]
    quality: float
    doubts: tuple[str, ...]
    made_by: str
    whole: Part | None = None
    moved: Floats | None = None
    marks: Marks | None = None

    @property
    def end_diastolic_volume(self) -> float:
        """Return the largest volume of the left ventricle [m3]."""
        return float(self.left.volume.max())

    @property
    def end_systolic_volume(self) -> float:
        """Return its smallest volume [m3]."""
        return float(self.left.volume.min())

    @property
    def ejection_fraction(self) -> float:
        """Return its ejection fraction."""
        return 1 - self.end_systolic_volume / self.end_diastolic_volume


Tell = Callable[[int, int], None]


def build(volumes: Sequence[Volume], tell: Tell = lambda done, of: None) -> CineHeart:
    """Return the ventricles of a cine examination.

    Raises
    ------
    RangeError
        There is no short-axis stack, no long axis, or no heart in them.
    """
    stack = short_axis(volumes)
    every = cuts(volumes, heart_middle(volumes[stack]))
    shares = list[Singles]()
    for k, cut in enumerate(every):
        shares.append(shares_of(cut))
        tell(k + 1, len(every) + 1)
    heart = heart_from(every, shares, volumes[stack].phases)
    tell(len(every) + 1, len(every) + 1)
    return heart


def shares_of(cut: Cut) -> Singles:
    """Return the network's probabilities, shape (phase, class, row, column)."""
    frames, spread = normalised(cut.frames)
    return probabilities(np.stack([frames, np.broadcast_to(spread, frames.shape)], axis=1))


def heart_from(every: Sequence[Cut], shares: Sequence[Singles], phases: Floats) -> CineHeart:
    """Return the ventricles that fit what each cut shows, whoever or whatever named its parts.

    Parameters
    ----------
    shares : of each class at each pixel of each cut, shape (phase, class, row, column).
    phases : share of the beat, shape (phase,).

    Raises
    ------
    RangeError
        There is no heart in them, or no long axis.
    """
    frame = long_axis(every, shares)
    sure = np.concatenate([s.max(axis=1)[s[:, 1:4].sum(axis=1) > 0.5].ravel() for s in shares])
    made_by = f"isosoma cine, network {version()}"
    marks = marked(every, shares, frame)
    heart = heart_of(marks, frame, phases, float(sure.mean()), made_by)
    aside = sum(not shows_axis(cut, frame) for cut in every)
    if aside == 0:
        return heart
    said = f"{aside} long-axis pictures lie beside the long axis or oblique to it: not used"
    return replace(heart, doubts=(*heart.doubts, said))


def heart_of(marks: Marks, frame: Frame, phases: Floats, quality: float, made_by: str) -> CineHeart:
    """Return the ventricles that fit marks, a network's or a reader's.

    Raises
    ------
    RangeError
        A phase has no apex, no mitral valve, or no right ventricle.
    """
    control, moved = bent(marks, phases)
    heart = heart_with(control, frame, phases, quality, made_by)
    return replace(heart, moved=moved, marks=marks)


def heart_with(
    control: Floats, frame: Frame, phases: Floats, quality: float, made_by: str
) -> CineHeart:
    """Return the ventricles of the model's control points [m], shape (phase, 388, 3)."""
    points, model = surfaces(control), biventricle()
    mitral, tricuspid = model.lids
    left, outer = _part(points, model.left, mitral), _part(points, model.outer, mitral)
    right, whole = _part(points, model.right, tricuspid), _part(points, model.whole, mitral)
    mass = _DENSITY * (outer.volume - left.volume)
    high, low = float(left.volume.max()), float(left.volume.min())
    value = {"edv": high, "esv": low, "ef": 1 - low / high, "mass": float(mass.mean())}
    scale = value | {"ef": 1.0}
    sigma = {k: float(max(_READERS[k], _RENDERED[k] * scale[k])) for k in value}
    return CineHeart(
        phases, frame, left, outer, right, mass, sigma, quality, _doubts(left, outer, right),
        made_by, whole,
    )  # fmt: skip


def _part(points: Floats, faces: npt.NDArray[np.int64], lid: int) -> Part:
    """Return one closed mesh of the model's surface, with its own vertices only."""
    used = np.unique(faces)
    used = np.r_[used[used != lid], lid]
    number = np.zeros(points.shape[1], int)
    number[used] = np.arange(len(used))
    return Part(points[:, used], number[faces], enclosed(points, faces))


def _doubts(left: Part, outer: Part, right: Part) -> tuple[str, ...]:
    """Return what does not fit, with what may explain it."""
    said = list[str]()
    strokes = [float(np.ptp(part.volume)) for part in (left, right)]
    gap = abs(strokes[0] - strokes[1]) / max(strokes)
    if gap > 0.1:
        said.append(
            f"stroke volumes of the ventricles differ by {gap:.0%}: regurgitation, a shunt, or a "
            "contour error"
        )
    wall = outer.volume - left.volume
    change = float(np.ptp(wall) / wall.mean())
    if change > 0.1:
        said.append(f"the wall's volume changes by {change:.0%} over the beat, yet muscle does not")
    return tuple(said)
