"""The brain on real scans: skull strip and tumour against the masks there are.

Seen while the methods were made: the tumour case (the blur, the leak's growth, the factors of the
ensemble) and all masks' volumes. The skull strip holds no choice that was tuned on a mask.
"""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from isosoma.core.study import Grid
from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.register import rigid
from isosoma.imaging.resample import resampled
from isosoma.imaging.segmentation import Segmentation, dice
from isosoma.imaging.skull_strip import skull_strip
from isosoma.imaging.tumour import segment_tumour

DATA = Path(__file__).resolve().parents[2] / "shared/data/imaging"
CASE = "brain_tumour/TCGA-FG-6692"
LABELS = {"necrosis": 1, "oedema": 2, "enhancing": 4}


def strip_case(data: Path) -> Segmentation:
    """Strip the case's raw T1, 5.5 mm slices, oblique, face and all."""
    (raw,) = (data / CASE).glob("T1_AX_*.nii.gz")
    return skull_strip(read_nifti(raw))


def skull_dice(data: Path, found: Segmentation) -> float:
    """Return the overlap with the case's given mask, which lies in an atlas space.

    The raw image is registered to the stripped one by its intensities; the 5.5 mm mask is compared
    at 1 mm, so the overlap also pays for the registration and the slices.
    """
    (raw,) = (data / CASE).glob("T1_AX_*.nii.gz")
    moving = read_nifti(raw)
    (given,) = (data / CASE).glob("*/raw_bet/*t1_bet.nii.gz")
    fixed = read_nifti(given)
    mask = fixed.values[..., 0] != 0
    start = moving.grid.to_space(np.argwhere(found.labels > 0)).mean(axis=0)
    there = rigid(fixed.values[..., 0], fixed.grid, moving.values[..., 0], moving.grid, mask, start)
    share = np.where(found.labels > 0, found.probability, 1 - found.probability)
    moved = Grid(found.grid.shape, np.linalg.inv(there) @ found.grid.affine)
    ours = resampled(share.astype(np.float32), moved, fixed.grid) > 0.5
    size = [m.sum() * fixed.grid.voxel * 1e6 for m in (ours, mask)]
    overlap = dice(ours, mask)
    print(f"skull strip {CASE}: Dice {overlap:.3f}, {size[0]:.0f} ml, given {size[1]:.0f} ml")
    for problem in found.problems:
        print(f"  {problem}")
    return overlap


def tumour_case(data: Path) -> tuple[int, int]:
    """Return how many compartments lie within the band of the five algorithms, and of how many.

    The click is the deepest voxel of the fused whole tumour: where a reader would put it.
    """
    (folder,) = (data / CASE).glob("*/raw_bet")
    images = {m: read_nifti(next(folder.glob(f"*_{m}_bet.nii.gz"))) for m in ("t1", "t1c", "fla")}
    t1, t1c, flair = (image.values[..., 0] for image in images.values())
    grid = images["t1"].grid
    fused = read_nifti(folder.parent / "fusion/mav.nii.gz").values[..., 0]
    five = [read_nifti(p).values[..., 0] for p in (folder.parent / "segmentation").glob("*.nii.gz")]
    depth = np.asarray(distance_transform_edt(fused > 0))
    click = grid.to_space(np.unravel_index(int(depth.argmax()), depth.shape))
    made = segment_tumour(t1, t1c, flair, t1 != 0, grid, click)
    inside = 0
    for name, label in LABELS.items():
        band = [float((one == label).sum() * grid.voxel * 1e6) for one in five]
        ours = made.segmentation.volume(name) * 1e6
        low, high = (v * 1e6 for v in made.spread[name])
        hit = min(band) <= ours <= max(band)
        inside += hit
        overlap = dice(made.segmentation.mask(name), fused == label)
        print(
            f"tumour {name}: {ours:.2f} ml ({low:.2f} to {high:.2f}), band {min(band):.2f} to "
            f"{max(band):.2f}, Dice with the fusion {overlap:.2f}"
            f"{'' if hit else ': OUTSIDE the band, not reached'}"
        )
    return inside, len(LABELS)


def measure(data: Path = DATA) -> dict[str, Any]:
    """Run both and return `skull_dice`, `tumour_in_band` (a share), `seconds` and `peak_gib`."""
    began = time.perf_counter()
    inside, of = tumour_case(data)
    print(f"  {time.perf_counter() - began:.0f} s")
    overlap = skull_dice(data, strip_case(data))
    return {
        "skull_dice": overlap,
        "tumour_in_band": inside / of,
        "seconds": time.perf_counter() - began,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
