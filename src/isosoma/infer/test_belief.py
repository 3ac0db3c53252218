"""Beliefs begin as the priors, settings say what cannot be, and a digest sees every bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import ModelError
from isosoma.core.observation import Observation
from isosoma.infer.belief import Decision, Settings, digest, start
from isosoma.infer.bias import CUFF_SD, CUFF_TAU, Bias, bias_of
from isosoma.infer.walk import Walk

HOW = Settings(
    ("systolic_pressure",), (Walk(1e5), Walk(1e6, 0.5, 2.0)), inputs=("heart_rate",),
    biases=(Bias(("systolic_pressure",), CUFF_SD),), members=64,
)  # fmt: skip


def test_members_begin_at_the_priors_with_exact_means():
    z = start(HOW, 3, 0, (70.0,)).z
    assert z.shape == (64, 3)
    np.testing.assert_allclose(z.mean(axis=0), [0.0, 0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(z.std(axis=0), [1.0, 2.0, 1.0], rtol=0.3)
    assert not np.array_equal(z, start(HOW, 4, 0, (70.0,)).z)
    np.testing.assert_array_equal(HOW.table[2], [CUFF_TAU, 0.0, 1.0])


def test_every_input_needs_a_value():
    with pytest.raises(ModelError, match="0 values of context"):
        start(HOW, 3, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"model_error": (1.0, 2.0)}, "2 model errors"), ({"members": 1}, "no ensemble"),
     ({"relax": 1.5}, "no ensemble")],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(change, says):
    with pytest.raises(ModelError, match=says):
        replace(HOW, **change)


def test_a_digest_sees_every_part():
    belief = start(HOW, 3, 0, (70.0,))
    z, drift = belief.z.copy(), belief.drift.copy()
    z[5, 1] = np.nextafter(z[5, 1], 9.0)
    drift[0, 0] = 1e-300
    others = [
        replace(belief, **change)
        for change in ({"z": z}, {"drift": drift}, {"at": 1}, {"step": 1}, {"context": (71.0,)})
    ]
    assert len({digest(b) for b in (belief, *others)}) == 6
    assert digest(start(HOW, 3, 0, (70.0,))) == digest(belief)


def test_a_decision_with_infinite_variance_taught_nothing():
    o = Observation("", "systolic_pressure", 0, 0, 1.0, 1.0)
    assert not Decision(o).taken
    assert Decision(o, 0.1, 4.0).taken


def test_a_named_device_has_its_own_bias_before_anybodys():
    pair = (Bias(("a",), 1.0), Bias(("a",), 2.0, device="arm"))
    assert bias_of(pair, "a", "arm") == 1
    assert bias_of(pair, "a", "leg") == 0
    assert bias_of(pair[1:], "a", "leg") == -1
