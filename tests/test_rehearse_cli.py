"""Options compared at the command line, the rehearsals of the docs, and what is refused."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from isosoma.record import open_log
from isosoma.scenario.basis import read_basis
from isosoma.scenario.case import cases
from isosoma.serve.cli import main

DOCS = Path(__file__).parents[1] / "docs"
FILES = sorted((DOCS / "rehearsals").glob("*.toml"))
VALVE = DOCS / "rehearsals/valve.toml"
SHORT = """
question = "Bleed or not?"
for = "2 min"
[[option]]
name = "wait"
[[option]]
name = "bleed"
do = ["bleed 1.5 L in 1 min at 10 s"]
"""
NOW = "2026-11-20T12:30:00Z"


@pytest.fixture
def short(tmp_path) -> Path:
    (tmp_path / "short.toml").write_text(SHORT, "utf-8")
    return tmp_path / "short.toml"


def _said(capsys, *words: object, code: int = 0) -> dict:
    assert main(["rehearse", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_the_rehearsals_of_the_documentation_are_played(file, capsys, tmp_path):
    plot = tmp_path / "it.svg"
    done = _said(capsys, file, "--person", "age=70,sex=f", "--members", 8, "--plot", plot)
    assert done["comparison"]["members"] == 8
    assert done["applicability"]["verdict"] == "edge"
    names = [o["name"] for o in done["rehearsal"]["option"]]
    assert [c["name"] for c in done["choices"]] == names
    told = ET.parse(plot).getroot()
    text = " ".join(t for e in told.iter() for t in [e.text or ""])
    assert all(name in text for name in names)
    assert "SIMULATED, RESEARCH ONLY" in text
    assert file.name in (DOCS / "rehearse.md").read_text("utf-8")


def test_a_size_that_does_not_fit_is_not_acceptable(capsys):
    done = _said(capsys, VALVE, "--members", 8)
    fits = {c["name"]: not c["against"] for c in done["choices"]}
    assert fits == {
        "wait": True, "sapien 3 20 mm": False, "sapien 3 23 mm": False, "sapien 3 26 mm": True,
        "sapien 3 29 mm": False,
    }  # fmt: skip


def test_the_table_tells_ranking_chances_differences_and_help(short, capsys):
    assert main(["rehearse", str(short), "--members", "64"]) == 0
    told = capsys.readouterr().out
    for words in ("Bleed or not?", "64 members, the same for every option", "Read with care",
                  "regret", "low output", "Less wait, member by member", "unacceptable",
                  "within the noise or too small to count"):  # fmt: skip
        assert words in told, words


def test_the_same_rehearsal_gives_the_same_numbers(short, capsys):
    first, again = (_said(capsys, short, "--members", 8) for _ in range(2))
    assert first["comparison"] == again["comparison"]
    other = _said(capsys, short, "--members", 8, "--seed", 1)
    assert other["comparison"] != first["comparison"]


def test_numbers_are_withheld_where_the_model_does_not_apply(short, capsys, tmp_path):
    table = tmp_path / "never.toml"
    text = (DOCS.parent / "src/isosoma/scenario/complications.toml").read_text("utf-8")
    table.write_text(text.replace("fatal = true\n", ""), "utf-8")
    short.write_text(SHORT.replace("1.5 L in 1 min", "5 L in 1 min"), "utf-8")
    given = (short, "--members", 8, "--complications", table)
    done = _said(capsys, *given, code=1)
    assert done["applicability"]["verdict"] == "out"
    assert done["comparison"] is None
    assert main(["rehearse", *map(str, given)]) == 1
    told = capsys.readouterr().out
    assert "Numbers are withheld" in told
    assert "loss" not in told


def test_tables_of_ones_own_are_used(short, capsys, tmp_path):
    table, wishes = tmp_path / "c.toml", tmp_path / "p.toml"
    table.write_text("""
