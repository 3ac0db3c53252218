"""Labels leave as a DICOM segmentation and come back, to us and to another reader."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.sr._concepts_dict import concepts

from isosoma.core.errors import FormatError, InputError, VocabularyError
from isosoma.exchange.dicom import read_study
from isosoma.exchange.dicom_seg import Maker, write_seg
from isosoma.exchange.dicom_seg_read import read_seg
from isosoma.exchange.dicom_segments import SEGMENTS
from isosoma.exchange.dicom_series import Stack
from isosoma.exchange.test_dicom import COLUMNS, ROWS, picture

NAMES = {1: "left_ventricle", 4: "left_ventricular_myocardium", 7: "oedema"}
MADE = Maker("shape model", "3", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture
def cine(tmp_path: Path) -> Stack:
    """Three slices of four phases, each a file of its own."""
    for k in range(3):
        for t in range(4):
            picture(
                tmp_path, f"{k}{t}", ImagePositionPatient=[1.5, -2.0, 10.0 * k],
                TriggerTime=200 * t, NominalInterval=800 + k,
                SOPInstanceUID=f"1.2.3.9.{k}.{t}", PatientName="Doe^Jane",
            )  # fmt: skip
    return read_study(tmp_path).stacks[0]


@pytest.fixture
def labels() -> np.ndarray:
    out = np.zeros((COLUMNS, ROWS, 3, 4), np.uint8)
    kinds = np.random.default_rng(3).choice([0, 1, 4, 7], out.shape)
    out[...] = kinds
    out[:, :, 1, 2] = 0  # a phase in which nothing is marked
    out[:, :, 0, 3] = 1
    return out


def test_labels_come_back_voxel_by_voxel_and_phase_by_phase(
    cine: Stack, labels: np.ndarray, tmp_path: Path
) -> None:
    write_seg(tmp_path / "out.dcm", cine, labels, NAMES, MADE)
    found = read_seg(tmp_path / "out.dcm", cine)
    for number, label in enumerate((1, 4, 7), 1):
        assert np.array_equal(found.labels == number, labels == label), label
        assert found.names[number] == NAMES[label]
        assert found.made_by[number] == "shape model 3"
    assert found.decisions == ()


def test_the_masks_of_a_cine_name_the_picture_and_time_of_their_own_phase(
    cine: Stack, labels: np.ndarray, tmp_path: Path
) -> None:
    write_seg(tmp_path / "out.dcm", cine, labels, NAMES, MADE)
    data = pydicom.dcmread(tmp_path / "out.dcm")
    assert data.StudyInstanceUID == "1.2.3"
    assert data.PatientName == "Doe^Jane"  # an archive files it by this
    for own in data.PerFrameFunctionalGroupsSequence:
        _, place, phase = own.FrameContentSequence[0].DimensionIndexValues
        (source,) = own.DerivationImageSequence[0].SourceImageSequence
        assert source.ReferencedSOPInstanceUID == f"1.2.3.9.{place - 1}.{phase - 1}"
        timing = own.CardiacSynchronizationSequence[0]
        assert timing.NominalCardiacTriggerDelayTime == 200.0 * (phase - 1)
        assert timing.RRIntervalTimeNominal == 800 + place - 1


def test_the_same_labels_give_the_same_file(
    cine: Stack, labels: np.ndarray, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_seg(tmp_path / f"{name}.dcm", cine, labels, NAMES, MADE)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_frames_of_one_enhanced_file_are_named_by_their_number(tmp_path: Path) -> None:
    groups = []
    for k in range(3):
        group = pydicom.Dataset()
        place = pydicom.Dataset()
        place.ImagePositionPatient = [0, 0, 10.0 * k]
        group.PlanePositionSequence = [place]
        groups.append(group)
    shared, measures, turned = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing, turned.ImageOrientationPatient = [2, 1], [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [turned]
    picture(
        tmp_path, "a", NumberOfFrames=3, PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=[shared], PixelData=bytes(2 * 3 * ROWS * COLUMNS),
    )  # fmt: skip
    (stack,) = read_study(tmp_path).stacks
    labels = np.zeros((COLUMNS, ROWS, 3, 1), np.uint8)
    labels[1, 2, 0], labels[3, 4, 2] = 1, 1
    write_seg(tmp_path / "out.dcm", stack, labels, NAMES, MADE)
    data = pydicom.dcmread(tmp_path / "out.dcm")
    named = [g.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
             for g in data.PerFrameFunctionalGroupsSequence]  # fmt: skip
    assert named == [1, 3]
    assert np.array_equal(read_seg(tmp_path / "out.dcm", stack).labels, labels)


def test_every_code_stands_in_the_standard_table() -> None:
    table = {code: [] for held in concepts["SCT"].values() for code in held}
    for held in concepts["SCT"].values():
        for code, (meaning, _) in held.items():
            table[code].append(meaning)
    for segment in SEGMENTS.values():
        assert segment.meaning in table[segment.code]


def test_what_cannot_be_written_is_told_and_leaves_no_file(
    cine: Stack, labels: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "out.dcm"
    with pytest.raises(FormatError, match="labels of"):
        write_seg(out, cine, labels[:-1], NAMES, MADE)
    with pytest.raises(FormatError, match="no voxel"):
        write_seg(out, cine, labels * 0, NAMES, MADE)
    with pytest.raises(VocabularyError, match="label 7 means 'nothing'"):
        write_seg(out, cine, labels, {1: "left_ventricle", 4: "aorta"}, MADE)
    with pytest.raises(FormatError, match="say where they lie"):
        write_seg(out, replace(cine, grid=None), labels, NAMES, MADE)
    assert not out.exists()


def test_a_segmentation_of_other_pictures_or_moved_is_refused(
    cine: Stack, labels: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "out.dcm"
    write_seg(out, cine, labels, NAMES, MADE)
    with pytest.raises(FormatError, match="names 0 of the pictures"):
        read_seg(out, replace(cine, frames=cine.frames[1:]))
    data = pydicom.dcmread(out)
    data.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0].ImagePositionPatient = [0] * 3
    data.save_as(tmp_path / "moved.dcm")
    with pytest.raises(FormatError, match="mask 3 lies elsewhere"):
        read_seg(tmp_path / "moved.dcm", cine)
    (tmp_path / "cut.dcm").write_bytes(out.read_bytes()[:-30])
    with pytest.raises(InputError, match="cut off"):
        read_seg(tmp_path / "cut.dcm", cine)
    with pytest.raises(FormatError, match="no binary DICOM segmentation"):
        read_seg(cine.header.file, cine)


PEER = """
import json, sys, numpy, highdicom
seg = highdicom.seg.segread(sys.argv[1])
segments = [seg.get_segment_description(n) for n in seg.segment_numbers]
numbers = [s.segmented_property_type.meaning for s in segments]
out = {name: [] for name in numbers}
for i, group in enumerate(seg.PerFrameFunctionalGroupsSequence):
    name = numbers[group.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1]
    uid = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
    frame = seg.get_stored_frame(i + 1)
    out[name].append([uid, numpy.argwhere(frame).tolist()])
