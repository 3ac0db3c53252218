"""The server's promises: replay of alarms, faults that are said, bodies that are bounded."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from isosoma.core.errors import BusyError
from isosoma.record import open_log
from isosoma.serve import app as served
from isosoma.serve import telemetry
from isosoma.serve.app import Live, Settings, make_app, patient_of, perform, stream
from isosoma.serve.hub import Alarms
from isosoma.serve.player import player_of
from isosoma.serve.recording import Channel, Recording
from isosoma.serve.synthetic import simulate
from isosoma.serve.telemetry import Lane

BASE = "http://127.0.0.1:8000"
SHORT = simulate(20.0)
NOW = 1_771_830_000_000_000_000  # 2026-02-23T07:00:00Z


async def events_after(alarms: Alarms, header: str, n: int) -> list[tuple[str, str]]:
    """Id and text of the first `n` alarms that a client with this Last-Event-ID is sent."""
    found = []
    async for event in stream(alarms, alarms.seen(header)):
        if event.startswith("id: "):
            lines = dict(line.split(": ", 1) for line in event.strip().splitlines())
            found.append((lines["id"], json.loads(lines["data"])["text"]))
            if len(found) == n:
                break
    return found


def test_alarms_missed_are_sent_again_and_then_those_that_come():
    async def flow():
        alarms = Alarms()
        for text in ("one", "two", "three"):
            await alarms.add({"text": text})
        everything = await events_after(alarms, "", 3)
        waiting = asyncio.create_task(events_after(alarms, everything[1][0], 2))
        await asyncio.sleep(0.01)
        await alarms.add({"text": "four"})
        return everything, await waiting

    everything, later = asyncio.run(flow())
    assert [t for _, t in everything] == ["one", "two", "three"]
    assert [t for _, t in later] == ["three", "four"]


def test_a_browser_that_knew_another_run_of_the_server_misses_no_alarm():
    async def flow():
        before, after = Alarms(), Alarms()
        for i in range(5):
            await before.add({"text": f"old {i}"})
        await after.add({"text": "new"})
        seen = before.event_id(before.since(4)[0])
        return await events_after(after, seen, 1)

    assert [text for _, text in asyncio.run(flow())] == ["new"]


@pytest.mark.parametrize("header", ["", "7", "x-1", "-", "²", "{run}-", "{run}--1", "{run}-²"])
def test_an_event_id_that_is_none_of_ours_has_seen_nothing(header):
    alarms = Alarms(last=9)
    assert alarms.seen(header.replace("{run}", alarms.run)) == 0
    assert alarms.seen(f"{alarms.run}-7") == 7
    assert alarms.seen(f"{alarms.run}-{10**17}") == 9, "no number from the future hides an alarm"


def test_a_fault_of_the_replay_is_said_and_not_a_frozen_page(monkeypatch):
    async def broken(*_):
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(served, "play", broken)
    live = Live(player_of(SHORT))
    asyncio.run(perform(live, 1.0))
    assert "ZeroDivisionError: no such luck" in live.fault


def test_the_page_answers_before_the_kernels_are_compiled(monkeypatch):
    async def never(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(served, "perform", never)
    with TestClient(make_app(Settings(SHORT)), base_url=BASE) as client:
        assert client.get("/health").json()["status"] == "starting"


def test_a_replay_invents_no_person():
    recording = Recording("100", "replay", 250.0, (Channel("II", "ecg", SHORT.channels[0].values),))
    banner = patient_of(recording)
    assert banner["name"] == "Record 100"
    assert {banner["born"], banner["allergies"]} == {"not in the record"}


def heart_rate(value: object, unit: str = "/min") -> bytes:
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": "2026-02-23T06:59:00Z",
            "valueQuantity": {
                "value": value,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
    ).encode()


@pytest.fixture
def lane(tmp_path):
    with open_log(tmp_path / "log") as log:
        yield Lane(log, "p1", lambda: NOW)


@pytest.fixture
def client(lane):
    with TestClient(make_app(Settings(SHORT, lane=lane)), base_url=BASE) as made:
        yield made


FHIR = {"content-type": "application/fhir+json"}


def size(lane: Lane) -> int:
    return sum(1 for _ in lane.log.entries())


def test_what_was_answered_200_is_on_disk_and_a_repetition_is_kept_once(client, lane):
    first = client.post("/fhir", content=heart_rate(72), headers=FHIR)
    assert (first.status_code, first.json()["accepted"]) == (200, 1), first.text
    before = size(lane)
    again = client.post("/fhir", content=heart_rate(72), headers=FHIR).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    assert size(lane) == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 100_000, heart_rate("72"), heart_rate(72, "furlong"), b'{"a":1,"a":2}'],
    ids=["empty", "cut", "deep", "text", "unit", "twice"],
)
def test_a_body_that_cannot_be_taken_gets_a_sentence_and_leaves_the_log(client, lane, body):
    before = size(lane)
    answer = client.post("/fhir", content=body, headers=FHIR)
    assert answer.status_code in (413, 422)
    assert len(answer.json()["error"]) > 15
    assert size(lane) == before


def test_a_body_of_another_kind_is_told_which_is_read(client):
    answer = client.post("/fhir", content=heart_rate(72), headers={"content-type": "text/plain"})
    assert answer.status_code == 422
    assert "application/fhir+json" in answer.json()["error"]


def test_a_body_that_hides_its_length_is_cut_off(client, lane, monkeypatch):
    monkeypatch.setattr(telemetry.body_of, "__defaults__", (1 << 16,))
    sent = 0

    def drip():
        nonlocal sent
        for _ in range(64):
            sent += 1 << 13
            yield b" " * (1 << 13)

    answer = client.post("/fhir", content=drip(), headers=FHIR)
    assert answer.status_code == 413
    assert size(lane) == 0


def test_a_full_queue_asks_to_come_again(client, monkeypatch):
    def full(*_):
        raise BusyError("too much is waiting", todo="Send it again")

    monkeypatch.setattr(telemetry, "take", full)
    answer = client.post("/fhir", content=heart_rate(72), headers=FHIR)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
