"""The observation operator: its unknowns, its purity, and how near it comes to a long run."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import ModelError
from isosoma.core.units import from_si
from isosoma.organs.circulation.body import Person, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.predict import (
    SEEN,
    UNKNOWNS,
    predictor,
    start_of,
    theta_at,
    unknowns,
)

PERSON = Person()
NONE = np.zeros(0)


@pytest.fixture(scope="module")
def z():
    return np.random.default_rng(3).standard_normal((32, len(UNKNOWNS)))


@pytest.fixture(scope="module")
def ten(z):
    return predictor(PERSON)(z, NONE)


def test_unknowns_surround_the_medians_of_the_person():
    for person in (PERSON, Person(5.0, 18.0, 1.1), Person(70.0, 60.0, 1.6, True)):
        medians = theta_of(person)
        for p in unknowns(person):
            at = p.prior.real(np.array([0.0, 1.0]))
            assert at[0] == pytest.approx(medians[p.name])
            assert np.log(at[1] / at[0]) == pytest.approx(UNKNOWNS[p.name])
    diseased = unknowns(PERSON, ("aortic_area",))
    assert diseased[-1].name == "aortic_area"
    assert not diseased[-1].source.verified
    with pytest.raises(ModelError, match="never freed"):
        unknowns(PERSON, ("lv_v0",))


def test_ten_beats_come_near_to_a_settled_run(z, ten):
    """Bounds are three times what was measured on other members (docs/infer.md)."""
    long = predictor(PERSON, beats=120)(z, NONE)
    miss = np.sqrt(np.mean((ten - long) ** 2, axis=0))
    units = ("mm[Hg]", "mm[Hg]", "mm[Hg]", "L/min", "%", "/min")
    shown = [from_si(m, u) for m, u in zip(miss, units, strict=True)]
    assert max(shown[:3]) < 2.0
    assert shown[3] < 0.25
    assert shown[4] < 0.3
    assert shown[5] < 4.0


def test_a_prediction_depends_on_its_own_unknowns_alone(z, ten):
    predict = predictor(PERSON)
    np.testing.assert_array_equal(predict(z, NONE), ten)
    np.testing.assert_array_equal(predict(z[::-1], NONE), ten[::-1])


def test_directions_are_those_of_the_textbook():
    """More resistance: pressure up, output down. Dry: pressure and output down, rate up."""
    names = list(UNKNOWNS)
    steps = np.zeros((4, len(names)))
    steps[1, names.index("systemic_resistance")] = 1.0
    steps[2, names.index("blood_volume")] = -1.0
    steps[3, names.index("lung_shunt")] = 1.0
    y = dict(zip(SEEN, predictor(PERSON, beats=40)(steps, NONE).T, strict=True))
    pressure, output, rate = (
        y[n] for n in ("mean_arterial_pressure", "cardiac_output", "heart_rate")
    )
    assert pressure[1] > pressure[0]
    assert output[1] < output[0]
    assert pressure[2] < pressure[0]
    assert output[2] < output[0]
    assert rate[2] > rate[0]
    assert y["oxygen_saturation"][3] < y["oxygen_saturation"][0]


def test_held_inputs_come_as_context(z):
    predict = predictor(PERSON, ("oxygen_saturation",), held=("inspired_oxygen",), beats=60)
    air, rich = (predict(z[:4], np.array([f]))[:, 0] for f in (0.21, 0.6))
    assert np.all(rich > air)


def test_members_begin_with_the_blood_of_their_own_unknowns(z):
    model = Circulation()
    theta = theta_at(model, PERSON, z)
    total = theta["blood_volume"] + theta["tissue_volume"]
    state = start_of(model, PERSON).at(z, total)
    np.testing.assert_allclose(sum(v for k, v in state.items() if k.startswith("V_")), total)
    assert start_of(model, PERSON) is start_of(Circulation(), PERSON)


def test_what_is_not_there_is_said():
    with pytest.raises(ModelError, match="no kidney_flow"):
        predictor(PERSON, ("kidney_flow",))
    with pytest.raises(ModelError, match="13 unknowns"):
        theta_at(Circulation(), PERSON, np.zeros((4, 5)))


def test_a_stenosed_valve_is_believed_narrow_from_mild_to_severe():
    *_, area = unknowns(Person(), ("aortic_area",))
    severe, likely, mild = (float(area.prior.real(np.array([z]))[0]) for z in (-1.645, 0.0, 1.645))
    assert severe < 0.8e-4 < likely < 2e-4 < mild < theta_of(Person())["aortic_area"]