uids = sorted(u for _, _, u in seg.get_source_image_uids())
print(json.dumps([out, uids]))
"""


def test_highdicom_reads_the_same_voxels(
    cine: Stack, labels: np.ndarray, tmp_path: Path, repository: Path
) -> None:
    own = repository / ".venv-peers" / "bin" / "python"
    python = Path(os.environ.get("ISOSOMA_PEERS") or own)
    asked = [str(python), "-c", "import highdicom"]
    if not python.exists() or subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("highdicom is in no environment of the peers (ISOSOMA_PEERS, .venv-peers)")
    write_seg(tmp_path / "out.dcm", cine, labels, NAMES, MADE)
    run = [str(python), "-c", PEER, str(tmp_path / "out.dcm")]
    told, uids = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)
    again = {name: np.zeros_like(labels, bool) for name in told}
    for name, masks in told.items():
        for uid, voxels in masks:
            k, t = (int(n) for n in uid.split(".")[-2:])
            rows, columns = np.array(voxels).T
            again[name][columns, rows, k, t] = True
    for label, name in NAMES.items():
        assert np.array_equal(again[SEGMENTS[name].meaning], labels == label)
    assert len(uids) == 11  # of the twelve pictures one bears no mark


def test_no_name_reaches_a_log_the_screen_or_what_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values that pydicom would warn of and quote: a birth date and an age that are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(3):
            picture(
                tmp_path, f"{k}", ImagePositionPatient=[0, 0, 10.0 * k], PatientName="Doe^Jane",
                PatientID="4711-secret", PatientBirthDate="Doe 1950", PatientAge="Doe",
            )  # fmt: skip
    capsys.readouterr()
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    study = read_study(tmp_path)
    labels = np.ones((COLUMNS, ROWS, 3, 1), np.uint8)
    write_seg(tmp_path / "out.dcm", study.stacks[0], labels, NAMES, MADE)
    found = read_seg(tmp_path / "out.dcm", study.stacks[0])
    shown = capsys.readouterr()
    told = caplog.text + shown.out + shown.err + repr((study, study.stacks[0].header, found))
    assert "PatientName" in study.revealing
    assert not [word for word in ("Doe", "4711", "secret", "1950") if word in told]
