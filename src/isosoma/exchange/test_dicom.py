"""A study is sorted by what its files say of space and time, and refused whole where they lie."""

from __future__ import annotations

import itertools
import random
import shutil
import struct
import tarfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from isosoma.core.errors import FormatError, IdentityError, InputError, LimitError
from isosoma.exchange.dicom import read_study, slices, volume

ROWS, COLUMNS = 6, 5


def picture(folder: Path, name: str, **said: Any) -> FileDataset:
    """Write one small picture whose attributes are `said`."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = said.get("SOPInstanceUID", generate_uid())
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(folder / name), {}, file_meta=meta, preamble=b"\0" * 128)
    plain = {
        "SOPClassUID": MRImageStorage, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "FrameOfReferenceUID": "1.2.9",
        "Modality": "MR", "PatientID": "a", "Rows": ROWS, "Columns": COLUMNS, "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "PixelSpacing": [2.0, 1.0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 0],
        "PixelData": np.arange(ROWS * COLUMNS, dtype=np.uint16).tobytes(),
    }  # fmt: skip
    for key, value in {**plain, **said}.items():
        setattr(data, key, value)
    data.save_as(folder / name, enforce_file_format=True)
    return data


def stack(folder: Path, places: list[float], **said: Any) -> None:
    for i, z in enumerate(places):
        position = [0.0, 0.0, z]
        picture(folder, f"{i}.dcm", **{"ImagePositionPatient": position, **said})


@pytest.fixture(scope="module")
def cine(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real cine study, every file under another name and in another order."""
    folder = tmp_path_factory.mktemp("cine")
    with tarfile.open(shared_data / "imaging" / "cmr_bivme" / "dicoms_patient1.tar.xz") as held:
        held.extractall(folder / "as it came", filter="data")
    files = [p for p in (folder / "as it came").rglob("*") if p.is_file()]
    random.Random(7).shuffle(files)
    (folder / "shuffled").mkdir()
    for i, file in enumerate(files):
        shutil.move(file, folder / "shuffled" / f"{i:03d}")
    return folder / "shuffled"


def test_the_real_cine_is_sorted_by_geometry_and_phase(cine: Path) -> None:
    found = read_study(cine)
    sax, *long = found.stacks
    assert sax.grid is not None
    assert sax.grid.shape == (256, 208, 6)
    assert len(sax.frames[0]) == 25
    assert np.allclose(sax.grid.spacing * 1e3, [1.40625, 1.40625, 17.70], atol=1e-3)
    assert np.allclose(sax.periods, [0.831, 0.814, 0.776, 0.829, 0.860, 0.863])
    assert np.allclose(sax.phases, np.arange(25) / 25, atol=2e-3)
    assert [row[0][0].number for row in sax.frames] == [12001, 11001, 10001, 9001, 8001, 7001]
    assert [s.header.number for s in long] == [14001, 16001, 17001, 19001, 22001]
    assert any("matched by phase, not by time" in d for d in sax.decisions)
    first = sax.frames[0][0][1]  # the affine is that of each file's own words
    for k, row in enumerate(sax.frames):
        lps = np.array(row[0][1].position)
        assert np.allclose(sax.grid.to_space([0, 0, k]) * 1e3, lps * [-1, -1, 1], atol=0.02)
        assert all(a[1].trigger < b[1].trigger for a, b in itertools.pairwise(row))
    step = sax.grid.affine[:3, 0] * 1e3 * [-1, -1, 1]
    assert np.allclose(step, np.array(first.orientation[:3]) * first.spacing[1], atol=1e-6)


def test_the_real_cine_tells_who_it_is_though_it_says_anonymous(cine: Path) -> None:
    told = read_study(cine).revealing
    assert {"PatientIdentityRemoved is NO", "StudyDate", "private group 0021"} <= set(told)
    assert "patient1" not in " ".join(told)


def test_a_real_ct_has_the_distance_of_its_slices_not_their_thickness(shared_data: Path) -> None:
    found = read_study(shared_data / "imaging" / "cta_totalseg" / "example_ct_dicom")
    (ct,) = found.stacks
    assert ct.grid is not None
    assert np.allclose(ct.grid.spacing * 1e3, [0.9765625, 0.9765625, 2.0])
    assert sum(1 for _ in slices(ct)) == 20
    assert next(iter(slices(ct))).min() >= -1024  # HU, rescaled


