"""HL7 v2 over MLLP into a log, by the command line: what is answered AA outlives a kill."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import pytest

from isosoma.core.observation import Observation
from isosoma.exchange.mllp import feed, frame
from isosoma.intake import timeline
from isosoma.record import open_log
from isosoma.record.checking import verify
from isosoma.serve.cli import main


def report(i, patient="p1", zone="+0000"):
    return "\r".join((
        f"MSH|^~\\&|MON|ICU|ISO|LAB|20260223065000{zone}||ORU^R01^ORU_R01|M{i}|P|2.6",
        f"PID|1||{patient}^^^HOSP^MR",
        f"OBR|1|||vitals|||202602230{i // 3600}{i // 60 % 60:02d}{i % 60:02d}",
        f"OBX|1|NM|8867-4^Heart rate^LN||{60 + i % 90}|/min|||||F",
        "",
    )).encode()  # fmt: skip


class Sender:
    """An interface engine: sends one message, waits for its answer."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.rest = b""

    def send(self, message):
        self.socket.sendall(frame(message))
        answers = []
        while not answers:
            chunk = self.socket.recv(4096)
            if not chunk:
                return "", ""
            answers, self.rest = feed(self.rest, chunk)
        fields = answers[0].decode().split("\r")[1].split("|")
        return fields[1], fields[3]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture
def listen(tmp_path):
    """Start `isosoma listen --mllp 0`; return process, port and log."""
    started = []

    def start(*more):
        process = subprocess.Popen(
            [sys.executable, "-m", "isosoma", "listen", "--store", tmp_path / "log",
             "--patient", "p1", "--mllp", "0", "--json", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process, json.loads(process.stdout.readline())["port"], tmp_path / "log"

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def rates(path):
    with open_log(path, read_only=True) as log:
        found = timeline(log, "p1").readings
    return [round(r.value * 60) for r in found if isinstance(r, Observation)]


def test_a_conversation_and_its_end(listen):
    process, port, path = listen("--known-as", "x9", "--zone", "+01:00")
    with Sender(port) as engine:
        assert engine.send(report(0)) == ("AA", "")
        assert engine.send(report(1, patient="x9", zone="")) == ("AA", "")
        code, text = engine.send(report(2, patient="p2"))
        assert code == "AE"
        assert "p2" in text
        assert engine.send(report(0)) == ("AA", "")
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert sum("p2" in e.get("sentence", "") for e in told) == 1
    total = told[-1]
    assert total["event"] == "total"
    assert (total["messages"], total["accepted"], total["duplicates"], total["refused"]) == (
        4, 2, 1, 1,
    )  # fmt: skip
    assert sorted(rates(path)) == [60, 61]


def test_what_was_answered_outlives_a_kill(listen):
    answered = 0
    for life in range(3):
        process, port, path = listen()
        with Sender(port) as engine:
            for _ in range(25 + 7 * life):
                assert engine.send(report(answered)) == ("AA", "")
                answered += 1
            engine.socket.sendall(frame(report(answered)))  # not answered: may be there, or not
            process.kill()
            process.wait()
        assert len(rates(path)) in (answered, answered + 1)
    found = rates(path)
    assert found[:answered] == [60 + i % 90 for i in range(answered)]
    assert verify(path).ok


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to listen to"),
        (("--mqtt", "h:0"), "there is no port 0"),
        (("--mqtt", "h:x"), "no address"),
        (("--mqtt", "h:1", "--broker"), "one of the two"),
        (("--mllp", "0", "--zone", "CET"), "no offset"),
        (("--mqtt", "h:1", "--patient", "a b"), "part of a topic"),
        (("--mqtt", "h:1", "--patient", "+"), "part of a topic"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_makes_no_log(
    tmp_path, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    assert main(["listen", "--store", "log", "--patient", "p1", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--mllp", "--broker"])
def test_a_port_in_use_is_said(tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["listen", "--store", "log", "--patient", "p1", option, port]) == 2
    assert f"port {port}" in capsys.readouterr().err


def test_an_end_amid_traffic_keeps_what_was_promised(listen):
    process, port, path = listen()
    answered, code = 0, "AA"
    with Sender(port) as engine:
        while code == "AA" and answered < 100_000:
            if answered == 20:
                process.send_signal(signal.SIGTERM)
            try:
                code, _ = engine.send(report(answered))
            except ConnectionError:
                break
            answered += code == "AA"
    assert process.wait(120) == 0
    assert 20 <= answered < 100_000
    assert len(rates(path)) >= answered
