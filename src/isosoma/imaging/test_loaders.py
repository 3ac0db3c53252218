"""Others' networks in their real layouts: tiny ONNX ones run, the rest is read or refused.

`tests/test_loaders_run.py` runs the rest where its packages are installed.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from isosoma.core.errors import AccessError, FormatError, LimitError, RangeError
from isosoma.core.study import Grid, Volume
from isosoma.imaging.load_monai import read_monai
from isosoma.imaging.load_nnunet import from_ras, read_nnunet, to_ras
from isosoma.imaging.load_totalsegmentator import weights_of
from isosoma.imaging.loaders import kind_of, load_model
from isosoma.imaging.model_recipe import digest
from isosoma.imaging.user_network import Normalisation, Recipe, model_grid, segment_with
from tests.onnx_files import write_convolution

SIDECAR = """
name = "bright things"
labels = ["", "bright"]
spacing_mm = [2.0, 2.0, 2.0]
orientation = "RAS"
window = [16, 16, 16]
[normalisation]
low = -100.0
high = 300.0
shift = 100.0
scale = 100.0
"""


def _lps(shape: tuple[int, int, int] = (40, 36, 20)) -> Grid:
    """Return a grid whose axes go left, back and up, slices thick."""
    affine = np.diag([-1.2e-3, -1.0e-3, 2.5e-3, 1.0])
    affine[:3, 3] = [0.02, 0.03, -0.01]
    return Grid(shape, affine)


def _ball(grid: Grid, offset: float = 0.0) -> np.ndarray:
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    middle = grid.to_space(np.array(grid.shape) / 2) + np.array([offset, 0, 0])
    return np.linalg.norm(grid.to_space(index) - middle, axis=-1) < 10e-3


def _volume(values: np.ndarray, grid: Grid) -> Volume:
    return Volume(grid, values.astype(np.float32)[..., None], "HU", "CT")


def _bright(folder: Path, sidecar: str = SIDECAR, classes: int = 2) -> Path:
    """Write a network that calls bright what lies above the middle of its scaled values."""
    kernel, bias = np.zeros((classes, 1, 1, 1, 1)), np.zeros(classes)
    kernel[1] = 8.0
    (folder / "bright.toml").write_text(sidecar)
    return write_convolution(folder / "bright.onnx", kernel, bias)


def test_an_onnx_network_segments_on_the_images_own_grid(tmp_path: Path) -> None:
    path, grid = _bright(tmp_path), _lps()
    ball = _ball(grid, 4e-3)
    found = load_model(path)(_volume(np.where(ball, 300.0, -100.0), grid))
    assert found.labels.shape == grid.shape
    mask = found.mask("bright")
    assert 2 * (mask & ball).sum() / (mask.sum() + ball.sum()) > 0.95
    assert found.probability[ball].mean() > 0.85
    assert 0.5 <= found.probability.min() <= found.probability.max() <= 1
    assert found.made_by == f"bright things, weights {digest(path)}"
    assert found.problems == ()


def test_the_networks_axes_are_the_bodys_not_the_arrays(tmp_path: Path) -> None:
    """The kernel asks where values rise to the right; the image's first axis goes to the left."""
    kernel = np.zeros((2, 1, 3, 1, 1))
    kernel[1, 0, :, 0, 0] = [-8.0, 0.0, 8.0]
    # Scaled to 0 outside the ball: a convolution sees zeros beyond its window's rim.
    zeroed = SIDECAR.replace('"bright"', '"rises"').replace("shift = 100.0", "shift = -100.0")
    (tmp_path / "rises.toml").write_text(zeroed)
    path = write_convolution(tmp_path / "rises.onnx", kernel, np.array([0.0, -2.0]))
    grid = _lps()
    found = load_model(path)(_volume(np.where(_ball(grid), 300.0, -100.0), grid))
    middle = grid.to_space(np.array(grid.shape) / 2)
    places = grid.to_space(np.argwhere(found.mask("rises")))
    assert places[:, 0].max() < middle[0]  # the left half of the ball's rim rises to the right


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SAR", "PIL"])
def test_the_networks_grid_covers_the_image_in_any_orientation(orientation: str) -> None:
    recipe = Recipe(("", "a"), (2e-3, 3e-3, 4e-3), orientation, (8, 8, 8), Normalisation(), "x")
    grid = _lps()
    inner = model_grid(grid, recipe)
    axes = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    for column, letter in enumerate(orientation):
        axis, sign = axes[letter]
        assert inner.affine[axis, column] * sign == pytest.approx((2e-3, 3e-3, 4e-3)[column])
    extent = [np.sort(g.to_space([np.full(3, -0.5), np.array(g.shape) - 0.5]), axis=0)
              for g in (grid, inner)]  # fmt: skip
    assert np.abs(extent[0] - extent[1]).max() < 2.1e-3


