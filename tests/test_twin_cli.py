"""From a patient's folder to a forecast at the command line, and what is refused on the way."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from isosoma.serve.cli import main
from isosoma.signals.synthetic import synthesise

NOW = "2026-11-20T12:00:00Z"
BODY = 'id = "p1"\nsex = "m"\nage = "40 a"\nweight = "75 kg"\nheight = "177 cm"\n'
HEAVY = BODY.replace("75 kg", "550 kg").replace('height = "177 cm"\n', "")
ECHO = """
[[measured]]
at = 2026-11-20T10:05:00Z
with = "echo"
left_ventricular_end_diastolic_volume = "150 mL"
left_ventricular_ejection_fraction = "44 ± 4 %"
"""

VALVE = """
[[measured]]
at = 2026-11-20T10:05:00Z
with = "echo"
aortic_valve_area = "0.9 cm2"
aortic_valve_mean_gradient = "38 mmHg"
mitral_valve_mean_gradient = "3 mmHg"
lvot_velocity_time_integral = "20 cm ± 1 cm"
"""


def _folder(at: Path, patient: str = BODY, diastolic: int = 80) -> Path:
    at.mkdir()
    (at / "patient.toml").write_text(patient, "utf-8")
    rows = ["time,systolic_pressure,diastolic_pressure,heart_rate", "ISO8601,mm[Hg],mm[Hg],/min"]
    rows += [f"2026-11-20T10:{m:02d}:00Z,{124 + m % 4},{diastolic},72" for m in range(0, 60, 15)]
    (at / "vitals.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return at


def _said(capsys, *words: object) -> dict:
    assert main([*map(str, words), "--json", "--now", NOW]) == 0
    return json.loads(capsys.readouterr().out)


def _row(done: dict, name: str, of: str = "unknowns") -> dict:
    return next(r for r in done[of] if r["name"] == name)


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """A log with one twin, with an echo."""
    home = tmp_path_factory.mktemp("twin")
    folder = _folder(home / "p1", BODY + 'conditions = ["hypertension"]\n' + ECHO)
    assert main(["build", str(folder), "--store", str(home / "ward.log"), "--now", NOW]) == 0
    return home / "ward.log"


def test_an_ecg_in_the_folder_teaches_its_rate(tmp_path, capsys):
    folder = _folder(tmp_path / "p3")
    counts = np.round(synthesise(130.0, 250.0, 5).ecg * 2e5).astype("<i2")
    (folder / "e1.dat").write_bytes(counts.tobytes())
    checksum = int(counts.astype(np.int64).sum().astype(np.int16))
    signal = f"e1.dat 16 200/mV 16 0 {counts[0]} {checksum} 0 II"
    (folder / "e1.hea").write_text(
        f"e1 1 250 {len(counts)} 10:00:00 20/11/2026\n{signal}\n", "ascii"
    )
    done = _said(capsys, "build", folder, "--store", tmp_path / "ward.log")
    assert done["readings"] == 12 + 2
    again = _said(capsys, "build", folder, "--store", tmp_path / "ward.log")
    assert (again["kept"], again["twin"]) == (0, done["twin"])


def test_building_tells_prior_and_posterior_of_every_unknown(tmp_path, log, capsys):
    capsys.readouterr()
    again = _said(capsys, "build", log.parent / "p1", "--store", log)
    assert (again["kept"], again["known_already"]) == (0, 14)
    assert again["conditions_unused"] == ["hypertension"]
    assert again["misfit"][-1] < again["misfit"][0]
    blind = _said(capsys, "build", _folder(tmp_path / "p2"), "--store", tmp_path / "ward.log")
    heart = _row(again, "lv_elastance"), _row(blind, "lv_elastance")
    assert heart[0]["spread_left"] < 0.8 * heart[1]["spread_left"], "an echo informs the heart"
    for row in again["unknowns"]:
        for k in ("prior", "posterior"):
            assert row[k]["low"] < row[k]["median"] < row[k]["high"]
    main(["build", str(log.parent / "p1"), "--store", str(log), "--now", NOW])
    told = capsys.readouterr().out
    assert f"twin {again['twin']}" in told
    assert "lv elastance" in told
    assert "not by your data" in told


def test_a_narrow_valve_is_built_from_its_echo(tmp_path, capsys):
    folder = _folder(tmp_path / "p4", BODY + VALVE)
    done = _said(capsys, "build", folder, "--store", tmp_path / "ward.log")
    assert done["unused"] == []
    area = _row(done, "aortic_area")
    assert area["unit"] == "cm2"
    assert area["posterior"]["low"] < 0.9 < area["posterior"]["high"]
    assert area["spread_left"] < 0.4
    assert [(a["name"], a["unit"]) for a in done["assumed"]] == [("lvot_diameter", "cm")]
    sized = _folder(tmp_path / "p6", BODY + VALVE + 'lvot_diameter = "1.9 cm ± 0.05 cm"\n')
    done = _said(capsys, "build", sized, "--store", tmp_path / "sized.log")
    tract = _row(done, "lvot_diameter")
    assert (done["assumed"], tract["informed"]) == ([], True)
    assert tract["posterior"]["median"] < 2.08 < 2.15 < tract["prior"]["median"]
    wrong = _folder(tmp_path / "p5", BODY + VALVE.replace("38", "4") + 'stroke_volume = "90 mL"\n')
    assert main(["build", str(wrong), "--store", str(tmp_path / "ward.log"), "--now", NOW]) == 2
    assert "aortic_valve_mean_gradient of 4 mm[Hg] let at most" in capsys.readouterr().err


def test_a_forecast_widens_with_time_and_tells_ages(log, capsys):
    soon = _said(capsys, "forecast", log, "--for", "10min")
    late = _said(capsys, "forecast", log, "--for", "24h")
    for done, least in ((soon, 0.97), (late, 1.2)):  # quantiles of 128 members wander a little
        row = _row(done, "cardiac_output", "outputs")
        width = {k: row[k]["high"] - row[k]["low"] for k in ("now", "later")}
        assert width["later"] > least * width["now"]
        assert row["now"]["low"] < row["now"]["low50"] < row["now"]["median"]
        assert row["age"] is None
    rate = _row(soon, "heart_rate", "outputs")
    assert rate["age"] == 75 * 60.0
    assert rate["stale"]
    assert soon["not_informed"]
    assert soon["twin"] == late["twin"]


def test_a_bleed_lowers_what_is_expected(log, capsys):
    done = _said(capsys, "forecast", log, "--for", "12min", "--do", "bleed 800 mL in 10 min")
    row = _row(done, "cardiac_output", "outputs")
    assert row["later"]["median"] < 0.95 * row["now"]["median"]
    assert done["acts"] == ["bleed 800 mL in 10 min at 0 s"]


def test_a_picture_shows_readings_bands_and_what_is_stale(tmp_path, log, capsys):
    bare, acted = tmp_path / "bare.svg", tmp_path / "acted.svg"
    plain = _said(capsys, "forecast", log, "--for", "30min")
    assert _said(capsys, "forecast", log, "--for", "30min", "--plot", bare) == plain
    _said(capsys, "forecast", log, "--for", "30min", "--do", "bleed 800 mL in 10 min", "--plot",
          acted)  # fmt: skip
    drawn = {}
    for path in (bare, acted):
        text = path.read_text("utf-8")
        root = ET.fromstring(text)
        words = "".join(root.itertext())
        for said in ("Arterial pressure [mmHg]", "Heart rate [/min]", "Cardiac output [L/min]",
                     "Oxygen saturation [%]", "LV ejection fraction [%]", "time from now [min]",
                     "newest reading 75 min old: stale", "never read", "research only",
                     "in 30 min (90 %)"):  # fmt: skip
            assert said in words
        assert "nan" not in text.lower()
        drawn[path] = [e.get("class") or "" for e in root.iter()]
        assert sum(c.startswith("point") for c in drawn[path]) == 14, "each reading once"
        assert "stale" in drawn[path]
    assert "bleed 800 mL in 10 min" in acted.read_text("utf-8")
    assert ("badge" in drawn[bare], "badge" in drawn[acted]) == (False, True)
    assert len(drawn[acted]) > len(drawn[bare])


def test_a_picture_of_a_twin_that_was_never_read_says_so(tmp_path, capsys):
    (tmp_path / "p4").mkdir()
    (tmp_path / "p4" / "patient.toml").write_text(BODY, "utf-8")
    path, store = tmp_path / "a.svg", tmp_path / "ward.log"
    _said(capsys, "build", tmp_path / "p4", "--store", store)
    _said(capsys, "forecast", store, "--for", "5min", "--plot", path)
    words = "".join(ET.parse(path).getroot().itertext())
    assert words.count("never read: by the model alone") == 4
    assert "time from now [s]" in words


@pytest.mark.parametrize(
    ("patient", "diastolic", "says"),
    [
        (BODY, 130, "diastolic_pressure of 130 mm[Hg] is not below systolic_pressure"),
        (
            BODY + ECHO + 'left_ventricular_end_systolic_volume = "40 mL"\n',
            80,
            "give 73.3 ± 5.6 %, against",
        ),
        (BODY.replace("75 kg", "75"), 80, '"NUMBER kg"'),
        (HEAVY, 80, "patient.toml: person: weight of 550 lies outside"),
        (BODY.replace('sex = "m"\n', ""), 80, "patient.toml: sex: a twin needs the sex"),
        (BODY.replace('age = "40 a"\n', ""), 80, "patient.toml: born: a twin needs an age"),
        (BODY + 'conditions = ["gout"]\n', 80, "conditions[1]: there is no condition 'gout'"),
    ],
)
def test_what_is_refused_changes_nothing(tmp_path, capsys, patient, diastolic, says):
    folder = _folder(tmp_path / "p1", patient, diastolic)
    store = tmp_path / "ward.log"
    assert main(["build", str(folder), "--store", str(store), "--now", NOW]) == 2
    assert says in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p1"]


def test_folders_and_logs_that_are_none_say_so(tmp_path, log, capsys):
    cases = (
        (["build", str(tmp_path), "--store", str(tmp_path / "w")], "holds no patient.toml"),
        (["forecast", str(tmp_path / "w")], "there is no such log"),
        (["forecast", str(log), "--patient", "p9", "--now", NOW], "no twin of p9"),
        (["forecast", str(log), "--now", "2026-11-20T10:20:00Z", "--for", "30"], "has no unit"),
    )
    for words, says in cases:
        assert main(words) == 2
        assert says in capsys.readouterr().err


def test_a_log_may_lie_in_the_folder_it_is_built_from(tmp_path, capsys):
    folder = _folder(tmp_path / "p3")
    for known in (0, 12):
        done = _said(capsys, "build", folder, "--store", folder / "ward-3.log")
        assert done["known_already"] == known
