"""A cycle keeps blood, its phases come in their order, and its bands hold its median."""

from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pytest

from isosoma.core.errors import ModelError
from isosoma.core.units import to_si
from isosoma.organs.circulation.body import Person
from isosoma.serve.cycle import CHAMBERS, POINTS, VALVES, one_cycle
from isosoma.serve.cycle_message import cycle_message
from isosoma.serve.wall import surface, thickness, wall_volume
from isosoma.twin.starting import at_rest

ML, MMHG = to_si(1.0, "mL"), to_si(1.0, "mm[Hg]")
INTO = {"lv": ("mitral",), "rv": ("tricuspid",), "la": ("pulmonary_veins",),
        "ra": ("cava_superior", "cava_inferior", "coronary_veins")}  # fmt: skip
OUT_OF = {"lv": "aortic", "rv": "pulmonary", "la": "mitral", "ra": "tricuspid"}
PERSON = Person()


@pytest.fixture(scope="module")
def cycle():
    """Of a median and four who are weaker or stronger, breath held."""
    changed = {"lv_elastance": np.array([3.0e8, 2.0e8, 2.5e8, 3.5e8, 4.0e8]), "thoracic_swing": 0.0}
    return one_cycle(at_rest(PERSON, changed, seconds=60.0), PERSON)


@pytest.mark.parametrize("chamber", CHAMBERS)
def test_a_volume_changes_by_what_flows_in_and_out(cycle, chamber):
    q = {n: v[0] for n, v in cycle.rows.items() if n.startswith("q_")}
    net = sum(q[f"q_{n}"] for n in INTO[chamber]) - q[f"q_{OUT_OF[chamber]}"]
    step = cycle.length[0] / POINTS
    volume = cycle.rows[f"V_{chamber}"][0]
    summed = np.concatenate([[0.0], np.cumsum(0.5 * (net[1:] + net[:-1]))]) * step
    assert np.abs(volume - volume[0] - summed).max() < 1.5 * ML
    assert abs(net.sum() * step) < 1.0 * ML, "a settled cycle ends where it began"


def test_what_the_left_ejects_the_right_ejects(cycle):
    out = [
        cycle.rows[f"q_{v}"].sum(axis=1) * cycle.length / POINTS for v in ("aortic", "pulmonary")
    ]
    assert out[0] == pytest.approx(out[1], rel=0.02)


def test_phases_come_in_the_order_of_a_heart(cycle):
    rows, at = {n: v[0] for n, v in cycle.rows.items()}, np.arange(POINTS) / POINTS
    start, stop = cycle.pre_ejection[0], cycle.pre_ejection[0] + cycle.ejection[0]
    assert 0.03 < start < 0.12
    assert 0.2 < cycle.ejection[0] < 0.4
    ejecting = (at * cycle.length[0] > start + 0.03) & (at * cycle.length[0] < stop - 0.03)
    assert rows["zeta_aortic"][ejecting].min() > 0.5
    assert rows["zeta_mitral"][ejecting].max() < 0.01
    assert rows["p_lv"][ejecting][:8].min() > rows["p_la"].max()
    filling = at * cycle.length[0] > stop + 0.12
    assert rows["zeta_aortic"][filling].max() < 0.05
    assert rows["q_mitral"][filling].max() > 0.0
    least = int(rows["V_lv"].argmin())
    assert abs(least - cycle.end_systole) <= 4
    assert rows["V_lv"][0] > 0.97 * rows["V_lv"].max(), "R is the end of diastole"


def test_a_weaker_heart_is_fuller_and_ejects_less(cycle):
    order = [1, 2, 0, 3, 4]
    low = cycle.rows["V_lv"].min(axis=1)[order]
    assert (np.diff(low) < 0.0).all()


def test_oxygen_is_bright_on_the_left_and_dark_on_the_right(cycle):
    oxygen = {k: v[0] for k, v in cycle.saturation.items()}
    assert min(oxygen["lv"], oxygen["la"], oxygen["ao"]) > 0.93
    assert max(oxygen["rv"], oxygen["ra"], oxygen["pa"]) < 0.85


def test_a_wall_keeps_its_volume_and_so_thickens():
    assert surface(Person(weight=70.0, height=1.70)) == pytest.approx(1.83, abs=0.01)
    wall = wall_volume(PERSON, "lv")
    volume = np.array([60.0, 100.0, 150.0]) * ML
    h = thickness(volume, wall)
    inner = np.cbrt(3.0 * volume / (4.0 * math.pi))
    shell = 4.0 / 3.0 * math.pi * ((inner + h) ** 3 - inner**3)
    assert shell == pytest.approx(wall)
    assert (np.diff(h) < 0.0).all()
    assert 5e-3 < h[2] < 12e-3
    assert wall_volume(PERSON, "rv") < 0.5 * wall


def test_the_message_holds_units_bands_and_no_number_that_is_none(cycle):
    said = json.loads(msgspec.json.encode(cycle_message(cycle, 2.0, 1.0)))
    assert (said["type"], said["samples"], said["members"]) == ("cycle", POINTS, 5)
    assert set(said["valves"]) == set(VALVES)
    for name in CHAMBERS:
        for what in ("volume", "pressure"):
            band = said["chambers"][name][what]
            assert len(band["value"]) == POINTS
            for low, value, high in zip(band["low"], band["value"], band["high"], strict=True):
                assert low <= value <= high
    lv = said["chambers"]["lv"]
    assert 90.0 < max(lv["volume"]["value"]) < 220.0
    assert 80.0 < max(lv["pressure"]["value"]) < 180.0
    assert 5.0 < min(lv["wall"]) < max(lv["wall"]) < 20.0
    assert said["chambers"]["la"]["wall"] is None
    assert "null" not in json.dumps(said["valves"]).lower()
    assert said["pre_ejection"]["low"] <= said["pre_ejection"]["median"]


def test_a_median_that_does_not_live_is_said():
    run = at_rest(PERSON, {"thoracic_swing": 0.0}, seconds=1.0)
    run.failed[:] = True
    with pytest.raises(ModelError, match="no beat comes of the median"):
        one_cycle(run, PERSON)
