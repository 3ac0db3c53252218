"""How far the automatic heart of a cine is from the one real study's reference, and from truth.

    .venv/bin/python benchmarks/imaging_cine.py [FOLDER] [--synthetic 50] [--true-parts]

FOLDER holds `dicoms`, unpacked from `dicoms_patient1.tar.xz`. The network saw rendered hearts only;
this study's pictures chose the ranges of the renderer's looks, and its reference prompted that
trabeculae are rendered, so that it is no blind test.
`--synthetic N` is the number of rendered examinations; `--true-parts` gives the fit what a perfect
network would say, so that what is left is the fit's own error. Last line: one JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from _cine_reference import as_hearts, share_at_contours, surface_error, thickness_error
from _cine_rendered import series

from isosoma.exchange.dicom import read_study, volume
from isosoma.imaging.cine import CineHeart, build
from isosoma.imaging.surface import Surface, enclosed, euler

DATA = Path(__file__).parents[2] / "shared/data/imaging/cmr_bivme/dicoms_patient1.tar.xz"
EDV, ESV, EF = 179.1e-6, 72.1e-6, 0.598  # of the reference meshes, capped


def measured(heart: CineHeart) -> dict[str, Any]:
    """Return the figures and their errors."""
    edv, esv, ef = heart.end_diastolic_volume, heart.end_systolic_volume, heart.ejection_fraction
    return {
        "edv_ml": round(edv * 1e6, 1), "esv_ml": round(esv * 1e6, 1), "ef": round(ef, 3),
        "edv_error": round(edv / EDV - 1, 3), "esv_error": round(esv / ESV - 1, 3),
        "ef_error_points": round(abs(ef - EF) * 100, 1),
        "mass_g": round(float(heart.mass.mean()) * 1e3, 1),
        "rv_ml": [round(float(v) * 1e6, 1) for v in
                  (heart.right.volume.max(), heart.right.volume.min())],
        "half_width": {k: float(f"{v:.3g}") for k, v in heart.sigma.items()},
        "quality": round(heart.quality, 3), "doubts": heart.doubts, "made_by": heart.made_by,
    }  # fmt: skip


def compared(heart: CineHeart) -> dict[str, Any]:
    """Return surfaces and thickness against the reference: automatic, and from its contours."""
    reference, given = as_hearts(DATA.parent, heart.frame)
    parts = {"left": "surface", "outer": "surface_outer", "right": "surface_rv",
             "whole": "surface_epicardium"}  # fmt: skip
    off = dict[str, float]()
    for part, name in parts.items():
        for how, mine in (("auto", heart), ("contours", given)):
            error = surface_error(getattr(mine, part), getattr(reference, part))
            off[f"{name}_mm_{how}"] = round(1e3 * error, 2)
    auto, traced = thickness_error(heart, reference), thickness_error(given, reference)
    edv, esv = given.end_diastolic_volume, given.end_systolic_volume
    return off | {
        "thickness_error_mm": round(1e3 * auto[0], 2), "thickness_bias_mm": round(1e3 * auto[1], 2),
        "thickness_error_mm_contours": round(1e3 * traced[0], 2),
        "contours_ml": [round(1e6 * edv, 1), round(1e6 * esv, 1)],
        "mesh_volume_error": round(_mesh_error(heart), 5),
    }  # fmt: skip


def _mesh_error(heart: CineHeart) -> float:
    """Return the largest share by which a mesh's volume is off, measured in another way.

    Each is capped, wound and summed anew from its bare triangles (`surface.enclosed`).
    """
    worst = 0.0
    for part in (heart.left, heart.outer, heart.right):
        for t in (0, int(part.volume.argmin())):
            bare = Surface(part.points[t], part.triangles)
            if euler(bare) != 2:
                return float("nan")
            worst = max(worst, abs(enclosed(bare).volume / float(part.volume[t]) - 1))
    return worst


def bench(folder: Path) -> dict[str, Any]:
    """Return what the study's heart measures, and how long it took."""
    start = time.monotonic()
    volumes = [volume(stack) for stack in read_study(folder).stacks]
    heart = build(volumes)
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = measured(heart) | {"seconds": round(seconds, 1), "peak_gib": round(peak, 2)}
    print(found, flush=True)
    at_contours = {"share_at_contours": share_at_contours(volumes, DATA.parent)}
    return found | compared(heart) | at_contours


def main() -> None:
    """Measure a folder, or the archive beside the checkout, then rendered examinations."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--synthetic", type=int, default=50)
    parser.add_argument("--true-parts", action="store_true")
    given = parser.parse_args()
    if given.folder:
        found = bench(given.folder)
    else:
        with tempfile.TemporaryDirectory() as place, tarfile.open(DATA) as archive:
            archive.extractall(place, filter="data")
            found = bench(Path(place))
    print(json.dumps(found | series(given.synthetic, true_parts=given.true_parts)))


if __name__ == "__main__":
    main()
