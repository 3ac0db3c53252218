"""A person scaled from the reference adult keeps proportions, and nobody impossible is scaled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.errors import RangeError
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.drugs import kinetics, lean_mass
from isosoma.organs.circulation.parameters import PARAMETERS

MEDIANS = {n: float(p.prior.real(np.zeros(1))[0]) for n, p in PARAMETERS.items()}


def test_the_reference_adult_is_left_nearly_alone():
    theta = theta_of(Person())
    for name in ("systemic_resistance", "lv_elastance", "arterial_compliance", "blood_volume"):
        assert theta[name] == pytest.approx(MEDIANS[name], rel=0.12)


@given(st.floats(0, 100), st.floats(2, 150))
def test_every_parameter_stays_positive_and_finite(age, weight):
    theta = theta_of(Person(age, weight, 1.6))
    assert theta.keys() == PARAMETERS.keys()
    assert all(np.isfinite(v) for v in theta.values())
    for name, value in theta.items():
        assert MEDIANS[name] == 0.0 or np.sign(value) == np.sign(MEDIANS[name])


def test_a_newborn_is_not_an_adult_of_small_size():
    newborn = theta_of(Person(0, 3.5, 0.5))
    assert newborn["period"] < 0.6 * MEDIANS["period"]
    assert newborn["blood_volume"] < 0.08 * MEDIANS["blood_volume"]
    assert newborn["baroreflex_setpoint"] < 0.6 * MEDIANS["baroreflex_setpoint"]
    assert inputs_of(Person(0, 3.5, 0.5))["breathing_frequency"] == pytest.approx(40 / 60)


@pytest.mark.parametrize(
    "person", [Person(age=-1), Person(age=130), Person(weight=0), Person(height=3)]
)
def test_nobody_has_that(person):
    with pytest.raises(RangeError, match="lies outside"):
        theta_of(person)


def test_schnider_and_minto_as_printed():
    """A man of 53 years, 77 kg and 177 cm is the base case but for his lean mass."""
    lean = lean_mass(77.0, 1.77, female=False)
    found = kinetics(53.0, 77.0, 1.77, female=False)
    clearance = 1.89 - 0.0681 * (lean - 59)
    assert found["propofol_v1"] == pytest.approx(4.27e-3)
    assert found["propofol_v2"] == pytest.approx(18.9e-3)
    assert found["propofol_cl1"] == pytest.approx(clearance * 1e-3 / 60)
    assert kinetics(40.0, 70.0, 1.7, female=True)["remifentanil_ke0"] == pytest.approx(0.595 / 60)
