"""Sensor or patient: who is named when a transducer is moved, moved back, or the patient bleeds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from isosoma import quality
from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.infer.belief import Reading
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.serve.findings import changes, sensors
from isosoma.serve.hidden import PATIENT, hidden, history, started, vitals
from isosoma.serve.live_twin import folded
from isosoma.twin.course import frames
from isosoma.twin.fold import Subject, absorbed
from isosoma.twin.release import Release

T0 = 1_790_000_000 * 10**9
SECOND = 10**9
PRESSURES = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")


def line(offsets, seed=0):
    """Numbers of an arterial line each 5 s, with offsets [mmHg], and a rate each 30 s."""
    rng = np.random.default_rng(seed)
    out = []
    for i, offset in enumerate(offsets):
        at = T0 + 5 * i * SECOND
        for name, value in zip(PRESSURES, (120.0, 75.0, 92.0), strict=True):
            read = to_si(value + offset + 0.7 * rng.standard_normal(), "mm[Hg]")
            out.append(Observation("p", name, at, at, read, 133.3, device="line", channel="ABP"))
        if i % 6 == 0:
            out.append(Observation("p", "heart_rate", at, at, 1.2, 0.02, device="ecg"))
    return out


def told(seen):
    return [f.text for f in sensors(quality.examine(seen))]


def test_a_lowered_transducer_is_the_sensor_until_it_is_moved_back():
    low = line([0.0] * 40 + [15.4] * 40)
    assert re.search(r"transducer may lie (19|20|21) ± \d cm below", told(low)[0])
    assert told(low)[0].startswith("sensor: ")
    assert told(line([0.0] * 40 + [15.4] * 40 + [0.0] * 40)) == []
    assert told(line([0.0] * 80)) == []
    assert told(line([0.0] * 40 + [15.4] * 40 + [7.7] * 40)), (
        "moved back by half, it still lies low"
    )


@pytest.fixture(scope="module")
def watched():
    """A hidden patient, and the twin of two hours of them."""
    truth = hidden(1)
    run = started(truth)
    past = history(run, T0, np.random.default_rng(2))
    subject = Subject(PATIENT, truth.person)
    return truth, run, folded(past, subject, Release(), T0, lambda _: None)


def followed(watched, acts):
    """What is said after five minutes of a cuff a minute."""
    truth, run, twin = watched
    rng = np.random.default_rng(3)
    plan = interventions(read_acts(acts), truth.person)
    for frame, _ in frames(run, plan, 300.0, 30.0):
        at = T0 + round(frame.time * 1e9)
        values = {name: float(v[0]) for name, v in frame.outputs.items()}
        read = vitals(values, at, rng, cuff=round(frame.time) % 60 == 0)
        twin = absorbed(twin, [Reading(o) for o in read], at)
    return changes(twin)


def test_a_patient_who_bleeds_is_the_patient(watched):
    found = followed(watched, ["bleed 1500 mL in 5 min"])
    assert {f.kind for f in found} == {"patient"}
    assert any("blood volume fell" in f.text for f in found), [f.text for f in found]


def test_a_patient_at_rest_is_nobody(watched):
    assert followed(watched, []) == []
