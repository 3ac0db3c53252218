"""A patient file in words: read with units, and refused with field and advice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import InputError
from isosoma.exchange.patient_file import age_at, read_patient

NOW = 1_795_000_000 * 10**9  # November 2026
BODY = 'id = "p1"\nsex = "female"\n'
WHOLE = (
    BODY
    + """born = 1965-03-02
weight = "68 kg"
height = "165 cm"
conditions = ["aortic stenosis"]

[[measured]]
at = 2026-11-18T10:30:00+01:00
by = "echo"
left_ventricular_end_diastolic_volume = "130 mL"
left_ventricular_ejection_fraction = "42 ± 5 %"
"""
)


def read(tmp_path, text):
    path = tmp_path / "patient.toml"
    path.write_text(text, "utf-8")
    return read_patient(path, NOW)


def test_everything_said_is_read_in_si(tmp_path):
    found = read(tmp_path, WHOLE)
    assert (found.patient, found.sex, found.born, found.age) == ("p1", "female", "1965-03-02", 0.0)
    assert (found.weight, found.height) == (68.0, pytest.approx(1.65))
    volume, fraction = found.observations
    assert volume.value == pytest.approx(130e-6)
    assert (fraction.value, fraction.sigma) == (pytest.approx(0.42), pytest.approx(0.05))
    assert volume.sigma > 0.0, "an ordinary device's"
    assert (volume.device, volume.given, volume.zone) == ("echo", "130 mL", 60)
    assert volume.at == fraction.at == 1_794_994_200 * 10**9
    assert found.body["conditions"] == ["aortic stenosis"]


def test_an_age_is_read_in_any_unit_of_time(tmp_path):
    years = 365.25 * 86400.0
    assert read(tmp_path, BODY + 'age = "61 a"').age == pytest.approx(61 * years)
    assert read(tmp_path, BODY + 'age = "6 mo"').age == pytest.approx(0.5 * years)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "no TOML"),
        (BODY, "either born or age"),
        (BODY + 'born = 1965-03-02\nage = "61 a"', "either born or age"),
        (BODY + 'born = "1965-03-02"', "no date"),
        (BODY + "born = 2030-01-01", "after the time"),
        (BODY + "born = 1850-01-01", "120 years"),
        (BODY + 'age = "61"', "has no unit"),
        (BODY + "age = 61", "no quantity"),
        (BODY + 'age = "61 kg"', "is in kg"),
        (BODY + 'age = "-1 a"', "outside 0 to 120"),
        ('id = ""\nsex = "male"', "no id"),
        ('id = "p"\nsex = "m"', "neither female nor male"),
        (WHOLE + 'shoe = "1 kg"\n', "no variable 'shoe'"),
        (WHOLE.replace("68 kg", "6800 kg"), "lies outside"),
        (WHOLE.replace("68 kg", "68 cm"), "Give it in kg"),
        (WHOLE.replace("130 mL", "130"), "left_ventricular_end_diastolic_volume"),
        (WHOLE.replace("130 mL", "130 %"), "left_ventricular_end_diastolic_volume"),
        (WHOLE.replace("42 ± 5 %", "142 %"), "is not possible"),
        (WHOLE.replace("42 ± 5 %", "1e999 %"), "is not possible"),
        (WHOLE.replace("42 ± 5 %", "nan %"), "no quantity"),
        (WHOLE.replace("+01:00", ""), "with a zone"),
        (WHOLE.replace('by = "echo"\n', ""), "by what"),
        (WHOLE.replace("[[measured]]", "[measured]"), "no table"),
        (WHOLE.replace('["aortic stenosis"]', "[1]"), "no list of words"),
        (WHOLE.replace("weight", "mass"), "has no 'mass'"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(tmp_path, text, says):
    with pytest.raises(InputError, match=r"patient\.toml") as error:
        read(tmp_path, text)
    assert says in str(error.value)


def test_a_name_misspelt_is_guessed_in_the_advice_only(tmp_path):
    with pytest.raises(InputError, match="Write haemoglobin if that is meant"):
        read(tmp_path, WHOLE + 'hemoglobin = "12 g/dL"\n')


def test_bytes_and_sizes_are_refused(tmp_path):
    path = tmp_path / "patient.toml"
    for body, says in ((b"\xff\xfe", "UTF-8"), (b"#" * (1 << 21), "1 MiB")):
        path.write_bytes(body)
        with pytest.raises(InputError, match=says):
            read_patient(path, NOW)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "patient.toml"
    path.write_text(BODY + text, "utf-8", errors="replace")
    with pytest.raises(InputError):
        read_patient(path, NOW)


@pytest.mark.parametrize(
    ("born", "age"),
    [("2026-11-18", 0.0), ("2026-05-18", 0.5), ("2025-01-01", 22 / 12), ("1965-11-19", 60.0),
     ("1965-11-18", 61.0)],
)  # fmt: skip
def test_age_counts_birthdays(born, age):
    assert age_at(born, NOW) == pytest.approx(age)
