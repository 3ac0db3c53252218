"""What was read is remembered, what comes is added, and who was erased is forgotten."""

from __future__ import annotations

import pytest

from isosoma.core.errors import FormatError, VocabularyError
from isosoma.core.principal import Principal
from isosoma.record import Draft, open_log
from isosoma.record.erasure import erase
from isosoma.scenario.case import Case, ask, cases
from isosoma.scenario.rehearsal import Option, Rehearsal
from isosoma.serve import rehearsal_api
from isosoma.serve.rehearsal_room import Room
from isosoma.serve.shelf import Shelf
from isosoma.serve.telemetry import Lane


def asked(name, version=1):
    options = (Option("wait"), Option("act"))
    return ask(Case(name, Rehearsal(f"{name}, version {version}?", options, 60.0, version=version)))


@pytest.fixture(params=["log", "memory"])
def shelf(request, tmp_path):
    if request.param == "memory":
        yield Shelf()
        return
    with open_log(tmp_path / "ward.log") as log:
        yield Shelf(Lane(log, "bed-2"))


def test_what_comes_is_added_to_what_was_read(shelf):
    assert shelf.cases() == {}
    shelf.append([asked("a"), asked("b")])
    assert list(shelf.cases()) == ["a", "b"]
    shelf.append([asked("a", 2)])
    assert shelf.case("a").rehearsal.question == "a, version 2?"
    assert list(shelf.cases()) == ["a", "b"]
    assert shelf.cases() == cases(shelf._since(0)), "remembered is as read from the start"
    with pytest.raises(VocabularyError):
        shelf.case("c")


def test_nothing_is_read_again_until_something_was_decided(shelf, monkeypatch):
    shelf.append([asked("a")])
    told = shelf.told()
    assert shelf.told() is told
    if shelf.lane is not None:
        reading = Draft("patient", {"body": {}}, key=b"body")
        shelf.lane.log.append("bed-2", [reading]).result()
        shelf.lane.log.append("bed-3", [asked("other")]).result()
    assert shelf.told() is told
    shelf.append([asked("b")])
    assert list(shelf.told().cases) == ["a", "b"]


def test_a_decision_of_no_shape_is_told_each_time_and_spoils_nothing(shelf):
    shelf.append([asked("a")])
    shelf.told()
    bad = Draft("decision", {"about": "rehearsal", "id": "z", "event": "decided"}, key=b"z")
    shelf.append([bad])
    for _ in range(2):
        with pytest.raises(FormatError):
            shelf.cases()


def test_who_was_erased_is_forgotten(tmp_path):
    with open_log(tmp_path / "ward.log") as log:
        shelf = Shelf(Lane(log, "bed-2"))
        shelf.append([asked("a")])
        assert list(shelf.cases()) == ["a"]
        erase(log, "bed-2", by=Principal("a", "clinician", "A"), reason="asked for")
        assert shelf.cases() == {}
        assert shelf.told() is shelf.told()


def test_the_list_is_made_once_for_what_was_decided(shelf):
    room = Room(None, shelf)
    shelf.append([asked("a")])
    first = rehearsal_api._listed(room)
    made = room.listed
    assert rehearsal_api._listed(room).body == first.body
    assert room.listed is made
    shelf.append([asked("b")])
    assert b"b, version 1?" in rehearsal_api._listed(room).body
    assert b"b, version 1?" not in first.body
