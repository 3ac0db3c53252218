"""What is known of a patient, folded from the log: the same for any order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isosoma import quality
from isosoma.core.observation import Observation, Verdict, Waveform, combine
from isosoma.intake.taking import ordered
from isosoma.intake.watermark import instant_of
from isosoma.record import Log, decode_observations, decode_waveform

__all__ = ["Beat", "Timeline", "beats_of", "timeline"]

Reading = Observation | Waveform

_FORGET = 3.0  # seconds of lost samples that make a detector start anew
_CONFLICT = Verdict("two readings of one device carry the same running number", 0.3)
_OLD = Verdict("the same pictures were read again since", 0.0)
_OF_PICTURES = "reading:"
"""Origins of what was read from pictures; `seq` counts how often the same were read before."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All facts in event order, with the verdict that a fold in that order gives each.

    Attributes
    ----------
    readings : sorted by (time, device, channel, seq, variable).
    verdicts : one per reading.
    findings : set-up faults that the whole shows.
    """

    readings: tuple[Reading, ...]
    verdicts: tuple[Verdict, ...]
    findings: tuple[quality.Finding, ...]


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat of one ECG channel: instant of R [ns], type (N, S, V), interval before [s]."""

    device: str
    channel: str
    at: int
    kind: str
    rr: float


def timeline(log: Log, patient: str, context: quality.Context | None = None) -> Timeline:
    """Fold the log of a patient; nothing but the set of its facts matters."""
    facts: list[Reading] = []
    for entry in log.entries(patient, ["observations", "waveform"]):
        if entry.kind == "waveform":
            facts.append(decode_waveform(entry.payload, patient))
        else:
            facts += decode_observations(entry.payload, patient)
    readings = ordered(facts)
    findings = quality.examine(readings, context)
    state = quality.with_findings(quality.start(context or quality.Context()), findings)
    _, verdicts = quality.judge_many(state, readings)
    doubled = _conflicts(readings)
    verdicts = [combine([v, _CONFLICT]) if i in doubled else v for i, v in enumerate(verdicts)]
    old = _read_again(readings)
    verdicts = [combine([v, _OLD]) if i in old else v for i, v in enumerate(verdicts)]
    return Timeline(tuple(readings), tuple(verdicts), findings)


def _conflicts(readings: Sequence[Reading]) -> set[int]:
    """Places of readings whose device gave one running number and instant to different content."""
    seen: dict[tuple[str, str, str, int, int], int] = {}
    out: set[int] = set()
    for i, r in enumerate(readings):
        if r.seq < 0:
            continue
        key = (r.device, r.channel, r.variable, r.seq, instant_of(r))
        if key in seen:
            out |= {i, seen[key]}
        seen[key] = i
    return out


def _read_again(readings: Sequence[Reading]) -> set[int]:
    """Places of readings of pictures that were read once more, by a newer network or a reader."""
    newest: dict[tuple[str, str], tuple[int, int]] = {}
    places = dict[int, tuple[str, str]]()
    for i, r in enumerate(readings):
        if isinstance(r, Observation) and r.origin.startswith(_OF_PICTURES):
            places[i] = r.origin.partition("?")[0], r.variable
            newest[places[i]] = max(newest.get(places[i], (r.seq, i)), (r.seq, i))
    return {i for i, key in places.items() if newest[key][1] != i}


def beats_of(known: Timeline) -> tuple[Beat, ...]:
    """Find the beats of every ECG channel, over gaps of lost samples, in event order."""
    channels: dict[tuple[str, str, float], list[Waveform]] = {}
    for r in known.readings:
        if isinstance(r, Waveform) and r.variable == "ecg":
            channels.setdefault((r.device, r.channel, r.hz), []).append(r)
    found = [b for key, blocks in channels.items() for b in _beats(key, blocks)]
    return tuple(sorted(found, key=lambda b: (b.at, b.device, b.channel)))


def _beats(key: tuple[str, str, float], blocks: Sequence[Waveform]) -> list[Beat]:
    """Run the detector over blocks; a gap is fed as lost samples, at most as many as it forgets by.

    Sample numbers are tied to instants anew at every block, so that clocks may drift.
    """
    from isosoma.signals import beats as detector

    device, channel, hz = key
    state, done = detector.start(1, hz), 0
    anchors = [(0, blocks[0].start)]
    out: list[Beat] = []
    for block in blocks:
        number, instant = anchors[-1]
        gap = round((block.start - instant) * 1e-9 * hz) - (done - number)
        lost = np.full(min(max(gap, 0), int(_FORGET * hz)), np.nan)
        skip = min(max(-gap, 0), len(block.samples))
        anchors.append((done + len(lost), block.start + round(skip / hz * 1e9)))
        for chunk in (lost, block.values()[skip:]):
            done += len(chunk)
            got = detector.tick(state, chunk[None, :])
            for r, kind, rr in zip(got.r, got.kind, got.rr, strict=True):
                n, t = next(a for a in reversed(anchors) if a[0] <= r)
                at = t + round(float(r - n) / hz * 1e9)
                out.append(Beat(device, channel, at, detector.BEAT_TYPES[kind], float(rr) / hz))
    return out
