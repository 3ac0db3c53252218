"""A signed plan over a patient: held, left and explained, scored, and gone on with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.errors import AccessError
from isosoma.core.observation import Observation
from isosoma.core.principal import Principal
from isosoma.core.units import to_si
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.quality import Finding
from isosoma.scenario.rehearsal_file import rehearsal_of
from isosoma.serve.hidden import PATIENT, hidden, history, started
from isosoma.serve.live_twin import Keeper, folded
from isosoma.serve.plan_watch import PlanWatch
from isosoma.serve.rehearsal_room import Room
from isosoma.serve.shelf import Shelf
from isosoma.twin.course import frames
from isosoma.twin.fold import Subject
from isosoma.twin.release import Release

T0 = 1_790_000_000 * 10**9
LINE = ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure")
ME = Principal("A", "clinician", "A", "test")
ASKED = {
    "question": "?", "for": "5 min",
    "option": [{"name": "watch"}, {"name": "fluid", "do": ["fluid 500 mL in 4 min at 10 s"]}],
}  # fmt: skip


class Clock:
    """The patient's time [s after T0]."""

    at = 0.0

    def __call__(self) -> int:
        return T0 + round(self.at * 1e9)


@pytest.fixture(scope="module")
def signed():
    """A hidden patient, the twin of two hours of them, and what was kept of a signed plan."""
    truth = hidden(1)
    run, clock = started(truth), Clock()
    past = history(run, T0, np.random.default_rng(2))
    keeper = Keeper(lambda _: pytest.fail("it is there"), clock)
    keeper.twin = folded(past, Subject(PATIENT, truth.person), Release(), T0, lambda _: None)
    room = Room(keeper)
    id_ = room.edit("", 0, rehearsal_of(ASKED)).id
    assert [name for name, _ in room.play(id_, 64)][-1] == "answer"
    room.decide(id_, "reviewed", ME)
    with pytest.raises(AccessError, match="server began again"):
        Room(keeper, room.shelf).decide(id_, "signed", ME, option="watch")
    room.decide(id_, "signed", ME, option="watch")
    plan = room.tell(room.shelf.case(id_))["plan"]
    assert plan == {"option": "watch", "begun": None, "inside_90": None}
    return truth, run, keeper.twin, tuple(room.shelf.drafts), id_


@pytest.fixture
def watching(signed):
    _, _, twin, drafts, id_ = signed
    keeper = Keeper(lambda _: pytest.fail("it is there"), Clock())
    keeper.twin = twin
    made = PlanWatch(keeper, Shelf(drafts=list(drafts)))
    made.begin(id_)
    return made


def readings(signed, acts, seconds, lowered=0.0):
    """What line, ECG and oximeter read each 5 s; the line is moved at 150 s by `lowered` [mmHg]."""
    truth, run, *_ = signed
    rng, plan = np.random.default_rng(3), interventions(read_acts(acts), truth.person)
    sigma = dict.fromkeys(LINE, 200.0) | {"heart_rate": 0.02, "oxygen_saturation": 0.01}
    devices = dict.fromkeys(LINE, "arterial line") | {"heart_rate": "ecg"}
    for frame, _ in frames(replace(run, origin=run.tick), plan, seconds, 5.0):
        t = frame.time - run.time
        for name, s in sigma.items():
            moved = to_si(lowered, "mm[Hg]") if name in LINE and t > 150.0 else 0.0
            value = float(frame.outputs[name][0]) + moved + s * rng.standard_normal()
            at = T0 + round(t * 1e9)
            yield Observation(PATIENT, name, at, at, value, s, device=devices.get(name, "oximeter"),
                              channel="ABP" if name in LINE else "")  # fmt: skip


def lived(watching, read):
    """Step after each instant's readings; return the plan messages."""
    told, clock = [], watching.keeper.now
    for o in read:
        if (o.at - T0) / 1e9 > clock.at:
            watching.step()
            told.append(watching.keeper.messages["plan"][1])
            clock.at = (o.at - T0) / 1e9
        watching.keeper.lessons.seen.append(o)
    clock.at += 5.5
    watching.step()
    return [*told, watching.keeper.messages["plan"][1]]


def test_a_patient_as_foreseen_stays_in_the_band_and_the_prediction_is_scored(watching, signed):
    last = lived(watching, readings(signed, [], 300.0))[-1]
    assert last.left is None
    assert last.over
    held = last.scores["heart_rate"]
    assert held.readings == 60
    assert held.inside_90 > 0.8
    assert set(watching.shelf.scores()) == {last.id}
    assert last.courses["mean_arterial_pressure"].unit == "mmHg"
    assert 40.0 < last.courses["mean_arterial_pressure"].band.low[0] < 130.0
    with pytest.raises(AccessError, match="begun already"):
        watching.begin(last.id)


def test_a_bleed_leaves_the_plan_and_is_explained_and_kept(watching, signed):
    told = lived(watching, readings(signed, ["bleed 1800 mL in 3 min at 60 s"], 240.0))
    left = next(m for m in told if m.left is not None)
    assert left.left.kind == "patient"
    assert 60.0 < left.left.clock - left.begun < 200.0
    assert "bleeding" in [c.cause for c in told[-1].causes if c.rank == 1]
    assert sum(c.share for c in told[-1].causes) == pytest.approx(1.0)
    kept = [d.payload for d in watching.shelf.drafts if d.payload["event"] == "left"]
    assert kept[0]["alert"]["kind"] == "patient"
    assert kept[-1]["explanations"]


def test_a_line_that_is_known_to_lie_low_tells_of_no_patient(watching, signed):
    since = T0 + 150 * 10**9
    watching.keeper.lessons.faults = (Finding("levelling", "level it", 2.0, device="arterial line",
                                      since=since),)  # fmt: skip
    assert all(m.left is None for m in lived(watching, readings(signed, [], 295.0, lowered=16.0)))


def test_a_line_that_moves_unseen_is_a_device_and_the_watch_goes_on(watching, signed):
    last = lived(watching, readings(signed, [], 299.0, lowered=40.0))[-1]
    assert last.left.kind == "device"
    assert "arterial line" in last.left.text
    assert last.causes[0].cause == "sensor"


def test_another_server_goes_on_with_a_plan_that_was_begun(watching, signed):
    lived(watching, readings(signed, [], 60.0))
    again = PlanWatch(watching.keeper, watching.shelf)
    again.step()
    assert again.plan is not None
    assert again.plan.prediction.begun
    with pytest.raises(AccessError, match="under way"):
        again.begin(again.plan.prediction.id)


def test_what_was_not_signed_does_not_begin(signed):
    _, _, twin, _, _ = signed
    keeper = Keeper(lambda _: pytest.fail("it is there"), Clock())
    keeper.twin = twin
    shelf = Shelf()
    id_ = Room(keeper, shelf).edit("", 0, rehearsal_of(ASKED)).id
    with pytest.raises(AccessError, match="no plan was signed"):
        PlanWatch(keeper, shelf).begin(id_)


def test_an_option_that_cannot_be_done_to_the_patient_keeps_nothing(signed):
    _, _, twin, drafts, id_ = signed
    keeper = Keeper(lambda _: pytest.fail("it is there"), Clock())
    keeper.twin = twin

    def refuse(_: object) -> None:
        raise AccessError("not operated on")

    made = PlanWatch(keeper, Shelf(drafts=list(drafts)), perform=refuse)
    with pytest.raises(AccessError, match="not operated on"):
        made.begin(id_)
    assert not made.shelf.predictions()[id_].begun
