"""A reading of a heart of known shape: its numbers, and what poor pictures do to them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isosoma.core.observation import Observation
from isosoma.core.quantity import Z90
from isosoma.intake.heart_reading import HeartReading, observations, plain, read_heart
from tests.cine_heart import heart, stack

AT = 1_720_000_000 * 10**9
LIKE = Observation("p1", "", AT, AT, 0.0, 0.0, device="cmr", origin="images:abc")


@pytest.fixture(scope="module")
def good() -> HeartReading:
    return read_heart([stack()], heart())


def kinds(reading: HeartReading) -> set[str]:
    return {d.verdict.kind for d in reading.doubts}


def test_a_good_examination_raises_no_doubt_and_widens_nothing(good):
    assert kinds(good) == set()
    assert all(f.half == f.method and not f.withheld for f in good.figures)
    left = heart().left.volume
    assert good.figure("lv_edv").value == pytest.approx(left.max())
    assert good.figure("lv_ef").value == pytest.approx(1 - left.min() / left.max())


def test_the_wall_of_a_shell_has_the_thickness_it_was_made_with(good):
    rings = good.thickness[:12]  # the apex of two half ellipsoids is thicker along the axis
    assert rings == pytest.approx(8e-3, abs=0.9e-3)
    assert np.ptp(rings) < 1e-3


def test_slices_far_apart_widen_every_number_and_say_how_far():
    wide = read_heart([stack(step=0.0216, slices=6)], heart())
    assert kinds(wide) == {"gaps"}
    figure = wide.figure("lv_edv")
    assert figure.half / figure.method == pytest.approx(1.2, rel=1e-3)


def test_slices_that_end_before_the_heart_widen_it():
    assert "reach" in kinds(read_heart([stack(slices=7)], heart()))


def test_unlike_beats_are_told():
    assert "beats" in kinds(read_heart([stack(periods=0.4)], heart()))


def test_pictures_of_noise_are_told():
    poor = stack()
    draw = np.random.default_rng(2)
    shaken = (poor.values + draw.normal(0, 120, poor.values.shape)).astype(np.float32)
    assert "noise" in kinds(read_heart([replace(poor, values=shaken)], heart()))


def test_a_right_ventricle_that_was_not_found_is_withheld_and_compared_with_nothing():
    lost = read_heart([stack()], heart(right=0.5))
    assert kinds(lost) == {"proportion"}
    assert "no pair of working ventricles" in lost.figure("rv_edv").withheld
    assert not lost.figure("lv_edv").withheld
    taught = {o.variable for o in observations(lost, LIKE)}
    assert taught == {
        "left_ventricular_end_diastolic_volume",
        "left_ventricular_end_systolic_volume",
    }


def test_what_is_made_of_a_withheld_volume_is_withheld():
    unsure = replace(heart(), sigma=heart().sigma | {"esv": 80e-6})
    said = read_heart([stack()], unsure)
    assert not said.figure("lv_edv").withheld
    assert "as wide as the number" in said.figure("lv_esv").withheld
    assert "made of" in said.figure("lv_ef").withheld
    assert said.figure("lv_sv").withheld


def test_unlike_stroke_volumes_are_told_with_what_may_be_behind_them():
    said = read_heart([stack()], heart(right=1.2))
    (doubt,) = said.doubts
    assert doubt.verdict.kind == "stroke_volumes"
    told = " ".join(doubt.verdict.differential)
    assert all(word in told for word in ("regurgitation", "shunt", "contour"))


def test_mirrored_pictures_withhold_what_has_a_side():
    found = heart()
    turned = replace(
        found, right=replace(found.right, points=2 * found.frame.origin - found.right.points)
    )
    said = read_heart([stack(slices=12)], turned)
    assert "orientation" in kinds(said)
    assert said.figure("rv_edv").withheld


def test_observations_carry_the_interval_as_sigma_and_name_the_reading(good):
    found = observations(good, LIKE, ["composite"])
    assert len(found) == 4
    first = found[0]
    assert first.sigma == pytest.approx(good.figure("lv_edv").half / Z90)
    assert first.origin == "images:abc?composite"
    assert (first.at, first.device, first.subject) == (AT, "cmr", "p1")


def test_plain_numbers_are_json_and_withheld_ones_have_no_value():
    told = json.loads(json.dumps(plain(read_heart([stack()], heart(right=0.5))), allow_nan=False))
    by_name = {f["name"]: f for f in told["figures"]}
    assert by_name["rv_edv"]["value"] is None
    assert by_name["rv_edv"]["found"] > 0
    low, high = by_name["lv_edv"]["interval_90"]
    assert low < by_name["lv_edv"]["value"] < high
    assert len(told["wall_segments_mm"]) == 16
