"""Philox4x64-10: random numbers that are a function of where they are used, without a state.

Key = (patient, stream), counter = (step, member, parameter // 4, 0), word parameter mod 4: a draw
depends on nothing else, so replayed or reordered work gives the same bits.
Salmon et al. 2011, doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.infer.elementary import normal_quantile

__all__ = ["STREAMS", "block", "fill_normals", "normals", "uniform"]

STREAMS = {"start": 0, "walk": 1, "suspect": 2, "perturbation": 3, "sample": 4, "drift": 5}
"""Second word of the key: what the numbers are used for."""

Word = np.uint64
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@njit(cache=True, nogil=True, inline="always")
def _multiply(a: Word, b: Word) -> tuple[Word, Word]:
    """Return the high and low 64 bits of a product of two 64-bit words."""
    a0, a1, b0, b1 = a & _LOW, a >> _32, b & _LOW, b >> _32
    low = a0 * b0
    middle = a1 * b0 + (low >> _32)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _32) + (other >> _32), a * b


@njit(cache=True, nogil=True)
def block(
    k0: Word, k1: Word, c0: Word, c1: Word, c2: Word, c3: Word
) -> tuple[Word, Word, Word, Word]:
    """Return the four 64-bit words of key (k0, k1) at counter (c0, c1, c2, c3)."""
    k0, k1 = np.uint64(k0), np.uint64(k1)
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    for _ in range(10):
        high0, low0 = _multiply(_M0, c0)
        high1, low1 = _multiply(_M1, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + _W0, k1 + _W1
    return c0, c1, c2, c3


@njit(cache=True, nogil=True, inline="always")
def uniform(word: Word) -> float:
    """Return a number strictly between 0 and 1 from the upper 52 bits of a word."""
    return (float(word >> np.uint64(12)) + 0.5) * 2.0**-52


@njit(cache=True, nogil=True, error_model="numpy")
def fill_normals(patient: Word, stream: Word, step: Word, out: npt.NDArray[np.float64]) -> None:
    """Fill `out` (parameters, members) with standard normals, four parameters a block."""
    rows, members = out.shape
    for first in range(0, rows, 4):
        for i in range(members):
            member, group = np.uint64(i), np.uint64(first // 4)
            a, b, c, d = block(patient, stream, step, member, group, np.uint64(0))
            out[first, i] = normal_quantile(uniform(a))
            if first + 1 < rows:
                out[first + 1, i] = normal_quantile(uniform(b))
            if first + 2 < rows:
                out[first + 2, i] = normal_quantile(uniform(c))
            if first + 3 < rows:
                out[first + 3, i] = normal_quantile(uniform(d))


def normals(
    key: tuple[int, int], step: int, members: int, parameters: int
) -> npt.NDArray[np.float64]:
    """Return standard normals (members, parameters) of key (patient, stream) at `step`."""
    out = np.empty((parameters, members))
    fill_normals(np.uint64(key[0]), np.uint64(key[1]), np.uint64(step), out)
    return out.T
