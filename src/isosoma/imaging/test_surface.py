from __future__ import annotations

import tarfile

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.imaging.surface import Surface, enclosed, euler, is_closed, loops, repaired


def tube(sides=200, rings=20, radius=0.01, length=0.05) -> Surface:
    turn = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    heights = np.linspace(0.2, 0.2 + length, rings)
    points = np.concatenate([np.c_[ring, np.full(sides, z)] for z in heights])
    here, after = np.arange(sides), (np.arange(sides) + 1) % sides
    band = np.r_[
        np.stack([here, after, after + sides], axis=1),
        np.stack([here, after + sides, here + sides], axis=1),
    ]
    return Surface(points, np.concatenate([band + k * sides for k in range(rings - 1)]))


def octahedron(times=5, radius=0.03, centre=(0.1, -0.2, 0.3)) -> Surface:
    """A sphere by halving the edges of an octahedron, with each triangle's own points."""
    x, y, z = np.eye(3)
    corners = np.array([[s * x, t * y, s * t * u * z] for s in (1, -1) for t in (1, -1)
                        for u in (1, -1)])  # fmt: skip
    for _ in range(times):
        a, b, c = corners.transpose(1, 0, 2)
        ab, bc, ca = (p / np.linalg.norm(p, axis=1)[:, None] for p in (a + b, b + c, c + a))
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        corners = np.concatenate([np.stack(p, axis=1) for p in parts])
    points = corners.reshape(-1, 3) * radius + centre
    return Surface(points, np.arange(len(points)).reshape(-1, 3))


def test_a_sphere_of_loose_triangles_wound_anyhow_is_one_closed_ball():
    loose = octahedron()
    turned = np.random.default_rng(2).random(len(loose.triangles)) < 0.5
    loose = Surface(
        loose.points, np.where(turned[:, None], loose.triangles[:, ::-1], loose.triangles)
    )
    assert not is_closed(loose)
    ball = repaired(loose)
    assert is_closed(ball)
    assert euler(ball) == 2
    assert loops(ball) == ()
    assert enclosed(ball).volume == pytest.approx(4 / 3 * np.pi * 0.03**3, rel=2e-3)


def test_an_open_tube_is_capped_at_both_rims():
    measured = enclosed(repaired(tube()))
    assert measured.volume == pytest.approx(np.pi * 0.01**2 * 0.05, rel=1e-3)
    assert [loop.area for loop in measured.loops] == pytest.approx([np.pi * 1e-4] * 2, rel=1e-3)
    assert euler(tube()) == 0
    assert not is_closed(tube())


def test_a_half_wound_the_other_way_is_turned_and_is_refused_before():
    right = tube()
    half = len(right.triangles) // 2
    triangles = np.r_[right.triangles[:half], right.triangles[half:, ::-1]]
    wrong = Surface(right.points, triangles)
    with pytest.raises(RangeError, match="wound alike"):
        enclosed(wrong)
    assert enclosed(repaired(wrong)).volume == pytest.approx(enclosed(right).volume)


def test_inward_parts_are_turned_each_by_itself():
    one, other = repaired(octahedron(3)), repaired(octahedron(3, centre=(0.5, 0, 0)))
    both = Surface(
        np.r_[one.points, other.points],
        np.r_[one.triangles, other.triangles[:, ::-1] + len(one.points)],
    )
    assert enclosed(both).volume == pytest.approx(0, abs=1e-12)
    assert enclosed(repaired(both)).volume == pytest.approx(2 * enclosed(one).volume)
    assert euler(both) == 4


