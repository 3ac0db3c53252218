"""Of whom a twin can be made, and how old they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from isosoma.core.errors import FormatError, RangeError, TimeError
from isosoma.core.units import to_si
from isosoma.exchange.patient_file import PatientFile
from isosoma.record import open_log
from isosoma.scenario.ensemble import of_twin
from isosoma.serve.bedside import age_at, check_body, twin_of
from isosoma.serve.cli import main
from isosoma.serve.cli_intake import instant
from isosoma.twin.release import Release

SYNTHETIC = Path(__file__).parents[3] / "docs/synthetic-patient"

NOW = 1_795_000_000 * 10**9  # 2026-11-18
WHOLE = PatientFile("p1", "f", None, to_si(61.0, "a"), 68.0, 1.65, (), ())


def test_a_ct_of_the_root_reaches_who_is_rehearsed_on_and_teaches_the_twin_nothing(
    tmp_path, capsys
):
    folder = tmp_path / "patient"
    copytree(SYNTHETIC, folder)
    with (folder / "patient.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[measured]]\nat = 2026-11-19T08:00:00Z\nwith = "ct"\n'
                   'left_coronary_height = "8.2 ± 0.5 mm"\n')  # fmt: skip
    log, now = tmp_path / "ward.log", "2026-11-20T12:30:00Z"
    assert main(["build", str(folder), "--store", str(log), "--now", now]) == 0
    capsys.readouterr()
    with open_log(str(log), read_only=True) as opened:
        twin = twin_of(opened, "synthetic", Release(), instant(now))
    (height,) = twin.subject.root
    assert (height.value, height.sigma) == pytest.approx((8.2e-3, 0.5e-3))
    who = of_twin(twin, instant(now), 8)
    assert who.changed["left_coronary_height"] == pytest.approx([8.2e-3] * 8)
    assert "left_coronary_height" not in who.names


def test_weight_and_height_may_be_left_to_the_age():
    check_body(WHOLE, NOW)
    check_body(replace(WHOLE, weight=None, height=None), NOW)
    check_body(replace(WHOLE, age=None, born=-86_400 * 10**9), NOW)


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"sex": ""}, FormatError, "needs the sex"),
        ({"age": None}, FormatError, "needs an age"),
        ({"weight": 550.0}, RangeError, "weight of 550 lies outside"),
        ({"age": to_si(125.0, "a")}, RangeError, "age of 125 lies outside"),
        ({"age": None, "born": NOW + 86_400 * 10**9}, TimeError, "after the time asked for"),
    ],
)
def test_of_whom_no_twin_can_be_made(changed, kind, says):
    with pytest.raises(kind, match=says):
        check_body(replace(WHOLE, **changed), NOW)


@pytest.mark.parametrize(
    ("born", "age"),
    [("2026-11-18", 0.0), ("2026-05-18", 0.5), ("2025-01-01", 22 / 12), ("1965-11-19", 60.0),
     ("1965-11-18", 61.0)],
)  # fmt: skip
def test_age_counts_birthdays(born, age):
    assert age_at(born, NOW) == pytest.approx(age)
