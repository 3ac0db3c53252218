"""What the page is given of pictures: values as they are, contours where the heart is cut."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from isosoma.core.study import Grid, Volume
from isosoma.imaging.cine import CineHeart, Part, heart_of
from isosoma.imaging.heart_axes import Frame
from isosoma.imaging.meshing import from_mask
from isosoma.imaging.test_reader_contours import examined
from isosoma.serve.pictures import Pictures, nearest
from isosoma.serve.pictures_api import add_routes

PHASES = np.arange(4) / 4
RADII = np.array([25.0, 20.0, 15.0, 20.0])  # [mm]


def ball(radii: np.ndarray) -> Part:
    grid = Grid((30, 30, 30), np.diag([2e-3, 2e-3, 2e-3, 1]))
    at = np.linalg.norm(np.moveaxis(np.indices(grid.shape), 0, -1) - 14.5, axis=-1)
    mesh = from_mask(at < 12, grid)
    middle = grid.to_space([14.5] * 3)
    arms = mesh.points - middle
    arms /= np.linalg.norm(arms, axis=1, keepdims=True)
    points = middle + radii[:, None, None] * 1e-3 * arms
    return Part(points, mesh.triangles, 4 / 3 * np.pi * (radii * 1e-3) ** 3)


def heart() -> CineHeart:
    part = ball(RADII)
    frame = Frame(np.zeros(3), np.eye(3))
    sigma = {"edv": 15e-6, "esv": 14e-6, "ef": 0.05, "mass": 0.02}
    return CineHeart(
        PHASES,
        frame,
        part,
        ball(RADII + 8),
        ball(RADII - 6),
        np.full(4, 0.1),
        sigma,
        0.9,
        ("a doubt",),
        "test",
    )


def volume() -> Volume:
    rng = np.random.default_rng(2)
    affine = np.diag([1e-3, 1.5e-3, 6e-3, 1])
    values = rng.uniform(-50, 300, (60, 40, 10, 4)).astype(np.float32)
    return Volume(Grid((60, 40, 10), affine), values, "1", "MR", PHASES, np.full(10, 0.8), "sax")


@pytest.fixture
def client():
    app = FastAPI()
    add_routes(app, Pictures((volume(),), heart()))
    return TestClient(app, client=("127.0.0.1", 1))


def test_a_slice_comes_back_with_the_values_it_has_at_every_phase(client):
    stack = client.get("/pictures").json()["stacks"][0]
    low, high = stack["range"]
    raw = client.get("/pictures/0/3").content
    found = np.frombuffer(raw, "<u2").reshape(4, 40, 60) / 65535 * (high - low) + low
    assert np.allclose(
        found, np.moveaxis(volume().values[:, :, 3], (2, 1, 0), (0, 1, 2)), atol=0.01
    )
    assert stack["shape"] == [60, 40, 10]
    assert stack["spacing_mm"] == [1, 1.5, 6]
    assert stack["cycle_s"] == 0.8


def test_contours_are_circles_of_the_heart_at_their_phase(client):
    told = client.get("/pictures/0/5/contours").json()
    assert set(told) == {"left", "outer", "right"}
    for radius, (loop,) in zip(RADII, told["left"], strict=True):
        at = np.array(loop) * [1, 1.5]  # [mm]
        off = 5 * 6 - 29.0
        assert np.ptp(at[:, 0]) / 2 == pytest.approx(np.sqrt(radius**2 - off**2), abs=0.3)
        assert np.ptp(at[:, 1]) / 2 == pytest.approx(np.sqrt(radius**2 - off**2), abs=0.3)
    assert all(not loops for loops in client.get("/pictures/0/0/contours").json()["left"])


def test_the_list_says_what_the_heart_rests_on(client):
    told = client.get("/pictures").json()["heart"]
    assert told["left_ml"][0] == pytest.approx(65.4, abs=0.1)
    assert told["doubts"] == ["a doubt"]
    assert told["ejection_fraction_half_width"] == 0.05


@pytest.mark.parametrize("path", ["/pictures/1/0", "/pictures/0/10", "/pictures/0/-1/contours"])
def test_a_slice_that_is_not_there_is_a_sentence(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "from 0" in answer.json()["error"]


def test_pictures_are_for_this_machine_only_and_an_empty_list_without_any():
    app = FastAPI()
    add_routes(app, None)
    here = TestClient(app, client=("127.0.0.1", 1)).get("/pictures").json()
    assert here == {"stacks": [], "heart": None, "said": "", "corrections": 0}
    assert TestClient(app, client=("10.0.0.7", 1)).get("/pictures").status_code == 403


def test_phases_are_matched_round_the_beat():
    assert nearest(np.array([0.0, 0.24, 0.97]), PHASES) == [0, 1, 0]


@pytest.fixture(scope="module")
def examination():
    """Pictures of a rendered examination, and who listens to hearts that are fitted again."""
    volumes, marks, frame = examined()
    found = heart_of(marks, frame, volumes[0].phases, 1.0, "a network")
    heard: list[CineHeart] = []
    shown = Pictures(volumes, found, told_of=heard.append)
    app = FastAPI()
    add_routes(app, shown)
    return shown, TestClient(app, client=("127.0.0.1", 1)), heard


def test_a_readers_contour_fits_the_heart_again_and_is_taken_back(examination):
    shown, client, heard = examination
    told = client.get("/pictures").json()
    assert [s["corrected"] for s in told["stacks"]] == [True] + [False] * (len(shown.volumes) - 1)
    first, k = shown.heart, shown.volumes[0].grid.shape[2] // 2
    (loop,) = client.get(f"/pictures/0/{k}/contours").json()["left"][0]
    at = np.array(loop)
    wide = at.mean(axis=0) + 1.25 * (at - at.mean(axis=0))
    body = {"phase": 0, "structure": "left", "points": wide.tolist(), "name": "R. Eader",
            "qualification": "radiologist"}  # fmt: skip
    answer = client.post(f"/pictures/0/{k}/contour", json=body).json()
    assert answer["corrections"] == 1
    assert answer["heart"]["left_ml"][0] > told["heart"]["left_ml"][0] + 1
    assert answer["heart"]["made_by"] == "a network, corrected by R. Eader, radiologist"
    assert heard == [shown.heart]
    answer = client.post(f"/pictures/0/{k}/contour", json=body | {"phase": 1}).json()
    assert answer["corrections"] == 2
    answer = client.post(f"/pictures/0/{k}/contour", json=body).json()
    assert answer["corrections"] == 2  # drawn anew, it takes the place of the older one
    client.post("/pictures/undo", json={})
    answer = client.post("/pictures/undo", json={}).json()
    assert answer["corrections"] == 0
    assert answer["heart"]["made_by"] == "a network"
    assert np.array_equal(shown.heart.left.points, first.left.points)
    assert client.post("/pictures/undo", json={}).status_code == 409


@pytest.mark.parametrize(
    ("path", "changes", "status", "said"),
    [
        ("/pictures/0/3/contour", {"name": " "}, 422, "has a name and a qualification"),
        ("/pictures/1/0/contour", {}, 422, "short axis only"),
        ("/pictures/0/3/contour", {"points": [[1, 1]]}, 422, "three corners"),
        ("/pictures/0/3/contour", {"structure": "atrium"}, 422, "no contour"),
        ("/pictures/0/3/contour", {"points": [["a", 1]]}, 422, "no contour"),
    ],
)
def test_a_contour_that_cannot_be_is_refused_and_changes_nothing(
    examination, path, changes, status, said
):
    shown, client, _ = examination
    before = shown.heart, len(shown.drawn)
    body = {"phase": 0, "structure": "left", "points": [[30, 30], [60, 30], [60, 60]],
            "name": "R. Eader", "qualification": "radiologist"}  # fmt: skip
    answer = client.post(path, json=body | changes)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert (shown.heart, len(shown.drawn)) == before
