"""A heart comes back from its bytes with all that it was fitted to; other bytes are refused."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import FormatError
from isosoma.imaging.cine import heart_of
from isosoma.imaging.cine_file import packed, unpacked
from isosoma.imaging.test_reader_contours import examined


def test_a_heart_comes_back_whole_and_can_be_fitted_again():
    volumes, marks, frame = examined()
    heart = heart_of(marks, frame, volumes[0].phases, 0.9, "test")
    data = packed(heart)
    back = unpacked(data)
    for name in ("left", "outer", "right"):
        a, b = getattr(heart, name), getattr(back, name)
        assert np.allclose(a.points, b.points, atol=1e-7)
        assert np.array_equal(a.triangles, b.triangles)
        assert np.array_equal(a.volume, b.volume)
    assert (back.sigma, back.doubts, back.made_by) == (heart.sigma, heart.doubts, "test")
    again = heart_of(back.marks, back.frame, back.phases, back.quality, "again")
    assert again.end_diastolic_volume == pytest.approx(heart.end_diastolic_volume, rel=1e-3)
    assert np.array_equal(back.moved, heart.moved)
    assert len(data) < 8e6


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a heart", b"\x93NUMPY"])
def test_bytes_that_are_no_heart_are_refused(data):
    with pytest.raises(FormatError, match="no heart"):
        unpacked(data)
