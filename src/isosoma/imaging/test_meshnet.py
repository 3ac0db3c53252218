from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.ndimage import correlate

from isosoma.core.errors import FormatError
from isosoma.imaging.meshnet import apply_meshnet, read_meshnet, shipped

RNG = np.random.default_rng(3)
KERNELS = [RNG.normal(0, 0.4, (3, 3, 3, 1, 4)), RNG.normal(0, 0.4, (3, 3, 3, 4, 3)),
           RNG.normal(0, 0.4, (1, 1, 1, 3, 2))]  # fmt: skip
BIASES = [RNG.normal(size=n) for n in (4, 3, 2)]
DILATIONS = (1, 3, 1)


def write(folder, activation="relu"):
    """A small network in the layout of TensorFlow.js."""
    layers = [{"class_name": "InputLayer", "config": {}}]
    described = []
    for n, (kernel, dilation) in enumerate(zip(KERNELS, DILATIONS, strict=True)):
        config = {"name": f"c{n}", "activation": "linear", "padding": "same",
                  "dilation_rate": [dilation] * 3}  # fmt: skip
        layers.append({"class_name": "Conv3D", "config": config})
        described.append({"name": f"c{n}/kernel", "shape": kernel.shape, "dtype": "float32"})
        described.append({"name": f"c{n}/bias", "shape": [kernel.shape[-1]], "dtype": "float32"})
        if n < 2:
            layers.append({"class_name": "Activation", "config": {"activation": activation}})
    model = {"modelTopology": {"model_config": {"config": {"layers": layers}}},
             "weightsManifest": [{"paths": ["w.bin"], "weights": described}]}  # fmt: skip
    (folder / "model.json").write_text(json.dumps(model))
    parts = [p.astype("<f4").tobytes() for kb in zip(KERNELS, BIASES, strict=True) for p in kb]
    (folder / "w.bin").write_bytes(b"".join(parts))
    (folder / "colormap.json").write_text(json.dumps({"labels": ["nothing", "thing"]}))
    return folder


def slow(image):
    """The same network by scipy's correlation with kernels spread by zeros."""
    channels = [image]
    for n, (kernel, bias, dilation) in enumerate(zip(KERNELS, BIASES, DILATIONS, strict=True)):
        size = (kernel.shape[0] - 1) * dilation + 1
        wide = np.zeros((size, size, size, *kernel.shape[3:]))
        wide[::dilation, ::dilation, ::dilation] = kernel
        channels = [
            sum(correlate(c, wide[..., i, o], mode="constant") for i, c in enumerate(channels))
            + bias[o]
            for o in range(kernel.shape[-1])
        ]
        channels = [np.maximum(c, 0) for c in channels] if n < 2 else channels
    scores = np.exp(channels)
    return scores / scores.sum(axis=0)


def test_layers_are_those_of_a_plain_correlation(tmp_path):
    image = RNG.normal(size=(9, 14, 11))
    net = read_meshnet(write(tmp_path))
    assert net.labels == ("nothing", "thing")
    made = apply_meshnet(net, image.astype(np.float32))
    assert made == pytest.approx(slow(image), abs=1e-5)


@pytest.mark.parametrize("name", ["mindgrab", "model18cls"])
def test_what_is_shipped_can_be_read(name):
    net = shipped(name)
    assert net.version.startswith(name)
    assert len(net.labels) == len(net.layers[-1].bias)
    image = np.zeros((20, 20, 20), np.float32)
    assert apply_meshnet(net, image).sum(axis=0) == pytest.approx(np.ones(image.shape), abs=1e-5)


def cut(folder):
    (folder / "w.bin").write_bytes((folder / "w.bin").read_bytes()[:-4])


def longer(folder):
    (folder / "w.bin").write_bytes((folder / "w.bin").read_bytes() + b"\0\0\0\0")


def infinite(folder):
    data = (folder / "w.bin").read_bytes()
    (folder / "w.bin").write_bytes(np.float32(np.inf).tobytes() + data[4:])


def unlabelled(folder):
    (folder / "colormap.json").write_text('{"labels": ["one"]}')


def no_json(folder):
    (folder / "model.json").write_text("{")


@pytest.mark.parametrize("harm", [cut, longer, infinite, unlabelled, no_json])
def test_a_broken_network_is_refused_in_a_sentence(tmp_path, harm):
    harm(write(tmp_path))
    with pytest.raises(FormatError, match="is no MeshNet"):
        read_meshnet(tmp_path)


def test_an_unknown_activation_is_refused(tmp_path):
    with pytest.raises(FormatError, match="softplus"):
        read_meshnet(write(tmp_path, "softplus"))
