"""Verdicts on blocks of waveform: gaps, rails, dead lines, noise.

A line that is exactly constant comes from no electrode. A line that is nearly flat but wanders
is what asystole looks like, and is never called impossible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from isosoma.core.observation import GOOD, Verdict, Waveform, combine
from isosoma.quality.ecg import indices, smoothed, weight_of
from isosoma.quality.view import MMHG, SECOND

__all__ = [
    "Tail",
    "dead",
    "judge_waveform",
    "missing",
    "noisy_ecg",
    "saturated",
    "squared",
    "wrapped",
]

WINDOW = 10.0  # [s] of signal behind an index (section 3)
LEAST = 5.0  # [s] below which no index is told
NO_QRS = 0.15e-3  # [V] of range without a visible QRS
Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Tail:
    """The last seconds of a channel, as bytes of int16, so that a state stays plain."""

    end: int
    hz: float
    data: bytes

    def samples(self) -> Samples:
        """Return the samples, shape (n,) [counts]."""
        return np.frombuffer(self.data, np.int16)


@njit(cache=True, nogil=True)
def _at_rail(x: Samples) -> bool:
    """Whether five or more equal extremes of `x`, shape (n,), are entered or left by a step."""
    low, high = int(x.min()), int(x.max())
    step = max(3.0, 0.05 * (high - low))
    begun = 0
    for i in range(1, x.size + 1):
        if i < x.size and x[i] == x[begun]:
            continue
        if i - begun >= 5 and (x[begun] == low or x[begun] == high):
            entry = abs(int(x[begun]) - int(x[begun - 1])) if begun else 0
            leave = abs(int(x[i]) - int(x[i - 1])) if i < x.size else 0
            if max(entry, leave) >= step:
                return True
        begun = i
    return False


@njit(cache=True, nogil=True)
def _stillest(x: Samples) -> int:
    """Length of the longest run of equal samples."""
    longest, begun = 0, 0
    for i in range(1, x.size + 1):
        if i == x.size or x[i] != x[begun]:
            longest, begun = max(longest, i - begun), i
    return longest


@njit(cache=True, nogil=True)
def _plateau(x: npt.NDArray[np.float64], above: float, slower: float) -> int:
    """Length of the longest run over `above` whose central difference stays under `slower`."""
    longest, run = 0, 0
    for i in range(x.size):
        a, b = max(i - 1, 0), min(i + 1, x.size - 1)
        run = run + 1 if x[i] > above and abs(x[b] - x[a]) < slower * (b - a) else 0
        longest = max(longest, run)
    return longest


def missing(w: Waveform) -> Verdict | None:
    """Samples that never came: the weight is the share that did."""
    lost = sum(b - a for a, b in w.missing)
    if not w.samples.size or lost >= w.samples.size:
        return Verdict("no sample of this block was received", 0.0)
    if not lost:
        return None
    share = 1 - lost / w.samples.size
    return Verdict(f"{lost} of {w.samples.size} samples were never received", share)


def saturated(x: Samples) -> Verdict | None:
    """Five or more equal extremes reached by a step: the amplifier or converter is at its rail.

    A slow wave also rests at its top for five samples; it does not jump there.
    """
    if x.size < 8:
        return None
    if not _at_rail(x):
        return None
    return Verdict("the signal is cut off at its rail: lower the gain or refit", 0.2)


def wrapped(x: Samples) -> Verdict | None:
    """A step over three quarters of all 16 bits: the converter overflowed.

    Nothing in a patient, nor a pacing spike, takes the whole range in one sample.
    """
    if x.size < 2 or np.abs(np.diff(x.astype(np.int32))).max() < 0.75 * 2**16:
        return None
    return Verdict("the converter overflowed: lower the gain or remove the offset", 0.2)


def dead(x: Samples, hz: float) -> Verdict | None:
    """Exactly constant: over 2 s (or the whole block) no electrode, over 0.5 s doubtful.

    Slower than 1 Hz it is a trend, which may well stay where it is.
    """
    if x.size < 0.2 * hz or hz < 1.0:
        return None
    run = _stillest(x) / hz
    if run >= min(2.0, x.size / hz) and run > 0.5:
        return Verdict("the line is exactly constant: lead or sensor off", 0.0)
    if run > 0.5:
        return Verdict(f"the line is exactly constant for {run:.1f} s: a loose contact", 0.3)
    return None


def squared(x: Samples, w: Waveform) -> Verdict | None:
    """Arterial pressure on a plateau over 220 mmHg for 0.3 s: the line is being flushed."""
    pressure = (x.astype(np.float64) - w.baseline) * w.scale
    if x.size < 2 or _plateau(pressure, 220 * MMHG, 50 * MMHG / w.hz) < 0.3 * w.hz:
        return None
    return Verdict("the arterial line is being flushed: not the patient's pressure", 0.1)


def noisy_ecg(x: Samples, w: Waveform) -> Verdict | None:
    """Least of kSQI, bSQI and tSQI over the last 10 s; without a visible QRS nothing is noise."""
    if x.size < LEAST * w.hz:
        return None
    volts = (x.astype(np.float64) - w.baseline) * w.scale
    n = int(0.6 * w.hz) or 1
    inner = (volts - smoothed(volts, n))[n // 2 : -(n // 2) or None]
    low, high = np.quantile(inner, (0.005, 0.995))
    if float(high - low) < NO_QRS:
        return Verdict("no QRS is visible: asystole or a loose lead; look at the patient", 0.5)
    found = indices(volts, w.hz)
    weight = weight_of(found)
    if weight >= 1:
        return None
    told = f"kSQI {found.k:.1f}, bSQI {found.b:.2f}, tSQI {found.t:.2f}"
    return Verdict(f"the ECG is noisy or has no regular QRS ({told})", weight)


def _extend(tail: Tail | None, w: Waveform) -> Tail:
    """Append a block to the channel's tail; a gap over 2 s or a new rate starts afresh."""
    end = w.start + round(w.samples.size / w.hz * SECOND)
    block = np.ascontiguousarray(w.samples, np.int16)
    if tail is not None and tail.hz == w.hz and abs(w.start - tail.end) <= 2 * SECOND:
        block = np.concatenate((tail.samples(), block))
    return Tail(end, w.hz, block[-max(1, int(WINDOW * w.hz)) :].tobytes())


