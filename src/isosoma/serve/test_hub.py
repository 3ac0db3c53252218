"""Waveforms are lossless, states are latest-wins with two in flight, alarms are replayed."""

from __future__ import annotations

import asyncio
import json

import pytest

from isosoma.serve import hub as served
from isosoma.serve.hub import IN_FLIGHT, QUEUE, STATES, Alarms, Client, Hub


def read(client):
    return [json.loads(text) for text in client.take()]


def test_a_slow_client_gets_every_block_but_only_the_newest_state():
    now = [0.0]
    hub = Hub()
    client = hub.join(lambda: now[0])
    shown, blocks = [], []
    for i in range(10):
        now[0] += 0.05
        hub.block({"type": "block", "seq": i})
        hub.publish("state", {"type": "state", "at": i})
        for message in read(client):
            (blocks if message["type"] == "block" else shown).append(message)
    assert [b["seq"] for b in blocks] == list(range(10))
    assert [s["at"] for s in shown] == list(range(IN_FLIGHT))
    now[0] = 1.5
    client.acknowledge(shown[0]["n"])
    late = read(client)
    assert [m["at"] for m in late] == [9]
    assert late[0]["lag"] == pytest.approx(1.45)


def test_who_comes_back_is_sent_the_blocks_since_its_last_one():
    hub = Hub()
    for i in range(1, QUEUE + 100):
        hub.block({"type": "block", "seq": i})
    back = read(hub.join(lambda: 0.0, had=QUEUE))
    assert [b["seq"] for b in back] == list(range(QUEUE + 1, QUEUE + 100))
    assert read(hub.join(lambda: 0.0, had=3))[0]["seq"] == 100, "memory is bounded"
    assert read(hub.join(lambda: 0.0)) == []


def test_at_any_speed_a_client_is_shown_at_most_so_many_states_and_the_newest_stays():
    now = [0.0]
    hub = Hub()
    client = hub.join(lambda: now[0])
    shown = []
    for i in range(100):
        now[0] += 0.01
        hub.publish("state", {"type": "state", "at": i})
        for state in read(client):
            client.acknowledge(state["n"])
            shown.append(state["at"])
    assert len(shown) <= STATES / 0.6 + 1
    assert shown[-1] >= 97


def test_who_joins_is_sent_the_newest_of_each_kind_and_each_is_encoded_once(monkeypatch):
    count = []
    monkeypatch.setattr(served, "encoded", lambda m: count.append(m) or json.dumps(m))
    hub = Hub()
    clients = [hub.join(lambda: 0.0) for _ in range(50)]
    hub.publish("cycle", {"type": "cycle", "v": 1})
    hub.publish("cycle", {"type": "cycle", "v": 2})
    hub.publish("belief", {"type": "belief"})
    hub.block({"type": "block", "seq": 1})
    assert len(count) == 4
    late = hub.join(lambda: 0.0)
    assert [m["type"] for m in read(late)] == ["cycle", "belief"]
    assert [(m["type"], m.get("v")) for m in read(clients[7])] == [
        ("block", None), ("cycle", 2), ("belief", None),
    ]  # fmt: skip


def test_a_client_that_stops_reading_is_sent_away_rather_than_fed_from_memory():
    client = Client(lambda: 0.0)
    for _ in range(QUEUE + 1):
        client.queue("{}")
    assert client.overrun
    assert len(client.blocks) == QUEUE


def test_an_unknown_acknowledgement_changes_nothing():
    client = Client(lambda: 0.0)
    client.acknowledge(99)
    assert client.lag == 0.0


def test_alarms_are_replayed_from_the_last_one_seen():
    async def flow():
        alarms = Alarms()
        for code in "abc":
            await alarms.add({"code": code})
        missed = [a["code"] for a in alarms.since(1)]
        waiting = asyncio.create_task(alarms.wait(3, 5.0))
        await asyncio.sleep(0)
        await alarms.add({"code": "d"})
        return missed, [a["id"] for a in await waiting], await alarms.wait(4, 0.01)

    assert asyncio.run(flow()) == (["b", "c"], [4], [])
