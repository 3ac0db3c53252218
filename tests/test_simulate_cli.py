"""`isosoma simulate` and `isosoma models` as a person or a script meets them."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.serve import cli_models
from isosoma.serve.cli import main

BLEED = ("--do", "bleed 500 mL in 30 s at 20 s")


@pytest.fixture
def simulate(capsys):
    def run(*arguments):
        code = main(["simulate", "circulation", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_json_says_everything_in_shown_units(simulate):
    code, out, err = simulate(*BLEED, "--for", "60s", "--json", "--set", "lung_shunt=0.05")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert set(told) == {"model", "person", "settings", "acts", "seconds", "settled_seconds",
                         "units", "summary", "every_beat", "beats", "failed", "advice"}  # fmt: skip
    assert told["acts"][0]["text"] == "bleed 500 mL in 30 s at 20 s"
    assert told["acts"][0]["role"] == "surgeon"
    assert told["settings"] == {"lung_shunt": 0.05}
    assert set(told["summary"]) == set(OUTPUTS) == set(told["units"]) - {"time"}
    assert told["units"]["mean_arterial_pressure"] == "mm[Hg]"
    pressure = told["summary"]["mean_arterial_pressure"]
    assert 80 < pressure["lowest"] <= pressure["end"] < pressure["before"] < 105
    assert pressure["change_percent"] == pytest.approx(
        100 * (pressure["end"] / pressure["before"] - 1), abs=0.01
    )
    assert told["summary"]["cardiac_output"]["change_percent"] < -3
    assert (told["failed"], told["advice"], told["every_beat"]) == (False, [], True)


def test_beats_are_all_there_once_in_order(simulate):
    _, out, _ = simulate("--for", "30s", "--json", "--person", "age=1")
    beats = json.loads(out)["beats"]
    times = np.array([b["time"] for b in beats])
    rate = np.array([b["heart_rate"] for b in beats])
    assert np.all(np.diff(times) > 0.0)
    np.testing.assert_allclose(60.0 / np.diff(times), rate[1:], rtol=0.02)
    assert len(beats) == pytest.approx(30.0 * rate.mean() / 60.0, abs=1.5)


def test_the_same_command_gives_the_same_bytes(simulate):
    arguments = (*BLEED, "--for", "40s", "--json")
    assert simulate(*arguments) == simulate(*arguments)


def test_the_table_names_every_index_with_its_unit(simulate):
    code, out, _ = simulate(*BLEED, "--for", "60s")
    assert code == 0
    assert "research only" in out
    for name in OUTPUTS:
        assert name.replace("_", " ") in out
    line = next(x for x in out.splitlines() if x.startswith("cardiac output"))
    assert "L/min" in line
    assert "−" in line
    assert "%" in line


def test_without_acts_there_is_no_before(simulate):
    _, out, _ = simulate("--for", "12s", "--json")
    row = json.loads(out)["summary"]["heart_rate"]
    assert row["before"] is None
    assert row["change_percent"] is None
    assert row["end"] > 40


def test_waveforms_with_units_at_an_even_pace(simulate):
    code, out, _ = simulate("--csv", "--hz", "125", "--for", "2s")
    rows = list(csv.reader(io.StringIO(out)))
    head, data = rows[0], np.array(rows[1:], np.float64)
    assert code == 0
    assert data.shape == (250, len(head))
    assert head[0] == "time [s]"
    np.testing.assert_allclose(np.diff(data[:, 0]), 0.008, atol=1e-9)
    pressure = data[:, head.index("p_ao [mm[Hg]]")]
    volume = data[:, head.index("V_lv [mL]")]
    assert 60 < pressure.min() < 90 < pressure.max() < 130
    assert 40 < volume.min() < 80 < volume.max() < 190


def test_waveforms_go_on_where_a_chamber_is_taken_out(simulate):
    code, out, _ = simulate("--csv", "--hz", "20", "--for", "2s", "--do", "fontan at 1 s")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert (rows[10]["p_rv [mm[Hg]]"] != "", rows[30]["p_rv [mm[Hg]]"]) == (True, "")


def test_a_picture_holds_acts_axes_and_a_closed_loop(simulate, tmp_path):
    path = tmp_path / "a.svg"
    code, _, _ = simulate(*BLEED, "--for", "40s", "--plot", path)
    root = ET.parse(path).getroot()
    words = "".join(root.itertext())
    assert code == 0
    for said in ("bleed 500 mL in 30 s at 20 s", "[mmHg]", "[L/min]", "volume [mL]", "time [s]",
                 "SIMULATED", "prefers-color-scheme"):  # fmt: skip
        assert said in words
    assert "NaN" not in path.read_text("utf-8")
    assert "nan" not in words.lower().replace("pressure", "")


def test_an_arrest_is_told_as_one(simulate):
    """Apnoea untreated: pressure falls to nothing; numbers stay numbers."""
    code, out, _ = simulate("--do", "apnoea at 10 s", "--for", "6min", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["summary"]["oxygen_saturation"]["end"] < 25
    assert told["summary"]["mean_arterial_pressure"]["end"] < 25
    assert told["failed"] is False


def test_divergence_is_a_result_with_advice(simulate, monkeypatch):
    """A stiffness that only a broken file could hold, put past the door."""
    from isosoma.serve import simulation

    monkeypatch.setattr(simulation, "checked", lambda name, number, code, medians: number * 1e300)
    code, out, err = simulate("--set", "aortic_compliance=1", "--for", "5s", "--json")
    told = json.loads(out)
    assert (code, told["failed"]) == (1, True)
    assert "isosoma models" in told["advice"][0]
    assert err.startswith("isosoma: The circulation diverged")
    assert told["summary"]["heart_rate"]["end"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--do", "bled 1 L"), "Near are bleed"),
        (("--do", "bleed 500"), "has no unit"),
        (("--do", "close vsd", "--for", "2s"), "no 'vsd' to remove"),
        (("--set", "lv_elastance=1"), "Give it in mm[Hg]/mL"),
        (("--set", "lv_elastance=1e9mm[Hg]/mL"), "it lies in"),
        (("--set", "blood=1"), "no 'blood'"),
        (("--person", "age=300"), "0 to 120"),
        (("--for", "5"), "has no unit"),
        (("--graph", "nothing.toml"), "nothing.toml"),
        (("--case", "nothing.toml"), "nothing.toml"),
        (("--graph", "loose.toml"), "loose.toml: edge leak ends at 'nowhere'"),
        (("--graph", "closed.json"), "closed.json: pc, pv of circulation"),
        (("--graph", "bytes.toml"), "no text"),
        (("--case", "loose.toml"), "is no case"),
        (("--do", "apnoea at 2 min", "--for", "1min"), "after the end of the run, 60 s"),
        (("--csv", "--plot", "a.svg"), "without a picture"),
        (("--case", "loose.toml", "--do", "apnoea", "--for", "1min"), "its own --do, --for"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_2(
    simulate, tmp_path, monkeypatch, arguments, says
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loose.toml").write_text(
        '[[edge]]\nname = "leak"\nkind = "conductance"\nup = "ao"\ndown = "nowhere"\n'
        'bind = { G = "1 mL/(s.kPa)" }\n'
    )
    (tmp_path / "closed.json").write_text('{"remove": ["pulmonary_artery", "pulmonary_veins"]}')
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00\xd8")
    code, out, err = simulate(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("isosoma: ")
    assert len(err.strip().splitlines()) == 1
    assert says in err


def test_a_case_is_run_and_compared(simulate, repository, tmp_path):
    path = repository / "cases" / "circulation_bleed_1000.toml"
    code, out, _ = simulate("--case", path)
    assert (code, out.count("ok ")) == (0, 3)
    missed = tmp_path / "missed.toml"
    missed.write_text(path.read_text("utf-8").replace("low = 10, high = 35", "low = 90, high = 99"))
    code, out, _ = simulate("--case", missed, "--json")
    assert code == 1
    assert [f["passed"] for f in json.loads(out)["findings"]].count(False) == 1


# --- models -----------------------------------------------------------------------------------


def test_models_tell_use_cases_parameters_and_acts(capsys):
    assert main(["models", "--json"]) == 0
    (told, *_) = (m for m in json.loads(capsys.readouterr().out) if "circulation" in m["name"])
    assert told["not_for"]
    assert len(told["cases"]) >= 17
    assert all(c["source"] for c in told["cases"])
    rows = {p["name"]: p for p in told["parameters"]}
    assert rows["lv_elastance"]["prior"]["kind"] == "LogNormal"
    assert rows["lv_elastance"]["unit"] == "mm[Hg]/mL"
    assert all(p["source"] for p in told["parameters"])
    assert {o["name"] for o in told["outputs"]} <= set(VOCABULARY)
    assert any(a["act"].startswith("bleed NUMBER mL") for a in told["acts"])


def test_models_as_text(capsys):
    assert main(["models", "circulation", "--acts", "--parameters"]) == 0
    out = capsys.readouterr().out
    for said in ("question:", "not for:", "--check runs them", "bleed NUMBER mL", "lv_elastance",
                 "(unverified)"):  # fmt: skip
        assert said in out


def test_a_model_nobody_made(capsys):
    assert main(["models", "liver"]) == 2
    assert "There are organs.circulation" in capsys.readouterr().err


def test_check_runs_the_cases_and_is_red_when_one_misses(capsys, repository, tmp_path, monkeypatch):
    case = (repository / "cases" / "circulation_bleed_1000.toml").read_text("utf-8")
    (tmp_path / "good.toml").write_text(case)
    monkeypatch.setattr(cli_models, "CASES", tmp_path)
    assert main(["models", "--check"]) == 0
    assert "1 of 1 cases passed" in capsys.readouterr().out
    (tmp_path / "wrong.toml").write_text(case.replace("low = 10, high = 35", "low = 90, high = 99"))
    assert main(["models", "--check"]) == 1
    out = capsys.readouterr().out
    assert "1 of 2 cases passed" in out
    assert "MISSED" in out
    monkeypatch.setattr(cli_models, "CASES", tmp_path / "none")
    assert main(["models"]) == 0
    assert "source checkout" in capsys.readouterr().out