def test_an_image_smaller_than_the_window_is_padded(tmp_path: Path) -> None:
    path, grid = _bright(tmp_path), _lps((20, 20, 6))
    ball = _ball(grid)
    found = load_model(path)(_volume(np.where(ball, 300.0, -100.0), grid))
    assert (found.mask("bright") == ball).mean() > 0.95


def test_windows_leave_no_seam() -> None:
    recipe = Recipe(("", "a"), None, "RAS", (8, 8, 8), Normalisation(), "x")
    grid = Grid((21, 13, 9), np.diag([1e-3, 1e-3, 1e-3, 1.0]))
    values = np.random.default_rng(1).uniform(0, 1, grid.shape)
    found = segment_with(
        _volume(values, grid), recipe, lambda w: np.concatenate([1 - w[0], w[0]])
    )  # fmt: skip
    assert (found.mask("a") == (values > 0.5)).mean() > 0.999


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("window = [16, 16, 16]", ""), "missing or of the wrong kind"),
        (("[16, 16, 16]", "[16, 16]"), "missing or of the wrong kind"),
        (("[2.0, 2.0, 2.0]", "[2000, 2000, 2000]"), "millimetres"),
        (('"RAS"', '"RAX"'), "orientation 'RAX'"),
        (('["", "bright"]', '["", ""]'), "of which 1 differ"),
        (("name =", "nmae ="), "unknown keys nmae"),
        (("name =", "name"), "no TOML"),
        (("window", 'activation = "relu"\nwindow'), "activation 'relu'"),
    ],
)
def test_a_wrong_sidecar_ends_in_a_sentence(
    tmp_path: Path, edit: tuple[str, str], said: str
) -> None:
    path = _bright(tmp_path, SIDECAR.replace(*edit))
    with pytest.raises(FormatError, match=said) as told:
        load_model(path)
    assert "bright.toml" in str(told.value)


def test_networks_that_are_none_end_in_a_sentence(tmp_path: Path) -> None:
    path = _bright(tmp_path)
    grid = _lps()
    with pytest.raises(RangeError, match="same everywhere"):
        load_model(path)(_volume(np.zeros(grid.shape), grid))
    vast = Volume(Grid((4000, 4000, 4000), grid.affine), np.zeros((2, 1, 1, 1), np.float32))
    vast.values[1] = 1
    with pytest.raises(LimitError, match="voxels of 2 classes"):
        load_model(path)(vast)
    three = _bright(tmp_path, classes=3)
    with pytest.raises(FormatError, match="ask for 2 classes"):
        load_model(three)(_volume(np.where(_ball(grid), 1.0, 0.0), grid))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FormatError, match="cannot load it"):
        load_model(path)
    (tmp_path / "bright.toml").unlink()
    with pytest.raises(FormatError, match=r"no bright\.toml beside it"):
        load_model(path)
    with pytest.raises(FormatError, match="no model that is known"):
        kind_of(tmp_path / "nothing")


