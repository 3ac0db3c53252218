"""The imaging numbers that were promised in one line of JSON; what is not measured is null.

    python3 dev.py bench imaging [--only cine aorta brain zoo] [--synthetic 50]

Each part is a benchmark of its own (`imaging_cine`, `imaging_aorta`, `imaging_brain`), on the real
data beside the checkout; `seconds` and `peak_gib` are those of the cine, folder to beating heart.
The zoo of odd files is held to its uncompressed twins here.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from _parts import collected, part

from isosoma.core.errors import IsosomaError

ZOO = Path(__file__).resolve().parents[2] / "shared" / "data" / "imaging" / "dicom_zoo"
PARTS = ("cine", "aorta", "brain", "zoo")
KEYS = (
    *("edv_ml", "esv_ml", "ef", "edv_error", "esv_error", "ef_error_points"),
    *("thickness_error_mm", "surface_mm_auto", "surface_mm_contours", "synthetic_ef_error_sd"),
    *("annulus_cm2", "diameter_error_mm", "skull_dice", "tumour_in_band", "mesh_volume_error"),
    *("seconds", "peak_gib", "zoo_ok", "zoo_total"),
)


def zoo(folder: Path = ZOO) -> dict[str, Any]:
    """Return how many files decode to what they hold, or are refused where they are cut off."""
    from isosoma.exchange.test_dicom_zoo import EXPECTED, pixels

    found = dict[str, bool]()
    for path in sorted(folder.glob("*.dcm")):
        try:
            got = pixels(path)
        except IsosomaError as error:
            found[path.stem] = path.stem not in EXPECTED
            print(f"{path.stem}: refused, {error}")
            continue
        shape, least, most, mean = EXPECTED.get(path.stem, ((), 0, 0, 0.0))
        figures = (float(got.min()), float(got.max()), float(got.mean()))
        near = all(abs(a - b) < 1e-4 for a, b in zip(figures, (least, most, mean), strict=True))
        found[path.stem] = got.shape == shape and near
        if not found[path.stem]:
            print(f"{path.stem}: {got.shape}, {figures}, expected {EXPECTED.get(path.stem)}")
    return {"zoo_ok": sum(found.values()), "zoo_total": len(found)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--synthetic", type=int, default=50, help="rendered cines")
    parser.add_argument("--no-peers", action="store_true", help="there are none")
    given = parser.parse_args()
    found = dict[str, Any]()
    for name in given.only:
        few = ("--synthetic", str(given.synthetic)) if name == "cine" else ()
        told = zoo() if name == "zoo" else part(f"imaging_{name}", few)
        if name != "cine":  # whose time and memory are meant
            told = {k: v for k, v in told.items() if k not in ("seconds", "peak_gib")}
        found |= told
    print(collected(KEYS, found))


if __name__ == "__main__":
    main()
