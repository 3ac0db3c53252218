"""Tracking end to end: the reference cohort, gate, bleed, bias, late data, what is not informed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import ModelError, TimeError
from isosoma.core.observation import Observation, Verdict
from isosoma.infer import reference_plant as plant
from isosoma.infer import replay, scores
from isosoma.infer import twin_experiment as te
from isosoma.infer.belief import Reading, Settings, digest, start
from isosoma.infer.bias import Bias, bias_of
from isosoma.infer.drift import Drift
from isosoma.infer.emulator import emulate, predictor, train
from isosoma.infer.gate import Gate, factor, surprised_together
from isosoma.infer.informed import informed
from isosoma.infer.noise import Channel, learn, variance
from isosoma.infer.track import assimilate, forecast
from isosoma.infer.walk import Walk, tau_of

MINUTE = 60_000_000_000


@pytest.fixture(scope="module")
def emulator():
    return te.reference_emulator()


@pytest.fixture(scope="module")
def cohort(emulator):
    return te.run(te.Experiment(patients=60), emulator, te.settings(emulator))


def test_plant_gives_the_printed_baseline():
    np.testing.assert_allclose(plant.baseline(), [112.70, 77.74, 96.29, 5.11, 97.21], atol=0.01)


def test_emulator_gives_the_printed_errors(emulator):
    np.testing.assert_allclose(emulator.error, [0.115, 0.119, 0.060, 0.013, 0.106], rtol=0.05)


def test_cohort_is_covered(cohort):
    """Bands leave room for 60 patients; the full run is in benchmarks/tracking.py."""
    row = te.score(cohort)
    assert all(0.85 <= share <= 0.95 for share in row.coverage)
    assert row.rank_chi2 < 27.9
    assert row.sbp_crps <= 1.62 * 1.05
    assert row.sbp_rmse <= 3.0
    assert row.false <= 0.01
    assert row.ratio[2] > 0.9
    assert max(row.ratio[0], row.ratio[1], row.ratio[4]) < 0.8


def test_contractility_is_said_to_be_uninformed(cohort):
    z = np.random.default_rng(0).standard_normal((4000, 5)) * cohort.ratio.mean(axis=0)
    told = {i.name: i for i in informed(("Rs", "Ca", "Emax", "Vs", "shunt"), z)}
    assert told["Emax"].sentence == "Emax: not informed by your data"
    assert not told["Emax"].by_data
    assert told["Rs"].by_data
    assert "narrowed" in told["Rs"].sentence
    with pytest.raises(ModelError, match="names"):
        informed(("a", "b"), np.zeros((4, 1)))


def test_a_walk_too_small_is_seen_by_coverage_and_not_by_nis(emulator):
    how = te.settings(emulator, walk_scale=1 / 3, relax=0.0, drift=Drift(limit=np.inf))
    row = te.score(te.run(te.Experiment(patients=25), emulator, how))
    assert row.coverage[2] < 0.75
    assert row.nis < 1.3


def test_gross_outliers_are_caught_and_good_readings_kept(emulator):
    row = te.score(
        te.run(te.Experiment(patients=30, outliers=0.05), emulator, te.settings(emulator))
    )
    assert row.caught >= 0.95
    assert row.false <= 0.01
    assert all(share > 0.8 for share in row.coverage)


def test_a_bleed_is_followed_within_three_readings(emulator):
    """A fifth of the stressed volume in an hour: three readings later the systolic is right."""
    e = te.Experiment(patients=25, steps=31, bleed=0.2)
    quick, slow = (
        te.run(e, emulator, te.settings(emulator, drift=d)) for d in (Drift(), Drift(limit=np.inf))
    )
    miss = [
        np.sqrt(np.mean((s.outputs[:, 29, :, 0].mean(axis=1) - s.truth[:, 29, 0]) ** 2))
        for s in (quick, slow)
    ]
    assert miss[0] < 6.0 < miss[1]


def test_a_cuff_with_an_offset_needs_a_state_for_it(emulator):
    e = te.Experiment(patients=25, bias=5.0)
    without, within = (
        te.score(te.run(e, emulator, te.settings(emulator, bias=b))) for b in (0.0, 5.0)
    )
    assert min(without.coverage[:3]) < 0.75
    assert min(within.coverage[:3]) > 0.8


# --- one linear patient, cheap enough for properties ---------------------------------------------


def two_sums(theta, context):
    return np.stack([100.0 + 10.0 * theta[:, 0], 60.0 + 5.0 * theta[:, 0] + context[0]], axis=1)


LINEAR = Settings(
    ("systolic_pressure", "diastolic_pressure"),
    (Walk(3600.0), Walk(86400.0)),
    inputs=("heart_rate",),
    members=32,
    adaptive=True,
)


def reading(value, at, variable="systolic_pressure", sigma=4.0, device="arm", seq=-1, **more):
    o = Observation("", variable, at, at, value, sigma, device=device, seq=seq)
    return Reading(replace(o, **{k: v for k, v in more.items() if k in ("censoring", "channel")}))


def step(belief, *readings, how=LINEAR):
    return assimilate(belief, readings[0].observation.at, readings, two_sums, how)


def test_without_data_intervals_widen_strictly_up_to_the_prior():
    belief = start(LINEAR, 1, 0, (0.0,))
    for k in range(1, 9):
        belief, _ = step(belief, reading(100.0, k * MINUTE))
    widths = [forecast(belief, belief.at + h * 60 * MINUTE, LINEAR).z[:, 0].std() for h in range(5)]
    assert all(a < b for a, b in itertools.pairwise(widths))
    assert widths[-1] < 1.5
    with pytest.raises(TimeError, match="Replay late readings"):
        forecast(belief, belief.at - 1, LINEAR)


def test_everything_said_of_readings_that_teach_nothing():
    belief = start(LINEAR, 1, 0, (0.0,))
    poor = replace(reading(100.0, 1), verdict=Verdict("motion", 0.2))
    cases = [
        (poor, "withheld: motion"),
        (reading(np.nan, 1), "no finite value"),
        (reading(37.0, 1, "body_temperature"), "neither predicts nor needs"),
        (reading(100.0, 1, sigma=0.0), "noise is not known"),
        (reading(70.0, 1, "heart_rate"), "input of the model"),
    ]
    after, report = step(belief, *(r for r, _ in cases))
    assert len(report.decisions) == len(cases)
    for decision, (_, says) in zip(report.decisions, cases, strict=True):
        assert says in decision.reason
        assert not decision.taken
    assert after.context == (70.0,)
    assert report.nis == (0.0, 0)


def test_three_surprises_accuse_the_patient_and_one_the_sensor():
    belief = start(LINEAR, 1, 0, (0.0,))
    for k in range(1, 9):
        belief, _ = step(belief, reading(100.0, k * MINUTE))
    said = []
    for k in range(9, 13):
        belief, report = step(belief, reading(40.0, k * MINUTE))
        said.append((report.decisions[0].taken, bool(report.out_of_sync)))
    assert said[:3] == [(False, False), (False, False), (True, True)]
    assert report.outputs[:, 0].mean() < 85.0


def test_a_red_flag_passes_the_gate_at_once_and_two_devices_do_too():
    belief = start(LINEAR, 1, 0, (0.0,))
    for k in range(1, 9):
        belief, _ = step(belief, reading(100.0, k * MINUTE))
    low = reading(45.0, 9 * MINUTE)
    _, silent = step(belief, low)
    _, flagged = step(belief, replace(low, red_flag=True))
    _, both = step(belief, low, reading(45.0, 9 * MINUTE, device="line"))
    assert not silent.decisions[0].taken
    assert flagged.decisions[0].taken
    assert flagged.out_of_sync
    assert both.decisions[0].taken
    assert "second sensor" in both.out_of_sync


def test_a_limit_moves_belief_only_when_it_surprises():
    belief = start(LINEAR, 1, 0, (0.0,))
    _, expected = step(belief, reading(180.0, 1, censoring="below"))
    _, told = step(belief, reading(95.0, 1, censoring="below"))
    assert "expected" in expected.decisions[0].reason
    np.testing.assert_array_equal(expected.outputs, expected.predicted)
    assert told.outputs[:, 0].mean() < told.predicted[:, 0].mean() - 2.0


def test_failed_members_are_counted_and_a_model_that_fails_is_refused():
    def some_fail(theta, context):
        out = two_sums(theta, context)
        out[:3] = np.nan
        return out

    belief = start(LINEAR, 1, 0, (0.0,))
    after, report = assimilate(belief, 1, [reading(101.0, 1)], some_fail, LINEAR)
    assert report.failed == 3
    assert np.isfinite(after.z).all()
    with pytest.raises(ModelError, match="32 of 32"):
        assimilate(belief, 1, [reading(101.0, 1)], lambda t, c: two_sums(t, c) * np.nan, LINEAR)
    with pytest.raises(ModelError, match="one row a member"):
        assimilate(belief, 1, [reading(101.0, 1)], lambda t, c: two_sums(t, c)[:5], LINEAR)


EVENTS = [
    reading(
        100.0 + 3.0 * np.sin(k) + (50.0 if k == 11 else 0.0),
        (k // 2 + 1) * 7 * MINUTE,
        LINEAR.outputs[k % 2] if k % 5 else "heart_rate",
        seq=k,
        device="arm" if k % 3 else "line",
    )
    for k in range(24)
]
IN_ORDER = replay.absorb(replay.begin(start(LINEAR, 9, 0, (0.0,))), EVENTS, two_sums, LINEAR)


@given(st.permutations(range(24)), st.sets(st.integers(0, 23)), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_shuffled_repeated_and_late_delivery_leaves_no_trace(order, twice, size):
    line = replay.begin(start(LINEAR, 9, 0, (0.0,)))
    sent = [EVENTS[k] for k in (*order, *sorted(twice))]
    for a in range(0, len(sent), size):
        line = replay.absorb(line, sent[a : a + size], two_sums, LINEAR)
    assert digest(line.belief) == digest(IN_ORDER.belief)
    assert len(line.repeats) == len(twice)
    assert line.readings == IN_ORDER.readings


def test_two_versions_of_one_reading_do_not_depend_on_which_came_first():
    a, b = reading(100.0, MINUTE, seq=1), reading(104.0, MINUTE, seq=1)
    lines = [replay.begin(start(LINEAR, 9, 0, (0.0,))) for _ in range(2)]
    for line, pair in zip(range(2), ((a, b), (b, a)), strict=True):
        for r in pair:
            lines[line] = replay.absorb(lines[line], [r], two_sums, LINEAR)
    assert digest(lines[0].belief) == digest(lines[1].belief)
    assert [len(x.repeats) for x in lines] == [1, 1]


def test_older_than_the_horizon_is_kept_and_teaches_nothing():
    line = replay.absorb(IN_ORDER, [reading(100.0, 300 * 60 * MINUTE)], two_sums, LINEAR)
    old = replay.absorb(line, [reading(50.0, 60 * MINUTE)], two_sums, LINEAR)
    assert len(old.late) == 1
    assert digest(old.belief) == digest(line.belief)


# --- pieces --------------------------------------------------------------------------------------


def test_emulator_refuses_outside_its_hull_and_physics_steps_in(emulator):
    theta = np.zeros((4, 5))
    theta[2] = 9.0
    done = emulate(emulator, theta, np.zeros(1))
    assert done.outside.tolist() == [False, False, True, False]
    assert "1 of 4" in done.reason
    assert np.isnan(done.outputs[2]).all()
    np.testing.assert_allclose(done.outputs[0], plant.members(theta[:1], np.array([72.0]))[0], 0.01)
    filled = predictor(emulator, lambda t, c: np.full((len(t), 5), 7.0))(theta, np.zeros(1))
    assert (filled[2] == 7.0).all()
    with pytest.raises(ModelError, match="6 inputs"):
        emulate(emulator, theta, np.zeros(3))


def test_emulator_is_exact_for_a_polynomial_and_refuses_poor_training():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 2))
    y = np.exp(0.3 + 0.2 * x[:, :1] - 0.1 * x[:, 1:] * x[:, :1] ** 2)
    assert train(x, y).worst[0] < 1e-10
    with pytest.raises(ModelError, match="do not carry"):
        train(x[:15], y[:15])
    with pytest.raises(ModelError, match="not positive"):
        train(x, y - 10.0)


def test_gate_is_soft_then_hard_and_believes_the_accused():
    gate = Gate()
    assert [factor(nu, gate) for nu in (2.5, -3.0, 4.1)] == [1.0, 1.44, np.inf]
    assert factor(5.0, gate, believed=True) == 4.0
    assert factor(3.0, Gate(dof=4.0)) == pytest.approx(13.0 / 5.0)
    pairs = [("p", "a", 5.0), ("p", "b", -5.0), ("q", "a", 5.0), ("q", "b", 6.0), ("r", "a", 9.0)]
    assert surprised_together(pairs, gate) == {"q"}
    with pytest.raises(ModelError, match="cannot work"):
        Gate(soft=5.0)


def test_noise_of_a_channel_is_learned_within_bounds():
    rng = np.random.default_rng(0)
    noisy = Channel()
    for _ in range(400):
        residual = float(rng.normal(0.0, 20.0))
        noisy = learn(noisy, residual, residual, 25.0)
    assert noisy.scale == 4.0
    assert variance(5.0, 1.0, noisy, True) == 101.0
    assert variance(5.0, 1.0, noisy, False) == 26.0
    assert learn(Channel(), 100.0, 100.0, 1.0).scale == 1.0  # one reading proves nothing


def test_tau_and_bias_say_what_they_cannot_be():
    assert np.sqrt(1 - np.exp(-2 * 60.0 / tau_of(0.1, 60.0))) == pytest.approx(0.1)
    with pytest.raises(ModelError):
        tau_of(1.0, 60.0)
    with pytest.raises(ModelError, match="is none"):
        Bias(("systolic_pressure",), 0.0)
    with pytest.raises(ModelError, match="is none"):
        Walk(-1.0)
    pair = (Bias(("a", "b"), 1.0), Bias(("a",), 2.0, device="arm"))
    assert [bias_of(pair, "a", d) for d in ("arm", "leg")] == [1, 0]
    assert bias_of(pair, "c", "arm") == -1


def test_scores_of_a_perfect_forecaster_and_of_a_boaster():
    rng = np.random.default_rng(0)
    truth, members = rng.standard_normal(4000), rng.standard_normal((4000, 64))
    assert scores.rank_chi2(scores.rank(members, truth), 64) < 27.9
    assert scores.rank_chi2(scores.rank(0.5 * members, truth), 64) > 200
    assert scores.spread_skill(members, truth) == pytest.approx(1.0, abs=0.05)
    # closed form of a standard normal forecast, averaged over a standard normal truth
    assert scores.crps(members, truth).mean() == pytest.approx(1 / np.sqrt(np.pi), abs=0.03)
    ends = np.full(4000, 1.645)
    narrow = scores.interval_score(-0.4 * ends, 0.4 * ends, truth).mean()
    assert scores.interval_score(-ends, ends, truth).mean() < narrow
    hits = np.repeat(rng.random((50, 40)) < 0.9, 5, axis=1)
    got = scores.coverage(hits)
    assert got.effective < 0.4 * hits.size
    assert got.low < 0.9 < got.high
