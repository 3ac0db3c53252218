"""exp, log, the normal distribution and its quantile to full precision, in own arithmetic.

The C library's versions differ between platforms in the last bit, and a replayed belief must not.
(`isosoma.physics.elementary` holds short, vectorised forms for moderate arguments; random numbers
and tails need these.)
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["exp", "hazard", "log", "normal_cdf", "normal_quantile"]

_LN2_HIGH = 6.93147180369123816490e-01  # the two parts of ln 2 of fdlibm's e_exp.c
_LN2_LOW = 1.90821492927058770002e-10
_MANTISSA = 0x000FFFFFFFFFFFFF
_ONE = 0x3FF0000000000000
_SQRT2 = 1.4142135623730951
_SQRT_2PI = 2.5066282746310002
_LARGEST, _SMALLEST = 709.0, -708.0  # beyond: infinity and zero


@njit(cache=True, nogil=True, error_model="numpy")
def exp(x: float) -> float:
    """Return e^x: relative error below 4e-16; 0 below -708, infinity above 709, NaN of NaN.

    Reduction by multiples of ln 2, Taylor series of degree 13 on abs(r) <= ln(2)/2.
    """
    if not _SMALLEST <= x <= _LARGEST:
        return x + np.inf if x > 0 else (0.0 if x < 0 else x)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r * r + r
    scale = np.int64((np.int64(k) + 1023) << 52).view(np.float64)
    return (1.0 + p) * scale


@njit(cache=True, nogil=True, error_model="numpy")
def log(x: float) -> float:
    """Return ln x of a normal x > 0: error below 1 unit in the last place or so; NaN below zero.

    x = m 2^k with m in [1/sqrt 2, sqrt 2]; ln m = 2 artanh((m - 1)/(m + 1)) to the 21st power.
    """
    if not x > 0.0:
        return -np.inf if x == 0.0 else np.nan
    if x == np.inf:
        return x
    bits = np.float64(x).view(np.int64)
    k = float((bits >> 52) - 1023)
    m = np.int64((bits & _MANTISSA) | _ONE).view(np.float64)
    if m > _SQRT2:
        m, k = 0.5 * m, k + 1.0
    f = m - 1.0
    s = f / (2.0 + f)
    w = s * s
    p = (1.0 / 21.0 * w + 1.0 / 19.0) * w + 1.0 / 17.0
    p = ((p * w + 1.0 / 15.0) * w + 1.0 / 13.0) * w + 1.0 / 11.0
    p = ((p * w + 1.0 / 9.0) * w + 1.0 / 7.0) * w + 1.0 / 5.0
    p = p * w + 1.0 / 3.0
    return k * _LN2_HIGH + (f - s * (f - 2.0 * w * p) + k * _LN2_LOW)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _ratio(r: float, a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the rational function of AS 241: coefficients from the highest power down."""
    top = ((a[0] * r + a[1]) * r + a[2]) * r + a[3]
    top = (((top * r + a[4]) * r + a[5]) * r + a[6]) * r + a[7]
    bottom = ((b[0] * r + b[1]) * r + b[2]) * r + b[3]
    bottom = (((bottom * r + b[4]) * r + b[5]) * r + b[6]) * r + 1.0
    return top / bottom


# Wichura 1988, "Algorithm AS 241", Applied Statistics 37:477, routine PPND16, as printed.
_A = (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
      4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
      1.3314166789178437745e2, 3.3871328727963666080e0)  # fmt: skip
_B = (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
      2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
      4.2313330701600911252e1)  # fmt: skip
_C = (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
      1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
      4.63033784615654529590e0, 1.42343711074968357734e0)  # fmt: skip
_D = (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
      1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
      2.05319162663775882187e0)  # fmt: skip
_E = (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
      2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
      5.46378491116411436990e0, 6.65790464350110377720e0)  # fmt: skip
_F = (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
      7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
      5.99832206555887937690e-1)  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def normal_quantile(p: float) -> float:
    """Return x with normal_cdf(x) = p for 0 < p < 1: relative error about 1e-15 (AS 241)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(0.180625 - q * q, _A, _B)
    tail = p if q < 0.0 else 1.0 - p
    r = np.sqrt(-log(tail))
    value = _ratio(r - 1.6, _C, _D) if r <= 5.0 else _ratio(r - 5.0, _E, _F)
    return -value if q < 0.0 else value


@njit(cache=True, nogil=True, error_model="numpy")
def _upper_over_density(x: float) -> float:
    """Return Mills' ratio (1 - Phi(x)) / phi(x) for x >= 0: relative error below 1e-13."""
    if x > 3.0:  # Laplace's continued fraction, backwards
        value = x
        for k in range(80, 0, -1):
            value = x + k / value
        return 1.0 / value
    term, total = x, x
    for k in range(1, 60):
        term *= x * x / (2 * k + 1)
        total += term
    return 0.5 * _SQRT_2PI * exp(0.5 * x * x) - total


@njit(cache=True, nogil=True, error_model="numpy")
def normal_cdf(x: float) -> float:
    """Return Phi(x): relative error below 1e-12 in either tail."""
    upper = _upper_over_density(abs(x)) * exp(-0.5 * x * x) / _SQRT_2PI
    return upper if x < 0.0 else 1.0 - upper


@njit(cache=True, nogil=True, error_model="numpy")
def hazard(x: float) -> float:
    """Return phi(x) / (1 - Phi(x)), the mean of a standard normal known to exceed x."""
    if x >= 0.0:
        return 1.0 / _upper_over_density(x)
    return exp(-0.5 * x * x) / _SQRT_2PI / normal_cdf(-x)
