"""Eigenvalues of a small symmetric matrix by cyclic Jacobi rotations: serial, without LAPACK."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["eigen"]

Floats = npt.NDArray[np.float64]
_SWEEPS = 30  # six are usual for p < 20


@njit(cache=True, nogil=True, error_model="numpy")
def _rotate(C: Floats, V: Floats, a: int, b: int) -> None:
    """Zero ``C[a, b]`` by a plane rotation; Golub & Van Loan, Matrix Computations, 8.5.2."""
    theta = (C[b, b] - C[a, a]) / (2.0 * C[a, b])
    t = 1.0 / (abs(theta) + np.sqrt(theta * theta + 1.0))
    t = -t if theta < 0.0 else t
    c = 1.0 / np.sqrt(t * t + 1.0)
    s = t * c
    for k in range(len(C)):
        x, y = C[k, a], C[k, b]
        C[k, a], C[k, b] = c * x - s * y, s * x + c * y
    for k in range(len(C)):
        x, y = C[a, k], C[b, k]
        C[a, k], C[b, k] = c * x - s * y, s * x + c * y
    for k in range(len(C)):
        x, y = V[k, a], V[k, b]
        V[k, a], V[k, b] = c * x - s * y, s * x + c * y


@njit(cache=True, nogil=True, error_model="numpy")
def eigen(C: Floats, V: Floats) -> None:
    """Leave eigenvalues on the diagonal of symmetric `C` (p, p), eigenvectors in columns of `V`."""
    p = len(C)
    total = 0.0
    for i in range(p):
        for j in range(p):
            V[i, j] = 1.0 if i == j else 0.0
            total += C[i, j] * C[i, j]
    for _ in range(_SWEEPS):
        off = 0.0
        for i in range(p):
            for j in range(i + 1, p):
                off += C[i, j] * C[i, j]
        if not off > 1e-34 * total:
            return
        for i in range(p):
            for j in range(i + 1, p):
                if C[i, j] != 0.0:
                    _rotate(C, V, i, j)
