"""A corrected heart is kept under the reader's name and takes the older one's place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isosoma.core.observation import Observation
from isosoma.exchange.patient_file import read_patient
from isosoma.imaging.reader_contours import ReaderContour
from isosoma.intake import timeline
from isosoma.record import open_log
from isosoma.serve.patient_images import kept_heart, look, take_correction, take_heart
from tests.cine_heart import heart
from tests.test_patient_images import NOW, built, folder  # noqa: F401 - fixtures

EDV = "left_ventricular_end_diastolic_volume"
DRAWN = ReaderContour(0, 2, 1, "left", np.array([[1.0, 2], [5, 2], [4, 6.5]]), "R. Eader, MD")


def larger(found, share: float, by: str):
    left = replace(found.left, volume=share * found.left.volume)
    return replace(found, left=left, made_by=f"{found.made_by}, corrected by {by}")


def counted(log) -> list[float]:
    """Return the end-diastolic volumes [mL] that teach the twin."""
    known = timeline(log, "p7")
    return [
        round(r.value * 1e6, 1)
        for r, v in zip(known.readings, known.verdicts, strict=True)
        if isinstance(r, Observation) and r.variable == EDV and v.weight > 0
    ]


def test_a_correction_stands_in_the_place_of_what_was_read_before(
    folder: Path, built, tmp_path  # noqa: F811
):  # fmt: skip
    described = read_patient(folder / "patient.toml", NOW)
    with open_log(tmp_path / "s.log") as log:
        first = look(folder / "images", described, log)
        take_heart(first, log, "p7", NOW)
        (volume,) = counted(log)
        take_correction(first, larger(heart(), 1.1, DRAWN.by), [DRAWN], log, "p7", NOW + 10**9)
        assert counted(log) == [pytest.approx(1.1 * volume, abs=0.2)]
        said = [v.reason for v in timeline(log, "p7").verdicts if v.weight == 0]
        assert any("read again" in reason for reason in said)
        kept = kept_heart(log, "p7")
        assert kept.heart.made_by.endswith("corrected by R. Eader, MD")
        (back,) = kept.drawn
        assert (back.slice, back.phase, back.structure, back.by) == (2, 1, "left", DRAWN.by)
        assert np.array_equal(back.points, DRAWN.points)
        again = look(folder / "images", described, log)
        assert again.found is None  # nothing is searched for anew
        assert again.kept.drawn[0].by == DRAWN.by
        take_correction(again, heart(), [], log, "p7", NOW + 2 * 10**9)  # it is taken back
        assert counted(log) == [volume]
        assert kept_heart(log, "p7").drawn == ()
    assert len(built) == 1
