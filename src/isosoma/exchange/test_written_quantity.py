"""Quantities as people write them: any unit of the variable, and never a number alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, InputError, RangeError, UnitError
from isosoma.core.units import convert
from isosoma.core.vocabulary import VOCABULARY
from isosoma.exchange.written_quantity import Written, named, read_written, sigma_of, value_of

VOLUME = VOCABULARY["left_ventricular_end_diastolic_volume"]
FRACTION = VOCABULARY["left_ventricular_ejection_fraction"]
GLUCOSE = VOCABULARY["glucose"]

units = {
    "systolic_pressure": ["mm[Hg]", "kPa", "cm[H2O]", "Pa"],
    "left_ventricular_end_diastolic_volume": ["mL", "L", "cm3"],
    "cardiac_output": ["L/min", "mL/s", "m3/h"],
    "glucose": ["mg/dL", "mmol/L"],
    "heart_rate": ["/min", "Hz", "/s"],
    "body_height": ["cm", "m", "[in_i]"],
    "haemoglobin": ["g/dL", "g/L"],
}


@given(st.data(), st.sampled_from(sorted(units)), st.sampled_from(["+-", "±", "+/-"]))
def test_a_value_comes_back_from_every_unit_it_is_written_in(data, name, sign):
    row = VOCABULARY[name]
    value = data.draw(st.floats(max(row.low, row.high * 1e-6), row.high))
    sigma = data.draw(st.floats((row.high - row.low) * 1e-6, (row.high - row.low) * 0.99))
    for unit in units[name]:
        mass = row.molar_mass or None
        here, spread = (convert(x, row.unit, unit, mass) for x in (value, sigma))
        text = f"{here:.17e} {unit} {sign} {spread:.17e} {unit}"
        written = read_written(text, row.shown)
        assert written.unit == written.spread_unit == unit
        if row.low < value < row.high:  # the bounds may be left by one rounding
            assert value_of(row, written) == pytest.approx(value, rel=1e-12)
        assert sigma_of(row, written) == pytest.approx(sigma, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("75 kg", 75.0, "kg"),
        ("  75   kg ", 75.0, "kg"),
        ("75kg", 75.0, "kg"),
        ("55%", 55.0, "%"),
        ("70/min", 70.0, "/min"),
        ("-3.5 mmHg", -3.5, "mm[Hg]"),
        ("72 bpm", 72.0, "/min"),
        ("37.2°C", 37.2, "Cel"),
        (".5 mg/dl", 0.5, "mg/dL"),
        ("5 10*9/L", 5.0, "10*9/L"),
        ("1.2 1", 1.2, "1"),
        ("1e2 mL", 100.0, "mL"),
    ],
)
def test_number_and_unit_in_one_text(text, value, unit):
    found = read_written(text, "x")
    assert (found.value, found.unit, found.spread, found.spread_unit) == (value, unit, 0.0, "")
    assert found.given.endswith(f" {unit}")


def test_an_uncertainty_has_a_unit_of_its_own():
    written = read_written("0.12 L ± 8 mL", "mL")
    assert written == Written(0.12, "L", 8.0, "mL", "0.12 L")
    assert value_of(VOLUME, written) == pytest.approx(120e-6)
    assert sigma_of(VOLUME, written) == pytest.approx(8e-6)


def test_one_unit_at_the_end_counts_for_both():
    assert read_written("120 ± 8 mL", "mL") == Written(120.0, "mL", 8.0, "mL", "120 mL")
    assert read_written("42+-5%", "%") == Written(42.0, "%", 5.0, "%", "42 %")
    temperature = read_written("37 ± 0.5 °C", "Cel")
    assert value_of(VOCABULARY["body_temperature"], temperature) == pytest.approx(310.15)
    assert sigma_of(VOCABULARY["body_temperature"], temperature) == pytest.approx(0.5)


def test_an_uncertainty_of_a_temperature_is_a_difference():
    row = VOCABULARY["body_temperature"]
    assert sigma_of(row, read_written("98.6 [degF] +- 0.9 [degF]", "Cel")) == pytest.approx(0.5)
    assert sigma_of(row, read_written("37 °C +- 0.5 K", "Cel")) == pytest.approx(0.5)


def test_an_uncertainty_goes_through_the_molar_mass_as_its_value_does():
    written = read_written("90 mg/dL +- 0.5 mmol/L", "mg/dL")
    assert value_of(GLUCOSE, written) == pytest.approx(90 / 18.016)
    assert sigma_of(GLUCOSE, written) == pytest.approx(0.5)


def test_the_rows_own_uncertainty_counts_where_none_is_stated():
    assert sigma_of(VOLUME, read_written("120 mL", "mL")) == VOLUME.sigma > 0.0


def test_a_row_without_one_asks_for_it():
    row = VOCABULARY["contractile_reserve"]
    assert row.sigma == 0.0
    with pytest.raises(UnitError, match=r'no usual uncertainty.*"80 % \+- NUMBER %"'):
        sigma_of(row, read_written("80%", "%"))
    assert sigma_of(row, read_written("80 % +- 5 %", "%")) == pytest.approx(0.05)


@pytest.mark.parametrize("found", [75, 75.0, math.nan, math.inf, "75", " 7.5e1 ", "75 mL +- 8"])
def test_a_bare_number_is_refused(found):
    with pytest.raises(UnitError, match=r'has no unit.*quoted text, like "NUMBER mL"'):
        read_written(found, "mL")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (True, "true is no quantity"),
        ([1], "a list is no quantity"),
        ({"a": 1}, "a table is no quantity"),
        ("", "is no number with a unit"),
        ("kg", "is no number with a unit"),
        ("kg 75", "is no number with a unit"),
        ("nan mL", "is no number with a unit"),
        ("inf mL", "is no number with a unit"),
        ("0x10 mL", "unit"),
        ("1,76 m", "with a point for the decimals"),
        ("1 200 mL", "unit"),
        ("120/80 mmHg", "unit"),
        ("1e999 mL", "unit"),
        ("7.5.1 mL", "is no number with a unit"),
        ("٧٥ kg", "is no number with a unit"),
        ("120 mL +- 8 mL +- 2 mL", "two uncertainties"),
        ("120 mL +-", "is no number with a unit"),
        ("+- 8 mL", "is no number with a unit"),
        ("75 years", "unit"),
        ("75 KG", "unit"),
        ("5 " + "m" * 300, "too long"),
    ],
)
def test_what_is_no_quantity_is_told(found, says):
    with pytest.raises((FormatError, UnitError), match=says):
        read_written(found, "mL")


@pytest.mark.parametrize("spread", ["0 mL", "-8 mL", "-0.0 mL"])
def test_an_uncertainty_is_positive(spread):
    with pytest.raises(RangeError, match="is not positive"):
        read_written(f"120 mL +- {spread}", "mL")


def test_an_uncertainty_in_another_dimension_is_no_share_of_the_value():
    with pytest.raises(UnitError, match="an uncertainty in '%' is none of a value in 'mL'"):
        sigma_of(VOLUME, read_written("120 mL +- 8 %", "mL"))
    assert sigma_of(FRACTION, read_written("50 % +- 8 %", "%")) == pytest.approx(0.08)


def test_an_uncertainty_wider_than_the_possible_is_a_slip():
    with pytest.raises(RangeError, match=r"uncertainty of 120 mL is wider than all"):
        sigma_of(VOLUME, read_written("120 mL +- 8 L", "mL"))


@pytest.mark.parametrize("text", ["-5 mL", "3 L", "1e99 L"])
def test_the_impossible_is_refused(text):
    with pytest.raises(RangeError, match=r"LVEDV of .* is not possible"):
        value_of(VOLUME, read_written(text, "mL"))


def test_another_dimension_is_refused():
    with pytest.raises(UnitError, match="measure different things"):
        value_of(VOLUME, read_written("120 mmHg", "mL"))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    try:
        found = read_written(text, "mL")
    except InputError as error:
        said = error.what
    else:
        said = found.given
        assert math.isfinite(found.value)
    assert said


def test_names_are_short_whatever_was_found():
    assert len(named("x" * 10**6)) < 50
    assert named(1 << 100_000) == "a long number"
    assert named(False) == "false"
    assert named(1.5) == "1.5"
