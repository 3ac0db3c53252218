"""A good real CT raises no doubt; each degradation of it is told with its number."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from isosoma.core.study import Grid
from isosoma.quality.image import (
    contrast,
    coverage,
    noise,
    orientation,
    resolution,
    sharpness,
    stroke_volumes,
)

ML = 1e-6


def numbers(path: Path) -> tuple[np.ndarray, Grid]:
    image = nibabel.Nifti1Image.from_filename(path)
    affine = np.array(image.affine)
    affine[:3] *= 1e-3
    return np.asarray(image.dataobj, np.float32), Grid(image.shape[:3], affine)


@pytest.fixture(scope="module")
def ct(shared_data: Path) -> tuple[np.ndarray, np.ndarray, Grid]:
    """The real arterial CT, its aorta, and where they lie."""
    folder = shared_data / "imaging" / "cta_totalseg" / "aorta_report" / "test_result" / "models"
    image, grid = numbers(folder / "ct_cropped.nii.gz")
    return image, numbers(folder / "aorta.nii.gz")[0] > 0, grid


@pytest.fixture(scope="module")
def organs(shared_data: Path) -> tuple[np.ndarray, np.ndarray, Grid]:
    """The real CT without contrast, its label map, and where they lie."""
    folder = shared_data / "imaging" / "cta_totalseg"
    image, grid = numbers(folder / "example_ct.nii.gz")
    return image, numbers(folder / "example_seg_fast_force_split.nii.gz")[0], grid


def test_a_good_ct_raises_no_doubt(ct: tuple[np.ndarray, np.ndarray, Grid]) -> None:
    image, aorta, grid = ct
    assert contrast(image, aorta) is None
    assert noise(image, aorta) is None
    assert sharpness(image, aorta) is None
    assert resolution(grid, 23e-3) is None  # across its annulus
    assert coverage(aorta) is None


def test_a_structure_cut_by_the_stack_is_withheld(
    ct: tuple[np.ndarray, np.ndarray, Grid],
) -> None:
    aorta = ct[1]
    half = aorta[:, :, : int(np.argmax(aorta.sum(axis=(0, 1)))) + 1]
    found = coverage(half)
    assert found is not None
    assert found.withheld
    assert found.value == 1.0
    assert "lower bound" in found.reason
    nothing = coverage(aorta & False)
    assert nothing is not None
    assert "not in the images" in nothing.reason


def test_noise_widens_and_then_withholds(ct: tuple[np.ndarray, np.ndarray, Grid]) -> None:
    image, aorta, _ = ct
    rng = np.random.default_rng(5)
    noisy = image + rng.normal(0.0, 120.0, image.shape).astype(np.float32)
    drowned = image + rng.normal(0.0, 1500.0, image.shape).astype(np.float32)
    some, much = noise(noisy, aorta), noise(drowned, aorta)
    assert some is not None
    assert much is not None
    assert (some.withheld, much.withheld) == (False, True)
    assert 1.0 < some.sigma_factor < much.sigma_factor


def test_a_ct_without_contrast_yields_no_vessel(
    organs: tuple[np.ndarray, np.ndarray, Grid],
) -> None:
    image, labels, _ = organs
    lumen = labels == 52  # aorta, by the label table of the segmenter
    assert lumen.sum() > 100
    found = contrast(image, lumen)
    assert found is not None
    assert found.withheld
    assert found.value < 100.0


def test_thick_slices_widen_what_a_thin_structure_yields() -> None:
    grid = Grid((9, 9, 9), np.diag([1.4e-3, 1.4e-3, 17.7e-3, 1.0]))
    assert resolution(grid, 90e-3) is None
    wide, lost = resolution(grid, 23e-3), resolution(grid, 10e-3)
    assert wide is not None
    assert lost is not None
    assert wide.sigma_factor == pytest.approx(3 * 17.7 / 23)
    assert (wide.withheld, lost.withheld) == (False, True)


def test_a_mirrored_heart_is_told_with_what_else_it_may_be() -> None:
    left, right = np.zeros((2, 30, 30, 8), bool)
    left[5:12, 5:14, 2:6] = True  # RAS: the person's right has the larger i
    right[14:24, 10:20, 2:6] = True
    grid = Grid((30, 30, 8), np.diag([2e-3, 2e-3, 8e-3, 1.0]))
    assert orientation(grid, left, right) is None
    turned = Grid((30, 30, 8), np.diag([-2e-3, -2e-3, 8e-3, 1.0]))
    found = orientation(turned, left, right)
    assert found is not None
    assert found.withheld
    assert "dextrocardia or inverted ventricles" in found.differential


def test_a_gap_of_stroke_volumes_is_a_differential_and_no_quality_alone() -> None:
    """Numbers of the real cine's reference surfaces: 106.9 and 93.4 ml."""
    found = stroke_volumes(106.9 * ML, 93.4 * ML, 10 * ML, 12 * ML)
    assert found is not None
    assert found.value == pytest.approx(0.135, abs=5e-4)
    assert "left ventricle ejects 13.5 ml more, 13% of the mean" in found.reason
    assert found.differential[0] == "aortic or mitral regurgitation"
    assert "contour error" in found.differential[-1]
    assert not found.withheld
    other = stroke_volumes(60 * ML, 110 * ML, 8 * ML, 8 * ML)
    assert other is not None
    assert "atrial septum" in other.differential[1]
    assert other.sigma_factor == pytest.approx(50 / np.hypot(8, 8))
    assert stroke_volumes(100 * ML, 95 * ML, 8 * ML, 8 * ML) is None


@pytest.mark.parametrize(
    ("sigma", "doubted"), [(0.0, False), (0.5, False), (2.0, True), (3.0, True)]
)
def test_an_edge_drawn_out_widens(
    ct: tuple[np.ndarray, np.ndarray, Grid], sigma: float, doubted: bool
) -> None:
    image, aorta, _ = ct
    found = sharpness(ndimage.gaussian_filter(image, sigma) if sigma else image, aorta)
    assert (found is not None) == doubted
    assert found is None or found.sigma_factor == found.value / found.limit > 1.0


def test_a_step_between_two_voxels_is_two_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros((30, 30, 5), bool)
    mask[8:22, 8:22] = True
    monkeypatch.setattr("isosoma.quality.image._EDGE_VOXELS", 1.0)
    found = sharpness(np.where(mask, 300.0, 0.0).astype(np.float32), mask)
    assert found is not None
    assert found.value == pytest.approx(2.0, rel=0.01)
