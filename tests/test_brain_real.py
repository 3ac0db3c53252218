"""The brain on real scans: what networks and tumours must give, and what must be admitted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.meshnet import apply_meshnet, read_meshnet
from isosoma.imaging.tumour import segment_tumour

HEAD = (slice(43, 215), slice(44, 216), slice(12, 244))


def test_a_network_read_from_a_folder_gives_its_published_volumes(shared_data):
    """Reference: 520.6 ml of white and 728.7 ml of grey matter, within 1 %."""
    folder = shared_data / "imaging/weights_brainchop"
    image = read_nifti(folder / "t1_crop.nii.gz").values[..., 0][HEAD]
    image = (image - image.min()) / np.ptp(image)
    net = read_meshnet(folder / "model5_gw_ae")
    labels = apply_meshnet(net, image).argmax(axis=0)
    assert net.labels[1:] == ("White Matter", "Grey Matter")
    assert (labels == 1).sum() * 1e-3 == pytest.approx(520.6, rel=0.01)
    assert (labels == 2).sum() * 1e-3 == pytest.approx(728.7, rel=0.01)


def test_a_glioma_lies_within_the_band_or_says_that_it_may_not(shared_data):
    (folder,) = (shared_data / "imaging/brain_tumour/TCGA-FG-6692").glob("*/raw_bet")
    images = [read_nifti(next(folder.glob(f"*_{m}_bet.nii.gz"))) for m in ("t1", "t1c", "fla")]
    t1, t1c, flair = (image.values[..., 0] for image in images)
    grid = images[0].grid
    fused = read_nifti(folder.parent / "fusion/mav.nii.gz").values[..., 0]
    depth = np.asarray(distance_transform_edt(fused > 0))
    click = grid.to_space(np.unravel_index(int(depth.argmax()), depth.shape))
    made = segment_tumour(t1, t1c, flair, t1 != 0, grid, click)
    five = [read_nifti(p).values[..., 0] for p in (folder.parent / "segmentation").glob("*.nii.gz")]
    for name, label in (("necrosis", 1), ("oedema", 2), ("enhancing", 4)):
        band = [(one == label).sum() * grid.voxel for one in five]
        inside = min(band) <= made.segmentation.volume(name) <= max(band)
        told = any(problem.startswith(name) for problem in made.segmentation.problems)
        assert inside or told, name
    assert min((f == 2).sum() for f in five) < made.segmentation.mask("oedema").sum()
    assert made.segmentation.quality < 1
