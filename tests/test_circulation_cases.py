"""Every published case of the circulation lies in its ranges."""

from __future__ import annotations

from pathlib import Path

import pytest

from isosoma.organs.circulation.published import run_case

CASES = sorted((Path(__file__).resolve().parents[1] / "cases").glob("circulation_*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem.removeprefix("circulation_"))
def test_a_published_case_is_reached(path):
    missed = [
        f"{f.quantity} {f.obtained:.4g} {f.unit}, not {f.low:g} to {f.high:g}"
        for f in run_case(path)
        if not f.passed
    ]
    assert missed == []


def test_there_are_cases_for_children_valves_blood_and_drugs():
    names = " ".join(p.stem for p in CASES)
    for kind in ("newborn", "stenosis", "regurgitation", "bleed", "induction", "apnoea"):
        assert kind in names
