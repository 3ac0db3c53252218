"""An answer about a live patient grows old in words, and is stale only by what changed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.observation import Observation
from isosoma.core.principal import Principal
from isosoma.core.units import to_si
from isosoma.infer.belief import Reading
from isosoma.scenario.rehearsal_file import rehearsal_of
from isosoma.serve.hidden import FREED, PATIENT, hidden, history, resting, started, vitals
from isosoma.serve.live_twin import Keeper, folded
from isosoma.serve.rehearsal_age import age_of, clock_at
from isosoma.serve.rehearsal_room import Room
from isosoma.serve.shelf import Shelf
from isosoma.twin.fold import Subject, absorbed
from isosoma.twin.release import Release

SECOND, MINUTE = 10**9, 60 * 10**9
T0 = 1_790_000_000 * SECOND
ME = Principal("A", "clinician", "A", "test")
ASKED = {
    "question": "?", "for": "90 s",
    "option": [{"name": "watch"}, {"name": "fluid", "do": ["fluid 500 mL in 1 min at 10 s"]}],
}  # fmt: skip


def test_an_age_is_the_difference_of_two_times_on_the_clock():
    now = T0 - T0 % MINUTE
    for minutes, ago in ((0, "this minute"), (6, "6 min ago"), (119, "119 min ago"),
                         (180, "3 h ago"), (4320, "3 days ago")):  # fmt: skip
        said = age_of(now - minutes * MINUTE, now + 59 * SECOND)
        assert said == f"from data until {clock_at(now - minutes * MINUTE, now)}, {ago}"
    assert clock_at(now, now) == time.strftime("%H:%M", time.localtime(now // SECOND))
    assert len(clock_at(now - 2000 * MINUTE, now)) > len("10:04"), "another day is named"


class Clock:
    """The patient's time [s after T0]."""

    at = 0.0

    def __call__(self) -> int:
        return T0 + round(self.at * 1e9)


@pytest.fixture(scope="module")
def answered():
    """A twin of two hours of a patient at rest, what they read at rest, a signed answer."""
    truth = hidden(1)
    run = started(truth)
    past = history(run, T0, np.random.default_rng(2))
    twin = folded(past, Subject(PATIENT, truth.person, FREED), Release(), T0, lambda _: None)
    keeper = Keeper(lambda _: pytest.fail("it is there"), Clock())
    keeper.twin = twin
    room = Room(keeper)
    id_ = room.edit("", 0, rehearsal_of(ASKED)).id
    assert [name for name, _ in room.play(id_, 24)][-1] == "answer"
    for step in ("reviewed", "signed"):
        room.decide(id_, step, ME, option="")
    return twin, resting(run), tuple(room.shelf.drafts), id_


@pytest.fixture
def room(answered):
    """The room of a server that began again on what was kept."""
    keeper = Keeper(lambda _: pytest.fail("it is there"), Clock())
    keeper.twin = answered[0]
    return Room(keeper, Shelf(drafts=list(answered[2])))


def lived(room, answered, minutes, **off):
    """Let monitor and cuff read the patient at rest, each minute, `off` by so much [SI]."""
    rng, values = np.random.default_rng(4), dict(answered[1])
    values |= {n: values[n] + x for n, x in off.items()}
    twin = room.keeper.twin
    for k in range(1, minutes + 1):
        found = vitals(values, T0 + k * MINUTE, rng, cuff=True)
        twin = absorbed(twin, [Reading(o) for o in found], T0 + k * MINUTE)
    room.keeper.twin, room.keeper.now.at = twin, 60.0 * minutes
    return room.tell(room.shelf.case(answered[3]))


def test_new_readings_of_the_same_state_change_nothing_but_the_age(room, answered):
    before = room.tell(room.shelf.case(answered[3]))
    assert (before["stale"], before["evidence"]["status"]) == ("", "signed")
    after = lived(room, answered, 9)
    assert room.keeper.twin.digest != answered[0].digest, "the belief is another"
    assert after["stale"] == ""
    assert before["age"] != after["age"]
    assert after["age"].startswith(f"from data until {clock_at(T0 - 900 * SECOND, T0)}, ")
    assert (after["evidence"], after["comparison"]) == (before["evidence"], before["comparison"])


def test_a_pressure_that_stays_low_is_named_and_the_answer_stays_as_it_is(room, answered):
    before = room.tell(room.shelf.case(answered[3]))
    falls = dict.fromkeys(
        ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"),
        -to_si(25.0, "mm[Hg]"),
    )
    after = lived(room, answered, 9, **falls)
    assert after["stale"].startswith("mean pressure has been below what this was computed from")
    assert f"since {clock_at(T0 + MINUTE, T0)}" in after["stale"]
    assert (after["evidence"], after["comparison"]) == (before["evidence"], before["comparison"])


def test_an_echo_is_named(room, answered):
    come = T0 + 2 * MINUTE
    echo = Observation(PATIENT, "left_ventricular_ejection_fraction", come, come, 0.5, 0.04,
                       device="echo")  # fmt: skip
    room.keeper.twin = absorbed(answered[0], [Reading(echo)], come)
    room.keeper.now.at = 180.0
    told = room.tell(room.shelf.case(answered[3]))["stale"]
    assert told.startswith("left ventricular ejection fraction (echo) came at")


def test_half_an_hour_is_enough_and_a_twin_that_is_built_again_says_no_more(room, answered):
    room.keeper.twin, room.keeper.now.at = None, 1790.0
    assert room.tell(room.shelf.case(answered[3]))["stale"] == ""
    room.keeper.now.at = 1810.0
    assert "more than 30 min ago" in room.tell(room.shelf.case(answered[3]))["stale"]


def test_an_answer_without_its_basis_speaks_until_the_belief_is_another(room, answered):
    case = replace(room.shelf.case(answered[3]), basis="")
    assert room.speaks(case) == {"stale": "", "age": ""}
    lived(room, answered, 1)
    assert "was not kept with it" in room.speaks(case)["stale"]
