"""What no reading may be: one such reading refuses its whole delivery."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from isosoma.core.errors import FormatError, IdentityError, LimitError, RangeError, TimeError
from isosoma.core.observation import Observation, Waveform
from isosoma.intake.watermark import instant_of

__all__ = ["FUTURE", "MOST", "check"]

Reading = Observation | Waveform

FUTURE = 300 * 10**9
"""A clock may run ahead of ours by this much [ns]; beyond it a reading is refused."""

MOST = 5_000_000
"""Readings in one delivery."""

_WORD = 1 << 63  # end of the instants [ns] (year 2262) and running numbers that the log can hold


def check(readings: Sequence[Reading], patient: str, now: int) -> None:
    """Refuse a delivery for the first of its readings that cannot be.

    Parameters
    ----------
    patient : whose readings these must be; a reading that names nobody is taken as theirs.
    now : time of arrival [ns].

    Raises
    ------
    IdentityError, TimeError, RangeError, FormatError, LimitError
        What is wrong with which reading; numbers count from 1 in the order given.
    """
    if len(readings) > MOST:
        raise LimitError(f"{len(readings)} readings in one delivery", todo="Cut it into parts")
    latest = min(now + FUTURE, _WORD - 1)
    for i, r in enumerate(readings):
        if (
            r.subject in ("", patient)
            and 0 <= instant_of(r) <= latest
            and -_WORD <= r.seq < _WORD
            and (math.isfinite(r.value) if isinstance(r, Observation) else _is_signal(r, latest))
        ):
            continue
        raise _why(r, patient, latest, f"{r.origin or 'reading'} (number {i + 1})")


def _is_signal(w: Waveform, latest: int) -> bool:
    return (
        w.samples.dtype == np.int16
        and w.samples.ndim == 1
        and 0 < w.hz < math.inf
        and math.isfinite(w.scale)
        and _end(w) <= latest
    )


def _end(w: Waveform) -> float:
    """Instant of the last sample [ns]."""
    return w.start + (len(w.samples) - 1) / w.hz * 1e9


def _why(
    r: Reading, patient: str, latest: int, where: str
) -> IdentityError | TimeError | RangeError | FormatError:
    """Say what is wrong with a reading that cannot be taken."""
    if r.subject not in ("", patient):
        told = f"the reading belongs to {r.subject!r}, not to {patient!r}"
        return IdentityError(told, where, "Send each patient's readings apart")
    if not 0 <= instant_of(r) <= latest:
        told = "the reading lies before 1970 or more than 5 min ahead of our clock"
        return TimeError(told, where, "Set the device's clock")
    if not -_WORD <= r.seq < _WORD:
        return RangeError("the running number is no 64-bit integer", where, "Count from 0")
    if isinstance(r, Observation):
        return RangeError("the value is not a number", where, "Leave it out")
    if r.samples.dtype != np.int16 or r.samples.ndim != 1:
        told = f"samples are {r.samples.dtype} of shape {r.samples.shape}, not one line of int16"
        return FormatError(told, where, "Scale them to counts first")
    if not (0 < r.hz < math.inf and math.isfinite(r.scale)):
        told = "a waveform needs a positive rate and a finite scale"
        return RangeError(told, where, "Mend its header")
    told = "the waveform ends more than 5 min ahead of our clock"
    return TimeError(told, where, "Set the device's clock, or its sampling rate")
