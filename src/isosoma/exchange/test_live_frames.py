"""Frames of a recording: every sample once, in place, in an order that a monitor can send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import RangeError
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.live_frames import as_sent, cut, end_of
from isosoma.exchange.mqtt_frames import LIMIT, encode_vitals, encode_waveform


def wave(
    n: int = 1000,
    hz: float = 250.0,
    missing: tuple[tuple[int, int], ...] = (),
    channel: str = "II",
    device: str = "wfdb:100",
) -> Waveform:
    return Waveform(
        "p1", "ecg", 10**18, 0, hz, np.arange(n).astype(np.int16), 1e-6, missing=missing,
        device=device, channel=channel, seq=7,
    )  # fmt: skip


@given(
    st.integers(1, 3000),
    st.sampled_from([100.0, 249.7, 360.0, 1000.0]),
    st.floats(0.05, 10.0),
    st.lists(st.integers(0, 3000), max_size=6, unique=True),
)
def test_frames_hold_every_sample_once_at_its_instant(
    n: int, hz: float, seconds: float, edges: list[int]
) -> None:
    places = sorted(e for e in edges if e <= n)
    gaps = tuple(zip(places[::2], places[1::2], strict=False))
    whole = wave(n, hz, gaps)
    frames = list(cut(whole, seconds, 3))
    assert np.array_equal(np.concatenate([f.samples for f in frames]), whole.samples)
    assert np.array_equal(
        np.concatenate([f.values() for f in frames]), whole.values(), equal_nan=True
    )
    assert [f.seq for f in frames] == list(range(3, 3 + len(frames)))
    done = 0
    for frame in frames:
        assert frame.start == whole.start + round(done / hz * 1e9)
        assert len(frame.samples) <= max(1, round(seconds * hz))
        done += len(frame.samples)


@pytest.mark.parametrize("seconds", [0.0, 0.01, -1.0, 11.0, float("nan")])
def test_a_length_that_no_monitor_sends_is_refused(seconds: float) -> None:
    with pytest.raises(RangeError):
        list(cut(wave(), seconds))


def test_the_fastest_signal_still_fits_a_message() -> None:
    frames = list(cut(wave(250_000, 100_000.0), 10.0))
    assert all(len(encode_waveform(f)[1]) <= LIMIT for f in as_sent(frames, 10.0, 0)
               if isinstance(f, Waveform))  # fmt: skip


def number(at: int, channel: str = "vitals", variable: str = "heart_rate") -> Observation:
    return Observation("p1", variable, at, 0, 1.2, 0.05, device="m 1", channel=channel)


def test_everything_is_moved_named_numbered_and_in_the_order_it_is_complete() -> None:
    given_ = [number(10**18 + 3 * 10**9), wave(1000, channel="II"), wave(500, channel="a b"),
              wave(500, channel="a-b"), number(10**18 + 10**9, variable="pulse_rate")]  # fmt: skip
    sent = as_sent(given_, 1.0, 5 * 10**9)
    ends = [end_of(r) for r in sent]
    assert ends == sorted(ends)
    assert min(ends) == 10**18 + 6 * 10**9  # the first second of each signal, shifted by five
    assert {r.channel for r in sent} == {"II", "a-b", "a-b-2", "vitals"}
    assert {r.device for r in sent} == {"wfdb-100", "m-1"}
    for r in sent:  # all can be published
        topic, _ = encode_waveform(r) if isinstance(r, Waveform) else encode_vitals([r])
        assert topic.startswith("isosoma/p1/")
    keys = [(r.device, r.channel, r.seq) for r in sent]
    assert len(set(keys)) == len(keys)


def test_blocks_of_one_signal_go_on_counting() -> None:
    sent = as_sent([wave(500), wave(500)], 1.0, 0, device="monitor 3")
    assert sorted(r.seq for r in sent) == [0, 1, 2, 3]
    assert {r.device for r in sent} == {"monitor-3"}
