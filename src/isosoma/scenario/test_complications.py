"""Predicates know age, physiology and the own baseline; their delay and hysteresis hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isosoma.core.errors import InputError
from isosoma.core.units import to_si
from isosoma.organs.circulation.anatomy import REWIRINGS, adult
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.scenario.complication_table import complications, read_complications
from isosoma.scenario.complications import Finding, found_in, physiology_of

ADULT, NEWBORN = Person(), Person(0.0, 3.5, 0.5)
EVERY = 5.0
USUAL = {
    "mean_arterial_pressure": (95.0, "mm[Hg]"), "diastolic_pressure": (75.0, "mm[Hg]"),
    "left_atrial_pressure": (8.0, "mm[Hg]"), "central_venous_pressure": (4.0, "mm[Hg]"),
    "left_ventricular_systolic_pressure": (120.0, "mm[Hg]"), "cardiac_output": (5.5, "L/min"),
    "stroke_volume": (80.0, "mL"), "oxygen_saturation": (97.0, "%"),
    "pulmonary_to_systemic_flow": (1.0, "1"), "contractile_reserve": (1.0, "1"),
    "left_ventricular_end_diastolic_volume": (140.0, "mL"),
    "left_ventricular_end_systolic_volume": (60.0, "mL"), "coronary_opening": (100.0, "%"),
}  # fmt: skip
SMALL = {
    "mean_arterial_pressure": (50.0, "mm[Hg]"), "diastolic_pressure": (38.0, "mm[Hg]"),
    "cardiac_output": (0.7, "L/min"), "left_ventricular_systolic_pressure": (70.0, "mm[Hg]"),
}  # fmt: skip


def _met(
    change: dict[str, tuple[Any, str]], person: Person = ADULT, physiology: str = "biventricular",
    rest: dict[str, tuple[float, str]] | None = None, minutes: float = 5.0,
) -> dict[str, Finding]:  # fmt: skip
    """Return what one member met whose course is at rest but for `change` (values over time)."""
    base = dict.fromkeys(OUTPUTS, 0.0)
    base |= {n: to_si(*v) for n, v in {**USUAL, **(rest or {})}.items()}
    times = np.arange(1, round(60.0 * minutes / EVERY) + 1) * EVERY
    course = {n: np.full((len(times), 1), v) for n, v in base.items()}
    for name, (values, unit) in change.items():
        course[name][:, 0] = [to_si(v, unit) for v in np.broadcast_to(values, len(times))]
    baseline = {n: np.array([v]) for n, v in base.items()}
    found = found_in(times, course, baseline, person, physiology, complications())
    return {f.predicate.name: f for f in found if f.raised[0]}


def _dip(low: float, usual: float, seconds: float, frames: int = 60) -> np.ndarray:
    """Return values at rest, low for a while from a minute on, then at rest."""
    at = np.arange(1, frames + 1) * EVERY
    return np.where((at > 60.0) & (at <= 60.0 + seconds), low, usual)


def test_nothing_is_found_at_rest():
    assert _met({}) == {}
    assert _met({}, NEWBORN, rest=SMALL) == {}


def test_a_newborns_pressure_of_45_is_its_normal_and_an_adults_is_not():
    course = {"mean_arterial_pressure": (45.0, "mm[Hg]")}
    assert "low pressure" not in _met(course, NEWBORN, rest=SMALL)
    assert "low pressure" in _met(course)
    assert "low pressure" in _met({"mean_arterial_pressure": (33.0, "mm[Hg]")}, NEWBORN, rest=SMALL)


def test_a_glenns_saturation_of_80_is_its_normal_and_a_biventricular_ones_is_not():
    blue = {"oxygen_saturation": (80.0, "%")}
    course = {"oxygen_saturation": (79.0, "%")}
    assert "desaturation" not in _met(course, physiology="glenn", rest=blue)
    assert "desaturation" in _met(course)
    assert "desaturation" in _met({"oxygen_saturation": (68.0, "%")}, physiology="glenn", rest=blue)


def test_a_hypertensive_is_low_earlier_than_the_ages_limit():
    high = {"mean_arterial_pressure": (120.0, "mm[Hg]")}
    course = {"mean_arterial_pressure": (80.0, "mm[Hg]")}
    assert "low pressure" in _met(course, rest=high)
    assert "low pressure" not in _met(course)


def test_a_short_fall_is_a_near_miss_and_a_longer_one_is_found_when_it_has_lasted():
    name, unit = "mean_arterial_pressure", "mm[Hg]"
    assert "low pressure" not in _met({name: (_dip(60.0, 95.0, 55.0), unit)})
    found = _met({name: (_dip(60.0, 95.0, 90.0), unit)})["low pressure"]
    assert found.first[0] == 125.0, "a minute after the first frame below"
    assert found.worst[0] == pytest.approx(to_si(60.0, unit))
    assert not found.before[0]


def test_who_is_lost_while_arresting_has_died_and_who_is_lost_alive_has_not():
    at = np.arange(1, 61) * EVERY
    falling = np.where(at < 100.0, 95.0, np.where(at < 110.0, 10.0, np.nan))
    found = _met({"mean_arterial_pressure": (falling, "mm[Hg]")})
    assert found["arrest"].first[0] == 105.0
    lost = np.where(at < 110.0, 95.0, np.nan)
    assert "arrest" not in _met({"mean_arterial_pressure": (lost, "mm[Hg]")})


def test_what_was_there_before_any_act_is_said():
    shock = {"mean_arterial_pressure": (45.0, "mm[Hg]")}
    found = _met({}, rest=shock)["low pressure"]
    assert found.before[0], "nobody's act brought it"


@pytest.mark.parametrize(
    ("name", "measure", "value", "unit", "fine"),
    [
        ("low coronary perfusion", "diastolic_pressure", 40.0, "mm[Hg]", 60.0),
        ("left ventricle overloaded", "left_ventricular_systolic_pressure", 230.0, "mm[Hg]", 180.0),
        ("pulmonary oedema", "left_atrial_pressure", 30.0, "mm[Hg]", 20.0),
        ("low output", "cardiac_output", 3.0, "L/min", 4.5),
        ("lung overflow", "pulmonary_to_systemic_flow", 2.2, "1", 1.3),
        ("lung underflow", "pulmonary_to_systemic_flow", 0.5, "1", 0.9),
        ("heart starved", "contractile_reserve", 0.7, "1", 0.92),
        ("gradient left over", "aortic_valve_mean_gradient", 35.0, "mm[Hg]", 12.0),
        ("mitral leak left over", "mitral_regurgitant_volume", 40.0, "mL", 10.0),
        ("aortic leak left over", "aortic_regurgitant_volume", 60.0, "mL", 10.0),
        ("arrest", "mean_arterial_pressure", 12.0, "mm[Hg]", 90.0),
    ],
)
def test_each_complication_is_found_and_its_near_miss_is_not(name, measure, value, unit, fine):
    assert name in _met({measure: (value, unit)})
    assert name not in _met({measure: (fine, unit)})


def test_limits_of_flow_and_veins_are_those_of_the_physiology():
    flow = {"pulmonary_to_systemic_flow": (0.6, "1")}
    assert "lung underflow" in _met(flow)
    assert "lung underflow" not in _met(flow, physiology="glenn", rest=flow)
    high = {"central_venous_pressure": (20.0, "mm[Hg]")}
    assert "cavae congested" not in _met(high), "not looked for in two ventricles"
    assert "cavae congested" in _met(high, physiology="fontan")


def test_a_valves_own_ventricle_is_used_to_its_pressure():
    stenosed = {"left_ventricular_systolic_pressure": (200.0, "mm[Hg]")}
    course = {"left_ventricular_systolic_pressure": (230.0, "mm[Hg]")}
    assert "left ventricle overloaded" not in _met(course, rest=stenosed)


def test_the_graph_tells_the_physiology():
    graph = adult()
    assert physiology_of(graph) == "biventricular"
    told = {name: physiology_of(REWIRINGS[name](graph)) for name in
            ("vsd", "asd", "pda", "bt_shunt", "sano", "glenn", "fontan")}  # fmt: skip
    assert told == {
        "vsd": "shunt", "asd": "shunt", "pda": "shunt", "bt_shunt": "norwood", "sano": "norwood",
        "glenn": "glenn", "fontan": "fontan",
    }  # fmt: skip


ROW = """
[complication."low rate"]
meaning = "m"
measure = "heart_rate"
beyond = "below"
of = "highest"
level = { fixed = "40 /min" }
source = "s (unverified)"
"""


def test_a_table_of_ones_own_is_read():
    only = read_complications(ROW).predicates
    assert [(p.name, p.level[0].value) for p in only] == [("low rate", to_si(40.0, "/min"))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("heart_rate", "heart_beat"), "low rate.*nobody measures 'heart_beat'"),
        (("40 /min", "40 mL"), "low rate.*not measured in"),
        (("40 /min", "forty"), "low rate"),
        (('fixed = "40 /min"', 'age = "none"'), r"no \[ages.none\]"),
        (('"below"', '"under"'), "Write above or below"),
        (("source", "sauce"), "sauce is not read"),
        (("level", "only = ['eel']\nlevel"), "eel is no physiology"),
        (("[complication.", "[complications."), "complications is not read"),
        ((ROW, ""), "it holds no complication"),
        (("meaning", "meaning ="), "no TOML"),
    ],
)  # fmt: skip
def test_a_faulty_table_is_told(change, said):
    with pytest.raises(InputError, match=said):
        read_complications(ROW.replace(*change))


def test_every_limit_names_its_source():
    table = complications()
    assert all(p.source and p.meaning for p in table.predicates)
    assert all(a.source for a in table.ages.values())
