"""A simulated number that a sensor gainsays is withheld; poor data are said beside an answer."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.evidence import Applicability, Evidence, Option, Provenance
from isosoma.core.observation import Observation, Verdict
from isosoma.core.units import to_si
from isosoma.quality import Finding
from isosoma.scenario.rehearsal_file import rehearsal_of
from isosoma.serve.analysis import begin
from isosoma.serve.disbelief import disbelief
from isosoma.serve.doubts import doubted, doubts
from isosoma.serve.hurrying import SWITCH, hurried
from isosoma.serve.live_twin import Keeper
from isosoma.serve.numbers import SAID, Predicted
from isosoma.serve.rehearsal_room import Room

NOW, SECOND = 1_790_000_000 * 10**9, 10**9
PRESSURE, RATE = "mean_arterial_pressure", "heart_rate"


def believed(**shown):
    """Members about 100 mmHg and 70 a minute."""
    rng = np.random.default_rng(1)
    middle = np.ones(len(SAID))
    middle[SAID.index(PRESSURE)] = to_si(100.0, "mm[Hg]")
    middle[SAID.index("systolic_pressure")] = to_si(140.0, "mm[Hg]")
    middle[SAID.index(RATE)] = 70.0 / 60.0
    return Predicted(NOW, middle * (1.0 + 0.03 * rng.standard_normal((64, len(SAID)))))


def read(variable, value, unit, device="arterial line", ago=5.0):
    at = NOW - round(ago * SECOND)
    sigma = to_si(1.0, "mm[Hg]") if unit == "mm[Hg]" else 0.02
    return Observation("p", variable, at, at, to_si(value, unit), sigma, device=device)


def test_a_simulated_pressure_of_100_is_withheld_beside_a_measured_30():
    said = disbelief(believed(), [read(PRESSURE, 30.0, "mm[Hg]")], (), NOW)
    assert "arterial line reads a MAP of 30 mmHg, the twin says 101 mmHg" in said
    assert "withheld" in said
    assert "HR of 130" in disbelief(believed(), [read(RATE, 130.0, "/min", "ecg")], (), NOW)


@pytest.mark.parametrize(
    "seen",
    [
        [read(PRESSURE, 92.0, "mm[Hg]")],
        [read(PRESSURE, 30.0, "mm[Hg]", ago=200.0)],  # an old reading says nothing of now
        [read(PRESSURE, 30.0, "mm[Hg]"), read(PRESSURE, 97.0, "mm[Hg]", ago=1.0)],
        [],
    ],
)
def test_what_agrees_is_old_or_was_renewed_gainsays_nothing(seen):
    assert disbelief(believed(), seen, (), NOW) == ""


def test_a_sensor_in_doubt_gainsays_nothing():
    moved = Finding("levelling", "level it", 2.0, device="arterial line", since=NOW - 60 * SECOND)
    seen = [read(PRESSURE, 138.0, "mm[Hg]")]
    assert disbelief(believed(), seen, (), NOW)
    assert disbelief(believed(), seen, (moved,), NOW) == ""


def evidence():
    made = Provenance("release", {}, 1)
    return Evidence("?", (Option("a"),), (), Applicability("in"), (), made)


def test_a_lead_that_is_off_is_said_beside_the_answer():
    state = begin(250.0)
    state.seen = len(state.window)
    assert "ECG gives no signal" in doubts(state, None)[0]
    state.window[:] = 0.0
    state.quality = Verdict("flat", 0.1)
    assert doubts(state, None) == ("the ECG is poor: flat",)
    found = doubted(evidence(), doubts(state, None)).applicability
    assert (found.verdict, found.reasons) == ("edge", ("the ECG is poor: flat",))


def test_a_lead_that_comes_off_while_futures_play_is_said_beside_their_answer():
    said = iter([(), (), ("the ECG gives no signal",)])
    room = Room(doubts=lambda: next(said, ("the ECG gives no signal",)))
    options = [{"name": n} for n in "abc"]
    rehearsal = rehearsal_of({"question": "?", "for": "60 s", "option": options})
    id_ = room.edit("", 0, rehearsal).id
    told = dict(room.play(id_, 24))
    verdict = told["answer"]["evidence"]["applicability"]
    assert "the ECG gives no signal" in verdict["reasons"]
    assert verdict["verdict"] != "in"


def test_an_answer_of_a_twin_that_is_gainsaid_holds_no_number():
    numbered = replace(evidence(), options=(Option("a"), Option("b")))
    found = doubted(numbered, (), "the line reads 30")
    assert found.applicability.verdict == "out"
    assert found.applicability.reasons == ("the line reads 30",)
    assert found.options == (Option("a"), Option("b"))
    assert doubted(evidence(), ()) == evidence()


def test_a_rehearsal_goes_first_while_it_plays():
    keeper, before = Keeper(lambda _: pytest.fail("no twin"), time.time_ns), sys.getswitchinterval()
    with hurried(keeper.rehearsing):
        assert keeper.rehearsing.is_set()
        assert sys.getswitchinterval() == pytest.approx(SWITCH)
    assert not keeper.rehearsing.is_set()
    assert sys.getswitchinterval() == before