def test_a_stack_has_the_affine_and_values_its_files_say(tmp_path: Path) -> None:
    for i, z in enumerate([30.0, 10.0, 20.0]):
        data = np.full((ROWS, COLUMNS), z, np.uint16)
        data[2, 3] = 500  # row 2, column 3
        place = {"ImagePositionPatient": [-7.0, 4.0, z], "RescaleSlope": 2, "RescaleIntercept": 1}
        picture(tmp_path, f"{i}", **place, PixelData=data.tobytes())
    found = volume(read_study(tmp_path).stacks[0])
    assert found.values.shape == (COLUMNS, ROWS, 3, 1)
    assert found.values[0, 0, :, 0].tolist() == [21.0, 41.0, 61.0]
    assert found.values[3, 2, 0, 0] == 1001.0
    space = found.grid.to_space([3, 2, 0]) * 1e3  # column spacing 1, row spacing 2 mm; LPS to RAS
    assert np.allclose(space, [-(-7 + 3 * 1.0), -(4 + 2 * 2.0), 10.0])


def faults() -> dict[str, tuple[Any, type[InputError], str]]:
    def missing(at: Path) -> None:
        stack(at, [0, 10, 20, 40, 50])

    def tilted(at: Path) -> None:
        for i in range(4):
            picture(at, f"{i}", ImagePositionPatient=[0, 2.0 * i, 10.0 * i])

    def two_people(at: Path) -> None:
        stack(at, [0, 10, 20])
        picture(at, "other", PatientID="b", ImagePositionPatient=[0, 0, 30])

    def doubled(at: Path) -> None:
        for i in range(3):
            picture(at, f"{i}", ImagePositionPatient=[0, 0, 10.0 * i])
        picture(at, "again", ImagePositionPatient=[0, 0, 10.0])

    def one_name(at: Path) -> None:
        picture(at, "a", SOPInstanceUID="1.2.3.4.5")
        picture(at, "b", SOPInstanceUID="1.2.3.4.5", PixelData=b"\1" * (2 * ROWS * COLUMNS))

    def skewed(at: Path) -> None:
        picture(at, "a", ImageOrientationPatient=[1, 0, 0, 1, 0, 0])

    def cut(at: Path) -> None:
        picture(at, "a")
        (at / "a").write_bytes((at / "a").read_bytes()[:-20])

    return {
        "a slice is missing": (missing, FormatError, r"but not 20\.0 to 40\.0 mm"),
        "the gantry was tilted": (tilted, FormatError, r"tilted by 11\.3 deg"),
        "two people": (two_people, IdentityError, "pictures of 2 people"),
        "a slice twice": (doubled, FormatError, r"10\.0 mm has 2"),
        "two pictures of one name": (one_name, FormatError, "under one SOPInstanceUID"),
        "an orientation that cannot be": (skewed, FormatError, "not at right angles"),
        "cut off": (cut, FormatError, "cut off"),
    }


@pytest.mark.parametrize("name", faults())
def test_what_contradicts_itself_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    make, kind, said = faults()[name]
    make(tmp_path)
    with pytest.raises(kind, match=said):
        read_study(tmp_path)


@pytest.mark.parametrize(
    ("name", "orientation", "places", "said"),
    [
        ("localizer", [0, 1, 0, 0, 0, -1], [0.0, 1.0, 7.0], "apart, but not"),
        ("skewed", [1, 0, 0, 1, 0, 0], [0.0, 1.0], "not at right angles"),
    ],
)
def test_one_stack_that_is_none_takes_nothing_from_those_beside_it(
    tmp_path: Path, name: str, orientation: list[int], places: list[float], said: str
) -> None:
    stack(tmp_path, [0, 10, 20])
    for i, x in enumerate(places):
        picture(
            tmp_path, f"{name}{i}", SeriesInstanceUID="1.2.3.5", SeriesNumber=2,
            ImageOrientationPatient=orientation, ImagePositionPatient=[x, 0, 0],
        )  # fmt: skip
    found = read_study(tmp_path)
    assert [len(s.frames) for s in found.stacks] == [3]
    (refusal,) = found.refused
    assert refusal.pictures == len(places)
    assert refusal.header.number == 2
    assert said in str(refusal.error)


