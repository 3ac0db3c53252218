"""A reader who draws the truth over what was seen wrongly brings the volume back."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.imaging.biventricle import Kind
from isosoma.imaging.cine import heart_from, heart_of
from isosoma.imaging.cine_contours import long_axis, marked
from isosoma.imaging.cine_crop import cut_numbers, cuts, heart_middle
from isosoma.imaging.outline import outlines
from isosoma.imaging.reader_contours import ReaderContour, fitted_again, with_contours
from isosoma.imaging.rendered_study import rendered_study, true_shares
from tests.cine_heart import heart

SHRUNK = 0.8


@cache
def rendered():
    """Return an examination, its cuts, and what a perfect network would say of them."""
    study = rendered_study(3)
    every = cuts(study.volumes, heart_middle(study.volumes[0]))
    return study.volumes, every, [true_shares(study, cut) for cut in every]


@cache
def examined():
    """Return an examination, marks as a perfect network would make them, and the long axis."""
    volumes, every, shares = rendered()
    frame = long_axis(every, shares)
    return volumes, marked(every, shares, frame), frame


@pytest.fixture(scope="module")
def seen():
    return examined()


@pytest.fixture(scope="module")
def middle(seen):
    """Of the short-axis slices, the one that shows most of the left ventricle."""
    volumes, marks, _ = seen
    inner = marks.source[marks.kind == Kind.LV_INNER]
    return int(np.argmax(np.bincount(inner, minlength=99)[: volumes[0].values.shape[2]]))


def shrunk(marks, source):
    """Return marks whose cavity a bad network saw too small in three slices."""
    points = marks.points.copy()
    for number in (source - 1, source, source + 1):
        for t in np.unique(marks.phase):
            here = (marks.source == number) & (marks.phase == t) & (marks.kind == Kind.LV_INNER)
            if here.any():
                centre = points[here].mean(axis=0)
                points[here] = centre + SHRUNK * (points[here] - centre)
    return replace(marks, points=points)


def test_drawn_contours_bring_back_the_volume_of_a_cavity_that_was_seen_too_small(seen, middle):
    volumes, marks, frame = seen
    phases = volumes[0].phases
    truth = heart_of(marks, frame, phases, 1.0, "truth")
    wrong = shrunk(marks, middle)
    bad = heart_of(wrong, frame, phases, 1.0, "network")
    assert truth.end_diastolic_volume - bad.end_diastolic_volume > 5e-6
    drawn = list[ReaderContour]()
    moved = truth.moved
    for k in (middle - 1, middle, middle + 1):
        shift = moved[cut_numbers(volumes)[0, k]]
        for t in range(len(phases)):
            loops = outlines(truth.left.points[t] - shift, truth.left.triangles, volumes[0].grid, k)
            wide = [loop for loop in loops if np.ptp(loop, axis=0).min() > 4.0]  # [pixel]
            drawn += [ReaderContour(0, k, t, "left", loop, "reader") for loop in wide]
    corrected = heart_of(with_contours(wrong, drawn, volumes), frame, phases, 1.0, "corrected")
    for of in ("end_diastolic_volume", "end_systolic_volume"):
        left = abs(getattr(corrected, of) - getattr(truth, of))
        assert left < 0.4 * abs(getattr(bad, of) - getattr(truth, of))


def test_a_picture_that_was_not_used_stays_doubted_when_a_contour_is_drawn(middle):
    volumes, every, shares = rendered()
    last = every[-1].plane
    far = replace(every[-1], plane=replace(last, middle=last.middle + 0.04 * last.normal))
    old = heart_from([*every, far], [*shares, shares[-1]], volumes[0].phases)
    (said,) = [doubt for doubt in old.doubts if "not used" in doubt]
    assert said.startswith("1 long-axis pictures lie beside")
    drawn = ReaderContour(0, middle, 0, "left", BOX, "reader")
    again = fitted_again(old, [drawn], volumes, "corrected")
    assert said in again.doubts
    assert again.made_by == "corrected"
    assert again.left.volume[0] != pytest.approx(old.left.volume[0], rel=1e-3)
    back = fitted_again(again, [], volumes, "taken back")
    assert back.doubts == old.doubts
    assert np.array_equal(back.left.points, old.left.points)


def test_a_heart_without_marks_says_why_it_cannot_be_fitted_again(seen):
    with pytest.raises(RangeError, match="does not say what it was fitted to"):
        fitted_again(heart(), [], seen[0], "corrected")


def test_a_right_ventricle_drawn_round_gives_septum_beside_the_left_and_free_wall_beyond(
    seen, middle
):
    volumes, marks, _ = seen
    here = (marks.source == middle) & (marks.phase == 0)
    around = marks.points[here & np.isin(marks.kind, [Kind.RV_INNER, Kind.SEPTUM])]
    at = volumes[0].grid.to_index(around)[:, :2]
    centre = at.mean(axis=0)
    order = np.argsort(np.arctan2(*(at - centre).T))
    drawn = ReaderContour(0, middle, 0, "right", at[order], "reader")
    made = with_contours(marks, [drawn], volumes)
    new = (made.weight > 1) & (made.phase == 0) & (made.source == middle)
    assert 0.2 < (made.kind[new] == Kind.SEPTUM).mean() < 0.8
    assert len(made.points) != len(marks.points)
    other = (made.source != middle) | (made.phase != 0)
    assert other.sum() == (~here).sum()  # nothing else is touched


BOX = np.array([[30.0, 30], [60, 30], [60, 60], [30, 60]])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"volume": 1}, "short axis only"),
        ({"slice": 99}, "no such slice or phase"),
        ({"phase": -1}, "no such slice or phase"),
        ({"points": BOX[:2]}, "three corners"),
        ({"points": BOX * 40}, "leaves the picture"),
        ({"points": BOX * np.nan}, "leaves the picture"),
        ({"points": np.repeat(BOX[:1], 4, axis=0)}, "goes round nothing"),
    ],
)
def test_a_contour_that_cannot_be_is_a_sentence(seen, changes, said):
    volumes, marks, _ = seen
    one = replace(ReaderContour(0, 2, 0, "left", BOX, "reader"), **changes)
    with pytest.raises(RangeError, match=said):
        with_contours(marks, [one], volumes)
