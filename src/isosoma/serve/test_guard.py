"""Who may ask, and what every answer carries."""

from __future__ import annotations

import json
import time

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from isosoma.serve.app import Settings, make_app
from isosoma.serve.synthetic import simulate

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client():
    with TestClient(make_app(Settings(simulate(30.0))), base_url=BASE) as made:
        yield made


def test_a_known_host_is_answered_with_the_headers(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["kind"] == "simulated"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:8000"}, 421),
        ({"host": "[::1"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"content-length": "99999999999"}, 413),
        ({"content-length": "-1"}, 413),
        ({"origin": BASE}, 200),
    ],
)
def test_strangers_are_refused(client, headers, status):
    assert client.get("/health", headers=headers).status_code == status


def test_a_socket_of_another_site_is_refused(client):
    headers = {"origin": "http://evil.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live", headers=headers):
        pass


def test_the_socket_says_hello_then_numbered_blocks_and_states(client):
    headers = {"host": "127.0.0.1:8000", "origin": BASE}
    with client.websocket_connect("/live", headers=headers) as socket:
        hello = socket.receive_json()
        frames = [socket.receive_text() for _ in range(4)]
        socket.close()
        while client.get("/health").json()["clients"]:  # the server notices and lets go
            time.sleep(0.02)
    seen = [json.loads(line) for frame in frames for line in frame.split("\n")]
    assert hello["channels"][hello["lead"]]["variable"] == "ecg"
    blocks = [m["seq"] for m in seen if m["type"] == "block"]
    assert blocks == list(range(blocks[0], blocks[0] + len(blocks)))
    assert {m["type"] for m in seen} == {"block", "state"}


def test_telemetry_without_a_store_says_what_to_do(client):
    answer = client.post("/fhir", content=b"{}")
    assert answer.status_code == 503
    assert "--store" in answer.json()["error"]
