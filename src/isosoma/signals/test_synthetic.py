from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.signals.synthetic import Episode, Plan, synthesise


def test_the_same_seed_is_the_same_patient_and_another_is_not() -> None:
    a, b, c = (synthesise(20.0, 250.0, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.ecg, b.ecg)
    np.testing.assert_array_equal(a.r, b.r)
    assert not np.array_equal(a.ecg, c.ecg)
    assert len(a.ecg) == len(a.pressure) == len(a.plethysmogram) == 5000


@pytest.mark.parametrize("rate", [0.7, 1.2, 2.5])
def test_rate_and_share_are_what_was_planned(rate: float) -> None:
    made = synthesise(300.0, 128.0, 3, Plan(rate=rate, ventricular=0.1))
    assert len(made.r) / 300.0 == pytest.approx(rate, rel=0.12)
    assert (made.kinds == "V").mean() == pytest.approx(0.09, abs=0.04)
    assert (np.diff(made.r) > 0.2 / rate).all()


def test_r_is_the_top_of_a_normal_beat() -> None:
    made = synthesise(30.0, 500.0, 4, Plan(noise=0.0, wander=0.0))
    for at in made.r[1:-1]:
        a = int((at - 0.1) * 500)
        assert abs((a + np.argmax(made.ecg[a : a + 100])) / 500 - at) < 0.005


def test_episodes_do_what_they_say() -> None:
    plan = Plan(
        episodes=(Episode("asystole", 10, 20), Episode("lost", 25, 27), Episode("flat", 30, 33))
    )
    made = synthesise(40.0, 250.0, 5, plan)
    assert not ((made.r > 10) & (made.r < 20)).any()
    assert np.ptp(made.ecg[12 * 250 : 19 * 250]) < 3e-4
    assert np.isnan(made.ecg[25 * 250 : 27 * 250]).all()
    assert (made.ecg[30 * 250 : 33 * 250] == 0.0).all()
    assert np.isfinite(made.ecg[: 25 * 250]).all()


def test_a_patient_that_cannot_be_is_refused() -> None:
    with pytest.raises(RangeError):
        synthesise(10.0, 250.0, 1, Plan(rate=9.0))
    with pytest.raises(RangeError):
        synthesise(-1.0, 250.0, 1)
