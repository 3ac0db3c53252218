"""Each contradiction names both sides; what merely differs within its noise is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.patient_contradictions import among, body_contradiction, contradictions

PREFIX = "left_ventricular_"
EDV, ESV = PREFIX + "end_diastolic_volume", PREFIX + "end_systolic_volume"
EF = PREFIX + "ejection_fraction"
YEAR = to_si(1.0, "a")


def measured(sigma: float | None = None, **values: float) -> dict[str, Observation]:
    """Observations of one instant from numbers in the shown unit; `sigma` in the same."""
    found: dict[str, Observation] = {}
    for name, value in values.items():
        row = VOCABULARY[name]
        noise = row.sigma if sigma is None else to_si(sigma, row.shown)
        text = f"{value:g} {row.shown}"
        found[name] = Observation("p", name, 0, 0, to_si(value, row.shown), noise, given=text)
    return found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"systolic_pressure": 80, "diastolic_pressure": 120},
            ["diastolic_pressure of 120 mm[Hg] is not below systolic_pressure of 80 mm[Hg]"],
        ),
        (
            {"systolic_pressure": 80, "diastolic_pressure": 80},
            ["diastolic_pressure of 80 mm[Hg] is not below systolic_pressure of 80 mm[Hg]"],
        ),
        (
            {"systolic_pressure": 120, "mean_arterial_pressure": 121},
            ["mean_arterial_pressure of 121 mm[Hg] is above systolic_pressure of 120 mm[Hg]"],
        ),
        (
            {"diastolic_pressure": 70, "mean_arterial_pressure": 69},
            ["mean_arterial_pressure of 69 mm[Hg] is below diastolic_pressure of 70 mm[Hg]"],
        ),
        (
            {"systolic_pulmonary_pressure": 10, "diastolic_pulmonary_pressure": 25},
            [
                (
                    "diastolic_pulmonary_pressure of 25 mm[Hg] is not below "
                    "systolic_pulmonary_pressure of 10 mm[Hg]"
                )
            ],
        ),
        (
            {"systolic_pulmonary_pressure": 25, "mean_pulmonary_pressure": 30},
            [
                (
                    "mean_pulmonary_pressure of 30 mm[Hg] is above "
                    "systolic_pulmonary_pressure of 25 mm[Hg]"
                )
            ],
        ),
        ({EDV: 100, ESV: 120}, [f"{ESV} of 120 mL is not below {EDV} of 100 mL"]),
        (
            {
                "right_ventricular_end_diastolic_volume": 100,
                "right_ventricular_end_systolic_volume": 101,
            },
            [
                (
                    "right_ventricular_end_systolic_volume of 101 mL is not below "
                    "right_ventricular_end_diastolic_volume of 100 mL"
                )
            ],
        ),
        ({EDV: 60, "stroke_volume": 70}, [f"stroke_volume of 70 mL is above {EDV} of 60 mL"]),
        (
            {EDV: 120, ESV: 60, EF: 15},
            [f"{EDV} of 120 mL and {ESV} of 60 mL give 50.0 ± 7.9 %, against {EF} of 15 %"],
        ),
        (
            {"heart_rate": 70, "stroke_volume": 70, "cardiac_output": 9},
            [
                (
                    "heart_rate of 70 /min times stroke_volume of 70 mL is 4.90 ± 0.58 L/min, "
                    "against cardiac_output of 9 L/min"
                )
            ],
        ),
        (
            {"aortic_valve_area": 0.6, "aortic_valve_mean_gradient": 5, "stroke_volume": 80},
            [
                (
                    "aortic_valve_area of 0.6 cm2 and aortic_valve_mean_gradient of 5 mm[Hg] let "
                    "at most 30 mL pass, against stroke_volume of 80 mL"
                )
            ],
        ),
    ],
)
def test_both_sides_are_named(values, said):
    assert list(contradictions(measured(**values))) == said


def test_every_contradiction_of_an_instant_is_told():
    values = {"systolic_pressure": 80, "diastolic_pressure": 120, EDV: 60, "stroke_volume": 70}
    assert len(contradictions(measured(**values))) == 2


def test_what_is_measured_alone_contradicts_nothing():
    for name in VOCABULARY:
        low = VOCABULARY[name].low
        assert contradictions({name: Observation("p", name, 0, 0, low, 1.0)}) == ()


@given(
    st.floats(60, 200), st.floats(0.3, 0.9), st.floats(40, 180), st.floats(3, 10), st.floats(0, 1)
)
def test_a_consistent_heart_contradicts_nothing(edv, fraction, rate, sigma, mean):
    stroke = edv * fraction
    found = measured(
        sigma,
        **{EDV: edv, ESV: edv - stroke, EF: 100 * fraction},
        heart_rate=rate, stroke_volume=stroke, cardiac_output=rate * stroke / 1000,
        systolic_pressure=120, diastolic_pressure=80, mean_arterial_pressure=80 + 40 * mean * 0.999,
    )  # fmt: skip
    assert contradictions(found) == ()


@pytest.mark.parametrize(("off", "count"), [(2.9, 0), (3.1, 1), (-2.9, 0), (-3.1, 1)])
def test_a_stated_fraction_is_refused_beyond_three_combined_uncertainties(off, count):
    """EDV 100 ± 6 mL, ESV 50 ± 6 mL and EF ± 6 %: sigma of 1 - ESV/EDV is hypot(6, 3) %."""
    sigma = (6.0**2 + 6.0**2 + 3.0**2) ** 0.5
    found = measured(6.0, **{EDV: 100, ESV: 50, EF: 50 + off * sigma})
    assert len(contradictions(found)) == count


@pytest.mark.parametrize(("off", "count"), [(2.9, 0), (3.1, 1), (-2.9, 0), (-3.1, 1)])
def test_a_stated_output_is_refused_beyond_three_combined_uncertainties(off, count):
    """60 ± 2 /min times 70 ± 8 mL is 4.2 L/min with hypot(60 * 8, 70 * 2) mL/min = 0.5 L/min."""
    sigma = (0.5**2 + 0.5**2) ** 0.5
    found = measured(heart_rate=60, stroke_volume=70, cardiac_output=4.2 + off * sigma)
    assert len(contradictions(found)) == count


@given(st.floats(0.5, 4.0), st.floats(30, 120), st.floats(0.2, 0.4))
def test_no_true_valve_contradicts_its_gradient(area, stroke, lasts):
    """A half sine of flow through any area, in any ejection, has the gradient of 4 v^2 by mean."""
    mean_speed = stroke / area / lasts / 100.0  # [m/s]
    gradient = 3.975 * mean_speed**2 * math.pi**2 / 8.0
    if gradient < 250.0:
        found = measured(
            aortic_valve_area=area, aortic_valve_mean_gradient=gradient, stroke_volume=stroke
        )
        assert contradictions(found) == ()


def test_low_flow_through_a_narrow_valve_has_a_low_gradient():
    low = {"aortic_valve_area": 0.6, "aortic_valve_mean_gradient": 15.0}
    assert contradictions(measured(**low, stroke_volume=35)) == ()
    assert contradictions(measured(aortic_valve_area=0.6, aortic_valve_mean_gradient=5)) == ()


def test_an_empty_ventricle_divides_by_nothing():
    assert contradictions(measured(**{EDV: 0, ESV: 0, EF: 50})) == ()


def test_a_single_ventricle_may_send_on_more_than_the_left_one_holds():
    found = measured(**{EDV: 20, "stroke_volume": 60})
    assert len(contradictions(found)) == 1
    assert contradictions(found, left_is_systemic=False) == ()


@pytest.mark.parametrize(
    ("weight", "height", "age"),
    [
        (75, 1.76, 64 * YEAR),
        (0.5, 0.30, 0.0),
        (3.5, 0.50, 0.0),
        (10, 0.75, 1.0 * YEAR),
        (35, 1.75, 20 * YEAR),
        (250, 1.75, 40 * YEAR),
        (60, 1.0, 30 * YEAR),
        (75, None, None),
        (None, 1.76, None),
        (None, None, 64 * YEAR),
        (3.5, 0.5, None),
        (3.5, 0.5, -0.01 * YEAR),
    ],
)
def test_bodies_that_exist(weight, height, age):
    assert body_contradiction(weight, height, age) == ""


@pytest.mark.parametrize(
    ("weight", "height", "age", "said"),
    [
        (75, 0.76, None, "75 kg at a height of 76 cm is a body mass index of 130"),
        (20, 1.76, None, "a body mass index of 6.46 kg/m2 (it lies in 8 to 90)"),
        (0.7, 0.5, None, "a body mass index of 2.8 kg/m2 (it lies in 4 to 90)"),
        (3.5, 0.5, 64 * YEAR, "a weight of 3.5 kg does not go with an age of 64 a"),
        (None, 0.49, 64 * YEAR, "a height of 49 cm does not go with an age of 64 a"),
        (75, 1.76, 0.5 * YEAR, "a weight of 75 kg does not go with an age of 0.5 a"),
        (None, 1.76, 3 * YEAR, "a height of 176 cm does not go with an age of 3 a"),
    ],
)
def test_bodies_that_are_two_peoples(weight, height, age, said):
    assert said in body_contradiction(weight, height, age)


def _told(name: str, shown: float, at: int = 0, device: str = "d") -> Observation:
    row = VOCABULARY[name]
    value, given = to_si(shown, row.shown), f"{shown:g} {row.shown}"
    return Observation("p", name, at, at, value, row.sigma, device=device, given=given)


def test_other_instants_and_devices_do_not_contradict():
    high, low = _told("systolic_pressure", 80), "diastolic_pressure"
    assert among([high, _told(low, 120, at=1)]) == ()
    assert among([high, _told(low, 120, device="e")]) == ()
    assert len(among([high, _told(low, 120)])) == 1


def test_contradictions_come_in_order_of_time():
    late = [_told("systolic_pressure", 80, 5), _told("diastolic_pressure", 120, 5)]
    early = [_told(EDV, 95, 1), _told(ESV, 95, 1)]
    assert [s.partition("_")[0] for s in among([*late, *early])] == ["left", "diastolic"]