def test_a_moebius_band_and_a_fin_are_refused():
    here = np.arange(10)
    turn = 2 * np.pi * here / 10
    arm = np.stack([np.cos(turn / 2) * np.cos(turn), np.cos(turn / 2) * np.sin(turn),
                    np.sin(turn / 2)], axis=1)  # fmt: skip
    spine = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    points = np.r_[spine - 0.3 * arm, spine + 0.3 * arm]
    a, b = np.r_[here, 10], np.r_[here + 10, 0]
    band = np.r_[np.stack([a[:-1], a[1:], b[1:]], 1), np.stack([a[:-1], b[1:], b[:-1]], 1)]
    with pytest.raises(RangeError, match="one side only"):
        repaired(Surface(points, band))
    fin = np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    with pytest.raises(RangeError, match="more than two triangles"):
        repaired(Surface(np.r_[np.eye(3), -np.eye(3)], fin))


@pytest.mark.parametrize(
    ("points", "triangles", "says"),
    [
        (np.full((3, 3), np.nan), [[0, 1, 2]], "finite"),
        (np.eye(3), np.zeros((0, 3)), "three points"),
        (np.eye(3), [[0, 1, 3]], "not there"),
        (np.zeros((3, 3)), [[0, 1, 2]], "is a line"),
    ],
)
def test_what_is_no_surface_is_refused(points, triangles, says):
    with pytest.raises(RangeError, match=says):
        repaired(Surface(points, np.array(triangles, np.int64)))


def vtk(text: str) -> Surface:
    """Legacy VTK 5.1 polydata in ASCII, millimetres in LPS."""
    words = text.split()

    def after(word: str, skip: int, count: int) -> list[str]:
        at = words.index(word) + skip
        return words[at : at + count]

    count = int(words[words.index("POINTS") + 1])
    points = np.array(after("POINTS", 3, 3 * count), float).reshape(-1, 3)
    corners = np.array(after("CONNECTIVITY", 2, int(after("POLYGONS", 2, 1)[0])), np.int64)
    return Surface(points * [-1e-3, -1e-3, 1e-3], corners.reshape(-1, 3))


@pytest.fixture(scope="module")
def hearts(shared_data):
    """Capped volume [mL] and loops of each part at each frame of a real fitted heart."""
    found = {}
    path = shared_data / "imaging/cmr_bivme/fitted_models_patient1.tar.xz"
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.endswith(".vtk") and (file := archive.extractfile(member)):
                found[member.name.rsplit("/")[-1]] = enclosed(repaired(vtk(file.read().decode())))
    return found


LV_CURVE = np.array([
    174.5, 169.4, 156.2, 140.2, 121.7, 107.0, 96.8, 82.0, 79.0, 72.0, 77.5, 80.3, 88.1, 104.3,
    119.2, 135.7, 144.8, 150.1, 150.1, 147.6, 146.1, 149.1, 154.6, 170.1, 179.0,
])  # fmt: skip


def curve(hearts, part):
    """Volumes over the beat [mL]."""
    return 1e6 * np.array(
        [hearts[f"patient1_{part}_{frame:03d}.vtk"].volume for frame in range(25)]
    )


def test_volumes_of_a_real_beating_heart(hearts):
    left, right = curve(hearts, "LV_ENDOCARDIAL"), curve(hearts, "RV_ENDOCARDIAL")
    outer = curve(hearts, "EPICARDIAL")
    assert left == pytest.approx(LV_CURVE, rel=0.01)
    assert 1 - left.min() / left.max() == pytest.approx(0.598, abs=0.002)
    assert (right.max(), right.min()) == pytest.approx((170.1, 76.7), rel=0.01)
    assert (outer[0], outer[10]) == pytest.approx((522.5, 300.7), rel=0.01)


@pytest.mark.parametrize(
    ("part", "edges", "areas"),
    [("LV_ENDOCARDIAL", [48, 24], [915, 290]), ("RV_ENDOCARDIAL", [40, 32], [1223, 311])],
)
def test_the_rims_of_a_real_heart_are_its_valves(hearts, part, edges, areas):
    rims = hearts[f"patient1_{part}_000.vtk"].loops
    assert [len(rim.points) for rim in rims] == edges
    assert [1e6 * rim.area for rim in rims] == pytest.approx(areas, rel=0.01)
