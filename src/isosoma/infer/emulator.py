"""A polynomial that stands in for a model where it was trained, and refuses elsewhere.

Total degree d in k inputs, least squares on ln(output). Each monomial is its prefix times one
variable, so a prediction is one multiplication a monomial and one a coefficient. The error on runs
left out of the training goes into the filter's budget; a member whose Mahalanobis distance exceeds
the chi² .999 quantile of the design is refused: there the physics is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.errors import ModelError
from isosoma.infer.elementary import exp

__all__ = ["Emulated", "Emulator", "Predict", "emulate", "emulate_rows", "predictor", "train"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Predict = Callable[[Floats, Floats], Floats]
"""``predict(theta (N, n), context (k,)) -> (N, p)``; a row of NaN is a member that failed."""

_BLOCK = 64  # members whose monomials fit the first cache
CONFIDENCE = 0.999
"""Share of the training design inside the hull."""


@dataclass(frozen=True, slots=True, eq=False)
class Emulator:
    """A trained polynomial; all arrays are float64 data of the release.

    Attributes
    ----------
    parent, factor : (M,) each monomial is monomial `parent` times input `factor`; the first is 1.
    coefficients : (p, M) of ln(output).
    centre, whiten : (k,), (k, k) of the design: ``d² = |whiten (x - centre)|²``.
    limit : largest d² inside the hull.
    error : (p,) root mean square on runs left out, in units of the outputs.
    worst : (p,) largest error there.
    """

    parent: Ints
    factor: Ints
    coefficients: Floats
    centre: Floats
    whiten: Floats
    limit: float
    error: Floats
    worst: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Emulated:
    """Outputs (N, p), which members were refused (N,), and why; no reason, none refused."""

    outputs: Floats
    outside: npt.NDArray[np.bool_]
    reason: str


def monomials(inputs: int, degree: int) -> tuple[Ints, Ints]:
    """Return `parent` and `factor` of all monomials to total `degree`, the constant first."""
    place: dict[tuple[int, ...], int] = {(): 0}
    parent, factor = [0], [0]
    for d in range(1, degree + 1):
        for word in combinations_with_replacement(range(inputs), d):
            place[word] = len(parent)
            parent.append(place[word[:-1]])
            factor.append(word[-1])
    return np.array(parent), np.array(factor)


def _design(x: Floats, parent: Ints, factor: Ints) -> Floats:
    columns = [np.ones(len(x))]
    for p, f in zip(parent[1:], factor[1:], strict=True):
        columns.append(columns[p] * x[:, f])
    return np.stack(columns, axis=1)


def train(inputs: Floats, outputs: Floats, degree: int = 3, every: int = 5) -> Emulator:
    """Return the emulator of runs `inputs` (T, k) -> `outputs` (T, p), all outputs positive.

    Run 0 and each `every`-th after it are not trained on but give the error.
    """
    from scipy.stats import chi2

    parent, factor = monomials(inputs.shape[1], degree)
    out = np.arange(len(inputs)) % every == 0
    count = int(np.count_nonzero(~out))
    if count < 2 * len(parent):
        raise ModelError(
            f"{count} training runs do not carry {len(parent)} coefficients",
            todo=f"Run at least {2 * len(parent)} beside those left out, or lower the degree",
        )
    if not (np.all(np.isfinite(inputs)) and np.all(outputs > 0.0) and np.all(outputs < np.inf)):
        raise ModelError(
            "a training run failed or gave an output that is not positive",
            todo="Leave failed runs out; shift an output that may be zero",
        )
    design = _design(inputs, parent, factor)
    fit = np.linalg.lstsq(design[~out], np.log(outputs[~out]), rcond=None)[0]
    miss = np.exp(design[out] @ fit) - outputs[out]
    centre: Floats = np.asarray(inputs[~out].mean(axis=0), dtype=np.float64)
    spread: Floats = np.atleast_2d(np.cov(inputs[~out].T)).astype(np.float64)
    whiten = np.linalg.inv(np.linalg.cholesky(spread))
    return Emulator(
        parent,
        factor,
        np.ascontiguousarray(fit.T, dtype=np.float64),
        centre,
        np.ascontiguousarray(whiten, dtype=np.float64),
        float(chi2.ppf(CONFIDENCE, inputs.shape[1])),
        np.sqrt(np.mean(miss**2, axis=0)),
        np.max(np.abs(miss), axis=0),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _outside(x: Floats, i: int, centre: Floats, whiten: Floats, limit: float) -> bool:
    """Whether member `i` of inputs `x` (k, N) lies outside the hull; NaN does."""
    distance = 0.0
    for r in range(len(centre)):
        along = 0.0
        for c in range(r + 1):  # Cholesky: lower triangle
            along += whiten[r, c] * (x[c, i] - centre[c])
        distance += along * along
    return not distance <= limit


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(mono: Floats, inputs: Floats, parent: Ints, factor: Ints) -> None:
    """Write monomials (M, 64) of a block of `inputs` (k, 64)."""
    mono[0] = 1.0
    for m in range(1, len(parent)):
        before, times, here = mono[parent[m]], inputs[factor[m]], mono[m]
        for i in range(_BLOCK):
            here[i] = before[i] * times[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(mono: Floats, c: Floats, total: Floats) -> None:
    """Write ``c @ mono`` to `total` (64,), four monomials a pass."""
    M = len(c)
    total[:] = 0.0
    for m in range(0, M - 3, 4):
        a, b, d, e = mono[m], mono[m + 1], mono[m + 2], mono[m + 3]
        ca, cb, cd, ce = c[m], c[m + 1], c[m + 2], c[m + 3]
        for i in range(_BLOCK):
            total[i] += (ca * a[i] + cb * b[i]) + (cd * d[i] + ce * e[i])
    for m in range(M - M % 4, M):
        for i in range(_BLOCK):
            total[i] += c[m] * mono[m, i]


@njit(cache=True, nogil=True, error_model="numpy")
def emulate_rows(
    x: Floats,
    parent: Ints,
    factor: Ints,
    coefficients: Floats,
    centre: Floats,
    whiten: Floats,
    limit: float,
    out: Floats,
    outside: npt.NDArray[np.bool_],
) -> int:
    """Write outputs (p, N) of inputs `x` (k, N); return how many members lie outside the hull."""
    N, count = x.shape[1], 0
    inputs, total = np.zeros((x.shape[0], _BLOCK)), np.empty(_BLOCK)
    mono = np.empty((len(parent), _BLOCK))
    for first in range(0, N, _BLOCK):
        size = min(_BLOCK, N - first)
        inputs[:, :size] = x[:, first : first + size]
        _fill(mono, inputs, parent, factor)
        for j in range(len(coefficients)):
            _sum(mono, coefficients[j], total)
            for i in range(size):
                out[j, first + i] = exp(total[i])
    for i in range(N):
        outside[i] = _outside(x, i, centre, whiten, limit)
        count += outside[i]
    return count


def emulate(emulator: Emulator, theta: Floats, context: Floats) -> Emulated:
    """Return outputs at coordinates `theta` (N, n) and further inputs `context` (k - n,).

    Members outside the training hull get NaN, and the reason says how many.
    """
    N, n = theta.shape
    k = len(emulator.centre)
    if n + len(context) != k:
        raise ModelError(
            f"the emulator has {k} inputs, but {n} coordinates and {len(context)} of context came",
            todo="Give what it was trained on, in the same order",
        )
    x = np.empty((k, N))
    x[:n] = theta.T
    x[n:] = np.asarray(context)[:, None]
    out, outside = np.empty((len(emulator.coefficients), N)), np.zeros(N, dtype=np.bool_)
    e = emulator
    count = emulate_rows(
        x, e.parent, e.factor, e.coefficients, e.centre, e.whiten, e.limit, out, outside
    )
    if not count:
        return Emulated(out.T, outside, "")
    out[:, outside] = np.nan
    reason = (
        f"{count} of {N} members lie outside what the emulator was trained on "
        f"(Mahalanobis d² > {e.limit:.1f}); ask the physics for them"
    )
    return Emulated(out.T, outside, reason)


def predictor(emulator: Emulator, physics: Predict | None = None) -> Predict:
    """Return a `Predict` that asks `physics` where the emulator refuses; without it, NaN."""

    def predict(theta: Floats, context: Floats) -> Floats:
        done = emulate(emulator, theta, context)
        if physics is not None and done.reason:
            done.outputs[done.outside] = physics(theta[done.outside], context)
        return done.outputs

    return predict
