"""From a real mask to the files that leave: rooms that may not know each other, together."""

from __future__ import annotations

import pytest

from isosoma.exchange.glb import glb
from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.meshing import from_mask, largest, smoothed
from isosoma.imaging.surface import enclosed, euler, is_closed


@pytest.mark.parametrize("name", ["aorta", "organ_aorta_T264"])
def test_a_real_aorta_keeps_its_volume_and_fits_a_megabyte(shared_data, name):
    models = shared_data / "imaging/cta_totalseg/aorta_report/test_result/models"
    volume = read_nifti(models / f"{name}.nii.gz")
    mask = volume.values[..., 0] > 0.5
    truth = largest(mask).sum() * volume.grid.voxel
    if name == "aorta":
        assert truth * 1e6 == pytest.approx(245.73, abs=0.02)
    raw = from_mask(mask, volume.grid)
    for surface in (raw, smoothed(raw)):
        assert is_closed(surface)
        assert euler(surface) == 2
        assert enclosed(surface).volume == pytest.approx(truth, rel=0.02)
        made = glb(surface.points[None], surface.triangles, name=name, frame="", source="")
        assert len(made) < 1_000_000
