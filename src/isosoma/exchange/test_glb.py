from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from isosoma.core.errors import RangeError
from isosoma.exchange.glb import Moving, glb, scene
from isosoma.exchange.stl import stl

POINTS = np.array([[0.01, 0, 0], [0, 0.02, 0], [0, 0, 0.03], [-0.01, -0.02, 1.5]])
TRIANGLES = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])


def read(data: bytes) -> tuple[dict, list[np.ndarray]]:
    """A GLB's document and the arrays of its accessors."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    document = json.loads(data[20 : 20 + size])
    rest, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0"
    binary = data[28 + size :]
    assert len(binary) == rest
    arrays = []
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        width = {"VEC3": 3, "SCALAR": 1}[accessor["type"]]
        dtype = {5126: "<f4", 5125: "<u4"}[accessor["componentType"]]
        assert view["byteOffset"] % 4 == 0
        array = np.frombuffer(binary, dtype, accessor["count"] * width, view["byteOffset"])
        arrays.append(array.reshape(-1, width))
    return document, arrays


def moving(count=3) -> np.ndarray:
    return np.stack([POINTS * (1 - 0.1 * k) for k in range(count)])


def upright(points):
    return points[..., [0, 2, 1]] * [-1, 1, 1]


def test_every_phase_is_read_back_upright_in_metres():
    phases = moving()
    made = glb(phases, TRIANGLES, name="LV", frame="1.2.3", source="sha256:ab")
    document, arrays = read(made)
    primitive = document["meshes"][0]["primitives"][0]
    base = arrays[primitive["attributes"]["POSITION"]]
    assert base == pytest.approx(upright(phases[0]), abs=1e-7)
    for phase, target in zip(phases[1:], primitive["targets"], strict=True):
        assert base + arrays[target["POSITION"]] == pytest.approx(upright(phase), abs=2e-7)
    assert np.array_equal(arrays[primitive["indices"]].reshape(-1, 3), TRIANGLES)
    assert document["meshes"][0]["weights"] == [0, 0]
    said = {"unit": "m", "frame_of_reference": "1.2.3", "source": "sha256:ab"}
    assert document["asset"]["extras"] == said


def test_bounds_are_those_of_the_numbers_written():
    document, arrays = read(glb(moving(), TRIANGLES, name="LV", frame="", source=""))
    for accessor, array in zip(document["accessors"][:3], arrays, strict=False):
        assert np.array_equal(np.float32(accessor["min"]), array.min(axis=0))
        assert np.array_equal(np.float32(accessor["max"]), array.max(axis=0))


def test_what_stands_still_has_no_targets_and_turns_without_mirroring():
    document, arrays = read(glb(POINTS[None], TRIANGLES, name="aorta", frame="", source=""))
    assert "targets" not in document["meshes"][0]["primitives"][0]
    a, b, c = (arrays[0][k] - arrays[0][3] for k in range(3))
    mine = np.linalg.det(POINTS[:3] - POINTS[3])
    assert np.linalg.det([a, b, c]) == pytest.approx(mine, rel=1e-4)


def test_an_organ_is_below_a_megabyte():
    points = np.zeros((13_562 // 2 + 2, 3))
    triangles = np.arange(13_562 * 3).reshape(-1, 3) % len(points)
    made = glb(points[None], triangles, name="aorta", frame="", source="")
    assert 12 * len(triangles) + 12 * len(points) < len(made) < 1_000_000


def test_stl_is_read_back_in_millimetres():
    made = stl(POINTS, TRIANGLES)
    assert b"unit mm" in made[:80]
    assert not made.startswith(b"solid")
    assert struct.unpack_from("<I", made, 80) == (4,)
    assert len(made) == 84 + 4 * 50
    for k, triangle in enumerate(TRIANGLES):
        numbers = np.array(struct.unpack_from("<12f", made, 84 + 50 * k)).reshape(4, 3)
        assert numbers[1:] == pytest.approx(POINTS[triangle] * 1e3, abs=1e-4)
        assert np.linalg.norm(numbers[0]) == pytest.approx(1)
        sides = numbers[2:] - numbers[1]
        assert np.dot(numbers[0], np.cross(*sides)) > 0


@pytest.mark.parametrize(
    "wrong", [np.array([[0, 1, 4]]), np.zeros((0, 3), int), np.array([[0, 1]])]
)
def test_what_is_no_surface_is_not_written(wrong):
    with pytest.raises(RangeError, match="not there"):
        stl(POINTS, wrong)
    with pytest.raises(RangeError, match="not there"):
        glb(POINTS[None], wrong, name="", frame="", source="")
    with pytest.raises(RangeError, match="finite"):
        glb(POINTS[None] * np.nan, TRIANGLES, name="", frame="", source="")
    with pytest.raises(RangeError, match="phase"):
        glb(POINTS, TRIANGLES, name="", frame="", source="")


def shares(data: bytes) -> tuple[dict, list[np.ndarray]]:
    """A quantised GLB's document, and its blocks as normalised numbers or indices."""
    size = struct.unpack_from("<I", data, 12)[0]
    document, binary = json.loads(data[20 : 20 + size]), data[28 + size :]
    arrays = []
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        if accessor["componentType"] == 5123:
            arrays.append(np.frombuffer(binary, "<u2", accessor["count"], view["byteOffset"]))
            continue
        assert (accessor["componentType"], accessor["normalized"]) == (5122, True)
        assert (view["byteStride"], view["byteOffset"] % 4) == (8, 0)
        rows = np.frombuffer(binary, "<i2", 4 * accessor["count"], view["byteOffset"])
        arrays.append(rows.reshape(-1, 4)[:, :3] / 32767)
    return document, arrays


def test_a_scene_moves_every_part_within_two_micrometres():
    heart = moving() * 0.05
    parts = [Moving("left", heart, TRIANGLES), Moving("right", heart + 0.03, TRIANGLES)]
    document, arrays = shares(scene(parts, {"phases": [0, 0.3, 0.6]}))
    assert document["extensionsRequired"] == ["KHR_mesh_quantization"]
    assert document["asset"]["extras"] == {"unit": "m", "phases": [0, 0.3, 0.6]}
    for node, part in zip(document["nodes"], parts, strict=True):
        mesh = document["meshes"][node["mesh"]]
        assert node["name"] == mesh["name"] == part.name
        primitive = mesh["primitives"][0]
        base = arrays[primitive["attributes"]["POSITION"]]
        for k, phase in enumerate(part.phases):
            moved = base + (arrays[primitive["targets"][k - 1]["POSITION"]] if k else 0)
            placed = moved * node["scale"] + node["translation"]
            assert placed == pytest.approx(upright(phase), abs=2e-6)
        assert np.array_equal(arrays[primitive["indices"]].reshape(-1, 3), TRIANGLES)


def test_a_scene_of_unlike_phases_is_refused():
    parts = [Moving("left", moving(3), TRIANGLES), Moving("right", moving(2), TRIANGLES)]
    with pytest.raises(RangeError, match="unlike phases"):
        scene(parts, {})
