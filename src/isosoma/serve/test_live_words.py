"""Addresses, pace and words of the live verbs."""

from __future__ import annotations

import argparse
import json

import pytest

from isosoma.core.errors import AccessError, FormatError, InputError, TimeError
from isosoma.core.observation import Observation
from isosoma.exchange.live_frames import end_of
from isosoma.intake import Summary
from isosoma.intake.stream import Batch
from isosoma.serve.cli_listen import address_of, zone_of
from isosoma.serve.cli_send import in_time, shift_of
from isosoma.serve.mqtt_address import Address, endpoint, refused_for_good
from isosoma.serve.teller import Teller

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("broker", ("broker", 1883)),
        ("broker:", ("broker", 1883)),
        ("broker:8883", ("broker", 8883)),
        ("10.0.0.7:1", ("10.0.0.7", 1)),
        ("[::1]:1884", ("::1", 1884)),
        ("[::1]", ("::1", 1883)),
    ],
)
def test_an_address(text: str, found: tuple[str, int]) -> None:
    assert endpoint(text) == found


@pytest.mark.parametrize("text", ["", ":1883", "::1", "h:x", "h:0", "h:65536", "h:-1", "h:١"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(FormatError):
        endpoint(text)


def test_an_address_of_arguments() -> None:
    given = argparse.Namespace(mqtt="h:1", mqtt_version="5", user="u", ca="f")
    assert address_of(given) == Address("h", 1, "5", "u", "f")


@pytest.mark.parametrize(
    ("text", "minutes"), [(None, None), ("+00:00", 0), ("+02:00", 120), ("-03:30", -210)]
)
def test_a_zone(text: str | None, minutes: int | None) -> None:
    assert zone_of(text) == minutes


@pytest.mark.parametrize("text", ["", "Z", "2", "+2:00", "+02:60", "+02:00 ", "CET"])
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(TimeError):
        zone_of(text)


def test_only_what_never_changes_is_refused_for_good() -> None:
    at = Address("h", 1)
    assert isinstance(refused_for_good("Not authorized", at), AccessError)
    assert isinstance(refused_for_good("Unsupported protocol version", at), InputError)
    assert refused_for_good("Server unavailable", at) is None


def numbers(*seconds: int) -> list[Observation]:
    return [Observation("p1", "heart_rate", s * SECOND, 0, 1.2, 0.05, channel="v") for s in seconds]


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, 1e5])
def test_no_reading_is_sent_from_the_future(speed: float) -> None:
    now = 1_771_830_000 * SECOND
    readings = numbers(5, 10, 605)
    shift = shift_of(readings, speed, now, None)
    for r in readings:
        sent = now + (r.at - readings[0].at) / speed
        assert r.at + shift <= sent + 1
    if speed >= 1:
        assert readings[-1].at + shift == pytest.approx(now + 600 * SECOND / speed, abs=2)


def test_a_given_start_gives_the_same_instants_whenever() -> None:
    readings = numbers(5, 10)
    begun = "2026-02-23T07:00:00Z"
    one, other = (shift_of(readings, s, now, begun) for s, now in ((1.0, 0), (7.0, 10**18)))
    assert one == other == 1_771_830_000 * SECOND - 5 * SECOND
    with pytest.raises(TimeError, match="--start"):
        shift_of(readings, 1.0, 0, "yesterday")


def test_readings_go_out_in_step() -> None:
    at = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        at[0] += seconds

    paced = list(in_time(numbers(5, 7, 7, 15), 2.0, lambda: at[0], sleep))
    assert [end_of(r) // SECOND for r in paced] == [5, 7, 7, 15]
    assert slept == pytest.approx([1.0, 4.0])


def batch(refused: int) -> Batch:
    return Batch(Summary(accepted=3), {i: FormatError(f"no {i}\n\x1b[31m") for i in range(refused)})


def test_every_refusal_is_counted_and_the_first_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    teller = Teller(as_json=False)
    teller.tell(batch(7), 10)
    teller.tell(batch(7), 10)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 10
    assert "\x1b" not in said  # part of it came from outside
    teller.flush()
    teller.flush()
    teller.tell(batch(1), 4)
    teller.flush()
    teller.flush("total")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "delivery: 20 messages, 14 refused, 6 accepted (4 refusals not said one by one)",
        "delivery: 4 messages, 1 refused, 3 accepted",
        "total: 24 messages, 15 refused, 9 accepted",
    ]


def test_lines_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(as_json=True)
    teller.say("mllp", "here", port=7)
    teller.tell(batch(1), 2)
    teller.flush()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0] == {"event": "mllp", "sentence": "here", "port": 7}
    assert told[1]["event"] == "refused"
    assert (told[2]["event"], told[2]["messages"], told[2]["refused"]) == ("delivery", 2, 1)
