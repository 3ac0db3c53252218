"""How a rehearsal begins: the step it takes, and members that are those of the person."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.body import Person, inputs_of, theta_of, typical
from isosoma.twin.starting import at_rest, model_for


@pytest.mark.parametrize(
    ("age", "changed", "acts", "step"),
    [
        (40.0, {}, (), 1e-3),
        (0.0, {}, (), 1e-3),
        (0.0, {"period": np.array([0.25, 0.18])}, (), 5e-4),
        (40.0, {"pacing_rate": 3.0}, (), 5e-4),
        (40.0, {}, ("pace 195 /min at 5 s",), 2.5e-4),
        (40.0, {"mitral_leak": 0.4e-4}, (), 1e-3),
        (40.0, {"mitral_leak": 0.4e-4}, ("pace 120 /min",), 5e-4),
        (40.0, {"mitral_leak": np.array([0.0, 0.4e-4])}, ("pace 120 /min",), 5e-4),
    ],
)
def test_a_fast_heart_or_a_leak_takes_a_finer_step(age, changed, acts, step):
    person = typical(age)
    assert model_for(person, changed, interventions(read_acts(acts), person)).step == step


def test_parameters_and_inputs_are_the_persons_own_but_for_the_changed():
    person = Person(30.0, 60.0, 1.65, female=True)
    run = at_rest(person, {"lung_shunt": [0.1, 0.2], "inspired_oxygen": 0.5}, seconds=2.0)
    assert (run.time, run.tick) == (0.0, 2000)
    assert run.theta["lung_shunt"].tolist() == [0.1, 0.2]
    assert run.inputs["inspired_oxygen"].tolist() == [0.5, 0.5]
    for own, given in ((theta_of(person), run.theta), (inputs_of(person), run.inputs)):
        for name in set(own) - {"lung_shunt"}:
            assert given[name].tolist() == [own[name]] * 2
    assert "lung_shunt" not in run.inputs


def test_members_run_as_each_alone_would():
    person, shunts = Person(), np.array([0.02, 0.1, 0.3])
    together = at_rest(person, {"lung_shunt": shunts}, seconds=3.0)
    for i, shunt in enumerate(shunts):
        alone = at_rest(person, {"lung_shunt": shunt}, seconds=3.0)
        assert all(alone.state[k][0].tobytes() == v[i].tobytes() for k, v in together.state.items())
