"""Plays a recording in real time: chunks of 50 ms go through the analysis and out to the hub."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isosoma.serve import events
from isosoma.serve.analysis import Analysis, Beat, begin_on, hear, heart_rate
from isosoma.serve.hub import Alarms, Hub
from isosoma.serve.recording import Channel, Recording
from isosoma.signals.events import RULES, Rule

__all__ = ["Player", "greeting", "play", "player_of", "warm_up"]

CHUNK = 0.05  # [s]
DISPLAY_DELAY = 0.6  # [s] behind the sensor, the one axis on which R is known before it is drawn
PULSES = 8  # beats that the shown range of the pressure rests on
Scale = tuple[str, float, float]
SHOWN = {
    "ecg": ("mV", 1e3, 500.0),
    "arterial_pressure": ("mmHg", 1 / 133.322, 20.0),
    "plethysmogram": ("", 1.0, 1000.0),
}
"""Unit shown, factor from SI, and counts per shown unit on the wire."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Pressures of one beat [mmHg], and the sample it ended with."""

    systolic: float
    diastolic: float
    mean: float
    sample: int


@dataclass(slots=True)
class Player:
    """Where a replay stands. `turn` counts how often the recording began anew.

    `active` holds when each condition began [s since 1970], `said` what was said of it then,
    `received` the last sample that came of each channel, -1 for none; `rules` are the patient's.
    """

    recording: Recording
    analysis: Analysis
    scales: tuple[Scale, ...] = ()
    at: int = 0
    turn: int = 0
    block: int = 0
    delays: list[float] = field(default_factory=list[float])
    active: dict[str, float] = field(default_factory=dict[str, float])
    pulses: deque[Pulse] = field(default_factory=lambda: deque[Pulse](maxlen=PULSES))
    received: list[int] = field(default_factory=list[int])
    rules: tuple[Rule, ...] = RULES
    said: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def played(self) -> int:
        """Return the samples played since the start, over all turns."""
        return self.turn * self.recording.length + self.at


def player_of(recording: Recording, rules: Sequence[Rule] = RULES) -> Player:
    """Return a player at the start of a recording, watched by the patient's own `rules`."""
    scales, own = tuple(scale_of(c) for c in recording.channels), tuple(rules)
    began = begin_on(recording, own)
    return Player(recording, began, scales, received=[-1] * len(scales), rules=own)


def scale_of(channel: Channel) -> Scale:
    """Shown unit, factor and counts per unit; a plethysmogram is scaled to its own spread."""
    unit, factor, counts = SHOWN.get(channel.variable, ("", 1.0, 0.0))
    if channel.variable not in SHOWN or channel.variable == "plethysmogram":
        came = channel.values[np.isfinite(channel.values)]
        spread = float(np.percentile(np.abs(came), 99)) if len(came) else 0.0
        spread = spread or 1.0
        factor, counts = 1.0 / spread, 1000.0
    return unit, factor, counts


def greeting(player: Player, patient: dict[str, str]) -> dict[str, Any]:
    """Return the first message to a client: who, what, which channels, and what is true."""
    recording = player.recording
    return {
        "type": "hello",
        "patient": patient,
        "kind": recording.kind,
        "name": recording.name,
        "hz": recording.hz,
        "lead": recording.lead,
        "length": recording.length / recording.hz,
        "display_delay": DISPLAY_DELAY,
        "channels": [
            {"name": c.name, "variable": c.variable, "unit": unit, "counts": per_unit}
            for c, (unit, _, per_unit) in zip(recording.channels, player.scales, strict=True)
        ],
    }


def warm_up(recording: Recording) -> None:
    """Compile the kernels on a recording's first seconds, before its time begins to run."""
    hear(begin_on(recording), recording, 0, min(recording.length, int(11 * recording.hz)))


def step(player: Player) -> tuple[dict[str, Any], dict[str, Any]]:
    """Advance by one chunk; return the block and the state to publish."""
    recording = player.recording
    if player.at >= recording.length:
        player.at, player.turn = 0, player.turn + 1
        player.analysis = begin_on(recording, player.rules)
        player.pulses.clear()
        player.received = [-1] * len(recording.channels)
    first = player.at
    chunks = round(first / (CHUNK * recording.hz)) + 1
    last = min(round(chunks * CHUNK * recording.hz), recording.length)
    beats = hear(player.analysis, recording, first, last)
    player.at = last
    for i, channel in enumerate(recording.channels):
        came = np.flatnonzero(np.isfinite(channel.values[first:last]))
        player.received[i] = first + int(came[-1]) if len(came) else player.received[i]
    player.delays = [*player.delays, *(b.delay for b in beats)][-200:]
    for beat in beats:
        pulse = pressure_of(recording, beat)
        if pulse is not None:
            player.pulses.append(pulse)
    player.block += 1
    block = {
        "type": "block",
        "seq": player.block,
        "turn": player.turn,
        "first": first,
        "data": [
            counts(c, scale, first, last)
            for c, scale in zip(recording.channels, player.scales, strict=True)
        ],
        "beats": [[b.r, b.kind, round(b.rr, 4), round(b.delay, 4)] for b in beats],
    }
    return block, state_of(player)


