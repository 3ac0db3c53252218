"""The circulation's step: within 1 % of 10 us where the product uses it, and of first order."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.accuracy import CASES, FEW, PAGE, bundles, errors, indices, orders, used, worst

from isosoma.core.errors import ModelError, RangeError
from isosoma.core.model import Outcome
from isosoma.core.units import to_si
from isosoma.organs.circulation.model import Circulation
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


@pytest.mark.parametrize("step", [1e-3, 5e-4, 2.5e-4])
def test_single_precision_gives_the_indices_of_double(step):
    """Newborn to adult, 40 to 200 a minute, stenosis and leak: a twentieth of the step's error."""
    error, name = worst(errors(indices(FEW, step, SECONDS, "single"), indices(FEW, step, SECONDS)))
    assert error.max() < 5e-4, (FEW[int(error.argmax())].name, name[int(error.argmax())])


def single_run(cuts: tuple[int, ...], threads: int | None, members: slice) -> Outcome:
    """Half a minute of the few in single precision, bleeding 10 mL/min from the start on."""
    model = Circulation(precision="single", threads=threads)
    theta, inputs = ({k: v[members] for k, v in bundle.items()} for bundle in bundles(FEW, model))
    inputs["bleeding_rate"] = np.full_like(inputs["bleeding_rate"], to_si(10.0, "mL/min"))
    state, tick, blood = model.start(theta), 0, 0.0
    for until in (*cuts, 30_000):
        outcome = model.advance(tick, until, state, theta, inputs)
        state, tick = outcome.state, until
        blood = blood + outcome.exchanged["blood"]
    return replace(outcome, exchanged={"blood": blood})


def test_single_precision_loses_no_blood():
    model = Circulation(precision="single")
    theta, _ = bundles(FEW, model)
    began = model.conserved(model.start(theta), theta)["blood"]
    out = single_run((), 1, slice(None))
    left = model.conserved(out.state, theta)["blood"]
    assert np.abs((left - began - out.exchanged["blood"]) / began).max() < 2e-8
    assert out.exchanged["blood"] == pytest.approx(-to_si(5.0, "mL"), rel=1e-4)


def test_no_cut_thread_or_neighbour_moves_a_bit_in_single_precision():
    whole = single_run((), 1, slice(None))
    cut = single_run((1, 7_003, 22_222), None, slice(None))
    alone = single_run((), 1, slice(2, 3))
    for name in whole.state:
        assert np.array_equal(whole.state[name], cut.state[name]), name
        assert np.array_equal(whole.state[name][2:3], alone.state[name]), name


def test_single_precision_is_refused_where_steps_are_lost_in_it():
    with pytest.raises(ModelError, match="lost in single precision"):
        Circulation(step=1e-4, precision="single")
    with pytest.raises(ModelError, match="is no precision"):
        Circulation(precision="half")  # pyright: ignore[reportArgumentType]
