"""Geometry of the root, the loss of a narrowed ostium, and what if it were another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isosoma.core.intervention import apply
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts
from isosoma.organs.circulation.aortic_root import distance, opening
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.coronary import conductance, loss
from isosoma.organs.circulation.parameters import PARAMETERS

PERSON = Person(age=78.0, weight=74.0, height=1.68)
MM = 1e-3
LENGTHS = st.floats(1e-3, 0.05)


def opened(height=8.0, sinus=28.5, frame=26.0, top=16.0, off=0.0, stent=0.0):
    lengths = (height, sinus, 4.0, frame, top, 13.0, 2.5, off, stent)
    return opening(*(MM * x for x in lengths))


def test_the_distance_is_that_of_planning():
    assert distance(28.5 * MM, 26.0 * MM) == pytest.approx(1.25 * MM)


def test_a_low_coronary_in_a_narrow_root_is_shut_and_a_high_or_wide_one_open():
    assert opened() == 0.0
    assert opened(height=14.0) == 1.0
    assert opened(sinus=36.0) == 1.0
    assert 0.2 < opened(height=11.0) < 0.8, "a near miss: half of the ostium lies above the leaflet"
    assert opened(frame=0.0) == 1.0, "leaflets that nothing presses to the wall"
    assert opened(top=7.0) == 1.0, "a frame that ends below the ostium"
    assert opened(off=1.0) <= opened(off=-2.0)
    assert opened(stent=3.0) == pytest.approx(9.0 / 16.0)


@given(st.lists(LENGTHS, min_size=8, max_size=8), st.floats(-2e-3, 2e-3), LENGTHS)
def test_more_height_room_and_stent_never_shut_more(lengths, off, more):
    height, sinus, ostium, frame, top, leaflet, thick, stent = lengths
    now = opening(height, sinus, ostium, frame, top, leaflet, thick, off, stent)
    rest = (ostium, frame, top, leaflet, thick, off)
    assert 0.0 <= now <= 1.0
    assert opening(height + more, sinus, *rest, stent) >= now - 1e-12
    assert opening(height, sinus + more, *rest, stent) >= now - 1e-12
    assert opening(height, sinus, *rest, stent + more) >= now - 1e-12


def test_an_open_ostium_costs_nothing_and_a_narrow_one_the_square_of_the_flow():
    assert loss(1.0, 4e-3, 1060.0) == 0.0
    assert conductance(0.6, 1.0, 2e9, 0.0, 1e4) == 0.6 / 2e9
    k, share, resistance, p = loss(0.1, 4e-3, 1060.0), 0.6, 2.7e9, 1.1e4
    q = p * conductance(share, 1.5, resistance, k, p)
    assert q * resistance / (share * 1.5) + k * q * q == pytest.approx(p)
    area = 0.25 * math.pi * 4e-3**2
    assert k == pytest.approx(0.5 * 1.52 * 1060.0 * (1.0 / (0.1 * area) - 1.0 / area) ** 2)


def test_what_if_moves_the_middle_and_keeps_where_a_member_lies():
    plan = interventions(read_acts(["left coronary height 14 mm sigma 0.5 mm"]), PERSON)
    rows = {n: np.zeros(2) for n in PARAMETERS} | {"left_coronary_height_z": np.array([-1.0, 2.0])}
    now = apply(plan, "parameter", rows)
    assert now["left_coronary_height"] == pytest.approx([14.0 * MM] * 2)
    assert now["left_coronary_height_sigma"] == pytest.approx([0.5 * MM] * 2)
    assert now["left_coronary_height_z"] == pytest.approx([-1.0, 2.0])
