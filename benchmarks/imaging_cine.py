"""How far the automatic heart of a cine is from the reference of the one real study at hand.

    .venv/bin/python benchmarks/imaging_cine.py [FOLDER]

FOLDER holds `dicoms`, unpacked from `dicoms_patient1.tar.xz`. The network saw rendered hearts only;
looking at this study's pictures chose the ranges of the renderer's looks, not its reference.
Last line: one JSON.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from isosoma.exchange.dicom import read_study, volume
from isosoma.imaging.cine import CineHeart, build

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


def bench(folder: Path) -> dict[str, Any]:
    """Return what the study's heart measures, and how long it took."""
    start = time.monotonic()
    heart = build([volume(stack) for stack in read_study(folder).stacks])
    return measured(heart) | {"seconds": round(time.monotonic() - start, 1)}


def main() -> None:
    """Measure a folder, or the archive beside the checkout."""
    if len(sys.argv) > 1:
        print(json.dumps(bench(Path(sys.argv[1]))))
        return
    with tempfile.TemporaryDirectory() as place, tarfile.open(DATA) as archive:
        archive.extractall(place, filter="data")
        print(json.dumps(bench(Path(place))))


if __name__ == "__main__":
    main()
