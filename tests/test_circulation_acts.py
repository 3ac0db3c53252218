"""What is done to a circulation moves pressures, flow and oxygen the way it does in people.

Directions and sizes: the reference cited in docs/circulation.md; the healthy adult is the same run
for all, an act begins at once, and an index is the mean of four looks over two breaths.
"""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.twin.course import Running, beginning, follow, settled

PERSON = Person()
LOOK = 60.0 / 14.0 / 6.0
"""A sixth of a breath [s]: half ones keep pace with the beats, and their mean with neither."""
SHORT = {"MAP": "mean_arterial_pressure", "CO": "cardiac_output", "HR": "heart_rate",
         "SpO2": "oxygen_saturation", "CVP": "central_venous_pressure",
         "QpQs": "pulmonary_to_systemic_flow", "DBP": "diastolic_pressure", "Hb": "haemoglobin",
         "gradient": "aortic_valve_mean_gradient", "leak": "mitral_regurgitant_volume",
         "LAP": "left_atrial_pressure", "SV": "stroke_volume",
         "strength": "contractile_reserve"}  # fmt: skip


def begun(model=None, **changed) -> Running:
    theta = {k: np.array([v]) for k, v in theta_of(PERSON).items()} | changed
    return settled(beginning(model or Circulation(), theta, inputs_of(PERSON)), 120.0)


@pytest.fixture(scope="module")
def healthy():
    return begun()


def indices(course):
    """Means over the last two breaths, by short name, arrays of shape (1,)."""
    return {short: course.output(name)[-12:].mean(axis=0) for short, name in SHORT.items()}


def done(run, *texts, seconds=60.0):
    course = follow(run, interventions(read_acts(texts), PERSON), seconds, LOOK)
    assert not course.end.failed.any()
    return indices(course)


def ratio(run, *texts, seconds=60.0):
    """Every index after the acts, over what it is without them at the same time."""
    before, after = done(run, seconds=seconds), done(run, *texts, seconds=seconds)
    return {k: float(after[k][0] / before[k][0]) for k in after}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("bleed 1 L in 1 min", {"MAP": (0.80, 0.98), "CO": (0.6, 0.95), "HR": (1.02, 1.4),
                                "CVP": (-1.0, 0.7)}),
        ("fluid 500 mL in 1 min", {"CO": (1.01, 1.2), "CVP": (1.2, 4.0), "HR": (0.8, 0.999),
                                   "Hb": (0.8, 0.95)}),
        ("transfuse 500 mL in 1 min", {"CO": (1.01, 1.2), "CVP": (1.2, 4.0), "Hb": (1.02, 1.1)}),
        ("phenylephrine 100 ug", {"MAP": (1.05, 1.3), "HR": (0.75, 0.98), "CO": (0.7, 0.98)}),
        ("norepinephrine 0.1 ug/kg/min", {"MAP": (1.01, 1.4), "HR": (0.7, 0.99)}),
        ("epinephrine 10 ug", {"MAP": (1.2, 1.6), "HR": (1.2, 1.6), "CO": (1.1, 1.6)}),
        ("esmolol 50 mg", {"HR": (0.8, 0.99), "CO": (0.7, 0.98), "MAP": (0.8, 0.99)}),
        ("remifentanil 100 ug", {"HR": (0.5, 0.97), "MAP": (0.6, 0.995)}),
        ("induction ventilated", {"MAP": (0.5, 0.85), "CO": (0.5, 0.95)}),
        ("induction", {"SpO2": (0.5, 0.93), "MAP": (0.5, 0.9)}),
        ("apnoea", {"SpO2": (0.5, 0.9)}),
        ("fio2 100 %", {"SpO2": (1.01, 1.05), "MAP": (0.99, 1.01)}),
        ("fio2 12 %", {"SpO2": (0.4, 0.9)}),
        ("peep 10 cm[H2O]", {"CO": (0.85, 0.98), "CVP": (1.3, 4.0)}),
        ("ventilate 12 /min tidal 500 mL", {"CO": (0.7, 0.95), "SpO2": (0.98, 1.03)}),
        ("pace 110 /min", {"HR": (1.5, 1.7), "MAP": (1.0, 1.2)}),
        ("atrial fibrillation", {"CO": (0.7, 0.95)}),
        ("tamponade 400 mL in 10 s", {"MAP": (0.4, 0.95), "CO": (0.2, 0.7), "CVP": (2.0, 9.0),
                                      "HR": (1.2, 2.0)}),
        ("lift heart", {"CO": (0.5, 0.9), "MAP": (0.7, 0.97), "CVP": (1.2, 4.0)}),
        ("clamp aorta for 5 s", {"MAP": (0.9, 1.2)}),
        ("cardioplegia", {"CO": (-0.1, 0.05), "MAP": (0.0, 0.3)}),
    ],
)  # fmt: skip
def test_an_act_moves_what_it_moves_in_people(healthy, act, expected):
    got = ratio(healthy, act)
    missed = {k: got[k] for k, (low, high) in expected.items() if not low <= got[k] <= high}
    assert missed == {}


