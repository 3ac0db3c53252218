"""The emulator of a person: trained once, near the physics, honest about its error."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import ModelError
from isosoma.infer.emulator import emulate
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation.body import Person
from isosoma.twin.emulating import BEATS, emulated, emulator_for

PERSON, OUTPUTS = Person(), ("mean_arterial_pressure", "cardiac_output", "oxygen_saturation")
NONE = np.zeros(0)


@pytest.fixture(scope="module")
def emulator():
    return emulator_for(PERSON, OUTPUTS, degree=2, runs=512)


def test_it_is_trained_once(emulator):
    assert emulator_for(PERSON, OUTPUTS, degree=2, runs=512) is emulator


def test_fresh_runs_miss_by_what_the_emulator_says(emulator):
    z = np.random.default_rng(8).standard_normal((96, len(physics.UNKNOWNS)))
    done = emulate(emulator, z, NONE)
    truth = physics.predictor(PERSON, OUTPUTS, BEATS)(z, NONE)
    miss = np.sqrt(np.mean((done.outputs - truth)[~done.outside] ** 2, axis=0))
    assert np.all(miss < 2.0 * emulator.error)
    assert np.all(miss < 0.5 * truth.std(axis=0))


def test_outside_its_hull_the_physics_answers(emulator):
    z = np.zeros((2, len(physics.UNKNOWNS)))
    z[1, :3] = 7.0, -5.0, 5.0
    assert emulate(emulator, z, NONE).outside.tolist() == [False, True]
    assert np.all(np.isfinite(emulated(PERSON, OUTPUTS, degree=2, runs=512)(z, NONE)))


def test_what_may_be_zero_is_not_emulated():
    with pytest.raises(ModelError, match="central_venous_pressure is not positive"):
        emulator_for(PERSON, ("central_venous_pressure",), degree=2, runs=512)
