"""Error grids against published zones, and the uncertainty budget against the GUM."""

from __future__ import annotations

import csv
import math

import pytest

from isosoma.quality.glucose_grids import clarke, parkes
from isosoma.quality.uncertainty_budget import (
    combined,
    effective_degrees,
    from_half_width,
    from_resolution,
    mean_pressure,
)


def test_every_pair_of_the_expected_table(shared_data):
    with (shared_data / "signals/expected/glucose_zones.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    got = [
        (clarke(r, t), parkes(r, t, 1), parkes(r, t, 2))
        for r, t in ((float(x["ref_mg_dl"]), float(x["test_mg_dl"])) for x in rows)
    ]
    assert got == [(x["clarke"], x["parkes_t1"], x["parkes_t2"]) for x in rows]
    assert len(rows) > 190


@pytest.mark.parametrize("reference", [55.0, 100.0, 250.0])
def test_an_exact_meter_is_in_zone_a(reference):
    assert clarke(reference, reference) == parkes(reference, reference, 1) == "A"
    assert parkes(reference, reference, 2) == "A"


def test_a_reversed_reading_is_in_zone_e():
    assert clarke(50, 300) == clarke(300, 50) == parkes(40, 500, 1) == "E"


def test_gum():
    assert from_resolution(1) == pytest.approx(0.288675)
    assert from_half_width(1) == pytest.approx(0.577350)
    assert combined([1, 1], [3, 4]) == 5
    assert combined([1, -1], [1, 1], [(0, 1, 1.0)]) == 0
    assert effective_degrees([1, 1], [10, 10]) == pytest.approx(20)
    assert effective_degrees([1.0], [math.inf]) == math.inf
    value, u = mean_pressure(120, 90, 3, 3)
    assert value == 100
    assert u == pytest.approx(math.sqrt(5))