@pytest.mark.parametrize(
    ("acts", "restored"),
    [
        (("pace 110 /min", "stop pacing at 30 s"), ("HR", "CO", "MAP")),
        (("atrial fibrillation", "cardiovert at 30 s"), ("CO", "MAP")),
        (("tamponade 400 mL in 10 s", "drain tamponade in 10 s at 30 s"), ("CO", "MAP")),
        (("peep 15 cm[H2O]", "breathe at 30 s"), ("CO", "CVP")),
        (("apnoea", "breathe at 20 s"), ("SpO2",)),
        (("clamp aorta", "release aorta at 10 s"), ("MAP",)),
        (("phenylephrine 20 ug/min for 1 min",), ("MAP",)),
        (("bypass 3 L/min for 20 s",), ("MAP", "CO")),
    ],
)
def test_what_is_taken_back_is_gone(healthy, acts, restored):
    got = ratio(healthy, *acts, seconds=240.0)
    assert {k: got[k] for k in restored if abs(got[k] - 1.0) > 0.06} == {}


def test_the_blood_that_is_bled_is_the_blood_that_is_missing(healthy):
    course = follow(healthy, interventions(read_acts(["bleed 500 mL in 30 s"]), PERSON), 60.0)
    model = course.end.model
    before = model.conserved(healthy.state, healthy.theta)["blood"]
    after = model.conserved(course.end.state, course.end.theta)["blood"]
    assert float((before - after)[0]) == pytest.approx(500e-6, rel=1e-9)


def test_a_dose_arrives_whole(healthy):
    """All that was given is in the body or was cleared; in the first half second nothing is."""
    course = follow(healthy, interventions(read_acts(["propofol 150 mg in 0.5 s"]), PERSON), 0.6)
    inside = sum(float(course.end.state[f"propofol_a{i}"][0]) for i in (1, 2, 3))
    assert inside == pytest.approx(150e-6, rel=0.01)


def test_bypass_carries_the_body_while_the_heart_stands(healthy):
    acts = ("bypass 4.5 L/min", "clamp aorta at 2 s", "cardioplegia at 3 s")
    standing = done(healthy, *acts)
    assert 4.0 < float(standing["CO"][0]) * 6e4 < 5.0
    assert 40.0 < float(standing["MAP"][0]) / 133.322 < 120.0, "of the line, beyond the clamp"
    assert float(standing["SpO2"][0]) > 0.97, "from the oxygenator"
    off = ("release aorta at 60 s", "wash out cardioplegia at 60 s", "stop bypass at 75 s")
    again = ratio(healthy, *acts, *off, seconds=240.0)
    assert 0.9 < again["CO"] < 1.1
    assert 0.9 < again["MAP"] < 1.1


def test_a_new_valve_takes_the_gradient_and_a_leaky_one_makes_it_worse():
    narrow = begun(aortic_area=np.array([0.8e-4]))
    good = ratio(narrow, "replace aortic valve eoa 2 cm2")
    leaky = ratio(narrow, "replace aortic valve eoa 2 cm2 leak 0.3 cm2")
    assert good["gradient"] < 0.4
    assert leaky["DBP"] < good["DBP"] - 0.1


