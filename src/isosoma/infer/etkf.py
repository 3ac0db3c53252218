"""The ensemble transform Kalman filter in observation rank: never an N x N matrix.

Y' : deviations of predicted observations (p, N); R diagonal; innovation d = R^-1/2 (y - ybar)::

    A = R^-1/2 Y' / sqrt(N-1)     C = A A' = V S² V'  (p x p)     U = S^-1 V' A
    mean   zbar + Z' U' diag(s / (1+s²)) V' d / sqrt(N-1)
    spread Z' + Z' U' diag((1+s²)^-1/2 - 1) U         (symmetric square root: the mean is kept)

Bishop, Etherton & Majumdar 2001, Mon Weather Rev 129:420; Sakov & Oke 2008, 136:1042.
Rows are variables and members contiguous, inside; `update` takes and gives (N, n).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import ModelError
from isosoma.infer.jacobi import eigen

__all__ = ["apply", "centre", "dot", "mean", "replace_failed", "transform", "update"]

Floats = npt.NDArray[np.float64]
_FLOOR = 1e-12  # of s², a direction that predicts nothing


@njit(cache=True, nogil=True, error_model="numpy")
def mean(row: Floats) -> float:
    """Return the mean of `row` (N,), members in their order."""
    total = 0.0
    for i in range(len(row)):
        total += row[i]
    return total / len(row)


@njit(cache=True, nogil=True, error_model="numpy")
def centre(row: Floats, deviations: Floats) -> float:
    """Write `row` minus its mean to `deviations` (N,); return the mean, members in their order."""
    middle = mean(row)
    for i in range(len(row)):
        deviations[i] = row[i] - middle
    return middle


@njit(cache=True, nogil=True, error_model="numpy")
def dot(a: Floats, b: Floats) -> float:
    """Return the sum of ``a b`` over members, in their order."""
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def transform(Y: Floats, y: Floats, R: Floats, U: Floats, shift: Floats, shrink: Floats) -> float:
    """Compute what one analysis does to any row of members; return d' (C + I)^-1 d (NIS).

    Parameters
    ----------
    Y : predicted observations (p, N). y, R : observed values and error variances (p,).
    U : out (p, N), orthonormal rows. shift, shrink : out (p,), for `apply`.
    """
    p, N = Y.shape
    A, C, V, d = np.empty((p, N)), np.empty((p, p)), np.empty((p, p)), np.empty(p)
    for k in range(p):
        scale = 1.0 / np.sqrt(R[k])
        d[k] = (y[k] - centre(Y[k], A[k])) * scale
        scale /= np.sqrt(N - 1.0)
        for i in range(N):
            A[k, i] *= scale
    for j in range(p):
        for k in range(j, p):
            C[j, k] = dot(A[j], A[k])
            C[k, j] = C[j, k]
    eigen(C, V)
    nis = 0.0
    for k in range(p):
        s2 = max(C[k, k], _FLOOR)
        s = np.sqrt(s2)
        along = 0.0
        U[k] = 0.0
        for j in range(p):
            along += V[j, k] * d[j]
            weight = V[j, k] / s
            for i in range(N):
                U[k, i] += weight * A[j, i]
        shift[k] = s / (1.0 + s2) * along / np.sqrt(N - 1.0)
        shrink[k] = 1.0 / np.sqrt(1.0 + s2) - 1.0
        nis += along * along / (1.0 + s2)
    return nis


@njit(cache=True, nogil=True, error_model="numpy")
def apply(
    rows: Floats, U: Floats, shift: Floats, shrink: Floats, relax: float, moved: Floats
) -> None:
    """Update `rows` (n, N) in place; `relax` in [0, 1] gives spread back (`rtps`), 0 none.

    `moved` : out (n, 3), shift of the mean, variances before and after (unrelaxed).
    """
    N = rows.shape[1]
    scratch = np.empty(N)
    c = np.empty(len(U))
    for r in range(len(rows)):
        middle = centre(rows[r], scratch)
        moved[r, 0] = 0.0
        before = dot(scratch, scratch)
        for k in range(len(U)):
            c[k] = dot(U[k], scratch)
            middle += shift[k] * c[k]
            moved[r, 0] += shift[k] * c[k]
        for k in range(len(U)):
            weight = shrink[k] * c[k]
            for i in range(N):
                scratch[i] += weight * U[k, i]
        after = dot(scratch, scratch)
        moved[r, 1], moved[r, 2] = before / (N - 1.0), after / (N - 1.0)
        factor = 1.0
        if relax > 0.0 and after > 0.0:
            factor = 1.0 + relax * (np.sqrt(before / after) - 1.0)
        for i in range(N):
            rows[r, i] = middle + factor * scratch[i]


def replace_failed(rows: Floats, outputs: Floats) -> int:
    """Put neighbours in place of members whose `outputs` (p, N) are not finite; return how many.

    `rows` (n, N) and `outputs` change in place. Refused when more than half of the members failed.
    """
    good: npt.NDArray[np.bool_] = np.asarray(np.isfinite(outputs).all(axis=0))
    failed = int(np.count_nonzero(~good))
    if 2 * failed > len(good):
        raise ModelError(
            f"{failed} of {len(good)} members failed: the model does not reach this patient",
            todo="Ask the physics outside an emulator's hull, or check priors and inputs",
        )
    if failed:
        alive = np.flatnonzero(good)
        for k, i in enumerate(np.flatnonzero(~good)):
            rows[:, i] = rows[:, alive[(i + k) % len(alive)]]
            outputs[:, i] = outputs[:, alive[(i + k) % len(alive)]]
    return failed


def update(Z: Floats, Y: Floats, y: Floats, R: Floats, relax: float = 0.0) -> Floats:
    """Return the analysed ensemble (N, n); the inputs are left as they are.

    Parameters
    ----------
    Z : members (N, n). Y : their predicted observations (N, p).
    y, R : observed values (p,) and error variances (p,), in the units of Y and their squares.
    relax : share of the prior spread that is given back (RTPS); 0 is the plain filter.
    """
    N, p = Y.shape
    if len(Z) != N or y.shape != (p,) or R.shape != (p,) or N < 2:
        raise ModelError(
            f"members {Z.shape}, predictions {Y.shape}, values {y.shape} and variances {R.shape} "
            "do not fit each other",
            todo="Give Z (N, n), Y (N, p), y (p,) and R (p,) with N of at least 2",
        )
    if not (np.all(np.isfinite(Y)) and np.all(np.isfinite(y)) and np.all(R > 0.0)):
        raise ModelError(
            "predictions and values are finite and error variances positive in an update",
            todo="Replace failed members first and leave out what was not measured",
        )
    rows = np.array(Z.T, dtype=np.float64, order="C")
    U, shift, shrink = np.empty((p, N)), np.empty(p), np.empty(p)
    transform(np.ascontiguousarray(Y.T, dtype=np.float64), y, R, U, shift, shrink)
    apply(rows, U, shift, shrink, relax, np.empty((len(rows), 3)))
    return rows.T
