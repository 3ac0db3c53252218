"""Instants, the files meant, and sentences about what became of them."""

from __future__ import annotations

import pytest

from isosoma.core.errors import InputError, TimeError
from isosoma.serve.cli_intake import files_of, instant, refusals, told, total


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("2026-05-01T08:00:00.000001Z", 1_777_622_400_000_001_000),
        ("1969-12-31T23:59:59Z", -(10**9)),
    ],
)
def test_an_instant_is_exact(text, ns):
    assert instant(text) == ns


@pytest.mark.parametrize("text", ["", "yesterday", "2026-05-01T08:00:00", "2026-02-30T00:00:00Z"])
def test_what_is_no_instant_or_has_no_zone_is_refused(text):
    with pytest.raises(TimeError, match="2026-05-01T08:00:00Z"):
        instant(text)


def test_a_folder_gives_its_files_in_order_and_hidden_ones_are_left(tmp_path):
    for name in ("b.csv", "a.csv", ".DS_Store"):
        (tmp_path / name).touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c.csv").touch()
    assert [p.name for p in files_of([str(tmp_path)])] == ["a.csv", "b.csv", "c.csv"]


def test_a_bare_record_name_is_a_file_and_an_empty_folder_is_none(tmp_path):
    with pytest.raises(InputError, match="holds no file"):
        files_of([str(tmp_path)])
    (tmp_path / "100.hea").touch()
    assert files_of([str(tmp_path / "100")]) == [tmp_path / "100"]
    with pytest.raises(InputError, match="no such file"):
        files_of([str(tmp_path / "101")])


def test_each_file_has_a_line_that_reads_well():
    done = [
        {"file": "100.hea", "accepted": 1, "samples": 1_300_000, "companions": 0, "doubted": 1},
        {"file": "100.dat", "accepted": 0, "samples": 0, "companions": 1, "doubted": 0},
        {"file": "v.csv", "error": "v.csv, line 3: 'x' is no number. Leave it empty"},
        {"file": "w.csv", "error": "the log is full"},
    ]
    assert told(done).splitlines() == [
        "100.hea: 1 reading kept (1,300,000 samples), 1 in doubt",
        "100.dat: read with its header",
        f"4 files: {told(done).splitlines()[0][9:]}, 1 read with their header; 2 files refused",
    ]
    assert refusals(done) == [
        "v.csv, line 3: 'x' is no number. Leave it empty",
        "w.csv: the log is full",
    ]
    assert total(done)["files_refused"] == 2


def test_names_of_files_steer_no_terminal():
    done = [
        {"file": "a\x1b[2J\n.csv", "accepted": 1, "samples": 0},
        {"file": "b\udcff\u202e.csv", "error": "b\udcff\u202e.csv: is empty"},
    ]
    assert told(done).splitlines()[0] == "a\ufffd[2J\ufffd.csv: 1 reading kept"
    assert refusals(done) == ["b\ufffd\ufffd.csv: is empty"]
