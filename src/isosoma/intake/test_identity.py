"""The same reading has the same key; any other content has another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.observation import Observation, Waveform
from isosoma.intake.identity import key_of

NUMBER = Observation("p", "heart_rate", 10, 20, 1.2, 0.1, device="m", channel="v", seq=3)
SIGNAL = Waveform("p", "ecg", 10, 20, 250.0, np.arange(9, dtype=np.int16), 1e-3, seq=3)

CONTENT = [
    *({"variable": "pulse_rate"}, {"at": 11}, {"value": 1.3}, {"seq": 4}, {"device": "n"}),
    *({"channel": "w"}, {"censoring": "above"}, {"value": -0.0}),
]
SIGNALS = [
    *({"start": 11}, {"hz": 500.0}, {"scale": 2e-3}, {"baseline": 1}, {"missing": ((0, 2),)}),
    *({"samples": np.zeros(9, np.int16)}, {"seq": 4}, {"variable": "respiration"}),
]


@pytest.mark.parametrize("changed", CONTENT)
def test_another_content_is_another_number(changed):
    assert key_of(replace(NUMBER, **changed)) != key_of(NUMBER)


@pytest.mark.parametrize("changed", SIGNALS)
def test_another_content_is_another_block(changed):
    assert key_of(replace(SIGNAL, **changed)) != key_of(SIGNAL)


@pytest.mark.parametrize("reading", [NUMBER, SIGNAL])
def test_the_way_it_came_does_not_matter(reading):
    again = replace(reading, received=99, origin="file:7", zone=60)
    assert key_of(again) == key_of(reading)


def test_zero_and_minus_zero_are_two_readings_and_names_cannot_run_together():
    assert key_of(replace(NUMBER, value=0.0)) != key_of(replace(NUMBER, value=-0.0))
    one, other = (
        replace(NUMBER, device="a", channel="bc"),
        replace(NUMBER, device="ab", channel="c"),
    )
    assert key_of(one) != key_of(other)