def counts(channel: Channel, scale: Scale, first: int, last: int) -> list[int | None]:
    """Samples as whole counts of the greeting's scale; None where nothing was received."""
    _, factor, per_unit = scale
    values = channel.values[first:last] * (factor * per_unit)
    return [round(v) if v == v else None for v in values.tolist()]


def pressure_of(recording: Recording, beat: Beat) -> Pulse | None:
    """Pressures of the interval that ends with a beat, if there is a line and nothing is lost."""
    a, b = beat.r - round(beat.rr * recording.hz), beat.r
    for channel in recording.channels:
        if channel.variable == "arterial_pressure" and b - a > 10 and a >= 0:
            part = channel.values[a:b] / 133.322
            if np.isfinite(part).all():
                return Pulse(float(part.max()), float(part.min()), float(part.mean()), b)
    return None


def pressure_now(player: Player) -> dict[str, float] | None:
    """Last pressures [mmHg], the range of the systolic over the last beats, and the age [s]."""
    if not player.pulses:
        return None
    last, systolic = player.pulses[-1], [p.systolic for p in player.pulses]
    return {
        "systolic": last.systolic,
        "diastolic": last.diastolic,
        "mean": last.mean,
        "low": min(systolic),
        "high": max(systolic),
        "beats": len(systolic),
        "age": (player.at - last.sample) / player.recording.hz,
    }


def state_of(player: Player) -> dict[str, Any]:
    """Everything shown as a number or a word, with its interval and the age of its data [s]."""
    analysis = player.analysis
    rate, quality = heart_rate(analysis), analysis.quality
    age = (analysis.seen - analysis.last_r) / analysis.hz if analysis.last_r >= 0 else None
    return {
        "type": "state",
        "turn": player.turn,
        "at": round(player.at / analysis.hz, 3),
        "sample": player.at,
        "clock": time.time(),
        "hr": None
        if rate is None
        else {"value": rate.value, "low": rate.low, "high": rate.high, "age": age},
        "beat_age": age,
        "rhythm": analysis.rhythm,
        "quality": None
        if quality is None
        else {
            "weight": quality.weight,
            "reason": quality.reason,
            "age": (analysis.seen - analysis.judged) / analysis.hz,
        },
        "pressure": pressure_now(player),
        "ages": [(player.at - 1 - at) / analysis.hz if at >= 0 else None for at in player.received],
        "delay": delay_of(player.delays),
        "lead_off": events.lead_off(analysis),
        "active": standing(player),
    }


def standing(player: Player) -> list[dict[str, Any]]:
    """What holds now, the most urgent first, and of equals the newest."""
    order = ("high", "medium", "low")
    found = [(events.CONDITIONS[code], code, at) for code, at in player.active.items()]
    found.sort(key=lambda f: (order.index(f[0].priority), -f[2], f[1]))
    return [
        {
            "code": code,
            "text": player.said.get(code, c.text),
            "priority": c.priority,
            "clock": at,
        }
        for c, code, at in found
    ]


def delay_of(delays: list[float]) -> dict[str, float] | None:
    """Last and 95th percentile decision delay [s] of the last 200 beats."""
    if not delays:
        return None
    return {"last": delays[-1], "p95": float(np.percentile(delays, 95))}


async def announce(player: Player, alarms: Alarms) -> None:
    """Tell the edges: what has begun, and what has ended."""
    now, clock = events.present(player.analysis), time.time()
    for code in sorted(now ^ player.active.keys()):
        condition, on = events.CONDITIONS[code], code in now
        if on:
            player.said[code] = events.told(player.analysis, code)
        await alarms.add(
            {
                "code": code,
                "text": player.said.get(code, condition.text),
                "priority": condition.priority,
                "on": on,
                "at": round(player.at / player.recording.hz, 2),
                "turn": player.turn,
                "clock": clock,
            }
        )
    player.active = {code: player.active.get(code, clock) for code in now}


async def play(player: Player, hub: Hub, alarms: Alarms, speed: float = 1.0) -> None:
    """Play for ever, `speed` times real time; lateness is caught up, never skipped.

    What a feeder has not made yet is waited for: its patient lives as fast as it can.
    """
    feeder, hz = player.recording.feeder, player.recording.hz
    due = time.monotonic()
    while True:
        if feeder is not None and not feeder.ready(player.played + math.ceil(CHUNK * hz)):
            await asyncio.sleep(0.005)
            continue
        block, state = step(player)
        await announce(player, alarms)
        hub.block(block)
        hub.publish("state", {**state, "active": standing(player)})
        due += len(block["data"][0]) / hz / speed
        late = time.monotonic() - due
        if late > 2.0:  # the machine slept: go on from now
            due = time.monotonic()
        await asyncio.sleep(max(0.0, -late))
