"""A cine as NIfTI files: the same pictures, the same volumes, and what the format leaves open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Volume
from isosoma.exchange.nifti import write_nifti
from isosoma.imaging.cine import build
from isosoma.imaging.rendered_study import RenderedStudy, rendered_study
from isosoma.intake.heart_nifti import holds_nifti, open_nifti
from isosoma.serve.cli import main
from tests.cine_heart import stack


@pytest.fixture(scope="module")
def study() -> RenderedStudy:
    return rendered_study(9002, phases=8)


@pytest.fixture(scope="module")
def folder(study: RenderedStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered study as NIfTI: the short axis last by name, with labels and a still beside."""
    made = tmp_path_factory.mktemp("nifti")
    short, *long = study.volumes
    write_nifti(made / "z short axis.nii.gz", short)
    for k, volume in enumerate(long):
        write_nifti(made / f"long {k}.nii.gz", volume)
    write_nifti(made / "labels.nii.gz", replace(short, values=np.round(short.values > 0.5)))
    write_nifti(made / "still.nii.gz", Volume(short.grid, short.values[..., :1]))
    return made


def test_the_pictures_are_those_that_were_written(study: RenderedStudy, folder: Path) -> None:
    assert holds_nifti(folder)
    opened = open_nifti(folder)
    *long, short = opened.volumes
    for found, due in zip([short, *long], study.volumes, strict=True):
        assert np.array_equal(found.values, due.values)
        assert np.allclose(found.grid.affine, due.grid.affine, atol=1e-8)
        assert found.phases == pytest.approx(due.phases)
        assert found.periods == pytest.approx(due.periods)
    assert opened.refused == ("labels.nii.gz holds labels, no pictures",)
    assert opened.pictures == sum(v.values.shape[2] * 8 for v in study.volumes)


def test_the_volumes_are_those_of_the_pictures_and_what_is_not_known_is_said(
    study: RenderedStudy, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "heart"
    assert main(["image", "build", str(folder), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    due = build(study.volumes)
    assert told["lv_ml"] == pytest.approx(due.left.volume * 1e6, abs=1.0)  # readers differ by 15
    assert told["rv_ml"] == pytest.approx(due.right.volume * 1e6, abs=1.0)
    assert told["lv_mass_g"] == pytest.approx(due.mass * 1e3, abs=1.0)
    assert told["date"] == ""
    noted = " ".join(told["decisions"])
    for said in ("no date", "names no person", "no trigger times", "RR 800 ms"):
        assert said in noted
    names = {p.name for p in out.iterdir()}
    assert {"heart.json", "heart.glb", "left_ventricle.stl"} <= names
    assert any(n.startswith("labels_") and n.endswith(".nii.gz") for n in names)
    assert not any(n.endswith(".dcm") for n in names)


def test_no_step_of_time_tells_no_rr(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", replace(stack(), periods=np.zeros(0)))
    opened = open_nifti(tmp_path)
    assert opened.volumes[0].periods.size == 0
    assert any("no RR" in said for said in opened.taken.decisions)


def test_files_that_do_not_move_or_hold_labels_alone_are_refused(tmp_path: Path) -> None:
    short = stack()
    write_nifti(tmp_path / "still.nii", Volume(short.grid, short.values[..., :1]))
    write_nifti(tmp_path / "labels.nii", replace(short, values=np.round(short.values > 200)))
    with pytest.raises(RangeError, match="no moving pictures of eight phases"):
        open_nifti(tmp_path)


def test_a_short_axis_alone_says_what_is_missing_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    write_nifti(tmp_path / "in" / "a.nii", stack(slices=3))
    assert main(["image", "build", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert "long axes with an atrium" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_one_dicom_file_makes_it_a_dicom_folder(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", stack(slices=3))
    assert holds_nifti(tmp_path)
    (tmp_path / "b").write_bytes(b"\0" * 128 + b"DICM")
    assert not holds_nifti(tmp_path)
