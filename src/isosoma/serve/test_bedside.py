"""Of whom a twin can be made, and how old they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isosoma.core.errors import FormatError, RangeError, TimeError
from isosoma.core.units import to_si
from isosoma.exchange.patient_file import PatientFile
from isosoma.serve.bedside import age_at, check_body

NOW = 1_795_000_000 * 10**9  # 2026-11-18
WHOLE = PatientFile("p1", "f", None, to_si(61.0, "a"), 68.0, 1.65, (), ())


def test_weight_and_height_may_be_left_to_the_age():
    check_body(WHOLE, NOW)
    check_body(replace(WHOLE, weight=None, height=None), NOW)
    check_body(replace(WHOLE, age=None, born=-86_400 * 10**9), NOW)


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"sex": ""}, FormatError, "needs the sex"),
        ({"age": None}, FormatError, "needs an age"),
        ({"weight": 550.0}, RangeError, "weight of 550 lies outside"),
        ({"age": to_si(125.0, "a")}, RangeError, "age of 125 lies outside"),
        ({"age": None, "born": NOW + 86_400 * 10**9}, TimeError, "after the time asked for"),
    ],
)
def test_of_whom_no_twin_can_be_made(changed, kind, says):
    with pytest.raises(kind, match=says):
        check_body(replace(WHOLE, **changed), NOW)


@pytest.mark.parametrize(
    ("born", "age"),
    [("2026-11-18", 0.0), ("2026-05-18", 0.5), ("2025-01-01", 22 / 12), ("1965-11-19", 60.0),
     ("1965-11-18", 61.0)],
)  # fmt: skip
def test_age_counts_birthdays(born, age):
    assert age_at(born, NOW) == pytest.approx(age)
