"""Whether a cine examination carries the volumes read from it, beside what `image` asks of any.

Slices too far apart, a heart that ends beyond them, beats of unlike length, muscle that seems to
come and go, and a ventricle out of all proportion: each with number, limit, source and effect.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isosoma.quality.image import ImageVerdict

__all__ = ["beats", "gaps", "proportion", "reach", "wall_volume"]

Floats = npt.NDArray[np.float64]

_STEP = 10e-3  # [m]
_MEASURED = 18e-3  # [m]; up to here the method's own interval was measured with such gaps
_KRAMER = (
    "slices of 6 to 8 mm every 10 mm (Kramer et al. 2020, J Cardiovasc Magn Reson 22:17, "
    "doi:10.1186/s12968-020-00607-1)"
)
_BEYOND = 0.10
_UNLIKE = 0.20
_WALL = 0.10
_SMALL = 0.5


def gaps(step: float) -> ImageVerdict | None:
    """Return a doubt where slices lie over 10 mm apart; it widens beyond 18 mm.

    The errors from which `imaging.cine` takes its interval are of stacks of every 8 to 18 mm.

    Parameters
    ----------
    step : between the middles of neighbouring slices [m].
    """
    if step <= 1.05 * _STEP:
        return None
    reason = (
        f"slices lie {step * 1e3:.1f} mm apart: what is between them is interpolated; take them "
        f"every {_STEP * 1e3:.0f} mm"
    )
    factor = max(1.0, step / _MEASURED)
    return ImageVerdict("gaps", reason, step * 1e3, _STEP * 1e3, "mm", _KRAMER, factor)


def reach(share: float) -> ImageVerdict | None:
    """Return a doubt where much of a cavity lies beyond the outermost short-axis slices.

    Parameters
    ----------
    share : of its volume that is farther out than half a step from the outermost slice, so that
        long axes alone tell of it.
    """
    if share <= _BEYOND:
        return None
    reason = (
        f"{share:.0%} of the cavity lies beyond the outermost short-axis slice, where the long "
        "axes alone tell of it; take slices from above the valve plane to below the apex"
    )
    factor, lost = 1.0 + share / _BEYOND / 2.0, share > 0.5
    return ImageVerdict("reach", reason, share, _BEYOND, "1", "own rule", factor, lost)


def beats(periods: Floats) -> ImageVerdict | None:
    """Return a doubt where slices were taken in beats of unlike length.

    Parameters
    ----------
    periods : RR interval of each slice [s].
    """
    if len(periods) < 2:
        return None
    spread = float(np.ptp(periods) / np.median(periods))
    if spread <= _UNLIKE:
        return None
    reason = (
        f"slices were taken in beats of {periods.min() * 1e3:.0f} to {periods.max() * 1e3:.0f} ms: "
        "the heart fills otherwise in each, so one volume of all is an average; look at the ECG"
    )
    factor = spread / _UNLIKE
    return ImageVerdict("beats", reason, spread, _UNLIKE, "1", "own rule", factor, spread > 1.0)


def wall_volume(volumes: Floats) -> ImageVerdict | None:
    """Return a doubt where the wall's volume changes over the beat, which muscle's does not.

    Parameters
    ----------
    volumes : of the left ventricle's wall at each phase [m3].
    """
    change = float(np.ptp(volumes) / volumes.mean())
    if change <= _WALL:
        return None
    reason = (
        f"the wall's volume changes by {change:.0%} over the beat, yet muscle keeps its own: the "
        "inner or the outer contour, or the base, is wrong in some phases; look at them"
    )
    source = "myocardium loses some 5 % to its veins in systole (unverified); twice that"
    return ImageVerdict("wall_volume", reason, change, _WALL, "1", source, change / _WALL)


def proportion(left: float, right: float) -> ImageVerdict | None:
    """Return a doubt where one ventricle is less than half the other.

    Parameters
    ----------
    left, right : their largest volumes [m3].
    """
    small, large = sorted((left, right))
    share = small / large if large > 0.0 else 0.0
    if share >= _SMALL:
        return None
    which = "right" if right < left else "left"
    reason = (
        f"the {which} ventricle is found with {small * 1e6:.0f} ml beside {large * 1e6:.0f} ml: no "
        "pair of working ventricles looks so, so its number is not given until a person has looked"
    )
    other = (
        f"the {which} ventricle's base taken for something else",
        f"a small (hypoplastic) {which} ventricle",
        "labels exchanged",
    )
    return ImageVerdict(
        "proportion", reason, share, _SMALL, "1", "own rule", withheld=True, differential=other
    )
