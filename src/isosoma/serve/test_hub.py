"""Waveforms are lossless, states are latest-wins with two in flight, alarms are replayed."""

from __future__ import annotations

import asyncio

from isosoma.serve.hub import IN_FLIGHT, QUEUE, Alarms, Client, Hub


def test_a_slow_client_gets_every_block_but_only_the_newest_state():
    now = [0.0]
    client = Client(lambda: now[0])
    hub = Hub({client})
    shown, blocks = [], []
    for i in range(10):
        hub.publish({"type": "block", "seq": i}, {"type": "state", "at": i})
        for message in client.take():
            (blocks if message["type"] == "block" else shown).append(message)
    assert [b["seq"] for b in blocks] == list(range(10))
    assert [s["at"] for s in shown] == list(range(IN_FLIGHT))
    now[0] = 1.5
    client.acknowledge(shown[0]["n"])
    late = client.take()
    assert [m["at"] for m in late] == [9]
    assert late[0]["lag"] == 1.5


def test_a_client_that_stops_reading_is_sent_away_rather_than_fed_from_memory():
    client = Client(lambda: 0.0)
    for i in range(QUEUE + 1):
        client.offer({"seq": i}, {})
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
