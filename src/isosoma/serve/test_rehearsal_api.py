"""The rehearsal room's promises: versions, refusals in sentences, what is signed stays."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from isosoma.core.errors import InputError
from isosoma.record import open_log
from isosoma.scenario.rehearsal_file import read_rehearsal
from isosoma.serve.cli import build_parser
from isosoma.serve.own_tables import tables_of
from isosoma.serve.rehearsal_api import add_routes
from isosoma.serve.rehearsal_room import Room
from isosoma.serve.shelf import Shelf
from isosoma.serve.telemetry import Lane

TEXT = """
question = "How is pressure best kept?"
for = "90 s"
[[option]]
name = "watch"
[[option]]
name = "fluid"
do = ["fluid 500 mL in 1 min at 10 s"]
[[option]]
name = "norepinephrine"
do = ["norepinephrine 0.05 ug/kg/min from 10 s"]
"""
ME = {"name": "A", "qualification": "test"}


def client_of(lane: Lane | None = None, host: str = "127.0.0.1") -> TestClient:
    app = FastAPI()
    add_routes(app, Room(None, Shelf(lane)))
    return TestClient(app, client=(host, 1))


@pytest.fixture
def client():
    return client_of()


def made(client: TestClient) -> dict:
    answer = client.post("/rehearsals", json={"rehearsal": TEXT})
    assert answer.status_code == 200, answer.text
    return answer.json()


def events(client: TestClient, id_: str) -> list[tuple[str, dict]]:
    text = client.post(f"/rehearsals/{id_}/play", json={"members": 24}).text
    out = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        out.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return out


def test_the_table_of_acts_has_units_and_roles(client):
    told = client.get("/rehearsals/acts").json()
    fluid = next(a for a in told["acts"] if a["name"] == "fluid")
    assert fluid["takes"][0] == {"name": "volume", "word": "", "unit": "mL", "low": 0,
                                 "high": 10000, "default": None}  # fmt: skip
    assert fluid["role"] in told["roles"]


def test_an_edit_of_an_older_version_is_refused_with_both(client):
    first = made(client)
    edit = {"rehearsal": TEXT, "id": first["id"], "version": 1}
    assert client.post("/rehearsals", json=edit).json()["version"] == 2
    late = client.post("/rehearsals", json=edit)
    assert late.status_code == 409
    assert "somebody changed the rehearsal meanwhile" in late.json()["error"]
    assert late.json()["present"]["version"] == 2
    assert late.json()["yours"] == TEXT


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"rehearsal": TEXT.replace("fluid 500", "flood 500")}, "no act that is known"),
        ({"rehearsal": TEXT.replace("500 mL", "500")}, "no unit"),
        ({"rehearsal": "question ="}, "neither TOML nor JSON"),
        ({"rehearsal": 7}, "The body is not what is read here"),
        ({"rehearsal": TEXT, "surprise": 1}, "surprise"),
        ({"rehearsal": TEXT, "id": "nowhere"}, "no rehearsal is called 'nowhere'"),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(client, body, said):
    answer = client.post("/rehearsals", json=body)
    assert answer.status_code in (404, 422)
    assert said in answer.json()["error"]
    assert client.get("/rehearsals").json()["rehearsals"] == []


def test_a_check_tells_what_is_wrong_where_and_keeps_nothing(client):
    bad = TEXT.replace("fluid 500", "flood 500")
    asked = {"rehearsal": bad}
    assert (
        "no act that is known"
        in client.post("/rehearsals/check", json=asked).json()["wrong"]["rehearsal"]
    )
    sound = client.post("/rehearsals/check", json={"rehearsal": TEXT}).json()
    assert sound == {"wrong": {}, "unusual": {}}
    assert client.get("/rehearsals").json()["rehearsals"] == []


def test_an_impossible_dose_is_wrong_and_an_unusual_one_is_asked_about(client):
    def told(dose):
        raw = {
            "question": "?",
            "for": "10 min",
            "option": [{"name": "a", "do": [dose]}, {"name": "b"}],
        }
        return client.post("/rehearsals/check", json={"rehearsal": raw}).json()

    assert told("norepinephrine 0.1 ug/kg/min") == {"wrong": {}, "unusual": {}}
    odd = told("norepinephrine 3 ug/kg/min")
    assert odd["wrong"] == {}
    assert "above the usual range" in odd["unusual"]["option 1 act 1"]
    refused = told("norepinephrine 50 ug/kg/min")
    assert "at most 10 ug/kg/min" in refused["wrong"]["option 1 act 1"]
    assert refused["unusual"] == {}


def test_another_machine_is_refused():
    assert client_of(host="10.0.0.9").get("/rehearsals").status_code == 403


def test_a_rehearsal_is_guessed_played_signed_and_then_stays(client):
    id_ = made(client)["id"]
    guess = client.post(f"/rehearsals/{id_}/guess", json={**ME, "option": "fluid"})
    assert guess.json()["estimates"][0]["option"] == "fluid"
    told = events(client, id_)
    assert [n for n, _ in told if n != "progress"] == ["partial", "answer"]
    final = told[-1][1]
    assert [o["name"] for o in final["comparison"]["options"]] == [
        "watch", "fluid", "norepinephrine",
    ]  # fmt: skip
    course = final["frames"]["measures"]["mean_arterial_pressure"]
    assert course["unit"] == "mmHg"
    assert 40 < course["bands"][0]["median"][-1] < 150
    assert client.get(f"/rehearsals/{id_}/frames").json()["frames"] == final["frames"]
    late = client.post(f"/rehearsals/{id_}/guess", json={**ME, "option": "fluid"})
    assert late.status_code == 409
    empty = client.post(f"/rehearsals/{id_}/reject", json={**ME, "reason": " "})
    assert (empty.status_code, "gives its reason" in empty.json()["error"]) == (422, True)
    assert client.post(f"/rehearsals/{id_}/sign", json=ME).status_code == 409
    assert client.post(f"/rehearsals/{id_}/review", json=ME).status_code == 200
    assert client.post(f"/rehearsals/{id_}/sign", json={"name": "A"}).status_code == 422
    assert client.post(f"/rehearsals/{id_}/sign", json=ME).json()["evidence"]["status"] == "signed"
    edit = client.post("/rehearsals", json={"rehearsal": TEXT, "id": id_, "version": 1})
    assert (edit.status_code, "is signed" in edit.json()["error"]) == (409, True)
    assert events(client, id_)[-1][0] == "fault"


def test_an_answer_to_an_older_version_is_not_signed(client):
    id_ = made(client)["id"]
    events(client, id_)
    edit = {"rehearsal": TEXT.replace("500 mL", "250 mL"), "id": id_, "version": 1}
    assert "edited after" in client.post("/rehearsals", json=edit).json()["stale"]
    assert "edited after" in client.get("/rehearsals").json()["rehearsals"][0]["stale"]
    review = client.post(f"/rehearsals/{id_}/review", json=ME)
    assert (review.status_code, "play it again" in review.json()["error"]) == (409, True)


def test_the_list_tells_state_who_and_when_and_each_is_opened_again(client):
    id_ = made(client)["id"]
    row = client.get("/rehearsals").json()["rehearsals"][0]
    assert (row["status"], row["by"], row["at"]) == ("asked", "", None)
    told = client.get(f"/rehearsals/{id_}").json()
    assert (told["result"], told["playing"]) == (None, False)
    answer = events(client, id_)[-1][1]
    assert client.get(f"/rehearsals/{id_}").json()["result"]["frames"] == answer["frames"]
    client.post(f"/rehearsals/{id_}/reject", json={**ME, "reason": "too late"})
    row = client.get("/rehearsals").json()["rehearsals"][0]
    assert (row["status"], row["by"], row["options"][0]) == ("rejected", "A", "watch")
    assert row["at"] > 1.7e9
    client.post("/rehearsals", json={"rehearsal": TEXT.replace("90 s", "60 s"), "id": id_,
                                     "version": 1})  # fmt: skip
    assert client.get(f"/rehearsals/{id_}").json()["result"] is None, "that was of another"


def test_who_is_beyond_a_level_is_told_with_the_times(client):
    bled = TEXT.replace("fluid 500 mL in 1 min at 10 s", "bleed 2 L in 30 s at 10 s")
    id_ = client.post("/rehearsals", json={"rehearsal": bled}).json()["id"]
    frames = events(client, id_)[-1][1]["frames"]
    bled_out = frames["beyond"][1]
    assert "arrest" in {b["name"] for b in bled_out}
    assert frames["beyond"][0] == []
    for begin, end, share in (span for b in bled_out for span in b["spans"]):
        assert 0.0 <= begin < end <= frames["times"][-1]
        assert 0.0 < share <= 1.0
    assert any(begin >= 10.0 for b in bled_out for begin, _, _ in b["spans"])


def test_a_rehearsal_outlives_the_server_where_a_log_is_open(tmp_path):
    with open_log(tmp_path / "log") as log:
        id_ = made(client_of(Lane(log, "p1")))["id"]
    with open_log(tmp_path / "log") as log:
        again = client_of(Lane(log, "p1"))
        assert again.get(f"/rehearsals/{id_}").json()["version"] == 1
        assert again.get("/rehearsals").json()["durable"]


def test_an_answer_outlives_the_server_without_its_courses(tmp_path):
    with open_log(tmp_path / "log") as log:
        first = client_of(Lane(log, "p1"))
        id_ = made(first)["id"]
        ranked = events(first, id_)[-1][1]["comparison"]
    with open_log(tmp_path / "log") as log:
        kept = client_of(Lane(log, "p1")).get(f"/rehearsals/{id_}").json()["result"]
    assert kept["comparison"] == ranked
    assert (kept["frames"], kept["units"]["mean_arterial_pressure"]["unit"]) == (None, "mmHg")


def test_a_second_play_is_refused_and_does_not_hide_the_first():
    room = Room()
    id_ = room.edit("", 1, read_rehearsal(TEXT)).id
    first = room.play(id_, 2)
    assert next(first)[0] == "progress"
    assert room.playing == id_
    assert [name for name, _ in room.play(id_, 2)] == ["fault"]
    assert room.playing == id_
    assert list(first)[-1][0] == "answer"
    assert room.playing == ""


def test_the_users_own_devices_are_implanted_and_no_others(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '["house valve"]\nmeaning = "ours"\nsource = "bench"\n'
        'sizes = [{ label = "25 mm", eoa = 1.8, annulus = [400, 520], frame = [25, 19] }]\n'
    )
    given = build_parser().parse_args(["run", "--devices", str(own)])
    app = FastAPI()
    add_routes(app, Room(tables=tables_of(given)))
    client = TestClient(app, client=("127.0.0.1", 1))

    def wrong(act: str) -> dict:
        plan = {"question": "Which?", "for": "90 s",
                "option": [{"name": "wait"}, {"name": "valve", "do": [act]}]}  # fmt: skip
        return client.post("/rehearsals/check", json={"rehearsal": plan}).json()["wrong"]

    assert wrong("implant house valve 25 mm at 10 s") == {}
    assert "house valve" in wrong("implant sapien 3 26 mm at 10 s")["option 2 act 1"]


def test_a_table_that_leaves_a_complication_without_weight_is_refused_at_the_start(tmp_path):
    own = tmp_path / "light.toml"
    own.write_text("[complication]\narrest = { loss = 100, at_most = 0.01 }\n[difference]\n")
    given = build_parser().parse_args(["run", "--preferences", str(own)])
    with pytest.raises(InputError, match="say nothing of 'low pressure'"):
        tables_of(given)
