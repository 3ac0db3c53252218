"""The rehearsal room in a real browser: three futures, undo, refusals in sentences, a signature."""

from __future__ import annotations

import json
import re
import time
from functools import partial

import pytest

from isosoma.scenario.rehearsal_file import read_rehearsal
from isosoma.serve.app import STATIC, Settings
from isosoma.serve.synthetic import simulate
from tests.browser import assert_accessible, hosted, needs_axe, needs_chromium, new_page
from tests.browser import until as wait_until

OVERFULL = """[...document.querySelectorAll('#view-rehearse, #view-rehearse *')].filter((e) =>
  e.clientWidth > 0 && getComputedStyle(e).display !== 'inline'
  && e.scrollWidth > e.clientWidth + 1).map((e) => e.tagName + '.' + e.className)"""
until = partial(wait_until, seconds=120.0)  # three futures take longer than a page
WRONG = "(document.querySelector('.wrong:not(:empty)')?.textContent ?? '')"
FAULT = "document.querySelector('.rehearsal > .fault').textContent"
IDLE = "document.querySelector('.rehearsal progress').hidden"
PICTURE = "document.querySelector('.future canvas').toDataURL()"

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not (STATIC / "rehearse" / "room.js").is_file(), reason="the page is not built"
    ),
]


@pytest.fixture(scope="module")
def address():
    with hosted(Settings(simulate(60.0))) as at:
        yield f"{at}#rehearse"


def opened(browser, address, members=24, **settings):
    """Open the room; by default what is played has fewer members than the page asks for."""
    made = new_page(browser, **settings)
    body = json.dumps({"members": members})
    made.route("**/play", lambda route: route.continue_(post_data=body))
    made.goto(address)
    until(made, "document.querySelectorAll('.rehearsal .option').length === 3")
    until(made, "document.querySelectorAll('#acts-known option').length > 20")
    return made


@pytest.fixture
def page(browser, address):
    made = opened(browser, address)
    yield made
    made.close()
    assert made.faults == []


def short(page):
    page.get_by_label("Played for").fill("90 s")
    page.keyboard.press("Tab")


def keep(page, question):
    """Ask this, and keep it."""
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Tab")
    page.click("#r-keep")
    until(page, f"document.querySelector('#r-keep').disabled || {FAULT}")


def played(page):
    page.get_by_label("time of act 1").first.fill("10 s")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    until(page, f"document.querySelectorAll('.course').length === 18 && {IDLE} || {FAULT}")
    assert page.evaluate(FAULT) == ""


def test_three_futures_are_played_scrubbed_and_signed(page):
    short(page)
    played(page)
    assert "computed" in page.inner_text(".state")
    assert page.locator(".played").inner_text().startswith("Simulated: 24 members")
    assert page.locator(".ranking tbody tr").count() == 3
    assert "Expected regret" in page.inner_text(".ranking")
    assert "noise" in page.inner_text(".differences")
    scrub = page.get_by_label("time in all futures")
    before = scrub.get_attribute("aria-valuetext") or "600 s"
    scrub.focus()
    page.keyboard.press("Home")
    assert scrub.get_attribute("aria-valuetext") != before

    page.click("#r-reject")
    page.fill("dialog [name=name]", "A")
    page.click("dialog button.main")
    until(page, "document.querySelector('dialog.asked .fault').textContent.includes('reason')")
    page.keyboard.press("Escape")
    assert "computed" in page.inner_text(".state"), "a refusal changes nothing"

    page.click("#r-sign")
    page.fill("dialog [name=name]", "<b>A</b>")
    page.fill("dialog [name=qualification]", "test")
    page.click("dialog button.main")
    until(page, "document.querySelector('dialog.asked .fault').textContent.includes('you choose')")
    page.select_option("dialog [name=option]", "fluid")
    page.click("dialog button.main")
    until(page, "document.querySelector('.state').textContent.includes('signed by <b>A</b>, test')")
    assert page.locator("#r-sign").is_disabled()
    assert page.locator(".state b").count() == 0, "markup in a name is text"


def test_an_edit_is_undone_and_made_again_by_keys(page):
    add = page.get_by_label("act to add to watch")
    add.fill("bleed 300 mL in 5 min at 30 s")
    add.press("Enter")
    acts = "[...document.querySelectorAll('.option')][0].querySelectorAll('.step').length"
    until(page, f"{acts} === 1")
    page.keyboard.press("Control+z")
    assert page.evaluate(acts) == 0
    page.keyboard.press("Control+y")
    assert page.evaluate(acts) == 1
    assert page.get_by_label("time of act 1").first.input_value() == "30 s"


def test_an_edited_field_leaves_the_focus_where_it_goes(page):
    page.get_by_label("time of act 1").first.fill("10 s")
    page.get_by_label("act to add to watch").click()
    page.keyboard.type("bleed 300 mL")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.option .words').length === 3")
    acts = page.locator(".option .words")
    assert [acts.nth(i).input_value() for i in range(acts.count())][:2] == [
        "bleed 300 mL", "fluid 500 mL in 10 min",
    ]  # fmt: skip
    assert page.get_by_label("time of act 1").nth(1).input_value() == "10 s"
    page.get_by_label("remove act 1 of option 1").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "act to add to watch"


