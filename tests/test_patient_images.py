"""A patient's folder with pictures: built once, kept in the log, taught to the twin, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from isosoma.core.errors import IdentityError, RangeError
from isosoma.core.observation import Observation
from isosoma.exchange.patient_file import read_patient
from isosoma.imaging.cine_file import packed, unpacked
from isosoma.intake import heart_study, timeline
from isosoma.record import Log, open_log
from isosoma.serve.heart_files import heart_glb, labels_on, write_heart
from isosoma.serve.heart_text import report
from isosoma.serve.patient_folder import read_folder
from isosoma.serve.patient_images import kept_heart, look, take_heart
from tests.cine_heart import PHASES, heart, stack

NOW = 1_795_219_200 * 10**9
PATIENT = 'id = "p7"\nsex = "m"\nborn = 1961-04-02\n'


def write_pictures(folder: Path, **said: str) -> None:
    """The sample's short axis as a scanner writes it: a file a picture, LPS, millimetres."""
    shown, study, frame = stack(), generate_uid(), generate_uid()
    folder.mkdir(parents=True)
    turn = np.diag([-1.0, -1.0, 1.0])
    across, down = (turn @ shown.grid.affine[:3, k] / shown.grid.spacing[k] for k in (0, 1))
    for k in range(shown.grid.shape[2]):
        corner = turn @ shown.grid.to_space([0, 0, k]) * 1e3
        series = generate_uid()
        for t in range(len(PHASES)):
            meta = FileMetaDataset()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            meta.MediaStorageSOPClassUID = MRImageStorage
            meta.MediaStorageSOPInstanceUID = generate_uid()
            data = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
            data.SOPClassUID, data.SOPInstanceUID = (
                meta.MediaStorageSOPClassUID,
                meta.MediaStorageSOPInstanceUID,
            )
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = (
                study,
                series,
                frame,
            )
            data.Modality, data.SeriesNumber, data.InstanceNumber = "MR", k + 1, t + 1
            data.AcquisitionDateTime, data.TimezoneOffsetFromUTC = "20261120100000", "+0000"
            data.ImageOrientationPatient = [round(float(x), 9) for x in (*across, *down)]
            data.ImagePositionPatient = [round(float(x), 6) for x in corner]
            data.PixelSpacing = [1.5, 1.5]
            data.TriggerTime, data.NominalInterval = float(850 * PHASES[t]), 850
            data.Rows, data.Columns = shown.grid.shape[1], shown.grid.shape[0]
            data.BitsAllocated = data.BitsStored = 16
            data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 0, 1
            data.PhotometricInterpretation = "MONOCHROME2"
            for name, value in said.items():
                setattr(data, name, value)
            pixels = np.clip(shown.values[:, :, k, t].T, 0, 4000).astype("<u2")
            data.PixelData = pixels.tobytes()
            data.save_as(folder / f"{k:02d}-{t:02d}", enforce_file_format=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("ward") / "p7"
    write_pictures(at / "images", PatientID="p7", PatientBirthDate="19610402", PatientSex="M")
    (at / "patient.toml").write_text(PATIENT, "utf-8")
    return at


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The search for the ventricles, which needs long axes, gives the sample's; counted."""
    calls = list[int]()

    def build(volumes, tell=lambda done, of: None):
        calls.append(len(volumes))
        return heart()

    monkeypatch.setattr(heart_study, "build", build)
    monkeypatch.setattr("isosoma.serve.patient_images.version", lambda: "1")
    return calls


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with open_log(tmp_path / "s.log") as opened:
        yield opened


def test_pictures_are_no_tables(folder):
    read = read_folder(folder, None, NOW)
    assert read.files == ()
    assert read.images == folder / "images"


def test_a_heart_is_built_once_and_its_volumes_are_readings(folder, log, built):
    described = read_patient(folder / "patient.toml", NOW)
    first = look(folder / "images", described, log)
    assert not first.other
    assert take_heart(first, log, "p7", NOW).accepted == 4
    again = look(folder / "images", described, log)
    assert built == [1]
    assert again.found is None
    assert take_heart(again, log, "p7", NOW).accepted == 0
    assert again.told == first.told
    for o in timeline(log, "p7").readings:
        assert isinstance(o, Observation)
        assert o.device == "cmr"
        assert o.origin == f"reading:heart:{first.told['source_sha256'][:16]}"
        assert o.at == 1_795_168_800 * 10**9


def test_what_names_a_person_is_in_the_log_alone(folder, log, built):
    found = look(folder / "images", read_patient(folder / "patient.toml", NOW), log)
    assert "p7" not in json.dumps(found.told)
    assert "1961" not in json.dumps(found.told)
    take_heart(found, log, "p7", NOW)
    (entry,) = log.entries("p7", ["reading"])
    assert json.loads(entry.payload)["names"] == "p7"


def test_pictures_of_another_id_are_taken_and_marked_for_ever(folder, log, built, tmp_path):
    path = tmp_path / "patient.toml"
    path.write_text(PATIENT.replace("p7", "ward-3"), "utf-8")
    found = look(folder / "images", read_patient(path, NOW), log)
    assert found.other
    take_heart(found, log, "ward-3", NOW)
    assert all(o.origin.endswith("?composite") for o in timeline(log, "ward-3").readings)


@pytest.mark.parametrize(
    ("was", "now", "word"), [("1961-04-02", "1962-04-02", "born"), ('"m"', '"f"', "sex")]
)
def test_pictures_of_somebody_else_are_refused(folder, log, built, tmp_path, was, now, word):
    path = tmp_path / "patient.toml"
    path.write_text(PATIENT.replace(was, now), "utf-8")
    with pytest.raises(IdentityError, match=word):
        look(folder / "images", read_patient(path, NOW), log)


def test_pictures_without_a_heart_are_no_fault_of_the_folder(folder, log, monkeypatch):
    def build(volumes, tell=lambda done, of: None):
        raise RangeError("there is no long axis", todo="Add one")

    monkeypatch.setattr(heart_study, "build", build)
    found = look(folder / "images", read_patient(folder / "patient.toml", NOW), log)
    assert found.heart is None
    assert found.said == "there is no long axis. Add one"
    assert take_heart(found, log, "p7", NOW).accepted == 0
    assert kept_heart(log, "p7") is None


def test_a_heart_comes_back_from_its_bytes():
    made, back = heart(), unpacked(packed(heart()))
    assert back.left.points == pytest.approx(made.left.points, abs=1e-7)
    assert np.array_equal(back.outer.triangles, made.outer.triangles)
    assert (back.sigma, back.made_by, back.quality) == (made.sigma, made.made_by, made.quality)


def test_labels_have_the_volumes_of_the_heart():
    shown = stack(step=0.004, slices=28)
    labels = labels_on(shown, heart())
    cavity = (labels == 1).sum(axis=(0, 1, 2)) * shown.grid.voxel
    assert cavity == pytest.approx(heart().left.volume, rel=0.04)
    assert set(np.unique(labels)) == {0, 1, 2, 3}


def test_files_are_written_whole_or_not_at_all(folder, built, tmp_path, monkeypatch):
    from datetime import UTC, datetime

    found = heart_study.build_heart(heart_study.open_study(folder / "images"))
    made = datetime(2026, 11, 20, tzinfo=UTC)
    files = write_heart(found, tmp_path / "out", made, lambda share: None)
    assert {"heart.json", "heart.glb", "labels_1.dcm", "labels_1.nii.gz"} <= files.keys()
    assert files["heart.glb"] < 1e6
    told = json.loads((tmp_path / "out" / "heart.json").read_text("utf-8"))
    assert told["date"] == "2026-11-20"
    lines = report(told)
    assert any("LV end-diastolic volume" in line for line in lines)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("isosoma.serve.heart_files.write_seg", fail)
    with pytest.raises(OSError, match="No space"):
        write_heart(found, tmp_path / "second", made, lambda share: None)
    assert [p.name for p in tmp_path.iterdir() if "second" in p.name] == []


def test_the_glb_says_how_it_lies_and_of_when():
    data = heart_glb(heart(), "1.2.3", "ab", "2026-11-20")
    size = int.from_bytes(data[12:16], "little")
    extras = json.loads(data[20 : 20 + size])["asset"]["extras"]
    assert extras["date"] == "2026-11-20"
    assert extras["lv_ml"][0] == pytest.approx(heart().left.volume[0] * 1e6, abs=1e-3)
    assert np.array(extras["axes"]) @ np.array(extras["axes"]).T == pytest.approx(
        np.eye(3), abs=1e-6
    )


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "does not exist"),
        ("empty", "holds no DICOM picture"),
        ("text", "holds no DICOM picture"),
        ("cut", ""),
        ("out", "is there already"),
    ],
)
def test_a_bad_folder_ends_in_a_sentence_and_nothing_is_written(
    folder, built, tmp_path, capsys, what, said
):
    from isosoma.serve.cli import main

    given, out = tmp_path / "given", tmp_path / "out"
    if what != "missing":
        given.mkdir()
    if what == "text":
        (given / "notes.txt").write_text("nothing", "utf-8")
    if what == "cut":
        whole = (folder / "images" / "00-00").read_bytes()
        (given / "one.dcm").write_bytes(whole[: len(whole) // 2])
    if what == "out":
        out.mkdir()
    before = sorted(tmp_path.iterdir())
    assert main(["image", "build", str(given), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.startswith("isosoma: ")
    assert sorted(tmp_path.iterdir()) == before
    assert built == []


def test_the_verb_writes_a_heart_and_tells_the_same_as_json(folder, built, tmp_path, capsys):
    from isosoma.serve.cli import main

    out = tmp_path / "out"
    assert main(["image", "build", str(folder / "images"), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    kept = json.loads((out / "heart.json").read_text("utf-8"))
    assert {k: v for k, v in told.items() if k != "files"} == kept
    assert told["files"].keys() == {p.name for p in out.iterdir()}
