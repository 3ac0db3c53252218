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
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
from _vmtk import read_lines, read_mha
from scipy.ndimage import binary_dilation
from scipy.spatial import KDTree

from isosoma.core.study import Grid
from isosoma.exchange.dicom import read_study, slices
from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.annulus import Annulus, annulus, chances
from isosoma.imaging.aorta_find import find_aorta, find_lumen, levels_around, round_discs
from isosoma.imaging.aorta_levels import (
    SEEN,
    Axis,
    Level,
    aortic_axis,
    arc_of,
    grown,
    level_at,
    part_between,
)
from isosoma.imaging.aorta_report import (
    AorticReport,
    Landmarks,
    aortic_report,
    end_of,
    ostium,
    shown,
)
from isosoma.imaging.centreline import inscribed, path, wall_distance
from isosoma.imaging.lumens import Blood, Lumens, blood_levels, lumens
from isosoma.imaging.segmentation import dice

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


def parts(axis: Axis, pairs: list[tuple[dict, Level]], both: Lumens) -> dict[str, float]:
    """Print the segments between the reference's own planes; return errors of their volumes.

    Its arch goes from its distal ascending to its proximal descending level.
    """
    given = json.loads((REPORT / "example_ct_report/aorta_report.json").read_text())
    at = {row["name"]: level.arc for row, level in pairs}
    first, last = at["distal asc. aorta"], at["proximal desc. aorta"]
    errors = dict[str, float]()
    for name, a, b in (("ascending", 0, first), ("arch", first, last), ("descending", last, 10)):
        part = part_between(axis, name, a, b, both.true, both.false)
        row = given["section_stats"][f"aorta_{name}"]
        errors[name] = part.volume * 1e6 / row["volume"] - 1
        true, false = ((v or 0) * 1e6 for v in (part.true, part.false))
        print(
            f"{name}: {part.volume * 1e6:.1f} ml ({row['volume']}), true {true:.1f} "
            f"({row['volume_true_lumen']}), false {false:.1f} ({row['volume_false_lumen']}), "
            f"{part.length * 1e2:.1f} cm ({row['length']})"
            f"{': MISSED' if abs(errors[name]) > 0.1 else ''}"
        )
    print(f"lumens: {both.said}")
    return errors


def named(report: AorticReport) -> None:
    """Print what our own definitions give, and what was withheld."""
    for level in report.levels:
        s = shown(level)
        print(f"  by name: {level.name} {s.widest * 1e3:.1f} x {s.across * 1e3:.1f} mm")
    for part in report.parts:
        print(f"  by name: {part.name} {part.volume * 1e6:.1f} ml, {part.length * 1e2:.1f} cm")
    for width in report.widths:
        print(f"  sinus width {width.value * 1e3:.1f} +- {width.sigma * 1e3:.1f} mm")
    for sentence in report.said:
        print(f"  {sentence}")


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
    named(report)
    pairs = levels(report.axis, image, blood, report.wall)
    widths, areas = compared(pairs)
    true, false = mask("aorta_true_lumen"), mask("aorta_false_lumen")
    overlaps = [2 * (a & b).sum() / (a.sum() + b.sum())
                for a, b in ((both.true, true), (both.false, false))]  # fmt: skip
    print(f"lumens against the reference's masks: Dice {overlaps[0]:.3f}, {overlaps[1]:.3f}")
    errors = parts(report.axis, pairs, both)
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


def alone() -> dict[str, Any]:
    """Follow the aorta of the same CT without any mask; the reference's masks judge it."""
    picture = read_nifti(REPORT / "test_result/models/ct_cropped.nii.gz")
    image, grid = picture.values[..., 0], picture.grid
    began = time.perf_counter()
    found, track = find_aorta(image, grid)
    took = time.perf_counter() - began
    lumen, aorta = found.mask("aorta"), mask("T716_aorta_true_false_lumen")
    true = mask("aorta_true_lumen")
    inside, reached = (lumen & aorta).sum() / lumen.sum(), (lumen & true).sum() / true.sum()
    ring = grid.to_space(np.argwhere(mask("annulus_proper"))).mean(axis=0)
    gap = float(np.linalg.norm(track.points - ring, axis=1).min())
    print(
        f"without masks: followed {track.length * 1e2:.1f} cm in {took:.1f} s, "
        f"{inside:.0%} of it aorta, {reached:.0%} of the true lumen reached, nearest to the "
        f"annulus' middle {gap * 1e3:.1f} mm"
    )
    for sentence in found.problems:
        print(f"  {sentence}")
    return {"auto_inside": float(inside), "auto_true_reached": float(reached)}


def abdominal() -> dict[str, Any]:
    """Take the tree of the public abdominal angiogram from a click; its own centrelines judge."""
    image, grid = read_mha(DATA / "angio/aorta.mha")
    level_set, _ = read_mha(DATA / "angio/aorta-final-levelset.mha")
    lines = read_lines(DATA / "angio/aorta-centerline.vtp")
    blood = levels_around(image, grid, lines[0][0][30])
    found = find_lumen(image, grid, lines[0][0][30], blood).mask("aorta")
    near = np.asarray(binary_dilation(level_set < 0, iterations=4), np.bool_)
    overlap = dice(found & near, level_set < 0)
    distance = wall_distance(found, grid)
    lengths, radii = list[float](), list[float]()
    for points, radius in lines:
        line = path(distance, grid, points[[0, -1]])
        ball = inscribed(line, image, grid, blood.half)
        nearest = KDTree(points).query(ball.points)[1]
        error = (ball.radius - radius[nearest])[3:-3] * 1e3
        given = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
        lengths.append(float(line.length / given - 1))
        radii.append(float(np.abs(error).mean()))
        print(
            f"abdomen: {line.length * 1e3:.1f} mm ({given * 1e3:.1f}), inscribed radius "
            f"{error.mean():+.2f} +- {error.std():.2f} mm"
        )
    print(f"abdomen: Dice with the level set, within four voxels of it, {overlap:.3f}")
    return {"length_error": max(lengths, key=abs), "radius_error_mm": max(radii)}


def streamed() -> dict[str, Any]:
    """Look for discs through the 512 x 512 series, one slice in memory; return the peak."""
    (stack,) = read_study(DATA / "cta_totalseg/example_ct_dicom").stacks
    tracemalloc.start()
    planes = (plane[..., 0] for plane in slices(stack))
    count = sum(1 for _ in round_discs(planes, 150.0, (0.98e-3, 0.98e-3)))
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    of = len(stack.frames)
    print(f"512 x 512 x {of} streamed: {count} round discs, peak {peak:.0f} MiB (whole: {of} MiB)")
    return {"stream_peak_mib": peak}


def main() -> None:
    """Measure and print."""
    began = time.perf_counter()
    found = streamed() | abdominal() | alone() | case()
    found["seconds"] = time.perf_counter() - began
    found["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found))


if __name__ == "__main__":
    main()