def test_a_clip_lowers_the_leak_and_the_congestion_behind_it():
    torn = begun(mitral_leak=np.array([0.4e-4]))
    got = ratio(torn, "clip mitral valve eoa 2.5 cm2 leak 0.1 cm2")
    assert got["leak"] < 0.5
    assert got["CO"] > 1.05
    assert got["LAP"] < 1.0
    tight = ratio(torn, "clip mitral valve eoa 0.8 cm2 leak 0.1 cm2")
    assert tight["LAP"] > got["LAP"] + 0.2  # stenosis made by the clip


def test_a_hole_in_the_septum_opens_and_closes(healthy):
    assert done(healthy, "open vsd 0.5 cm2")["QpQs"][0] > 1.5
    after = ratio(healthy, "open vsd 0.5 cm2", "close vsd at 30 s", seconds=180.0)
    assert 0.97 < after["QpQs"] < 1.03
    assert 0.97 < after["MAP"] < 1.03


def test_every_shunt_overfills_the_lung_and_a_duct_lowers_diastole():
    """One graph with a septal hole, a duct and a tube, each all but shut save one at a time."""
    model = Circulation().rewired("asd").rewired("pda").rewired("bt_shunt")
    shut = {"asd_area": 1e-9, "pda_area": 1e-9, "bt_shunt_diameter": 1e-5}
    opened = {"none": {}, "asd": {"asd_area": 1.5e-4}, "pda": {"pda_area": 0.1e-4},
              "tube": {"bt_shunt_diameter": 4e-3}}  # fmt: skip
    got = {
        name: done(begun(model=model, **{k: np.array([v]) for k, v in (shut | one).items()}))
        for name, one in opened.items()
    }
    flow, low = ({n: float(v[k][0]) for n, v in got.items()} for k in ("QpQs", "DBP"))
    assert abs(flow.pop("none") - 1.0) < 0.05
    assert min(flow.values()) > 1.15
    assert max(low["pda"], low["tube"]) < 0.97 * low["none"]


def test_fontan_lives_on_a_high_venous_pressure(healthy):
    got = ratio(healthy, "fontan", seconds=120.0)
    assert 0.4 < got["CO"] < 0.95
    assert got["CVP"] > 2.0


def test_a_rewiring_amid_a_run_loses_no_blood(healthy):
    plan = interventions(read_acts(["fontan at 1 s"]), PERSON)
    course = follow(healthy, plan, 3.0)
    totals = [
        run.model.conserved(run.state, run.theta)["blood"][0] for run in (healthy, course.end)
    ]
    assert totals[1] == pytest.approx(totals[0], rel=1e-10)


def test_split_or_whole_the_same_bits_with_a_rewiring_between(healthy):
    plan = interventions(
        read_acts(["open vsd 0.5 cm2 at 1.2 s", "bleed 100 mL in 3 s at 0.7 s", "apnoea at 2 s"]),
        PERSON,
    )
    whole = follow(healthy, plan, 4.0).end
    first = follow(healthy, plan, 1.2, 0.4).end
    parts = follow(first, plan, 2.8, 0.7).end
    assert all(np.array_equal(whole.state[k], parts.state[k]) for k in whole.state)


def test_a_starved_stenosed_heart_falls_with_induction_and_a_pressor_brings_it_back():
    """Hypertrophy takes coronary reserve (Marcus 1982, 10.1056/NEJM198211253072202)."""
    ill = {"aortic_area": np.array([0.5e-4]), "coronary_reserve": np.array([1.2])}
    act, rescue = "induction 2.5 mg/kg ventilated", "phenylephrine 200 ug at 1 min"
    sound, starved = done(begun(), act, seconds=70.0), done(begun(**ill), act, seconds=70.0)
    rescued = done(begun(**ill), act, rescue, seconds=300.0)
    left = done(begun(**ill), act, seconds=300.0)
    assert starved["MAP"][0] < 0.85 * sound["MAP"][0], "it falls further than a sound heart"
    assert starved["strength"][0] < 0.6 < 0.95 < sound["strength"][0]
    assert rescued["strength"][0] > 1.15 * left["strength"][0], "and recovers with its pressure"
