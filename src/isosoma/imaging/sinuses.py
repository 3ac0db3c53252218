"""What can veto a valve at the root: heights of the coronary ostia and widths of the sinuses.

A valve's frame may close an ostium that lies low above the annulus beside a narrow sinus: under
10 mm and under 30 mm are warnings (Ribeiro et al. 2013, J Am Coll Cardiol 62:1552-1562,
doi:10.1016/j.jacc.2013.07.040).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import RangeError
from isosoma.imaging.annulus import Annulus
from isosoma.imaging.section import Section

__all__ = ["Measure", "coronary_height", "sinus_widths"]

Floats = npt.NDArray[np.float64]

_TILT = np.deg2rad(3.0) / 1.96  # [rad] of the annulus' plane, as when it is sized
_CLICK = 1.0e-3  # [m] sd of a reader's click on an ostium's lower edge, own estimate
_LOBES = 0.02  # of the mean radius: a third harmonic below is no trefoil


@dataclass(frozen=True, slots=True)
class Measure:
    """A length with its standard deviation [m]."""

    value: float
    sigma: float


def coronary_height(annulus: Annulus, ostium: npt.ArrayLike, voxel: float) -> Measure:
    """Return the height of an ostium's lower edge above the annulus' plane.

    Its sigma joins the click, the plane's height to a voxel's rounding, and the plane's tilt,
    which counts more the farther the ostium lies from the axis.

    Parameters
    ----------
    ostium : RAS [m], shape (3,). voxel : side [m].

    Raises
    ------
    RangeError
        It lies more than 40 mm from the annulus: no coronary does.
    """
    way = np.asarray(ostium, float) - annulus.section.centre
    if not np.isfinite(way).all() or np.linalg.norm(way) > 40e-3:
        said = f"the ostium lies {np.linalg.norm(way) * 1e3:.0f} mm from the annulus"
        raise RangeError(said, todo="Mark it again, in the image's own space (RAS)")
    height = float(abs(way @ annulus.section.normal))
    beside = float(np.sqrt(max(way @ way - height**2, 0.0)))
    parts = (_CLICK, voxel / np.sqrt(12), beside * _TILT)
    return Measure(height, float(np.sqrt(np.square(parts).sum())))


def sinus_widths(section: Section, voxel: float) -> tuple[Measure, Measure, Measure]:
    """Return the three widths of a cut through the sinuses, each from a sinus to its commissure.

    The trefoil is the third harmonic of the rim's radius: its crests are the sinuses, and opposite
    each lies the commissure of the other two.

    Raises
    ------
    RangeError
        The cut is no trefoil: there are not three sinuses to tell apart.
    """
    from isosoma.imaging.rays import RAYS, Plane, polar
    from isosoma.imaging.section import axes_of

    radius = polar(section.contour, Plane(section.centre, axes_of(section.normal)))
    third = np.fft.rfft(radius)[3] * 2 / RAYS
    if abs(third) < _LOBES * radius.mean():
        said = f"the rim's third harmonic is {abs(third) / radius.mean():.1%} of its radius"
        raise RangeError(said, todo="Cut where the sinuses are widest, or measure by hand")
    first = -np.angle(third) / 3
    rows = np.round((first + np.arange(3) * 2 * np.pi / 3) / (2 * np.pi) * RAYS).astype(int)
    crest = [float(radius[(r + np.arange(-8, 9)) % RAYS].max()) for r in rows]
    dip = [float(radius[(r + RAYS // 2 + np.arange(-8, 9)) % RAYS].min()) for r in rows]
    sigma = voxel / np.sqrt(12) * np.sqrt(2)  # two edges, each to a voxel's rounding
    a, b, c = (Measure(x + y, float(sigma)) for x, y in zip(crest, dip, strict=True))
    return a, b, c