def _nnunet(folder: Path, name: str = "Dataset042_Liver", **changes: object) -> Path:
    """Write a trained-model folder as nnU-Net v2 lays it out."""
    model = folder / name / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    (model / "fold_0").mkdir(parents=True)
    dataset = {
        "channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "tumour": 2},
        "numTraining": 131, "file_ending": ".nii.gz",
    } | changes  # fmt: skip
    plan = {
        "spacing": [2.5, 0.8, 0.7], "patch_size": [64, 128, 128],
        "normalization_schemes": ["CTNormalization"],
    }  # fmt: skip
    plans = {"dataset_name": "Dataset042_Liver", "configurations": {"3d_fullres": plan}}
    (model / "dataset.json").write_text(json.dumps(dataset))
    (model / "plans.json").write_text(json.dumps(plans))
    (model / "fold_0/checkpoint_final.pth").write_bytes(b"weights")
    return model


def test_an_nnunet_folder_is_read_and_its_extra_is_named(tmp_path: Path) -> None:
    folder = _nnunet(tmp_path)
    model = read_nnunet(folder)
    assert model.names == ("", "liver", "tumour")
    assert model.folds == (0,)
    weights = digest(folder / "fold_0/checkpoint_final.pth")
    assert model.made_by == f"Dataset042_Liver 3d_fullres, weights {weights}"
    assert kind_of(folder) == "nnunet"
    if importlib.util.find_spec("nnunetv2") is None:
        with pytest.raises(FormatError, match=r"isosoma\[nnunet\]"):
            load_model(folder, trusted=True)


def test_nnunet_folders_that_cannot_be_run_are_refused(tmp_path: Path) -> None:
    two = _nnunet(tmp_path / "a", channel_names={"0": "T1", "1": "T2"})
    with pytest.raises(FormatError, match="2 channels"):
        read_nnunet(two)
    regions = _nnunet(tmp_path / "b", labels={"background": 0, "whole": [1, 2], "core": 2})
    with pytest.raises(FormatError, match="region-based"):
        read_nnunet(regions)
    ignoring = _nnunet(tmp_path / "d", labels={"background": 0, "liver": 1, "ignore": 2})
    assert read_nnunet(ignoring).names == ("", "liver")
    plans = json.loads((ignoring / "plans.json").read_text())
    plans["configurations"]["3d_fullres"]["previous_stage"] = "3d_lowres"
    (ignoring / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(FormatError, match="second stage of a cascade, after 3d_lowres"):
        read_nnunet(ignoring)
    empty = _nnunet(tmp_path / "c")
    (empty / "fold_0/checkpoint_final.pth").unlink()
    with pytest.raises(FormatError, match="no fold holds"):
        read_nnunet(empty)
    (empty / "plans.json").write_text("[1, 2")
    with pytest.raises(FormatError, match="no JSON"):
        read_nnunet(empty)


def test_turning_to_ras_is_undone() -> None:
    affine = np.zeros((4, 4))
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = -1e-3, 2e-3, -3e-3, 1
    values = np.random.default_rng(1).uniform(0, 1, (3, 4, 5))
    turned, order, flipped = to_ras(_volume(values, Grid((3, 4, 5), affine)))
    assert turned.shape == (4, 5, 3)
    assert turned[1, 0, 0] == np.float32(values[2, 1, 4])
    assert (from_ras(turned, order, flipped) == values.astype(np.float32)).all()


def test_totalsegmentators_weights_are_found_and_its_extra_is_named(tmp_path: Path) -> None:
    model = _nnunet(tmp_path)
    assert kind_of(tmp_path) == "totalsegmentator"
    with pytest.raises(FormatError, match="no Dataset297"):
        weights_of(tmp_path)
    for n, switch in ((298, {"fastest": True}), (291, {"fastest": True}), (297, {"fast": True})):
        shutil.copytree(model.parent, tmp_path / f"Dataset{n}_TotalSegmentator_part_1559subj")
        models, asked = weights_of(tmp_path)  # 291 is one of five
        assert asked == switch
        assert models[0].names[1] == "liver"
    if importlib.util.find_spec("totalsegmentator") is None:
        with pytest.raises(FormatError, match=r"isosoma\[totalsegmentator\]"):
            load_model(tmp_path, trusted=True)
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "Dataset297.zip").write_bytes(b"PK")
    with pytest.raises(FormatError, match="unpack it"):
        weights_of(packed)


