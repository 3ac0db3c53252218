"""A watch cries of whom several devices see leave, of one device apart, and of no artefact."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from isosoma.core.observation import Observation
from isosoma.scenario.prediction import LEVELS, Prediction
from isosoma.scenario.watching import DEVICES, ORDINARY, Watching, watch

TIMES = np.array([0.0, 1800.0])
RESTS = {n: 100.0 * ORDINARY[n] for n in DEVICES}
SAID = Prediction(
    "a", "wait", 0, TIMES,
    {n: np.tile(v + ORDINARY[n] * (LEVELS - 0.5), (2, 1)) for n, v in RESTS.items()}, "e",
)  # fmt: skip
BLEEDING = {"systolic_pressure": -8.0, "heart_rate": 8.0, "central_venous_pressure": -8.0}
"""How far outputs go, in spreads of what is ordinary."""


def read(name, t, value, sigma=None):
    noise = 0.5 * ORDINARY[name] if sigma is None else sigma
    return Observation("p", name, round(t * 1e9), 0, value, noise)


def course(seconds, off=(), rng=None):
    """Return readings each 5 s; `off`: output, first and last time, and how far in spreads."""
    out = []
    for t in np.arange(5.0, seconds, 5.0):
        for name, rest in RESTS.items():
            far = sum(x for n, first, last, x in off if n == name and first <= t < last)
            noise = 0.0 if rng is None else 0.5 * rng.standard_normal()
            out.append(read(name, t, rest + (far + noise) * ORDINARY[name]))
    return out


def watched(readings):
    state, alerts = Watching(SAID), []
    for one in readings:
        state, alert = watch(state, one)
        alerts += [alert] if alert else []
    return state, alerts


def test_what_several_devices_see_is_told_once_as_the_patients_with_its_onset():
    off = [(n, 300.0, 900.0, far) for n, far in BLEEDING.items()]
    _, alerts = watched(course(900.0, off))
    (alert,) = alerts
    assert alert.kind == "patient"
    assert 300.0 <= alert.time <= 345.0
    assert alert.onset == pytest.approx(300.0, abs=5.0)
    assert alert.variable in BLEEDING
    assert "what was predicted" in alert.text


@pytest.mark.parametrize("name", ["heart_rate", "systolic_pressure", "oxygen_saturation"])
def test_one_device_is_told_as_a_device_however_far_it_is_off_and_not_before_half_the_median(name):
    _, alerts = watched(course(900.0, [(name, 300.0, 900.0, 50.0)]))
    assert [(a.kind, a.variable) for a in alerts] == [("device", name)]
    assert 380.0 <= alerts[0].time <= 420.0
    assert alerts[0].text.startswith(DEVICES[name])


def test_artefacts_shorter_than_half_a_median_are_not_told():
    cuff = [("oxygen_saturation", t, t + 35.0, -20.0) for t in (300.0, 1200.0)]
    cough = [(n, 600.0, 615.0, 10.0) for n in ("systolic_pressure", "central_venous_pressure")]
    flush = [(n, 5.0, 25.0, 30.0) for n in DEVICES if DEVICES[n] == "arterial line"]
    assert watched(course(1500.0, cuff + cough + flush))[1] == []


def test_a_patient_keeps_the_level_they_had_at_first():
    resting = [("heart_rate", 0.0, 1800.0, 1.2), ("systolic_pressure", 0.0, 1800.0, -1.2)]
    assert watched(course(1500.0, resting))[1] == []
    # A prediction that was wrong from the start is left, even by a patient who does not change.
    wrong = [(n, 0.0, 1800.0, 3.0 * far) for n, far in BLEEDING.items()]
    assert [a.kind for a in watched(course(300.0, wrong))[1]] == ["patient"]


def test_noise_alone_is_not_told():
    rng = np.random.Generator(np.random.Philox(5))
    assert not any(watched(course(1800.0, rng=rng))[1] for _ in range(4))


def test_the_same_readings_in_any_order_are_the_same_state_and_repeats_change_nothing():
    few = [read("heart_rate", t, 1.0) for t in (5.0, 10.0, 15.0, 20.0)]
    orders = [watched(order)[0].seen for order in permutations(few)]
    assert all(seen == orders[0] for seen in orders)
    state, _ = watched([*few, *few])
    assert len(state.seen["heart_rate"]) == len(few)


@pytest.mark.parametrize(
    "strange",
    [
        read("heart_rate", -1.0, 1.0),
        read("heart_rate", 1801.0, 1.0),
        read("heart_rate", 5.0, 1.0, sigma=0.0),
        read("heart_rate", 5.0, np.nan, sigma=1.0),
        Observation("p", "temperature", 5 * 10**9, 0, 310.0, 0.1),
    ],
)
def test_what_was_not_predicted_changes_nothing(strange):
    state = Watching(SAID)
    assert watch(state, strange) == (state, None)
