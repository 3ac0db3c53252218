"""A signed plan in a real browser: begun in the room, watched at the bedside, left, over."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.observation import Observation
from isosoma.scenario.explanation import Explanation
from isosoma.scenario.hindsight import Score
from isosoma.scenario.prediction import LEVELS, OUTPUTS, Prediction
from isosoma.scenario.rehearsal_file import rehearsal_of
from isosoma.scenario.watching import Alert, Watching, watch
from isosoma.serve.app import Settings
from isosoma.serve.demo import demo, keeper_of
from isosoma.serve.hidden import PATIENT
from isosoma.serve.plan import Plan, message_of
from tests.browser import (
    assert_accessible,
    hosted,
    needs_axe,
    needs_chromium,
    needs_page,
    new_page,
    until,
    until_alive,
    waiting,
)

pytestmark = [needs_chromium, needs_page]
ASKED = {
    "question": "Watch or fill?", "for": "2 min",
    "option": [{"name": "watch"}, {"name": "fluid", "do": ["fluid 500 mL in 60 s at 10 s"]}],
}  # fmt: skip
FAULT = "document.querySelector('.rehearsal > .fault').textContent"
IDLE = "document.querySelector('.rehearsal progress').hidden"
STATE = "document.querySelector('.rehearsal .state').textContent"
NO_ECG = "the ECG gives no signal: heart rate and rhythm are not of now"


@pytest.fixture(scope="module")
def page(browser):
    """The page of a hidden patient, alive."""
    patient = demo(1)
    keeper = keeper_of(patient)
    settings = Settings(patient.recording, keeper=keeper, demo=patient)
    with hosted(settings) as address:
        made = new_page(browser)
        made.address, made.patient, made.keeper = address, patient, keeper
        made.goto(address)
        until_alive(made)
        yield made
        made.close()


def post(page, path, content):
    body = json.dumps(content).encode()
    head = {"content-type": "application/json"}
    asked = urllib.request.Request(f"{page.address}rehearsals{path}", body, head)
    with urllib.request.urlopen(asked, timeout=120) as answer:
        return answer.read().decode()


def ask(page, question, length="2 min"):
    """Keep a rehearsal; return its id."""
    rehearsal = ASKED | {"question": question, "for": length}
    return json.loads(post(page, "", {"rehearsal": rehearsal}))["id"]


def opened(page, id_):
    """Open it in the room, as a tab does that is loaded again."""
    page.evaluate("(id) => sessionStorage.setItem('rehearsal', id)", id_)
    page.goto(f"{page.address}#rehearse")
    page.reload()
    until(page, "document.querySelector('.stands')?.dataset.status")


def sign(page, option):
    until(page, "!document.querySelector('#r-sign').disabled")
    page.click("#r-sign")
    page.fill("dialog.asked [name=name]", "A")
    page.fill("dialog.asked [name=qualification]", "test")
    page.select_option("dialog.asked [name=option]", option)
    page.click("dialog.asked button.main")


def test_a_lead_that_comes_off_while_it_plays_is_said_and_stays_with_the_answer(page):
    id_ = ask(page, "Off?", "20 min")
    opened(page, id_)
    page.route("**/play", lambda route: route.continue_(post_data='{"members": 96}'))
    page.click("#r-rehearse")
    until(page, f"!{IDLE}")
    page.patient.act("take the ecg off")
    until(page, "document.querySelector('#alarms').textContent.includes('No signal')")
    assert page.is_visible("#view-rehearse"), "it is said over the room"
    until(page, f"{IDLE} || {FAULT}", 400.0)
    assert page.evaluate(FAULT) == ""
    assert "Read with care" in page.inner_text(".answer")
    assert NO_ECG in page.inner_text(".answer")
    assert page.locator("#view-rehearse .course").count() > 0
    page.patient.act("put the ecg on")
    until(page, "!document.querySelector('#alarms').textContent.includes('No signal')")
    opened(page, id_)
    page.click(".evidence summary")
    assert NO_ECG in page.inner_text(".evidence"), "what it stood on stays with it"
    kept = page.evaluate("(id) => fetch(`./rehearsals/${id}`).then((r) => r.json())", id_)
    assert kept["evidence"]["applicability"]["verdict"] == "edge"
    assert page.faults + page.complaints == []


def learns(page, seconds=90.0):
    """Wait until the twin has learnt from what came next."""
    end, before = time.monotonic() + seconds, page.keeper.twin
    while page.keeper.twin is before:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.2)


def test_a_signature_turns_stale_by_an_echo_and_not_by_the_monitor_and_stays_as_it_is(page):
    id_ = ask(page, "Stale?")
    assert "event: answer" in post(page, f"/{id_}/play", {"members": 24})
    opened(page, id_)
    sign(page, "watch")
    until(page, f"{STATE}.includes('signed by A, test')")
    told = "(id) => fetch(`./rehearsals/${id}`).then((r) => r.json())"
    signed = page.evaluate(told, id_)
    learns(page)
    learns(page)
    assert page.evaluate(told, id_)["stale"] == "", "a monitor that goes on says nothing new"
    until(page, "/^Computed from data until .+(ago|minute)\\.$/.test("
                "document.querySelector('.rehearsal .age').textContent)")  # fmt: skip
    assert "Stale" not in page.evaluate(STATE)
    now = page.patient.now()
    page.keeper.offer([Observation(PATIENT, "left_ventricular_ejection_fraction", now, now, 0.55,
                                   0.1, device="echo")])  # fmt: skip
    until(page, f"{STATE}.includes('Stale: left ventricular ejection fraction (echo) came at')")
    assert "signed by A, test" in page.evaluate(STATE)
    until(page, "document.querySelector('.shelf .aged')?.textContent.includes('echo')")
    after = page.evaluate(told, id_)
    assert (after["evidence"], after["comparison"]) == (signed["evidence"], signed["comparison"])
    assert page.is_disabled("#r-sign")
    assert page.is_disabled("#r-reject")
    with pytest.raises(urllib.error.HTTPError, match="409"):
        post(page, "", {"rehearsal": ASKED, "id": id_, "version": after["version"]})
    assert "stays as it is" in post(page, f"/{id_}/play", {"members": 24})
    assert page.evaluate(told, id_)["evidence"] == signed["evidence"]
    assert page.faults + page.complaints == []


def test_a_plan_is_signed_in_the_room_and_watched_at_the_bedside(page):
    id_ = ask(page, ASKED["question"])
    assert "event: answer" in post(page, f"/{id_}/play", {"members": 24})
    opened(page, id_)
    assert page.is_disabled("#r-begin")
    sign(page, "watch")
    until(page, "!document.querySelector('#r-begin').disabled")
    page.click("#r-begin")
    page.wait_for_selector("#plan:not([hidden])")
    assert page.is_visible("#view-bedside"), "who begins a plan looks at the patient"
    assert page.is_hidden("#forecast")
    until(page, "/minute 0\\.[1-9] of 2/.test(document.querySelector('#plan-time').textContent)")
    assert page.inner_text("#plan-head") == "Signed plan: watch"
    label = "document.querySelector('#plan-charts canvas').getAttribute('aria-label')"
    until(page, f"/^MAP: read [0-9.]+ mmHg, signed for now .* mmHg$/.test({label})")


@pytest.fixture(scope="module")
def bedside(browser):
    """A bedside whose twin is not there yet, and what tells the page of a plan."""
    with waiting(browser) as page:
        page.told = lambda **changes: page.keeper.put("plan", message_of(told(**changes), 95.0))
        yield page


def told(**changes):
    """A plan whose pressures are read 20 % under what was signed, and that the patient left."""
    level = dict.fromkeys(OUTPUTS, 12000.0) | {"heart_rate": 1.2, "oxygen_saturation": 0.97}
    values = {n: np.tile(v * (1.0 + 0.05 * (LEVELS - 0.5)), (2, 1)) for n, v in level.items()}
    at = 1_790_000_000 * 10**9
    state = Watching(Prediction("told", "watch", at, np.array([0.0, 120.0]), values, ""))
    for t in range(5, 95, 5):
        o = Observation("p", "mean_arterial_pressure", at + t * 10**9, at, 9600.0, 266.0)
        state, _ = watch(state, o)
    text = "mean arterial pressure is below what was predicted"
    left = Alert("patient", "mean_arterial_pressure", 40.0, 90.0, text)
    return replace(Plan(rehearsal_of(ASKED), replace(state, alert=left)), **changes)


@needs_axe
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (800, 600)])
def test_a_leave_is_said_with_what_fits_and_the_page_stays_accessible(bedside, size):
    page = bedside
    page.set_viewport_size({"width": size[0], "height": size[1]})
    causes = (Explanation("bleeding", 1, 0.7, "6 mL/min/kg", ""),
              Explanation("tamponade", 1, 0.25, "5 mL/kg", ""),
              Explanation("sensor", 3, 0.05, "arterial line", ""))  # fmt: skip
    page.told(explanations=causes)
    if page.is_visible("#b-more") and page.get_attribute("#b-more", "aria-pressed") != "true":
        page.click("#b-more")
    page.wait_for_selector("#plan.left .causes li")
    rows = page.locator("#plan .causes li").all_inner_texts()
    assert rows[0].split() == ["1.", "bleeding", "6", "mL/min/kg", "70", "%"]
    until(page, "document.querySelector('#findings').textContent.includes('left the signed plan')")
    assert "fits best: bleeding or tamponade" in page.inner_text("#findings")
    apart = "a central venous pressure or an echo tells bleeding and tamponade apart"
    assert apart in page.inner_text("#plan .leave")
    tall = page.evaluate("document.querySelector('#plan-charts canvas').clientHeight")
    assert tall >= 40, "the band is still to be read beside what fits"
    wide = page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")
    assert wide[0] <= size[0]
    assert wide[1] <= size[1]
    assert_accessible(page)


def test_a_plan_that_is_over_says_how_good_it_was_and_is_closed(bedside):
    page = bedside
    page.set_viewport_size({"width": 1280, "height": 720})
    scores = {"mean_arterial_pressure": Score(20, 0.4, 0.75, 266.6)}
    page.told(over=True, scores=scores)
    page.wait_for_selector("#plan .score")
    assert "75 % of 20 readings" in page.inner_text("#plan .score")
    assert "MAP CRPS 2.00 mmHg" in page.inner_text("#plan-said")
    page.click("#plan-close")
    assert page.is_hidden("#plan")
    assert page.is_visible("#forecast")
    assert page.faults + page.complaints == []
