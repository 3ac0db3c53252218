"""Odd and compressed files: each decodes to what its uncompressed twin holds, or is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isosoma.core.errors import FormatError
from isosoma.exchange.dicom_header import read_header
from isosoma.exchange.dicom_pixels import decoded, stored

EXPECTED = {  # shape, least, largest, mean: reference/imaging.md 2.3
    "emri_small": ((10, 64, 64), 0, 467, 109.6991),
    "emri_small_RLE": ((10, 64, 64), 0, 467, 109.6991),
    "emri_small_big_endian": ((10, 64, 64), 0, 467, 109.6991),
    "emri_small_jpeg_ls_lossless": ((10, 64, 64), 0, 467, 109.6991),
    "emri_small_jpeg_2k_lossless": ((10, 64, 64), 0, 467, 109.6991),
    "693_J2KR": ((1, 512, 512), -2000, 2492, -11.5630),
    "MR2_J2KR": ((1, 1024, 1024), 0, 595, 75.0836),
    "explicit_VR-UN": ((1, 512, 512), -1024, 1186, -670.9574),
    "JPEG-LL": ((1, 1024, 256), 0, 278, 13.7194),
    "bad_sequence": ((1, 512, 512), 13, 2267, 947.3744),
    "JLSL_16_15_1_1F": ((1, 128, 128), -16384, 16383, -4043.6240),
    "eCT_Supplemental": ((2, 512, 512), 0, 1196, 380.0381),
    "MR-SIEMENS-DICOM-WithOverlays": ((1, 484, 484), 0, 1123, 119.6703),
    "parametric_map_float": ((1, 128, 128), 0.0, 0.94158, 0.5870),
    "liver_j2k": ((3, 512, 512), 0, 1, 0.136182),
    "liver_rle": ((3, 512, 512), 0, 1, 0.136182),
    "liver_deflate": ((3, 512, 512), 0, 1, 0.136182),
    "liver_nonbyte_aligned": ((3, 510, 510), 0, 1, 0.137252),
}


def pixels(path: Path) -> np.ndarray:
    header = read_header(path)
    assert header is not None
    return np.array([stored(header, frame) for frame in header.frames])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_of_the_zoo_holds_what_it_should(shared_data: Path, name: str) -> None:
    shape, least, most, mean = EXPECTED[name]
    found = pixels(shared_data / "imaging" / "dicom_zoo" / f"{name}.dcm")
    assert found.shape == shape
    assert found.min() == pytest.approx(least)
    assert found.max() == pytest.approx(most, abs=1e-5)
    assert found.mean() == pytest.approx(mean, abs=5e-5)


@pytest.mark.parametrize(
    ("twin", "plain"),
    [
        *[(f"emri_small_{n}", "emri_small")
          for n in ("RLE", "big_endian", "jpeg_ls_lossless", "jpeg_2k_lossless")],
        ("liver_rle", "liver_j2k"),
        ("liver_deflate", "liver_j2k"),
    ],
)  # fmt: skip
def test_compression_changes_no_pixel(shared_data: Path, twin: str, plain: str) -> None:
    zoo = shared_data / "imaging" / "dicom_zoo"
    assert np.array_equal(pixels(zoo / f"{twin}.dcm"), pixels(zoo / f"{plain}.dcm"))


def test_segments_hold_the_same_voxels_whatever_the_bytes_frames_end_in(shared_data: Path) -> None:
    for name in ("liver_j2k", "liver_rle", "liver_deflate", "liver_nonbyte_aligned"):
        found = pixels(shared_data / "imaging" / "dicom_zoo" / f"{name}.dcm")
        assert found.sum(axis=(1, 2)).tolist() == [36233, 35645, 35220], name


def test_a_truncated_file_is_refused_though_its_reader_only_warns(shared_data: Path) -> None:
    cut = "emri_small_jpeg_2k_lossless_too_short.dcm"
    with pytest.raises(FormatError, match="is cut off"):
        read_header(shared_data / "imaging" / "dicom_zoo" / cut)


def test_a_file_that_does_not_say_where_it_lies_gets_no_place(shared_data: Path) -> None:
    header = read_header(shared_data / "imaging" / "dicom_zoo" / "emri_small.dcm")
    assert header is not None
    assert all(not f.position and not f.spacing for f in header.frames)


def test_frames_of_an_enhanced_file_keep_their_own_place_and_scale(shared_data: Path) -> None:
    header = read_header(shared_data / "imaging" / "dicom_zoo" / "eCT_Supplemental.dcm")
    assert header is not None
    assert [f.position[2] for f in header.frames] == [-159.0, -149.0]
    frame = header.frames[0]
    plain = stored(header, frame).astype(float) * frame.slope + frame.intercept
    assert np.allclose(decoded(header, frame), plain)
