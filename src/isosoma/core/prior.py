"""What is believed about an unknown before any data, as a map from a standard normal.

Filters work on z, standard normal by construction; `real` takes z to the parameter's SI value, so
bounds hold whatever the filter does. Every prior is monotone in z and `z` is its inverse.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError

__all__ = ["Fixed", "LogNormal", "LogitNormal", "Normal", "Prior"]

Array = npt.NDArray[np.float64]


class Prior(ABC):
    """A belief; `real(z)` and its inverse `z(real)`, elementwise over arrays of any shape."""

    __slots__ = ()

    @abstractmethod
    def real(self, z: Array) -> Array:
        """Return the SI values at standard-normal coordinates `z`."""

    @abstractmethod
    def z(self, real: Array) -> Array:
        """Return the standard-normal coordinates of SI values `real`."""

    @abstractmethod
    def scaled(self, factor: float) -> Prior:
        """Return the same belief about ``factor * x``; the base units changed by `factor`."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """Bounds that no z leaves, in SI."""


@dataclass(frozen=True, slots=True)
class Fixed(Prior):
    """A constant with a unit: physics that no data of one patient will revise."""

    value: float

    def real(self, z: Array) -> Array:
        """Return the constant, whatever z."""
        return np.full_like(z, self.value)

    def z(self, real: Array) -> Array:
        """Return zero: a constant carries no information."""
        return np.zeros_like(real)

    def scaled(self, factor: float) -> Fixed:
        """Return the constant in other base units."""
        return Fixed(self.value * factor)

    @property
    def support(self) -> tuple[float, float]:
        """The constant, twice."""
        return self.value, self.value


@dataclass(frozen=True, slots=True)
class Normal(Prior):
    """``x = mean + sd z``."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _positive("sd", self.sd)

    def real(self, z: Array) -> Array:
        """Return ``mean + sd z``."""
        return self.mean + self.sd * z

    def z(self, real: Array) -> Array:
        """Return ``(x - mean) / sd``."""
        return (real - self.mean) / self.sd

    def scaled(self, factor: float) -> Normal:
        """Return the belief in other base units."""
        return Normal(self.mean * factor, self.sd * abs(factor))

    @property
    def support(self) -> tuple[float, float]:
        """The whole line."""
        return -math.inf, math.inf


@dataclass(frozen=True, slots=True)
class LogNormal(Prior):
    """``x = median exp(sd z)``: positive; sd is the relative spread for small sd."""

    median: float
    sd: float

    def __post_init__(self) -> None:
        _positive("median", self.median)
        _positive("sd", self.sd)

    def real(self, z: Array) -> Array:
        """Return ``median exp(sd z)``."""
        return self.median * np.exp(self.sd * z)

    def z(self, real: Array) -> Array:
        """Return ``log(x / median) / sd``."""
        return np.log(real / self.median) / self.sd

    def scaled(self, factor: float) -> LogNormal:
        """Return the belief in other base units."""
        return LogNormal(self.median * factor, self.sd)

    @property
    def support(self) -> tuple[float, float]:
        """The positive half line."""
        return 0.0, math.inf


@dataclass(frozen=True, slots=True)
class LogitNormal(Prior):
    """``x = low + (high - low) / (1 + exp(-(location + sd z)))``: strictly between two bounds."""

    low: float
    high: float
    median: float
    sd: float

    def __post_init__(self) -> None:
        _positive("sd", self.sd)
        if not self.low < self.median < self.high:
            raise ModelError(
                f"the median {self.median} lies outside the bounds {self.low} to {self.high}"
            )

    @property
    def _location(self) -> float:
        return math.log((self.median - self.low) / (self.high - self.median))

    def real(self, z: Array) -> Array:
        """Return the value between the bounds."""
        logit = self._location + self.sd * z
        return self.low + (self.high - self.low) * 0.5 * (1.0 + np.tanh(0.5 * logit))

    def z(self, real: Array) -> Array:
        """Return the standard-normal coordinate; infinite at a bound."""
        with np.errstate(divide="ignore"):
            logit = np.log(real - self.low) - np.log(self.high - real)
        return (logit - self._location) / self.sd

    def scaled(self, factor: float) -> LogitNormal:
        """Return the belief in other base units; `factor` is positive."""
        return LogitNormal(self.low * factor, self.high * factor, self.median * factor, self.sd)

    @property
    def support(self) -> tuple[float, float]:
        """The two bounds."""
        return self.low, self.high


def _positive(name: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise ModelError(f"the {name} of a prior is positive and finite, not {value}")
