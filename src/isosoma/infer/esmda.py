"""Ensemble smoother with multiple data assimilation: the first calibration of a patient.

All data are assimilated K times, each time with its noise inflated by alpha_k, sum 1/alpha_k = 1::

    Z <- Z + Czy (Cyy + alpha R)^-1 (y + sqrt(alpha) e - Y),   e ~ N(0, R)

with covariances of the ensemble, refreshed each pass. Exact for a linear model and many members;
for a nonlinear one several small steps beat one large. Emerick & Reynolds 2013,
doi:10.1016/j.cageo.2012.03.011.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import ModelError
from isosoma.infer import etkf
from isosoma.infer.philox import STREAMS, normals

__all__ = ["Calibration", "calibrate", "equal_passes", "geometric_passes", "significance_taper"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What ES-MDA made of the prior ensemble.

    Attributes
    ----------
    z : members (N, n). outputs : their predictions (N, p).
    misfit : mean over members of ``sum((y - Y)² / R) / p`` before each pass and at the end; about
        1 to 2 when data and model agree, far above when they contradict each other.
    failed : members replaced by a neighbour because the model failed, over all passes.
    """

    z: Floats
    outputs: Floats
    misfit: tuple[float, ...]
    failed: int


def equal_passes(count: int) -> tuple[float, ...]:
    """Return `count` equal inflation factors."""
    return (float(count),) * count


def geometric_passes(count: int, ratio: float = 2.0) -> tuple[float, ...]:
    """Return `count` factors, each `ratio` times smaller than the one before: careful first."""
    raw = [ratio ** (count - 1 - k) for k in range(count)]
    total = math.fsum(1.0 / a for a in raw)
    return tuple(a * total for a in raw)


