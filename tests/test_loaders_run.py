"""Others' networks run by the packages that made them, with weights whose answer is known.

Each network thresholds the image into three labels after it has moved it by one voxel along its
own last or first axis, so that an axis that is turned wrongly, or not turned back, is seen. These
packages are optional: without them the tests are skipped.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import softmax

from isosoma.core.errors import FormatError
from isosoma.core.study import Grid, Volume
from isosoma.exchange.nifti import read_nifti, write_nifti
from isosoma.imaging.loaders import load_model
from isosoma.imaging.segmentation import Segmentation
from isosoma.serve.cli import main

# What these packages warn their own makers of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

LOW, HIGH, SLOPE = 60.0, 180.0, 0.1  # thresholds [HU], and how fast scores rise [1/HU]


_HALF = 1e-2  # of a probability: nnU-Net keeps scores in half precision


def _have(package: str) -> Any:
    return pytest.importorskip(package, reason=f"the optional extra with {package} is not here")


def _grid(shape: tuple[int, int, int], steps: tuple[float, float, float], tilt: float) -> Grid:
    """Return a grid whose axes go down, to the left and back, tilted about an oblique axis."""
    down_left_back = np.array([[0.0, -1, 0], [0, 0, -1], [-1, 0, 0]])
    x, y, z = np.array([1.0, 2.0, 2.0]) / 3
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + np.sin(tilt) * cross + (1 - np.cos(tilt)) * cross @ cross
    affine = np.eye(4)
    affine[:3, :3] = turn @ down_left_back * np.array(steps) * 1e-3
    affine[:3, 3] = [0.03, -0.02, 0.11]
    return Grid(shape, affine)


def _noise(grid: Grid) -> Volume:
    values = np.random.default_rng(3).uniform(-100, 340, grid.shape)
    return Volume(grid, values.astype(np.float32)[..., None], "HU", "CT")


def _smooth(grid: Grid) -> Volume:
    """Return a field without symmetry that changes over centimetres."""
    white = np.random.default_rng(4).normal(0, 1, grid.shape)
    width = 9e-3 / grid.spacing
    field = gaussian_filter(white, width)
    values = 120 + 110 * field / field.std()
    return Volume(grid, values.astype(np.float32)[..., None], "HU", "CT")


def _answer(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and their probability as the network's three scores say."""
    first = SLOPE * (values - LOW)
    scores = np.stack([np.zeros_like(first), first, first + SLOPE * (values - HIGH)])
    share = softmax(scores, axis=0)
    return scores.argmax(axis=0), share.max(axis=0)


def _to_the_right(values: np.ndarray) -> np.ndarray:
    """Return what lies one voxel further to the right: `_grid` counts its second axis leftwards."""
    return np.concatenate([values[:, :1], values[:, :-1]], axis=1)


def _same(found: Segmentation, volume: Volume, *, moved: bool, within: float = 2e-3) -> None:
    """Hold labels and probabilities voxel by voxel, but for the rim that a moved image lacks."""
    values = volume.values[..., 0].astype(float)
    labels, share = _answer(_to_the_right(values) if moved else values)
    inner = (slice(None), slice(2, -2) if moved else slice(None))
    sure = np.abs(share[inner] - found.probability[inner]) < within
    assert sure.all()
    clear = np.minimum(abs(values - LOW), abs(values - HIGH)) > 0.5
    clear = (_to_the_right(clear) if moved else clear)[inner]
    assert (labels[inner] == found.labels[inner])[clear].all()
    assert set(np.unique(found.labels)) == {0, 1, 2}


def _agreement(found: Segmentation, volume: Volume) -> float:
    """Return the share of voxels that are labelled as their own value says."""
    return float((found.labels == _answer(volume.values[..., 0])[0]).mean())


