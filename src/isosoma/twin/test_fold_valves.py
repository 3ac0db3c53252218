"""What an echo's areas, gradients and velocity-time integral teach a fold, by a hidden patient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from isosoma.core.observation import GOOD, Observation, Verdict
from isosoma.core.units import from_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.infer.belief import Reading
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.predict import predictor, unknowns
from isosoma.twin.fold import Subject, Twin, absorbed, fold
from isosoma.twin.forecasting import expected
from isosoma.twin.release import Release

T0 = 1_790_000_000 * 10**9
LATER = T0 + 10**15
SOUND = Subject("p", Person())
STENOSED = replace(SOUND, valves=("aortic_area", "mitral_area"))
TRUE = {"aortic_area": -0.9, "mitral_area": 0.4, "lv_elastance": -1.2, "systemic_resistance": 0.8}
"""Coordinates of the hidden patient: an aortic valve of 0.9 cm2 and a weak heart."""
VITALS = ("systolic_pressure", "diastolic_pressure", "heart_rate", "oxygen_saturation")
AVA, MVA = "aortic_valve_area", "mitral_valve_area"
AORTIC, MITRAL = "aortic_valve_mean_gradient", "mitral_valve_mean_gradient"
VTI, STROKE = "lvot_velocity_time_integral", "stroke_volume"


@dataclass(frozen=True)
class Facts:
    readings: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]


@cache
def hidden() -> dict[str, float]:
    """Return what the hidden patient shows [SI]."""
    names = (*VITALS, AVA, MVA, AORTIC, MITRAL, VTI, STROKE)
    sought = unknowns(STENOSED.person, STENOSED.valves)
    z = np.array([[TRUE.get(p.name, 0.0) for p in sought]] * 2)
    shown = predictor(STENOSED.person, names, valves=STENOSED.valves)(z, np.zeros(0))[0]
    return dict(zip(names, shown.tolist(), strict=True))


def read(name: str) -> Observation:
    row = VOCABULARY[name]
    return Observation("p", name, T0, T0, hidden()[name], row.sigma, bias=row.bias, device="echo")


def folded(subject: Subject, *also: str) -> Twin:
    rows = tuple(read(n) for n in (*VITALS, *also))
    return fold(Facts(rows, (GOOD,) * len(rows)), subject, Release(members=96), LATER)


def coordinate(twin: Twin, name: str) -> tuple[float, float]:
    """Return mean and spread of an unknown, in prior standard deviations."""
    z = twin.belief.z[:, twin.unknowns.index(name)]
    return float(z.mean()), float(z.std(ddof=1))


def test_the_hidden_patient_is_one():
    seen = hidden()
    assert from_si(seen[AVA], "cm2") == pytest.approx(0.9, abs=0.05)
    assert 20.0 < from_si(seen[AORTIC], "mm[Hg]") < 50.0
    assert 1.0 < from_si(seen[MITRAL], "mm[Hg]") < 8.0
    area = 0.25 * np.pi * 0.022**2
    assert seen[VTI] * area == pytest.approx(seen[STROKE], rel=0.05)


@pytest.mark.parametrize(
    ("valve", "by", "left"),
    [("aortic_area", AVA, 0.4), ("aortic_area", AORTIC, 0.6),
     ("mitral_area", MVA, 0.4), ("mitral_area", MITRAL, 0.7)],
)  # fmt: skip
def test_an_area_or_a_gradient_moves_and_narrows_a_valve_to_the_truth(valve, by, left):
    subject = replace(SOUND, valves=(valve,))
    before, after = (coordinate(folded(subject, *n), valve) for n in ((), (by,)))
    assert after[1] < left * before[1]
    assert abs(after[0] - TRUE[valve]) < abs(before[0] - TRUE[valve])
    assert abs(after[0] - TRUE[valve]) < 2.0 * after[1]


def test_a_valve_whose_area_was_read_is_unknown_without_a_diagnosis():
    vitals = folded(SOUND)
    assert vitals.subject.valves == ()
    twin = folded(SOUND, AVA)
    assert twin.subject.valves == ("aortic_area",)
    kept = absorbed(vitals, [Reading(read(AVA))], LATER)
    assert kept.digest == twin.digest


def test_a_velocity_time_integral_informs_stroke_volume():
    said = [expected(t, t.belief.at, [STROKE]) for t in (folded(STENOSED), folded(STENOSED, VTI))]
    spread = [float(s.members[:, 0].std()) for s in said]
    off = [abs(s.range_of(STROKE).median - hidden()[STROKE]) for s in said]
    assert spread[1] < 0.8 * spread[0]
    assert off[1] < off[0]
