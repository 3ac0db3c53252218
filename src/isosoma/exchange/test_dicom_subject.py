"""Whose and of when: what a file tells, what is assumed, and what no file tells."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from isosoma.core.errors import FormatError
from isosoma.exchange.dicom_subject import taken


def written(folder: Path, **said: str) -> Path:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    data = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    for name, value in said.items():
        setattr(data, name, value)
    path = folder / "one"
    data.save_as(path, enforce_file_format=True)
    return path


def ns(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9


def test_an_instant_with_its_zone_is_taken_as_it_stands(tmp_path):
    path = written(
        tmp_path, AcquisitionDateTime="20240704104302.015000", TimezoneOffsetFromUTC="+0130"
    )
    said = taken(path)
    assert said.at == ns(2024, 7, 4, 9, 13, 2)
    assert said.zone == 90
    assert said.decisions == ()


def test_a_zone_that_is_not_told_is_assumed_and_told(tmp_path):
    said = taken(written(tmp_path, StudyDate="20240704", StudyTime="101500.12"))
    assert said.at == ns(2024, 7, 4, 10, 15)
    assert "no time zone" in said.decisions[0]


def test_the_pictures_own_day_goes_before_that_of_the_study(tmp_path):
    said = taken(written(tmp_path, AcquisitionDate="20240704", StudyDate="20250514"))
    assert said.at == ns(2024, 7, 4, 12)
    assert any("noon" in d for d in said.decisions)


@pytest.mark.parametrize("told", [{}, {"StudyDate": "20240231", "StudyTime": "101500"}])
def test_without_a_day_there_is_no_instant_and_a_sentence(tmp_path, told):
    said = taken(written(tmp_path, **told))
    assert said.at is None
    assert said.decisions


def test_whose_it_is(tmp_path):
    path = written(tmp_path, PatientID=" p7 ", PatientBirthDate="19610402", PatientSex="F")
    said = taken(path)
    assert (said.patient, said.born, said.sex) == ("p7", "1961-04-02", "f")


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"no picture")
    with pytest.raises(FormatError):
        taken(path)
