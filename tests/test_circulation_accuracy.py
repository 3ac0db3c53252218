"""The circulation's step: within 1 % of 10 us where the product uses it, and of first order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.accuracy import CASES, FEW, PAGE, errors, indices, orders, used, worst

from isosoma.core.errors import RangeError
from isosoma.organs.circulation.steps import LIMITS, step_for

SECONDS = 25.0


@pytest.fixture(scope="module")
def exact():
    return indices(FEW, 1e-5, SECONDS)


@pytest.fixture(scope="module")
def off(exact):
    return {step: errors(indices(FEW, step, SECONDS), exact) for step in (1e-3, 5e-4, 2.5e-4)}


def test_every_index_is_within_one_percent_with_the_step_a_case_uses(exact, off):
    missed = list[str]()
    for i, case in enumerate(FEW):
        share, name = worst(off[used(case, float(exact["heart_rate"][i]))])
        if share[i] > 0.01:
            missed.append(f"{case.name}: {name[i]} off by {share[i]:.4f}")
    assert missed == []


def test_the_few_are_of_every_kind(exact):
    """What is held here on every change spans rates, ages, stenosis, leak and steps."""
    rates = 60.0 * exact["heart_rate"]
    assert rates.min() < 41.0
    assert rates.max() > 199.0
    assert {"newborn", "adult"} <= {c.age for c in FEW}
    assert {w.split()[0] for w in (c.disease for c in FEW) if w} == {"aortic", "mitral"}
    assert len({used(c, r / 60.0) for c, r in zip(FEW, rates, strict=True)}) > 1


def test_the_circulation_converges_with_first_order(off):
    """Errors halve with the step, up to what sampling every fourth tick adds."""
    for coarse, fine in ((1e-3, 5e-4), (5e-4, 2.5e-4)):
        found = orders(off[coarse], off[fine])
        assert len(found) > 100
        assert 0.8 < float(np.median(found)) < 1.2


@pytest.mark.parametrize("name", ["stroke_volume", "central_venous_pressure", "cardiac_output"])
def test_a_smooth_index_shows_the_order_in_every_resting_adult(off, name):
    coarse, fine = (off[step][name][:2] for step in (1e-3, 2.5e-4))
    assert np.all(np.abs(coarse / fine - 4.0) < 1.0)


@pytest.mark.parametrize("leaking", [False, True])
def test_a_faster_heart_never_gets_a_coarser_step(leaking):
    steps = [step_for(rate / 60.0, leaking) for rate in range(20, 300)]
    assert steps == sorted(steps, reverse=True)
    assert step_for(1.0, leaking) == 1e-3
    assert all(limit[-1][0] == math.inf for limit in LIMITS.values())
    assert step_for(170.0 / 60.0, leaking=True) < step_for(170.0 / 60.0)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_rate_gets_no_step(rate):
    with pytest.raises(RangeError, match="is none"):
        step_for(rate)


def test_the_page_has_every_case():
    text = PAGE.read_text("utf-8")
    assert [c.name for c in CASES if f"| {c.name} |" not in text] == []
