"""Each part that cannot be is told where it stands, and what is sound is left alone."""

from __future__ import annotations

import pytest

from isosoma.serve.rehearsal_check import unusuals, wrongs

SOUND = {
    "question": "What now?",
    "for": "10 min",
    "before": ["norepinephrine 0.05 ug/kg/min"],
    "option": [
        {"name": "watch"},
        {"name": "fluid", "do": [{"act": "fluid 500 mL in 10 min at 60 s", "by": "nurse"}]},
    ],
}


def with_act(said: str) -> dict:
    return SOUND | {"option": [{"name": "watch"}, {"name": "fluid", "do": [said]}]}


def test_what_can_be_played_has_nothing_wrong():
    assert wrongs(SOUND) == {}


@pytest.mark.parametrize(
    ("raw", "part", "said"),
    [
        (SOUND | {"question": " "}, "question", "It is empty"),
        (SOUND | {"for": "ten"}, "for", "Write it as 10 min, 300 s or 2 h."),
        (SOUND | {"for": "40 h"}, "for", "outside 1 s to 24 h"),
        (SOUND | {"before": ["flood 1 L"]}, "before", "'flood 1 L' is no act that is known"),
        (with_act("flood 1 L"), "option 2 act 1", "Near are fluid."),
        (with_act("fluid 900 L"), "option 2 act 1", "above 10000 mL"),
        (with_act("norepinephrine 50 ug/kg/min"), "option 2 act 1", "more than anybody is given"),
        (with_act("norepinephrine 5 g/min"), "option 2 act 1", "at most 10 ug/kg/min"),
        (with_act("fluid 9 L in 10 s"), "option 2 act 1", "faster than 1500 mL/min"),
        (SOUND | {"before": ["propofol 200 mg/kg"]}, "before", "at most 20 mg/kg"),
        (with_act("fluid 500 mL at never"), "option 2 act 1", "'never' has no place"),
        (with_act("fluid 500 mL in 10 min at 20 min"), "option 2 act 1", "after the end, 600 s"),
        (SOUND | {"option": [{"name": "A"}, {"name": "a"}]}, "option 2", "two options have"),
        (SOUND | {"option": [{"name": ""}, {"name": "a"}]}, "option 1", "It is empty"),
        (SOUND | {"option": [{"name": "a"}]}, "rehearsal", "1 option cannot be compared"),
        (SOUND | {"option": "a"}, "rehearsal", "It is no list"),
        (SOUND | {"physiology": "fish"}, "rehearsal", "no physiology that is known"),
        ("question =", "rehearsal", "It is neither TOML nor JSON"),
    ],
)
def test_one_thing_wrong_is_told_at_its_place_alone(raw, part, said):
    found = wrongs(raw)
    assert list(found) == [part]
    assert said.lower() in found[part].lower()
    assert "isosoma models" not in found[part], "a page has no command line"


def test_what_is_wrong_in_one_part_hides_nothing_in_another():
    raw = with_act("fluid 900 L") | {"question": "", "for": "ten", "before": ["flood 1 L"]}
    assert list(wrongs(raw)) == ["question", "for", "before", "option 2 act 1"]


def test_twelve_options_are_judged_and_a_filler_takes_no_name():
    names = [{"name": str(i)} for i in range(12)]
    assert wrongs(SOUND | {"option": names, "for": "ten"}).keys() == {"for"}
    assert wrongs(SOUND | {"option": [{"name": "."}, {"name": ".."}], "for": "ten"}).keys() == {
        "for"
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("norepinephrine 1 ug/kg/min", ""),
        ("norepinephrine 2 ug/kg/min", "above the usual range of norepinephrine, at most 1"),
        ("norepinephrine 200 ug/min", "(2.86 ug/kg/min at 70 kg)"),
        ("induction 5 mg/kg ventilated", "above the usual range of propofol, at most 3 mg/kg"),
        ("bleed 4 L in 10 min", "olume of 4 L is above the usual range of bleed"),
        ("ventilate 12 /min tidal 1.5 L", "A tidal of 1.5 L"),
        ("norepinephrine 50 ug/kg/min", ""),
        ("flood 1 L", ""),
    ],
)
def test_what_can_be_but_seldom_is_is_said_beside_its_act_and_is_not_wrong(said, told):
    found = unusuals(with_act(said))
    assert set(found) == ({"option 2 act 1"} if told else set())
    assert told in "".join(found.values())
    options = f'[[option]]\nname = "a"\n[[option]]\nname = "b"\ndo = ["{said}"]'
    text = f'question = "?"\nfor = "1 h"\n{options}'
    assert unusuals(text) == found


def test_a_dose_of_a_person_is_judged_by_their_weight():
    raw = with_act("norepinephrine 60 ug/min")
    assert unusuals(raw, 70.0) == {}
    assert "at 3 kg" in unusuals(raw, 3.0)["option 2 act 1"]
    assert "at most" in unusuals(SOUND | {"before": ["esmolol 5 mg/kg"]})["before"]


def test_a_document_of_no_shape_is_left_to_what_is_wrong():
    for raw in ({"option": 3}, {"option": [3, {"do": 4}, {"do": [{}, 5]}]}, "question ="):
        assert unusuals(raw) == {}
