"""Messages through a real broker into a log: nothing lost and nothing twice, whoever is killed."""

from __future__ import annotations

import json
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.live_frames import as_sent
from isosoma.exchange.mqtt_delivery import gatt_topic
from isosoma.exchange.mqtt_frames import encode_vitals, encode_waveform
from isosoma.intake import beats_of, take, timeline
from isosoma.intake.identity import key_of
from isosoma.record import open_log
from isosoma.record.checking import verify
from isosoma.serve.cli_send import publish
from isosoma.serve.mqtt_address import Address, client_of
from isosoma.serve.synthetic import simulate

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
VERSIONS = ("3.1.1", "5")
PATIENT = "anna-k"
WAIT = 120  # [s] until a test is given up


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def until(condition, what):
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, f"waited {WAIT} s for {what}"
        time.sleep(0.05)


class Broker:
    """A mosquitto of our own that keeps sessions over restarts."""

    def __init__(self, folder, more=""):
        folder.mkdir()
        self.port = free_port()
        self.conf = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        self.conf.write_text(
            f"listener {self.port} 127.0.0.1\n{more or 'allow_anonymous true'}\n{user}"
            f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n"
        )
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self.conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.answers, "mosquitto")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def broker(tmp_path):
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (Debian package mosquitto)")
    running = Broker(tmp_path / "mosquitto")
    yield running
    running.stop()