@njit(cache=True, nogil=True, error_model="numpy")
def _factorise(S: Floats) -> None:
    """Replace the lower triangle of positive definite `S` (p, p) by its Cholesky factor."""
    p = len(S)
    for j in range(p):
        for k in range(j):
            S[j, j] -= S[j, k] * S[j, k]
        S[j, j] = np.sqrt(S[j, j])
        for i in range(j + 1, p):
            for k in range(j):
                S[i, j] -= S[i, k] * S[j, k]
            S[i, j] /= S[j, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _substitute(L: Floats, B: Floats) -> None:
    """Replace `B` (p, N) by ``(L L')^-1 B``."""
    p, N = B.shape
    for j in range(p):
        for k in range(j):
            for i in range(N):
                B[j, i] -= L[j, k] * B[k, i]
        B[j] /= L[j, j]
    for j in range(p - 1, -1, -1):
        for k in range(j + 1, p):
            for i in range(N):
                B[j, i] -= L[k, j] * B[k, i]
        B[j] /= L[j, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _pass(
    Z: Floats, Y: Floats, y: Floats, R: Floats, alpha: float, e: Floats, taper: Floats
) -> None:
    """Update `Z` (n, N) in place by one pass; `e` (p, N) standard normals, `taper` (n, p)."""
    n, (p, N) = len(Z), Y.shape
    Yd, Zd = np.empty((p, N)), np.empty(N)
    S, X = np.empty((p, p)), np.empty((p, N))
    for j in range(p):
        etkf.centre(Y[j], Yd[j])
        shift = etkf.mean(e[j])
        for i in range(N):
            X[j, i] = y[j] + np.sqrt(alpha * R[j]) * (e[j, i] - shift) - Y[j, i]
        for k in range(j + 1):
            S[j, k] = etkf.dot(Yd[j], Yd[k]) / (N - 1.0)
            S[k, j] = S[j, k]
        S[j, j] += alpha * R[j]
    _factorise(S)
    _substitute(S, X)
    for r in range(n):
        etkf.centre(Z[r], Zd)
        for j in range(p):
            gain = taper[r, j] * etkf.dot(Zd, Yd[j]) / (N - 1.0)
            for i in range(N):
                Z[r, i] += gain * X[j, i]


def significance_taper(Z: Floats, Y: Floats, noise: float = 3.0) -> Floats:
    """Return (n, p) in [0, 1]: 1 where a sample correlation is real, 0 where chance explains it.

    Correlations below `noise` / sqrt(N) are chance; above, Gaspari & Cohn's function of
    ``(1 - |rho|) / (1 - threshold)`` (Luo & Bhakta 2020, doi:10.1016/j.petrol.2019.106559,
    unverified). For many data on few members; off by default.
    """
    N = len(Z)
    zc, yc = Z - Z.mean(axis=0), Y - Y.mean(axis=0)
    norm = np.sqrt((zc**2).sum(axis=0))[:, None] * np.sqrt((yc**2).sum(axis=0))[None, :]
    rho = np.abs(np.einsum("in,ip->np", zc, yc)) / np.where(norm > 0.0, norm, np.inf)
    threshold = min(noise / math.sqrt(N), 0.99)
    return _gaspari_cohn(2.0 * (1.0 - rho) / (1.0 - threshold))


def _gaspari_cohn(r: Floats) -> Floats:
    """Return the compactly supported correlation of Gaspari & Cohn 1999, eq. 4.10, zero at 2."""
    r = np.clip(r, 0.0, 2.0)
    near = 1.0 + r**2 * (-5 / 3 + r * (5 / 8 + r * (1 / 2 - r / 4)))
    safe = np.maximum(r, 1.0)
    far = 4.0 - 5.0 * r + r**2 * (5 / 3 + r * (5 / 8 + r * (-1 / 2 + r / 12))) - 2.0 / (3.0 * safe)
    return np.clip(np.where(r <= 1.0, near, far), 0.0, 1.0)


def calibrate(
    Z: Floats,
    predict: Callable[[Floats], Floats],
    y: Floats,
    R: Floats,
    patient: int,
    passes: Sequence[float] = equal_passes(4),
    taper: Callable[[Floats, Floats], Floats] | None = None,
) -> Calibration:
    """Return the ensemble calibrated to all data at once; the inputs are left as they are.

    Parameters
    ----------
    Z : prior members (N, n). predict : ``theta (N, n) -> (N, p)``; rows of NaN failed.
    y, R : data (p,) and error variances (p,), model error included.
    patient : first word of the random key. passes : inflation factors alpha_k.
    taper : localisation, ``(Z, Y) -> (n, p)``; none: off.
    """
    _check(Z, y, R, passes)
    rows = np.array(Z.T, dtype=np.float64, order="C")
    misfit, failed = [], 0
    for k, alpha in enumerate(passes):
        seen, lost = _outputs(rows, predict, len(y))
        failed += lost
        misfit.append(_misfit(seen, y, R))
        e = normals((patient, STREAMS["perturbation"]), k, rows.shape[1], len(y)).T
        weight = np.ones((len(rows), len(y))) if taper is None else taper(rows.T, seen.T)
        _pass(rows, seen, y, R, alpha, np.ascontiguousarray(e), np.ascontiguousarray(weight))
    outputs, lost = _outputs(rows, predict, len(y))
    return Calibration(rows.T, outputs.T, (*misfit, _misfit(outputs, y, R)), failed + lost)


def _check(Z: Floats, y: Floats, R: Floats, passes: Sequence[float]) -> None:
    if Z.ndim != 2 or len(Z) < 2 or y.ndim != 1 or R.shape != y.shape or not len(y):
        raise ModelError(
            f"members {Z.shape}, data {y.shape} and variances {R.shape} do not fit each other",
            todo="Give Z (N, n) and at least one datum, y (p,) and R (p,)",
        )
    if not (np.all(np.isfinite(y)) and np.all(R > 0.0)):
        raise ModelError("data are finite and their error variances positive in a calibration")
    if not passes or min(passes) <= 0.0 or abs(math.fsum(1 / a for a in passes) - 1.0) > 1e-9:
        raise ModelError(
            f"the reciprocals of the inflation factors {tuple(passes)} do not add up to one",
            todo="Use equal_passes or geometric_passes: every datum counts once",
        )


def _outputs(rows: Floats, predict: Callable[[Floats], Floats], count: int) -> tuple[Floats, int]:
    """Return predictions (p, N), failed members having become their neighbours."""
    out = np.array(predict(rows.T).T, dtype=np.float64, order="C")
    if out.shape != (count, rows.shape[1]):
        raise ModelError(
            f"predict gave {out.T.shape} where {(rows.shape[1], count)} was asked for",
            todo="Return one row a member and one column a datum",
        )
    return out, etkf.replace_failed(rows, out)


def _misfit(Y: Floats, y: Floats, R: Floats) -> float:
    return float(np.mean((y[:, None] - Y) ** 2 / R[:, None]))
