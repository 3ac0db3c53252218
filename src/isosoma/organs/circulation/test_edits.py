"""Graphs from files, and settings from words: what is read, and what is refused with a sentence."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.core.errors import IsosomaError, RangeError, UnitError, VocabularyError
from isosoma.organs.circulation.anatomy import adult, vsd
from isosoma.organs.circulation.body import Person, inputs_of, theta_of, typical
from isosoma.organs.circulation.bounds import bounds, checked
from isosoma.organs.circulation.edits import edited
from isosoma.organs.circulation.parameters import PARAMETERS
from isosoma.organs.circulation.rows import INPUTS, program_of

LEAK = """
[[edge]]
name = "leak"
kind = "orifice"
up = "ao"
down = "rv"
bind = { A = "0.2 cm2", Cd = "discharge", l = "5 mm", rho = "blood_density", A_shut = "shut_area" }
"""


APART = """
[[node]]
name = "a"
kind = "elastic"
bind = { C = "1 mL/kPa", V_u = 0 }
[[node]]
name = "b"
kind = "elastic"
bind = { C = "1 mL/kPa", V_u = 0 }
[[edge]]
name = "ab"
kind = "resistance"
up = "a"
down = "b"
bind = { R = "1 kPa.s/mL" }
"""


def test_an_edge_with_quantities_in_their_units():
    edge = edited(adult(), LEAK).edges[-1]
    assert (edge.name, edge.up, edge.down) == ("leak", "ao", "rv")
    assert edge.bind["A"] == pytest.approx(0.2e-4)
    assert edge.bind["l"] == pytest.approx(5e-3)
    assert edge.bind["Cd"] == "discharge"


def test_toml_and_json_say_the_same_and_names_rewire():
    assert edited(adult(), 'rewire = ["vsd"]') == vsd(adult())
    assert edited(adult(), json.dumps({"rewire": ["vsd"]})) == vsd(adult())
    assert edited(adult(), "") == adult()


def test_a_rewired_graph_makes_a_program():
    """What passes the door is a program whose every symbol is given (nothing is compiled here)."""
    text = 'remove = ["filtration", "ti"]\n' + LEAK
    program = program_of(edited(adult(), text))
    assert "q_leak" in program.rows
    assert "V_ti" not in program.rows


def test_an_end_moves():
    moved = edited(adult(), '[[rebind]]\nedge = "cava_superior"\ndown = "pa"\n')
    assert next(e.down for e in moved.edges if e.name == "cava_superior") == "pa"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[edge", "neither TOML nor JSON"),
        ('{"rewire": ', "neither TOML nor JSON"),
        ("{" * 5000, "neither TOML nor JSON"),
        ("colour = 1", "colour is no change of a graph"),
        ('rewire = "vsd"', "rewire is a list"),
        ('rewire = ["norwood"]', "There are asd"),
        ('rewire = ["vsd", "vsd"]', "two parts"),
        ('remove = ["lvv"]', "no lvv to remove"),
        ('remove = ["pulmonary_veins", "lung"]', "its volume is closed"),
        (LEAK.replace('down = "rv"', 'down = "nowhere"'), "ends at 'nowhere'"),
        (LEAK.replace('down = "rv"', 'down = "ao"'), "to itself"),
        (LEAK.replace("orifice", "hole"), "'hole' is no kind"),
        (LEAK.replace('"0.2 cm2"', '"0.2 s"'), "not measured in m2"),
        (LEAK.replace('"0.2 cm2"', "0.2"), "a number and a unit"),
        (LEAK.replace('"0.2 cm2"', '"aera"'), "no parameter"),
        (LEAK.replace('"0.2 cm2"', '"blood_density"'), "binds A [m2]"),
        (LEAK.replace('Cd = "discharge", ', ""), "leaves Cd unbound"),
        (LEAK.replace('up = "ao"\n', ""), "edge 1"),
        (LEAK.replace('name = "leak"', 'name = "a b"'), "is no name"),
        ("edge = [1]", "edge 1"),
        ("rebind = [1]", "a rebind has"),
        ('[[rebind]]\nedge = "x"\nup = "ao"', "no edge 'x'"),
        ('[[node]]\nname = "bag"\nkind = "elastic"\nbind = { C = "1 mL/kPa", V_u = 0 }',
         "nothing leads to bag"),
        (APART, "a, b of circulation is joined to nothing"),
    ],
)  # fmt: skip
def test_a_graph_that_is_none_says_why(text, says):
    with pytest.raises(IsosomaError) as caught:
        edited(adult(), text)
    assert says in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(
    st.text(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ("rewire", "remove", "node", "edge", "rebind", "bind", "kind", "name")
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(lambda data: json.dumps({"edge": [data], "rebind": data}))
)
def test_no_file_does_worse_than_a_sentence(text):
    with suppress(IsosomaError):
        edited(adult(), text)


# --- settings ---------------------------------------------------------------------------------

MEDIANS = {n: rest for n, (_, rest) in INPUTS.items()} | theta_of(Person()) | inputs_of(Person())


@pytest.mark.parametrize("age", [0.0, 1.0, 5.0, 40.0, 90.0])
def test_every_median_and_every_rest_is_possible(age):
    person = typical(age)
    medians = {n: rest for n, (_, rest) in INPUTS.items()} | theta_of(person) | inputs_of(person)
    for name, value in medians.items():
        low, high = bounds(name, value)
        assert low <= value <= high, name


def test_a_setting_is_read_in_its_unit():
    assert checked("lv_elastance", 1.2, "mm[Hg]/mL", MEDIANS) == pytest.approx(
        1.2 * 133.322e6, 1e-4
    )
    assert checked("lung_shunt", 0.2, "", MEDIANS) == 0.2
    assert checked("lung_shunt", 20, "%", MEDIANS) == pytest.approx(0.2)
    assert checked("pacing_rate", 90, "/min", MEDIANS) == 1.5


@pytest.mark.parametrize(
    ("name", "number", "code", "error", "says"),
    [
        ("lv_elastanc", 1, "kPa/mL", VocabularyError, "Near are lv_elastance"),
        ("xyz", 1, "", VocabularyError, "isosoma models"),
        ("lv_elastance", 1.2, "", UnitError, "Give it in mm[Hg]/mL"),
        ("lv_elastance", 1.2, "mm[Hg]", UnitError, "not measured"),
        ("lv_elastance", 1e9, "mm[Hg]/mL", RangeError, "lies in"),
        ("lv_elastance", -1, "mm[Hg]/mL", RangeError, "lies in"),
        ("lung_shunt", 1.5, "", RangeError, "0 to 1"),
        ("mitral_leak", -1, "cm2", RangeError, "0 to 20 cm2"),
        ("inspired_oxygen", 2, "", RangeError, "0 to 1"),
        ("pacing_rate", 1e4, "/min", RangeError, "0 to 600 /min"),
        ("blood_volume", float("nan"), "L", RangeError, "lies in"),
    ],
)
def test_what_nobody_has_names_its_bound(name, number, code, error, says):
    with pytest.raises(error) as caught:
        checked(name, number, code, MEDIANS)
    assert says in str(caught.value)


def test_bounds_follow_the_person():
    small = theta_of(typical(0.0))
    for name in ("blood_volume", "venous_compliance"):
        low, high = bounds(name, small[name])
        assert low > 0.0
        assert high < bounds(name, theta_of(Person())[name])[1]
    assert set(MEDIANS) >= set(PARAMETERS)


@settings(deadline=None)
@given(st.floats(0.0, 120.0), st.booleans())
def test_a_typical_person_is_possible(age, female):
    person = typical(age, female)
    theta_of(person)
    assert 3.0 <= person.weight <= 80.0
    assert 0.4 <= person.height <= 1.9
