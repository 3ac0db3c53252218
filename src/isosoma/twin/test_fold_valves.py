"""What an echo teaches a fold of valves, of the outflow tract and of a failing ventricle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from isosoma.core.observation import GOOD, Observation, Verdict
from isosoma.core.units import from_si, to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.infer.belief import Reading
from isosoma.organs.circulation.body import Person, theta_of
from isosoma.organs.circulation.predict import predictor, unknowns
from isosoma.twin.fold import Subject, Twin, absorbed, fold
from isosoma.twin.forecasting import expected
from isosoma.twin.release import Release

T0 = 1_790_000_000 * 10**9
LATER = T0 + 10**15
SOUND = Subject("p", Person())
STENOSED = replace(SOUND, freed=("aortic_area", "mitral_area"))
TRUE = {"aortic_area": -0.9, "mitral_area": 0.4, "lv_elastance": -1.2, "systemic_resistance": 0.8}
"""Coordinates of the hidden patient: an aortic valve of 0.9 cm2 and a weak heart."""
VITALS = ("systolic_pressure", "diastolic_pressure", "heart_rate", "oxygen_saturation")
AVA, MVA = "aortic_valve_area", "mitral_valve_area"
AORTIC, MITRAL = "aortic_valve_mean_gradient", "mitral_valve_mean_gradient"
VTI, STROKE, TRACT = "lvot_velocity_time_integral", "stroke_volume", "lvot_diameter"
EF, EDV = "left_ventricular_ejection_fraction", "left_ventricular_end_diastolic_volume"
NARROW = 0.85
"""Outflow tract of another hidden patient over the one that goes with the body's size."""


@dataclass(frozen=True)
class Facts:
    readings: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]


@cache
def hidden() -> dict[str, float]:
    """Return what the hidden patient shows [SI]."""
    names = (*VITALS, AVA, MVA, AORTIC, MITRAL, VTI, STROKE)
    sought = unknowns(STENOSED.person, STENOSED.freed)
    z = np.array([[TRUE.get(p.name, 0.0) for p in sought]] * 2)
    shown = predictor(STENOSED.person, names, freed=STENOSED.freed)(z, np.zeros(0))[0]
    return dict(zip(names, shown.tolist(), strict=True))


def read(name: str, value: float | None = None, at: int = T0) -> Observation:
    row = VOCABULARY[name]
    told = hidden()[name] if value is None else value
    return Observation("p", name, at, at, told, row.sigma, bias=row.bias, device="echo")


def folded(subject: Subject, *also: str | Observation) -> Twin:
    rows = tuple(read(n) if isinstance(n, str) else n for n in (*VITALS, *also))
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
    subject = replace(SOUND, freed=(valve,))
    before, after = (coordinate(folded(subject, *n), valve) for n in ((), (by,)))
    assert after[1] < left * before[1]
    assert abs(after[0] - TRUE[valve]) < abs(before[0] - TRUE[valve])
    assert abs(after[0] - TRUE[valve]) < 2.0 * after[1]


def test_a_valve_whose_area_was_read_is_unknown_without_a_diagnosis():
    vitals = folded(SOUND)
    assert vitals.subject.freed == ()
    twin = folded(SOUND, AVA)
    assert twin.subject.freed == ("aortic_area",)
    kept = absorbed(vitals, [Reading(read(AVA))], LATER)
    assert kept.digest == twin.digest


def test_a_velocity_time_integral_informs_stroke_volume():
    said = [expected(t, t.belief.at, [STROKE]) for t in (folded(STENOSED), folded(STENOSED, VTI))]
    spread = [float(s.members[:, 0].std()) for s in said]
    off = [abs(s.range_of(STROKE).median - hidden()[STROKE]) for s in said]
    assert spread[1] < 0.8 * spread[0]
    assert off[1] < off[0]


def test_a_diameter_turns_a_velocity_time_integral_into_this_patients_stroke_volume():
    long = read(VTI, hidden()[VTI] / NARROW**2)
    guessed = folded(STENOSED, long)
    measured = folded(STENOSED, long, read(TRACT, 0.022 * NARROW))
    assert measured.subject.freed == (*STENOSED.freed[:1], TRACT, *STENOSED.freed[1:])
    assert guessed.assumed == {TRACT: pytest.approx(0.022, rel=0.02)}
    assert measured.assumed == {}
    off, spread = list[float](), list[float]()
    for twin in (guessed, measured):
        said = expected(twin, twin.belief.at, [STROKE])
        off.append(abs(said.range_of(STROKE).median - hidden()[STROKE]))
        spread.append(float(said.members[:, 0].std()))
    assert off[1] < 0.5 * off[0]
    assert spread[1] < spread[0]
    assert [r.observation.bias for r in measured.first if r.observation.variable == VTI] == [0.0]


@pytest.mark.parametrize(
    ("name", "high", "low", "freed"),
    [
        (AORTIC, to_si(20.0, "mm[Hg]"), to_si(12.0, "mm[Hg]"), ("aortic_area",)),
        (MITRAL, to_si(5.0, "mm[Hg]"), to_si(2.0, "mm[Hg]"), ("mitral_area",)),
        (EF, 0.35, 0.55, ("lv_elastance", "lv_stiffness")),
    ],
)
def test_a_reading_of_disease_alone_frees_what_it_is_of(name, high, low, freed):
    sick = folded(SOUND, read(name, high))
    assert sick.subject.freed == freed
    assert folded(SOUND, read(name, low)).subject.freed == ()
    i = sick.unknowns.index(freed[0])
    prior = unknowns(SOUND.person, freed)[i].prior
    sound = theta_of(SOUND.person)[freed[0]]
    assert float(np.median(prior.real(sick.belief.z[:, i]))) < 0.8 * sound


def test_a_gradient_that_rises_later_frees_the_valve_then():
    late = T0 + 3 * 3_600 * 10**9
    early = folded(SOUND, read(AORTIC, to_si(8.0, "mm[Hg]")))
    rose = read(AORTIC, to_si(35.0, "mm[Hg]"), late)
    kept = absorbed(early, [Reading(rose)], LATER)
    assert (early.subject.freed, kept.subject.freed) == ((), ("aortic_area",))
    assert kept.digest == folded(SOUND, read(AORTIC, to_si(8.0, "mm[Hg]")), rose).digest


def test_a_withheld_reading_frees_nothing():
    loose = Verdict("a bad window", 0.1)
    rows = (*(read(n) for n in VITALS), read(AORTIC))
    twin = fold(Facts(rows, (GOOD,) * 4 + (loose,)), SOUND, Release(members=48), LATER)
    assert twin.subject.freed == ()


@pytest.mark.parametrize(
    ("fraction", "volume", "most"),
    [(0.35, 180e-6, 0.44), (0.25, 220e-6, 0.37)],
)
def test_a_failing_ventricle_is_believed(fraction, volume, most):
    twin = folded(SOUND, read(EF, fraction), read(EDV, volume))
    said = expected(twin, twin.belief.at, [EF]).range_of(EF)
    assert fraction - 0.05 < said.median < most