def _scores(shift: float, scale: float, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and offset of each class's score of a scaled image."""
    slope = np.array([0.0, SLOPE, 2 * SLOPE] + [0.0] * (classes - 3))
    offset = np.array([0.0, -LOW, -LOW - HIGH] + [0.0] * (classes - 3)) * SLOPE
    offset[3:] = -200.0  # nnU-Net adds up windows in half precision
    return slope * scale, offset + slope * shift


# --- MONAI ---------------------------------------------------------------------------------------


def _bundle(folder: Path, kind: str, *, moved: bool, pixdim: list[float] | None = None) -> Path:
    """Write a bundle as MONAI's model zoo lays it out, one convolution in `models/`."""
    torch = _have("torch")
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True)
    names = {"0": "background", "1": "liver", "2": "tumour"}
    data = {
        "inputs": {"image": {"num_channels": 1, "spatial_shape": ["16*n", "16*n", "16*n"]}},
        "outputs": {"pred": {"num_channels": 3, "channel_def": names}},
    }
    meta = {"name": "Thresholds", "version": "0.1.0", "network_data_format": data}
    steps: list[dict[str, Any]] = [
        {"_target_": "LoadImaged", "keys": "@image_key"},
        {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
        {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
        {"_target_": "Spacingd", "keys": "@image_key", "pixdim": "@pixdim", "mode": "bilinear"},
        {"_target_": "ScaleIntensityRanged", "keys": "@image_key", "a_min": -200, "a_max": 440,
         "b_min": 0, "b_max": 1, "clip": True},
        {"_target_": "EnsureTyped", "keys": "@image_key"},
    ]  # fmt: skip
    after = [
        {"_target_": "Activationsd", "keys": "pred", "softmax": True},
        {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing",
         "orig_keys": "@image_key", "nearest_interp": False, "to_tensor": True},
        {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
    ]  # fmt: skip
    chain = {
        "imports": ["$import glob"],
        "image_key": "image",
        "pixdim": pixdim,
        "device": "$torch.device('cpu')",
        "network_def": {
            "_target_": "torch.nn.Conv3d", "in_channels": 1, "out_channels": 3,
            "kernel_size": 3, "padding": 1,
        },
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [s for s in steps if pixdim or s["_target_"] != "Spacingd"],
        },
        "inferer": {
            "_target_": "SlidingWindowInferer", "roi_size": [32, 32, 32], "overlap": 0.5,
            "mode": "gaussian", "padding_mode": "replicate",
        },
        "postprocessing": {"_target_": "Compose", "transforms": after},
    }  # fmt: skip
    (folder / "configs/metadata.json").write_text(json.dumps(meta))
    (folder / "configs/inference.json").write_text(json.dumps(chain))
    network = torch.nn.Conv3d(1, 3, 3, padding=1)
    slope, offset = _scores(-200.0, 640.0)
    with torch.no_grad():
        network.weight.zero_()
        network.weight[:, 0, 2 if moved else 1, 1, 1] = torch.from_numpy(slope)
        network.bias[:] = torch.from_numpy(offset)
    if kind == "script":
        torch.jit.trace(network.eval(), torch.zeros(1, 1, 8, 8, 8)).save(
            str(folder / "models/model.ts")
        )
    else:
        kept = network.state_dict()
        torch.save({"model": kept} if kind == "model" else kept, str(folder / "models/model.pt"))
    return folder


@pytest.mark.parametrize("kind", ["script", "weights", "model"])
def test_a_monai_bundle_labels_the_images_own_voxels(tmp_path: Path, kind: str) -> None:
    _have("torch" if kind == "script" else "monai")
    volume = _noise(_grid((14, 19, 23), (2.5, 1.2, 0.9), 0.15))
    folder = _bundle(tmp_path / "bundle", kind, moved=True)
    found = load_model(folder, trusted=True)(volume)
    assert found.names == ("", "liver", "tumour")
    assert found.made_by.startswith("Thresholds 0.1.0, weights ")
    _same(found, volume, moved=True)


def test_a_monai_bundle_resamples_as_monai_does(tmp_path: Path) -> None:
    """Held against the bundle's own steps, window and inverse as MONAI runs them."""
    _have("monai")
    grid = _grid((20, 44, 52), (3.0, 1.2, 1.0), 0.12)
    volume = _smooth(grid)
    folder = _bundle(tmp_path / "bundle", "weights", moved=False, pixdim=[1.5, 1.5, 2.0])
    found = load_model(folder, trusted=True)(volume)
    assert _agreement(found, volume) > 0.97
    write_nifti(tmp_path / "image.nii.gz", volume)
    theirs = _as_monai_runs_it(folder, tmp_path / "image.nii.gz")
    assert (found.labels == theirs).mean() > 0.99


def _as_monai_runs_it(folder: Path, image: Path) -> np.ndarray:
    torch = _have("torch")
    parser = _have("monai.bundle").ConfigParser()
    parser.read_config(str(folder / "configs/inference.json"))
    network, before, inferer, after = (
        parser.get_parsed_content(n)
        for n in ("network", "preprocessing", "inferer", "postprocessing")
    )
    network.load_state_dict(torch.load(str(folder / "models/model.pt"), weights_only=True))
    data = before({"image": str(image)})
    with torch.no_grad():
        data["pred"] = inferer(data["image"][None], network.eval())[0]
    return np.asarray(after(data)["pred"][0])


def test_windows_of_a_bundle_leave_no_seam(tmp_path: Path) -> None:
    _have("torch")
    volume = _noise(_grid((50, 41, 37), (2.5, 1.2, 0.9), 0.0))
    found = load_model(_bundle(tmp_path / "bundle", "script", moved=False), trusted=True)(volume)
    _same(found, volume, moved=False)


def test_one_score_under_a_sigmoid_is_one_label(tmp_path: Path) -> None:
    torch = _have("torch")
    folder = _bundle(tmp_path / "bundle", "script", moved=False)
    network = torch.nn.Conv3d(1, 1, 1)
    slope, offset = _scores(-200.0, 640.0)
    with torch.no_grad():
        network.weight[:], network.bias[:] = float(slope[1]), float(offset[1])
    traced = torch.jit.trace(network.eval(), torch.zeros(1, 1, 8, 8, 8))
    traced.save(str(folder / "models/model.ts"))
    _edit(folder / "configs/metadata.json", ["network_data_format", "outputs", "pred"],
          {"num_channels": 1, "channel_def": {"0": "liver"}})  # fmt: skip
    _edit(folder / "configs/inference.json", ["postprocessing", "transforms", 0],
          {"_target_": "Activationsd", "keys": "pred", "sigmoid": True})  # fmt: skip
    volume = _noise(_grid((14, 19, 23), (2.5, 1.2, 0.9), 0.15))
    found = load_model(folder, trusted=True)(volume)
    values = volume.values[..., 0]
    clear = abs(values - LOW) > 0.5
    assert ((values > LOW) == found.mask("liver"))[clear].all()


def test_networks_of_a_bundle_that_fail_end_in_a_sentence(tmp_path: Path) -> None:
    torch = _have("torch")
    folder = _bundle(tmp_path / "bundle", "script", moved=False)
    (folder / "models/model.ts").write_bytes(b"script")
    with pytest.raises(FormatError, match="the code that runs it fails") as told:
        load_model(folder, trusted=True)
    assert "bundle" in str(told.value)
    (folder / "models/model.ts").unlink()
    _have("monai")
    torch.save(torch.nn.Conv3d(1, 2, 3).state_dict(), str(folder / "models/model.pt"))
    with pytest.raises(FormatError, match="RuntimeError: Error"):
        load_model(folder, trusted=True)


def _edit(path: Path, keys: list[Any], value: Any) -> None:
    whole = json.loads(path.read_text())
    table = whole
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]] = value
    path.write_text(json.dumps(whole))