[complication."fast heart"]
meaning = "m"
measure = "heart_rate"
beyond = "above"
of = "highest"
level = { fixed = "20 /min" }
source = "mine"
""", "utf-8")  # fmt: skip
    given = (short, "--members", 4, "--complications", table)
    assert main(["rehearse", *map(str, given)]) == 2
    assert "say nothing of 'fast heart'" in capsys.readouterr().err
    wishes.write_text('[complication]\n"fast heart" = { loss = 1, at_most = 0.5 }', "utf-8")
    done = _said(capsys, *given, "--preferences", wishes)
    assert [c["chance"] for c in done["comparison"]["options"][0]["chances"]] == [1.0]


def test_question_guess_and_answer_are_kept_in_the_log(short, capsys, tmp_path):
    log = tmp_path / "ward.log"
    folder = DOCS / "synthetic-patient"
    assert main(["build", str(folder), "--store", str(log), "--now", NOW]) == 0
    capsys.readouterr()
    given = ("--store", log, "--now", NOW, "--members", 8, "--keep")
    done = _said(capsys, short, *given, "--guess", "wait", "--by", "A. Surgeon")
    assert any("min old" in r for r in done["applicability"]["reasons"])
    with open_log(log, read_only=True) as opened:
        (case,) = cases(opened.entries("synthetic", ["decision"])).values()
    assert case.evidence is not None
    assert case.evidence.status == "computed"
    assert case.estimates[0].option == "wait"
    assert case.evidence.provenance.inputs["members"]
    rests = read_basis(case.basis)
    assert rests is not None, "a page that opens it later must tell whether it is stale"
    assert rests.rare
    assert main([*map(str, ("rehearse", short, *given)), "--guess", "bleed", "--by", "B."]) == 2
    assert "would not be one's own" in capsys.readouterr().err
    _said(capsys, short, *given)
    with open_log(log, read_only=True) as opened:
        (case,) = cases(opened.entries("synthetic", ["decision"])).values()
    assert [e.status for e in case.earlier] == ["superseded"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--store", "x.log", "--person", "age=3"), "a stored patient has a body"),
        (("--patient", "p"), "Give --store FILE"),
        (("--keep",), "no log to keep it in"),
        (("--guess", "wait"), "Give --keep and --by NAME"),
        (("--members", "1"), "outside 2 to 4096"),
        (("--store", "none.log"), "there is no such log"),
        (("--person", "age=200"), "outside 0 to 120"),
        (("--complications", "none.toml"), "none.toml: there is no such file"),
    ],
)
def test_what_cannot_be_done_is_refused(short, words, said, capsys):
    assert main(["rehearse", str(short), *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("bleed 1.5 L", "phlebotomise 1 L"), "short.toml: option 'bleed': .*is no act"),
        (("1.5 L", "15 L"), "above 10000 mL"),
        (("10 s", "3 min"), "begins after the end, 120 s"),
        (("bleed 1.5 L in 1 min", "close vsd"), "option 'bleed': .*no 'vsd' to remove"),
    ],
)
def test_a_rehearsal_that_cannot_be_played_is_refused(short, change, said, capsys):
    import re

    short.write_text(SHORT.replace(*change), "utf-8")
    assert main(["rehearse", str(short), "--members", "2"]) == 2
    assert re.search(said, capsys.readouterr().err)


def test_an_impossible_dose_is_refused_and_an_unusual_one_is_played_and_said(tmp_path, capsys):
    def asked(dose):
        path = tmp_path / "dose.toml"
        path.write_text(SHORT.replace("bleed 1.5 L in 1 min", dose), "utf-8")
        return path

    assert main(["rehearse", str(asked("norepinephrine 50 ug/kg/min"))]) == 2
    told = capsys.readouterr().err
    assert "option 'bleed'" in told
    assert "at most 10 ug/kg/min" in told
    odd = _said(capsys, asked("norepinephrine 3 ug/kg/min"), "--members", 8)["unusual"]
    assert len(odd) == 1
    assert odd[0].startswith("unusual, option 'bleed': 3 ug/kg/min is above the usual range")