class Listener:
    """`isosoma listen --json` in a process of its own."""

    def __init__(self, store, *arguments, ready="subscribed"):
        command = [sys.executable, "-m", "isosoma", "listen", "--json", "--store", store]
        self.process = subprocess.Popen(
            [*map(str, command), "--patient", PATIENT, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.events = []
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if ready:
            until(lambda: self.said(ready) or self.process.poll() is not None, ready)

    def _read(self):
        for line in self.process.stdout or ():
            self.events.append(json.loads(line))

    def said(self, event):
        return [e for e in list(self.events) if e["event"] == event]

    def end(self, number=signal.SIGINT):
        """End it; return exit code and standard error."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        code = self.process.wait(WAIT)
        self._reader.join()
        self.process.stdout.close()
        error = self.process.stderr.read()
        self.process.stderr.close()
        return code, error


@pytest.fixture
def listen():
    """Start listeners; none outlives the test."""
    started = []

    def start(*arguments, **more):
        started.append(Listener(*arguments, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def recording(seconds=40):
    """Ten minutes old, and complete: two signals and two numbers a second."""
    begun = time.time_ns() - 600 * 10**9
    made = simulate(seconds=seconds)
    out = []
    for channel in made.channels[:2]:
        scale = float(np.max(np.abs(channel.values))) / 30000
        counts = np.round(channel.values / scale).astype(np.int16)
        out.append(
            Waveform(PATIENT, channel.variable, begun, 0, made.hz, counts, scale, device="mon",
                     channel=channel.name)
        )  # fmt: skip
    for i in range(2 * seconds):
        name = ("heart_rate", "oxygen_saturation")[i % 2]
        value = (1.2, 0.97)[i % 2] + 0.001 * (i % 7)
        at = begun + i * 500_000_000
        out.append(Observation(PATIENT, name, at, 0, value, 0.01, device="mon", channel="vitals"))
    return as_sent(out, 0.5, 0)


def message(reading):
    made = encode_waveform if isinstance(reading, Waveform) else lambda r: encode_vitals([r])
    return made(reading)


def disordered(readings, seed=3):
    """Shuffled, a fifth of it twice."""
    draw = random.Random(seed)
    out = [*readings, *draw.sample(readings, len(readings) // 5)]
    draw.shuffle(out)
    return out


def send(port, messages, version="3.1.1"):
    client = client_of(Address("127.0.0.1", port, version), "monitor", keep=False, window=100)
    client.reconnect()
    client.loop_start()
    try:
        return publish(client, messages)
    finally:
        client.disconnect()
        client.loop_stop()


def stored(path):
    with open_log(path, read_only=True) as log:
        return timeline(log, PATIENT)


def keys(readings):
    return sorted(key_of(r) for r in readings)


def directly(path, readings):
    """What the log holds when the same readings are taken in order and at once."""
    now = time.time_ns()
    with open_log(path) as log:
        take(log, [replace(r, received=now) for r in readings], patient=PATIENT, now=now)
        return timeline(log, PATIENT)


def the_same(found, wanted):
    assert keys(found.readings) == keys(wanted.readings)  # each once: keys are not a set
    assert found.verdicts == wanted.verdicts
    assert beats_of(found) == beats_of(wanted)
    values = [r.values().tolist() for r in found.readings if isinstance(r, Waveform)]
    assert values == [r.values().tolist() for r in wanted.readings if isinstance(r, Waveform)]


@pytest.mark.parametrize("version", VERSIONS)
def test_duplicates_and_disorder_give_what_direct_intake_gives(broker, listen, tmp_path, version):
    readings = recording()
    wanted = directly(tmp_path / "direct", readings)
    listener = listen(
        tmp_path / "log", "--mqtt", f"127.0.0.1:{broker.port}", "--mqtt-version", version
    )
    sent = send(broker.port, [message(r) for r in disordered(readings)], version)
    until(lambda: sum(e["messages"] for e in listener.said("delivery")) == sent, "all messages")
    assert listener.end() == (0, "")
    (total,) = listener.said("total")
    assert (total["messages"], total["accepted"], total["refused"]) == (sent, len(readings), 0)
    assert total["duplicates"] == sent - len(readings)
    the_same(stored(tmp_path / "log"), wanted)


def test_the_broker_of_the_demonstration_gives_the_same(listen, tmp_path):
    readings = recording(20)
    wanted = directly(tmp_path / "direct", readings)
    port = free_port()
    listener = listen(tmp_path / "log", "--broker", port)
    sent = send(port, [message(r) for r in disordered(readings)])
    until(lambda: sum(e["messages"] for e in listener.said("delivery")) == sent, "all messages")
    assert listener.end() == (0, "")
    the_same(stored(tmp_path / "log"), wanted)


@pytest.mark.parametrize("version", VERSIONS)
def test_kills_lose_nothing_and_double_nothing(broker, listen, tmp_path, version):
    """The listener dies three times amid a burst; the broker keeps what was not acknowledged."""
    store, readings = tmp_path / "log", recording()
    arguments = (store, "--mqtt", f"127.0.0.1:{broker.port}", "--mqtt-version", version)
    stream = disordered(readings)
    lives = [listen(*arguments)]  # subscribed once, so that the broker has a session to keep
    ends = []

    def burst():
        """Each life stores something, then is killed while a burst is on its way."""
        quarter, held = len(stream) // 4, 0
        for i, r in enumerate(stream):
            if i % quarter == 15:
                until(lambda held=held: len(stored(store).readings) > held, "some to be stored")
            if i and i % quarter == 0 and len(ends) < 3:
                ends.append(lives[-1].end(signal.SIGKILL)[0])
                held = len(stored(store).readings)
                lives.append(listen(*arguments))
            yield message(r)

    assert send(broker.port, burst(), version) == len(stream)
    assert ends == [-signal.SIGKILL] * 3
    until(lambda: len(stored(store).readings) >= len(readings), "the rest")
    assert lives[-1].end() == (0, "")
    assert lives[-1].said("total")[0]["accepted"] < len(readings)  # the dead had stored some
    the_same(stored(store), directly(tmp_path / "direct", readings))
    assert verify(store).ok


def test_a_broker_that_restarts_is_found_again(broker, listen, tmp_path):
    readings = recording(10)
    listener = listen(tmp_path / "log", "--mqtt", f"127.0.0.1:{broker.port}")
    half = len(readings) // 2
    send(broker.port, [message(r) for r in readings[:half]])
    broker.stop()
    until(lambda: listener.said("offline"), "the listener to notice")
    broker.start()
    send(broker.port, [message(r) for r in readings[half:]])
    until(lambda: len(stored(tmp_path / "log").readings) == len(readings), "the rest")
    assert len(listener.said("subscribed")) >= 2
    assert listener.end()[0] == 0
    assert keys(stored(tmp_path / "log").readings) == keys(readings)


def test_what_comes_while_nobody_listens_is_there_afterwards(broker, listen, tmp_path):
    readings = recording(10)
    arguments = (tmp_path / "log", "--mqtt", f"127.0.0.1:{broker.port}")
    assert listen(*arguments).end() == (0, "")
    send(broker.port, [message(r) for r in readings])
    again = listen(*arguments)
    until(lambda: len(stored(tmp_path / "log").readings) == len(readings), "what was kept")
    assert again.end() == (0, "")


def poison(readings):
    """Messages that must be refused, each with the words that say why."""
    other, future = replace(readings[0], subject="p2"), readings[-1]
    ahead = time.time_ns() + 3600 * 10**9
    late = {"start": ahead} if isinstance(future, Waveform) else {"at": ahead}
    name, payload = message(readings[0])
    return [
        (message(other), "not of 'anna-k'"),
        (message(replace(future, **late)), "ahead of our clock"),
        ((name, b"junk"), "JSON"),
        ((name, b""), "JSON"),
        ((name, payload[:-1]), "FormatError|frame|JSON|checksum"),
        ((name, b"x" * 70_000), "65536 bytes"),
        ((f"isosoma/{PATIENT}/strap/gatt/2A37", b"\0H"), "when this value was measured"),
        ((f"isosoma/{PATIENT}/strap", b"\0H"), "no topic"),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_poison_is_said_once_acknowledged_and_harms_nothing(broker, listen, tmp_path, version):
    readings = recording(5)
    arguments = (
        tmp_path / "log", "--mqtt", f"127.0.0.1:{broker.port}", "--topic", "isosoma/#",
        "--mqtt-version", version,
    )  # fmt: skip
    bad = poison(readings)
    good = [message(r) for r in readings]
    strap = (gatt_topic(PATIENT, "strap", "2A37", time.time_ns() - 10**9), b"\0H")
    listener = listen(*arguments)
    sent = send(broker.port, [*[m for m, _ in bad], *good, strap], version)
    until(lambda: sum(e["messages"] for e in listener.said("delivery")) == sent, "all messages")
    assert listener.end() == (0, "")
    sentences = [e["sentence"] for e in listener.said("refused")]
    assert len(sentences) == len(bad)
    for (_, words), sentence in zip(bad, sentences, strict=True):
        assert any(w in sentence for w in words.split("|")), sentence
    assert listener.said("total")[0]["refused"] == len(bad)
    assert len(stored(tmp_path / "log").readings) == len(readings) + 1
    again = listen(*arguments)
    send(broker.port, good[:1], version)
    until(lambda: again.said("delivery"), "the repeated message")
    assert again.end() == (0, "")
    total = again.said("total")[0]
    assert (total["messages"], total["duplicates"], total["refused"]) == (1, 1, 0)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_retained_message_is_refused(broker, listen, tmp_path, version):
    name, payload = message(recording(2)[0])
    client = client_of(Address("127.0.0.1", broker.port), "monitor", keep=False, window=10)
    client.reconnect()
    client.loop_start()
    client.publish(name, payload, qos=1, retain=True).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
    listener = listen(
        tmp_path / "log", "--mqtt", f"127.0.0.1:{broker.port}", "--mqtt-version", version
    )
    until(lambda: listener.said("refused"), "the refusal")
    assert "retained" in listener.said("refused")[0]["sentence"]
    assert listener.end() == (0, "")
    assert listener.said("total")[0]["accepted"] == 0


def test_a_password_that_is_missing_ends_with_a_sentence(tmp_path, listen):
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (Debian package mosquitto)")
    closed = Broker(tmp_path / "mosquitto", "allow_anonymous false")
    try:
        code, error = listen(
            tmp_path / "log", "--mqtt", f"127.0.0.1:{closed.port}", ready=None
        ).wait()
    finally:
        closed.stop()
    assert code == 2
    assert "ISOSOMA_MQTT_PASSWORD" in error
    assert len(error.splitlines()) == 1


def test_without_a_broker_it_keeps_trying_until_it_is_ended(listen, tmp_path):
    listener = listen(tmp_path / "log", "--mqtt", f"127.0.0.1:{free_port()}", ready="offline")
    assert listener.end(signal.SIGTERM) == (0, "")


def test_two_terminals(broker, listen, tmp_path):
    """`send` and `listen` as a newcomer runs them: a table of vitals, live now."""
    begun = datetime(2026, 2, 23, 7, tzinfo=UTC)
    rows = [f"{(begun + timedelta(seconds=i)).isoformat()},{60 + i % 9}" for i in range(30)]
    table = tmp_path / "vitals.csv"
    table.write_text("\n".join(["time,heart_rate", ",/min", *rows, ""]))
    listener = listen(tmp_path / "log", "--mqtt", f"127.0.0.1:{broker.port}")
    done = subprocess.run(
        [sys.executable, "-m", "isosoma", "send", table, "--mqtt", f"127.0.0.1:{broker.port}",
         "--patient", PATIENT, "--speed", "1000", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"messages": 30, "frames": 0, "numbers": 30}
    until(lambda: len(stored(tmp_path / "log").readings) == 30, "thirty numbers")
    assert listener.end() == (0, "")
    found = [r for r in stored(tmp_path / "log").readings if isinstance(r, Observation)]
    assert [round(r.value * 60) for r in found] == [60 + i % 9 for i in range(30)]
    assert 0 <= time.time_ns() - found[-1].at < 3600 * 10**9
