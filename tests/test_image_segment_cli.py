"""`isosoma image segment` from the command line: a real CT, a tiny network, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from isosoma.exchange.nifti import read_nifti
from isosoma.imaging.model_recipe import read_recipe
from isosoma.serve.cli import main
from tests.onnx_files import write_convolution

_SIDECAR = """
labels = ["", "bone"]
orientation = "RAS"
spacing_mm = [4.0, 4.0, 4.0]
window = [32, 32, 32]
[normalisation]
shift = 250.0
scale = 100.0
"""


def _network(folder: Path) -> Path:
    (folder / "bone.toml").write_text(_SIDECAR)
    kernel = np.array([0.0, 8.0]).reshape(2, 1, 1, 1, 1)
    return write_convolution(folder / "bone.onnx", kernel, np.zeros(2))


def test_a_network_labels_a_real_ct_on_its_own_grid(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ct = shared_data / "imaging/cta_totalseg/example_ct.nii.gz"
    command = ["image", "segment", str(ct), "--with", str(_network(tmp_path))]
    assert main([*command, "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["made_by"].startswith("bone, weights ")
    labels, image = read_nifti(tmp_path / "out/labels.nii.gz"), read_nifti(ct)
    assert np.allclose(labels.grid.affine, image.grid.affine)
    dense, found = image.values[..., 0] > 250, labels.values[..., 0] == 1
    assert 2 * (dense & found).sum() / (dense.sum() + found.sum()) > 0.6  # 4 mm against 3 mm
    assert told["volumes_ml"]["bone"] == pytest.approx(found.sum() * 0.027, rel=0.01)
    assert main([*command, "--out", str(tmp_path / "out")]) != 0
    assert "is there already" in capsys.readouterr().err


def test_the_aorta_of_a_real_ct_is_followed_from_its_own_seed(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = shared_data / "imaging/cta_totalseg/aorta_report/test_result/models"
    command = ["image", "segment", str(models / "ct_cropped.nii.gz"), "--with", "aorta"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "followed from" in said
    found = read_nifti(tmp_path / "out/labels.nii.gz").values[..., 0] == 1
    whole = read_nifti(models / "T716_aorta_true_false_lumen.nii.gz").values[..., 0] > 0
    assert (found & whole).sum() / found.sum() > 0.9
    assert found.sum() * 3.375e-3 > 80  # ml: root, arch and part of the descending aorta


@pytest.mark.parametrize(
    ("with_", "more", "said"),
    [
        ("nothing.onnx", [], "does not exist"),
        ("aorta", ["--at", "here"], "no point"),
        ("aorta", ["--at", "900,0,0"], "outside the image"),
    ],
)
def test_wrong_orders_end_in_a_sentence_and_write_nothing(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    with_: str, more: list[str], said: str,
) -> None:  # fmt: skip
    ct = shared_data / "imaging/cta_totalseg/example_ct.nii.gz"
    out = tmp_path / "out"
    assert main(["image", "segment", str(ct), "--with", with_, "--out", str(out), *more]) != 0
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_the_sidecar_in_the_docs_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[1] / "docs/imaging.md").read_text("utf-8")
    sidecar = page.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "liver.toml").write_text(sidecar)
    (tmp_path / "liver.onnx").write_bytes(b"weights")
    recipe, activation = read_recipe(tmp_path / "liver.toml", tmp_path / "liver.onnx")
    assert recipe.names == ("", "liver")
    assert recipe.spacing == pytest.approx((1.5e-3, 1.5e-3, 1.5e-3))
    assert (recipe.normalisation.low, activation) == (-160.0, "softmax")
