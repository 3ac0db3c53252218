"""What cannot all be true is named, and what may be is left alone."""

from __future__ import annotations

import pytest

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.quality.contradiction import contradictions

SYS, DIA, MAP = "systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"
EDV = "left_ventricular_end_diastolic_volume"
ESV = "left_ventricular_end_systolic_volume"
EF = "left_ventricular_ejection_fraction"


def told(*, at=0, device="d", **values):
    return [
        Observation("p", n, at, at, to_si(v, VOCABULARY[n].shown), VOCABULARY[n].sigma,
                    device=device, given=f"{v:g} {VOCABULARY[n].shown}")
        for n, v in values.items()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({SYS: 80, DIA: 120}, ("systolic pressure 80 mm[Hg]", "diastolic pressure 120")),
        ({SYS: 120, DIA: 80, MAP: 60}, ("mean arterial pressure 60", "outside")),
        ({SYS: 120, DIA: 80, MAP: 130}, ("mean arterial pressure 130",)),
        ({EDV: 100, ESV: 140}, ("end systolic volume 140 mL", "not below")),
        ({EDV: 150, ESV: 90, EF: 70}, ("70 %", "contradicts 40 %")),
        ({"stroke_volume": 80, "heart_rate": 70, "cardiac_output": 12}, ("12 L/min", "5.6 L/min")),
    ],
)
def test_a_contradiction_names_its_numbers(values, words):
    (said,) = contradictions(told(**values))
    assert all(w in said for w in words), said


@pytest.mark.parametrize(
    "values",
    [
        {},
        {SYS: 120, DIA: 80, MAP: 93},
        {EDV: 150, ESV: 90, EF: 40},
        {EDV: 150, ESV: 90, EF: 46},
        {EDV: 150, ESV: 0, EF: 99},
        {"stroke_volume": 80, "heart_rate": 70, "cardiac_output": 5.6},
        {SYS: 60, DIA: 20},
    ],
)
def test_the_alarming_and_the_noisy_are_no_contradiction(values):
    assert contradictions(told(**values)) == ()


def test_other_instants_and_devices_do_not_contradict():
    assert contradictions([*told(**{SYS: 80}), *told(at=1, **{DIA: 120})]) == ()
    assert contradictions([*told(**{SYS: 80}), *told(device="e", **{DIA: 120})]) == ()


def test_exchanged_values_are_named_once_and_in_order_of_time():
    late, early = (
        told(at=5, **{SYS: 80, DIA: 120, MAP: 90}),
        told(at=1, **{EDV: 90, ESV: 95, EF: 5}),
    )
    said = contradictions([*late, *early])
    assert [s.split()[0] for s in said] == ["left", "systolic"]
