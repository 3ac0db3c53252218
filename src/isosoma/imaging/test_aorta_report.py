"""An aorta like a walking stick, of known calibre, wall, lengths and branches, in fat."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from isosoma.core.errors import RangeError
from isosoma.core.study import Grid
from isosoma.imaging.annulus import Annulus
from isosoma.imaging.aorta_report import Landmarks, aortic_report, end_of, ostium, shown
from isosoma.imaging.lumens import Blood
from isosoma.imaging.section import measured
from isosoma.imaging.sinuses import coronary_height, sinus_widths

_GRID = Grid((68, 34, 90), np.diag([1.5e-3, 1.5e-3, 1.5e-3, 1.0]))
_BLOOD = Blood(450.0, 50.0)
_R, _WALL, _ARCH = 11e-3, 1.5e-3, 30e-3  # [m] of lumen, wall and arch
_MIDDLE = np.array([51e-3, 25e-3, 85e-3])  # of the arch's half circle


def _to_axis() -> np.ndarray:
    """Return the distance of each voxel from the stick's axis [m], up, over and down."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in _GRID.shape], indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(_GRID.to_space(index) - _MIDDLE, -1, 0)
    over = np.hypot(np.hypot(x, z) - _ARCH, y)
    left, right = np.hypot(x + _ARCH, y), np.hypot(x - _ARCH, y)
    apart = np.where(z > 0, over, np.minimum(left, right))
    apart = np.where((x < 0) & (z < -50e-3), 1.0, apart)  # the annulus ends the ascending limb
    return np.where(z < -80e-3, 1.0, apart)


def _at(x: float, z: float) -> np.ndarray:
    """Return a RAS point [m] in the arch's plane."""
    return _MIDDLE + np.array([x, 0, z])


def _marks(points: dict[str, np.ndarray]) -> Landmarks:
    return Landmarks(
        end=_at(_ARCH, -78e-3), first_branch=points["first"],
        last_branch=points["last"], sinotubular=_at(-_ARCH, -30e-3),
        coronaries=(_at(-_ARCH + 9e-3, -38e-3),),
    )  # fmt: skip


def _on_arch(degrees: float) -> np.ndarray:
    """Return two points on the arch, on a branch's two edges."""
    angle = np.deg2rad([degrees + 6, degrees - 6])
    return _MIDDLE + _ARCH * np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)


def _ring(radius: float) -> Annulus:
    u = np.arange(180) * np.pi / 90
    flat = radius * np.stack([np.cos(u), np.sin(u), 0 * u], axis=1)
    section = measured(_at(-_ARCH, -49e-3) + flat, np.array([0, 0, 1.0]))
    one = np.ones(1)
    return Annulus(section, one, one, one, one, by_image=False, seen=0.0)


def test_a_stick_gives_its_calibre_wall_lengths_and_volumes() -> None:
    apart = _to_axis()
    aorta = apart < _R
    image = np.where(aorta, 450.0, np.where(apart < _R + _WALL, 50.0, -90.0))
    image = gaussian_filter(image, 0.5) + 10 * np.random.default_rng(1).standard_normal(image.shape)
    marks = _marks({"first": _on_arch(120), "last": _on_arch(60)})
    report = aortic_report(aorta, _GRID, _ring(_R), marks, image, _BLOOD)
    assert report.levels[0].name == "sinuses of Valsalva"
    for level in report.levels[1:]:
        assert level.lumen.diameter == pytest.approx(2 * _R, abs=0.5e-3), level.name
        assert level.edge > 0.8
        assert shown(level).diameter == pytest.approx(2 * (_R + _WALL), abs=1.0e-3), level.name
        assert level.diameter_sigma < 1e-3
    ascending, arch, descending = report.parts
    assert ascending.length == pytest.approx(49e-3 + _ARCH * np.deg2rad(54), rel=0.05)
    assert arch.length == pytest.approx(_ARCH * np.deg2rad(72), abs=2.5e-3)
    for part in (arch, descending):
        assert part.volume == pytest.approx(np.pi * _R**2 * part.length, rel=0.06)
    assert report.wall == pytest.approx(_WALL, abs=0.5e-3)
    assert report.heights[0].value == pytest.approx(11e-3, abs=0.1e-3)
    assert any("sinus widths withheld" in s for s in report.said)


def test_without_an_image_diameters_are_said_to_be_the_lumens() -> None:
    marks = _marks({"first": _on_arch(120), "last": _on_arch(60)})
    report = aortic_report(_to_axis() < _R, _GRID, _ring(_R), marks)
    assert shown(report.levels[2]).diameter == report.levels[2].lumen.diameter
    assert any("no image was given" in s for s in report.said)
    turned = _marks({"first": _on_arch(60), "last": _on_arch(120)})
    with pytest.raises(RangeError, match="direction of the flow"):
        aortic_report(_to_axis() < _R, _GRID, _ring(_R), turned)


def test_branches_and_ends_that_are_none_end_in_a_sentence() -> None:
    nothing = np.zeros(_GRID.shape, bool)
    with pytest.raises(RangeError, match="mask is empty"):
        end_of(nothing, _GRID)
    marks = _marks({"first": _on_arch(120), "last": _on_arch(60)})
    axis = aortic_report(_to_axis() < _R, _GRID, _ring(_R), marks).axis
    with pytest.raises(RangeError, match="does not touch"):
        ostium(nothing, axis.aorta, axis)
    with pytest.raises(RangeError, match="from the annulus"):
        coronary_height(_ring(_R), [1.0, 0, 0], 1.5e-3)


def test_a_trefoil_has_three_widths() -> None:
    u = np.arange(360) * np.pi / 180
    r = 15e-3 * (1 + 0.1 * np.cos(3 * (u - 0.4)))
    section = measured(np.stack([r * np.cos(u), r * np.sin(u), 0 * u], axis=1), np.eye(3)[2])
    for width in sinus_widths(section, 0.5e-3):
        assert width.value == pytest.approx(15e-3 * 1.1 + 15e-3 * 0.9, abs=0.4e-3)


def test_the_height_of_a_coronary_is_less_sure_far_from_the_axis() -> None:
    ring = _ring(_R)
    near_by, far_off = np.array([2e-3, 0, 12e-3]), np.array([20e-3, 0, 12e-3])
    near = coronary_height(ring, ring.section.centre + near_by, 0.5e-3)
    far = coronary_height(ring, ring.section.centre + far_off, 0.5e-3)
    assert near.value == far.value == pytest.approx(12e-3)
    assert far.sigma > near.sigma > 1e-3
