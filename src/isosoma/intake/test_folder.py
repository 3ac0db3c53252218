"""Files and folders: each whole or not at all, companions through their header."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isosoma.core.errors import InputError
from isosoma.intake import Summary, take_paths
from isosoma.intake.test_body import HEART, NOW
from isosoma.record import open_log


@pytest.fixture
def ward(tmp_path):
    """A WFDB record of two seconds (format 16), and a FHIR observation."""
    counts = np.arange(500, dtype="<i2") % 250
    line = f"r1.dat 16 200/mV 16 0 0 {int(counts.sum()) & 0xFFFF} 0 II"
    (tmp_path / "r1.hea").write_text(f"r1 1 250 500 07:00:00 20/02/2026\n{line}\n")
    (tmp_path / "r1.dat").write_bytes(counts.tobytes())
    (tmp_path / "hr.json").write_text(json.dumps(HEART))
    return tmp_path


def test_companions_are_counted_and_not_read_by_themselves(ward):
    seen = []
    paths = sorted(p for p in ward.iterdir() if p.is_file())
    with open_log(ward / "log") as log:
        done = take_paths(paths, log, "p", now=NOW, progress=seen.append)
        again = take_paths([ward / "r1"], log, "p", now=NOW)
    assert (done.accepted, done.samples, done.companions) == (2, 500, 1)
    assert seen == paths
    assert again == Summary(duplicates=1)  # the bare name means the header


def test_the_first_bad_file_is_named_and_those_before_it_stay(ward):
    (ward / "no.json").write_text('{"resourceType": "Observation"')
    with open_log(ward / "log") as log:
        with pytest.raises(InputError, match=r"no\.json"):
            take_paths([ward / "hr.json", ward / "no.json", ward / "r1"], log, "p", now=NOW)
        assert take_paths([ward / "hr.json"], log, "p", now=NOW).duplicates == 1
        assert take_paths([ward / "r1"], log, "p", now=NOW).accepted == 1


def test_a_log_is_opened_only_for_a_file_that_can_be_kept(ward):
    (ward / "late.csv").write_text("time,heart_rate\nISO8601,/min\n2026-02-20T07:00:00Z,\n")
    ahead = {**HEART, "effectiveDateTime": "2027-01-01T00:00:00Z"}
    (ward / "other.json").write_text(json.dumps(ahead))
    opened = []
    with open_log(ward / "log") as log:

        def opening():
            opened.append(1)
            return log

        for name in ("late.csv", "other.json"):
            with pytest.raises(InputError, match=name):
                take_paths([ward / name], opening, "p", now=NOW)
        assert take_paths([ward / "r1.dat"], opening, "p", now=NOW) == Summary(companions=1)
        assert opened == []
        assert take_paths([ward / "r1", ward / "hr.json"], opening, "p", now=NOW).accepted == 2
        assert opened == [1, 1]
