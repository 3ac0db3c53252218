"""Each part that cannot be is told where it stands, and what is sound is left alone."""

from __future__ import annotations

import pytest

from isosoma.serve.rehearsal_check import wrongs

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
