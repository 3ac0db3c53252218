"""What a valve in the aortic root does to the heart behind the coronaries."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.body import Person
from isosoma.twin.course import follow
from isosoma.twin.starting import at_rest

PERSON = Person(age=78.0, weight=74.0, height=1.68)
VALVE = "tavi frame 26 mm eoa 1.74 cm2 height 20 mm depth 4 mm at 10 s"
MM = 1e-3


def test_a_normal_heart_does_not_know_of_the_root():
    heights = {"left_coronary_height": np.array([6.0, 25.0]) * MM}
    out = follow(at_rest(PERSON, heights, seconds=20.0), (), 10.0, 10.0).frames[-1].outputs
    assert all(v[0] == v[1] for v in out.values())
    assert out["coronary_opening"][0] == 1.0


@pytest.fixture(scope="module")
def implanted():
    """Heights 8, 11 and 14 mm: two minutes after a valve was opened in a root of 28.5 mm."""
    given = {"aortic_area": np.full(3, 0.7e-4),
             "left_coronary_height": np.array([8.0, 11.0, 14.0]) * MM,
             "left_sinus_width": np.full(3, 28.5 * MM)}  # fmt: skip
    plan = interventions(read_acts([VALVE]), PERSON)
    return follow(at_rest(PERSON, given, plan), plan, 130.0, 130.0).frames[-1].outputs


def test_a_shut_coronary_starves_the_heart_and_a_near_miss_does_not(implanted):
    reserve, flow = implanted["contractile_reserve"], implanted["cardiac_output"]
    assert reserve[0] < 0.4
    assert min(reserve[1:]) > 0.9
    assert flow[0] < 0.6 * flow[2]
    assert implanted["left_atrial_pressure"][0] > 2.0 * implanted["left_atrial_pressure"][2]
    assert implanted["coronary_opening"][0] < 0.01 < implanted["coronary_opening"][1] < 0.9


def test_the_right_territory_lives_when_the_left_dies():
    given = {
        "left_coronary_height": np.array([8.0 * MM]),
        "left_sinus_width": np.array([28.5 * MM]),
    }
    plan = interventions(read_acts([VALVE]), PERSON)
    state = follow(at_rest(PERSON, given, plan), plan, 60.0, 60.0, states=True).frames[-1].state
    assert state["heart_strength_left"][0] < 0.3
    assert state["heart_strength_right"][0] > 0.9
