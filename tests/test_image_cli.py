"""`isosoma image info` on real images: what a person with a folder sees first."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from isosoma.serve.cli import main


def test_a_real_cine_study_is_told_as_one_moving_stack_and_long_axes(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(shared_data / "imaging" / "cmr_bivme" / "dicoms_patient1.tar.xz") as held:
        held.extractall(tmp_path, filter="data")
    assert main(["image", "info", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    sax, *long = told["stacks"]
    assert (sax["shape"], sax["phases"]) == ([256, 208, 6], 25)
    assert np.allclose(sax["spacing_mm"], [1.40625, 1.40625, 17.70], atol=1e-3)
    assert (min(sax["rr_ms"]), max(sax["rr_ms"])) == (776.0, 863.0)
    assert len(long) == 5
    assert "PatientIdentityRemoved is NO" in told["reveals"]
    assert main(["image", "info", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "25 phases, RR 776 to 863 ms" in said
    assert "patient1" not in said.replace(str(tmp_path), "")


def test_a_nifti_file_is_told_in_millimetres_whatever_it_is_called(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "IM0001.dcm"
    shutil.copy(shared_data / "imaging" / "cta_totalseg" / "example_ct.nii.gz", file)
    assert main(["image", "info", str(file)]) == 0
    said = capsys.readouterr().out
    assert "122 x 101 x 112, still" in said
    assert "3.00 x 3.00 x 3.00 mm, axial" in said


def test_a_gap_in_one_stack_is_told_beside_the_others(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(shared_data / "imaging" / "cmr_bivme" / "dicoms_patient1.tar.xz") as held:
        held.extractall(tmp_path, filter="data")
    ct = sorted((shared_data / "imaging" / "cta_totalseg" / "example_ct_dicom").iterdir())
    for i, file in enumerate(ct[:8]):
        data = pydicom.dcmread(file)
        data.PatientID, data.PatientBirthDate, data.PatientName = "", "", ""
        if i != 3:
            data.save_as(tmp_path / f"ct{i}.dcm")
    assert main(["image", "info", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["stacks"][0]["shape"] == [256, 208, 6]
    (refused,) = told["refused"]
    assert (refused["modality"], refused["pictures"]) == ("CT", 7)
    assert "2.00 mm apart, but not" in refused["reason"]
    assert main(["image", "info", str(tmp_path)]) == 0
    assert "7 pictures of series" in capsys.readouterr().out


def test_no_folder_and_no_image_end_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["image", "info", str(tmp_path / "none")]) != 0
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "a.txt").write_text("hello")
    assert main(["image", "info", str(tmp_path)]) != 0
    assert "holds no DICOM picture" in capsys.readouterr().err
