"""Look over a stretch of one patient's readings for a wrong set-up.

What needs beats (leads, exchanged patients) is called with beats by whoever has found them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from isosoma.core.observation import Observation, Waveform
from isosoma.quality.clock import clock_finding, sample_clock_finding
from isosoma.quality.context import Context
from isosoma.quality.cuff import DIA, MAP, SYS, is_cuff
from isosoma.quality.cuff_size import cuff_size
from isosoma.quality.damping import damping_by_cuff, damping_finding, fast_flush
from isosoma.quality.finding import Finding
from isosoma.quality.levelling import levelling
from isosoma.quality.view import SECOND

__all__ = ["examine"]

Key = tuple[str, str]
Triples = Mapping[int, tuple[float, float, float]]
NEAR = 60 * SECOND  # [ns] a line reading this near a cuff's may be compared with it
FEWEST_MESSAGES = 32


def examine(
    readings: Sequence[Observation | Waveform], context: Context | None = None
) -> tuple[Finding, ...]:
    """Return every set-up fault that these readings show, gravest first; order does not matter.

    Some hours of one patient are a good stretch. Readings need not be judged before.
    """
    known = context or Context()
    ordered = sorted(readings, key=_place)
    observations = [r for r in ordered if isinstance(r, Observation)]
    waves = [r for r in ordered if isinstance(r, Waveform)]
    rates = [o for o in observations if o.variable == "heart_rate" and o.value > 0]
    found = [*_pressures(observations, rates), *_clocks(observations), *_waves(waves, rates)]
    if any(is_cuff(o) for o in observations if o.variable == SYS):
        size = cuff_size(known, next(o.device for o in observations if is_cuff(o)))
        found += [size] if size is not None else []
    return tuple(sorted(found, key=lambda f: -f.evidence))


def _place(r: Observation | Waveform) -> tuple[int, str, str, str, int]:
    """Event order, the same for any order of arrival."""
    at = r.start if isinstance(r, Waveform) else r.at
    return at, r.device, r.channel, r.variable, r.seq


def _triples(observations: Sequence[Observation]) -> dict[tuple[Key, bool], Triples]:
    """SYS, DIA, MAP [Pa] by instant of each pressure source, and whether it is a cuff."""
    parts: dict[tuple[Key, bool], dict[int, dict[str, float]]] = defaultdict(dict)
    for o in observations:
        if o.variable in {SYS, DIA, MAP}:
            key = ((o.device, o.channel), is_cuff(o))
            parts[key].setdefault(o.at, {})[o.variable] = o.value
    return {
        key: {
            at: (v[SYS], v[DIA], v.get(MAP, v[DIA] + (v[SYS] - v[DIA]) / 3))
            for at, v in instants.items()
            if SYS in v and DIA in v
        }
        for key, instants in parts.items()
    }


def _pressures(observations: Sequence[Observation], rates: Sequence[Observation]) -> list[Finding]:
    """Levelling and damping of every line, with the cuff's help where there is one."""
    sources = _triples(observations)
    cuffs = {at: v for (_, cuff), t in sources.items() if cuff for at, v in t.items()}
    found: list[Finding | None] = []
    for ((device, channel), cuff), line in sources.items():
        if cuff or len(line) < 3:
            continue
        pairs = [
            (line[near], v)
            for at, v in cuffs.items()
            if abs((near := min(line, key=lambda t, at=at: abs(t - at))) - at) <= NEAR
        ]
        found.append(damping_by_cuff([a for a, _ in pairs], [b for _, b in pairs], device, channel))
        found.append(_level(line, cuffs, rates, device, channel))
    return [f for f in found if f is not None]


def _level(
    line: Triples,
    cuffs: Triples,
    rates: Sequence[Observation],
    device: str,
    channel: str,
) -> Finding | None:
    """Bring line, rate and cuff to the line's instants, the last value held."""
    at = np.array(sorted(line), np.int64)
    if at.size < 16 or not rates:
        return None
    values = np.array([line[int(t)] for t in at])
    rate = _held(at, [o.at for o in rates], [o.value for o in rates])
    times = sorted(cuffs)
    cuff = _held(at, times, [cuffs[t][2] for t in times]) if len(times) >= 4 else None
    return levelling(
        at.tolist(),
        values[:, 2].tolist(),
        (values[:, 0] - values[:, 1]).tolist(),
        rate,
        cuff,
        device,
        channel,
    )


def _held(at: np.ndarray, times: Sequence[int], values: Sequence[float]) -> list[float]:
    """The last value at or before each instant, the first one before there is any."""
    where = np.searchsorted(np.array(times, np.int64), at, side="right") - 1
    return np.asarray(values, np.float64)[np.maximum(where, 0)].tolist()


def _clocks(observations: Sequence[Observation]) -> list[Finding]:
    """Drift and jumps of every device that tells its own clock."""
    stamps: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for o in observations:
        if o.device_at:
            stamps[o.device].add((o.received, o.device_at))
    found: list[Finding] = []
    for device, pairs in sorted(stamps.items()):
        if len(pairs) >= FEWEST_MESSAGES:
            times = np.array(sorted(pairs), np.int64)
            found += clock_finding(times[:, 1], times[:, 0], device)
    return found


def _waves(waves: Sequence[Waveform], rates: Sequence[Observation]) -> list[Finding]:
    """Flushes of arterial lines, and sampling rates off their nominal."""
    found: list[Finding | None] = []
    channels: dict[tuple[str, str, str], list[Waveform]] = defaultdict(list)
    for w in waves:
        channels[w.variable, w.device, w.channel].append(w)
        if w.variable == "arterial_pressure":
            response = fast_flush(w.values(), w.hz)
            rate = float(np.median([o.value for o in rates])) if rates else 1.2
            if response is not None:
                found.append(
                    damping_finding(
                        response, rate, device=w.device, channel=w.channel, since=w.start
                    )
                )
    for (_, device, channel), blocks in sorted(channels.items()):
        whole = all(b.seq == a.seq + 1 and a.hz == b.hz and a.seq >= 0 for a, b in pairwise(blocks))
        if whole and len(blocks) >= FEWEST_MESSAGES:
            sizes = np.array([0, *(w.samples.size for w in blocks[:-1])], np.int64)
            starts = np.array([w.start for w in blocks], np.int64)
            found.append(
                sample_clock_finding(np.cumsum(sizes), starts, blocks[0].hz, device, channel)
            )
    return [f for f in found if f is not None]
