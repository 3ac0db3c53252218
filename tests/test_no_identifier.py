"""What pictures tell of a person goes into the encrypted log, and nowhere else that is written."""

from __future__ import annotations

import gzip
import json
import logging
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataelem import RawDataElement

from isosoma.record import open_log
from isosoma.serve.cli import main
from tests.test_image_segment_cli import _network
from tests.test_patient_images import built, write_pictures  # noqa: F401 - a fixture

NOW = "2026-11-21T12:00:00Z"
PATIENT = 'id = "p7"\nsex = "m"\nborn = 1961-04-02\nweight = "75 kg"\nheight = "177 cm"\n'
TOLD = {
    "PatientName": "Qmarkname^Given", "PatientID": "qmarkid-0815", "PatientBirthDate": "19610402",
    "PatientSex": "M", "OtherPatientIDs": "qmarkother", "PatientAddress": "qmarkstreet 5",
    "InstitutionName": "qmarkhospital " * 9, "InstitutionAddress": "qmarktown",
    "InstitutionalDepartmentName": "qmarkward", "ReferringPhysicianName": "Qmarkphysician^A",
    "OperatorsName": "Qmarkoperator^B", "StationName": "qmarkstation", "StudyID": "qmarkstudy",
    "AccessionNumber": "qmarkaccession", "DeviceSerialNumber": "qmarkserial",
    "PatientComments": "qmarkcomment", "ImageComments": "qmarkimage", "PatientAge": "qmarkage",
}  # fmt: skip
"""Some are longer than they may be, or no age: what a reader of DICOM warns of, and quotes."""
MARKS = ("qmark", "19610402", "1961-04-02", "1.2.826.0.1.3680043")
"""In lower case; the last begins every UID of the study."""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patient's folder whose pictures tell all of this."""
    at = tmp_path_factory.mktemp("ward") / "bed 3"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_pictures(at / "images", **TOLD)
    (at / "patient.toml").write_text(PATIENT, "utf-8")
    return at


@pytest.fixture
def told(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[..., tuple[int, str]]:
    """Run a verb as talkative as it can be; give its code and all that it said, to whomever."""
    caplog.set_level(logging.DEBUG)

    def run(*words: object) -> tuple[int, str]:
        caplog.clear()
        capfd.readouterr()
        code = main(["--debug", *map(str, words)])
        shown = capfd.readouterr()
        return code, shown.out + shown.err + caplog.text

    return run


def marks_in(text: str | bytes) -> list[str]:
    """Return the marks in a text, or in bytes of whatever kind."""
    held = text.encode() if isinstance(text, str) else text
    held = held.lower()
    return [m for m in MARKS if m.encode() in held or m.encode("utf-16-le") in held]


def marks_under(folder: Path) -> list[str]:
    """Return the marks in names and contents of files; DICOM files name the patient."""
    found = list[str]()
    for path in folder.rglob("*"):
        found += [f"{path.name}: {m}" for m in marks_in(path.name)]
        if path.is_file() and path.suffix != ".dcm":
            held = path.read_bytes()
            held = gzip.decompress(held) if path.suffix == ".gz" else held
            found += [f"{path.name}: {m}" for m in marks_in(held)]
    return found


def test_the_marks_are_in_the_pictures_and_are_found(ward: Path) -> None:
    found = marks_under(ward / "images")
    assert {m for m in MARKS if any(f.endswith(f": {m}") for f in found)} >= {
        "qmark", "19610402", "1.2.826.0.1.3680043",
    }  # fmt: skip


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_images_are_told_without_their_person(
    ward: Path, tmp_path: Path, built, told, form: list[str]  # noqa: F811
) -> None:  # fmt: skip
    images, made = ward / "images", tmp_path / "made"
    made.mkdir()
    for words in (
        ["image", "info", images],
        ["image", "build", images, "--out", made / "heart"],
        ["image", "segment", images, "--with", _network(tmp_path), "--out", made / "labels"],
    ):
        code, said = told(*words, *form)
        assert code == 0, said
        assert marks_in(said) == []
    assert len(list((made / "heart").iterdir())) > 5
    assert marks_under(made) == []
    names = pydicom.dcmread(made / "heart" / "labels_1.dcm").PatientName
    assert str(names) == TOLD["PatientName"], "a segmentation is the patient's own file"


def test_a_twin_of_the_folder_has_their_person_in_the_encrypted_log_alone(
    ward: Path, tmp_path: Path, built, told  # noqa: F811
) -> None:  # fmt: skip
    store = tmp_path / "ward.log"
    for form in ([], ["--json"]):
        code, said = told("build", ward, "--store", store, "--now", NOW, *form)
        assert code == 0, said
        assert marks_in(said) == []
    assert marks_under(tmp_path) == []
    with open_log(store) as log:
        kept = [json.loads(e.payload) for e in log.entries("p7", ["reading"])]
    (heart,) = [k for k in kept if "names" in k]
    assert (heart["names"], heart["born"]) == (TOLD["PatientID"], "1961-04-02")
    assert heart["study"].startswith(MARKS[-1])


@pytest.mark.parametrize(
    ("name", "value", "due"),
    [("InstanceNumber", "qmark7", 2), ("PatientID", "qmark-other", 2), ("TriggerTime", "qmark9", 2),
     ("PixelSpacing", "qmarkwide", 0), ("Rows", None, 2)],
)  # fmt: skip
def test_a_bad_header_is_quoted_not_even_to_who_looks_for_the_fault(
    ward: Path, tmp_path: Path, told, name: str, value: str | None, due: int
) -> None:
    images = tmp_path / "images"
    shutil.copytree(ward / "images", images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(images / "00-00")
        if value is None:
            delattr(data, name)
        else:
            tag, kind = data[name].tag, data[name].VR
            raw = value.encode() + b" " * (len(value) % 2)  # as a bad writer would
            data[tag] = RawDataElement(tag, kind, len(raw), raw, 0, False, True)
        data.save_as(images / "00-00")
    code, said = told("image", "info", images)
    assert code == due, said
    assert due == 0 or "00-00" in said
    assert marks_in(said) == []


def test_pictures_of_another_birthday_are_refused_without_it(
    ward: Path, tmp_path: Path, told
) -> None:
    bed = tmp_path / "bed"
    shutil.copytree(ward, bed)
    (bed / "patient.toml").write_text(PATIENT.replace("1961-04-02", "1961-05-03"), "utf-8")
    code, said = told("build", bed, "--store", tmp_path / "ward.log", "--now", NOW)
    assert code == 2
    assert "another day" in said
    assert marks_in(said) == []
