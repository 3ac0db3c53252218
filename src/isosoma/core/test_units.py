from __future__ import annotations

import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import UnitError
from isosoma.core.units import convert, from_si, read_unit, to_si, ucum

_PINT = pint.UnitRegistry()
# UCUM atom -> the same unit in pint's words.
_WORDS = {
    "m": "meter", "g": "gram", "s": "second", "A": "ampere", "K": "kelvin", "mol": "mole",
    "cd": "candela", "Hz": "1/second", "N": "newton", "Pa": "pascal", "J": "joule", "W": "watt",
    "C": "coulomb", "V": "volt", "F": "farad", "Ohm": "ohm", "S": "siemens", "Wb": "weber",
    "T": "tesla", "H": "henry", "lm": "candela", "Gy": "gray", "Sv": "sievert", "kat": "katal",
    "L": "liter", "l": "liter", "bar": "bar", "eV": "electron_volt", "dyn": "dyne", "erg": "erg",
    "P": "poise", "cal": "calorie", "t": "metric_ton", "m[Hg]": "(1000 * mmHg)",
    "m[H2O]": "(100 * cmH2O)",
}  # fmt: skip
_PLAIN = {
    "min": "minute", "h": "hour", "d": "day", "wk": "week", "%": "percent", "deg": "degree",
    "atm": "atmosphere", "[psi]": "psi", "[in_i]": "inch", "[ft_i]": "foot", "[lb_av]": "pound",
    "[oz_av]": "ounce",
}  # fmt: skip
_PREFIX = {
    "": 1,
    "k": 1e3,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "d": 1e-1,
    "c": 1e-2,
    "M": 1e6,
    "da": 10,
}


@st.composite
def _units(draw: st.DrawFn) -> tuple[str, str]:
    """A random product of atoms as (UCUM, pint)."""
    code, words = "", ""
    for i in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            atom = draw(st.sampled_from(sorted(_WORDS)))
            prefix = draw(st.sampled_from(sorted(_PREFIX)))
            symbol, word = prefix + atom, f"({_PREFIX[prefix]} * {_WORDS[atom]})"
        else:
            symbol = draw(st.sampled_from(sorted(_PLAIN)))
            word = _PLAIN[symbol]
        exponent = draw(st.sampled_from([-2, -1, 1, 2, 3]))
        operator = draw(st.sampled_from(["/", "."])) if i else draw(st.sampled_from(["", "/"]))
        sign = -1 if operator == "/" else 1
        code += operator + symbol + (str(exponent) if exponent != 1 else "")
        words += (" * " if i else "") + f"{word} ** {sign * exponent}"
    return code, words


@given(_units())
def test_agrees_with_pint(unit):
    code, words = unit
    if len(code) > 64:
        return
    ours = ucum(code)
    theirs = _PINT.parse_expression(words).to_base_units()
    grams = ours.dimensions[1]  # pint's mks base is the kilogram as well
    assert grams == theirs.dimensionality.get("[mass]", 0)
    assert ours.dimensions[0] == theirs.dimensionality.get("[length]", 0)
    assert ours.dimensions[2] == theirs.dimensionality.get("[time]", 0)
    assert ours.dimensions[3] == theirs.dimensionality.get("[current]", 0)
    assert ours.dimensions[4] == theirs.dimensionality.get("[temperature]", 0)
    assert ours.dimensions[5] == theirs.dimensionality.get("[substance]", 0)
    # pint's mmHg and cmH2O are rounded in their table: 1e-5 covers five of them multiplied
    assert math.isclose(ours.factor, float(theirs.magnitude), rel_tol=2e-4)


@pytest.mark.parametrize(
    ("code", "value", "si"),
    [
        ("mm[Hg]", 120.0, 15998.6864898),
        ("/min", 72.0, 1.2),
        ("{beats}/min", 72.0, 1.2),
        ("mg/dL", 100.0, 1.0),
        ("10*9/L", 5.0, 5e12),
        ("mL/min/{1.73_m2}", 60.0, 1e-6),
        ("Cel", 37.0, 310.15),
        ("[degF]", 98.6, 310.15),
        ("kg/(m.s2)", 3.0, 3.0),
        ("m/s/s", 2.0, 2.0),
        ("%", 97.0, 0.97),
        ("U/L", 60.0, 1e-3),
        ("cm[H2O]", 1.0, 98.0665),
        ("dyn.s/cm5", 1.0, 1e5),
        ("ug/kg/min", 6.0, 1e-10),
        ("1", 5.0, 5.0),
        ("{tbl}", 2.0, 2.0),
    ],
)
def test_known_units(code, value, si):
    assert to_si(value, code) == pytest.approx(si, rel=1e-9)
    assert from_si(si, code) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    "code",
    ["", " ", "m/", "/", "(m", "m)", "m..s", "foo", "mm[Hg", "Cel/s", "kCel", "m s", "m99", "2m",
     "MM[HG]", "µm", "m\n", "((((((", "m" * 65, "{a", "a}", "m{a}{", "10*999",
     "mmHg", "/0", "0", "Ym20", "/ym20"],
)  # fmt: skip
def test_refuses_what_is_no_unit(code):
    with pytest.raises(UnitError):
        ucum(code)


@given(st.text(max_size=70))
def test_never_fails_otherwise(text):
    try:
        unit = read_unit(text)
    except UnitError:
        return
    assert unit.factor > 0.0


def test_words_of_devices():
    assert read_unit("mmHg") == ucum("mm[Hg]")
    assert read_unit(" bpm ") == ucum("/min")
    assert read_unit("°C").offset == 273.15
    assert read_unit("C").dimensions == ucum("C").dimensions  # coulomb, as UCUM says


def test_mass_to_amount_needs_the_molar_mass():
    glucose = 0.18016
    assert convert(90.0, "mg/dL", "mmol/L", glucose) == pytest.approx(4.9956, abs=1e-4)
    assert convert(5.0, "mmol/L", "mg/dL", glucose) == pytest.approx(90.08, abs=1e-9)
    with pytest.raises(UnitError, match="different things"):
        convert(90.0, "mg/dL", "mmol/L")
    with pytest.raises(UnitError):
        convert(90.0, "mm[Hg]", "mmol/L", glucose)
    with pytest.raises(UnitError):
        convert(1.0, "[iU]/L", "mol/L")
