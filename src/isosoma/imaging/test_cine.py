"""The heart of a cine: rendered truth, the shape that closes it, and the network that finds it."""

from __future__ import annotations

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid, Volume
from isosoma.imaging.cine import heart_from
from isosoma.imaging.cine_crop import cuts, heart_middle, short_axis
from isosoma.imaging.render import Plane, canonical, classes_at, picture, plane_points, random_looks
from isosoma.imaging.rendered_study import RenderedStudy, rendered_study, true_shares
from isosoma.imaging.synthetic_heart import random_heart, template, volumes
from isosoma.imaging.unet import normalised, probabilities


def test_a_random_heart_ejects_and_keeps_its_wall() -> None:
    heart = random_heart(np.random.default_rng(3))
    full, empty = volumes(heart, 0.0, 3e-3), volumes(heart, 1.0, 3e-3)
    assert empty[0] < 0.97 * full[0]
    assert empty[1] == pytest.approx(full[1], rel=0.15)


@pytest.fixture(scope="module")
def study() -> RenderedStudy:
    return rendered_study(9002, phases=8)


def test_a_study_of_known_parts_gives_its_volumes(study: RenderedStudy) -> None:
    every = cuts(study.volumes, heart_middle(study.volumes[0]))
    shares = [true_shares(study, cut) for cut in every]
    heart = heart_from(every, shares, study.volumes[0].phases)
    ef = 1 - study.empty[0] / study.full[0]
    assert heart.end_diastolic_volume == pytest.approx(study.full[0], rel=0.12)
    assert heart.ejection_fraction == pytest.approx(ef, abs=0.05)
    assert heart.right.volume.max() == pytest.approx(study.full[2], rel=0.2)
    assert len(heart.right.triangles) == 3752
    assert (heart.mass > 0).all()


def test_a_study_without_a_long_axis_says_what_is_missing(study: RenderedStudy) -> None:
    every = cuts(study.volumes, heart_middle(study.volumes[0]))
    two = [cut for cut in every if cut.short_axis][:2]
    with pytest.raises(RangeError, match="short-axis slices"):
        heart_from(two, [true_shares(study, cut) for cut in two], study.volumes[0].phases)


def test_the_network_finds_a_rendered_heart_that_it_never_saw() -> None:
    dices = list[float]()
    for seed in range(9001, 9005):
        rng = np.random.default_rng(seed)
        heart, looks = random_heart(rng), random_looks(rng)
        up = heart.turn @ template().axes[2]
        plane = Plane(heart.centre, *canonical(up), up)
        frames, spread = normalised(picture(heart, looks, plane, np.array([0.0, 0.5, 1.0])))
        share = probabilities(np.stack([frames[0], spread])[None])[0]
        truth = classes_at(heart, plane_points(plane), 0.0)
        mine, right = share.argmax(axis=0) == 1, truth == 1
        dices.append(2 * float((mine & right).sum()) / float(mine.sum() + right.sum()))
    assert np.median(dices) > 0.85


def _beating(phases: int) -> Volume:
    values = np.zeros((40, 40, 4, phases), np.float32)
    i, j = np.indices((40, 40))
    for t in range(phases):
        disc = np.hypot(i - 25, j - 12) < 6 + 2 * np.cos(2 * np.pi * t / phases)
        values[..., t] = disc[:, :, None]
    grid = Grid((40, 40, 4), np.diag([3e-3, 3e-3, 8e-3, 1.0]))
    return Volume(grid, values, phases=np.arange(phases) / phases)


def test_what_beats_is_the_heart() -> None:
    middle = heart_middle(_beating(10))
    assert middle[:2] == pytest.approx([0.075, 0.036], abs=3e-3)


def test_still_pictures_are_refused() -> None:
    with pytest.raises(RangeError, match="no cine stack"):
        short_axis([_beating(1)])
