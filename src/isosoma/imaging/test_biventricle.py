"""The model's meshes, and the bending of them to marks of known truth."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree

from isosoma.core.errors import RangeError
from isosoma.imaging.biventricle import Kind, biventricle, enclosed
from isosoma.imaging.biventricle_fit import Marks, bent, surfaces
from isosoma.imaging.surface import Surface, euler, is_closed

PARTS = ("left", "outer", "right", "whole")
KINDS = (Kind.LV_INNER, Kind.LV_OUTER, Kind.SEPTUM, Kind.RV_INNER, Kind.MITRAL, Kind.TRICUSPID)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_one_closed_ball(part: str) -> None:
    model = biventricle()
    mesh = Surface(model.matrix @ model.control, getattr(model, part))
    assert is_closed(mesh)
    assert euler(mesh) == 2


def test_a_fitted_heart_has_the_volumes_of_its_publication(shared_data: Path) -> None:
    path = shared_data / "imaging/cmr_bivme/fitted_models_patient1.tar.xz"
    with tarfile.open(path) as archive:
        name = next(n for n in archive.getnames() if n.endswith("frame_009.txt"))
        held = archive.extractfile(name)
        assert held is not None
        control = np.loadtxt(held, delimiter=",", skiprows=1)[:, :3] * [-1e-3, -1e-3, 1e-3]
    points = surfaces(control[None])
    model = biventricle()
    assert enclosed(points, model.left)[0] == pytest.approx(72.0e-6, rel=0.01)
    assert enclosed(points, model.right)[0] == pytest.approx(76.7e-6, rel=0.01)


def _beat(phases: int) -> np.ndarray:
    """Control points of a heart unlike the mean: larger, turned, bent, and beating."""
    control = biventricle().control * [1.3, 1.15, 1.25]
    control = control + 0.003 * np.sin(40 * control[:, [1, 2, 0]])
    turn = np.linalg.qr(np.array([[1.0, 0.3, 0.1], [-0.2, 1.0, 0.4], [0.1, -0.3, 1.0]]))[0]
    middle = control.mean(axis=0)
    size = 1 - 0.12 * (1 - np.cos(2 * np.pi * np.arange(phases) / phases)) / 2
    return np.stack([(middle + s * (control - middle)) @ turn for s in size])


def _marks(control: np.ndarray, slices: int = 8) -> Marks:
    """Marks where parallel planes, and one across them, cut the heart."""
    model = biventricle()
    rng = np.random.default_rng(3)
    rows = []
    for t, points in enumerate(control):
        for kind in KINDS:
            there = model.spots[kind] @ points
            level = there[:, 2] - control[0][:, 2].min()
            source = np.floor(level / np.ptp(control[0][:, 2]) * slices).astype(int)
            keep = rng.random(len(there)) < 0.05
            rows += [(p, kind, t, min(max(s, 0), slices - 1))
                     for p, s in zip(there[keep], source[keep], strict=True)]  # fmt: skip
        rows.append(((model.spots[Kind.APEX] @ points)[0], Kind.APEX, t, slices))
    points, kind, phase, source = zip(*rows, strict=True)
    normals = np.r_[np.tile([0.0, 0.0, 1.0], (slices, 1)), np.zeros((1, 3))]
    return Marks(
        np.array(points), np.array(kind, int), np.array(phase), np.array(source),
        np.ones(len(kind)), normals,
    )  # fmt: skip


def _far(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([KDTree(t).query(f)[0].mean() for f, t in zip(found, truth, strict=True)]))


def test_marks_give_back_the_beating_heart_that_they_lie_on() -> None:
    truth = _beat(6)
    found, moved = bent(_marks(truth), np.arange(6) / 6)
    made, wanted = surfaces(found), surfaces(truth)
    for part in PARTS[:3]:
        faces = getattr(biventricle(), part)
        assert enclosed(made, faces) == pytest.approx(enclosed(wanted, faces), rel=0.03)
    assert _far(made, wanted) < 1.5e-3  # to vertices, which are 2.5 mm apart
    assert np.abs(moved).max() < 2.5e-3  # the highest slice, whose marks are of a slanting base


def test_a_slice_of_another_breath_is_moved_back() -> None:
    marks = _marks(_beat(6))
    off = np.where((marks.source == 4)[:, None], [0.005, 0.0, 0.0], 0.0)
    _, moved = bent(replace(marks, points=marks.points + off), np.arange(6) / 6)
    assert moved[4, 0] - moved[[3, 5], 0].mean() == pytest.approx(-0.003, abs=1e-3)  # of -0.005
    assert np.argmax(np.linalg.norm(moved, axis=1)) == 4


def test_marks_without_landmarks_are_refused() -> None:
    marks = _marks(_beat(3))
    inner = np.flatnonzero(marks.kind == Kind.LV_INNER)
    few = Marks(
        marks.points[inner], marks.kind[inner], marks.phase[inner], marks.source[inner],
        marks.weight[inner], marks.normals,
    )  # fmt: skip
    with pytest.raises(RangeError, match="phase 1 shows 0 of the landmarks"):
        bent(few, np.arange(3) / 3)