@pytest.mark.parametrize(("rows", "columns"), [(60, 5), (3, 5), (6, 4)])
def test_lying_rows_and_columns_are_refused(tmp_path: Path, rows: int, columns: int) -> None:
    picture(tmp_path, "a", Rows=rows, Columns=columns)
    with pytest.raises(FormatError, match="bytes of pixels"):
        volume(read_study(tmp_path).stacks[0])


def test_rows_without_end_are_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    picture(tmp_path, "a", Rows=65535, Columns=65535)
    with pytest.raises(LimitError, match="65535 x 65535"):
        read_study(tmp_path)


def head(syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return b"\0" * 128 + b"DICM" + b"\2\0\x10\0UI" + struct.pack("<H", len(uid)) + uid


def test_a_length_of_two_gibibytes_is_refused_by_what_the_file_holds(tmp_path: Path) -> None:
    claim = b"\xe0\x7f\x10\0OW\0\0" + struct.pack("<I", 2 << 30) + b"\0" * 100
    (tmp_path / "a").write_bytes(head() + claim)
    with pytest.raises(FormatError, match="of 2147483648 bytes reaches beyond the end"):
        read_study(tmp_path)


def test_five_thousand_nested_sequences_are_refused(tmp_path: Path) -> None:
    opened = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    (tmp_path / "a").write_bytes(head() + opened * 5000)
    with pytest.raises(LimitError, match="nests deeper"):
        read_study(tmp_path)


def test_a_deflate_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from isosoma.exchange import dicom_structure

    monkeypatch.setattr(dicom_structure, "_INFLATED", 1 << 20)
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = pack.compress(b"\0" * (4 << 20)) + pack.flush()
    (tmp_path / "a").write_bytes(head("1.2.840.10008.1.2.1.99") + bomb)
    with pytest.raises(LimitError, match="inflates"):
        read_study(tmp_path)


def test_damage_anywhere_is_a_sentence_or_harmless(tmp_path: Path) -> None:
    picture(tmp_path, "a")
    whole = (tmp_path / "a").read_bytes()
    rng = random.Random(3)
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(128, len(broken))] = rng.randrange(256)
        (tmp_path / "a").write_bytes(bytes(broken[: rng.choice([None, rng.randrange(200, 900)])]))
        with suppress(InputError):
            for held in read_study(tmp_path).stacks:
                if held.grid is not None:
                    assert np.isfinite(volume(held).grid.affine).all()


def test_other_files_beside_pictures_are_passed_over_and_told(tmp_path: Path) -> None:
    stack(tmp_path, [0, 10, 20])
    (tmp_path / "readme.txt").write_text("no picture")
    found = read_study(tmp_path)
    assert found.passed_over == ("readme.txt is no DICOM file",)
    assert len(found.stacks[0].frames) == 3


def test_copies_are_left_out_and_told(tmp_path: Path) -> None:
    stack(tmp_path, [0, 10, 20])
    shutil.copy(tmp_path / "1.dcm", tmp_path / "copy of 1.dcm")
    (found,) = read_study(tmp_path).stacks
    assert len(found.frames) == 3
    assert "1 copies of pictures left out" in found.decisions


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no DICOM picture"):
        read_study(tmp_path)


def test_an_icon_within_a_sequence_makes_no_picture(tmp_path: Path) -> None:
    icon = b"\xe0\x7f\x10\0OW\0\0\4\0\0\0\1\2\3\4"
    item = b"\xfe\xff\0\xe0\xff\xff\xff\xff" + icon + b"\xfe\xff\x0d\xe0\0\0\0\0"
    held = b"\x88\0\0\2SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    (tmp_path / "report").write_bytes(head() + held)
    with pytest.raises(FormatError, match="holds no DICOM picture"):
        read_study(tmp_path)


@pytest.mark.parametrize(("rows", "columns"), [(1024, 512), (256, 512), (512, 500)])
def test_lying_rows_and_columns_of_compressed_pixels_are_refused(
    shared_data: Path, tmp_path: Path, rows: int, columns: int
) -> None:
    import pydicom

    data = pydicom.dcmread(shared_data / "imaging" / "dicom_zoo" / "693_J2KR.dcm")
    data.Rows, data.Columns = rows, columns
    data.save_as(tmp_path / "a")
    with pytest.raises(InputError, match="a: its p"):
        volume(read_study(tmp_path).stacks[0])
