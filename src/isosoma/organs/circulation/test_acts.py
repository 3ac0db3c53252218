"""Acts: words to numbers and back, what the table may say, and doses that are what was said."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from isosoma.core.errors import FormatError, InputError, LimitError, RangeError, UnitError
from isosoma.core.units import to_si, ucum
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.act_table import ACTS
from isosoma.organs.circulation.acts import Act, Amount, read_act, read_acts, write_act
from isosoma.organs.circulation.anatomy import REWIRINGS
from isosoma.organs.circulation.body import Person, inputs_of
from isosoma.organs.circulation.dose_limits import HEAVIEST, by_weight, drug_limit, impossible
from isosoma.organs.circulation.parameters import PARAMETERS
from isosoma.organs.circulation.rows import INPUTS
from isosoma.organs.circulation.ventilator import DEAD_SPACE, Breathing, held

PERSON = Person()
TIMES = st.builds(Amount, st.floats(0.0, 1e4), st.sampled_from(("s", "min")))


def changes(*texts, person=PERSON):
    return interventions(read_acts(texts), person)


def values(done):
    return {c.name: c.value for i in done for c in i.changes}


# --- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ACTS.values(), ids=lambda r: r.name)
def test_a_row_speaks_of_what_the_model_has(row):
    names = {s.name for s in row.needs}
    for name, said in (*row.rate.items(), *row.set.items(), *row.ramp.items()):
        assert name in INPUTS or name in PARAMETERS
        assert not isinstance(said, str) or said in names
    for name, said in (*row.set.items(), *row.ramp.items()):
        if isinstance(said, str):
            slot = next(s for s in row.needs if s.name == said)
            unit = INPUTS[name][0] if name in INPUTS else PARAMETERS[name].unit
            assert ucum(slot.unit).dimensions == ucum(unit).dimensions
    assert set(row.edit) <= set(REWIRINGS)
    assert not row.drug or f"{row.drug}_rate" in INPUTS
    assert row.role in ("surgeon", "anaesthetist", "perfusionist")
    assert row.meaning.endswith(".")
    assert row.coding.display
    assert bool(row.coding.code) == bool(row.coding.system)


def test_no_wording_means_two_acts():
    words = [w for row in ACTS.values() for w in (row.name, *row.also)]
    assert len(words) == len(set(words))
    assert all(w == w.casefold() for w in words)


def test_every_drug_has_an_atc_code_and_an_end():
    for name in ("propofol", "remifentanil", "norepinephrine", "phenylephrine", "esmolol",
                 "epinephrine"):  # fmt: skip
        assert ACTS[name].coding.system.endswith("/atc")
        assert values(changes(f"stop {name} at 1 min")) == {f"{name}_rate": 0.0}


# --- text and back ----------------------------------------------------------------------------


@st.composite
def acts(draw):
    """Any act of the table with quantities inside its bounds."""
    row = ACTS[draw(st.sampled_from(sorted(ACTS)))]
    amounts = list[tuple[str, Amount]]()
    running = False
    for slot in row.needs:
        if slot.default is not None and draw(st.booleans()):
            continue
        if slot.name in ("tidal", "pressure") and amounts[-1:] and amounts[-1][0] == "tidal":
            continue
        if slot.drug:
            units = ("mg", "ug/kg") if row.breath else ("mg", "ug", "mg/kg", "ug/min", "ug/kg/min")
            unit = draw(st.sampled_from(units))
            running = unit.endswith("min")
            limit = drug_limit(row.drug, unit)
            most = limit.possible * ucum(limit.unit).factor / ucum(unit).factor
            most *= 1.0 if by_weight(unit) else HEAVIEST
            amounts.append((slot.name, Amount(draw(st.floats(0.0, most)), unit)))
        elif not (slot.name == "time" and running):
            number = draw(st.floats(slot.low, min(slot.high, 1e4)))
            amounts.append((slot.name, Amount(number, slot.unit)))
    flags = (draw(st.sampled_from(row.flags)),) if row.flags and draw(st.booleans()) else ()
    long = st.builds(Amount, st.floats(0.1, 1e3), st.sampled_from(("s", "min")))
    lasting = row.holds or (running and not row.breath)
    lasts = draw(st.none() | long) if lasting else None
    said = {
        n: (a.si, a.unit, str(a))
        for n, a in (
            (s.name, Act(row.name, amounts=tuple(amounts)).amount(s.name)) for s in row.needs
        )
        if a
    }
    assume(not impossible(row.name, row.drug, said))
    return Act(row.name, draw(TIMES), tuple(amounts), flags, lasts)


@settings(deadline=None)
@given(acts())
def test_an_act_is_read_as_it_was_written(act):
    assert read_act(write_act(act)) == act
    assert interventions([act], PERSON) == interventions([read_act(write_act(act))], PERSON)


@settings(deadline=None)
@given(acts())
def test_an_act_changes_only_finite_things_at_its_time(act):
    for done in interventions([act], PERSON):
        assert done.at == act.at.si
        assert done.name == write_act(act)
        assert all(math.isfinite(c.value) for c in done.changes)


@settings(deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["bleed", "5", "mL", "in", "min", "at", "60", "s", "-1", "1e999", "propofol", "mg/kg", "%",
     "replace", "aortic", "valve", "eoa", "for", "ventilated", "nan", "inf", "[", "\x00"]
), max_size=9).map(" ".join))  # fmt: skip
def test_no_text_does_worse_than_a_sentence(text):
    with suppress(InputError):
        act = read_act(text)
        assert read_act(write_act(act)) == act


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Bleed 0.5L in 10min from 1min", "bleed 0.5 L in 10 min at 1 min"),
        ("adrenaline 10 mcg", "epinephrine 10 ug at 0 s"),
        ("propofol 100 mcg/kg/min", "propofol 100 ug/kg/min at 0 s"),
        ("propofol 100 µg/kg/min", "propofol 100 ug/kg/min at 0 s"),
        ("bleed 1e2mL", "bleed 100 mL at 0 s"),
        ("peep 8cmH2O", "peep 8 cm[H2O] at 0 s"),
        ("pace 90 bpm for 2 min", "pace 90 /min at 0 s for 2 min"),
        (
            "tavi leak 0.1 cm2 frame 23 mm eoa 1.6 cm2",
            "implant transcatheter valve frame 23 mm eoa 1.6 cm2 leak 0.1 cm2 at 0 s",
        ),
        ("induce ventilated 1 mg/kg", "induction 1 mg/kg ventilated at 0 s"),
        ("stop noradrenaline at 5 min", "stop norepinephrine at 5 min"),
    ],
)
def test_other_wordings_mean_the_same(text, same):
    assert write_act(read_act(text)) == same


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("bled 5 mL", InputError, "Near are bleed"),
        ("close vs", InputError, "close vsd"),
        ("aortic valve", InputError, "replace aortic valve"),
        ("", InputError, "no act"),
        ("bleed 500", UnitError, "500 has no unit"),
        ("bleed 500 in 10 min", UnitError, "500 has no unit"),
        ("fio2 0.6", UnitError, "has no unit"),
        ("bleed 5 s", UnitError, "no volume"),
        ("bleed 5 blob", UnitError, "blob"),
        ("propofol 2 %", UnitError, "no dose"),
        ("propofol 2 mL", UnitError, "no dose"),
        ("fio2 20 mg/kg", UnitError, "no share"),
        ("induction 2 mg/min", UnitError, "is a rate"),
        ("propofol 2 mg/min in 3 s", UnitError, "is a rate"),
        ("propofol 2 mg at 5 mL", UnitError, "no time"),
        ("bleed -5 mL", RangeError, "negative"),
        ("propofol -2 mg", RangeError, "negative"),
        ("bleed 5 mL at -1 s", RangeError, "outside 0 s"),
        ("fio2 160 %", RangeError, "above 100 %"),
        ("left coronary height -8 mm", RangeError, "negative"),
        ("left coronary height 8", UnitError, "has no unit"),
        ("left coronary height 80 mm", RangeError, "above 40 mm"),
        ("pace 5 /min", RangeError, "below 20 /min"),
        ("bleed 1e999 mL", RangeError, "finite"),
        ("bleed 0,5 L", FormatError, "decimal point"),
        ("bleed 1 L at", FormatError, "nothing follows"),
        ("bleed 5 mL 6 mL", FormatError, "said twice"),
        ("bleed 5 mL 'quickly'", FormatError, "no place"),
        ("bleed 5 mL for 10 s", FormatError, "does not hold"),
        ("propofol 5 mg for 10 s", FormatError, "does not hold"),
        ("replace aortic valve", FormatError, "eoa is missing"),
        ("induction apnoea ventilated", FormatError, "exclude"),
        ("bleed " + 300 * "x", LimitError, "longer"),
    ],
)
def test_what_cannot_be_done_says_why(text, error, says):
    with pytest.raises(error, match=None) as caught:
        read_act(text)
    assert says in str(caught.value)


def test_acts_stand_in_the_order_of_their_times():
    read = read_acts(["bleed 1 L at 2 min", "fluid 1 L at 5 s", "apnoea at 5 s"])
    assert [a.name for a in read] == ["fluid", "apnoea", "bleed"]
    with pytest.raises(LimitError, match="201"):
        read_acts(["apnoea"] * 201)


# --- changes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0, 3.3, 30.0, 599.9])
def test_a_dose_is_whole_whatever_its_duration(seconds):
    (done,) = changes(f"propofol 150 mg in {seconds} s")
    assert done.lasts is not None
    assert done.changes[0].value * done.lasts == pytest.approx(to_si(150, "mg"), rel=1e-14)
    assert done.lasts >= seconds
    assert done.lasts % 0.5 == 0.0  # whole steps of the drugs


def test_a_dose_by_weight_follows_the_person():
    heavy, light = (values(changes("propofol 2 mg/kg", person=Person(weight=w))) for w in (90, 45))
    assert heavy["propofol_rate"] == pytest.approx(2.0 * light["propofol_rate"])
    fixed = [values(changes("propofol 100 mg", person=Person(weight=w))) for w in (90, 45)]
    assert fixed[0] == fixed[1]


def test_an_infusion_by_weight_in_si():
    (done,) = changes("norepinephrine 0.1 ug/kg/min from 60 s for 10 min")
    assert done.changes[0].value == pytest.approx(0.1e-9 * 75 / 60)
    assert (done.at, done.lasts, done.changes[0].action) == (60.0, 600.0, "set")


def test_a_bleed_takes_its_volume_and_a_tamponade_grows():
    (bleed,) = changes("bleed 500 mL in 10 min at 60 s")
    assert bleed.changes[0].value * (bleed.lasts or 0.0) == pytest.approx(500e-6)
    fill, drain = changes("tamponade 200 mL in 2 min", "drain tamponade at 5 min")
    assert (fill.over, fill.lasts, drain.over) == (120.0, None, 60.0)
    assert (drain.changes[0].action, drain.changes[0].value) == ("set", 0.0)


def test_a_hole_is_an_edit_and_an_area():
    (done,) = changes("open vsd 0.5 cm2 at 60 s")
    assert [(c.target, c.name, c.value) for c in done.changes] == [
        ("topology", "vsd", 0.0),
        ("parameter", "vsd_area", pytest.approx(0.5e-4)),
    ]


def test_a_ventilator_keeps_what_is_not_said_again():
    first, second = changes(
        "ventilate 15 /min tidal 500 mL peep 8 cm[H2O]", "peep 12 cm[H2O] at 60 s"
    )
    a, b = values([first]), values([second])
    assert a["breathing_frequency"] == b["breathing_frequency"] == pytest.approx(0.25)
    assert a["alveolar_ventilation"] == b["alveolar_ventilation"]
    assert b["thoracic_mean"] - a["thoracic_mean"] == pytest.approx(0.54 * to_si(4, "cm[H2O]"))


def test_pressure_or_volume_not_both():
    with pytest.raises(FormatError, match="Leave one out"):
        changes("ventilate tidal 500 mL pressure 12 cm[H2O]")


def test_pressure_and_the_volume_it_moves_are_one_setting():
    by_volume = values(changes("ventilate 12 /min tidal 525 mL"))  # 0.7 mL/cmH2O/kg x 75 kg x 10
    by_pressure = values(changes("ventilate 12 /min pressure 10 cm[H2O]"))
    assert by_volume == pytest.approx(by_pressure)


def test_breathing_again_is_as_at_rest():
    done = changes("apnoea", "peep 5 cm[H2O] at 10 s", "breathe at 60 s")
    last = values(done[-1:])
    assert last == inputs_of(PERSON)
    assert values(done[:1])["alveolar_ventilation"] == 0.0


@settings(deadline=None)
@given(st.floats(0.02, 2.0), st.floats(1.0, 3000.0), st.floats(0.5, 150.0))
def test_no_ventilator_moves_less_than_nothing(rate, tidal, weight):
    person = Person(weight=weight)
    moved = held(Breathing("ventilated", rate, to_si(tidal, "mL")), person)
    above = to_si(tidal, "mL") - DEAD_SPACE * weight
    assert moved["alveolar_ventilation"] == pytest.approx(rate * max(above, 0.0))


def test_acts_without_effect_leave_nothing_to_do():
    assert changes("breathe") == ()
