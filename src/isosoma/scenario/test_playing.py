"""The same members in every option: planted complications, paired differences, the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import IsosomaError
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.body import Person
from isosoma.scenario.comparing import compare, seen_at
from isosoma.scenario.complication_table import complications
from isosoma.scenario.complications import find
from isosoma.scenario.ensemble import drawn
from isosoma.scenario.playing import parts_of, play, played, spacing
from isosoma.scenario.preferences import Tables, preferences
from isosoma.scenario.rehearsal_file import read_rehearsal

PLAN = read_rehearsal("""
question = "Does he bear the loss?"
for = "6 min"
[[option]]
name = "wait"
[[option]]
name = "bleeds 2 L"
do = ["bleed 2 L in 3 min at 30 s"]
[[option]]
name = "bleeds 300 mL"
do = ["bleed 300 mL in 3 min at 30 s"]
""")
TABLES = Tables(complications(), preferences())


@pytest.fixture(scope="module")
def seen():
    return played(PLAN, drawn(Person(), 24))


def test_a_planted_complication_is_found_and_the_near_miss_is_not(seen):
    found = find(seen, TABLES.complications)
    met = [{f.predicate.name: int(f.raised.sum()) for f in row} for row in found]
    assert met[1]["low output"] >= 20
    assert met[1]["low pressure"] >= 12
    for quiet in (met[0], met[2]):
        assert quiet["low output"] <= 1
        assert quiet["low pressure"] <= 1
        assert quiet["arrest"] == 0


def test_differences_of_pairs_are_narrower_than_of_strangers(seen):
    first, second = (seen_at(seen, i, "mean_arterial_pressure", "end") for i in (0, 2))
    assert np.std(second - first) < 0.5 * np.std(np.roll(second, 1) - first)


def test_a_replay_gives_the_same_bits_for_any_threads_and_any_number_of_members(seen):
    again = played(PLAN, drawn(Person(), 18), workers=1)
    for one, other in zip(seen.outputs, again.outputs, strict=True):
        for name in one:
            assert np.array_equal(one[name][:, :18], other[name], equal_nan=True), name
    for name, values in again.baseline.items():
        assert np.array_equal(seen.baseline[name][:18], values)


def test_an_option_without_steps_stays_at_its_baseline(seen):
    drift = seen.outputs[0]["mean_arterial_pressure"][-1] / seen.baseline["mean_arterial_pressure"]
    assert np.all(np.abs(drift - 1.0) < 0.05)


def test_results_come_in_parts_and_progress_grows():
    heard = list(play(PLAN, drawn(Person(), 20)))
    done = [h.done for h in heard]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(heard[-1].total)
    assert [h.played.members for h in heard if h.played] == [16, 20]
    assert parts_of(256) == ((0, 16), (16, 64), (64, 128), (128, 192), (192, 256))


def test_leaving_early_ends_the_threads():
    stream = play(PLAN, drawn(Person(), 80))
    next(stream)
    stream.close()


def test_a_member_that_fails_is_a_value_and_dies_where_it_had_arrested():
    bled = read_rehearsal("""
question = "q"
for = "4 min"
[[option]]
name = "wait"
[[option]]
name = "bleeds out"
do = ["bleed 4 L in 1 min at 10 s"]
""")
    seen = played(bled, drawn(Person(), 16))
    assert seen.failed[1].any(), "the model cannot go on without blood"
    assert not seen.failed[0].any()
    told = compare(seen, TABLES)
    assert told.members == 16
    arrest = next(c for c in told.options[1].chances if c.name == "arrest")
    assert arrest.chance == 1.0
    assert told.options[1].lost == 0
    assert told.ranking[0].name == "wait"


def test_what_is_there_before_belongs_to_the_baseline():
    text = """
question = "q"
for = "1 min"
before = ["replace aortic valve eoa 0.7 cm2", "ventilate 12 /min peep 8 cm[H2O]", "glenn"]
[[option]]
name = "wait"
[[option]]
name = "more oxygen"
do = ["fio2 60 % at 5 s"]
"""
    seen = played(read_rehearsal(text), drawn(Person(age=60.0), 4))
    gradient = seen.baseline["aortic_valve_mean_gradient"]
    assert np.all(gradient > 2000.0)
    held = seen.outputs[0]["aortic_valve_mean_gradient"][-1]
    assert np.allclose(held, gradient, rtol=0.1)
    assert {f.predicate.name for f in find(seen, TABLES.complications)[0]} >= {"cavae congested"}


def test_a_loss_before_is_lost_in_full_when_time_begins():
    text = """
question = "q"
for = "5 s"
before = ["bleed 1 L in 4 min"]
[[option]]
name = "wait"
[[option]]
name = "bind the leg"
"""
    ensemble = drawn(Person(), 2)
    bled = read_rehearsal(text)
    less = played(bled, ensemble).baseline["left_ventricular_end_diastolic_volume"]
    whole = played(replace(bled, before=()), ensemble).baseline
    assert np.all(less < 0.8 * whole["left_ventricular_end_diastolic_volume"])


def test_an_act_that_does_not_fit_names_its_option():
    text = """
question = "q"
for = "1 min"
[[option]]
name = "wait"
[[option]]
name = "close nothing"
do = ["close vsd at 5 s"]
"""
    with pytest.raises(IsosomaError, match=r"option 'close nothing'.*no 'vsd'"):
        played(read_rehearsal(text), drawn(Person(), 2))


def test_frames_do_not_keep_pace_with_any_breath():
    person = Person()
    slow = interventions(read_acts(["ventilate 12 /min"]), person)
    for plans in ((), (slow,)):
        every = spacing(person, plans)
        assert 2.5 <= every <= 5.0
        for rate in (14.0 / 60.0, *(() if not plans else (12.0 / 60.0,))):
            wave = np.exp(2j * np.pi * rate * every * np.arange(3)).mean()
            assert abs(wave) < 0.35
