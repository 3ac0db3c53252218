"""One image turned and moved onto another of the same head, whatever their contrasts.

Six numbers are sought that make the normalised mutual information largest (Studholme et al. 1999,
Pattern Recognition 32:71-86, doi:10.1016/S0031-3203(98)00091-0), coarse to fine by Powell's method.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from isosoma.core.study import Grid

__all__ = ["rigid"]

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_BINS = 32
_LEVELS = ((4e-3, 6e-3), (2e-3, 2e-3))  # [m] distance of points, blur of the moving image


def rigid(
    fixed: Array, fixed_grid: Grid, moving: Array, moving_grid: Grid, mask: Mask, start: Floats
) -> Floats:
    """Return the affine from fixed to moving space, RAS [m], shape (4, 4).

    Parameters
    ----------
    mask : of the fixed image, where the two are compared.
    start : RAS [m] of the moving space where the mask's centre lies, roughly.
    """
    from scipy.optimize import minimize

    at = np.argwhere(mask)
    centre = fixed_grid.to_space(at).mean(axis=0)
    best = np.zeros(6)
    for apart, blur in _LEVELS:
        stride = np.maximum(1, np.round(apart / fixed_grid.spacing)).astype(int)
        some = at[(at % stride == 0).all(axis=1)]
        seen = _binned(fixed[tuple(some.T)])
        points = fixed_grid.to_space(some) - centre
        soft = np.asarray(gaussian_filter(moving, list(blur / 2.355 / moving_grid.spacing)))
        levels = np.quantile(soft, (0.01, 0.99))

        def loss(x: Floats) -> float:
            there = points @ _rotation(x[:3]).T + start + x[3:]  # noqa: B023
            index = moving_grid.to_index(there).T
            found = map_coordinates(soft, index, order=1, cval=0)  # noqa: B023
            return -_information(seen, _binned(found, levels))  # noqa: B023

        steps: Any = {"direc": np.diag([0.1] * 3 + [0.01] * 3), "xtol": 1e-4, "ftol": 1e-6}
        best = minimize(loss, best, method="Powell", options=steps).x
    affine = np.eye(4)
    affine[:3, :3] = _rotation(best[:3])
    affine[:3, 3] = start + best[3:] - affine[:3, :3] @ centre
    return affine


def _rotation(angles: Floats) -> Floats:
    """Return the turn by a rotation vector [rad] (Rodrigues)."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(angles).as_matrix()


def _binned(
    values: npt.NDArray[Any], levels: npt.NDArray[Any] | None = None
) -> npt.NDArray[np.int64]:
    low, high = np.quantile(values, (0.01, 0.99)) if levels is None else levels
    share = (values - low) / max(float(high - low), 1e-12)
    return np.clip(share * _BINS, 0, _BINS - 1).astype(np.int64)


def _information(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> float:
    """Return (H(a) + H(b)) / H(a, b)."""
    joint = np.bincount(a * _BINS + b, minlength=_BINS**2).reshape(_BINS, _BINS) / len(a)
    return (_entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1))) / max(
        _entropy(joint.ravel()), 1e-12
    )


def _entropy(share: Floats) -> float:
    some = share[share > 0]
    return float(-(some * np.log(some)).sum())
