"""An answer is stale once what it rests on has changed, and not because a monitor goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import FormatError
from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.scenario.basis import Basis, Level, Present, Rare, rare_of, read_basis, write_basis
from isosoma.scenario.prediction import Prediction
from isosoma.scenario.staleness import LIMIT, departed, said, staleness

MMHG, SECOND, MINUTE = to_si(1.0, "mm[Hg]"), 10**9, 60 * 10**9
T0 = 1_790_000_000 * SECOND
MAP, HR = "mean_arterial_pressure", "heart_rate"
REST = {MAP: 80.0 * MMHG, HR: to_si(70.0, "/min")}
NOISE = {MAP: 2.0 * MMHG, HR: to_si(2.0, "/min")}
ECHO = Observation("p", "left_ventricular_ejection_fraction", T0 - 90 * MINUTE, T0 - 80 * MINUTE,
                   0.55, 0.04, device="echo")  # fmt: skip
LEVELS = {n: Level(v - 2.0 * NOISE[n], v, v + 2.0 * NOISE[n], v) for n, v in REST.items()}


def clock(at):
    return f"{(at - T0) / MINUTE:.0f} min"


def stream(minutes, off=(), every=30.0, rng=None):
    """Return readings by variable from 5 min before; `off`: name, first and last [min], how far."""
    out = {n: [] for n in REST}
    for t in np.arange(-300.0, 60.0 * minutes + 1e-9, every):
        for name, rest in REST.items():
            far = sum(x for n, a, b, x in off if n == name and 60.0 * a <= t < 60.0 * b)
            noise = 0.0 if rng is None else rng.standard_normal() * NOISE[name]
            at = T0 + round(t * 1e9)
            value = float(rest + far + noise)
            out[name].append(Observation("p", name, at, at, value, NOISE[name], device="monitor"))
    return out


def present(readings, *rare, described="body", release="release"):
    found = dict(readings)
    for o in rare:
        found[o.variable] = [*found.get(o.variable, []), o]
    return Present({n: tuple(rows) for n, rows in found.items()}, described, release)


def basis(now=None):
    now = now or present(stream(0.0), ECHO)
    return Basis(T0, T0, "body", "release", (HR, MAP), rare_of(now, (HR, MAP)), LEVELS)


def told(now, minutes=10.0, **more):
    found = staleness(basis(), now, T0 + round(minutes * MINUTE), **more)
    return said(found, clock)


def test_a_monitor_that_goes_on_as_before_makes_nothing_stale():
    rng = np.random.default_rng(1)
    for minutes in (0.5, 10.0, 29.0):
        assert told(present(stream(minutes, rng=rng), ECHO), minutes) == ""


def test_a_level_that_left_is_named_with_its_side_and_since_when():
    bled = present(stream(20.0, [(MAP, 7.0, 99.0, -15.0 * MMHG)]), ECHO)
    sentence = told(bled, 20.0)
    assert sentence == (
        "mean pressure has been below what this was computed from since 7 min;"
        " rehearse again before you rely on it"
    )
    fast = present(stream(20.0, [(HR, 7.0, 99.0, to_si(30.0, "/min"))]), ECHO)
    assert "heart rate has been above what this was computed from since 7 min" in told(fast, 20.0)


def test_the_level_that_left_first_is_named():
    off = [(MAP, 9.0, 99.0, -15.0 * MMHG), (HR, 5.0, 99.0, to_si(30.0, "/min"))]
    assert "heart rate" in told(present(stream(20.0, off), ECHO), 20.0)


@pytest.mark.parametrize(
    ("far", "stay"), [(-10.3, 5.0), (10.3, 5.0), (-60.0, 100.0 / 60.0), (80.0, 100.0 / 60.0)]
)
def test_a_level_must_stay_outside_the_longer_the_nearer_it_is(far, stay):
    off = [(MAP, 7.0, 99.0, far * MMHG)]
    before = present(stream(7.0 + stay - 0.5, off), ECHO)
    assert told(before, 7.0 + stay - 0.5) == ""
    after = present(stream(9.5 + stay, off), ECHO)
    assert "mean pressure has been" in told(after, 9.5 + stay)


@pytest.mark.parametrize("far", [-60.0, 80.0])
def test_a_flush_of_the_line_is_no_leave(far):
    assert told(present(stream(20.0, [(MAP, 7.0, 8.5, far * MMHG)]), ECHO), 20.0) == ""


def test_what_is_ordinary_at_a_bed_is_no_leave():
    """Posture and talking: 6 mmHg for ten minutes, 12 mmHg for one."""
    off = [(MAP, 4.0, 14.0, -6.0 * MMHG), (MAP, 18.0, 19.0, 12.0 * MMHG)]
    rng = np.random.default_rng(3)
    assert told(present(stream(29.0, off, rng=rng), ECHO), 29.0) == ""


def test_who_came_back_was_away_all_the_same():
    off = [(MAP, 5.0, 15.0, -15.0 * MMHG)]
    sentence = told(present(stream(28.0, off), ECHO), 28.0)
    assert "mean pressure was below what this was computed from from" not in sentence
    assert "was below what this was computed from, from 5 min to 1" in sentence


def test_who_was_beyond_it_already_has_not_left():
    low = LEVELS | {MAP: replace(LEVELS[MAP], read=REST[MAP] - 14.0 * MMHG)}
    off = [(MAP, -9.0, 99.0, -14.0 * MMHG)]
    stays = stream(25.0, off)
    assert departed(replace(basis(), levels=low), stays) is None
    assert departed(basis(), stays) is not None
    falls = stream(25.0, [*off, (MAP, 8.0, 99.0, -14.0 * MMHG)])
    assert departed(replace(basis(), levels=low), falls) is not None


def test_a_cuff_tells_after_two_readings():
    cuff = stream(29.0, [(MAP, 1.0, 99.0, -20.0 * MMHG)], every=600.0)
    found = departed(basis(), {MAP: cuff[MAP][:2]})
    assert found is None, "one reading is none"
    found = departed(basis(), {MAP: cuff[MAP]})
    assert found is not None
    assert found.at == cuff[MAP][1].at


def test_what_was_not_measured_when_it_was_computed_has_no_level_to_leave():
    bled = stream(20.0, [(MAP, 7.0, 99.0, -15.0 * MMHG)])
    assert departed(replace(basis(), levels={HR: LEVELS[HR]}), bled) is None


def test_a_reading_that_moves_the_belief_is_told_with_what_and_when():
    come = T0 + 4 * MINUTE
    again = replace(ECHO, at=T0 + 2 * MINUTE, received=come, value=0.4)
    assert told(present(stream(10.0), ECHO, again)) == (
        "left ventricular ejection fraction (echo) came at 4 min, which this does not rest on;"
        " rehearse again before you rely on it"
    )
    late = replace(ECHO, at=T0 - 85 * MINUTE, received=come, value=0.5)
    assert "came at 4 min" in told(present(stream(10.0), ECHO, late)), "late ones too"
    lab = Observation("p", "haemoglobin", come, come, 1.5, 0.1, device="lab")
    assert "haemoglobin (lab) came at 4 min" in told(present(stream(10.0), ECHO, lab))


def test_a_first_central_venous_pressure_is_new_and_the_next_ones_change_no_word():
    ats = [T0 + k * MINUTE for k in range(3, 9)]
    cvp = [Observation("p", "central_venous_pressure", t, t, 8.0 * MMHG, MMHG) for t in ats]
    for count in (1, 6):
        sentence = told(present(stream(10.0), ECHO, *cvp[:count]))
        assert "central venous pressure came at 3 min" in sentence


def test_a_reading_that_counts_no_longer_is_told():
    assert "ejection fraction (echo), on which this rests, counts no longer" in (
        told(present(stream(10.0)))
    )
    corrected = replace(ECHO, value=0.48, seq=1, received=T0 + MINUTE)
    assert "came at 1 min" in told(present(stream(10.0), corrected)), "what took its place is said"


def test_another_body_and_another_release_are_told():
    assert "body or diagnoses" in told(present(stream(10.0), ECHO, described="other"))
    assert "the model or its tables" in told(present(stream(10.0), ECHO, release="next"))


def test_an_answer_grows_old_with_and_without_readings():
    after = LIMIT / MINUTE
    assert told(present(stream(after), ECHO), after) == ""
    for now in (present(stream(after + 0.5), ECHO), present(stream(5.0), ECHO), None):
        assert "as they were at 0 min, more than 30 min ago" in told(now, after + 0.5)


def test_while_a_plan_runs_its_watch_speaks_and_afterwards_it_is_over():
    treated = present(stream(20.0, [(MAP, 2.0, 99.0, 25.0 * MMHG)]), ECHO)
    plan = Prediction("a", "fluid", T0 + MINUTE, np.array([0.0, 2400.0]), {}, "", begun=True)
    assert "mean pressure" in told(treated, 20.0, plan=replace(plan, begun=False))
    assert told(treated, 20.0, plan=plan) == ""
    assert told(treated, 40.0, plan=plan) == ""
    assert "is over since 41 min" in told(treated, 41.5, plan=plan)
    echo = replace(ECHO, at=T0, received=T0 + MINUTE, value=0.3)
    assert "echo" in told(present(treated.readings, echo), 20.0, plan=plan)


def test_an_answer_whose_basis_was_not_kept_says_so():
    assert "was not kept" in said(staleness(None, present(stream(1.0), ECHO), T0), clock)


def test_a_basis_comes_back_from_json_and_another_text_is_refused():
    whole = basis()
    assert read_basis(write_basis(whole)) == whole
    assert whole.rare == (Rare(ECHO.variable, "echo", ECHO.at, 0.55, ECHO.received),)
    assert read_basis("") is None
    for bad in ("{", "[]", "{}", '{"rare": 1}', write_basis(whole).replace('"at"', '"when"')):
        with pytest.raises(FormatError, match="no basis"):
            read_basis(bad)
