"""What was measured, exactly as it came, and what we think of it.

Instants are integers: nanoseconds [ns] since 1970-01-01T00:00Z, leap seconds ignored (POSIX).
The zone in which the source wrote them is kept beside, in minutes east of UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "GOOD",
    "WITHHOLD_BELOW",
    "Censoring",
    "Observation",
    "Verdict",
    "Waveform",
    "combine",
    "effective_sigma",
]

Censoring = Literal["none", "below", "above"]
"""``below``: the true value is at most `value` (a sensor's "LOW"); ``above``: at least."""

WITHHOLD_BELOW = 0.3
"""A weight under this is kept in the log but teaches no filter anything."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One number from one channel at one instant, in SI units.

    Attributes
    ----------
    subject : whose; the record's patient id.
    variable : name of a row of the vocabulary; its SI unit is the unit of `value`.
    at, received : event time and time of arrival here [ns].
    value : in the variable's SI unit.
    sigma : standard uncertainty of the noise, k = 1, same unit.
    bias : standard uncertainty of a persistent offset of this channel, same unit; it does not
        average out.
    censoring : whether `value` is a limit rather than a reading.
    device, channel, seq : who measured, through which channel, and its running number;
        -1 where the device numbers nothing.
    origin : format and place it came from, ``fhir:Observation/7``, ``gatt:2A35``.
    zone : offset of the source's clock [min east of UTC].
    given : value and unit as they came, ``128 mm[Hg]``.
    device_at : the device's own clock [ns], where it differs from event time; 0 where unknown.
    """

    subject: str
    variable: str
    at: int
    received: int
    value: float
    sigma: float
    bias: float = 0.0
    censoring: Censoring = "none"
    device: str = ""
    channel: str = ""
    seq: int = -1
    origin: str = ""
    zone: int = 0
    given: str = ""
    device_at: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """A stretch of evenly sampled signal from one channel; never rows, always blocks.

    Physical value [SI] = ``(samples - baseline) * scale``.

    Attributes
    ----------
    start : instant of the first sample [ns].
    hz : sampling rate [1/s].
    samples : shape (n,), int16, the device's own counts.
    scale : SI units per count.
    baseline : count at physical zero.
    missing : half-open index ranges ``(start, stop)`` of samples that were never received.

    The other attributes are those of `Observation`.
    """

    subject: str
    variable: str
    start: int
    received: int
    hz: float
    samples: npt.NDArray[np.int16]
    scale: float
    baseline: int = 0
    sigma: float = 0.0
    device: str = ""
    channel: str = ""
    seq: int = -1
    origin: str = ""
    zone: int = 0
    missing: tuple[tuple[int, int], ...] = ()

    def values(self) -> npt.NDArray[np.float64]:
        """Return the physical values, shape (n,) [SI]; missing samples are NaN."""
        out = (self.samples.astype(np.float64) - self.baseline) * self.scale
        for a, b in self.missing:
            out[a:b] = np.nan
        return out


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far an observation may be believed, and why.

    Attributes
    ----------
    reason : a sentence; empty when there is nothing to say.
    weight : 1 as good as its device, 0 teaches nothing.
    """

    reason: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight <= 1.0:
            raise ValueError(f"a weight lies in [0, 1], not {self.weight}")


GOOD = Verdict()


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the smallest weight, with every reason given once, the gravest first."""
    ranked = sorted(verdicts, key=lambda v: v.weight)
    reasons = dict.fromkeys(v.reason for v in ranked if v.reason)
    return Verdict("; ".join(reasons), ranked[0].weight) if ranked else GOOD


def effective_sigma(sigma: float, verdict: Verdict) -> float:
    """Return the noise a filter should assume: sigma / weight, infinite where withheld."""
    return sigma / verdict.weight if verdict.weight >= WITHHOLD_BELOW else math.inf