def test_a_bundle_is_run_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _have("torch")
    folder = _bundle(tmp_path / "bundle", "script", moved=True)
    _command(folder, _noise(_grid((14, 19, 23), (2.5, 1.2, 0.9), 0.15)), tmp_path, capsys)


def _command(model: Path, volume: Volume, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run `isosoma image segment` and hold its files against the network's own answer."""
    write_nifti(folder / "image.nii.gz", volume)
    volume = read_nifti(folder / "image.nii.gz")
    out = folder / "out"
    command = ["image", "segment", str(folder / "image.nii.gz"), "--with", str(model)]
    assert main([*command, "--out", str(out), "--trust-model", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    labels, share = read_nifti(out / "labels.nii.gz"), read_nifti(out / "probability.nii.gz")
    kept = json.loads((out / "segmentation.json").read_text())
    assert kept["labels"] == {"1": "liver", "2": "tumour"}
    assert np.allclose(labels.grid.affine, volume.grid.affine, atol=1e-8)
    found = Segmentation(
        labels.grid, labels.values[..., 0].astype(np.uint8), ("", "liver", "tumour"),
        share.values[..., 0], 1.0, (), "",
    )  # fmt: skip
    _same(found, volume, moved=True, within=_HALF)
    assert told["volumes_ml"]["liver"] == pytest.approx(found.volume("liver") * 1e6, abs=1e-3)


# --- nnU-Net v2 ----------------------------------------------------------------------------------


def _trained(
    root: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool, spacing: list[float],
    dataset: str = "Dataset042_Liver", labels: dict[str, int] | None = None,
    trainer: str = "nnUNetTrainer", fold: int | str = 0,
) -> Path:  # fmt: skip
    """Let a trainer of nnU-Net's own write a checkpoint of a network with known weights."""
    torch = _have("torch")
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.setenv(name, str(root / "training"))
    case = (
        root / "training" / dataset / "nnUNetPlans_3d_fullres/case.b2nd"
    )  # a trainer looks for it
    case.parent.mkdir(parents=True, exist_ok=True)
    case.touch()
    labels = labels or {"background": 0, "liver": 1, "tumour": 2}
    described = {
        "channel_names": {"0": "CT"}, "labels": labels, "numTraining": 9, "file_ending": ".nii.gz",
    }  # fmt: skip
    plans = _plans(dataset, spacing)
    finder = _have("nnunetv2.utilities.find_objects")
    made = finder.recursive_find_trainer_class_by_name(trainer)(
        plans | {"continue_training": False}, "3d_fullres", fold, described, torch.device("cpu")
    )
    made.initialize()
    _set_weights(made.network, len(labels), moved=moved)
    folder = root / dataset / f"{trainer}__nnUNetPlans__3d_fullres"
    (folder / f"fold_{fold}").mkdir(parents=True, exist_ok=True)
    made.inference_allowed_mirroring_axes = None if moved else made.inference_allowed_mirroring_axes
    made.save_checkpoint(str(folder / f"fold_{fold}/checkpoint_final.pth"))
    (folder / "dataset.json").write_text(json.dumps(described))
    (folder / "plans.json").write_text(json.dumps(plans))
    return folder


def _plans(dataset: str, spacing: list[float]) -> dict[str, Any]:
    """Return plans as nnU-Net v2 writes them, of a network of two stages without normalisation."""
    conv = "torch.nn.modules.conv.Conv3d"
    arch = {
        "n_stages": 2, "features_per_stage": [2, 2], "conv_op": conv,
        "kernel_sizes": [[3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [2, 2, 2]],
        "n_conv_per_stage": [1, 1], "n_conv_per_stage_decoder": [1], "conv_bias": True,
        "norm_op": None, "norm_op_kwargs": {}, "dropout_op": None, "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True},
    }  # fmt: skip
    resampling = "resample_data_or_seg_to_shape"
    kwargs = {"order": 1, "order_z": 0, "force_separate_z": None}
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres", "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2, "patch_size": [32, 32, 32], "spacing": spacing,
        "median_image_size_in_voxels": [20.0, 40.0, 40.0],
        "normalization_schemes": ["CTNormalization"], "use_mask_for_norm": [False],
        "resampling_fn_data": resampling, "resampling_fn_data_kwargs": kwargs | {"is_seg": False},
        "resampling_fn_seg": resampling, "resampling_fn_seg_kwargs": kwargs | {"is_seg": True},
        "resampling_fn_probabilities": resampling,
        "resampling_fn_probabilities_kwargs": kwargs | {"is_seg": False},
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": arch,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": False,
    }  # fmt: skip
    intensity = {
        "mean": 100.0, "std": 50.0, "median": 100.0, "min": -900.0, "max": 900.0,
        "percentile_00_5": -200.0, "percentile_99_5": 440.0,
    }  # fmt: skip
    return {
        "dataset_name": dataset, "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": spacing,
        "original_median_shape_after_transp": [20, 40, 40],
        "image_reader_writer": "SimpleITKIO", "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2], "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner", "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": intensity},
    }  # fmt: skip


def _set_weights(network: Any, classes: int, *, moved: bool) -> None:
    """Carry the image through the skip of the U-Net, kept positive, and score it at the end."""
    torch = _have("torch")
    lift = 10.0  # a leaky rectifier leaves positive values alone
    slope, offset = _scores(100.0, 50.0, classes)
    with torch.no_grad():
        for values in network.parameters():
            values.zero_()
        first = network.encoder.stages[0][0].convs[0].conv
        first.weight[0, 0, 1, 1, 2 if moved else 1], first.bias[0] = 1.0, lift
        last = network.decoder.stages[0].convs[0].conv
        last.weight[0, 2, 1, 1, 1] = 1.0  # the skip's channels follow those from below
        score = network.decoder.seg_layers[-1]
        score.weight[:, 0, 0, 0, 0] = torch.from_numpy(slope)
        score.bias[:] = torch.from_numpy(offset - lift * slope)


def test_an_nnunet_labels_the_images_own_voxels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _have("nnunetv2")
    volume = _noise(_grid((14, 19, 23), (2.5, 1.2, 0.9), 0.15))
    folder = _trained(tmp_path, monkeypatch, moved=True, spacing=[2.5, 0.9, 1.2])
    found = load_model(folder, trusted=True)(volume)
    assert found.names == ("", "liver", "tumour")
    assert found.made_by.startswith("Dataset042_Liver 3d_fullres, weights ")
    _same(found, volume, moved=True, within=_HALF)


@pytest.mark.parametrize("folds", [(0, 1), ("all",)])
def test_an_nnunet_resamples_and_averages_its_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folds: tuple[int | str, ...]
) -> None:
    _have("nnunetv2")
    volume = _smooth(_grid((20, 44, 52), (3.0, 1.2, 1.0), 0.12))
    for fold in folds:
        folder = _trained(tmp_path, monkeypatch, moved=False, spacing=[2.0, 1.5, 1.5], fold=fold)
    found = load_model(folder, trusted=True)(volume)
    assert _agreement(found, volume) > 0.97


def test_an_nnunet_is_run_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """nnU-Net prints as it works: `--json` must stay JSON."""
    _have("nnunetv2")
    folder = _trained(tmp_path, monkeypatch, moved=True, spacing=[2.5, 0.9, 1.2])
    capsys.readouterr()
    _command(folder, _noise(_grid((14, 19, 23), (2.5, 1.2, 0.9), 0.15)), tmp_path, capsys)


def test_an_nnunet_that_fails_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _have("nnunetv2")
    folder = _trained(tmp_path, monkeypatch, moved=True, spacing=[2.5, 0.9, 1.2])
    (folder / "fold_0/checkpoint_final.pth").write_bytes(b"weights")
    with pytest.raises(FormatError, match="the code that runs it fails"):
        load_model(folder, trusted=True)


# --- TotalSegmentator ----------------------------------------------------------------------------

_SET = "Dataset297_TotalSegmentator_total_3mm_1559subj"


def _weights(root: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool) -> Path:
    """Write the 3 mm network of the task `total`, and hold that nobody is told of a run."""
    maps = _have("totalsegmentator.map_to_binary")
    labels = {"background": 0} | {name: n for n, name in maps.class_map["total"].items()}
    _trained(root, monkeypatch, moved=moved, spacing=[3.0, 3.0, 3.0], dataset=_SET, labels=labels,
             trainer="nnUNetTrainer_4000epochs_NoMirroring")  # fmt: skip
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(root / "home"))
    told: list[object] = []
    requests = importlib.import_module("requests")
    for verb in ("get", "post"):
        monkeypatch.setattr(requests, verb, lambda *a, **_: told.append(a))
    monkeypatch.setattr(_have("totalsegmentator.config"), "_told", told, raising=False)
    return root


def _untold() -> bool:
    return not importlib.import_module("totalsegmentator.config")._told


def test_totalsegmentator_labels_the_images_own_voxels_and_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _have("totalsegmentator")
    root = _weights(tmp_path, monkeypatch, moved=True)
    old = root / f"{_SET}_v204"  # which TotalSegmentator would delete unasked
    old.mkdir()
    volume = _noise(_grid((14, 19, 23), (3.0, 3.0, 3.0), 0.15))
    volume.values[:] = np.round(volume.values)  # TotalSegmentator rounds to whole HU
    environment = dict(os.environ)
    found = load_model(root, trusted=True)(volume)
    assert _untold()
    assert old.is_dir()
    assert dict(os.environ) == environment
    assert found.names[1:3] == ("spleen", "kidney_right")
    assert len(found.names) == 118
    values = volume.values[..., 0].astype(float)
    clear = np.minimum(abs(values - LOW), abs(values - HIGH)) > 0.5
    right = (found.labels == _answer(_to_the_right(values))[0]) | ~_to_the_right(clear)
    assert right[:, 2:-2].all()
    assert found.problems[-1].startswith("labels only")
    assert found.quality <= 0.9


def test_totalsegmentator_resamples_and_is_run_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _have("totalsegmentator")
    root = _weights(tmp_path / "weights", monkeypatch, moved=False)
    volume = _smooth(_grid((24, 44, 52), (2.5, 1.2, 1.0), 0.12))
    write_nifti(tmp_path / "image.nii.gz", volume)
    capfd.readouterr()
    command = ["image", "segment", str(tmp_path / "image.nii.gz"), "--with", str(root)]
    assert main([*command, "--out", str(tmp_path / "out"), "--trust-model", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert _untold()
    labels = read_nifti(tmp_path / "out/labels.nii.gz")
    assert np.allclose(labels.grid.affine, volume.grid.affine, atol=1e-8)
    want = _answer(volume.values[..., 0])[0]
    assert (labels.values[..., 0] == want).mean() > 0.9  # 3 mm, the nearest voxel, brought back
    assert {n for n, ml in told["volumes_ml"].items() if ml} == {"spleen", "kidney_right"}


def test_totalsegmentator_fetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _have("totalsegmentator")
    root = _weights(tmp_path, monkeypatch, moved=False)
    segment = load_model(root, trusted=True)
    (root / _SET).rename(root / "Dataset299_elsewhere")
    with pytest.raises(FormatError, match="asks for Dataset297, which is not there"):
        segment(_noise(_grid((14, 19, 23), (3.0, 3.0, 3.0), 0.0)))
    assert _untold()
