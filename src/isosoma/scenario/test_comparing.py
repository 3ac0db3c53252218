"""Chances, ties, trade-offs, regret and sets of acceptable choices, on members made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from isosoma.core.errors import InputError
from isosoma.organs.circulation.anatomy import adult
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.scenario.acceptable import acceptable, tried
from isosoma.scenario.chances import jeffreys, mean_interval, paired
from isosoma.scenario.comparing import Comparison, compare
from isosoma.scenario.complication_table import read_complications
from isosoma.scenario.devices import devices, read_devices
from isosoma.scenario.ensemble import drawn
from isosoma.scenario.playing import Played
from isosoma.scenario.preferences import Tables, preferences, read_preferences
from isosoma.scenario.rehearsal import Option, Rehearsal

ROWS = """
[complication."{name}"]
meaning = "m"
measure = "{measure}"
beyond = "above"
of = "highest"
level = {{ fixed = "{level}" }}
source = "s"
"""
TABLES = Tables(
    read_complications(
        ROWS.format(name="fast", measure="heart_rate", level="1 Hz")
        + ROWS.format(name="full", measure="left_atrial_pressure", level="1 Pa")
    ),
    read_preferences("""
[complication]
fast = { loss = 10, at_most = 0.25 }
full = { loss = 20, at_most = 0.10 }
[difference]
heart_rate = "0.5 Hz"
"""),
)


def _played(*options: tuple[list[int], list[int]], members: int = 100) -> Played:
    """Return options in which the members of two lists are fast, and full."""
    outputs = list[dict[str, np.ndarray]]()
    for fast, full in options:
        course = {n: np.zeros((20, members)) for n in OUTPUTS}
        course["heart_rate"][:, fast] = 2.0
        course["left_atrial_pressure"][:, full] = 2.0
        outputs.append(course)
    names = tuple(Option(f"option {i}") for i in range(len(options)))
    failed = tuple(np.zeros(members, np.bool_) for _ in options)
    ensemble = drawn(Person(), members)
    return Played(Rehearsal("q", names, 100.0), ensemble, np.arange(1, 21) * 5.0,
                  {n: np.zeros(members) for n in OUTPUTS}, tuple(outputs), failed,
                  (adult(),) * len(options))  # fmt: skip


def _compared(*options: tuple[list[int], list[int]]) -> Comparison:
    return compare(_played(*options), TABLES)


def _some(first: int, last: int) -> list[int]:
    return list(range(first, last))


def test_chances_have_jeffreys_intervals():
    low, high = jeffreys(7, 50)
    assert low == pytest.approx(beta.ppf(0.025, 7.5, 43.5))
    assert high == pytest.approx(beta.ppf(0.975, 7.5, 43.5))
    assert jeffreys(0, 50)[0] == 0.0
    assert jeffreys(50, 50)[1] == 1.0
    assert jeffreys(0, 0) == (0.0, 1.0)
    told = _compared((_some(0, 7), []), ([], [])).options[0].chances[0]
    assert (told.count, told.members, told.chance) == (7, 100, 0.07)
    assert told.low < 0.07 < told.high
    assert told.first == 5.0


def test_jeffreys_intervals_cover_the_truth():
    rng = np.random.default_rng(7)
    for truth in (0.05, 0.3, 0.8):
        counts = rng.binomial(100, truth, 400)
        covered = [low <= truth <= high for low, high in (jeffreys(int(k), 100) for k in counts)]
        assert 0.91 <= np.mean(covered) <= 0.99


def test_pairs_tell_more_than_counts():
    shared = np.zeros(100, np.bool_)
    shared[:40] = True
    more = shared.copy()
    more[40:50] = True
    low, middle, _ = paired(shared, more)
    assert middle == pytest.approx(0.10)
    assert low > 0.0, "ten members changed, none back"
    apart = np.roll(more, 50)
    assert paired(shared, apart)[0] < 0.0, "the same counts among strangers tell nothing"
    assert paired(shared, shared)[1] == 0.0


def test_a_mean_has_an_interval_that_holds_it():
    low, mean, high = mean_interval(np.arange(100.0))
    assert low < mean < high
    assert mean_interval(np.arange(100.0)) == (low, mean, high), "no chance enters"
    assert high - low == pytest.approx(2 * 1.96 * np.std(np.arange(100.0)) / 10.0, rel=0.1)


def test_who_cannot_be_told_apart_shares_the_rank():
    told = _compared((_some(0, 30), []), (_some(1, 31), []), (_some(0, 80), []))
    assert [o.rank for o in told.options] == [1, 1, 3]
    assert told.options[2].dominated == ("option 0", "option 1")
    assert told.options[0].dominated == ()


def test_a_trade_off_has_no_winner_in_everything():
    told = _compared((_some(0, 60), []), ([], _some(60, 95)))
    assert all(not o.dominated for o in told.options)
    assert [o.rank for o in told.options] == [1, 1], "60 x 10 and 35 x 20 are near"
    signs = {d.name: d.difference > 0.0 for d in told.chance_differences if not d.noise}
    assert signs == {"fast": False, "full": True}


def test_regret_is_what_knowing_the_member_would_save():
    told = _compared((_some(0, 50), []), (_some(50, 100), []))
    assert [o.regret[1] for o in told.options] == pytest.approx([5.0, 5.0])
    assert [o.loss[1] for o in told.options] == pytest.approx([5.0, 5.0])
    same = _compared((_some(0, 50), []), (_some(0, 50), []))
    assert [o.regret[1] for o in same.options] == [0.0, 0.0], "both err on the same members"


def test_differences_within_the_noise_or_too_small_are_said_to_be_so():
    played = _played(([], []), ([], []))
    played.outputs[1]["heart_rate"][:] = 0.1
    played.outputs[1]["cardiac_output"][:] = np.linspace(-1e-4, 1e-4, 100)
    told = {d.measure: d for d in compare(played, TABLES).differences if d.when == "end"}
    assert told["heart_rate"].why == "too small to count"
    assert told["oxygen_saturation"].why == "no difference"
    assert told["cardiac_output"].why.startswith("within the noise")
    played.outputs[1]["heart_rate"][:] = 0.9
    told = {d.measure: d for d in compare(played, TABLES).differences if d.when == "end"}
    assert not told["heart_rate"].noise
    assert told["heart_rate"].median == pytest.approx(0.9)


def test_members_that_were_lost_alive_count_nowhere_and_are_told():
    played = _played((_some(0, 30), []), ([], []))
    failed = np.zeros(100, np.bool_)
    failed[:10] = True
    told = compare(replace(played, failed=(failed, played.failed[1])), TABLES)
    assert told.members == 90
    assert told.options[0].lost == 10
    assert told.options[0].chances[0].count == 20


def test_nobody_left_is_told_and_is_no_crash():
    played = _played(([], []), ([], []))
    told = compare(replace(played, failed=(np.ones(100, np.bool_), played.failed[1])), TABLES)
    assert told.members == 0
    assert np.isnan(told.options[0].loss[1])


def test_choices_are_a_set_with_what_speaks_against_each():
    told = _compared((_some(0, 5), []), (_some(0, 22), []), (_some(0, 60), _some(0, 60)))
    told = replace(told, options=tuple(
        replace(o, against=("too small",)) if o.name == "option 0" else o for o in told.options
    ))  # fmt: skip
    choices = acceptable(told, TABLES.preferences)
    assert [c.verdict for c in choices] == ["unacceptable", "open", "unacceptable"]
    assert choices[0].against == ("too small",)
    assert [(o.chance.name, o.sure) for o in choices[2].objections] == [
        ("full", True), ("fast", True),
    ]  # fmt: skip
    fine = acceptable(_compared((_some(0, 5), []), ([], [])), TABLES.preferences)
    assert [c.verdict for c in fine] == ["acceptable", "acceptable"]


def test_doses_and_devices_become_options():
    asked = {"do": ["bleed {} at 10 s"], "each": ["100 mL", "200 mL"]}
    assert tried(asked) == [
        ("100 mL", ["bleed 100 mL at 10 s"], ()), ("200 mL", ["bleed 200 mL at 10 s"], ()),
    ]  # fmt: skip
    valve = {"do": ["replace aortic valve eoa {}"], "device": "sapien 3", "annulus": "490 mm2"}
    sizes = tried(valve)
    assert [name for name, _, against in sizes if not against] == ["sapien 3 26 mm"]
    assert "too small" in sizes[0][2][0]
    assert "too large" in sizes[-1][2][0]
    assert sizes[2][1] == ["replace aortic valve eoa 1.74 cm2"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"do": ["bleed 1 L"], "each": ["1"]}, "no act has a place"),
        ({"do": ["bleed {}"]}, "nothing to choose"),
        ({"do": ["bleed {}"], "each": ["1 mL"] * 13}, "13 choices are more than 12"),
        ({"do": ["x {}"], "device": "spring"}, "'spring' is no device"),
        ({"do": ["x {}"], "device": "sapien 3", "annulus": "4 mm"}, "is no area"),
        ({"do": ["x {}"], "device": "sapien 3", "annulus": "a mm2"}, "is no area"),
    ],
)  # fmt: skip
def test_a_question_without_choices_is_told(asked, said):
    with pytest.raises(InputError, match=said):
        tried(asked)


def test_every_device_says_what_is_not_verified_and_a_faulty_table_is_told():
    assert all("(unverified)" in d.source for d in devices().values())
    assert all(s.low.si < s.high.si for d in devices().values() for s in d.sizes)
    for text in (
        '["a"]\nmeaning = "m"',
        "[a",
        '["a"]\nmeaning="m"\nsource="s"\nsizes=[{label="1"}]',
    ):
        with pytest.raises(InputError):
            read_devices(text)


def test_a_complication_without_a_weight_is_no_harmless_one():
    table = read_complications(ROWS.format(name="odd", measure="heart_rate", level="1 Hz"))
    with pytest.raises(InputError, match="say nothing of 'odd'"):
        compare(_played(([], []), ([], [])), Tables(table, preferences()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[complication]\na = { loss = -1, at_most = 0.5 }", "a: a loss lies from 0 up"),
        ("[complication]\na = { loss = 1, at_most = 5 }", "at_most between 0 and 1"),
        ("[complication]\na = { loss = 1 }", "a: it lacks loss or at_most"),
        ("[difference]\nheart_rate = '3 mL'", "not measured in"),
        ("[difference]\nheart = '3 /min'", "nobody measures"),
        ("[difference]\nheart_rate = 'few Hz'", "no number with a unit"),
        ("[", "no TOML"),
    ],
)
def test_faulty_preferences_are_told(text, said):
    with pytest.raises(InputError, match=said):
        read_preferences(text)