def _bundle(folder: Path, *more: dict[str, object]) -> Path:
    """Write a MONAI bundle as its examples are laid out."""
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True)
    ends = {
        "inputs": {"image": {"num_channels": 1, "spatial_shape": [96, 96, 64]}},
        "outputs": {"pred": {"channel_def": {"0": "background", "1": "spleen"}}},
    }
    meta = {"name": "Spleen", "version": "0.5.3", "network_data_format": ends}
    steps: list[dict[str, object]] = [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "LPS"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.5, 2.0]},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": -57, "a_max": 164,
         "b_min": 0, "b_max": 1, "clip": True},
        *more,
    ]  # fmt: skip
    (folder / "configs/metadata.json").write_text(json.dumps(meta))
    chain = {"preprocessing": {"_target_": "Compose", "transforms": steps}}
    (folder / "configs/inference.json").write_text(json.dumps(chain))
    (folder / "models/model.ts").write_bytes(b"script")
    return folder


def test_a_monai_bundle_is_read_and_its_extra_is_named(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "spleen")
    bundle = read_monai(folder)
    recipe, weights = bundle.recipe, bundle.weights
    assert bundle.activation == "softmax"
    assert recipe.names == ("", "spleen")
    assert recipe.spacing == pytest.approx((1.5e-3, 1.5e-3, 2e-3))
    assert (recipe.orientation, recipe.window) == ("LPS", (96, 96, 64))
    values = np.array([-200.0, -57, 53.5, 164, 900], np.float32)
    assert recipe.normalisation.apply(values) == pytest.approx([0, 0, 0.5, 1, 1])
    assert recipe.made_by == f"Spleen 0.5.3, weights {digest(weights)}"
    if importlib.util.find_spec("torch") is None:
        with pytest.raises(FormatError, match=r"isosoma\[monai\]"):
            load_model(folder, trusted=True)


def test_a_bundle_with_a_step_that_is_not_done_here_is_refused(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "odd", {"_target_": "monai.transforms.NormalizeIntensityd"})
    with pytest.raises(FormatError, match="NormalizeIntensityd"):
        read_monai(folder)
    (folder / "models/model.ts").unlink()
    with pytest.raises(FormatError, match="neither models"):
        read_monai(folder)


def _edited(folder: Path, **parts: object) -> Path:
    """Put parts into a bundle's inference."""
    path = folder / "configs/inference.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))
    return folder


