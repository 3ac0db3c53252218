"""The page with a twin behind it: what it is told, what may be done, what is refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time

import numpy as np
import pytest
from starlette.testclient import TestClient

from isosoma.core.errors import InputError, ModelError
from isosoma.exchange.fhir_write import write_fhir
from isosoma.intake import take, timeline
from isosoma.organs.circulation.acts import read_act
from isosoma.record import open_log
from isosoma.scenario.ensemble import of_twin
from isosoma.scenario.rehearsal_file import rehearsal_of
from isosoma.serve import demo as shown
from isosoma.serve.analysis import begin_on, hear
from isosoma.serve.app import Settings, make_app
from isosoma.serve.demo import demo, keeper_of, misses
from isosoma.serve.hidden import vitals
from isosoma.serve.live_twin import Keeper
from isosoma.serve.patient_page import keep, page_of, rate_read
from isosoma.serve.synthetic import simulate
from isosoma.serve.telemetry import Lane
from isosoma.twin.release import Release

BASE = "http://127.0.0.1:8000"
HOST = {"host": "127.0.0.1:8000"}
HERE = ("127.0.0.1", 50_000)
SMALL = Release(members=24)
KINDS = ("hello", "block", "state", "twin", "cycle", "belief", "forecast")


def told(socket, kinds=KINDS, enough=lambda _: True, most=4000):
    """Read until a message of each kind came and `enough` holds of them."""
    found = {}
    for _ in range(most):
        for line in socket.receive_text().split("\n"):
            message = json.loads(line)
            found[message["type"]] = message
            if message["type"] == "state":
                socket.send_text(json.dumps({"ack": message["n"]}))
        if set(kinds) <= found.keys() and enough(found):
            return found
    raise AssertionError(f"only {sorted(found)} came")


@contextlib.contextmanager
def watching(client):
    """A browser."""
    with client.websocket_connect("/live", headers=HOST) as opened:
        yield opened


@pytest.fixture(scope="module")
def live():
    """A demonstration that is watched: client, demo, keeper, and all it was told at first."""
    made = demo(7, ring=600.0)
    keeper = keeper_of(made, SMALL)
    settings = Settings(made.recording, keeper=keeper, demo=made)
    with TestClient(make_app(settings), base_url=BASE, client=HERE) as client:
        with watching(client) as socket:
            found = told(socket, enough=lambda f: f["twin"]["status"] == "live")
        yield client, made, keeper, found


def test_who_watches_is_told_of_the_signals_and_of_the_twin(live):
    _, made, keeper, found = live
    assert found["hello"]["seal"] == made.truth.seal
    assert 0.0 < found["hello"]["display_delay"] <= 0.6
    assert [c["variable"] for c in found["hello"]["channels"]] == [
        "ecg", "arterial_pressure", "plethysmogram",
    ]  # fmt: skip
    assert found["twin"]["digest"] == keeper.twin.digest
    numbers = found["twin"]["numbers"]
    for name in ("mean_arterial_pressure", "cardiac_output", "systemic_vascular_resistance",
                 "left_ventricular_end_diastolic_pressure"):  # fmt: skip
        row = numbers[name]
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["origin"], row["level"]) == ("simulated", 0.9)
        assert row["unit"]
    cuff = found["twin"]["readings"]["mean_arterial_pressure@cuff"]
    assert cuff["origin"] == "measured"
    assert cuff["age"] > 0.0
    assert "truth" not in json.dumps(found)


def test_a_belief_says_what_informs_each_unknown(live):
    rows = {row["name"]: row for row in live[3]["belief"]["unknowns"]}
    heart = rows["lv_elastance"]
    assert heart["plain"]
    assert heart["by"][0]["variable"].startswith("left_ventricular"), "the echo"
    assert heart["posterior"]["low"] < heart["posterior"]["median"] < heart["posterior"]["high"]
    assert all(0.0 <= row["informed_share"] <= 1.0 for row in rows.values())
    assert rows["period"]["by"][0]["variable"] == "heart_rate"


def test_a_forecast_looks_half_an_hour_ahead_in_shown_units(live):
    said = live[3]["forecast"]
    assert said["minutes"][0] == 0.0
    assert said["minutes"][-1] == 30.0
    band = said["outputs"]["mean_arterial_pressure"]
    assert said["units"]["mean_arterial_pressure"] == "mmHg"
    columns = zip(band["low"], band["value"], band["high"], strict=True)
    assert all(40 < low < value < high < 180 for low, value, high in columns)


def test_a_reading_that_comes_is_learnt_from(live):
    _, made, keeper, _ = live
    before = keeper.twin.digest
    values = {"oxygen_saturation": 0.97, "heart_rate": 1.1}
    keeper.offer(vitals(values, made.now(), np.random.default_rng(3), cuff=False))
    wait(lambda: before != keeper.messages["belief"][1].digest == keeper.twin.digest)
    assert keeper.messages["belief"][1].readings == len(keeper.twin.first) + len(
        keeper.twin.timeline.readings
    )


def wait(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_what_is_done_reaches_the_sensor_or_the_patient(live):
    client, made, _, _ = live
    lower = client.post("/demo/act", json={"act": "Lower the transducer 20 cm"}).json()
    assert lower == {"done": "lower the transducer 20 cm", "to": "sensor"}
    assert made.sensors.lowered == 20.0
    assert client.post("/demo/act", json={"act": "level the transducer"}).json()["to"] == "sensor"
    assert made.sensors.lowered == 0.0
    bled = client.post("/demo/act", json={"act": "bleed 300 mL in 10 min"}).json()
    assert bled == {"done": "bleed 300 mL in 10 min at 0 s", "to": "patient"}
    assert made.plan[-1].at >= made.run.time


def test_every_act_that_is_offered_can_be_done(live):
    client, made, _, found = live
    before = made.acts, made.plan
    for act in found["hello"]["acts"]:
        answer = client.post("/demo/act", json={"act": act})
        assert answer.status_code == 200, answer.text
    assert made.sensors.lowered == 0.0
    made.acts, made.plan = before


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "Send"),
        (b'{"act": 3}', "Send"),
        (b'{"act": "bleed", "to": "x"}', "Send"),
        (b'{"act": "dance"}', "no act that is known"),
        (b'{"act": "bleed 300 furlongs"}', "furlongs"),
        (b'{"act": "tilt the transducer"}', "lower the transducer 20 cm"),
        (b'{"act": "raise the transducer 900 cm"}', "within 50 cm"),
        (b'{"act": "open vsd 1 cm2"}', "not operated on"),
        (b'{"act": "' + b"x" * 9000 + b'"}', "too large"),
    ],
)
def test_an_act_that_cannot_be_gets_a_sentence_and_changes_nothing(live, body, says):
    client, made, _, _ = live
    before = made.acts, made.plan, made.sensors
    answer = client.post("/demo/act", content=body)
    assert answer.status_code in (413, 422)
    assert says in answer.json()["error"]
    assert (made.acts, made.plan, made.sensors) == before


def test_the_seal_can_be_checked_and_the_misses_are_shown(live):
    client, made, _, _ = live
    found = client.post("/demo/unseal").json()
    assert hashlib.sha256(found["text"].encode()).hexdigest() == found["seal"] == made.truth.seal
    text = json.loads(found["text"])
    truth = text["unknowns"] | text["root"]
    assert truth == {**made.truth.unknowns, **made.truth.root}
    assert found["of"] == len(truth) == len(found["unknowns"])
    (height,) = [r for r in found["unknowns"] if r["name"] == "left_coronary_height"]
    assert height["unit"] == "mm"
    assert height["low"] < height["median"] < height["high"]
    assert not height["informed"]
    assert found["inside"] == sum(row["inside"] for row in found["unknowns"])
    assert found["inside"] >= len(truth) // 2


def test_the_heart_team_has_a_question_and_the_twin_its_root(live):
    client, made, keeper, _ = live
    found = client.get("/demo/rehearsal").json()
    plan, moved = rehearsal_of(found["rehearsal"]), read_act(found["moved"])
    assert [o.name for o in plan.options][1] == "transcatheter valve"
    assert len(plan.options) == 3
    assert moved.amount("height").si == pytest.approx(0.014)
    who = of_twin(keeper.twin, made.now(), 64)
    height = who.changed["left_coronary_height"]
    told = next(o for o in made.root if o.variable == "left_coronary_height")
    assert height == pytest.approx(np.full(64, told.value))
    assert who.changed["left_coronary_height_sigma"] == pytest.approx(np.full(64, told.sigma))
    assert np.std(who.changed["left_coronary_height_z"]) == pytest.approx(1.0, abs=0.3)
    assert "left_coronary_height" not in keeper.twin.unknowns


def test_without_a_twin_the_truth_stands_alone():
    rows = misses(demo(7, ring=1.0).truth, None)
    assert not any("inside" in row for row in rows)


def test_a_patient_who_dies_leaves_silence_and_not_a_frozen_page(monkeypatch):
    def failed(*_):
        raise ModelError("the hidden circulation failed")

    monkeypatch.setattr(shown, "advanced", failed)
    made = demo(7, ring=30.0)
    life = threading.Thread(target=made.live, daemon=True)
    life.start()
    wait(lambda: made.ready(1000), 20.0)
    assert made.died
    assert np.isfinite(made.recording.channels[0].values[:1000]).all()
    with pytest.raises(ModelError, match="has died"):
        made.act("bleed 100 mL")
    made.over.set()
    life.join()


def test_from_another_machine_or_without_a_demonstration_nothing_is_done(live):
    _, made, _, _ = live
    with_demo = make_app(Settings(made.recording, demo=made))
    far = TestClient(with_demo, base_url=BASE, client=("10.0.0.9", 1))
    assert far.post("/demo/act", json={"act": "bleed 100 mL"}).status_code == 403
    assert far.post("/demo/unseal").status_code == 403
    plain = TestClient(make_app(Settings(simulate(20.0))), base_url=BASE, client=HERE)
    assert far.get("/demo/rehearsal").status_code == 403
    assert plain.get("/demo/rehearsal").status_code == 404
    for path in ("/demo/act", "/demo/unseal"):
        answer = plain.post(path)
        assert answer.status_code == 404
        assert "isosoma run" in answer.json()["error"]


def test_a_twin_that_cannot_be_built_is_said_and_the_page_lives():
    def build(_):
        raise ModelError("no member lives", todo="Look at the readings")

    keeper = Keeper(build, time.time_ns)
    with TestClient(make_app(Settings(simulate(20.0), keeper=keeper)), base_url=BASE) as client:
        with watching(client) as socket:
            found = told(socket, ("state", "twin"), lambda f: f["twin"]["status"] == "failed")
        assert "no member lives" in found["twin"]["said"]
        assert client.get("/health").json()["twin"].startswith("the twin cannot follow")


PATIENT_TOML = """
id = "p1"
sex = "f"
age = "61 a"
weight = "68 kg"
height = "165 cm"

