"""A replay's blocks are the recording, its numbers have an age, and its alarms an order."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from isosoma.serve import events
from isosoma.serve.hub import Alarms
from isosoma.serve.player import (
    CHUNK,
    announce,
    greeting,
    player_of,
    scale_of,
    standing,
    state_of,
    step,
)
from isosoma.serve.recording import Channel, Recording
from isosoma.serve.synthetic import MMHG, simulate

SHORT = simulate(24.0, seed=5)


def test_the_blocks_together_are_the_recording():
    player = player_of(SHORT)
    hello = greeting(player, {})
    blocks = [step(player)[0] for _ in range(round(24.0 / CHUNK))]
    assert [b["seq"] for b in blocks] == list(range(1, len(blocks) + 1))
    for i, channel in enumerate(SHORT.channels):
        sent = np.concatenate([b["data"][i] for b in blocks]) / hello["channels"][i]["counts"]
        factor = {"mV": 1e3, "mmHg": 1 / 133.322}.get(hello["channels"][i]["unit"])
        if factor:
            shown = channel.values * factor
            assert np.abs(sent - shown).max() <= 0.51 / hello["channels"][i]["counts"]
    beats = [row[0] for b in blocks for row in b["beats"]]
    assert SHORT.truth is not None
    assert len(beats) >= len(SHORT.truth) - 2
    ends = [b["first"] + len(b["data"][0]) for b in blocks]
    assert [b["first"] for b in blocks] == [0, *ends[:-1]], "no sample twice, none left out"
    assert ends[-1] == SHORT.length
    assert all(abs(end - (i + 1) * CHUNK * SHORT.hz) <= 0.5 for i, end in enumerate(ends))


def test_after_the_end_it_begins_anew_and_forgets():
    player = player_of(SHORT)
    while player.turn == 0:
        block, state = step(player)
    assert (block["turn"], block["first"], player.block) == (1, 0, block["seq"])
    assert state["hr"] is None
    assert state["pressure"] is None
    assert state["quality"] is None


def test_the_pressure_has_a_range_and_an_age():
    player = player_of(SHORT)
    for _ in range(round(20.0 / CHUNK)):
        _, state = step(player)
    found = state["pressure"]
    assert found["diastolic"] < found["mean"] < found["systolic"]
    assert found["low"] <= found["systolic"] <= found["high"]
    assert found["beats"] == 8
    assert 0.0 <= found["age"] < 2.5
    line = SHORT.channels[1].values / MMHG
    assert line.min() - 1 <= found["diastolic"]
    assert found["systolic"] <= line.max() + 1


def test_each_channel_says_how_old_its_newest_sample_is():
    lost = SHORT.channels[1].values.copy()
    lost[2500:] = np.nan  # the line falls off at 10 s
    never = np.full(SHORT.length, np.nan)
    channels = (SHORT.channels[0], Channel("ABP", "arterial_pressure", lost))
    player = player_of(
        Recording("x", "replay", 250.0, (*channels, Channel("P", "plethysmogram", never)))
    )
    for _ in range(round(15.0 / CHUNK)):
        block, state = step(player)
    assert state["ages"] == [0.0, pytest.approx(5.0), None]
    assert set(block["data"][1]) == {None}
    assert state["pressure"]["age"] > 4.5, "the last pressure ages, it is not renewed"


def test_a_channel_without_a_single_sample_still_has_a_scale():
    unit, factor, counts = scale_of(Channel("P", "plethysmogram", np.full(100, np.nan)))
    assert (unit, counts) == ("", 1000.0)
    assert np.isfinite(factor)


def test_of_what_holds_the_most_urgent_comes_first_and_of_equals_the_newest():
    player = player_of(SHORT)
    player.active = {"no signal": 5.0, "asystole": 1.0, "pause": 9.0, "no pulse": 3.0}
    assert [a["code"] for a in standing(player)] == ["no pulse", "asystole", "pause", "no signal"]


def test_an_alarm_is_told_when_it_begins_and_when_it_ends_and_keeps_its_instant(monkeypatch):
    player, alarms = player_of(SHORT), Alarms()

    async def flow():
        for now in ({"asystole"}, {"asystole"}, {"asystole", "pause"}, set()):
            monkeypatch.setattr(events, "present", lambda _, now=now: now)
            await announce(player, alarms)

    asyncio.run(flow())
    assert [(a["code"], a["on"]) for a in alarms.since(0)] == [
        ("asystole", True),
        ("pause", True),
        ("asystole", False),
        ("pause", False),
    ]
    assert state_of(player)["active"] == []


def test_a_state_names_every_rule_that_may_be_raised():
    assert {c.priority for c in events.CONDITIONS.values()} <= {"high", "medium", "low"}
    assert events.CONDITIONS["no signal"].priority == "low"
    assert events.CONDITIONS["asystole"].priority == "high"
