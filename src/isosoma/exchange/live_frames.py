"""A recording as a monitor would have sent it: signals cut into frames, in order of their end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation, Waveform

__all__ = ["as_sent", "cut", "end_of"]

_SAMPLES = 30_000
"""Most samples of one frame, which then stays below `mqtt_frames.LIMIT`."""

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def cut(wave: Waveform, seconds: float, seq: int = 0) -> Iterator[Waveform]:
    """Yield frames of `seconds` [s], the last one shorter, numbered from `seq` on.

    Raises
    ------
    RangeError
        A length outside 0.05 to 10 s.
    """
    if not 0.05 <= seconds <= 10.0:
        raise RangeError(f"frames of {seconds:g} s", todo="Send 0.25 to 1 s in a frame")
    step = min(max(1, round(seconds * wave.hz)), _SAMPLES)
    for i, a in enumerate(range(0, len(wave.samples), step)):
        b = min(a + step, len(wave.samples))
        lost = tuple((max(x, a) - a, min(y, b) - a) for x, y in wave.missing if x < b and y > a)
        start = wave.start + round(a / wave.hz * 1e9)
        yield replace(wave, start=start, samples=wave.samples[a:b], missing=lost, seq=seq + i)


def end_of(reading: Observation | Waveform) -> int:
    """Return when a reading is complete [ns]: the end of a frame, the instant of a number."""
    if isinstance(reading, Waveform):
        return reading.start + round(len(reading.samples) / reading.hz * 1e9)
    return reading.at


def as_sent(
    readings: Iterable[Observation | Waveform], seconds: float, shift: int, device: str = ""
) -> list[Observation | Waveform]:
    """Return what a monitor sends, in the order it can.

    Parameters
    ----------
    seconds : length of a frame [s].
    shift : added to every instant [ns].
    device : sent as this one; the readings' own where empty.

    Raises
    ------
    RangeError
        A length outside 0.05 to 10 s.
    """
    names: dict[tuple[str, str, str], str] = {}
    counts: dict[tuple[str, str, str], int] = {}
    out: list[Observation | Waveform] = []
    for r in readings:
        key = (r.device, r.channel, r.variable if isinstance(r, Waveform) else "")
        if key not in names:
            names[key] = _apart(r.channel or r.variable, names)
        name = names[key]
        own = _part(device or r.device)
        n = counts.get(key, 0)
        if isinstance(r, Waveform):
            moved = replace(r, device=own, channel=name, start=r.start + shift)
            frames = list(cut(moved, seconds, n))
            counts[key] = n + len(frames)
            out += frames
        else:
            counts[key] = n + 1
            out.append(replace(r, device=own, channel=name, at=r.at + shift, seq=n, device_at=0))
    return sorted(out, key=lambda r: (end_of(r), r.device, r.channel, r.seq))


def _part(text: str) -> str:
    """Return a name as it may stand in a topic."""
    return _OTHER.sub("-", text)[:60].strip("-") or "device"


def _apart(channel: str, names: dict[tuple[str, str, str], str]) -> str:
    """Return a channel's name in a topic, unlike those that others have."""
    name = _part(channel)
    taken, n = set(names.values()), 2
    while name in taken:
        name, n = f"{_part(channel)[:56]}-{n}", n + 1
    return name