def judge_waveform(tail: Tail | None, w: Waveform) -> tuple[Tail, Verdict]:
    """Judge one block with the channel's last 10 s behind it.

    A block longer than 10 s is judged window by window; the weight is the windows' median.
    """
    gone = missing(w)
    if gone is not None and gone.weight == 0:
        return tail or Tail(w.start, w.hz, b""), gone
    whole = max(1, int(WINDOW * w.hz))
    if w.samples.size <= whole:
        tail = _extend(tail, w)
        found = [_window(w.samples, tail.samples(), w)]
    else:
        windows = [w.samples[i : i + whole] for i in range(0, w.samples.size - whole + 1, whole)]
        found = sorted((_window(x, x, w) for x in windows), key=lambda v: v.weight)
        bad = sum(v.weight < 1 for v in found)
        middle = found[len(found) // 2]
        text = f"{bad} of {len(found)} windows of 10 s are in doubt, the worst: {found[0].reason}"
        found = [Verdict(text, middle.weight) if bad else GOOD]
        tail = _extend(None, w)
    return tail, combine([*found, *([gone] if gone else [])])


def _window(block: Samples, window: Samples, w: Waveform) -> Verdict:
    """Judge `block` by the hard rules and, for an ECG, `window` by the indices."""
    recent = window[-max(block.size, int(2 * w.hz)) :]
    found = [saturated(block), wrapped(block), dead(recent, w.hz)]
    if w.variable == "arterial_pressure":
        found.append(squared(block, w))
    if w.variable == "ecg" and not any(v is not None and v.weight == 0 for v in found):
        found.append(noisy_ecg(window, w))
    return combine([v for v in found if v is not None])
