"""The aorta of real CTs: annulus, diameters, segments, lumens, and what a threshold finds alone.

    python3 dev.py bench imaging_aorta

Measured where the reference report measured (the middle of its calipers), so that measuring is
judged and not naming. Seen while the methods were made: all of the report. That the root is given
by its lumen and the rest by the wall's outer edge was chosen knowing it.
"""

from __future__ import annotations

import json
import resource
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.study import Grid
from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.annulus import Annulus, annulus, chances
from isosoma.imaging.aorta_levels import SEEN, Axis, Level, aortic_axis, arc_of, grown, level_at
from isosoma.imaging.aorta_report import (
    AorticReport,
    Landmarks,
    aortic_report,
    end_of,
    ostium,
    shown,
)
from isosoma.imaging.lumens import Blood, Lumens, blood_levels, lumens

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared/data/imaging"
REPORT = DATA / "cta_totalseg/aorta_report"
ROOT_LEVELS = {"annulus", "sinuses of valsalva"}  # given by their lumen
CALIPERS = ("start", "end", "start_pd", "end_pd")


def mask(name: str) -> np.ndarray:
    """Return a mask of the reference's folder."""
    return read_nifti(REPORT / f"test_result/models/{name}.nii.gz").values[..., 0] > 0


def sizes() -> dict[str, tuple[float, float]]:
    """Return the annulus areas [m2] that a valve's sizes are made for."""
    table = tomllib.loads((ROOT / "src/isosoma/scenario/devices.toml").read_text())
    rows = table["sapien 3"]["sizes"]
    return {r["label"]: (r["annulus"][0] * 1e-6, r["annulus"][1] * 1e-6) for r in rows}


def told_annulus(found: Annulus, own: Annulus) -> None:
    """Print the annulus by the image and by the landmark alone, and the chances of sizes."""
    s = found.section
    print(
        f"annulus {s.area * 1e4:.2f} +- {found.area_sigma * 1e4:.2f} cm2 (report 4.9; the "
        f"landmark's own rim {own.section.area * 1e4:.2f}), perimeter {s.perimeter * 1e3:.1f} "
        f"+- {found.perimeter_sigma * 1e3:.1f} mm, {s.widest * 1e3:.1f} x {s.across * 1e3:.1f} mm "
        f"(report 27 x 23), D_A {s.diameter * 1e3:.1f}, D_P {s.perimeter_diameter * 1e3:.1f}, "
        f"eccentricity {found.eccentricity:.2f} +- {found.eccentricity_sigma:.2f}, "
        f"edge on {found.seen:.0%}"
    )
    for name, chance in chances(found.areas, sizes()).items():
        print(f"  balloon-expandable {name}: {chance:.2f}")


def levels(axis: Axis, image: np.ndarray, blood: Blood, wall: float) -> list[tuple[dict, Level]]:
    """Return each level of the reference with ours at the same place."""
    given = json.loads((REPORT / "example_ct_report/aorta_report.json").read_text())
    pairs = list[tuple[dict, Level]]()
    for row in given["landmarks"].values():
        if row["area"] is None or row["name"] == "annulus":
            continue
        middle = np.mean([row[k] for k in CALIPERS], axis=0) * 1e-3
        level = level_at(axis, row["name"], arc_of(axis, middle), image, blood)
        pairs.append((row, level if level.edge >= SEEN else grown(level, wall)))
    return pairs


def compared(pairs: list[tuple[dict, Level]]) -> tuple[list[float], list[float]]:
    """Print each level; return errors of the widest diameter [mm] and relative ones of area."""
    widths, areas = list[float](), list[float]()
    for row, level in pairs:
        ours = level.lumen if row["name"] in ROOT_LEVELS else level.outer
        widths.append(ours.widest * 1e3 - row["diameter"] * 10)
        across = ours.across * 1e3 - row["diameter_pd"] * 10
        areas.append(ours.area * 1e4 / row["area"] - 1)
        missed = abs(areas[-1]) > 0.1 or max(abs(widths[-1]), abs(across)) > 2
        print(
            f"{row['name']}: {ours.area * 1e4:.2f} cm2 ({row['area']}), lumen "
            f"{level.lumen.area * 1e4:.2f} +- {level.area_sigma * 1e4:.2f}, "
            f"{ours.widest * 1e3:.1f} x {ours.across * 1e3:.1f} mm "
            f"({row['diameter'] * 10:.0f} x {row['diameter_pd'] * 10:.0f}), outer edge seen on "
            f"{level.edge:.0%}{': MISSED' if missed else ''}"
        )
    return widths, areas


