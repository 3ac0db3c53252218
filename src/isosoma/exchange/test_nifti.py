from __future__ import annotations

import gzip

import numpy as np
import pytest

from isosoma.core.errors import FormatError, InputError, RangeError
from isosoma.core.study import Grid, Volume
from isosoma.exchange.nifti import is_nifti, read_head, read_nifti, write_nifti


def turned(shape=(5, 6, 7), spacing=(1.5e-3, 2e-3, 6e-3)) -> Grid:
    angle = 0.3
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    affine[:3, 3] = [0.01, -0.02, 0.1]
    return Grid(shape, affine)


def some(phases) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((5, 6, 7, phases)).astype(np.float32)


@pytest.mark.parametrize("phases", [1, 4])
def test_what_is_written_is_read_back(tmp_path, phases):
    volume = Volume(turned(), some(phases))
    write_nifti(tmp_path / "a.nii.gz", volume)
    again = read_nifti(tmp_path / "a.nii.gz")
    assert np.array_equal(again.values, volume.values)
    assert np.allclose(again.grid.affine, volume.grid.affine, atol=1e-9)
    assert again.phases.shape == (phases,)


def cine(path, unit="sec", step=0.2):
    """Write four phases whose header says a step of time."""
    import nibabel

    image = nibabel.Nifti1Image(some(4), np.diag([2.0, 2, 8, 1]))
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = step
    nibabel.save(image, path)
    return path


def test_the_length_of_a_beat_is_written_and_read_back(tmp_path):
    write_nifti(tmp_path / "a.nii", Volume(turned(), some(4), periods=np.linspace(0.7, 0.9, 7)))
    again = read_nifti(tmp_path / "a.nii")
    assert again.periods == pytest.approx(np.full(7, 0.8))
    assert again.phases.tolist() == [0.0, 0.25, 0.5, 0.75]
    assert read_head(tmp_path / "a.nii").period == pytest.approx(0.8)
    assert "RR 800 ms by the header's step of time" in again.decisions
    assert any("no trigger times" in said for said in again.decisions)


@pytest.mark.parametrize(("unit", "step"), [("sec", 0.2), ("msec", 200.0), ("usec", 2e5)])
def test_a_step_of_time_in_any_unit_gives_the_beat(tmp_path, unit, step):
    assert read_nifti(cine(tmp_path / "a.nii", unit, step)).periods == pytest.approx(
        np.full(7, 0.8)
    )


@pytest.mark.parametrize(
    ("unit", "step"), [("sec", 1.0), ("sec", 200.0), ("sec", 0.0), ("unknown", 0.2), ("hz", 0.2),
                       ("sec", float("nan"))]
)  # fmt: skip
def test_a_step_of_time_that_no_beat_has_tells_no_rr(tmp_path, unit, step):
    found = read_nifti(cine(tmp_path / "a.nii", unit, step))
    assert found.periods.shape == (0,)
    assert found.values.shape == (5, 6, 7, 4)
    assert "no step of time of a beat told: no RR" in found.decisions


def test_labels_stay_whole_numbers_in_a_byte_each(tmp_path):
    labels = np.arange(210, dtype=np.float32).reshape(5, 6, 7, 1) % 5
    write_nifti(tmp_path / "a.nii", Volume(turned(), labels))
    assert np.array_equal(read_nifti(tmp_path / "a.nii").values, labels)
    assert (tmp_path / "a.nii").stat().st_size == 352 + 210


def test_a_file_without_place_is_refused(tmp_path):
    import nibabel

    image = nibabel.Nifti1Image(np.zeros((3, 3, 3), np.float32), None)
    nibabel.save(image, tmp_path / "lost.nii")
    with pytest.raises(FormatError, match="neither sform nor qform"):
        read_nifti(tmp_path / "lost.nii")


def test_a_spacing_of_a_metre_is_refused(tmp_path):
    write_nifti(tmp_path / "a.nii", Volume(turned(spacing=(1.0, 1.0, 1.0)), some(1)))
    with pytest.raises(RangeError, match="1000 x 1000 x 1000 mm"):
        read_nifti(tmp_path / "a.nii")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_off_is_refused_with_a_sentence(tmp_path, share):
    write_nifti(tmp_path / "a.nii.gz", Volume(turned(), some(1)))
    whole = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"b\.nii\.gz"):
        read_nifti(tmp_path / "b.nii.gz")


def test_something_else_under_its_name_is_refused(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"hello" * 1000))
    (tmp_path / "b.nii").write_bytes(b"hello" * 1000)
    for name in ("a.nii.gz", "b.nii"):
        with pytest.raises(InputError, match=name):
            read_nifti(tmp_path / name)


def test_a_header_is_told_without_its_voxels(tmp_path, monkeypatch):
    write_nifti(tmp_path / "a.nii.gz", Volume(turned(), some(4)))
    monkeypatch.setattr("isosoma.exchange.nifti._bytes", lambda path: pytest.fail("read whole"))
    head = read_head(tmp_path / "a.nii.gz")
    assert (head.grid.shape, head.phases) == ((5, 6, 7), 4)
    assert np.allclose(head.grid.affine, turned().affine, atol=1e-9)


def test_a_header_of_more_voxels_than_the_file_holds_is_refused(tmp_path):
    write_nifti(tmp_path / "a.nii", Volume(turned(), some(1)))
    (tmp_path / "b.nii").write_bytes((tmp_path / "a.nii").read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"b\.nii: is cut off"):
        read_head(tmp_path / "b.nii")


def test_a_file_is_known_by_what_it_holds_not_by_its_name(tmp_path):
    write_nifti(tmp_path / "a.nii", Volume(turned(), some(1)))
    (tmp_path / "scan").write_bytes((tmp_path / "a.nii").read_bytes())
    (tmp_path / "other.nii.gz").write_bytes(b"DICM" * 200)
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(b"x" * 600)[:12])
    assert is_nifti(tmp_path / "scan")
    assert not is_nifti(tmp_path / "other.nii.gz")
    assert not is_nifti(tmp_path / "cut.nii.gz")