def test_an_unknown_act_is_told_in_a_sentence(page):
    words = page.get_by_label("act 1, with its dose").first
    words.fill("flood 500 mL")
    page.keyboard.press("Tab")
    page.click("#r-rehearse")
    until(page, f"{FAULT}.includes('no act that is known')")
    assert "option 'fluid'" in page.evaluate(FAULT)


def test_what_cannot_be_is_told_beside_its_field_and_keeps_nothing(page):
    kept = page.evaluate("fetch('./rehearsals').then((r) => r.text())")
    words = page.get_by_label("act 1, with its dose").first
    for said, told in (("flood 500 mL", "no act that is known"), ("fluid 900 L", "fluid")):
        words.fill(said)
        page.keyboard.press("Tab")
        until(page, f"{WRONG}.includes({told!r})")
        assert words.get_attribute("aria-invalid") == "true"
    words.fill("fluid 250 mL in 5 min")
    page.keyboard.press("Tab")
    until(page, f"!{WRONG}")
    for label, bad, told, good in (
        ("Question", "", "It is empty", "What now?"),
        ("Played for", "ten", "Write it as 10 min", "5 min"),
        ("Runs already, before time 0 (more than one: put ; between)", "flood 1 L", "no act", ""),
        ("time of act 1", "soon", "'soon' has no place", "60 s"),
        ("time of act 1", "20 min", "begins after the end", "60 s"),
        ("name of option 2", "watch", "two options have this name", "fluid"),
    ):
        field = page.get_by_label(label, exact=True).first
        field.fill(bad)
        page.keyboard.press("Tab")
        until(page, f"{WRONG}.toLowerCase().includes({told.lower()!r})")
        assert field.get_attribute("aria-invalid") == "true", label
        described = page.locator(f"#{field.get_attribute('aria-describedby')}")
        assert told.lower() in described.inner_text().lower()
        field.fill(good)
        page.keyboard.press("Tab")
        until(page, f"!{WRONG}")
    assert page.evaluate("fetch('./rehearsals').then((r) => r.text())") == kept


def test_an_act_that_cannot_be_is_not_added(page):
    add = page.get_by_label("act to add to watch")
    acts = "[...document.querySelectorAll('.option')][0].querySelectorAll('.step').length"
    for said, told in (("flood 1 L", "no act that is known"), ("fluid 900 L", "above 10000 mL")):
        add.fill(said)
        add.press("Enter")
        until(page, f"{WRONG}.includes({told!r})")
        assert (page.evaluate(acts), add.input_value()) == (0, said)
        assert add.get_attribute("aria-invalid") == "true"
    assert page.locator("#r-undo").is_disabled(), "nothing changed"
    add.fill("fluid 250 mL")
    assert page.evaluate(WRONG) == ""
    add.press("Enter")
    until(page, f"{acts} === 1")


def test_a_dose_is_asked_for_and_never_invented(page):
    add = page.get_by_label("act to add to watch")
    add.fill("bleed")
    add.press("Enter")
    until(page, f"{WRONG}.startsWith('How much?')")
    assert add.input_value().startswith("bleed ? mL")
    page.keyboard.type("300")  # the question mark is chosen
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.option .words').value.startsWith('bleed 300 mL')")


def test_the_heart_of_each_future_beats_and_follows_the_slider(page):
    short(page)
    played(page)
    assert page.locator(".future canvas").count() == 3
    pixels = (
        "[...document.querySelectorAll('.future canvas')].map((c) => { const d ="
        " c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
        " for (let i = 0; i < d.length; i += 4) if (d[i] > 90) n++; return n; })"
    )
    until(page, f"{pixels}.every((n) => n > 500)")
    shown = page.evaluate(PICTURE)
    until(page, f"{PICTURE} !== {shown!r}")
    assert page.locator("canvas").evaluate_all(
        "all => all.filter((c) => c.closest('.heart-stage')).length"
    ) == 1, "one context draws every future"  # fmt: skip
    told = page.locator(".future figcaption").nth(1).inner_text()
    page.get_by_label("time in all futures").focus()
    page.keyboard.press("Home")
    assert "LV" in told
    assert page.locator(".future figcaption").nth(1).inner_text() != told
    course = page.locator(".course figcaption b").first.inner_text()
    assert re.fullmatch(r"\d+ \(\d+ to \d+\)", course), "a median and its interval"


def test_a_heart_stands_still_where_motion_is_unwanted(browser, address):
    made = opened(browser, address, reduced_motion="reduce")
    short(made)
    played(made)
    until(made, f"{PICTURE}.length > 5000")
    time.sleep(1.0)
    shown = made.evaluate(PICTURE)
    time.sleep(1.0)
    assert made.evaluate(PICTURE) == shown
    made.close()


