"""Edits, undo, and the document of a rehearsal; what cannot be played is told where and why."""

from __future__ import annotations

import json

import pytest

from isosoma.core.errors import AccessError, InputError
from isosoma.organs.circulation.acts import Amount, read_act
from isosoma.scenario.history import History, edited, redo, undo
from isosoma.scenario.rehearsal import (
    Option,
    Step,
    add,
    add_option,
    digest,
    move,
    remove,
    remove_option,
    rename,
)
from isosoma.scenario.rehearsal_file import read_rehearsal, write_rehearsal

TEXT = """
question = "Bleed or not?"
for = "5 min"
before = ["norepinephrine 0.05 ug/kg/min"]

[[option]]
name = "wait"

[[option]]
name = "bleed"
do = ["fluid 500 mL in 5 min at 2 min", {act = "bleed 500 mL in 2 min at 60 s", by = "nurse"}]
"""
PLAN = read_rehearsal(TEXT)


def test_the_document_goes_there_and_back():
    assert read_rehearsal(write_rehearsal(PLAN)) == PLAN
    assert [s.act.name for s in PLAN.option("bleed").steps] == ["bleed", "fluid"], "by time"
    assert [s.by for s in PLAN.option("bleed").steps] == ["nurse", "anaesthetist"]
    assert PLAN.seconds == 300.0
    assert PLAN.version == 1


def test_edits_make_new_versions_and_are_undone_and_redone():
    step = Step(read_act("phenylephrine 100 ug at 90 s"))
    now = edited(History(PLAN), add(PLAN, "wait", step))
    now = edited(now, move(now.present, "wait", 0, Amount(2.0, "min")))
    now = edited(now, rename(now.present, "wait", "support"))
    assert now.present.option("support").steps[0].act.at == Amount(2.0, "min")
    back = undo(undo(undo(now)))
    assert back.present.option("wait") == PLAN.option("wait")
    assert back.present.version == 7, "an undo is a change that others see"
    assert digest(back.present) == digest(PLAN), "what was undone leaves no trace in what is played"
    again = redo(redo(redo(back)))
    assert digest(again.present) == digest(now.present)
    assert undo(History(PLAN)) == History(PLAN)
    assert redo(History(PLAN)) == History(PLAN)
    assert edited(undo(now), rename(undo(now).present, "bleed", "x")).undone == ()


def test_steps_and_options_come_and_go():
    less = remove(PLAN, "bleed", 0)
    assert [s.act.name for s in less.option("bleed").steps] == ["fluid"]
    more = add_option(PLAN, Option("third"))
    assert remove_option(more, "third").options == PLAN.options
    later = move(PLAN, "bleed", 0, Amount(4.0, "min"))
    assert [s.act.name for s in later.option("bleed").steps] == ["fluid", "bleed"], "by time again"


def test_who_edits_an_older_version_is_told():
    now = edited(History(PLAN), rename(PLAN, "wait", "watch"))
    with pytest.raises(AccessError, match="somebody changed the rehearsal meanwhile"):
        edited(now, rename(PLAN, "bleed", "bleed a lot"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("bleed 500 mL", "phlebotomise 500 mL"), "option 'bleed'.*is no act that is known"),
        (("bleed 500 mL", "bleed 50 L"), "option 'bleed'.*above 10000 mL"),
        (("bleed 500 mL", "bleed 500"), "option 'bleed'.*no unit"),
        (("at 60 s", "at 6 min"), "begins after the end, 300 s"),
        (('name = "wait"', 'name = "Bleed"'), "two options have this name"),
        (('name = "wait"', 'name = ""'), "it is empty"),
        (('name = "wait"', 'nome = "wait"'), "nome is not read"),
        (('by = "nurse"', 'by = "barber"'), "'barber' is no role"),
        (('for = "5 min"', 'for = "5"'), "for"),
        (('for = "5 min"', 'for = "5 mL"'), "is no time"),
        (('for = "5 min"', 'for = "0 s"'), "outside 1 s to 24 h"),
        (("ug/kg/min", "ug/kg/min at 3 s"), "what is there before has none"),
        (("before", "physiology = 'eel'\nbefore"), "'eel' is no physiology"),
        (("question", "quest"), "quest is not read"),
        (("[[option]]\nname = \"wait\"", ""), "1 option cannot be compared"),
        (("\n", "\n[[option]]\nname = 'a'\n"), "is already|Cannot|neither TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_told(change, said):
    with pytest.raises(InputError, match=said):
        read_rehearsal(TEXT.replace(*change))


def test_too_many_options_and_hostile_documents_are_refused():
    many = {"question": "q", "for": "60 s", "option": [{"name": f"o{i}"} for i in range(13)]}
    with pytest.raises(InputError, match="13 options are more than 12"):
        read_rehearsal(json.dumps(many))
    for text in ("[" * 5000, "{" * 5000, '{"option": 3, "for": "60 s"}', "{}", "\x00"):
        with pytest.raises(InputError):
            read_rehearsal(text)
    with pytest.raises(InputError, match="step 4 of 2 does not exist"):
        remove(PLAN, "bleed", 4)
    with pytest.raises(InputError, match="no option is called"):
        remove(PLAN, "nothing", 0)
    with pytest.raises(InputError, match="no time"):
        move(PLAN, "bleed", 0, Amount(1.0, "mL"))