def test_a_bundles_references_are_followed_and_its_expressions_are_not(tmp_path: Path) -> None:
    steps: list[dict[str, object]] = [
        {"_target_": "Spacingd", "keys": "image", "pixdim": "@sizes::pixdim"},
        {"_target_": "NormalizeIntensityd", "_disabled_": True},
    ]
    chain = {"_target_": "Compose", "transforms": steps}
    sizes: dict[str, object] = {"pixdim": "@fine", "roi": [64, 32, "@sizes#last"], "last": 16}
    folder = _edited(
        _bundle(tmp_path / "refers"), preprocessing=chain, sizes=sizes, fine=[2.0, 2.0, 3.0],
        inferer={"_target_": "SlidingWindowInferer", "roi_size": "@sizes::roi"},
    )  # fmt: skip
    recipe = read_monai(folder).recipe
    assert recipe.spacing == pytest.approx((2e-3, 2e-3, 3e-3))
    assert recipe.window == (64, 32, 16)
    for wrong in ("$[1.0, 1.0, 1.0]", "@sizes::pixdim", "@nowhere"):
        _edited(folder, sizes=sizes | {"pixdim": wrong})
        with pytest.raises(FormatError, match=r"refers: its configs lack .*expressions"):
            read_monai(folder)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"postprocessing": {"transforms": [{"_target_": "Activationsd"}]}}, "neither one softmax"),
        (
            {"postprocessing": {"transforms": [
                {"_target_": "Activationsd", "sigmoid": True},
                {"_target_": "AsDiscreted", "threshold": 0.3},
            ]}},
            "cuts its sigmoid at 0.3",
        ),
        (
            {"preprocessing": {"transforms": [
                {"_target_": "Spacingd", "pixdim": [1, 1, 2]},
                {"_target_": "Orientationd", "axcodes": "RAS"},
            ]}},
            "before Orientationd",
        ),
        ({"preprocessing": {"transforms": [{"_target_": "Spacingd", "pixdim": [1, 1, 1]}] * 2}},
         "comes twice"),
        ({"preprocessing": {"transforms": [{"_target_": "Spacingd", "pixdim": [1, 1, -1]}]}},
         "a spacing of"),
    ],
)  # fmt: skip
def test_a_bundle_that_would_be_run_wrongly_is_refused(
    tmp_path: Path, parts: dict[str, object], said: str
) -> None:
    with pytest.raises(FormatError, match=said) as told:
        read_monai(_edited(_bundle(tmp_path / "wrong"), **parts))
    assert "wrong" in str(told.value)


def test_what_a_bundle_does_after_its_network_and_we_do_not_is_told(tmp_path: Path) -> None:
    after = {"transforms": [{"_target_": "KeepLargestConnectedComponentd"}]}
    folder = _edited(_bundle(tmp_path / "mends"), postprocessing=after)
    assert "without its KeepLargestConnectedComponentd" in read_monai(folder).recipe.made_by
    path = folder / "configs/metadata.json"
    meta = json.loads(path.read_text())
    meta["network_data_format"]["outputs"]["pred"]["num_channels"] = 2
    path.write_text(json.dumps(meta))
    sigmoid = {"transforms": [{"_target_": "Activationsd", "sigmoid": True}]}
    with pytest.raises(FormatError, match="may overlap"):
        read_monai(_edited(folder, postprocessing=sigmoid))


def test_what_a_model_brings_is_run_only_where_the_user_says_that_it_is_trusted(
    tmp_path: Path,
) -> None:
    script = _bundle(tmp_path / "script")
    weights = _bundle(tmp_path / "weights")
    (weights / "models/model.ts").rename(weights / "models/model.pt")
    chain = json.loads((weights / "configs/inference.json").read_text())
    trap = tmp_path / "trap"
    chain["network_def"] = f"$__import__('pathlib').Path({str(trap)!r}).touch()"
    (weights / "configs/inference.json").write_text(json.dumps(chain))
    folder = _nnunet(tmp_path / "weights of TotalSegmentator", "Dataset297_TotalSegmentator")
    for path, what in (
        (script, "runs its TorchScript"),
        (weights, "runs the class that its network_def names"),
        (folder, "its checkpoints are pickles"),
        (folder.parents[1], "its checkpoints are pickles"),
    ):
        with pytest.raises(AccessError, match=what) as told:
            load_model(path)
        assert "--trust-model" in str(told.value)
        assert path.name in str(told.value)
    assert not trap.exists()


def test_one_score_of_a_sigmoid_is_two_classes(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(SIDECAR.replace("window", 'activation = "sigmoid"\nwindow'))
    path = write_convolution(tmp_path / "one.onnx", np.full((1, 1, 1, 1, 1), 8.0), np.zeros(1))
    grid = _lps()
    ball = _ball(grid)
    found = load_model(path)(_volume(np.where(ball, 300.0, -100.0), grid)).mask("bright")
    assert 2 * (found & ball).sum() / (found.sum() + ball.sum()) > 0.95
