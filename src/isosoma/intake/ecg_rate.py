"""The heart rate that a stored ECG tells: a reading a minute, with what made it.

An ECG itself teaches a twin nothing that a lumped circulation knows but its rate. Each minute of it
gives the mean rate of its beats (`isosoma.signals`); none while it is noisy, while beats are few,
or while the ventricles fibrillate. Its noise is the spread of the intervals, not the far smaller
error of their mean: a twin's rate is one of rest, about which a heart varies from minute to minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

import isosoma
from isosoma import quality
from isosoma.core.observation import Observation, Waveform

__all__ = ["WINDOW", "rates_of"]

WINDOW = 60.0
"""Length of ECG behind one rate [s]."""
_UNDATED = "?relative_time"
_LEAST = 10  # beats in a window
_GOOD = 0.5  # least weight of a window's quality
_SECOND = 10**9


def rates_of(readings: Iterable[object]) -> list[Observation]:
    """Return the heart rates of the ECGs among some readings, by the first lead of each device.

    The rate of a window stands at its end; a rest of under a window gives none, nor does a record
    that does not say when it was made.
    """
    leads: dict[str, Waveform] = {}
    blocks: list[Waveform] = []
    for r in readings:
        if isinstance(r, Waveform) and r.variable == "ecg" and _UNDATED not in r.origin:
            lead = leads.setdefault(r.device, r)
            if (lead.channel, lead.hz) == (r.channel, r.hz):
                blocks.append(r)
    blocks.sort(key=lambda w: (w.device, w.start))
    return [rate for stretch in _stretches(blocks) for rate in _of_stretch(stretch)]


def _stretches(blocks: list[Waveform]) -> Iterator[list[Waveform]]:
    """Yield blocks that follow each other within a sample."""
    begun = 0
    for i, (a, b) in enumerate(pairwise(blocks), 1):
        due = a.start + round(len(a.samples) / a.hz * _SECOND)
        if b.device != a.device or abs(b.start - due) > _SECOND / a.hz:
            yield blocks[begun:i]
            begun = i
    if blocks:
        yield blocks[begun:]


def _of_stretch(blocks: list[Waveform]) -> Iterator[Observation]:
    from isosoma.signals.monitor import monitor_start, monitor_tick
    from isosoma.signals.rhythm import RHYTHMS

    first, hz = blocks[0], blocks[0].hz
    volts = np.concatenate([w.values() for w in blocks])
    if not 100.0 <= hz <= 2000.0 or len(volts) < WINDOW * hz:
        return
    tick = monitor_tick(monitor_start(1, hz), volts[None, None])
    order = np.argsort(tick.beats.r, kind="stable")
    r, rhythm = tick.beats.r[order], tick.rhythm[order]
    fibrillates = rhythm == RHYTHMS.index("ventricular fibrillation")
    long = round(WINDOW * hz)
    for end in range(long, len(volts) + 1, long):
        inside = (r >= end - long) & (r < end)
        if fibrillates[inside].any() or not _is_good(volts[end - long : end], first):
            continue
        rate = _rate(np.diff(r[inside]) / hz, hz)
        if rate is not None:
            at = first.start + round(end / hz * _SECOND)
            yield Observation(
                first.subject, "heart_rate", at, first.received, *rate, zone=first.zone,
                device=first.device or "ecg", channel=f"{first.channel or 'ecg'} beats",
                origin=f"isosoma.signals {isosoma.__version__}:{first.origin}",
            )  # fmt: skip


def _is_good(volts: npt.NDArray[np.float64], like: Waveform) -> bool:
    """Whether the median quality of a window allows a rate."""
    counts = np.clip(np.nan_to_num(volts * 1e6), -32768, 32767).astype(np.int16)
    wave = Waveform(like.subject, "ecg", 0, 0, like.hz, counts, 1e-6)
    return quality.judge(quality.start(), wave)[1].weight >= _GOOD


def _rate(intervals: npt.NDArray[np.float64], hz: float) -> tuple[float, float] | None:
    """Return mean and spread [Hz] of the rates of beat intervals [s]; None for too few."""
    if len(intervals) < _LEAST:
        return None
    mean = float(intervals.mean())
    return 1.0 / mean, max(float(intervals.std(ddof=1)), 0.5 / hz) / mean**2