[[measured]]
at = 2026-02-20T10:00:00Z
with = "echo"
left_ventricular_end_diastolic_volume = "120 mL"
left_ventricular_ejection_fraction = "52 %"

[[measured]]
at = 2026-02-20T10:05:00Z
with = "cuff"
systolic_pressure = "124 mm[Hg]"
diastolic_pressure = "76 mm[Hg]"
"""


@pytest.fixture
def folder(tmp_path):
    at = tmp_path / "p1"
    at.mkdir()
    (at / "patient.toml").write_text(PATIENT_TOML, "utf-8")
    made = simulate(20.0)
    lines = ["time,ecg", "s,mV"]
    lines += [f"{i / 250.0:.3f},{1e3 * v:.4f}" for i, v in enumerate(made.channels[0].values)]
    (at / "ecg.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return at


def lived(page):
    """Let the keeper of a page build its twin."""
    life = threading.Thread(target=page.keeper.live, daemon=True)
    life.start()
    wait(lambda: page.keeper.status.status in ("live", "failed"))
    assert page.keeper.status.status == "live", page.keeper.status.said
    return life


def test_a_patient_begins_again_where_the_log_ended(folder, tmp_path):
    store = tmp_path / "ward.log"
    digests = []
    for turn in range(2):
        with open_log(store) as log:
            page = page_of(folder, log, store, None, None)
            life = lived(page)
            digests.append(page.keeper.twin.digest)
            if turn == 0:
                state = begin_on(page.recording)
                hear(state, page.recording, 0, page.recording.length)
                reading = rate_read(state, "p1", time.time_ns())
                keep(log, page.keeper, reading)
                wait(lambda page=page: "heart_rate" in page.keeper.twin.newest())
                learnt = page.keeper.twin.digest
            page.keeper.over.set()
            life.join()
    assert digests[0] != learnt == digests[1]


def test_telemetry_that_came_reaches_the_twin(folder, tmp_path):
    store = tmp_path / "ward.log"
    with open_log(store) as log:
        page = page_of(folder, log, store, None, None)
        settings = Settings(page.recording, lane=Lane(log, "p1"), keeper=page.keeper,
                            banner=page.banner)  # fmt: skip
        with TestClient(make_app(settings), base_url=BASE, client=HERE) as client:
            wait(lambda: page.keeper.status.status == "live")
            body = {
                "resourceType": "Observation", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "59408-5"}]},
                "subject": {"reference": "Patient/p1"},
                "effectiveDateTime": "2026-02-21T06:59:00Z",
                "valueQuantity": {"value": 96, "unit": "%", "code": "%",
                                  "system": "http://unitsofmeasure.org"},
            }  # fmt: skip
            answer = client.post("/fhir", content=json.dumps(body),
                                 headers={"content-type": "application/fhir+json"})  # fmt: skip
            assert answer.json()["accepted"] == 1
            wait(lambda: "oxygen_saturation" in page.keeper.twin.newest())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda at: (at / "patient.toml").unlink(), "holds no patient.toml"),
        (lambda at: (at / "ecg.csv").unlink(), "holds no ECG"),
        (lambda at: (at / "patient.toml").write_text("id = 3"), "id"),
    ],
)
def test_a_folder_that_makes_no_page_is_told_why(folder, tmp_path, change, says):
    change(folder)
    store = tmp_path / "ward.log"
    with open_log(store) as log, pytest.raises(InputError, match=says):
        page_of(folder, log, store, None, None)


def test_an_ecg_from_elsewhere_is_called_a_composite_for_good(folder, tmp_path):
    record = tmp_path / "other.csv"
    (folder / "ecg.csv").rename(record)
    with open_log(tmp_path / "ward.log") as log:
        page = page_of(folder, log, None, str(record), None)
        assert "may be another person's" in page.banner["composite"]
        made = simulate(20.0)
        state = begin_on(made)
        hear(state, made, 0, made.length)
        reading = rate_read(state, page.banner["id"], time.time_ns(), composite=True)
        assert reading is not None
        take(log, [reading], patient=reading.subject, now=reading.received)
        record.rename(folder / "ecg.csv")
        again = page_of(folder, log, tmp_path / "ward.log", None, None)
        assert "ECG from elsewhere" in again.banner["composite"], "in a later run, too"
        known = timeline(log, reading.subject).readings
        bundle = write_fhir([r for r in known if r.origin == reading.origin])
        assert b"composite" in bundle, "and wherever it is exported"


def test_a_poor_ecg_gives_no_reading():
    made = simulate(20.0)
    state = begin_on(made)
    assert rate_read(state, "p1", 0) is None
