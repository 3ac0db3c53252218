"""A sensor's persistent offset, as a state of the filter: it does not average out.

``observed = predicted + sd z_b + noise`` with z_b ~ N(0, 1), forgetting with tau. AAMI's "mean at
most 5, SD at most 8 mmHg" is offset and noise together: 8 as white noise, averaged away over many
readings, would claim a certainty that no cuff gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from isosoma.core.errors import ModelError

__all__ = ["CUFF_SD", "CUFF_TAU", "Bias", "bias_of"]

CUFF_SD = 5.0 * 133.322  # [Pa] AAMI/ISO 81060-2 bound of the mean error
CUFF_TAU = 30.0 * 86400.0  # [s] (unverified) until a cuff is worn, moved or serviced


@dataclass(frozen=True, slots=True)
class Bias:
    """The offset of one device, common to `variables`: a cuff reads all its pressures high or low.

    Attributes
    ----------
    variables : of the vocabulary, of one unit. device : whose offset; empty: any device's.
    sd : its spread before data, in the unit of the readings. tau : memory [s].
    """

    variables: tuple[str, ...]
    sd: float
    tau: float = CUFF_TAU
    device: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.sd < math.inf or not self.tau > 0.0:
            raise ModelError(
                f"a bias of {self.variables} with sd {self.sd} and tau {self.tau} s is none",
                todo="Give sd > 0 and tau > 0, or leave the bias out",
            )


def bias_of(biases: tuple[Bias, ...], variable: str, device: str) -> int:
    """Return the index of the bias that a reading carries, -1 for none; a named device first."""
    for wanted in (device, ""):
        for k, b in enumerate(biases):
            if variable in b.variables and b.device == wanted:
                return k
    return -1