def test_courses_are_chosen_by_key(page):
    short(page)
    played(page)
    seen = "[...document.querySelectorAll('.course')].filter((c) => !c.hidden).length"
    assert page.evaluate(seen) == 18
    page.get_by_label("central venous pressure (CVP)").focus()
    page.keyboard.press("Space")
    assert page.evaluate(seen) == 15


def test_two_who_edit_one_rehearsal_lose_nothing(browser, address):
    first, second = opened(browser, address), None
    keep(first, "own question")
    id_ = first.evaluate("sessionStorage.getItem('rehearsal')")
    second = opened(browser, address)
    second.locator(".shelf summary").click()
    second.locator(".shelf button:enabled").first.click()
    until(second, f"sessionStorage.getItem('rehearsal') === {id_!r}")
    keep(first, "theirs first")
    keep(second, "mine second")
    until(second, f"{FAULT}.includes('somebody changed the rehearsal meanwhile')")
    assert "“theirs first”" in second.evaluate(FAULT)
    second.get_by_text("Keep mine as a copy").click()
    until(second, f"sessionStorage.getItem('rehearsal') !== {id_!r} && !{FAULT}")
    assert second.get_by_label("Question", exact=True).input_value() == "mine second"
    asked = second.evaluate("fetch('./rehearsals').then((r) => r.json())")["rehearsals"]
    assert {"theirs first", "mine second"} <= {r["question"] for r in asked}

    keep(first, "theirs again")
    third = opened(browser, address)
    third.evaluate(f"sessionStorage.setItem('rehearsal', {id_!r})")
    third.reload()
    until(third, "document.querySelector('[aria-label=Question]')?.value === 'theirs again'")
    keep(first, "theirs last")
    keep(third, "mine")
    third.get_by_text("Take theirs").click()
    until(third, "document.querySelector('[aria-label=Question]')?.value === 'theirs last'")
    third.keyboard.press("Control+z")
    assert third.get_by_label("Question", exact=True).input_value() == "mine", "one undo away"
    for made in (first, second, third):
        assert made.faults == []
        made.close()


def test_who_leaves_while_it_plays_finds_the_result_on_return(browser, address):
    made = opened(browser, address)
    short(made)
    made.keyboard.press("Control+Enter")
    until(made, f"!{IDLE} && document.querySelector('.rehearsal progress').value > 0 || {FAULT}")
    made.reload()
    wait_until(made, "document.querySelectorAll('.course').length === 18", 300.0)
    assert "computed" in made.inner_text(".state")
    made.close()


def test_a_rejected_one_keeps_its_reason_in_the_list(page):
    short(page)
    played(page)
    page.click("#r-reject")
    page.fill("dialog [name=name]", "A")
    page.fill("dialog [name=qualification]", "test")
    page.fill("dialog [name=reason]", "too late")
    page.click("dialog button.main")
    until(
        page,
        "document.querySelector('.state').textContent.includes('rejected by A, test: too late')",
    )
    page.locator(".shelf summary").click()
    assert "rejected" in page.inner_text(".shelf").lower()


def test_a_dose_that_is_typed_and_not_left_is_the_one_that_is_kept(page):
    page.get_by_label("act 1, with its dose").first.fill("fluid 125 mL in 5 min")
    page.keyboard.press("Control+s")
    until(page, f"document.querySelector('#r-keep').disabled || {FAULT}")
    id_ = page.evaluate("sessionStorage.getItem('rehearsal')")
    told = page.evaluate(f"fetch('./rehearsals/{id_}').then((r) => r.text())")
    assert "fluid 125 mL" in told


def test_what_is_handed_over_is_opened_again_and_a_broken_file_changes_nothing(page, tmp_path):
    page.get_by_label("Question", exact=True).fill("Handed over?")
    page.keyboard.press("Tab")
    with page.expect_download() as got:
        page.click("#r-save")
    file = tmp_path / got.value.suggested_filename
    got.value.save_as(file)
    assert read_rehearsal(file.read_text("utf-8")).question == "Handed over?"
    page.click("#r-new")
    question = page.get_by_label("Question", exact=True)
    assert question.input_value() != "Handed over?"
    for content, said in (
        ("question = ", "neither TOML nor JSON"),
        (file.read_text("utf-8")[:-40], "neither TOML nor JSON"),
        (file.read_text("utf-8").replace("fluid 500", "flood 500"), "no act that is known"),
    ):
        before = question.input_value(), page.locator(".option .words").first.input_value()
        (tmp_path / "broken.json").write_text(content, "utf-8")
        page.set_input_files("input[type=file]", tmp_path / "broken.json")
        until(page, f"{FAULT}.includes({said!r})")
        assert before == (
            question.input_value(), page.locator(".option .words").first.input_value()
        )  # fmt: skip
    page.set_input_files("input[type=file]", file)
    until(page, "document.querySelector('[aria-label=Question]').value === 'Handed over?'")
    assert page.evaluate(FAULT) == ""


@needs_axe
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (800, 600)])
def test_the_room_is_accessible_and_fits(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    short(page)
    played(page)
    assert_accessible(page, "#view-rehearse")
    assert page.evaluate(OVERFULL) == []
