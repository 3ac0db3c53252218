"""svZeroDSolver's own cases, through the importer and our kernel, against its converged results."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from isosoma.core.errors import InputError
from isosoma.exchange.svzerod import Network, Waves, network_of, read_document, simulate

TOLERANCE = {
    "steadyFlow_stenosis_R": 1e-9,
    "pulsatileFlow_R_RCR": 1e-3,
    "pulsatileFlow_R_coronary": 1e-3,
    "valve_tanh": 1e-2,
    "closed_loop_two_hill": 1e-2,
    "piecewise_Chamber_and_Valve": 1e-2,
    "closedLoopHeart_singleVessel": 1e-2,
    "closedLoopHeart_withCoronaries": 1e-2,
    "closedLoopHeart_singleVessel_decomposed": 1e-2,
}
"""Case: largest rms error and error of extremes, as a share of the range of each result."""

NOT_COVERED = {
    "chamber_sphere": "type 'ChamberSphere' is not covered",
}
"""Case: what the importer says of it."""

NOT_COMPARED = {
    "chamber_elastance_inductor": "its reference never converges: a volume shut in by two valves",
}
"""Case that is imported and runs, and why no number of it is held."""


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    """Folder of svZeroDSolver's cases."""
    found = shared_data / "circulation" / "svzerod"
    if not found.is_dir():
        pytest.skip("svZeroDSolver's cases (shared/data/circulation/svzerod) are absent")
    return found


def imported(folder: Path, case: str) -> Network:
    return network_of(read_document((folder / "cases" / f"{case}.json").read_bytes()))


@lru_cache(maxsize=16)
def waves(folder: Path, case: str) -> Waves:
    return simulate(imported(folder, case))


def reference(folder: Path, case: str) -> dict[str, np.ndarray]:
    """Return the converged results where there are any, else the shipped ones."""
    path = folder / "converged" / f"{case}.json.gz"
    if path.is_file():
        series = json.loads(gzip.decompress(path.read_bytes()))["series"]
        return {name: np.array(wave) for name, wave in series.items()}
    path = folder / "results" / f"result_{case}.json.gz"
    table = {
        k: np.array([*v.values()])
        for k, v in json.loads(gzip.decompress(path.read_bytes())).items()
    }
    columns = [c for c in table if c not in {"name", "time"}]
    return {
        str(name) if column == "y" else f"{name}|{column}": table[column][table["name"] == name]
        for name in dict.fromkeys(table["name"])
        for column in columns
    }


def errors(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Return rms and extremes of the difference, as shares of the range (of the size, if flat)."""
    span = np.ptp(theirs)
    scale = span if span > 1e-6 * np.abs(theirs).max() else np.abs(theirs).max()
    ends = max(abs(ours.max() - theirs.max()), abs(ours.min() - theirs.min()))
    return float(np.sqrt(np.mean((ours - theirs) ** 2)) / scale), float(ends / scale)


@pytest.mark.parametrize("case", TOLERANCE)
def test_a_case_is_reached(folder, case):
    ours, theirs = waves(folder, case).series, reference(folder, case)
    first = 1 if case.endswith("decomposed") else 0  # begins with pressures its volumes contradict
    assert set(theirs) <= set(ours)
    missed = {
        name: errors(ours[name][first:], wave[first:])
        for name, wave in theirs.items()
        if max(errors(ours[name][first:], wave[first:])) > TOLERANCE[case]
    }
    assert missed == {}


def test_every_case_is_run_or_named(folder):
    there = {p.stem for p in (folder / "cases").glob("*.json")}
    assert there == set(TOLERANCE) | set(NOT_COVERED) | set(NOT_COMPARED)


@pytest.mark.parametrize(("case", "said"), NOT_COVERED.items())
def test_what_is_not_covered_says_so(folder, case, said):
    with pytest.raises(InputError, match=said) as caught:
        imported(folder, case)
    assert caught.value.where
    assert caught.value.todo


@pytest.mark.parametrize("case", NOT_COMPARED)
def test_what_is_not_compared_is_imported(folder, case):
    assert [n.kind for n in imported(folder, case).graph.nodes].count("atrium") == 1


def test_a_stenosis_is_exact(folder):
    """5 mL/s through R = 100, S = 100 into R = 100 above 100."""
    series = waves(folder, "steadyFlow_stenosis_R").series
    assert series["branch0_seg0|pressure_in"] == pytest.approx(3600.0, rel=1e-12)
    assert series["branch0_seg0|pressure_out"] == pytest.approx(600.0, rel=1e-12)


@pytest.mark.parametrize(
    ("case", "name", "low", "high"),
    [
        ("closed_loop_two_hill", "Vc:LV", 40.717e-6, 114.218e-6),
        ("closed_loop_two_hill", "Vc:RV", 87.943e-6, 160.556e-6),
        ("closed_loop_two_hill", "Vc:LA", 35.143e-6, 78.863e-6),
        ("closed_loop_two_hill", "Vc:RA", 59.631e-6, 104.168e-6),
        ("piecewise_Chamber_and_Valve", "Vc:left_ventricle", 47.75, 344.02),
        ("piecewise_Chamber_and_Valve", "Vc:right_ventricle", 117.96, 388.44),
        ("closedLoopHeart_singleVessel", "branch0_seg0|pressure_in", 47.74, 90.37),
        ("closedLoopHeart_withCoronaries", "branch0_seg0|pressure_in", 37.77, 79.77),
    ],
)
def test_landmarks_of_a_beat(folder, case, name, low, high):
    wave = waves(folder, case).series[name]
    assert wave.min() == pytest.approx(low, abs=2e-3 * (high - low))
    assert wave.max() == pytest.approx(high, abs=2e-3 * (high - low))


def test_a_lung_that_passes_on_its_own_blood_shifts_the_beat(folder):
    """What enters the lung fills the left atrium there; physics gives other numbers."""
    body = (folder / "cases" / "closedLoopHeart_singleVessel.json").read_bytes()
    network = network_of(read_document(body), physical_filling=True)
    series = simulate(network).series
    pressure, flow = series["branch0_seg0|pressure_in"], series["branch0_seg0|flow_in"]
    assert (pressure.min(), pressure.max()) == pytest.approx((47.16, 89.30), abs=0.05)
    assert (flow.min(), flow.max()) == pytest.approx((21.10, 132.27), abs=0.4)  # of 111


def test_values_that_name_nothing_are_told(folder):
    notes = imported(folder, "piecewise_Chamber_and_Valve").notes
    assert any("flow:pul_vein:J3" in note for note in notes)
    assert imported(folder, "closed_loop_two_hill").notes == ()
