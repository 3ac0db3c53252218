"""What a person, a time and a setting are on the command line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import InputError
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.body import Person
from isosoma.serve.simulation import age_of, duration, graph_of, person_of, plan


def test_a_person_in_words():
    assert person_of("") == Person()
    assert person_of("age=30,weight=60,height=165,sex=f") == Person(30.0, 60.0, 1.65, True)
    assert person_of("age = 30 years, height=1.65m") == Person(30.0, *_of(30.0), False)
    assert person_of("age=6mo").weight == pytest.approx(7.5, rel=0.01)
    assert person_of("weight=150[lb_av]").weight == pytest.approx(68.04, rel=1e-3)


def _of(age):
    person = person_of(f"age={age}")
    return person.weight, 1.65


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("age", "no name=value"),
        ("age=", "is no number"),
        ("age=old", "is no number"),
        ("age=1e999", "is no number"),
        ("age=3,age=4", "given twice"),
        ("shoe=43", "a person has no shoe"),
        ("age=200", "0 to 120 a"),
        ("weight=0.1", "0.4 to 400 kg"),
        ("height=1.77", "read in cm"),
        ("weight=70cm", "not measured"),
        ("sex=x", "neither male nor female"),
        ("age=-1", "0 to 120 a"),
    ],
)
def test_a_person_that_is_none(text, says):
    with pytest.raises(InputError) as caught:
        person_of(text)
    assert says in str(caught.value)


def test_a_time_has_a_unit():
    assert [duration(t) for t in ("5min", "90 s", "1h", "0.5min")] == [300.0, 90.0, 3600.0, 30.0]
    for text in ("5", "5 kg", "0s", "-5min", "2d", "", "five minutes", "nan s"):
        with pytest.raises(InputError):
            duration(text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_word_does_worse_than_a_sentence(text):
    for read in (person_of, duration):
        with suppress(InputError):
            read(text)


def _settings(*texts):
    return dict(plan(Person(), graph_of(None), texts, (), 1.0).settings)


def test_settings_take_units_bare_or_in_brackets():
    bare = _settings("lv_elastance=1.2mm[Hg]/mL")
    assert (
        bare
        == _settings("lv_elastance = 1.2 mm[Hg]/mL")
        == _settings("lv_elastance=1.2[mm[Hg]/mL]")
    )
    assert _settings("pacing_rate=90[/min]") == {"pacing_rate": 1.5}
    with pytest.raises(InputError, match="given twice"):
        _settings("lung_shunt=0.1", "lung_shunt=0.2")
    with pytest.raises(InputError, match="no name=value"):
        _settings("lung_shunt")


def test_a_run_goes_two_minutes_beyond_what_is_done():
    def seconds(*texts):
        return plan(Person(), graph_of(None), (), read_acts(texts), 0.0).seconds

    assert seconds() == 60.0
    assert seconds("bleed 1 L in 10 min at 60 s") == 780.0
    assert seconds("apnoea at 23.99 h") == 24 * 3600.0
    with pytest.raises(InputError, match="after the end"):
        seconds("apnoea at 6 d")


def test_an_age_in_words():
    ages = (0.0, 0.5, 1.5, 2.0, 5.0, 72.25)
    assert [age_of(Person(age=a)) for a in ages] == [
        "a newborn", "6 months", "18 months", "2 years", "5 years", "72.2 years",
    ]  # fmt: skip