def parts(report: AorticReport, both: Lumens) -> dict[str, float]:
    """Print the segments; return the relative errors of their volumes."""
    given = json.loads((REPORT / "example_ct_report/aorta_report.json").read_text())
    errors = dict[str, float]()
    for part in report.parts:
        row = given["section_stats"][f"aorta_{part.name}"]
        errors[part.name] = part.volume * 1e6 / row["volume"] - 1
        true, false = ((v or 0) * 1e6 for v in (part.true, part.false))
        print(
            f"{part.name}: {part.volume * 1e6:.1f} ml ({row['volume']}), true {true:.1f} "
            f"({row['volume_true_lumen']}), false {false:.1f} ({row['volume_false_lumen']}), "
            f"{part.length * 1e2:.1f} cm ({row['length']})"
            f"{': MISSED' if abs(errors[part.name]) > 0.1 else ''}"
        )
    print(f"lumens: {both.said}")
    return errors


def case() -> dict[str, Any]:
    """Measure the dissected aorta from its given masks."""
    picture = read_nifti(REPORT / "test_result/models/ct_cropped.nii.gz")
    image, grid = picture.values[..., 0], picture.grid
    blood, landmark = blood_levels(image), mask("annulus_proper")
    ring = annulus(landmark, grid, image, blood)
    told_annulus(ring, annulus(landmark, grid, members=1))
    aorta = mask("T716_aorta_true_false_lumen") | landmark
    both = lumens(image, grid, aorta, blood)
    report = aortic_report(aorta, grid, ring, landmarks(aorta, grid, ring), image, blood, both)
    for level in report.levels:
        s = shown(level)
        print(f"  by name: {level.name} {s.widest * 1e3:.1f} x {s.across * 1e3:.1f} mm")
    for sentence in report.said:
        print(f"  {sentence}")
    widths, areas = compared(levels(report.axis, image, blood, report.wall))
    true, false = mask("aorta_true_lumen"), mask("aorta_false_lumen")
    overlaps = [2 * (a & b).sum() / (a.sum() + b.sum())
                for a, b in ((both.true, true), (both.false, false))]  # fmt: skip
    print(f"lumens against the reference's masks: Dice {overlaps[0]:.3f}, {overlaps[1]:.3f}")
    errors = parts(report, both)
    return {
        "annulus_cm2": ring.section.area * 1e4,
        "diameter_error_mm": float(np.abs(widths).max()),
        "diameter_error_mm_mean": float(np.abs(widths).mean()),
        "area_error": float(np.abs(areas).max()),
        **{f"volume_error_{k}": v for k, v in errors.items()},
        "lumens": "told apart" if both.false.any() else both.said,
        "lumens_dice": [float(v) for v in overlaps],
    }


def landmarks(aorta: np.ndarray, grid: Grid, ring: Annulus) -> Landmarks:
    """Return the reference's landmarks: branches, junction, and the aorta beside T12."""
    end = end_of(aorta, grid)
    axis = aortic_axis(aorta, grid, ring.section.centre, end)
    branches = (ostium(mask(n), aorta, axis)
                for n in ("brachiocephalic_trunk", "subclavian_artery_left"))  # fmt: skip
    first, last = branches
    height = grid.to_space(np.argwhere(mask("vertebrae_T12"))).mean(axis=0)[2]
    below = axis.line.points[axis.arcs > arc_of(axis, last[1])]
    diaphragm = below[np.argmin(np.abs(below[:, 2] - height))]
    junction = grid.to_space(np.argwhere(mask("sinotubular_junction"))).mean(axis=0)
    return Landmarks(end, first, last, junction, diaphragm)


def main() -> None:
    """Measure and print."""
    began = time.perf_counter()
    found = case()
    found["seconds"] = time.perf_counter() - began
    found["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found))


if __name__ == "__main__":
    main()
